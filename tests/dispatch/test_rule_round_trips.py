"""What access control costs: one call for each verb under a rule that DynamoDB can check, every write on condition."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import (
    BOB,
    WRITES,
    Call,
    Caller,
    counted,
    create_table,
    dynamodb_call,
    names,
    resolved,
    stored,
    versioned,
)
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
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
    User,
    action,
)

pytestmark = pytest.mark.thorough

Make = Callable[..., Caller]
MINE = User("alice", frozenset({"editor"}), claims={"tenant": "acme"})
VERBS = (Create, List, Retrieve, Update, Delete)


class Actions:
    store: Any

    @action()
    def stamp(self, instance: Any) -> Any:
        return self.store.update(instance, {"text": "stamped"})

    @action(methods=("DELETE",))
    def drop(self, instance: Any) -> None:
        self.store.delete(instance)


@pytest.fixture(params=["versioned", "plain"])
def notes(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes`` under a rule; alice has the note ``n`` and 7 more."""

    class Plain(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        tenant = UnicodeAttribute(null=True)
        lock = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    model: Any = versioned(Plain) if request.param == "versioned" else Plain
    create_table(model, table_name)
    for name in ("n", *map(str, range(7))):
        item = {"owner": {"S": "alice"}, "id": {"S": name}, "tenant": {"S": "acme"}, "version": {"N": "1"}}
        dynamodb_call("put_item", TableName=table_name, Item=item)

    def make(rule: Any) -> Caller:
        pm = PolyMicro()
        body = {"model": model, "route": "notes", "permissions": rule, "dump_only": "lock", "scan": True}
        type("Notes", (ModelResource, *VERBS, Actions), body)(pm)
        return Caller(pm.compile(), user=MINE)

    return make


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Where(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return (model.owner == user.uuid) & model.lock.does_not_exist()


# rule -> whether a write reads first
RULES: dict[str, tuple[Any, bool]] = {
    "owner": (OwnedBy("owner"), False),
    "owner and role": (OwnedBy("owner") & HasPermission("editor"), False),
    "owner and tenant": (OwnedBy("owner") & OwnedBy("tenant", claim="tenant"), False),
    "owner and where": (OwnedBy("owner") & Where(), False),
    "owner and a disjunction": (OwnedBy("owner") & (Where() | HasPermission("admin")), False),
    "owner and not": ((IsAuthenticated, OwnedBy("owner"), ~HasPermission("banned")), False),
    "owner and opaque": (OwnedBy("owner") & Opaque(), True),
}
every_rule = pytest.mark.parametrize(("rule", "reads"), RULES.values(), ids=RULES)


def steps(tag: str | None = None) -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """Every verb that needs an item, with the calls that it may make under a rule of conditions."""
    headers = {} if tag is None else {"If-Match": tag}
    return [
        ("PATCH", "/notes/n", {"json": {"text": "a"}, "headers": headers}, ["UpdateItem"]),
        ("PUT", "/notes/n", {"json": {"text": "b"}}, ["UpdateItem"]),
        ("DELETE", "/notes/n", {}, ["DeleteItem"]),
    ]


def assert_conditions(calls: list[Call]) -> None:
    """Every write names its item, says its condition, and asks for the item that fails it."""
    for operation, said in calls:
        if operation not in WRITES:
            continue
        key = said["Item"] if operation == "PutItem" else said["Key"]
        free = "attribute_not_exists" if operation == "PutItem" else "attribute_exists"
        assert {"owner", "id"} <= set(key)
        assert free in said["ConditionExpression"]
        assert said["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


@every_rule
def test_one_call_for_each_verb(notes: Make, rule: Any, reads: bool) -> None:
    """Retrieve 1, create 1, update 1, delete 1; an opaque part costs a read before a write."""
    client = notes(rule)
    before = ["GetItem"] if reads else []
    todo: list[tuple[str, str, dict[str, Any], list[str]]] = [
        ("GET", "/notes/n", {}, ["GetItem"]),
        ("HEAD", "/notes/n", {}, ["GetItem"]),
        ("POST", "/notes", {"json": {"id": "new"}}, ["PutItem"]),
        *((method, path, sent, [*before, *calls]) for method, path, sent, calls in steps()),
    ]
    for method, path, sent, expected in todo:
        with counted() as calls:
            result = client.request(method, path, **sent)
        assert (method, result.status < 300, names(calls)) == (method, True, expected), result.text
        assert_conditions(calls)


@every_rule
def test_one_call_for_each_page(notes: Make, rule: Any, reads: bool) -> None:
    client = notes(rule)
    link, pages = "/notes?limit=3", []
    while link:
        with counted() as calls:
            result = client.get(link)
        assert names(calls) == ["Query"]
        pages.append(len(result.json["items"]))
        link = resolved(result, link, "link") if "link" in result.headers else ""
    assert pages == [3, 3, 2]


@every_rule
def test_an_action_is_a_read_and_a_write(notes: Make, rule: Any, reads: bool) -> None:
    """It is called with the item, so it is read; the write is on condition all the same."""
    client = notes(rule)
    for method, path, write in (("POST", "stamp", "UpdateItem"), ("DELETE", "drop", "DeleteItem")):
        with counted() as calls:
            assert client.request(method, f"/notes/n/{path}").status < 300
        assert names(calls) == ["GetItem", write]
        assert_conditions(calls)


@every_rule
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_a_refusal_costs_one_call(notes: Make, table_name: str, rule: Any, reads: bool, method: str) -> None:
    """Under a bound owner what is another's has no address: one call finds nothing."""
    client, user = notes(rule), User("bob", MINE.permissions, claims=MINE.claims)
    before = stored(table_name)
    sent = {"json": {"text": "x"}} if method in {"PATCH", "PUT"} else {}
    with counted() as calls:
        assert client.request(method, "/notes/n", user=user, **sent).status == 404
    assert len(calls) == 1
    assert stored(table_name) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("rule", "status"),
    [(Where, 404), (Where() | HasPermission("admin"), 404), (IsAuthenticated, 412)],
    ids=["where", "or", "no object"],
)
def test_a_failed_condition_brings_its_item(
    notes: Make, table_name: str, rule: Any, status: int, method: str
) -> None:
    """What tells 404 from 403 and 412 comes with the failure itself: no second call."""
    sent: dict[str, Any] = {} if method == "DELETE" else {"json": {"text": "x"}}
    other = {"owner": {"S": "bob"}, "id": {"S": "n"}, "version": {"N": "1"}}
    dynamodb_call("put_item", TableName=table_name, Item=other)
    path, headers = "/notes/bob/n", {} if status == 404 else {"If-Match": '"9"'}
    client = notes(rule)
    with counted() as calls:
        assert client.request(method, path, headers=headers, **sent).status == status
    assert len(calls) == 1
    assert other in stored(table_name)


@pytest.mark.parametrize(("user", "status"), [(None, 401), (BOB, 403)], ids=["nobody", "without the role"])
def test_who_may_not_at_all_costs_nothing(notes: Make, user: User | None, status: int) -> None:
    client = notes(OwnedBy("owner") & HasPermission("editor"))
    with counted() as calls:
        for method, path, sent, _ in [("GET", "/notes/n", {}, []), ("GET", "/notes", {}, []), *steps()]:
            assert client.request(method, path, user=user, **sent).status == status
    assert calls == []


@every_rule
def test_if_match_costs_a_read_only_without_a_version(notes: Make, rule: Any, reads: bool) -> None:
    client = notes(rule)
    tag = client.get("/notes/n").headers["etag"]
    method, path, sent, expected = steps(tag)[0]
    with counted() as calls:
        assert client.request(method, path, **sent).status == 200
    assert names(calls) == (["GetItem"] if reads or tag != '"1"' else []) + expected
    assert_conditions(calls)
