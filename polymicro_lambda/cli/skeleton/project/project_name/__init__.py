"""The todos of each user, as a REST API."""
