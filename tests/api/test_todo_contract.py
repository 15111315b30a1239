"""The contract's own example, pasted, does what the contract says on every event source."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    allow,
    assert_problem,
    counted,
    dynamodb_call,
    every_form,
    resolved,
    stored,
    text_item,
    writes,
)

from polymicro_lambda.http.users import User

EXAMPLE = """
from datetime import datetime, timezone
from uuid import uuid4
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model
from polymicro_lambda import PolyMicro, ModelResource, Create, List, Retrieve, Update, Delete
from polymicro_lambda.permissions import Permission

def get_request_user(request):                 # optional; None means: no user
    return request.user

pm = PolyMicro(req_user_func=get_request_user) # PolyMicro() reads the authorizer context itself

class Todo(Model):
    class Meta:
        table_name = "todos"
    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    creation_date_time = UTCDateTimeAttribute(default=lambda: datetime.now(timezone.utc))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)
    due_date_time = UTCDateTimeAttribute(null=True)

class TodoPermission(Permission):
    def has_permission(self, user, method: str):
        return "administrator" in user.permissions or "therapist" in user.permissions
    def has_object_permission(self, user, method: str, instance):
        return instance.owner == user.uuid

class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Todo
    route = "todo"
    permissions = (TodoPermission)             # one class, or an iterable of classes, instances, compositions
    dump_only = ("creation_date_time", "owner", "uuid")
    required = ("text",)
    def list(self, user, pagination_key=None, limit=25):
        return Todo.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)
    def create(self, req: dict, user):
        req["owner"] = user.uuid
        return super().create(req, user)

TodoResource(pm)                               # registers
handler = pm.compile()                         # validates, compiles, returns handler(event, context) -> dict
"""
ITEM = {"GET", "HEAD", "OPTIONS", "PATCH", "PUT", "DELETE"}
COLLECTION = {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.fixture
def todo(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example's names, its table made, and ``table``: the table's name."""
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name)
    names: dict[str, Any] = {"__name__": "todo"}
    exec(EXAMPLE, names)
    names["Todo"].create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return SimpleNamespace(**names, table=f"{table_name}todos")


@pytest.fixture
def client(todo: Any) -> Caller:
    return Caller(todo.handler, user=ALICE)


def put(todo: Any, *items: dict[str, Any]) -> None:
    for item in items:
        dynamodb_call("put_item", TableName=todo.table, Item=item)


MILK = {
    "owner": "alice",
    "uuid": "u1",
    "creation_date_time": "2026-01-02T03:04:05+00:00",
    "text": "milk",
    "done": False,
    "due_date_time": None,
}


def without_etag(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "etag"}


@every_form
def test_all_five_verbs(client: Caller, todo: Any, form: dict[str, Any]) -> None:
    made = client.post("/todo", json={"text": "milk"}, **form)
    item = made.json
    assert made.status == 201
    assert item == MILK | {"uuid": item["uuid"], "creation_date_time": item["creation_date_time"]}
    assert str(UUID(item["uuid"])) == item["uuid"]
    age = datetime.now(UTC) - datetime.fromisoformat(item["creation_date_time"])
    assert timedelta(0) <= age < timedelta(minutes=1)
    path = f"/todo/alice/{item['uuid']}"
    assert resolved(made, "/todo") == path

    listed = client.get("/todo", **form)
    assert (listed.status, listed.json) == (200, {"items": [item], "pagination_key": None})
    assert "link" not in listed.headers
    retrieved = client.get(path, **form)
    assert (retrieved.status, retrieved.json) == (200, item)
    patched = client.patch(path, json={"done": True, "due_date_time": "2026-02-03T04:05:06+01:00"}, **form)
    due = datetime.fromisoformat(patched.json["due_date_time"])
    assert due == datetime.fromisoformat("2026-02-03T04:05:06+01:00")
    item |= {"done": True, "due_date_time": patched.json["due_date_time"]}
    assert (patched.status, patched.json) == (200, item)
    assert client.get(path, **form).json == item
    replaced = client.put(path, json={"text": "bread"}, **form)
    assert (replaced.status, replaced.json) == (
        200,
        item | {"text": "bread", "done": False, "due_date_time": None},
    )
    deleted = client.delete(path, **form)
    assert (deleted.status, deleted.body) == (204, b"")
    assert_problem(client.get(path, **form), 404)
    assert_problem(client.delete(path, **form), 404)
    assert stored(todo.table) == []


