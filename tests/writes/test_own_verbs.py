"""What a verb of the developer's own has looked at is part of its write, and so is what it states."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    meanwhile,
    names,
    stored,
)
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    IsAuthenticated,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict, NotFound

Make = Callable[..., Caller]
CART = {"id": {"S": "1"}, "status": {"S": "cart"}, "total": {"N": "3"}, "note": {"S": "a"}}


@pytest.fixture(params=["versioned", "plain"])
def order_model(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> type[Model]:
    class Order(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        status = UnicodeAttribute(default="cart")
        total = NumberAttribute(default=0)
        note = UnicodeAttribute(null=True)
        hidden = BooleanAttribute(null=True)

    class Versioned(Order):
        class Meta:
            pass

        version = VersionAttribute()

    model: Any = Versioned if request.param == "versioned" else Order
    create_table(model, table_name)
    put(model)
    return model


def put(model: Any, **changed: Any) -> None:
    """Another writer's item in the place of the first one, its version counted up."""
    version = {"version": {"N": changed.pop("version", "1")}} if hasattr(model, "version") else {}
    item = {**CART, **version, **{name: {"S": text} for name, text in changed.items()}}
    dynamodb_call("put_item", TableName=model.Meta.table_name, Item=item)


def served(model: Any, **members: Any) -> Caller:
    """A client of ``/orders`` whose resource has these members."""
    base = {"model": model, "route": "orders", "permissions": IsAuthenticated}
    resource = type("Orders", (ModelResource, Create, Retrieve, Update, Delete), base | members)
    pm = PolyMicro()
    resource(pm)
    return Caller(pm.compile(), user=ALICE)


def first(model: Any) -> dict[str, Any]:
    [item] = stored(model.Meta.table_name)
    return item


@action()
def pay(self: Any, instance: Any, user: Any) -> Any:
    if instance.status != "cart":
        raise Conflict("It is paid already.")
    return self.update(instance, {"status": "paid"}, user)


def guarded_update(self: Any, instance: Any, req: dict[str, Any], user: Any) -> Any:
    if instance.status != "cart":
        raise Conflict("It is paid already.")
    return Update.update(self, instance, req, user)


def guarded_delete(self: Any, instance: Any, user: Any) -> Any:
    if instance.status != "cart":
        raise Conflict("It is paid already.")
    return Delete.delete(self, instance, user)


@pytest.mark.parametrize(
    ("method", "path", "body", "members"),
    [
        ("POST", "/orders/1/pay", None, {"pay": pay}),
        ("PATCH", "/orders/1", {"note": "b"}, {"update": guarded_update}),
        ("PUT", "/orders/1", {"note": "b"}, {"update": guarded_update}),
        ("DELETE", "/orders/1", None, {"delete": guarded_delete}),
    ],
    ids=["action", "patch", "put", "delete"],
)
def test_a_verb_writes_only_on_what_it_has_read(
    order_model: Any, method: str, path: str, body: Any, members: dict[str, Any]
) -> None:
    client = served(order_model, **members)
    with meanwhile(lambda: put(order_model, status="paid", version="2")):
        result = client.request(method, path, json=body)
    assert_problem(result, 409)
    assert result.headers["retry-after"]
    assert first(order_model)["status"] == {"S": "paid"}
    put(order_model, version="3")
    with counted() as calls:
        assert client.request(method, path, json=body).status in (200, 204)
    assert names(calls) == ["GetItem", "DeleteItem" if method == "DELETE" else "UpdateItem"]


def test_other_attributes_may_change_unless_a_version_is_kept(order_model: Any) -> None:
    client = served(order_model, pay=pay)
    with meanwhile(lambda: put(order_model, note="other", version="2")):
        result = client.post("/orders/1/pay")
    versioned = hasattr(order_model, "version")
    assert result.status == (409 if versioned else 200)
    assert first(order_model)["status"] == {"S": "cart" if versioned else "paid"}


def test_a_verb_that_reads_nothing_writes_as_before(order_model: Any) -> None:
    @action()
    def mark(self: Any, instance: Any, user: Any) -> Any:
        return self.update(instance, {"note": "marked"}, user)

    client = served(order_model, mark=mark)
    with meanwhile(lambda: put(order_model, status="paid", version="2")), counted() as calls:
        assert client.post("/orders/1/mark").json["status"] == "paid"
    assert names(calls) == ["GetItem", "UpdateItem", "PutItem"]


