"""Two writing requests at once, in every order of their calls: as if one came after the other."""

from itertools import combinations_with_replacement

import pytest
from shops import ADDRESS, made

from polymicro_lambda.testing import assert_serializable

PRODUCT, CART, PAID = "/products/{p}", "/orders/{o}", "/orders/ann/{paid}"
KEY = {"Idempotency-Key": "k"}

REQUESTS = {
    "pay": ("customer", "POST", CART + "/pay", None),
    "pay with a key": ("customer", "POST", CART + "/pay", None, KEY),
    "another pays": ("another", "POST", "/orders/bob/{other}/pay", None),
    "cancel a cart": ("customer", "POST", CART + "/cancel", None),
    "add a product": ("customer", "PUT", CART + "/lines", {"product": "{q}", "quantity": 2}),
    "buy more": ("customer", "PUT", CART + "/lines", {"product": "{p}", "quantity": 2}),
    "buy nothing": ("customer", "PUT", CART + "/lines", {"product": "{p}", "quantity": 0}),
    "move": ("customer", "PATCH", CART, {"address": {"city": "Haddonfield"}}),
    "wrap": ("customer", "PATCH", CART, {"gift": True}),
    "ship": ("staff", "POST", PAID + "/ship", None),
    "cancel what is paid": ("customer", "POST", PAID + "/cancel", None),
    "staff cancels": ("staff", "POST", PAID + "/cancel", None),
    "move what is paid": ("customer", "PUT", PAID, {"address": ADDRESS}),
    "change the price": ("staff", "PATCH", PRODUCT, {"price": "29.99"}),
    "count the stock": ("staff", "PATCH", PRODUCT, {"stock": 5}),
    "restock": ("staff", "POST", PRODUCT + "/restock", {"quantity": 1}),
    "delete": ("staff", "DELETE", PRODUCT, None),
    "delete the other": ("staff", "DELETE", "/products/{q}", None),
    "restore": ("staff", "POST", "/products/{gone}/restore", None),
    "cancel what is gone": ("customer", "POST", "/orders/ann/{old}/cancel", None),
    "make a product": ("staff", "POST", "/products", {"category": "tea", "name": "x", "price": "1"}),
    "make a category": ("staff", "PUT", "/categories/cups", {"name": "Cups"}),
    "register": ("customer", "PUT", "/customers/ann", {"email": "a@example.com", "name": "Ann"}),
    "register too": ("another", "PUT", "/customers/bob", {"email": "A@example.com", "name": "Bob"}),
}
OFTEN = ("pay - pay", "pay - another pays", "pay - cancel a cart", "pay - buy more", "pay - delete")
PAIRS = [pytest.param(*pair, id=" - ".join(pair)) for pair in combinations_with_replacement(REQUESTS, 2)]


@pytest.fixture(scope="module")
def ask(client):
    """A request by its name; in a shop with one piece left, which two carts have, and orders of all kinds."""
    shop = made(client)
    names = {"p": shop.product, "q": shop.add_product(), "o": shop.order, "gone": shop.add_product()}
    old, paid = shop.add_cart(**{names["gone"]: 1}), shop.add_cart(**{shop.product: 2})
    other = shop.add_cart("another")
    for path in (old, paid):
        shop.ok("customer", "POST", path + "/pay")
    shop.ok("staff", "DELETE", f"/products/{names['gone']}")
    assert shop.stock() == 1
    names |= {name: path.split("/")[-1] for name, path in (("old", old), ("paid", paid), ("other", other))}

    def said(value):
        if isinstance(value, dict):
            return {name: said(one) for name, one in value.items()}
        return value.format(**names) if isinstance(value, str) else value

    def ask(name):
        who, method, path, body, *headers = REQUESTS[name]
        options = {} if body is None else {"json": said(body)}
        return lambda: shop.ask(who, method, said(path), **options, headers=headers[0] if headers else {})

    return ask


@pytest.mark.thorough(but=OFTEN)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_requests_at_once(client, ask, one, other):
    assert_serializable(client, ask(one), ask(other))
