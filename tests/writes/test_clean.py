"""``clean``: the hook that makes what is written out of the values of each create and update."""

from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_tables,
    failing,
    meanwhile,
    names,
    stored,
)
from pynamodb.attributes import (
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    Key,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.exceptions import ConfigurationError, Conflict, Unprocessable
from polymicro_lambda.testing import assert_serializable


@pytest.fixture(params=["plain", "versioned"])
def model(dynamodb: None, table_name: str, request: pytest.FixtureRequest) -> Any:
    class Order(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        status = UnicodeAttribute(default="cart")
        total = NumberAttribute(default=0)
        owner = UnicodeAttribute(null=True)
        seen = UnicodeAttribute(null=True)
        place: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]

    made = Order
    if request.param == "versioned":
        made = type("Versioned", (Order,), {"Meta": Order.Meta, "version": VersionAttribute()})
    made.Meta.table_name = table_name  # type: ignore[attr-defined]
    return made


class Calls(list[tuple[str, Any, Any]]):
    """What ``clean`` is called with: names of values, the instance's status, the user."""


def app_of(
    model: Any, clean: Any, mixins: Any = (Create, Retrieve, Update, Delete), **members: Any
) -> PolyMicro:
    pm = PolyMicro(**members.pop("settings", {}))
    base = {"model": model, "route": "orders", "permissions": AllowAny, "clean": clean}
    type("Orders", (ModelResource, *mixins), base | members)(pm)
    return pm


def served(model: Any, clean: Any, **members: Any) -> Caller:
    pm = app_of(model, clean, **members)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


def noting(calls: Calls) -> Any:
    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
        calls.append((",".join(sorted(values)), instance and instance.status, user and user.uuid))

    return clean


def steps(self: Any, values: dict[str, Any], instance: Any, user: Any) -> dict[str, Any]:
    """An order goes from cart to paid, and back nevermore."""
    if instance is not None and instance.status == "paid" and values.get("status", "paid") != "paid":
        raise Unprocessable("It is refused.", errors=[{"pointer": "#/status", "detail": "It is paid."}])
    return {**values, "seen": "new" if instance is None else instance.status}


def own_create(self: Any, req: Any, user: Any) -> Any:
    return Create.create(self, req, user)


def own_update(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return self.store.update(instance, req)


OWN = {"create": own_create, "update": own_update}


@pytest.mark.parametrize("own", [{}, OWN], ids=["mixins", "overrides"])
def test_each_create_and_update(model: Any, own: Any) -> None:
    client = served(model, steps, put="upsert", **own)
    assert client.post("/orders", json={"id": "1"}).json["seen"] == "new"
    paid = client.patch("/orders/1", json={"status": "paid"})
    assert (paid.status, paid.json["seen"]) == (200, "cart")
    before = stored(model.Meta.table_name)
    assert_problem(client.patch("/orders/1", json={"status": "cart"}), 422, "#/status")
    assert_problem(client.put("/orders/1", json={"status": "cart"}), 422, "#/status")
    assert stored(model.Meta.table_name) == before
    assert client.put("/orders/1", json={"status": "paid", "total": 2}).json["seen"] == "paid"
    made = client.put("/orders/2", json={"total": 3})
    assert (made.status, made.json["seen"], made.json["total"]) == (201, "new", 3)
    assert client.patch("/orders/3", json={"total": 3}).status == 404


def test_what_it_is_called_with(model: Any) -> None:
    """Values that the schema has loaded, and those alone that are written."""
    calls = Calls()
    client = served(model, noting(calls))
    client.post("/orders", json={"id": "1", "total": 1})
    client.patch("/orders/1", json={"place": {"x": 1}}, user=BOB)
    assert client.patch("/orders/1", json={}).status == 200
    assert client.post("/orders", json={"id": 1}).status == 422
    assert client.get("/orders/1").json["place"] == {"x": 1}
    assert calls == [("id,total", None, "alice"), ("place", "cart", "bob")]


def test_it_may_change_what_it_gets(model: Any) -> None:
    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
        values["seen"] = values.pop("status", "none").upper()

    client = served(model, clean)
    assert client.post("/orders", json={"id": "1", "status": "paid"}).json["seen"] == "PAID"
    assert client.get("/orders/1").json["status"] == "cart"


def test_touch_comes_after(model: Any) -> None:
    client = served(
        model,
        lambda self, values, instance, user: {"total": 1, **values, "seen": "clean"},
        touch={"seen": "touched"},
    )
    assert client.post("/orders", json={"id": "1"}).json["seen"] == "touched"
    nothing = served(model, lambda self, values, instance, user: {}, touch={"seen": "again"})
    assert nothing.patch("/orders/1", json={"total": 5}).json["seen"] == "touched", "nothing is left to write"


def test_the_rule_judges_what_it_makes(model: Any) -> None:
    client = served(
        model,
        lambda self, values, instance, user: {**values, "owner": values.get("status")},
        permissions=OwnedBy("owner"),
    )
    assert client.post("/orders", json={"id": "1", "status": "bob"}).status == 403
    assert client.post("/orders", json={"id": "1", "status": "alice"}).status == 201
    assert client.patch("/orders/1", json={"status": "bob"}).status == 403
    assert [one["owner"] for one in stored(model.Meta.table_name)] == [{"S": "alice"}]


def test_an_update_reads_the_item(model: Any) -> None:
    client = served(model, steps)
    with counted() as calls:
        client.post("/orders", json={"id": "1"})
        client.patch("/orders/1", json={"total": 2})
        client.delete("/orders/1")
    assert names(calls) == ["PutItem", "GetItem", "UpdateItem", "DeleteItem"]
    pm = app_of(model, steps)
    pm.compile()
    assert {row.http: row.calls for row in rows(pm.routes)} == {
        "POST": "PutItem",
        "GET": "GetItem",
        "PATCH": "GetItem, UpdateItem",
        "PUT": "GetItem, UpdateItem",
        "DELETE": "DeleteItem",
    }
    said = dict(explain(pm, "PATCH /orders/1", ALICE))
    assert said["calls"] == "1 GetItem, consistent, then 1 UpdateItem, on a condition"
    assert said["condition"].endswith("what clean read is unchanged")


def test_what_it_has_read_is_part_of_the_write(model: Any) -> None:
    client = served(model, steps)
    client.post("/orders", json={"id": "1"})
    with meanwhile(lambda: client.patch("/orders/1", json={"status": "paid"})):
        lost = client.patch("/orders/1", json={"status": "cancelled"})
    assert (lost.status, "retry-after" in lost.headers) == (409, True)
    assert client.get("/orders/1").json["status"] == "paid"


def test_attempts(model: Any) -> None:
    client = served(model, steps, attempts={"update": 2})
    client.post("/orders", json={"id": "1"})
    with meanwhile(lambda: client.patch("/orders/1", json={"status": "paid"})):
        assert_problem(client.patch("/orders/1", json={"status": "cancelled"}), 422, "#/status")


def test_two_at_once(model: Any) -> None:
    client = served(model, steps, put="upsert")
    client.post("/orders", json={"id": "1"})
    for other in (
        lambda: client.patch("/orders/1", json={"status": "paid"}),
        lambda: client.put("/orders/1", json={"total": 3, "status": "paid"}),
        lambda: client.delete("/orders/1"),
    ):
        assert_serializable(client, lambda: client.put("/orders/1", json={"status": "cancelled"}), other)


def test_neither_a_soft_delete_nor_a_restore_is_an_update(dynamodb: None, table_name: str) -> None:
    class Page(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        seen = NumberAttribute(default=0)
        deleted = UTCDateTimeAttribute(null=True)

    Page.Meta.table_name = table_name  # type: ignore[attr-defined]
    calls: list[str] = []

    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
        calls.append("create" if instance is None else str(instance.text))

    client = served(Page, clean, soft_delete="deleted", touch={"seen": count(1).__next__}, put="upsert")
    client.post("/orders", json={"id": "1", "text": "t"})
    assert client.delete("/orders/1").status == 204
    assert client.patch("/orders/1", json={"text": "u"}).status == 404
    assert client.put("/orders/1", json={"text": "u"}).status == 404, "the key is taken until it is restored"
    restored = client.post("/orders/1/restore")
    assert (restored.json["seen"], calls) == (1, ["create"])
    assert client.put("/orders/1", json={"text": "u"}).json["seen"] == 2
    assert calls == ["create", "t"]
    with pytest.raises(ConfigurationError, match=r"^Orders\.touch\['deleted'\] would delete every item"):
        app_of(Page, clean, soft_delete="deleted", touch={"deleted": 1}).compile()


@action()
def cancel(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return self.update(instance, {"status": "cancelled"}, user)


@action()
def swap(self: Any, instance: Any, req: Any, user: Any) -> Any:
    kind = type(instance)
    with self.store.transaction() as write:
        write.update(Key(kind, "2"), {"status": req["status"]}, otherwise=Conflict("There is no second."))
        write.update(instance, {"total": 7})
        write.create(kind, {"id": "3"})


def test_actions_and_transactions(model: Any) -> None:
    client = served(
        model, steps, cancel=cancel, swap=swap, calls={model: ("UpdateItem", "PutItem", "GetItem")}
    )
    client.post("/orders", json={"id": "1"})
    assert client.post("/orders/1/cancel").json["seen"] == "cart"
    assert client.post("/orders/1/swap", json={"status": "paid"}).status == 404
    client.post("/orders", json={"id": "2", "status": "paid"})
    assert_problem(client.post("/orders/1/swap", json={"status": "cart"}), 422, "#/status")
    assert client.post("/orders/1/swap", json={"status": "paid"}).status < 300
    assert [
        one["seen"]["S"] for one in sorted(stored(model.Meta.table_name), key=lambda one: one["id"]["S"])
    ] == [
        "cancelled",
        "paid",
        "new",
    ]


def test_a_transaction_pins_what_it_has_read(model: Any) -> None:
    client = served(model, steps, swap=swap, calls={model: ("UpdateItem", "PutItem", "GetItem")})
    for number in ("1", "2"):
        client.post("/orders", json={"id": number})
    with meanwhile(lambda: client.patch("/orders/2", json={"status": "paid"})):
        assert client.post("/orders/1/swap", json={"status": "cancelled"}).status == 409
    assert client.get("/orders/2").json["status"] == "paid"


def test_another_resources_transaction(model: Any) -> None:
    """Nobody reads past the hook of the resource that writes a model's items."""

    class Job(Model):
        class Meta:
            table_name = f"{model.Meta.table_name}j"

        id = UnicodeAttribute(hash_key=True)

    @action(detail=False)
    def pay(self: Any, req: Any, user: Any) -> Any:
        with self.store.transaction() as write:
            write.update(Key(model, "1"), {"status": req["status"]}, otherwise=Conflict("No such order."))

    pm = app_of(model, steps)
    jobs = {"model": Job, "route": "jobs", "permissions": AllowAny, "pay": pay}
    type("Jobs", (ModelResource, Create), jobs)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    missing = client.post("/jobs/pay", json={"status": "paid"})
    assert (missing.status, missing.json["detail"]) == (409, "No such order.")
    client.post("/orders", json={"id": "1"})
    assert client.post("/jobs/pay", json={"status": "paid"}).status < 300
    assert_problem(client.post("/jobs/pay", json={"status": "cart"}), 422, "#/status")
    with pytest.raises(Unprocessable), pm.transaction() as write:
        write.update(Key(model, "1"), {"status": "cart"})
    assert client.get("/orders/1").json["seen"] == "cart"


def test_a_list_of_new_items(model: Any) -> None:
    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
        if values["id"] == "bad":
            raise Unprocessable("It is refused.", errors=[{"pointer": "#/id", "detail": "No."}])
        values["seen"] = user.uuid

    client = served(model, clean, max_bulk=3)
    assert_problem(client.post("/orders", json=[{"id": "1"}, {"id": "bad"}]), 422, "#/1/id")
    assert stored(model.Meta.table_name) == []
    assert [one["seen"] for one in client.post("/orders", json=[{"id": "1"}, {"id": "2"}]).json] == [
        "alice"
    ] * 2


def test_a_repeated_request(model: Any, table_name: str) -> None:
    calls = Calls()
    settings = {"idempotency": Idempotency(table=f"{table_name}k")}
    client = served(model, noting(calls), settings=settings, idempotent=("create", "update"))
    key, other = {"Idempotency-Key": '"k"'}, {"Idempotency-Key": '"o"'}
    first, again = (client.post("/orders", json={"id": "1"}, headers=key) for _ in range(2))
    changed, repeated = (client.patch("/orders/1", json={"total": 1}, headers=other) for _ in range(2))
    assert (first.json, changed.json) == (again.json, repeated.json)
    assert len(calls) == 2


def test_a_lost_answer_is_found_out(model: Any) -> None:
    client = served(model, steps)
    client.post("/orders", json={"id": "1"})
    with failing(ReadTimeoutError(endpoint_url="x"), late=True, on=frozenset({"UpdateItem"})):
        assert client.patch("/orders/1", json={"status": "paid"}).json["seen"] == "cart"


def test_unique_values_that_it_makes(model: Any) -> None:
    client = served(
        model,
        lambda self, values, instance, user: {**values, "seen": values.get("status", "x").lower()},
        unique="seen",
        dump_only="seen",
    )
    assert client.post("/orders", json={"id": "1", "status": "A"}).status == 201
    assert client.post("/orders", json={"id": "2", "status": "a"}).status == 409
    assert client.post("/orders", json={"id": "2", "status": "b"}).status == 201
    assert client.patch("/orders/2", json={"status": "A"}).status == 409


def test_a_hook_that_gives_no_values(model: Any) -> None:
    client = served(model, lambda self, values, instance, user: "done")
    assert client.post("/orders", json={"id": "1"}).status == 500
    assert stored(model.Meta.table_name) == []


MISTAKES = [
    ({"sttus": "x"}, "Orders.clean gives {model} 'sttus': is 'status' meant?"),
    ({"SECRET": "x"}, "Orders.clean gives {model} an attribute that it lacks: it has id, owner, place"),
    ({"status": 5}, "Orders.clean gives {model}.status a int, which UnicodeAttribute does not store"),
    ({"total": "SECRET"}, "Orders.clean gives {model}.total a str, which NumberAttribute does not store"),
    ({"place": "SECRET"}, "Orders.clean gives {model}.place a str, which MapAttribute does not store"),
    (
        {"id": "SECRET"},
        "Orders.clean changes {model}.id, of the key that the request names: leave it as it is",
    ),
]


@pytest.mark.parametrize(("more", "said"), MISTAKES)
@pytest.mark.parametrize("path", ["put new", "patch", "cancel"])
def test_a_mistake_is_logged_by_its_name(model: Any, more: Any, said: str, path: str, caplog: Any) -> None:
    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> dict[str, Any]:
        return values if values.get("seen") == "first" else {**values, **more}

    client = served(model, clean, put="upsert", cancel=cancel)
    client.post("/orders", json={"id": "1", "seen": "first"})
    before = stored(model.Meta.table_name)
    act = {
        "put new": lambda: client.put("/orders/2", json={}),
        "patch": lambda: client.patch("/orders/1", json={"total": 1}),
        "cancel": lambda: client.post("/orders/1/cancel"),
    }[path]
    assert act().status == 500
    assert said.format(model=model.__name__) in caplog.text
    assert "SECRET" not in caplog.text
    assert stored(model.Meta.table_name) == before


def test_an_expression_in_a_new_item(model: Any, caplog: Any) -> None:
    client = served(model, lambda self, values, instance, user: {**values, "total": model.total + 1})
    assert client.post("/orders", json={"id": "1"}).status == 500
    said = f"Orders.clean gives {model.__name__}.total a "
    assert f"{said}_Increment, which a new item has nothing to compute of" in caplog.text
    assert stored(model.Meta.table_name) == []


def test_maps_and_nulls_are_told_to_the_client(model: Any) -> None:
    class Spot(MapAttribute):  # type: ignore[type-arg]
        x = NumberAttribute()

    kind = type("Placed", (model,), {"Meta": model.Meta, "spot": Spot(null=True)})  # type: ignore[no-untyped-call]
    client = served(kind, lambda self, values, instance, user: {**values, "spot": {}, "seen": None})
    assert_problem(client.post("/orders", json={"id": "1"}), 422, "#/spot/x")


@pytest.fixture
def spaced(dynamodb: None, table_name: str) -> Any:
    class Row(Model):
        class Meta:
            pass

        space = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)

    Row.Meta.table_name = table_name  # type: ignore[attr-defined]
    return Row


def test_the_path_s_part_of_a_key_stays(spaced: Any, caplog: Any) -> None:
    """Of the key what the path says; a body's part may be changed, and what a verb of one's own says."""

    def clean(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
        for name in {"space", "id"} & values.keys():
            values[name] = values[name].lower()

    @action(detail=False)
    def make(self: Any, req: Any) -> Any:
        return self.store.create(req)

    client = served(spaced, clean, route="{space}/orders", make=make, max_bulk=2, put="upsert")
    said = "Orders.clean changes Row.{}, of the key that the request names: leave it as it is"
    assert client.post("/A/orders", json={"id": "1"}).status == 500
    assert client.post("/A/orders", json=[{"id": "1"}]).status == 500
    assert client.post("/A/orders/make", json={"space": "A", "id": "1"}).status == 500
    assert said.format("space") in caplog.text
    assert client.put("/a/orders/UP", json={}).status == 500
    assert said.format("id") in caplog.text
    assert stored(spaced.Meta.table_name) == []
    assert client.put("/a/orders/low", json={}).json["id"] == "low"
    assert client.patch("/a/orders/low", json={"text": "t"}).json["text"] == "t"
    assert client.post("/a/orders", json={"id": "UP"}).json["id"] == "up"
    made = client.post("/a/orders/make", json={"space": "B", "id": "X"})
    assert (made.json["space"], made.json["id"]) == ("b", "x")


@pytest.mark.parametrize(
    ("clean", "mixins", "message"),
    [
        (
            lambda self, values: values,
            (Create,),
            r"^Orders\.clean must be a method: def clean\(self, values, instance, user\)$",
        ),
        (("status",), (Create,), r"^Orders\.clean must be a method"),
        (steps, (Retrieve, Delete), r"^Orders\.clean is never called: mix in Create or Update$"),
    ],
)
def test_mistakes(model: Any, clean: Any, mixins: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        app_of(model, clean, mixins).compile()


def test_an_action_may_have_the_name(model: Any) -> None:
    @action()
    def clean(self: Any, instance: Any) -> Any:
        return {"id": instance.id}

    client = served(model, clean)
    client.post("/orders", json={"id": "1"})
    assert client.post("/orders/1/clean").json == {"id": "1"}


def test_an_action_that_is_hidden(model: Any) -> None:
    class Cleaning:
        @action()
        def clean(self, instance: Any) -> Any:
            return instance

    members = {"model": model, "route": "orders", "permissions": AllowAny}
    pm = PolyMicro()
    type("Orders", (ModelResource, Cleaning, Retrieve), members)(pm)
    with pytest.raises(ConfigurationError, match=r"^Orders\.clean is hidden by ModelResource"):
        pm.compile()
