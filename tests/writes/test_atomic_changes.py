"""Values of changes may be PynamoDB's expressions: DynamoDB computes them inside the write."""

from typing import Any

import pytest
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    meanwhile,
    names,
)
from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)


@pytest.fixture
def product(dynamodb: None, table_name: str) -> Any:
    class Product(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(null=True)
        stock = NumberAttribute(default=0)
        sold = NumberAttribute(null=True)
        lines: Any = ListAttribute(null=True)
        tags: Any = UnicodeSetAttribute(null=True)

    Product.Meta.table_name = table_name
    return Product


def served(model: Any, change: Any, **members: Any) -> Caller:
    """A client of ``/products``; its action ``change`` makes these changes."""

    def act(self: Any, instance: Any) -> Any:
        return self.store.update(instance, change(model))

    base = {"model": model, "route": "products", "permissions": AllowAny, "change": action()(act)}
    resource = type("Products", (ModelResource, Create, Retrieve, Update), base | members)
    pm = PolyMicro()
    resource(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


def changed(client: Caller, **item: Any) -> Any:
    client.post("/products", json={"id": "1", **item}).raise_for_status()
    with counted() as calls:
        result = client.post("/products/1/change")
    assert names(calls) == ["GetItem", "UpdateItem"]
    return result.json


EXPRESSIONS = {
    "decrement": (lambda m: {"stock": m.stock - 1}, {"stock": 3}, {"stock": 2}),
    "increment": (lambda m: {"stock": m.stock + 2.5}, {"stock": 3}, {"stock": 5.5}),
    "of another": (lambda m: {"sold": m.stock + 1}, {"stock": 3}, {"sold": 4}),
    "copy": (lambda m: {"sold": m.stock}, {"stock": 3}, {"sold": 3}),
    "default": (lambda m: {"sold": (m.sold | 0) + 1}, {}, {"sold": 1}),
    "default there": (lambda m: {"sold": (m.sold | 0) + 1}, {"sold": 4}, {"sold": 5}),
    "add": (lambda m: {"sold": m.sold.add(3)}, {}, {"sold": 3}),
    "append": (lambda m: {"lines": m.lines.append([3])}, {"lines": [1, 2]}, {"lines": [1, 2, 3]}),
    "prepend": (lambda m: {"lines": m.lines.prepend([3])}, {"lines": [1]}, {"lines": [3, 1]}),
    "append to none": (lambda m: {"lines": (m.lines | []).append([3])}, {}, {"lines": [3]}),
    "set add": (lambda m: {"tags": m.tags.add({"b", "c"})}, {"tags": ["a", "b"]}, {"tags": ["a", "b", "c"]}),
    "set delete": (lambda m: {"tags": m.tags.delete({"b"})}, {"tags": ["a", "b"]}, {"tags": ["a"]}),
    "set delete all": (lambda m: {"tags": m.tags.delete({"a"})}, {"tags": ["a"]}, {"tags": None}),
    "set": (lambda m: {"stock": m.stock.set(7)}, {}, {"stock": 7}),
    "remove": (lambda m: {"name": m.name.remove()}, {"name": "x"}, {"name": None}),
    "beside plain ones": (
        lambda m: {"stock": m.stock - 1, "name": "y"},
        {"stock": 1},
        {"stock": 0, "name": "y"},
    ),
}
every_expression = pytest.mark.parametrize(
    ("change", "item", "expected"), EXPRESSIONS.values(), ids=EXPRESSIONS
)


@every_expression
def test_dynamodb_computes_a_change(product: Any, change: Any, item: Any, expected: Any) -> None:
    answer = changed(served(product, change), **item)
    if expected.get("tags"):
        answer["tags"] = sorted(answer["tags"])
    assert answer | expected == answer


OF_OLDER_ITEMS = {
    "decrement": (lambda m: {"rank": m.rank - 1}, {"rank": 2}),
    "from another": (lambda m: {"rank": 10 - m.rank}, {"rank": 7}),
    "of another": (lambda m: {"stock": m.rank + m.rank}, {"stock": 6, "rank": 3}),
    "copy": (lambda m: {"stock": m.rank}, {"stock": 3, "rank": 3}),
    "add": (lambda m: {"rank": m.rank.add(2)}, {"rank": 5}),
    "append": (lambda m: {"path": m.path.append(["b"])}, {"path": ["a", "b"]}),
    "a default of its own": (lambda m: {"rank": (m.rank | 0) + 1}, {"rank": 1}),
}


@pytest.mark.parametrize(("change", "expected"), OF_OLDER_ITEMS.values(), ids=OF_OLDER_ITEMS)
@pytest.mark.parametrize("opaque", [False, True], ids=["unread", "read"])
def test_it_reads_the_plain_default_of_what_an_item_lacks(
    dynamodb: None, table_name: str, change: Any, expected: Any, opaque: bool
) -> None:
    """As conditions do: an item that is older than an attribute has the value that it shows."""

    class Ranked(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        stock = NumberAttribute(null=True)
        rank = NumberAttribute(default=3)
        path: Any = ListAttribute(default=("a",))

    class Sighted(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return bool(instance.rank or instance.path)

    Ranked.Meta.table_name = table_name
    client = served(Ranked, change, permissions=Sighted if opaque else AllowAny)
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "1"}})
    shown = {"id": "1", "stock": None, "rank": 3, "path": ["a"]}
    assert client.post("/products/1/change").json == shown | expected
    assert client.get("/products/1").json == shown | expected


class Sees(Permission):
    """A rule in Python that sees all of the item, before and after."""

    seen: list[Any] = []  # noqa: RUF012

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        values = {name: getattr(instance, name) for name in ("name", "stock", "sold", "lines", "tags")}
        self.seen.append(values | {"tags": sorted(values["tags"] or ())})
        return True


@every_expression
def test_a_rule_sees_what_dynamodb_will_store(product: Any, change: Any, item: Any, expected: Any) -> None:
    client = served(product, change, permissions=Sees)
    client.post("/products", json={"id": "1", **item}).raise_for_status()
    Sees.seen.clear()
    answer = client.post("/products/1/change").json
    answer = {name: one for name, one in answer.items() if name != "id"}
    assert Sees.seen[2] == answer | {"tags": sorted(answer["tags"] or ())}


class InStock(Permission):
    """Never less than nothing in stock."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.stock >= 0


@pytest.mark.parametrize("rule", [InStock, InStock & Sees], ids=["condition", "opaque"])
def test_a_change_that_leads_out_of_the_rule_is_refused(product: Any, rule: Any) -> None:
    client = served(product, lambda model: {"stock": model.stock - 1}, permissions=rule)
    client.post("/products", json={"id": "1", "stock": 1}).raise_for_status()
    assert client.post("/products/1/change").json["stock"] == 0
    assert_problem(client.post("/products/1/change"), 403)

    def refill() -> None:
        key, add = {"id": {"S": "1"}}, {":n": {"N": "5"}}
        table = product.Meta.table_name
        dynamodb_call(
            "update_item",
            TableName=table,
            Key=key,
            UpdateExpression="ADD stock :n",
            ExpressionAttributeValues=add,
        )

    refill()
    with meanwhile(refill):
        assert client.post("/products/1/change").json["stock"] == 9


def test_a_unique_value_that_dynamodb_computes_is_reserved(product: Any) -> None:
    client = served(product, lambda model: {"sold": model.sold + 1}, unique=("sold",))
    client.post("/products", json={"id": "1", "sold": 1}).raise_for_status()
    client.post("/products", json={"id": "2", "sold": 3}).raise_for_status()
    assert client.post("/products/1/change").json["sold"] == 2
    assert_problem(client.post("/products/1/change"), 409, "#/sold")


@pytest.mark.parametrize(
    "change",
    [
        lambda m, _: {"id": m.id | "2"},
        lambda m, _: {"name": m.stock - 1},
        lambda m, other: {"stock": other.stock - 1},
        lambda m, _: {"stock": m.sold.add(1)},
        lambda m, _: {"stock": m.stock.remove()},
    ],
    ids=["key", "type", "other model", "other attribute", "required"],
)
def test_an_expression_that_the_attribute_cannot_take_is_refused_before_the_call(
    product: Any, change: Any
) -> None:
    class Other(Model):
        class Meta:
            table_name = "other"

        id = UnicodeAttribute(hash_key=True)
        stock = NumberAttribute()

    client = served(product, lambda model: change(model, Other))
    client.post("/products", json={"id": "1", "stock": 1}).raise_for_status()
    with counted() as calls:
        assert_problem(client.post("/products/1/change"), 500)
    assert names(calls) == ["GetItem"]


def test_with_a_version_it_is_counted_up_too(dynamodb: None, table_name: str) -> None:
    class Counter(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        hits = NumberAttribute(default=0)
        version = VersionAttribute()

    Counter.Meta.table_name = table_name  # type: ignore[attr-defined]
    client = served(Counter, lambda model: {"hits": model.hits + 1})
    tag = client.post("/products", json={"id": "1"}).headers["etag"]
    result = client.post("/products/1/change", headers={"If-Match": tag})
    assert result.json["hits"] == 1
    assert result.headers["etag"] != tag
    assert client.post("/products/1/change", headers={"If-Match": tag}).status == 412
