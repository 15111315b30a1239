"""What this package costs, next to its peers: `make bench`."""
