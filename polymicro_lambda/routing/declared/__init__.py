"""What one resource declares, word by word: each read, checked and made ready for its routes."""
