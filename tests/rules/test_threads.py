"""Threads: the store is under the request's rule in those that a request is carried into, and refuses all others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_table, dynamodb_call, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.rules import Guard, guarded
from polymicro_lambda.threads import Executor

ITEMS = [{"id": {"S": name}, "owner": {"S": name}, "text": {"S": "old"}} for name in ("alice", "bob")]

CALLS: dict[str, tuple[Callable[..., Any], Any]] = {
    "read": (lambda notes, id_: notes.store.read({"id": id_}).text, "old"),
    "create": (lambda notes, id_: notes.store.create({"id": "new", "owner": id_}).id, "new"),
    "update": (lambda notes, id_: notes.store.update(notes.model(id_), {"text": "new"}).text, "new"),
    "update of nothing": (lambda notes, id_: notes.store.update(notes.model(id_), {}).text, "old"),
    "delete": (lambda notes, id_: notes.store.delete(notes.model(id_)), None),
    "the mixins' own": (lambda notes, id_: notes.update(notes.model(id_), {"text": "new"}, None).text, "new"),
    "list": (lambda notes, id_: id_ in [note.id for note in notes.list(None)], True),
}
"""Calls of a resource's store, and what they give to whose item it is."""
REFUSED = {"create": (403, None), "list": (200, False)}
"""What everybody else gets, where that is not 404."""
THREADS: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "pool": lambda call: pooled(ThreadPoolExecutor, call),
    "executor": lambda call: pooled(Executor, call),
    "copied context": lambda call: pooled(ThreadPoolExecutor, partial(copy_context().run, call)),
}
every_call = pytest.mark.parametrize("call", CALLS)


def pooled(kind: type[ThreadPoolExecutor], call: Callable[[], Any]) -> Any:
    with kind(1) as pool:
        return pool.submit(call).result()


class Own(Create, List, Retrieve, Update, Delete):
    @action(detail=False)
    def act(self, req: Any, user: Any) -> Any:
        call, _ = CALLS[req["call"]]
        return {"got": THREADS[req["threads"]](lambda: call(self, req["id"]))}


@pytest.fixture
def note(dynamodb: None, table_name: str) -> Any:
    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute()
        text = UnicodeAttribute(null=True)

    create_table(Note, table_name)
    for item in ITEMS:
        dynamodb_call("put_item", TableName=table_name, Item=item)
    return Note


def resource_of(note: Any, rule: Any) -> Any:
    """The resource, and its client for Alice."""
    pm = PolyMicro()
    said = {"model": note, "route": "notes", "permissions": rule, "scan": True}
    resource: Any = type("Notes", (ModelResource, Own), said)(pm)
    resource.client = Caller(pm.compile(), user=ALICE)
    return resource


@pytest.fixture
def notes(note: Any) -> Any:
    """The resource in a process that serves."""
    resource = resource_of(note, OwnedBy("owner"))
    resource.client.get("/notes/alice").raise_for_status()
    return resource


def ask(notes: Any, call: str, id_: str, threads: str) -> Any:
    return notes.client.post("/notes/act", json={"call": call, "id": id_, "threads": threads})


@every_call
def test_a_thread_without_a_request_gets_nothing(
    notes: Any, table_name: str, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert_problem(ask(notes, call, "bob", "pool"), 500)
    assert stored(table_name) == ITEMS
    assert "polymicro_lambda.threads.Executor" in caplog.text
    assert "copy_context().run" in caplog.text


@every_call
@pytest.mark.parametrize("threads", ["executor", "copied context"])
def test_a_thread_that_has_the_request_acts_under_its_rule(
    notes: Any, table_name: str, call: str, threads: str
) -> None:
    refused = ask(notes, call, "bob", threads)
    assert (refused.status, refused.json.get("got")) == REFUSED.get(call, (404, None))
    assert stored(table_name) == ITEMS
    granted = ask(notes, call, "alice", threads)
    assert (granted.status, granted.json) == (200, {"got": CALLS[call][1]})


@every_call
def test_code_outside_of_a_request_is_trusted(notes: Any, call: str) -> None:
    """In the main thread, and in another one that says so; else it is told what to do."""
    act, gives = CALLS[call]

    def say() -> Any:
        with guarded(Guard()):
            return act(notes, "bob")

    with pytest.raises(
        ConfigurationError, match=r"^The thread '.+_0' called a resource's store outside of a"
    ):
        pooled(ThreadPoolExecutor, lambda: act(notes, "bob"))
    if call != "create":  # both would make the same
        assert act(notes, "alice") == gives
    assert pooled(ThreadPoolExecutor, say) == gives


def test_a_process_that_serves_nothing_may_do_as_it_likes(
    notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, _ = CALLS["read"]
    monkeypatch.setattr("polymicro_lambda.rules.guard_context._serves", False)
    assert pooled(ThreadPoolExecutor, lambda: read(notes, "bob")) == "old"
    notes.client.get("/anything")
    with pytest.raises(ConfigurationError):
        pooled(ThreadPoolExecutor, lambda: read(notes, "bob"))


def test_a_server_of_threads_serves_as_ever(note: Any, table_name: str) -> None:
    """A permission looks something up by a store, before the verb has a rule."""

    class Known(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return bool(notes.store.read({"id": "bob"}).owner == "bob")

    notes = resource_of(note, Known)
    for method, path, body in (("GET", "/notes/bob", {}), ("PATCH", "/notes/bob", {"json": {"text": "new"}})):
        request = partial(notes.client.request, method, path, **body)
        assert pooled(ThreadPoolExecutor, request).status == 200
    assert stored(table_name)[1]["text"] == {"S": "new"}


def test_what_is_public_needs_a_request_too(note: Any) -> None:
    notes = resource_of(note, AllowAny)
    assert_problem(ask(notes, "read", "bob", "pool"), 500)
    assert ask(notes, "read", "bob", "executor").json == {"got": "old"}


def test_each_call_of_map_has_a_context_of_its_own() -> None:
    number = ContextVar("number", default=0)
    number.set(1)

    def add(more: int) -> int:
        number.set(number.get() + more)
        return number.get()

    with Executor(2) as pool:
        assert list(pool.map(add, [1, 2, 3])) == [2, 3, 4]
        assert pool.submit(add, more=5).result() == 6
    assert number.get() == 1
