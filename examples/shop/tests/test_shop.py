"""What the shop does."""

import json
from base64 import b64decode
from datetime import timedelta
from decimal import Decimal

import pytest
from shop.models import Order, Payment, Product, now
from shop.resources import MAX_LINES
from shops import ADDRESS, recorded

CART, PRODUCT = "/orders/{o}", "/products/{p}"


def refused(result, status, detail):
    assert (result.status, result.json["detail"]) == (status, detail)
    return result.json.get("errors")


def names(result):
    assert result.status == 200, result.text
    return [item["name"] for item in result.json["items"]]


# --- the catalogue


@pytest.fixture
def category(world):
    """A category of this test alone, with two products."""
    slug = f"c{world.product}"
    world.ok("staff", "PUT", f"/categories/{slug}", json={"name": "Cups"})
    for name, price in (("big", "12.50"), ("small", "9")):
        world.add_product(name=name, price=price, category=slug)
    return slug


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["small", "big"]),
        ("&sort=-price", ["big", "small"]),
        ("&price__lte=12.49", ["small"]),
        ("&price__gte=12.50", ["big"]),
    ],
)
def test_products_of_a_category_come_by_price(world, category, query, expected):
    with recorded() as calls:
        assert names(world.ask("nobody", "GET", f"/products?category={category}{query}")) == expected
    assert [(operation, said["IndexName"]) for operation, said in calls] == [("Query", "by_category")]


def test_a_product_shows_its_category(world):
    shown = world.ok("nobody", "GET", PRODUCT + "?embed=category")
    assert shown.pop("updated")
    tea = {"slug": "tea", "name": "Tea"}
    assert shown == {
        "id": world.product,
        "category": tea,
        "name": "Darjeeling",
        "price": "19.99",
        "stock": 3,
    }


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"price": "-0.01"}, "#/price"),
        ({"price": "0.001"}, "#/price"),
        ({"price": "NaN"}, "#/price"),
        ({"price": "much"}, "#/price"),
        ({"price": "1E+500"}, "#/price"),
        ({"price": "1000000"}, "#/price"),
        ({"stock": -1}, "#/stock"),
        ({"name": ""}, "#/name"),
        ({"id": "mine"}, "#/id"),
        ({"updated": "2030-01-01T00:00:00Z"}, "#/updated"),
        ({"deleted": None}, "#/deleted"),
    ],
)
def test_what_a_product_cannot_be(world, said, pointer):
    body = {"category": "tea", "name": "x", "price": "1", **said}
    assert world.ask("staff", "POST", "/products", json=body).json["errors"][0]["pointer"] == pointer


def test_a_product_is_in_a_category_that_is_there(world):
    body = {"category": "none", "name": "x", "price": "1"}
    assert world.ask("staff", "POST", "/products", json=body).status == 403
    assert world.ask("staff", "PATCH", PRODUCT, json={"category": "none"}).status == 403
    assert world.ok("nobody", "GET", PRODUCT)["category"] == "tea"


def test_a_deleted_product_can_be_restored(world):
    cart = world.add_cart()
    world.ok("staff", "DELETE", PRODUCT)
    assert world.ask("nobody", "GET", PRODUCT).status == 404
    gone, there = (
        {product["id"] for product in world.ok("staff", "GET", f"/staff/products?limit=100{query}")["items"]}
        for query in ("&deleted=true", "")
    )
    assert (world.product in gone, world.product in there) == (True, False)
    refused(world.ask("customer", "POST", cart + "/pay"), 409, "Sold out: Darjeeling.")
    wanted = {"product": world.product, "quantity": 2}
    errors = refused(
        world.ask("customer", "PUT", cart + "/lines", json=wanted), 422, "There is no such product."
    )
    assert errors == [{"pointer": "#/product", "detail": "Not on sale."}]
    assert world.ok("customer", "PUT", cart + "/lines", json={**wanted, "quantity": 0})["lines"] == []
    world.ok("staff", "POST", PRODUCT + "/restore")
    assert world.stock() == 3


def test_a_delivery_is_added_to_what_is_left(world):
    assert world.ok("staff", "POST", PRODUCT + "/restock", json={"quantity": 4})["stock"] == 7
    assert world.ask("staff", "POST", PRODUCT + "/restock", json={"quantity": -4}).status == 422


