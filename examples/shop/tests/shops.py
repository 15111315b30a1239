"""Users, a shop with a product and a cart, and what is noted of its calls."""

from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from botocore.client import BaseClient

from polymicro_lambda import User
from polymicro_lambda.testing import Client

USERS = {
    "customer": User("ann"),
    "another": User("bob"),
    "staff": User("sue", groups=frozenset({"staff"})),
    "nobody": None,
}
ADDRESS = {"name": "Ann", "street": "Elm Street 1", "postcode": "12345", "city": "Springwood"}


@contextmanager
def recorded():
    """The DynamoDB calls made inside: operation and parameters."""
    calls, call = [], BaseClient._make_api_call

    def recording(client, operation, parameters):
        calls.append((operation, parameters))
        return call(client, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", recording)
        yield calls


@dataclass
class Shop:
    """Three pieces of tea, and a cart of ann's with one of them."""

    client: Client
    product: str = ""
    order: str = ""

    def url(self, template):
        """A path with this shop's ids."""
        return template.format(p=self.product, o=self.order)

    def ask(self, who, method, path, **options):
        """A request of a user of ``USERS``."""
        return self.client.request(method, self.url(path), user=USERS[who], **options)

    def ok(self, *asked, **options):
        """The JSON of a request that must succeed."""
        result = self.ask(*asked, **options)
        assert result.status < 300, result.text
        return result.json if result.body else None

    def stock(self):
        """How many pieces are left."""
        return self.ok("staff", "GET", "/products/{p}")["stock"]

    def add_product(self, **said):
        """The id of a further product."""
        body = {"category": "tea", "name": "Mint", "price": "1.10", "stock": 9, **said}
        return self.ok("staff", "POST", "/products", json=body)["id"]

    def add_cart(self, who="customer", **quantities):
        """The path of a further cart; ``quantities`` by product, of the shop's own one piece where none is said."""
        cart = self.ok(who, "POST", "/orders", json={"address": ADDRESS})
        path = f"/orders/{cart['customer']}/{cart['id']}"
        for product, quantity in (quantities or {self.product: 1}).items():
            self.ok(who, "PUT", path + "/lines", json={"product": product, "quantity": quantity})
        return path


def made(client):
    """A new shop in the tables."""
    shop = Shop(client)
    shop.ok("staff", "PUT", "/categories/tea", json={"name": "Tea"})
    shop.product = shop.add_product(name="Darjeeling", price="19.99", stock=3)
    shop.order = shop.add_cart().removeprefix("/orders/")
    return shop