def test_who_lost_the_item_meanwhile_is_told_as_by_a_read(order_model: Any) -> None:
    class Open(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.hidden.does_not_exist()

    client = served(order_model, pay=pay, permissions=Open)

    def hide() -> None:
        table = order_model.Meta.table_name
        dynamodb_call("put_item", TableName=table, Item={**CART, "hidden": {"BOOL": True}})

    with meanwhile(hide):
        assert_problem(client.post("/orders/1/pay"), 404)
    put(order_model)
    gone = lambda: dynamodb_call("delete_item", TableName=order_model.Meta.table_name, Key={"id": {"S": "1"}})  # noqa: E731
    with meanwhile(gone):
        assert_problem(client.post("/orders/1/pay"), 404)


def test_two_writes_of_one_verb_are_no_race(order_model: Any) -> None:
    @action()
    def twice(self: Any, instance: Any) -> Any:
        assert instance.status == "cart"
        self.store.update(instance, {"status": "paid"})
        assert instance.total == 3
        return self.store.update(instance, {"total": instance.total + 1})

    client = served(order_model, twice=twice, retrieve=Retrieve.retrieve)
    tag = client.get("/orders/1").headers["etag"]
    with counted() as calls:
        result = client.post("/orders/1/twice", headers={"If-Match": tag})
    assert (result.status, result.json["status"], result.json["total"]) == (200, "paid", 4)
    assert names(calls) == ["GetItem", "UpdateItem", "UpdateItem"]


def test_another_writer_between_two_writes_of_a_verb_is_one(order_model: Any) -> None:
    def between(self: Any, instance: Any) -> Any:
        self.store.update(instance, {"status": "paid"})
        put(order_model, note="other", status="paid", version="9")
        assert instance.note == "a"
        return self.store.update(instance, {"total": 5})

    client = served(order_model, between=action()(between))
    assert_problem(client.post("/orders/1/between"), 409)
    assert first(order_model)["total"] == {"N": "3"}


def test_what_the_verb_returns_may_be_read_and_written_again(order_model: Any) -> None:
    def chain(self: Any, instance: Any) -> Any:
        one = self.store.update(instance, {"total": instance.total + 1})
        put(order_model, status="cart", version="9")  # total is 3 again
        return self.store.update(one, {"total": one.total + 1})

    assert_problem(served(order_model, chain=action()(chain)).post("/orders/1/chain"), 409)


def test_attempts_run_the_verb_again_from_a_fresh_read(order_model: Any) -> None:
    seen: list[int] = []

    def add(self: Any, instance: Any, req: Any) -> Any:
        seen.append(instance.total)
        return self.store.update(instance, {"total": instance.total + req.pop("by")})

    client = served(order_model, add=action(attempts=3)(add))
    totals: Iterator[str] = iter(["10", "20", "30", "40", "50"])

    def other() -> None:
        total = {"N": next(totals)}
        item = {**CART, "total": total, "version": total}
        dynamodb_call("put_item", TableName=order_model.Meta.table_name, Item=item)

    with meanwhile(other, times=2):
        assert client.post("/orders/1/add", json={"by": 1}).json["total"] == 21
    assert seen == [3, 10, 20]
    with meanwhile(other, times=3):
        assert_problem(client.post("/orders/1/add", json={"by": 1}), 409)
    assert len(seen) == 6


def test_attempts_of_a_verb_that_has_written_end_with_its_first(order_model: Any) -> None:
    runs: list[Any] = []

    def two(self: Any, instance: Any) -> Any:
        runs.append(instance)
        self.store.create({"id": f"log-{len(runs)}"})
        assert instance.total == 3
        put(order_model, version="7", status="paid")
        dynamodb_call(
            "update_item",
            TableName=order_model.Meta.table_name,
            Key={"id": {"S": "1"}},
            UpdateExpression="SET #t = :n",
            ExpressionAttributeNames={"#t": "total"},
            ExpressionAttributeValues={":n": {"N": "99"}},
        )
        return self.store.update(instance, {"note": "x"})

    assert_problem(served(order_model, two=action(attempts=3)(two)).post("/orders/1/two"), 409)
    assert len(runs) == 1


# --- conditions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("otherwise", "status", "detail"),
    [
        (None, 409, None),
        ("It is paid already.", 409, "It is paid already."),
        (NotFound("There is no cart."), 404, "There is no cart."),
        (NotFound, 404, NotFound.hint),
    ],
    ids=["none", "text", "error", "class"],
)
def test_a_condition_is_part_of_the_write(
    order_model: Any, otherwise: Any, status: int, detail: str | None
) -> None:
    is_cart = order_model.status == "cart"

    def update(self: Any, instance: Any, req: Any, user: Any) -> Any:
        return Update.update(self, instance, req, user, condition=is_cart, otherwise=otherwise)

    def delete(self: Any, instance: Any, user: Any) -> Any:
        return Delete.delete(self, instance, user, condition=is_cart, otherwise=otherwise)

    client = served(order_model, update=update, delete=delete)
    with counted() as calls:
        assert client.patch("/orders/1", json={"note": "b"}).json["note"] == "b"
    assert names(calls) == ["GetItem", "UpdateItem"]
    for method in ("PATCH", "DELETE"):
        put(order_model, version="5")
        with meanwhile(lambda: put(order_model, status="paid", version="6")):
            result = client.request(method, "/orders/1", json={"note": "c"} if method == "PATCH" else None)
        assert_problem(result, status)
        assert detail is None or result.json["detail"] == detail
        assert first(order_model)["note"] == {"S": "a"}
    assert_problem(client.patch("/orders/1", json={}), status)