def test_a_picture_goes_to_s3_by_a_form_that_is_limited(world):
    form = world.ok("staff", "POST", PRODUCT + "/picture", json={"type": "image/png"})
    policy = json.loads(b64decode(form["fields"]["policy"]))
    key = f"products/{world.product}"
    assert form["url"] == "https://pictures.s3.amazonaws.com/"
    assert (form["fields"]["key"], form["fields"]["Content-Type"]) == (key, "image/png")
    assert policy["conditions"][:4] == [
        {"Content-Type": "image/png"},
        ["content-length-range", 1, 5_000_000],
        {"bucket": "pictures"},
        {"key": key},
    ]
    assert world.ask("staff", "POST", PRODUCT + "/picture", json={"type": "text/html"}).status == 422


# --- customers


def test_an_email_address_is_one_customers(world):
    email = f"{world.product}@example.com"
    ann = world.ok("customer", "PUT", "/customers/ann", json={"email": email.upper(), "name": "Ann"})
    assert ann == {"id": "ann", "email": email, "name": "Ann"}
    taken = world.ask("another", "PUT", "/customers/bob", json={"email": email, "name": "Bob"})
    assert (taken.status, taken.json["errors"][0]["pointer"]) == (409, "#/email")
    assert world.ask("customer", "PATCH", "/customers/ann", json={"email": "ann"}).status == 422
    assert (
        world.ok("customer", "PATCH", "/customers/ann", json={"email": "A" + email})["email"] == "a" + email
    )
    assert world.ask("another", "PUT", "/customers/bob", json={"email": email, "name": "Bob"}).status in (
        200,
        201,
    )


# --- orders


def test_an_order_goes_its_way(world):
    cart = world.ok("customer", "GET", CART)
    line = {"product": world.product, "name": "Darjeeling", "price": "19.99", "quantity": 1}
    assert (cart["status"], cart["lines"], cart["address"], cart["total"]) == ("cart", [line], ADDRESS, None)
    assert world.ok("customer", "POST", CART + "/pay") == {"status": "paid", "total": "19.99"}
    paid = world.ok("staff", "GET", CART + "?embed=payment")
    assert (paid["status"], paid["total"], paid["payment"]["amount"]) == ("paid", "19.99", "19.99")
    assert paid["expires"] is None
    assert world.stock() == 2
    refused(world.ask("customer", "POST", CART + "/pay"), 409, "It is no cart any more.")
    moved = world.ok("customer", "PATCH", CART, json={"address": {"city": "Haddonfield"}})
    assert moved["address"] == {**ADDRESS, "city": "Haddonfield"}
    for method, body in (("PATCH", {"address": None}), ("PUT", {})):
        assert world.ask("customer", method, CART, json=body).status == 403, "it has to go somewhere"
    assert world.ok("staff", "POST", CART + "/ship")["status"] == "shipped"
    late = world.ask("customer", "PATCH", CART, json={"address": {"city": "Springwood"}})
    refused(late, 409, "It is on its way, or cancelled.")
    refused(world.ask("customer", "POST", CART + "/cancel"), 409, "It is on its way, or cancelled already.")


def test_the_total_is_exact(world):
    other = world.add_product(price="0.10", stock=1000)
    cart = world.add_cart(**{world.product: 2, other: 1000})
    total = Decimal("19.99") * 2 + Decimal("0.10") * 1000
    assert world.ok("customer", "POST", cart + "/pay")["total"] == str(total) == "139.98"
    assert Payment.get(cart.split("/")[-1]).amount == total
    assert world.ok("nobody", "GET", f"/products/{other}")["stock"] == 0


def test_a_cart_holds_its_price_for_a_day(world):
    world.ok("staff", "PATCH", PRODUCT, json={"price": "29.99"})
    assert world.ok("customer", "GET", CART)["lines"][0]["price"] == "19.99"
    again = {"product": world.product, "quantity": 1}
    assert world.ok("customer", "PUT", CART + "/lines", json=again)["lines"][0]["price"] == "29.99"
    order = Order.get(*world.order.split("/"))
    order.update([Order.expires.set(now() - timedelta(seconds=1))])
    assert [world.ask("customer", *one).status for one in (("GET", CART), ("POST", CART + "/pay"))] == [
        404,
        404,
    ]
    assert world.stock() == 3


