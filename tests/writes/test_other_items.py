"""What a request says of its own item is not asked of the other items that its verb reads and writes."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, stored
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
    action,
)

Make = Callable[..., Caller]


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return instance.owner == user.uuid


RULES = {"where": OwnedBy("owner") & ~HasPermission("x"), "opaque": Opaque, "or": OwnedBy("owner") | Opaque}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture(params=["versioned", "digest"])
def notes(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes``; its verbs find the resource of logs, whose items have no owner, in ``logs``."""

    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    class VersionedNote(Note):
        class Meta:
            pass

        version = VersionAttribute()

    class Log(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    class VersionedLog(Log):
        class Meta:
            pass

        version = VersionAttribute()

    versioned = request.param == "versioned"
    model, other = (VersionedNote, VersionedLog) if versioned else (Note, Log)
    for one, name in ((Note, table_name), (VersionedNote, table_name), (Log, f"{table_name}_l")):
        one.Meta.table_name = name
    VersionedLog.Meta.table_name = f"{table_name}_l"
    for each in (model, other):
        each.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for name in ("1", "2"):
        model(name, owner="alice", text="old").save()
    model("3", owner="bob", text="old").save()
    other("log", text="old").save()

    def make(rule: Any, *verbs: type, **members: Any) -> Caller:
        pm = PolyMicro()
        body = {"model": other, "permissions": AllowAny, "route": "logs", "scan": True}
        logs = type("Logs", (ModelResource, List, Retrieve), body)(pm)
        body = {"model": model, "permissions": rule, "route": "notes", "scan": True, "logs": logs}
        type("Notes", (ModelResource, *verbs), {**body, **members})(pm)
        return Caller(pm.compile(), user=ALICE)

    return make


class Busy(Update):
    """Writes a sibling and a log besides."""

    store: Any
    logs: Any

    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        done = super().update(instance, req, user)
        sibling = self.store.update(self.store.read({"id": "2"}), {"text": "moved"})
        assert self.store.update(sibling, {}).text == "moved"
        store = self.logs.store
        log = store.update(store.read({"id": "log"}), {"text": "logged"})
        assert store.update(log, {}).text == "logged"
        store.create({"id": "new", "text": "logged"})
        store.delete(store.create({"id": "short", "text": "logged"}))
        return done


@every_rule
def test_if_match_and_the_rule_stay_with_their_item(notes: Make, table_name: str, rule: Any) -> None:
    client = notes(rule, Busy, Retrieve)
    tag = client.get("/notes/1").headers["etag"]
    result = client.patch("/notes/1", json={"text": "new"}, headers={"If-Match": tag})
    assert (result.status, result.json["text"]) == (200, "new")
    assert [item["text"]["S"] for item in stored(table_name)] == ["new", "moved", "old"]
    assert {item["id"]["S"] for item in stored(f"{table_name}_l")} == {"log", "new"}


def test_if_match_is_still_asked_of_the_item_in_the_path(notes: Make, table_name: str) -> None:
    client = notes(IsAuthenticated, Busy, Retrieve)
    refused = client.patch("/notes/1", json={"text": "new"}, headers={"If-Match": '"7"'})
    assert (refused.status, refused.json["current"]["text"]) == (412, "old")
    assert {item["text"]["S"] for item in stored(table_name)} == {"old"}


class Meddling(Delete):
    store: Any

    def delete(self, instance: Any, user: Any) -> Any:
        self.store.update(self.store.read({"id": "3"}), {"text": "stolen"})


@every_rule
def test_the_rule_is_asked_of_every_item_of_the_model(notes: Make, table_name: str, rule: Any) -> None:
    assert notes(rule, Meddling).delete("/notes/1").status == 404
    assert {item["text"]["S"] for item in stored(table_name)} == {"old"}


class Counting:
    store: Any
    logs: Any

    @action(detail=False, methods=("POST",))
    def touch(self) -> Any:
        return self.store.update(self.store.read({"id": "2"}), {"text": "touched"})

    @action(detail=False, methods=("GET",))
    def log(self, user: Any) -> Any:
        rows = self.logs.store.rows(self.logs.planner.plan({}, None), pagination_key=None, limit=9)
        return {"own": [row.text for row in rows], "mixin": [row.text for row in self.logs.list(user)]}


def test_a_request_without_an_item_has_none_to_match(notes: Make) -> None:
    touched = notes(IsAuthenticated, Counting).post("/notes/touch", headers={"If-Match": '"7"'})
    assert (touched.status, touched.json["text"]) == (200, "touched")


@every_rule
def test_the_rows_of_another_model_are_not_judged(notes: Make, rule: Any) -> None:
    """Nor is their list planned by what the rule binds."""
    assert notes(rule, Counting).get("/notes/log").json == {"own": ["old"], "mixin": ["old"]}


class Logs(List):
    logs: Any

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return self.logs.list(user, pagination_key=pagination_key, limit=limit)


class FewLogs(List):
    logs: Any

    def list(self, user: Any) -> Any:
        return [self.logs.store.read({"id": "log"})]


@every_rule
@pytest.mark.parametrize("verb", [Logs, FewLogs])
def test_a_list_of_another_model_is_the_developers(notes: Make, rule: Any, verb: Any) -> None:
    """It is dumped by the route's schema, as ever."""
    (row,) = notes(rule, verb).get("/notes").json["items"]
    assert row["id"] == "log"


class Copying(Create):
    store: Any

    def create(self, req: dict[str, Any], user: Any) -> Any:
        self.store.create({**req, "id": f"{req['id']}-copy", "owner": "bob"})
        return super().create(req, user)


def test_a_create_of_the_model_is_judged(notes: Make, table_name: str) -> None:
    client = notes(OwnedBy("owner") | HasPermission("x"), Copying)
    assert client.post("/notes", json={"id": "9"}).status == 403
    assert client.post("/notes", json={"id": "9"}, user=BOB).status == 201
    assert len(stored(table_name)) == 5