def test_an_item_is_the_same_bytes_out_of_every_source(client: Caller, todo: Any) -> None:
    put(todo, text_item("alice", "u1"))
    result = client.everywhere("GET", "/todo/alice/u1")
    assert (result.status, result.json) == (200, MILK)
    assert without_etag(result.headers) == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    assert client.everywhere("GET", "/todo").json == {"items": [MILK], "pagination_key": None}


@pytest.mark.parametrize("path", ["/todo", "/todo/alice/u1", "/todo/alice/u2", "/todo/bob/u1", "/nothing"])
def test_head_is_get_without_a_body(client: Caller, todo: Any, path: str) -> None:
    put(todo, text_item("alice", "u1"))
    got, head = client.get(path), client.everywhere("HEAD", path)
    assert (head.status, dict(head.headers), head.body) == (got.status, dict(got.headers), b"")


@pytest.mark.parametrize(
    ("path", "verbs"), [("/todo", COLLECTION), ("/todo/a/b", ITEM)], ids=["collection", "item"]
)
@pytest.mark.parametrize("user", [ALICE, None], ids=["user", "nobody"])
def test_options_names_exactly_the_verbs_that_there_are(
    client: Caller, path: str, verbs: set[str], user: User | None
) -> None:
    with counted() as calls:
        result = client.everywhere("OPTIONS", path, user=user)
    assert (result.status, allow(result), result.body, calls) == (204, verbs, b"", [])


@pytest.mark.parametrize(
    ("method", "path", "verbs"),
    [
        ("PATCH", "/todo", COLLECTION),
        ("PUT", "/todo", COLLECTION),
        ("DELETE", "/todo/", COLLECTION),
        ("POST", "/todo/a/b", ITEM),
        ("TRACE", "/todo/a/b", ITEM),
        ("BREW", "/todo", COLLECTION),
    ],
)
def test_a_verb_that_is_not_there_is_405(client: Caller, method: str, path: str, verbs: set[str]) -> None:
    with counted() as calls:
        result = client.everywhere(method, path, body="{", user=None)
    assert_problem(result, 405)
    assert (allow(result), calls) == (verbs, [])


def test_a_todo_of_somebody_else_is_as_if_it_were_not_there(client: Caller, todo: Any) -> None:
    put(todo, text_item("bob", "u1"))
    before = stored(todo.table)
    for method, body in (("GET", None), ("PATCH", "{}"), ("PUT", '{"text":"x"}'), ("DELETE", None)):
        hidden, missing = (
            client.everywhere(method, path, body=body, headers={"Content-Type": "application/json"})
            for path in ("/todo/bob/u1", "/todo/bob/u2")
        )
        assert_problem(hidden, 404)
        assert (hidden.body, hidden.headers) == (missing.body, missing.headers)
    assert stored(todo.table) == before
    assert client.get("/todo/bob/u1", user=BOB).status == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("user", "status"), [(None, 401), (User("alice"), 403)], ids=["nobody", "without a role"]
)
def test_who_may_not_costs_no_call(client: Caller, method: str, user: User | None, status: int) -> None:
    with counted() as calls:
        result = client.everywhere(method, "/todo/alice/u1", user=user, body="{")
    assert_problem(result, status)
    assert (calls, "www-authenticate" in result.headers) == ([], status == 401)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "", "1.0", "1e1", "%201", "%2B5", "9" * 5000])
def test_a_limit_that_is_none_is_400(client: Caller, limit: str) -> None:
    with counted() as calls:
        assert_problem(client.everywhere("GET", f"/todo?limit={limit}"), 400, "limit")
    assert calls == []


