"""Who may do what: each user and each request, and what a customer tries on another's order."""

import pytest
from shop.models import Order, Payment
from shops import ADDRESS, USERS, made

CART, PRODUCT = "/orders/{o}", "/products/{p}"
PAID = "/orders/{paid}"
LINE = '{"product": "{p}", "quantity": 2}'

COLUMNS = ("customer", "another", "staff", "nobody")
MATRIX = {
    # method, path, body: the status for each user
    ("GET", "/categories", None): (200, 200, 200, 200),
    ("GET", "/categories/tea", None): (200, 200, 200, 200),
    ("PUT", "/categories/tea", '{"name": "Teas"}'): (403, 403, 200, 401),
    ("PATCH", "/categories/tea", '{"name": "Tea"}'): (403, 403, 200, 401),
    ("DELETE", "/categories/tea", None): (405, 405, 405, 405),
    ("GET", "/products?category=tea", None): (200, 200, 200, 200),
    ("GET", PRODUCT, None): (200, 200, 200, 200),
    ("POST", "/products", '{"category": "tea", "name": "x", "price": "1"}'): (403, 403, 201, 401),
    ("PATCH", PRODUCT, '{"price": "1"}'): (403, 403, 200, 401),
    ("POST", PRODUCT + "/restock", '{"quantity": 1}'): (403, 403, 200, 401),
    ("POST", PRODUCT + "/picture", '{"type": "image/png"}'): (403, 403, 200, 401),
    ("DELETE", PRODUCT, None): (403, 403, 204, 401),
    ("POST", PRODUCT + "/restore", None): (403, 403, 409, 401),
    ("GET", "/staff/products", None): (403, 403, 200, 401),
    ("GET", "/staff/products?deleted=true", None): (403, 403, 200, 401),
    ("GET", "/customers/ann", None): (200, 404, 200, 401),
    ("PUT", "/customers/ann", '{"email": "ann@example.com", "name": "Ann"}'): (200, 404, 403, 401),
    ("PATCH", "/customers/ann", '{"name": "Ann"}'): (200, 404, 403, 401),
    ("GET", "/customers", None): (405, 405, 405, 405),
    ("GET", "/orders", None): (200, 200, 400, 401),
    ("GET", "/orders?status=paid", None): (200, 200, 200, 401),
    ("GET", "/orders?customer=ann", None): (200, 200, 200, 401),
    ("POST", "/orders", "{}"): (201, 201, 201, 401),
    ("GET", CART, None): (200, 404, 200, 401),
    ("PATCH", CART, '{"gift": true}'): (200, 404, 403, 401),
    ("PUT", CART + "/lines", LINE): (200, 404, 403, 401),
    ("POST", CART + "/pay", None): (200, 404, 403, 401),
    ("POST", CART + "/cancel", None): (200, 404, 200, 401),
    ("POST", CART + "/ship", None): (403, 403, 409, 401),
    ("POST", PAID + "/ship", None): (403, 403, 200, 401),
    ("POST", PAID + "/cancel", None): (200, 404, 200, 401),
    ("DELETE", CART, None): (405, 405, 405, 405),
    ("GET", "/payments/{payment}", None): (200, 404, 200, 401),
}


@pytest.fixture
def worlds(client):
    """Makes shops, each with an order of ann's that is paid, and ann's profile."""

    def make():
        shop = made(client)
        shop.ok("customer", "PUT", "/customers/ann", json={"email": "ann@example.com", "name": "Ann"})
        paid = shop.add_cart()
        shop.ok("customer", "POST", paid + "/pay")
        shop.ids = {"paid": paid.removeprefix("/orders/"), "payment": paid.split("/")[-1]}
        return shop

    return make


def ids_in(shop, text):
    """The text with the ids of a shop and of its paid order."""
    for name, value in {"p": shop.product, "o": shop.order, **shop.ids}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("asked", MATRIX, ids=" ".join(("{0[0]} {0[1]}",)).format)
def test_matrix(worlds, asked):
    """A request that is let through gets a shop of its own to change; those that are not share one."""
    method, path, body = asked
    shop, statuses = worlds(), {}
    for who in reversed(COLUMNS):
        said = body and ids_in(shop, body)
        headers = {"Content-Type": "application/json"} if body else {}
        result = shop.client.request(method, ids_in(shop, path), user=USERS[who], body=said, headers=headers)
        statuses[who] = result.status
        if result.status < 400 and method != "GET":
            shop = worlds()
    assert statuses == dict(zip(COLUMNS, MATRIX[asked], strict=True))


@pytest.fixture
def shop(worlds):
    return worlds()