def test_nothing_is_done_where_one_product_is_sold_out(world):
    rare = world.add_product(name="Rare", stock=1)
    cart = world.add_cart(**{world.product: 1, rare: 2})
    refused(world.ask("customer", "POST", cart + "/pay"), 409, "Sold out: Rare.")
    assert (world.stock(), world.ok("customer", "GET", cart)["status"]) == (3, "cart")
    assert world.ask("customer", "GET", "/payments/" + cart.split("/")[-1]).status == 404


def test_what_is_cancelled_goes_back(world):
    rare = world.add_product(stock=2)
    cart = world.add_cart(**{world.product: 2, rare: 2})
    world.ok("customer", "POST", cart + "/pay")
    world.ok("staff", "DELETE", f"/products/{rare}")
    assert world.ok("customer", "POST", cart + "/cancel") == {"status": "cancelled"}
    assert world.stock() == 3
    assert Product.get(rare).stock == 0, "what is deleted is not there"
    assert world.ok("customer", "GET", "/payments/" + cart.split("/")[-1])["refunded"]
    world.ok("customer", "POST", CART + "/cancel")
    assert world.stock() == 3, "nobody had paid for that"
    assert world.ok("customer", "GET", CART)["expires"], "and it goes as a cart does"
    refused(world.ask("staff", "POST", CART + "/ship"), 409, "It is not to be shipped.")


def test_a_payment_that_is_sent_again_is_one(world):
    key = {"Idempotency-Key": "k"}
    first, again = (world.ask("customer", "POST", CART + "/pay", headers=key) for _ in range(2))
    assert (first.body, again.headers["idempotency-replayed"], world.stock()) == (again.body, "true", 2)


def test_an_order_needs_a_product_and_an_address(world):
    empty = world.add_cart(**{world.product: 1})
    world.ok("customer", "PUT", empty + "/lines", json={"product": world.product, "quantity": 0})
    homeless = world.add_cart()
    world.ok("customer", "PATCH", homeless, json={"address": None})
    for cart in (empty, homeless):
        refused(world.ask("customer", "POST", cart + "/pay"), 409, "It needs a product and an address.")


def test_an_order_of_the_most_products_can_be_paid(world):
    products = [world.add_product() for _ in range(MAX_LINES)]
    cart = world.add_cart(**dict.fromkeys(products, 1))
    more = {"product": world.product, "quantity": 1}
    assert world.ask("customer", "PUT", cart + "/lines", json=more).status == 422
    paid = world.ask("customer", "POST", cart + "/pay", headers={"Idempotency-Key": "most"})
    assert (paid.status, paid.json["total"]) == (200, "55.00")


def test_a_gift_is_wrapped_while_it_is_a_cart(world):
    assert world.ok("customer", "PATCH", CART, json={"gift": True})["gift"] is True
    world.ok("customer", "POST", CART + "/pay")
    late = world.ask("customer", "PATCH", CART, json={"gift": False})
    assert refused(late, 422, "The body holds fields that you may not write.")[0]["pointer"] == "#/gift"


def test_staff_sees_orders_by_status(world):
    world.ok("customer", "POST", CART + "/pay")
    world.ok("customer", "PUT", "/customers/ann", json={"email": "ann@example.com", "name": "Ann"})
    with recorded() as calls:
        paid = world.ok("staff", "GET", "/orders?status=paid&sort=-id&limit=1&embed=customer")["items"]
    assert [(order["id"], order["customer"]["name"]) for order in paid] == [
        (world.order.split("/")[1], "Ann")
    ]
    assert [(operation, said.get("IndexName")) for operation, said in calls] == [
        ("Query", "by_status"),
        ("BatchGetItem", None),
    ]
    with recorded() as calls:
        own = world.ok("another", "GET", "/orders?status=cart")["items"]
    assert {order["customer"] for order in own} <= {"bob"}
    assert [said.get("IndexName") for _, said in calls] == [None], "a query of bob's orders alone"
    assert world.ask("staff", "GET", "/orders").status == 400