@pytest.mark.parametrize(
    ("query", "place"),
    [("nope=1", "nope"), ("limit=1&limit=2", "limit"), ("pagination_key=x", "pagination_key")],
    ids=["unknown", "repeated", "forged cursor"],
)
def test_a_query_that_is_not_understood_is_400(client: Caller, query: str, place: str) -> None:
    forms = [
        {"source": "rest"},
        {"source": "http"},
        {"source": "url"},
        {"source": "alb"},
        {"source": "lattice"},
    ]
    for form in forms:
        with counted() as calls:
            assert_problem(client.get("/todo", query=query, **form), 400, place)
        assert calls == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/todo"), ("GET", "/todo/alice/u1")])
def test_a_query_where_none_is_known_is_400(client: Caller, todo: Any, method: str, path: str) -> None:
    put(todo, text_item("alice", "u1"))
    before = stored(todo.table)
    headers = {"Content-Type": "application/json"}
    result = client.everywhere(method, f"{path}?nope=1", body='{"text":"x"}', headers=headers)
    assert_problem(result, 400, "nope")
    assert stored(todo.table) == before


@every_form
def test_pages_follow_each_other_by_key_and_by_link(client: Caller, todo: Any, form: dict[str, Any]) -> None:
    put(todo, *(text_item("alice", f"u{number}") for number in range(5)), text_item("bob", "u0"))
    by_key: list[list[str]] = []
    by_link: list[list[str]] = []
    key, link = "", "/todo?limit=2"
    while key is not None:
        page = client.get("/todo", query={"limit": 2} | ({"pagination_key": key} if key else {}), **form).json
        by_key.append([item["uuid"] for item in page["items"]])
        key = page["pagination_key"]
    while link:
        result = client.get(link, **form)
        by_link.append([item["uuid"] for item in result.json["items"]])
        assert ("link" in result.headers) == (result.json["pagination_key"] is not None)
        link = resolved(result, link, "link") if "link" in result.headers else ""
    assert by_key == by_link == [["u0", "u1"], ["u2", "u3"], ["u4"]]


def test_a_cursor_is_its_users_alone(client: Caller, todo: Any) -> None:
    put(todo, *(text_item("alice", f"u{number}") for number in range(3)))
    key = client.get("/todo?limit=1").json["pagination_key"]
    with counted() as calls:
        assert_problem(client.get("/todo", query={"pagination_key": key}, user=BOB), 400, "pagination_key")
        changed = key[:-1] + ("A" if key[-1] != "A" else "B")
        forged = client.everywhere("GET", "/todo", query={"pagination_key": f"{changed}{key[:4]}"})
        assert_problem(forged, 400, "pagination_key")
        assert_problem(client.everywhere("GET", "/todo", query={"pagination_key": ""}), 400, "pagination_key")
    assert calls == []


