"""What a verb returned becomes a response."""
