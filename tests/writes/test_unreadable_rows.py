"""Rows that no attribute can read: who must not know of one meets a missing item, and a write that was done is told."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import ALICE, BOB, WRITES, Caller, assert_problem, dynamodb_call, failing, stored
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    IsAuthenticated,
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


class Mine(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


class Short(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return len(instance.id) < 9


class Told(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        raise AssertionError("It is called with what cannot be read.")


class Stamp:
    store: Any

    @action(detail=False, methods=("POST",))
    def stamp(self) -> Any:
        return self.store.update(self.model("1"), {"text": "stamped"})  # type: ignore[attr-defined]

    @action(detail=False, methods=("POST",))
    def stamps(self) -> Any:
        return {"one": self.stamp(), "all": [self.stamp()]}


class Odd(BooleanAttribute):
    """It cannot read a True that it writes, as no client's body is let to say."""

    def deserialize(self, value: Any) -> Any:
        if value:
            raise ValueError("canary")
        return value


@pytest.fixture
def notes(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes``; the note ``1`` is alice's, and no note can be read."""

    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)
        done = BooleanAttribute(null=True)

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    item = {"id": {"S": "1"}, "owner": {"S": "alice"}, "text": {"S": "old"}, "done": {"S": "no boolean"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)

    def make(rule: Any, *verbs: type, **members: Any) -> Caller:
        body = {"model": Note, "permissions": rule, "route": "notes", **members}
        type("Notes", (ModelResource, *verbs), body)(pm := PolyMicro())
        return Caller(pm.compile(), user=ALICE)

    return make


ALL = (Create, Retrieve, Update, Delete)
HIDING = {"where": Mine, "opaque": Opaque, "and": Mine & Short, "or": Mine | Opaque, "not": ~(~Mine | ~Short)}


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("rule", HIDING.values(), ids=HIDING)
def test_who_may_not_see_a_row_meets_a_missing_one(notes: Make, rule: Any, method: str) -> None:
    body = {"json": {"text": "x"}} if method in ("PATCH", "PUT") else {}
    client = notes(rule, *ALL)
    answers = [client.request(method, f"/notes/{name}", user=BOB, **body) for name in ("1", "2")]
    assert answers[0].status == answers[1].status == 404
    assert answers[0].body == answers[1].body


SHOWING = {"request": IsAuthenticated, "where": Mine, "or": Mine | Opaque, "and": Mine & IsAuthenticated}


@pytest.mark.parametrize("rule", SHOWING.values(), ids=SHOWING)
def test_whom_the_rule_surely_lets_learns_that_the_row_is_broken(notes: Make, rule: Any) -> None:
    assert_problem(notes(rule, *ALL).get("/notes/1"), 500)


def test_a_row_hidden_for_safety_is_logged(notes: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Its owner meets 404 as well: Python cannot be asked about a row that it cannot read."""
    client = notes(Opaque, *ALL)
    caplog.clear()
    assert client.get("/notes/1").status == 404
    (record,) = caplog.records
    assert (record.levelname, len(vars(record)["key_sha256"])) == ("ERROR", 16)
    assert "boolean" not in caplog.text


# --- writes


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("rule", [IsAuthenticated, OwnedBy("owner"), Mine & OwnedBy("owner")])
def test_a_change_that_cannot_be_shown_is_done(notes: Make, table_name: str, rule: Any, method: str) -> None:
    client = notes(rule, Update, dump_only=("done", "owner"))
    result = client.request(method, "/notes/1", json={"text": "new"})
    assert (result.status, result.body) == (204, b"")
    assert stored(table_name)[0]["text"] == {"S": "new"}


@pytest.mark.parametrize("rule", [IsAuthenticated, Mine & OwnedBy("owner")])
def test_a_lost_answer_is_found_out(notes: Make, table_name: str, rule: Any) -> None:
    client = notes(rule, Update)
    with failing(ReadTimeoutError(endpoint_url="x"), late=True, on=WRITES):
        assert client.patch("/notes/1", json={"text": "new"}).status == 204
    assert stored(table_name)[0]["text"] == {"S": "new"}


def test_an_override_is_not_called(notes: Make, table_name: str) -> None:
    """It is handed an instance; there is none."""
    assert_problem(notes(IsAuthenticated, Told).patch("/notes/1", json={"text": "new"}), 500)
    assert stored(table_name)[0]["text"] == {"S": "old"}


def test_an_action_tells_what_it_has_done(notes: Make, table_name: str) -> None:
    client = notes(IsAuthenticated, Stamp)
    assert client.post("/notes/stamp").status == 204
    assert client.post("/notes/stamps").json == {"one": None, "all": [None]}
    assert stored(table_name)[0]["text"] == {"S": "stamped"}


def test_a_change_that_mends_the_row_shows_it(notes: Make) -> None:
    mended = notes(IsAuthenticated, Update).patch("/notes/1", json={"done": True})
    assert (mended.status, mended.json["done"], mended.json["text"]) == (200, True, "old")


def test_nothing_written_is_no_success(notes: Make) -> None:
    assert_problem(notes(IsAuthenticated, Update).patch("/notes/1", json={}), 500)


def test_a_new_item_that_cannot_be_shown_is_made(dynamodb: None, table_name: str) -> None:
    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        done = Odd(null=True)

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)

    class Notes(ModelResource, Create):
        model = Note
        permissions = IsAuthenticated
        route = "notes"

        def create(self, req: Any, user: Any) -> Any:
            return super().create({**req, "done": True}, user)

    Notes(pm := PolyMicro())
    client = Caller(pm.compile(), user=ALICE)
    assert_problem(client.post("/notes", json={"id": "1", "done": True}), 422, "#/done")
    made = client.post("/notes", json={"id": "1"})
    assert (made.status, made.body) == (201, b"")
    assert len(stored(table_name)) == 1