def test_a_cursor_ends_after_a_day(client: Caller, todo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(todo, *(text_item("alice", f"u{number}") for number in range(3)))
    key = client.get("/todo?limit=1").json["pagination_key"]
    now = datetime.now(UTC).timestamp()
    monkeypatch.setattr("time.time", lambda: now + 86400 - 60)
    assert client.get("/todo", query={"pagination_key": key}).status == 200
    monkeypatch.setattr("time.time", lambda: now + 86400 + 60)
    assert_problem(client.get("/todo", query={"pagination_key": key}), 400, "pagination_key")


def test_create_never_overwrites(client: Caller, todo: Any) -> None:
    """The key is the server's own here, so two creates are two items."""
    first, second = (client.post("/todo", json={"text": text}).json for text in ("a", "b"))
    assert first["uuid"] != second["uuid"]
    assert len(stored(todo.table)) == 2


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_update_of_nothing_writes_nothing(client: Caller, todo: Any, method: str) -> None:
    with counted() as calls:
        assert_problem(client.request(method, "/todo/alice/u1", json={"text": "x"}), 404)
    assert (writes(calls), stored(todo.table)) == ([], [])


def test_patch_leaves_alone_what_it_does_not_name(client: Caller, todo: Any) -> None:
    """Attributes that the model does not declare included; an explicit null removes."""
    odd: dict[str, Any] = {
        "legacy": {"M": {"a": {"N": "1"}}},
        "due_date_time": {"S": "2026-01-02T03:04:05.000000+0000"},
    }
    put(todo, text_item("alice", "u1", **odd))
    assert client.patch("/todo/alice/u1", json={"text": "bread", "due_date_time": None}).json == MILK | {
        "text": "bread"
    }
    del odd["due_date_time"]
    assert stored(todo.table) == [text_item("alice", "u1", "bread", **odd)]


def test_put_replaces_the_declared(client: Caller, todo: Any) -> None:
    """Absent with a default takes it, absent and nullable is removed, dump_only and undeclared stay."""
    odd: dict[str, Any] = {"due_date_time": {"S": "2026-01-02T03:04:05.000000+0000"}, "done": {"BOOL": True}}
    put(todo, text_item("alice", "u1", legacy={"S": "x"}, **odd))
    assert client.put("/todo/alice/u1", json={"text": "bread"}).json == MILK | {"text": "bread"}
    assert stored(todo.table) == [text_item("alice", "u1", "bread", legacy={"S": "x"})]


def test_an_empty_patch_gives_the_item_and_writes_nothing(client: Caller, todo: Any) -> None:
    put(todo, text_item("alice", "u1"))
    with counted() as calls:
        result = client.patch("/todo/alice/u1", json={})
    assert (result.status, result.json, writes(calls)) == (200, MILK, [])


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"text": 1}, ["#/text"]),
        ({"text": None}, ["#/text"]),
        ({"text": ["a"]}, ["#/text"]),
        ({"text": {"a": 1}}, ["#/text"]),
        ({"text": "x", "done": "false"}, ["#/done"]),
        ({"text": "x", "done": 1}, ["#/done"]),
        ({"text": "x", "done": None}, ["#/done"]),
        ({"text": "x", "due_date_time": "tomorrow"}, ["#/due_date_time"]),
        ({"text": "x", "due_date_time": "2026-01-01T00:00:00"}, ["#/due_date_time"]),
        ({"text": "x", "due_date_time": "0001-01-01T00:00:00+14:00"}, ["#/due_date_time"]),
        ({"text": "x", "due_date_time": 0}, ["#/due_date_time"]),
        ({"text": "x", "owner": "alice"}, ["#/owner"]),
        ({"text": "x", "uuid": "u9"}, ["#/uuid"]),
        ({"text": "x", "creation_date_time": "2026-01-02T03:04:05Z"}, ["#/creation_date_time"]),
        ({"text": "x", "a/b~c": 1}, ["#/a~1b~0c"]),
        ({"text": 1, "done": 2, "owner": "bob", "z": 1}, ["#/text", "#/done", "#/owner", "#/z"]),
    ],
    ids=repr,
)
def test_what_the_schema_refuses_is_422(
    client: Caller, todo: Any, method: str, body: Any, places: list[str]
) -> None:
    put(todo, text_item("alice", "u1"))
    before = stored(todo.table)
    with counted() as calls:
        result = client.request(method, "/todo" if method == "POST" else "/todo/alice/u1", json=body)
    assert_problem(result, 422, *places)
    assert (calls, stored(todo.table)) == ([], before)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_required_is_required(client: Caller, todo: Any, method: str) -> None:
    put(todo, text_item("alice", "u1"))
    path = "/todo" if method == "POST" else "/todo/alice/u1"
    headers = {"Content-Type": "application/json"}
    with counted() as calls:
        assert_problem(client.everywhere(method, path, body='{"done":true}', headers=headers), 422, "#/text")
    assert calls == []


def test_at_most_fifty_messages(client: Caller) -> None:
    errors = client.post("/todo", json={f"f{number}": 1 for number in range(60)}).json["errors"]
    assert len(errors) == 50
