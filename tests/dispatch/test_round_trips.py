"""What a request costs: DynamoDB calls, counted at botocore."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, counted, create_table, dynamodb_call, names, stored
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    HasPermission,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)


class Role(Permission):
    """Needs no object."""

    def has_permission(self, user: Any, method: str) -> bool:
        return "therapist" in user.permissions


class Opaque(Permission):
    """Needs the object in Python."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Mine(Permission):
    """Needs the object, but DynamoDB can check it."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


@pytest.fixture
def note(dynamodb: None, table_name: str) -> Callable[..., Caller]:
    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)
        version = VersionAttribute()

    create_table(Note, table_name)
    item = {"owner": {"S": "alice"}, "id": {"S": "n"}, "version": {"N": "1"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)

    class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Note
        route = "notes"

        def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
            return Note.query("alice", last_evaluated_key=pagination_key, limit=limit)

    def make(rule: Any) -> Caller:
        pm = PolyMicro()
        type("Notes", (Notes,), {"permissions": rule})(pm)
        return Caller(pm.compile(), user=ALICE)

    return make


RULES: dict[str, tuple[Any, bool]] = {
    "no object": (Role, False),
    "public": (AllowAny, False),
    "default": (IsAuthenticated, False),
    "where": (Mine, False),
    "where &": (Role() & Mine(), False),
    "where |": (Mine() | HasPermission("admin"), False),
    "~where": (~~Mine(), False),
    "owner": (OwnedBy("owner"), False),
    "owner |": (OwnedBy("owner") | HasPermission("admin"), False),
    "opaque": (Opaque, True),
    "opaque and where": (Opaque() & Mine(), True),
    "decided without the object": (Role() | Opaque(), False),
}
every_rule = pytest.mark.parametrize(("rule", "opaque"), RULES.values(), ids=RULES)


def paths(rule: Any) -> tuple[str, dict[str, str]]:
    """The item's path, and what a create must say of the owner."""
    bound = isinstance(rule, OwnedBy)
    return ("/notes/n", {}) if bound else ("/notes/alice/n", {"owner": "alice"})


@every_rule
def test_calls_of_each_verb(note: Callable[..., Caller], table_name: str, rule: Any, opaque: bool) -> None:
    """One call each; an update or delete reads first only where an opaque rule must see the item."""
    client = note(rule)
    item, owner = paths(rule)
    read = ["GetItem"] if opaque else []
    steps: list[tuple[str, str, Any, int, list[str]]] = [
        ("POST", "/notes", {"id": "new"} | owner, 201, ["PutItem"]),
        ("GET", item, None, 200, ["GetItem"]),
        ("HEAD", item, None, 200, ["GetItem"]),
        ("GET", "/notes", None, 200, ["Query"]),
        ("PATCH", item, {"text": "a"}, 200, [*read, "UpdateItem"]),
        ("PUT", item, {"text": "b"}, 200, [*read, "UpdateItem"]),
        ("PATCH", item, {}, 200, ["GetItem"]),
        ("DELETE", item, None, 204, [*read, "DeleteItem"]),
    ]
    for method, path, body, status, expected in steps:
        with counted() as calls:
            result = client.request(method, path, **({} if body is None else {"json": body}))
        assert (method, result.status, names(calls)) == (method, status, expected)


@every_rule
def test_every_write_states_its_condition(
    note: Callable[..., Caller], table_name: str, rule: Any, opaque: bool
) -> None:
    client = note(rule)
    item, owner = paths(rule)
    with counted() as calls:
        client.post("/notes", json={"id": "new"} | owner)
        client.patch(item, json={"text": "a"})
        client.put(item, json={"text": "b"})
        client.delete(item)
    stated = [(name, parameters["ConditionExpression"]) for name, parameters in calls if name != "GetItem"]
    assert [name for name, _ in stated] == ["PutItem", "UpdateItem", "UpdateItem", "DeleteItem"]
    assert "attribute_not_exists" in stated[0][1]
    assert all("attribute_exists" in condition for _, condition in stated[1:])


@pytest.mark.parametrize(
    ("rule", "calls_of_write"),
    [
        (Mine, ["UpdateItem"]),
        (OwnedBy("owner") | HasPermission("admin"), ["UpdateItem"]),
        (Opaque, ["GetItem"]),
    ],
    ids=["where", "owner |", "opaque"],
)
def test_a_denied_update_costs_no_more(
    note: Callable[..., Caller], table_name: str, rule: Any, calls_of_write: list[str]
) -> None:
    """The failed condition brings the item along: who was denied, and why, needs no second call."""
    before = stored(table_name)
    client = note(rule)
    with counted() as calls:
        assert client.patch("/notes/alice/n", json={"text": "x"}, user=BOB).status == 404
    assert (names(calls), stored(table_name)) == (calls_of_write, before)


def test_a_patch_sends_only_what_changed(note: Callable[..., Caller]) -> None:
    with counted() as calls:
        note(Role).patch("/notes/alice/n", json={"text": "a"})
    [(_, parameters)] = calls
    assert set(parameters["ExpressionAttributeNames"].values()) == {"owner", "text", "version"}
    assert parameters["Key"] == {"owner": {"S": "alice"}, "id": {"S": "n"}}


@pytest.mark.parametrize(
    ("method", "path", "body", "user", "status"),
    [
        ("POST", "/notes", {"id": "x", "owner": "alice"}, None, 401),
        ("POST", "/notes", {"id": 1, "owner": "alice"}, ALICE, 422),
        ("GET", "/notes/alice/n?nope=1", None, ALICE, 400),
        ("GET", "/notes/alice/a%00", None, ALICE, 404),
        ("GET", "/notes?limit=0", None, ALICE, 400),
        ("OPTIONS", "/notes/alice/n", None, ALICE, 204),
        ("POST", "/notes/alice/n", {}, ALICE, 405),
        ("GET", "/else", None, ALICE, 404),
    ],
)
def test_what_needs_no_call_makes_none(
    note: Callable[..., Caller], method: str, path: str, body: Any, user: Any, status: int
) -> None:
    with counted() as calls:
        result = note(Role).everywhere(method, path, user=user, **({} if body is None else {"json": body}))
    assert (result.status, calls) == (status, [])
