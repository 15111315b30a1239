"""The session of the shop's client that openapi-python-client makes, by a customer who is of its staff."""

import os
from http import HTTPStatus

from api_client import AuthenticatedClient
from api_client.api.categories import create_categories
from api_client.api.orders import (
    create_orders,
    line_orders,
    list_orders,
    pay_orders,
    retrieve_orders,
    ship_orders,
    update_orders,
)
from api_client.api.payments import retrieve_payments
from api_client.api.products import create_products, list_products, retrieve_products
from api_client.models import (
    CategoriesCreate,
    LineOrdersBody,
    ListOrdersEmbedItem,
    ListProductsSort,
    Orders,
    OrdersCreate,
    OrdersCreateAddressType0,
    OrdersPage,
    OrdersPatch,
    OrdersPatchAddressType0,
    Payments,
    Problem,
    Products,
    ProductsCreate,
    ProductsPage,
)

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])

create_categories.sync(client=client, body=CategoriesCreate(slug="tea", name="Tea"))
for name, price in (("Darjeeling", "19.90"), ("Mint", "4.50")):
    body = ProductsCreate(category="tea", name=name, price=price, stock=1)
    assert isinstance(create_products.sync(client=client, body=body), Products)
page = list_products.sync(client=client, category="tea", price_lte="30", sort=ListProductsSort.VALUE_1)
assert isinstance(page, ProductsPage)
assert [(product.name, product.price) for product in page.items] == [
    ("Darjeeling", "19.90"),
    ("Mint", "4.50"),
]
tea = page.items[0].id
assert page.pagination_key is None

address = OrdersCreateAddressType0(name="Sue", street="Elm Street 1", postcode="12345", city="Springwood")
cart = create_orders.sync(client=client, body=OrdersCreate(address=address))
assert isinstance(cart, Orders)
assert (cart.customer, cart.status, cart.lines, cart.total, cart.gift) == ("sue", "cart", [], None, False)
key = (cart.customer, cart.id)

wrapped = update_orders.sync_detailed(*key, client=client, body=OrdersPatch(gift=True))
assert isinstance(wrapped.parsed, Orders)
assert wrapped.parsed.gift is True
line_orders.sync(*key, client=client, body=LineOrdersBody(product=tea, quantity=1))
once = {"client": client, "idempotency_key": "8e03978e"}
paid, again = (pay_orders.sync_detailed(*key, **once) for _ in range(2))
assert paid.parsed == again.parsed == {"status": "paid", "total": "19.90"}
assert again.headers["idempotency-replayed"] == "true"

order = retrieve_orders.sync(*key, client=client)
assert isinstance(order, Orders)
assert [(line.name, line.price, line.quantity) for line in order.lines] == [("Darjeeling", "19.90", 1)]
payment = retrieve_payments.sync(cart.id, client=client)
assert isinstance(payment, Payments)
assert (payment.amount, payment.refunded) == ("19.90", None)
product = retrieve_products.sync(tea, client=client)
assert isinstance(product, Products)
assert product.stock == 0

orders = list_orders.sync(client=client, status="paid", embed=[ListOrdersEmbedItem.PAYMENT])
assert isinstance(orders, OrdersPage)
assert [one.payment.amount for one in orders.items] == ["19.90"]
assert ship_orders.sync_detailed(*key, client=client).status_code == HTTPStatus.OK

elsewhere = OrdersPatch(address=OrdersPatchAddressType0(street="Elm Street 2"))
late = update_orders.sync(*key, client=client, body=elsewhere)
assert isinstance(late, Problem)
assert (late.status, late.detail) == (409, "It is on its way, or cancelled.")

stranger = AuthenticatedClient(base_url=os.environ["API"], token="wrong")
refused = list_orders.sync_detailed(client=stranger, customer="sue")
assert refused.status_code == HTTPStatus.UNAUTHORIZED
print("done")
