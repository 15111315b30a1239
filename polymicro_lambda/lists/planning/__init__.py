"""The choice of table, index and keys for a list."""
