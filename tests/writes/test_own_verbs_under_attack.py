"""Ways by which a verb's reads, or the record of its request, could get lost on the way to the write."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    failing,
    names,
    stored,
)
from pynamodb.attributes import (
    DiscriminatorAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Idempotency,
    IsAuthenticated,
    Key,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict, ServiceUnavailable
from polymicro_lambda.threads import Executor

KEY = {"Idempotency-Key": "k1"}


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)


class Line(MapAttribute[Any, Any]):
    seats = NumberAttribute()


@pytest.fixture(params=["plain", "versioned"])
def order(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Any:
    class Order(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(default="alice")
        status = UnicodeAttribute(default="cart")
        total = NumberAttribute(default=5)
        note = UnicodeAttribute(null=True)
        lines: Any = ListAttribute(of=Line, null=True)
        by_status = ByStatus()

    class Versioned(Order):
        class Meta:
            pass

        version = VersionAttribute()

    model: Any = Versioned if request.param == "versioned" else Order
    model.Meta.table_name = table_name
    return model


def rival(model: Any, **changes: Any) -> None:
    """Another writer sets these, and counts up the version."""
    names_ = {f"#{number}": name for number, name in enumerate(changes)}
    values = {f":{number}": value for number, value in enumerate(changes.values())}
    sets = ", ".join(f"#{number} = :{number}" for number in range(len(changes)))
    adds = " ADD version :one" if hasattr(model, "version") else ""
    dynamodb_call(
        "update_item",
        TableName=model.Meta.table_name,
        Key={"id": {"S": "1"}},
        UpdateExpression=f"SET {sets}{adds}",
        ExpressionAttributeNames=names_,
        ExpressionAttributeValues=values | ({":one": {"N": "1"}} if adds else {}),
    )


def served(model: Any, act: Any, *, keyed: bool = False, **members: Any) -> Caller:
    """A client of ``/orders`` with an action ``act``; the table holds order 1, in a cart, of total 5."""
    base = {
        "model": model,
        "route": "orders",
        "permissions": OwnedBy("owner"),
        "act": act if hasattr(act, "_polymicro_action") else action(act),
    }
    idempotency = Idempotency(table=f"{model.Meta.table_name}i") if keyed else None
    pm = PolyMicro(idempotency=idempotency, cursor_secret="s")
    more = {"idempotent": ("create", "act")} if keyed else {}
    type("Orders", (ModelResource, Create, Retrieve, Update), base | more | members)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    item = {"id": {"S": "1"}, "owner": {"S": "alice"}, "status": {"S": "cart"}, "total": {"N": "5"}}
    version = {"version": {"N": "1"}} if hasattr(model, "version") else {}
    dynamodb_call("put_item", TableName=model.Meta.table_name, Item=item | version)
    return client


def total(model: Any) -> int:
    return int(next(one for one in stored(model.Meta.table_name) if one["id"] == {"S": "1"})["total"]["N"])


FIFTY = {"N": "50"}


def in_the_block(self: Any, instance: Any, model: Any) -> Any:
    with self.store.transaction() as write:
        write.update(instance, {"status": "paid"})
        rival(model, total=FIFTY)
        assert instance.total == 5


def by_its_key(self: Any, instance: Any, model: Any) -> Any:
    seen = instance.total
    rival(model, total=FIFTY)
    with self.store.transaction() as write:
        write.update(Key(model, "1"), {"total": seen + 1})


def after_a_transaction(self: Any, instance: Any, model: Any) -> Any:
    seen = instance.total
    with self.store.transaction() as write:
        write.update(instance, {"total": seen + 1})
    rival(model, total=FIFTY)
    return self.store.update(instance, {"total": seen + 2})


def refreshed(self: Any, instance: Any, model: Any) -> Any:
    instance.refresh(consistent_read=True)
    seen = instance.total
    rival(model, total=FIFTY)
    return self.store.update(instance, {"total": seen + 1})


def from_the_model(self: Any, instance: Any, model: Any) -> Any:
    one = model.get("1", consistent_read=True)
    seen = one.total
    rival(model, total=FIFTY)
    return self.store.update(one, {"total": seen + 1})


def from_a_scan(self: Any, instance: Any, model: Any) -> Any:
    [one] = [*model.scan()]
    seen = one.total
    rival(model, total=FIFTY)
    with self.store.transaction() as write:
        write.update(one, {"total": seen + 1})


def stale(self: Any, instance: Any, model: Any) -> Any:
    rival(model, total=FIFTY)
    self.store.update(instance, {"total": model.total + 1})
    return self.store.update(instance, {"total": instance.total + 100})


def absent(self: Any, instance: Any, model: Any) -> Any:
    assert "note" not in dict(instance.attribute_values)
    rival(model, note={"S": "new"}, total=FIFTY)
    return self.store.update(instance, {"status": "paid", "total": 9})


def popped(self: Any, instance: Any, model: Any) -> Any:
    one = model.get("1", consistent_read=True)
    seen = one.attribute_values.pop("total")
    rival(model, total=FIFTY)
    return self.store.update(one, {"total": seen + 1})


LOSING = [
    in_the_block,
    by_its_key,
    after_a_transaction,
    refreshed,
    from_the_model,
    from_a_scan,
    stale,
    absent,
    popped,
]


@pytest.mark.parametrize("verb", LOSING, ids=lambda one: one.__name__)
def test_what_was_read_is_pinned_however(order: Any, verb: Any) -> None:
    def act(self: Any, instance: Any) -> Any:
        return verb(self, instance, order)

    client = served(order, act)
    assert_problem(client.post("/orders/1/act"), 409)
    assert total(order) == (51 if verb is stale else 50)


def test_a_default_of_what_was_not_read_is_written_on_by_nobody(order: Any) -> None:
    def act(self: Any, instance: Any) -> Any:
        [one] = [*order.by_status.query("cart")]
        if one.owner == "alice":
            return self.store.update(one, {"status": "paid"})
        return None

    client = served(order, act)
    with counted() as calls:
        assert_problem(client.post("/orders/1/act"), 500)
    assert names(calls) == ["GetItem", "Query"]

    def close(self: Any, instance: Any) -> Any:
        for one in order.by_status.query("cart"):
            self.store.update(one, {"status": "closed"})

    assert served(order, close).post("/orders/1/act").status == 204


def test_a_kind_has_its_own_attributes(dynamodb: None, table_name: str) -> None:
    class Animal(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        kind = DiscriminatorAttribute()
        status = UnicodeAttribute(null=True)

    class Dog(Animal, discriminator="dog"):
        tricks = NumberAttribute(default=0)

    Animal.Meta.table_name = table_name  # type: ignore[attr-defined]

    def act(self: Any, instance: Any) -> Any:
        seen = instance.tricks
        Dog("1").update([Dog.tricks.set(9)])
        return self.store.update(instance, {"status": f"saw {seen}"})

    base = {"model": Animal, "route": "animals", "permissions": IsAuthenticated, "act": action(act)}
    pm = PolyMicro()
    type("Animals", (ModelResource, Retrieve), base)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    Dog("1").save()
    assert_problem(client.post("/animals/1/act"), 409)


# --- what is shown -----------------------------------------------------------------------------------


def test_what_a_transaction_has_left_is_judged_again(order: Any) -> None:
    def act(self: Any, instance: Any, req: Any) -> Any:
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid"})
        if req["then"] == "given away":
            rival(order, owner={"S": "bob"}, note={"S": "for bob alone"})
        else:
            dynamodb_call("delete_item", TableName=order.Meta.table_name, Key={"id": {"S": "1"}})
        return instance if req["alone"] else {"order": instance}

    for then in ("given away", "deleted"):
        client = served(order, act)
        result = client.post("/orders/1/act", json={"then": then, "alone": True})
        assert (result.status, result.body) == (204, b"")
        client = served(order, act)
        assert client.post("/orders/1/act", json={"then": then, "alone": False}).json == {"order": None}


def test_instances_of_the_model_are_judged_by_what_is_stored(dynamodb: None, table_name: str) -> None:
    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        public = UnicodeAttribute(default="yes")

    Doc.Meta.table_name = table_name  # type: ignore[attr-defined]

    class Public(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.public.exists()

    def act(self: Any) -> Any:
        return {"one": Doc.get("old"), "all": [*Doc.scan()]}

    base = {"model": Doc, "route": "docs", "permissions": Public, "act": action(detail=False)(act)}
    pm = PolyMicro()
    type("Docs", (ModelResource, List, Retrieve), base | {"scan": True})(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "old"}})
    assert_problem(client.get("/docs/old"), 404)
    assert client.post("/docs/act").json == {"one": None, "all": [None]}


def test_what_another_may_not_see_is_no_500(order: Any) -> None:
    def act(self: Any, instance: Any) -> Any:
        with self.store.transaction() as write:
            write.update(Key(order, "2"), {"total": order.total + 1})

    class Small(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return (model.owner == user.uuid) & (model.total < 100)

    client = served(order, act, permissions=Small)
    dynamodb_call("put_item", TableName=order.Meta.table_name, Item={"id": {"S": "2"}, "owner": {"S": "bob"}})
    assert_problem(client.post("/orders/1/act"), 404)


def test_a_done_write_under_a_rule_of_before_is_no_403(order: Any) -> None:
    class Cart(Permission):
        judges = "before"

        def where(self, user: Any, method: str, model: Any) -> Any:
            return True if method == "retrieve" else model.status == "cart"

    client = served(order, lambda self, instance: None, permissions=Cart)
    with failing(ReadTimeoutError(endpoint_url="x"), late=True, on=frozenset({"UpdateItem"})):
        assert client.patch("/orders/1", json={"status": "sent"}).json["status"] == "sent"


def test_no_value_stands_in_a_log_line(order: Any, caplog: pytest.LogCaptureFixture) -> None:
    def act(self: Any, instance: Any, req: Any) -> Any:
        if req["how"] == "append":
            return self.store.update(instance, {"note": order.note | "x", "total": order.total + order.total})
        if req["how"] == "condition":
            return self.store.update(instance, {"note": "x"}, condition=req["secret"])
        if req["how"] == "otherwise":
            return self.store.update(
                instance, {"note": "x"}, condition=order.total > 1, otherwise=[req["secret"]]
            )
        with self.store.transaction() as write:
            return write.update(req["secret"], {"note": "x"})

    client = served(order, act)
    for how in ("condition", "otherwise", "target"):
        assert_problem(client.post("/orders/1/act", json={"how": how, "secret": "SECRET"}), 500)
    assert "SECRET" not in caplog.text


# --- with an Idempotency-Key --------------------------------------------------------------------------


def test_attempts_do_no_transaction_again(order: Any) -> None:
    runs: list[int] = []

    def act(self: Any, instance: Any) -> Any:
        runs.append(instance.total)
        with self.store.transaction() as write:
            write.update(Key(order, "2"), {"total": order.total - 1})
        if len(runs) == 1:
            raise ServiceUnavailable("broken off")
        rival(order, total=FIFTY)
        return self.store.update(instance, {"note": "x"})

    client = served(order, action(attempts=3)(act), keyed=True)
    item = {"id": {"S": "2"}, "owner": {"S": "alice"}, "total": {"N": "10"}}
    dynamodb_call("put_item", TableName=order.Meta.table_name, Item=item)
    assert client.post("/orders/1/act", headers=KEY).status == 503
    assert client.post("/orders/1/act", headers=KEY).status == 409
    assert len(runs) == 2
    assert [one["total"]["N"] for one in stored(order.Meta.table_name) if one["id"] == {"S": "2"}] == ["9"]


def test_a_record_is_of_the_transaction_that_wrote_it(order: Any) -> None:
    runs: list[int] = []

    def act(self: Any, instance: Any) -> Any:
        runs.append(1)
        coupon = True
        try:
            with self.store.transaction() as write:
                write.update(Key(order, "none"), {"total": 0})
        except Conflict:
            coupon = False
        except Exception:  # noqa: BLE001 - it is the route's own model: 404
            coupon = False
        with self.store.transaction():
            pass
        with self.store.transaction() as write:
            write.update(Key(order, "2"), {"total": order.total - 1})
        if len(runs) == 1:
            raise ServiceUnavailable("broken off")
        return {"coupon": coupon}

    client = served(order, act, keyed=True)
    item = {"id": {"S": "2"}, "owner": {"S": "alice"}, "total": {"N": "10"}}
    dynamodb_call("put_item", TableName=order.Meta.table_name, Item=item)
    assert client.post("/orders/1/act", headers=KEY).status == 503
    assert client.post("/orders/1/act", headers=KEY).json == {"coupon": False}
    assert [one["total"]["N"] for one in stored(order.Meta.table_name) if one["id"] == {"S": "2"}] == ["9"]


def test_what_is_required_held_in_the_try_that_was_broken_off(order: Any) -> None:
    runs: list[int] = []

    def act(self: Any, instance: Any) -> Any:
        runs.append(1)
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid"})
        if len(runs) == 1:
            raise ServiceUnavailable("broken off")
        return {"paid": True}

    client = served(order, action(requires=order.status == "cart")(act), keyed=True)
    assert client.post("/orders/1/act", headers=KEY).status == 503
    assert client.post("/orders/1/act", headers=KEY).json == {"paid": True}
    assert_problem(client.post("/orders/1/act", headers={"Idempotency-Key": "k2"}), 409)


def test_threads_share_the_record_of_their_request(order: Any) -> None:
    def act(self: Any, instance: Any) -> Any:
        with Executor(max_workers=4) as pool:
            return sorted(
                pool.map(lambda n: self.store.create({"id": f"n{n}", "owner": "alice"}).id, range(6))
            )

    client = served(order, act, keyed=True)
    first = client.post("/orders/1/act", headers=KEY)
    assert first.json == [f"n{number}" for number in range(6)]
    assert client.post("/orders/1/act", headers=KEY).json == first.json


# --- what a client sends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [{"id": ""}, {"id": None}, {"id": 5}, {}, "1", {"id": "x" * 3000}, {"id": "1", "more": 1}],
    ids=repr,
)
def test_what_can_be_no_key_is_not_found(order: Any, key: Any) -> None:
    def act(self: Any, instance: Any, req: Any) -> Any:
        return self.store.read(req["key"])

    with counted() as calls:
        assert_problem(served(order, act).post("/orders/1/act", json={"key": key}), 404)
    assert names(calls)[-1:] == ["GetItem"]


def test_what_lacks_a_member_is_named(order: Any) -> None:
    def act(self: Any, instance: Any, req: Any) -> Any:
        if req["new"]:
            return self.store.create({"id": "2", "owner": "alice", "lines": [{}]})
        return self.store.update(instance, {"lines": [{"seats": 1}, {}]})

    client = served(order, act)
    assert_problem(client.post("/orders/1/act", json={"new": True}), 422, "#/lines/0/seats")
    assert_problem(client.post("/orders/1/act", json={"new": False}), 422, "#/lines/1/seats")


def test_a_store_takes_its_own_items_alone(order: Any) -> None:
    class Other(Model):
        class Meta:
            table_name = "others"

        id = UnicodeAttribute(hash_key=True)

    def act(self: Any, instance: Any, req: Any) -> Any:
        self.store.delete(Key(order, "1") if req else Other("1"))

    client = served(order, act)
    for body in ({}, {"by": "key"}):
        assert_problem(client.post("/orders/1/act", json=body), 500)
    assert stored(order.Meta.table_name)
