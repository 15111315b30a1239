"""Exact decimals from the body to the table and back: as keys, in filters, in atomic changes, as unique values."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, create_table, create_tables, stored
from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    DecimalAttribute,
    Delete,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.openapi import body_model, openapi

LONG = "12345678901234567890.123456789012345678"
"""38 digits, of which a double keeps 17."""


class Line(MapAttribute):  # type: ignore[type-arg]
    price = DecimalAttribute(default=Decimal("0.50"))


@pytest.fixture
def shop(dynamodb: None, table_name: str) -> Caller:
    class Product(Model):
        class Meta:
            table_name = "products"

        shelf = DecimalAttribute(hash_key=True)
        rank = DecimalAttribute(range_key=True)
        price = DecimalAttribute(null=True)
        tax = DecimalAttribute(default=Decimal("0.190"))
        weight = DecimalAttribute(as_string=False, null=True)
        lines = ListAttribute(of=Line, null=True)
        steps = ListAttribute(of=DecimalAttribute, null=True)

    class NotFree(Permission):
        def where(self, user: Any, method: Any, model: Any) -> Any:
            return model.price.does_not_exist() | (model.price != Decimal("0.00"))

    class Products(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Product
        route = "products"
        permissions = NotFree
        scan = True
        filters: ClassVar = {
            "shelf": ("eq",),
            "rank": ("gte", "between"),
            "price": ("eq", "lte", "between", "in"),
            "weight": ("lt",),
        }
        unique: ClassVar = ("price",)

        @action()
        def reduce(self, instance: Any) -> Any:
            """Half a euro less, computed by DynamoDB."""
            return self.store.update(instance, {"price": Product.price - Decimal("0.5")})

    pm = PolyMicro()
    Products(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_table(Product, table_name)
    create_tables(pm)
    return client


def item(**more: Any) -> dict[str, Any]:
    absent = dict.fromkeys(("price", "weight", "lines", "steps"))
    return {"shelf": "1", "rank": "1", **absent, "tax": "0.19", **more}


def test_a_decimal_is_exact_in_and_out(shop: Caller, table_name: str) -> None:
    """What DynamoDB leaves away, zeros at the end, is left away at once: two reads show one value."""
    sent = {"price": LONG, "weight": 2.5, "lines": [{"price": "1e2"}, {}], "steps": ["1.10"]}
    made = shop.post("/products", json={"shelf": "1.50", "rank": "-0.0", **sent})
    lines = [{"price": "100"}, {"price": "0.5"}]
    whole = item(shelf="1.5", rank="0", price=LONG, weight=2.5, lines=lines, steps=["1.1"])
    assert (made.status, made.json, made.headers["location"]) == (201, whole, "products/1.5/0")
    assert shop.get("/products/1.5/0").json == whole
    assert shop.get("/products/1.500/0e5").json == whole
    (row,) = stored(table_name)
    assert (Decimal(row["price"]["N"]), row["weight"], row["tax"]) == (
        Decimal(LONG),
        {"N": "2.5"},
        {"N": "0.19"},
    )


@pytest.mark.parametrize(
    "price", ["NaN", "Infinity", "1" * 39, "1e126", "1e-131", "1e99999", "1_0", 19.99, True]
)
def test_what_is_no_decimal_is_refused_by_name(shop: Caller, price: Any) -> None:
    refused = shop.post("/products", json={"shelf": "1", "rank": "1", "price": price})
    assert_problem(refused, 422, "#/price")


def test_what_a_number_in_json_would_round_is_refused(shop: Caller) -> None:
    body = '{"shelf":"1","rank":"1","weight":0.12345678901234567890}'
    refused = shop.post("/products", body=body, headers={"content-type": "application/json"})
    assert_problem(refused, 422, "#/weight")


FILTERS = [
    ("price__lte=19.99", ["1", "2"]),
    ("price=19.9900", ["2"]),
    ("price__between=1.5,20", ["1", "2"]),
    ("price__in=1.50,7", ["1"]),
    ("weight__lt=2.5", ["2"]),
    ("shelf=1.0&rank__gte=2.00", ["2", "10"]),
    ("shelf=1&rank__between=1,2.5", ["1", "2"]),
    ("shelf=1&sort=-rank", ["10", "2", "1"]),
]


def test_filters_and_order_are_those_of_numbers(shop: Caller) -> None:
    for rank, price, weight in ("1", "1.5", 2.5), ("2", "19.99", 0.5), ("10", LONG, None):
        body = {"shelf": "1", "rank": rank, "price": price, "weight": weight}
        assert shop.post("/products", json=body).status == 201
    found = [
        (query, [one["rank"] for one in shop.get(f"/products?{query}").json["items"]]) for query, _ in FILTERS
    ]
    assert [(query, sorted(ranks, key=Decimal)) for query, ranks in found[:-1]] == FILTERS[:-1]
    assert found[-1] == FILTERS[-1]
    assert_problem(shop.get("/products?price__lte=NaN"), 400, "price__lte")
    first = shop.get("/products?shelf=1&limit=2").json
    rest = shop.get(f"/products?shelf=1&limit=2&pagination_key={first['pagination_key']}").json
    assert [one["rank"] for one in (*first["items"], *rest["items"])] == ["1", "2", "10"]


def test_values_are_equal_however_they_are_written(shop: Caller) -> None:
    """For `unique`, and for a rule: 0.0 is 0.00."""
    assert shop.post("/products", json={"shelf": "1", "rank": "1", "price": "19.990"}).status == 201
    assert_problem(shop.post("/products", json={"shelf": "1", "rank": "2", "price": "19.99"}), 409, "#/price")
    assert_problem(shop.post("/products", json={"shelf": "1.0", "rank": "1.0", "price": "5"}), 409)
    assert_problem(shop.post("/products", json={"shelf": "1", "rank": "3", "price": "0.0"}), 403)


def test_dynamodb_computes_with_decimals(shop: Caller) -> None:
    assert shop.post("/products", json={"shelf": "1", "rank": "1", "price": "2.25"}).status == 201
    assert shop.post("/products/1/1/reduce").json == item(price="1.75")
    assert shop.patch("/products/1/1", json={"price": "1e1"}).json == item(price="10")
    assert shop.put("/products/1/1", json={"price": "0.1"}).json == item(price="0.1")


def test_what_the_documents_say_of_it() -> None:
    class Product(Model):
        class Meta:
            table_name = "products"

        id = UnicodeAttribute(hash_key=True)
        price = DecimalAttribute()
        weight = DecimalAttribute(as_string=False)

    class Products(ModelResource, Create):
        model = Product
        route = "products"
        permissions = AllowAny

    pm = PolyMicro()
    Products(pm)
    pm.compile()
    made = openapi(pm.routes)["components"]["schemas"]["ProductsCreate"]["properties"]
    text = {"type": "string", "format": "decimal", "pattern": r"^-?(0|[1-9][0-9]{0,125})(\.[0-9]{1,130})?$"}
    number = {"type": "number", "exclusiveMinimum": -1e126, "exclusiveMaximum": 1e126}
    assert (made["price"], made["weight"]) == (text, number)
    (create,) = pm.routes
    members = (body_model(create) or {})["properties"]
    assert (members["price"], members["weight"]) == ({"type": "string"}, {"type": "number"})


def test_a_value_that_dynamodb_does_not_have() -> None:
    """For code of the app's own."""
    price = DecimalAttribute()
    for value in Decimal("NaN"), Decimal("1e126"), 10**38 + 1, float("inf"):
        with pytest.raises(ValueError, match="DynamoDB has"):
            price.serialize(value)
    for no_number in True, "1", None:
        with pytest.raises(TypeError):
            price.serialize(no_number)
    assert [price.serialize(one) for one in (0.1, 10**100, Decimal("1.10"))] == [
        "0.1",
        "1" + "0" * 100,
        "1.1",
    ]
