"""A shop: products by category, customers, carts that become orders, payments."""