@pytest.mark.parametrize("in_dict", [True, False], ids=["resource", "action"])
def test_what_a_verb_requires_is_part_of_its_writes(order_model: Any, in_dict: bool) -> None:
    is_cart, text = order_model.status == "cart", "It is paid already."

    def confirm(self: Any, instance: Any, user: Any) -> Any:
        self.store.update(instance, {"status": "confirmed"})
        return self.store.update(instance, {"note": "twice"})

    if in_dict:
        members: dict[str, Any] = {"requires": {"confirm": (is_cart, text)}, "confirm": action()(confirm)}
    else:
        members = {"confirm": action(requires=is_cart, otherwise=text)(confirm)}
    client = served(order_model, **members)
    with meanwhile(lambda: put(order_model, status="paid", version="2")):
        result = client.post("/orders/1/confirm")
    assert_problem(result, 409)
    assert result.json["detail"] == text
    with counted() as calls:
        assert client.post("/orders/1/confirm").json["detail"] == text
    assert names(calls) == ["GetItem"]
    put(order_model, version="3")
    assert client.post("/orders/1/confirm").json["status"] == "confirmed"


def test_what_the_generated_verbs_require_takes_one_call(order_model: Any) -> None:
    is_cart = order_model.status == "cart"
    client = served(order_model, requires={"update": is_cart, "delete": (is_cart, "Paid orders stay.")})
    with counted() as calls:
        assert client.patch("/orders/1", json={"status": "paid"}).status == 200
        assert_problem(client.patch("/orders/1", json={"note": "b"}), 409)
        assert client.delete("/orders/1").json["detail"] == "Paid orders stay."
        assert_problem(client.delete("/orders/2"), 404)
    assert names(calls) == ["UpdateItem", "UpdateItem", "DeleteItem", "DeleteItem"]
    put(order_model)
    assert client.delete("/orders/1").status == 204


def other_model() -> Any:
    class Product(Model):
        class Meta:
            table_name = "products"

        id = UnicodeAttribute(hash_key=True)
        status = UnicodeAttribute()

    return Product


@pytest.mark.parametrize(
    "members",
    [
        lambda model: {"requires": {"create": model.status == "cart"}},
        lambda model: {"requires": {"retrieve": model.status == "cart"}},
        lambda model: {"requires": {"pya": model.status == "cart"}},
        lambda model: {"requires": {"update": True}},
        lambda model: {"requires": {"update": other_model().status == "cart"}},
        lambda model: {"requires": {"update": (model.status == "cart", 409)}},
        lambda model: {"requires": model.status == "cart"},
        lambda model: {"go": action(requires="cart")(pay)},
        lambda model: {"go": action(otherwise="No.")(pay)},
        lambda model: {"go": action(detail=False, requires=model.status == "cart")(lambda self: None)},
        lambda model: {"attempts": {"update": 3}},
        lambda model: {"attempts": {"nothing": 3}},
        lambda model: {"go": action(attempts=0)(lambda self: None)},
        lambda model: {"go": action(attempts="3")(lambda self: None)},
    ],
)
def test_terms_that_mean_nothing_do_not_compile(order_model: Any, members: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Orders\.(requires|attempts|go)"):
        served(order_model, **members(order_model))


@pytest.mark.parametrize("condition", ["other", "text"])
def test_a_condition_on_something_else_writes_nothing(order_model: Any, condition: str) -> None:
    condition = {"other": other_model().status == "cart", "text": "status = cart"}[condition]

    def go(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"note": "b"}, condition=condition)

    client = served(order_model, go=action()(go))
    with counted() as calls:
        assert_problem(client.post("/orders/1/go"), 500)
    assert names(calls) == ["GetItem"]
