"""Updates, deletes and checks of one item: their conditions, their values, and how one is sent."""