def attacks(shop):
    """Requests of bob's, or at prices of one's own."""
    yield "read", "another", "GET", CART, None
    yield "read as one's own", "another", "GET", CART.replace("{o}", "bob/{id}"), None
    yield "pay", "another", "POST", CART + "/pay", None
    yield "cancel", "another", "POST", CART + "/cancel", None
    yield "cancel what is paid", "another", "POST", PAID + "/cancel", None
    yield "fill", "another", "PUT", CART + "/lines", {"product": shop.product, "quantity": 3}
    yield "send it elsewhere", "another", "PATCH", CART, {"address": ADDRESS}
    yield "an order for somebody", "another", "POST", "/orders", {"customer": "ann"}
    yield (
        "a profile for somebody",
        "another",
        "PUT",
        "/customers/carl",
        {"email": "c@example.com", "name": "C"},
    )
    yield "a payment", "another", "GET", "/payments/{payment}", None
    yield "status in a new cart", "customer", "POST", "/orders", {"status": "paid"}
    yield "lines in a new cart", "customer", "POST", "/orders", {"lines": []}
    yield "total in a new cart", "customer", "POST", "/orders", {"total": "0.01"}
    yield "an id of one's own", "customer", "POST", "/orders", {"id": "0"}
    yield "a cart that stays", "customer", "POST", "/orders", {"expires": "2099-01-01T00:00:00Z"}
    yield "status", "customer", "PATCH", CART, {"status": "paid"}
    yield "total", "customer", "PATCH", CART, {"total": "0.01"}
    yield "given away", "customer", "PATCH", CART, {"customer": "bob"}
    yield "lines", "customer", "PATCH", CART, {"lines": [{"product": shop.product, "price": "0.01"}]}
    yield (
        "a line's price",
        "customer",
        "PUT",
        CART + "/lines",
        {"product": shop.product, "quantity": 1, "price": "0"},
    )
    yield "less than none", "customer", "PUT", CART + "/lines", {"product": shop.product, "quantity": -1}
    yield "a half", "customer", "PUT", CART + "/lines", {"product": shop.product, "quantity": 0.5}
    yield "no product", "customer", "PUT", CART + "/lines", {"product": "none", "quantity": 1}
    yield "paid again", "customer", "POST", PAID + "/pay", None
    yield "filled when paid", "customer", "PUT", PAID + "/lines", {"product": shop.product, "quantity": 1}
    yield "wrapped when paid", "customer", "PATCH", PAID, {"gift": True}
    yield "shipped by oneself", "customer", "POST", PAID + "/ship", None
    yield "one's own price", "customer", "PATCH", PRODUCT, {"price": "0.01"}
    yield "staff for somebody", "staff", "POST", CART + "/pay", None


def test_no_attack_changes_anything(shop):
    def everything():
        orders = {order.id: order.serialize() for order in Order.query("ann")}
        return orders, len([*Order.query("bob")]), len([*Payment.scan()]), shop.ok("nobody", "GET", PRODUCT)

    before = everything()
    for name, who, method, path, body in attacks(shop):
        path = ids_in(shop, path.replace("{id}", shop.order.split("/")[1]))
        options = {} if body is None else {"json": body}
        result = shop.client.request(method, path, user=USERS[who], **options)
        assert result.status in (403, 404, 409, 422), (name, result.status, result.text)
    assert everything() == before


def test_an_order_of_somebody_else_is_as_one_that_is_not_there(shop):
    """Byte for byte: nobody finds out which ids there are."""
    there = shop.ask("another", "GET", CART, request_id="r")
    gone = shop.ask("another", "GET", "/orders/ann/none", request_id="r")
    assert (there.status, there.body) == (404, gone.body)


@pytest.mark.parametrize(
    "query", ["", "?customer=ann", "?status=cart", "?status=cart&customer=ann", "?sort=-id"]
)
def test_a_list_gives_nobody_elses_orders(shop, query):
    orders = shop.ok("another", "GET", "/orders" + query)["items"]
    assert {order["customer"] for order in orders} <= {"bob"}


def test_a_cursor_is_good_for_its_user_alone(shop):
    first = shop.ok("staff", "GET", "/orders?status=cart&limit=1")
    query = {"status": "cart", "limit": 1, "pagination_key": first["pagination_key"]}
    assert shop.ask("staff", "GET", "/orders", query=query).status == 200
    assert [shop.ask(who, "GET", "/orders", query=query).status for who in ("customer", "another")] == [
        400,
        400,
    ]


def test_what_is_embedded_is_under_its_own_rules(shop):
    """A customer's name goes to them and to staff alone, and what is deleted is shown to nobody."""
    path = ids_in(shop, PAID) + "?embed=customer,payment"
    for who in ("customer", "staff"):
        shown = shop.ok(who, "GET", path)
        assert (shown["customer"]["name"], shown["payment"]["amount"]) == ("Ann", "19.99")
    assert shop.ask("another", "GET", path).status == 404
