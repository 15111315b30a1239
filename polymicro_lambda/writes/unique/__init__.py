"""Values that only one item of a table may have: their declaration, and their reservations."""
