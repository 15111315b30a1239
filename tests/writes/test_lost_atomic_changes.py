"""A change that DynamoDB computes, and whose answer got lost: it counts once, whatever the item looks like."""

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from contract import ALICE, Caller, assert_problem, create_tables, watched
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, ModelResource, PolyMicro, Retrieve, action

HUNG_UP = ConnectionClosedError(endpoint_url="x")
NEW = {"id": "1", "stock": 5}


def served(product: Any) -> Caller:
    """A client of ``/products``; there is one, of which ``take`` takes one."""

    class Products(ModelResource, Create, Retrieve):
        model = product
        route = "products"
        permissions = AllowAny
        store: Any

        @action()
        def take(self, instance: Any) -> Any:
            return self.store.update(instance, {"stock": product.stock - 1})

    pm = PolyMicro()
    Products(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    client.post("/products", json=NEW).raise_for_status()
    return client


@pytest.fixture
def plain(dynamodb: None, table_name: str) -> Any:
    class Product(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        stock = NumberAttribute()

    Product.Meta.table_name = table_name  # type: ignore[attr-defined]
    return Product


@pytest.fixture
def versioned(dynamodb: None, table_name: str) -> Any:
    class Product(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        stock = NumberAttribute()
        version = VersionAttribute()

    Product.Meta.table_name = table_name  # type: ignore[attr-defined]
    return Product


def losing(*, arrives: bool, then: Any = lambda: None) -> Any:
    """Let the connection close in place of the first UpdateItem's answer; ``then`` is what happens right after."""
    tries: list[str] = []

    def broken(operation: str, parameters: Any, call: Any) -> Any:
        if operation != "UpdateItem" or tries:
            return call()
        tries.append(operation)
        if arrives:
            call()
        then()
        raise HUNG_UP

    return watched(broken)


@pytest.mark.parametrize(("arrives", "left"), [(True, 4), (False, 5)], ids=["done", "not done"])
def test_nobody_can_tell_from_the_item(plain: Any, arrives: bool, left: int) -> None:
    client = served(plain)
    with losing(arrives=arrives):
        assert_problem(client.post("/products/1/take"), 503)
    assert client.get("/products/1").json["stock"] == left


def test_an_item_that_is_as_it_was_does_not_tell_that_nothing_was_done(plain: Any) -> None:
    """Another has put back what was taken: to take it once more would be to take two."""
    client = served(plain)

    def put_back() -> None:
        plain("1").update(actions=[plain.stock.set(plain.stock + 1)])

    with losing(arrives=True, then=put_back):
        assert_problem(client.post("/products/1/take"), 503)
    assert client.get("/products/1").json["stock"] == 5


@pytest.mark.parametrize(("arrives", "status"), [(True, 503), (False, 200)], ids=["done", "not done"])
def test_a_version_tells_that_nothing_was_done(versioned: Any, arrives: bool, status: int) -> None:
    client = served(versioned)
    with losing(arrives=arrives):
        assert client.post("/products/1/take").status == status
    assert client.get("/products/1").json["stock"] == 4
