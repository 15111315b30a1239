"""Models with an expiry, with kinds, with keys in the route, and an owner beside the key."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    meanwhile,
    names,
    resolved,
    stored,
    writes,
)
from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)


def app(model: type[Model], *mixins: Any, **body: Any) -> Caller:
    pm = PolyMicro()
    said = {"model": model, "route": "things", "permissions": AllowAny} | body
    type("Things", (ModelResource, *(mixins or (Create, Retrieve, Update, Delete))), said)(pm)
    return Caller(pm.compile(), user=ALICE)


def made(model: Any, table_name: str) -> None:
    create_table(model, table_name)


def listing(model: type[Model], partition: str = "g") -> Any:
    def list_(self: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return model.query(partition, last_evaluated_key=pagination_key, limit=limit)

    return list_


# --- expiry


@pytest.fixture
def session(dynamodb: None, table_name: str) -> type[Model]:
    class Session(Model):
        class Meta:
            pass

        group = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)
        expires = TTLAttribute(null=True)

    Session.Meta.table_name = table_name  # type: ignore[attr-defined]
    # Not by PynamoDB, which would also have the engine remove what expired, at a time of its own.
    dynamodb_call(
        "create_table",
        TableName=table_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "group", "KeyType": "HASH"},
            {"AttributeName": "id", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("group", "id")],
    )
    return Session


def keep(table: str, id_: str, seconds: float | None) -> None:
    item = {"group": {"S": "g"}, "id": {"S": id_}, "text": {"S": "old"}}
    if seconds is not None:
        item["expires"] = {"N": str(int(time.time() + seconds))}
    dynamodb_call("put_item", TableName=table, Item=item)


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.group == "g")


@pytest.mark.parametrize("rule", [AllowAny, Opaque], ids=["public", "opaque"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_expired_item_is_gone(session: type[Model], table_name: str, rule: Any, method: str) -> None:
    """DynamoDB may take days to remove it."""
    keep(table_name, "old", -60)
    before = stored(table_name)
    body = {"json": {"text": "new"}} if method.startswith("P") else {}
    api = app(session, permissions=rule)
    gone, missing = (api.everywhere(method, path, **body) for path in ("/things/g/old", "/things/g/none"))
    assert_problem(gone, 404)
    assert (gone.body, stored(table_name)) == (missing.body, before)


def test_an_expired_item_is_created_over_and_not_listed(session: type[Model], table_name: str) -> None:
    for id_, seconds in (("a", None), ("b", -60), ("c", 3600)):
        keep(table_name, id_, seconds)
    api = app(session, Create, List, Retrieve, list=listing(session))
    assert [item["id"] for item in api.get("/things").json["items"]] == ["a", "c"]
    assert_problem(api.post("/things", json={"group": "g", "id": "a"}), 409)
    assert_problem(api.post("/things", json={"group": "g", "id": "c"}), 409)
    new = api.post("/things", json={"group": "g", "id": "b"})
    assert (new.status, new.json) == (201, {"group": "g", "id": "b", "text": None, "expires": None})
    assert api.get("/things/g/b").json == new.json


def test_an_expiry_is_a_moment(session: type[Model], table_name: str) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    api = app(session)
    new = api.post("/things", json={"group": "g", "id": "a", "expires": moment.isoformat()})
    assert datetime.fromisoformat(new.json["expires"]) == moment
    assert stored(table_name)[0]["expires"] == {"N": str(int(moment.timestamp()))}
    for value in (int(moment.timestamp()), "soon", moment.replace(tzinfo=None).isoformat(), True):
        assert_problem(api.patch("/things/g/a", json={"expires": value}), 422, "#/expires")


# --- kinds


@pytest.fixture
def kinds(dynamodb: None, table_name: str) -> Any:
    class Animal(Model):
        class Meta:
            pass

        group = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        kind = DiscriminatorAttribute()

    class Cat(Animal, discriminator="cat"):
        lives = NumberAttribute(null=True)

    class Dog(Animal, discriminator="dog"):
        tricks = NumberAttribute(null=True)

    for model in (Animal, Cat, Dog):
        model.Meta.table_name = table_name  # type: ignore[attr-defined]
    Animal.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for kind in ("cat", "dog"):
        item = {"group": {"S": "g"}, "id": {"S": kind}, "kind": {"S": kind}}
        dynamodb_call("put_item", TableName=table_name, Item=item)
    return Cat


@pytest.mark.parametrize("rule", [AllowAny, Opaque], ids=["public", "opaque"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_item_of_another_kind_is_not_there(kinds: Any, table_name: str, rule: Any, method: str) -> None:
    before = stored(table_name)
    body = {"json": {"lives": 9}} if method.startswith("P") else {}
    api = app(kinds, permissions=rule)
    other, missing = (api.everywhere(method, path, **body) for path in ("/things/g/dog", "/things/g/none"))
    assert_problem(other, 404)
    assert (other.body, stored(table_name)) == (missing.body, before)


def test_a_kind_is_the_models_own(kinds: Any, table_name: str) -> None:
    api = app(kinds, Create, List, Retrieve, Update, Delete, list=listing(kinds))
    new = api.post("/things", json={"group": "g", "id": "tom", "lives": 9})
    assert (new.status, {**new.json, "kind": "cat"}) == (201, new.json)
    assert {"group": {"S": "g"}, "id": {"S": "tom"}, "kind": {"S": "cat"}, "lives": {"N": "9"}} in stored(
        table_name
    )
    assert_problem(api.post("/things", json={"group": "g", "id": "x", "kind": "dog"}), 422, "#/kind")
    assert_problem(api.patch("/things/g/tom", json={"kind": "dog"}), 422, "#/kind")
    assert_problem(api.post("/things", json={"group": "g", "id": "dog"}), 409)
    assert [item["id"] for item in api.get("/things").json["items"]] == ["cat", "tom"]
    assert api.patch("/things/g/tom", json={"lives": 8}).json == new.json | {"lives": 8}
    assert api.delete("/things/g/tom").status == 204


# --- keys in the route


def test_a_route_may_bind_keys(dynamodb: None, table_name: str) -> None:
    class Task(Model):
        class Meta:
            pass

        project = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)

    made(Task, table_name)
    api = app(Task, Create, List, Retrieve, Update, Delete, route="projects/{project}/tasks")
    item = {"project": "p 1", "id": "t", "text": None}
    new = api.post("/projects/p%201/tasks", json={"id": "t"})
    assert (new.status, new.json, resolved(new, "/projects/p%201/tasks")) == (
        201,
        item,
        "/projects/p%201/tasks/t",
    )
    assert_problem(api.post("/projects/p/tasks", json={"id": "t", "project": "q"}), 422, "#/project")
    assert_problem(api.post("/projects/p/tasks", json={"id": ""}), 422, "#/id")
    with counted() as calls:
        assert_problem(api.everywhere("GET", "/projects/a%00/tasks"), 404)
    assert calls == []
    assert api.everywhere("GET", "/projects/p%201/tasks/t").json == item
    assert_problem(api.get("/projects/other/tasks/t"), 404)
    assert api.patch("/projects/p%201/tasks/t", json={"text": "x"}).json == item | {"text": "x"}
    assert api.get("/projects/p%201/tasks").json["items"] == [item | {"text": "x"}]
    assert api.get("/projects/other/tasks").json == {"items": [], "pagination_key": None}
    assert api.delete("/projects/p%201/tasks/t").status == 204


def test_two_resources_may_share_a_route(dynamodb: None, table_name: str) -> None:
    class Task(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)

    made(Task, table_name)
    pm = PolyMicro()
    for name, mixin in (("Making", Create), ("Reading", Retrieve), ("Removing", Delete)):
        type(name, (ModelResource, mixin), {"model": Task, "route": "tasks", "permissions": AllowAny})(pm)
    api = Caller(pm.compile())
    assert api.post("/tasks", json={"id": "t"}).status == 201
    assert api.get("/tasks/t").json == {"id": "t"}
    assert api.options("/tasks/t").headers["allow"].replace(" ", "").split(",") != []
    assert set(api.options("/tasks/t").headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE", "OPTIONS"}
    assert api.delete("/tasks/t").status == 204


# --- values


class Where(MapAttribute[str, Any]):
    city = UnicodeAttribute()
    note = UnicodeAttribute(null=True)


def rich(table_name: str) -> type[Model]:
    class Rich(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(null=True)
        flag = BooleanAttribute(default=False)
        names = UnicodeSetAttribute(null=True)
        numbers = NumberSetAttribute(null=True)
        anything = JSONAttribute(null=True)
        where = Where(null=True)  # type: ignore[no-untyped-call]
        raw: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
        some: Any = ListAttribute(null=True)
        at = UTCDateTimeAttribute(null=True, attr_name="a_t")

    made(Rich, table_name)
    return Rich


NOTHING = dict.fromkeys(("number", "names", "numbers", "anything", "where", "raw", "some", "at"))
VALUES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "an int": {"number": 3},
    "a fraction": {"number": 1.5},
    "a negative": {"number": -7},
    "unicode set": {"names": ["a", "b"]},
    "number set": {"numbers": [1, 2]},
    "JSON": {"anything": {"a": [1, None, "x", {"b": True}]}},
    "a map": {"where": {"city": "Bern", "note": None}},
    "a raw map": {"raw": {"a": {"b": [1, "x", True, None]}, "s": "x"}},
    "a list": {"some": [1, "x", {"a": True}, [None]]},
    "a moment": {"at": "2026-01-02T03:04:05.678901+00:00"},
    "an empty text in a list": {"some": [""]},
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_values_come_back_as_they_went_in(dynamodb: None, table_name: str, values: dict[str, Any]) -> None:
    api = app(rich(table_name))
    item = {"id": "x", "flag": False} | NOTHING | values
    new = api.post("/things", json={"id": "x"} | values)
    assert (new.status, new.json, api.get("/things/x").json) == (201, item, item), new.text
    assert api.put("/things/x", json={}).json == item | NOTHING
    assert api.patch("/things/x", json=values).json == item
    assert api.get("/things/x").json == item


def test_unknown_members_are_refused_inside_too(dynamodb: None, table_name: str) -> None:
    api = app(rich(table_name))
    for where, place in (
        ({"city": "Bern", "x": 1}, "#/where/x"),
        ({"city": 1}, "#/where/city"),
        ({}, "#/where/city"),
    ):
        assert_problem(api.post("/things", json={"id": "x", "where": where}), 422, place)
    assert stored(table_name) == []


def test_an_attribute_by_another_name(dynamodb: None, table_name: str) -> None:
    """Outside it has the Python name, in DynamoDB its own."""
    api = app(rich(table_name))
    moment = "2026-01-02T03:04:05+00:00"
    api.post("/things", json={"id": "x", "at": moment})
    assert stored(table_name)[0]["a_t"] == {"S": "2026-01-02T03:04:05.000000+0000"}
    assert_problem(api.post("/things", json={"id": "y", "a_t": moment}), 422, "#/a_t")
    assert api.patch("/things/x", json={"at": None}).json["at"] is None
    assert "a_t" not in stored(table_name)[0]


# --- the owner beside the key


def test_an_owner_that_is_no_key_is_checked_in_the_write(dynamodb: None, table_name: str) -> None:
    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute()
        text = UnicodeAttribute(null=True)

    made(Doc, table_name)
    api = app(Doc, permissions=OwnedBy("owner"))
    item = {"id": "d", "owner": "alice", "text": None}
    new = api.post("/things", json={"id": "d"})
    assert (new.status, new.json, resolved(new, "/things")) == (201, item, "/things/d")
    assert_problem(api.post("/things", json={"id": "d"}, user=BOB), 409)
    for method in ("PATCH", "PUT"):
        assert_problem(api.request(method, "/things/d", json={"owner": "bob"}), 422, "#/owner")
        assert_problem(api.request(method, "/things/d", json={"text": "x"}, user=BOB), 404)
    assert_problem(api.delete("/things/d", user=BOB), 404)
    stolen = {"id": {"S": "d"}, "owner": {"S": "bob"}}
    with counted() as calls:
        assert api.patch("/things/d", json={"text": "x"}).json == item | {"text": "x"}
    assert names(calls) == ["UpdateItem"]
    with meanwhile(lambda: dynamodb_call("put_item", TableName=table_name, Item=stolen)) as calls:
        assert_problem(api.put("/things/d", json={"text": "y"}), 404)
    assert (writes(calls)[0], stored(table_name)) == ("UpdateItem", [stolen])
