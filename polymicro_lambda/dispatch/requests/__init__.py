"""What a request asks of a verb, checked and typed, and what guards it."""
