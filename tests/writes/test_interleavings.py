"""Another writer at every point of a request: nothing is written after the rule stopped holding."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    WRITES,
    Call,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    stored,
    versioned,
    watched,
)
from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    HasPermission,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

pytestmark = pytest.mark.thorough

Make = Callable[..., Caller]


class Mine(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


class OpaqueMine(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Editor(Permission):
    """Who the item is shared with."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.editors.contains(user.uuid)


class OpaqueEditor(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return user.uuid in (instance.editors or ())


class Unlocked(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.lock.does_not_exist()


class OpaqueUnlocked(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return instance.lock is None


RULES: dict[str, Any] = {
    "where": Mine() & Editor() & Unlocked(),
    "opaque": OpaqueMine() & OpaqueEditor() & OpaqueUnlocked(),
    "mixed": Mine() & OpaqueEditor() & Unlocked(),
    "owned": OwnedBy("owner") & Editor() & OpaqueUnlocked(),
    "or": (Mine() & Editor() & Unlocked()) | HasPermission("admin"),
    "opaque or": (OpaqueMine() & Editor() & OpaqueUnlocked()) | HasPermission("admin"),
    "not": ~(~Mine() | ~OpaqueEditor() | ~Unlocked()),
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


class Own:
    """Verbs of a resource's own, in the ways in which they are written."""

    store: Any

    @action()
    def finish(self, instance: Any) -> Any:
        return self.store.update(instance, {"text": "finished"})

    @action()
    def twice(self, instance: Any) -> Any:
        between = self.store.update(instance, {"text": "once"})
        return self.store.update(between, {"text": "twice"})

    @action()
    def remove(self, instance: Any) -> None:
        self.store.delete(instance)

    @action(detail=False, path="again")
    def read_again(self, req: Any, user: Any) -> Any:
        """Finds its item itself."""
        return self.store.update(self.store.read({"id": "d"}), {"text": "again"})


class Overridden(Update, Delete):
    def update(self, instance: Any, req: Any, user: Any) -> Any:
        req["text"] = f"{instance.text}, then {req['text']}"
        return super().update(instance, req, user)

    def delete(self, instance: Any, user: Any) -> Any:
        super().delete(instance, user)
        return {"deleted": instance.text}


@pytest.fixture(params=["versioned", "plain"])
def docs(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/docs`` under a rule."""

    class Plain(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        editors = UnicodeSetAttribute(null=True)
        lock = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    doc: Any = versioned(Plain) if request.param == "versioned" else Plain
    create_table(doc, table_name)

    def make(rule: Any, *verbs: Any) -> Caller:
        pm = PolyMicro()
        body = {"model": doc, "route": "docs", "permissions": rule}
        type("Docs", (ModelResource, *(verbs or (Create, Retrieve, Update, Delete, Own))), body)(pm)
        return Caller(pm.compile(), user=ALICE)

    return make


OLD: dict[str, Any] = {
    "id": {"S": "d"},
    "owner": {"S": "alice"},
    "editors": {"SS": ["alice", "bob"]},
    "text": {"S": "old"},
    "version": {"N": "1"},
}


def put(table: str, item: dict[str, Any]) -> None:
    dynamodb_call("put_item", TableName=table, Item=item)


# What another writer makes of the item, so that the rule no longer holds; None is its end.
THEIRS: dict[str, Any] = {
    "another owner": OLD | {"owner": {"S": "bob"}},
    "no longer shared": OLD | {"editors": {"SS": ["bob"]}},
    "locked": OLD | {"lock": {"S": "yes"}},
    "owner lost": {name: value for name, value in OLD.items() if name != "owner"},
    "made anew by another": {"id": {"S": "d"}, "owner": {"S": "bob"}, "version": {"N": "1"}},
    "deleted": None,
}


def becomes(table: str, change: str) -> None:
    if THEIRS[change] is None:
        dynamodb_call("delete_item", TableName=table, Key={"id": {"S": "d"}})
    else:
        put(table, THEIRS[change])


def assert_denied(result: Any, table: str, change: str) -> None:
    """As if the item were not there; and it is as the other writer left it."""
    assert_problem(result, 404)
    assert (change, stored(table)) == (change, [] if THEIRS[change] is None else [THEIRS[change]])


@contextmanager
def before_call(number: int, writer: Callable[[], Any]) -> Iterator[list[Call]]:
    """Let another writer act just before the n-th DynamoDB call made inside, counted from 0; note the others."""
    own: list[Call] = []
    acting = False

    def act(operation: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        nonlocal acting
        if not acting:
            if len(own) == number:
                acting = True
                writer()
                acting = False
            own.append((operation, parameters))
        return call()

    with watched(act):
        yield own


PUT_BODY = {"text": "new", "owner": "alice", "editors": ["alice", "bob"]}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "merge": ("PATCH", "/docs/d", {"text": "new"}),
    "replace": ("PUT", "/docs/d", PUT_BODY),
    "delete": ("DELETE", "/docs/d", None),
    "action": ("POST", "/docs/d/finish", None),
    "action that deletes": ("POST", "/docs/d/remove", None),
    "action that reads": ("POST", "/docs/again", None),
}
every_request = pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)


def send(client: Caller, rule: Any, asked: tuple[str, str, Any]) -> Any:
    method, path, body = asked
    if body is not None and rule is RULES["owned"]:  # the owner is no client's to send
        body = {name: value for name, value in body.items() if name != "owner"}
    return client.request(method, path, **({} if body is None else {"json": body}))


def assert_conditions(calls: list[Any]) -> None:
    """No path writes without a condition."""
    bare = [call for call in calls if call[0] in WRITES and not call[1].get("ConditionExpression")]
    assert bare == []


@every_rule
@every_request
def test_nothing_is_written_after_the_rule_stopped_holding(
    docs: Make, table_name: str, rule: Any, asked: tuple[str, str, Any]
) -> None:
    """Whichever call the other writer comes before: what they stored stays, and the answer is a denial."""
    client = docs(rule)
    put(table_name, OLD)
    with counted() as calls:
        assert send(client, rule, asked).status in {200, 204}
    assert_conditions(calls)
    for number, theirs in product(range(len(calls)), THEIRS):
        put(table_name, OLD)
        with before_call(number, lambda change=theirs: becomes(table_name, change)) as made:  # type: ignore[misc]
            result = send(client, rule, asked)
        assert_denied(result, table_name, theirs)
        assert_conditions(made)


@every_rule
@pytest.mark.parametrize(
    "asked", [("PATCH", "/docs/d", {"text": "new"}), ("DELETE", "/docs/d", None)], ids=["update", "delete"]
)
def test_overrides_are_guarded_too(
    docs: Make, table_name: str, rule: Any, asked: tuple[str, str, Any]
) -> None:
    client = docs(rule, Overridden, Retrieve)
    put(table_name, OLD)
    with counted() as calls:
        assert send(client, rule, asked).status == 200
    for number, theirs in product(range(len(calls)), THEIRS):
        put(table_name, OLD)
        with before_call(number, lambda change=theirs: becomes(table_name, change)) as made:  # type: ignore[misc]
            result = send(client, rule, asked)
        assert_denied(result, table_name, theirs)
        assert_conditions(made)


@every_rule
def test_an_action_of_two_writes_stops_between_them(docs: Make, table_name: str, rule: Any) -> None:
    client = docs(rule)
    put(table_name, OLD)
    with counted() as calls:
        assert client.post("/docs/d/twice").json["text"] == "twice"
    for number, theirs in product(range(len(calls)), THEIRS):
        put(table_name, OLD)
        with before_call(number, lambda change=theirs: becomes(table_name, change)):  # type: ignore[misc]
            result = client.post("/docs/d/twice")
        assert_denied(result, table_name, theirs)


@every_rule
def test_a_create_never_replaces(docs: Make, table_name: str, rule: Any) -> None:
    """Not the user's own item either."""
    client = docs(rule)
    body = {"id": "d", "editors": ["alice"]} | ({} if rule is RULES["owned"] else {"owner": "alice"})
    for theirs in (OLD, THEIRS["another owner"]):
        becomes(table_name, "deleted")
        with before_call(0, lambda item=theirs: put(table_name, item)) as calls:  # type: ignore[misc]
            assert_problem(client.post("/docs", json=body), 409)
        assert stored(table_name) == [theirs]
        assert_conditions(calls)


@every_rule
@every_request
def test_what_the_rule_does_not_read_may_change_meanwhile(
    docs: Make, table_name: str, rule: Any, asked: tuple[str, str, Any]
) -> None:
    """A write is refused for the rule's sake, never for a change that has nothing to do with it."""
    client = docs(rule)
    put(table_name, OLD)
    with counted() as calls:
        send(client, rule, asked)
    for number in range(len(calls)):
        put(table_name, OLD)
        more = OLD | {"other": {"S": "x"}, "version": {"N": "5"}}
        with before_call(number, lambda item=more: put(table_name, item)):  # type: ignore[misc]
            assert send(client, rule, asked).status in {200, 204}
        found = stored(table_name)
        assert [item["other"] for item in found] == [{"S": "x"}] * len(found)


# --- many at once

EDITORS = 8
ROUNDS = 10


@pytest.mark.real_engine
@every_rule
@pytest.mark.parametrize("how", ["update", "action"])
def test_a_revocation_ends_all_writes(docs: Make, table_name: str, rule: Any, how: str) -> None:
    """While eight writers write, the owner changes: the item stays for good as it was at that moment.

    Not under moto, which between two threads checks a condition and writes as two steps.
    """
    client = docs(rule)
    put(table_name, OLD)
    begun = threading.Barrier(EDITORS + 1)

    def edit(editor: int) -> list[int]:
        begun.wait()
        statuses = []
        for number in range(ROUNDS):
            if how == "update":
                result = client.patch("/docs/d", json={"text": f"{editor}-{number}"})
            else:
                result = client.post("/docs/d/finish")
            statuses.append(result.status)
        return statuses

    with ThreadPoolExecutor(EDITORS) as pool:
        running = [pool.submit(edit, editor) for editor in range(EDITORS)]
        begun.wait()
        while stored(table_name)[0]["text"] == OLD["text"]:
            pass
        at_that_moment = dynamodb_call(
            "update_item",
            TableName=table_name,
            Key={"id": {"S": "d"}},
            UpdateExpression="SET #owner = :bob",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":bob": {"S": BOB.uuid}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        statuses = {status for each in running for status in each.result()}
    assert stored(table_name) == [at_that_moment]
    assert statuses == {200, 404}
