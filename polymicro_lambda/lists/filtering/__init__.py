"""Filters: declared, read from a query, and turned into conditions."""
