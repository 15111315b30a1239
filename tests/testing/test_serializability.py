"""Requests at once: which races are found, what counts as equal, how a race is told, and that no trace is left."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations, product
from typing import Any
from uuid import uuid4

import pytest
from contract import ALICE, Caller, create_table, create_tables, stored
from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
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
    Idempotency,
    List,
    ModelResource,
    PolyMicro,
    RateLimit,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.testing import assert_serializable
from polymicro_lambda.testing.serializability import runs, serializable
from polymicro_lambda.testing.serializability.calls import Call
from polymicro_lambda.testing.serializability.orders import Orders
from polymicro_lambda.threads import Executor

lock = threading.Lock()


class Own(Create, List, Retrieve, Update, Delete):
    """Verbs that look at an item, or at others, and then write."""

    model: Any
    store: Any

    @action()
    def finish(self, instance: Any) -> Any:
        if instance.done:
            raise Conflict("It is done already.")
        instance.update(actions=[self.model.done.set(True)])

    @action()
    def finish_by_store(self, instance: Any, user: Any) -> Any:
        if instance.done:
            raise Conflict("It is done already.")
        return self.update(instance, {"done": True}, user)

    @action()
    def finish_on_condition(self, instance: Any) -> Any:
        try:
            instance.update(actions=[self.model.done.set(True)], condition=self.model.done == False)  # noqa: E712
        except Exception as error:
            raise Conflict("It is done already.") from error

    @action()
    def note(self, instance: Any, req: Any) -> Any:
        """Appends what nobody has said, and when."""
        notes = [*(instance.notes or []), {"at": datetime.now(UTC).isoformat(), "text": req["text"]}]
        instance.update(actions=[self.model.notes.set(notes)])

    @action()
    def append(self, instance: Any, req: Any) -> Any:
        """The same by DynamoDB itself."""
        note = [{"at": datetime.now(UTC).isoformat(), "text": req["text"]}]
        instance.update(actions=[self.model.notes.set(self.model.notes.append(note))])

    @action()
    def count_up(self, instance: Any) -> Any:
        instance.update(actions=[self.model.count.add(1)])

    @action()
    def tag(self, instance: Any, req: Any) -> Any:
        instance.update(actions=[self.model.tags.add(set(req))])

    @action()
    def leave(self, instance: Any, req: Any) -> Any:
        """One of two must stay: looks at the other one, then ends its own."""
        if self.model.get(req["other"], consistent_read=True).done:
            raise Conflict("One must stay.")
        instance.update(actions=[self.model.done.set(True)])

    @action()
    def half(self, instance: Any) -> Any:
        """Counts before it refuses."""
        self.store.update(instance, {"text": "begun"})
        if self.model.get(instance.id, consistent_read=True).done:
            raise Conflict("Too late.")

    @action()
    def hold(self, instance: Any) -> Any:
        """Holds a lock of this process while it calls."""
        with lock:
            self.model.get(instance.id)
            self.model.get(instance.id)

    @action(detail=False)
    def read(self, req: Any) -> Any:
        with Executor(2) as pool:
            return [note.text for note in pool.map(self.store.read, [{"id": id_} for id_ in req["ids"]])]


@pytest.fixture
def todo(dynamodb: None, table_name: str) -> Any:
    class Todo(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True, default=lambda: str(uuid4()))
        text = UnicodeAttribute(null=True)
        done = BooleanAttribute(default=False)
        count = NumberAttribute(default=0)
        notes = ListAttribute(default=list)
        tags = UnicodeSetAttribute(null=True)
        created = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))
        until = TTLAttribute(default=timedelta(days=7))

    create_table(Todo, table_name)
    return Todo


def made(model: Any, **options: Any) -> Caller:
    """A client of ``/todos``, where "1" and "2" are."""
    pm = PolyMicro(**options)
    said = {"model": model, "route": "todos", "permissions": AllowAny, "scan": True}
    type("Todos", (ModelResource, Own), said)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    for id_ in ("1", "2"):
        client.post("/todos", json={"id": id_, "text": "old"}).raise_for_status()
    return client


@pytest.fixture
def client(todo: Any) -> Caller:
    return made(todo)


def act(name: str, id_: str = "1", body: Any = None) -> Callable[[Caller], Any]:
    return lambda client: client.post(f"/todos/{id_}/{name}", json=body)


def patch(id_: str = "1", **body: Any) -> Callable[[Caller], Any]:
    return lambda client: client.patch(f"/todos/{id_}", json=body)


def create(**body: Any) -> Callable[[Caller], Any]:
    return lambda client: client.post("/todos", json=body)


def delete(id_: str = "1") -> Callable[[Caller], Any]:
    return lambda client: client.delete(f"/todos/{id_}")


def race(client: Caller, *requests: Any, **options: Any) -> str:
    """What is told of a race."""
    with pytest.raises(AssertionError) as caught:
        assert_serializable(client, *requests, **options)
    return str(caught.value)


# --- what is found


RACES: dict[str, Sequence[Callable[[Caller], Any]]] = {
    "check, then act": [act("finish"), act("finish")],
    "read, then write more": [act("note", body={"text": "a"}), act("note", body={"text": "b"})],
    "a look at each other": [act("leave", body={"other": "2"}), act("leave", "2", {"other": "1"})],
    "an update of what is gone": [act("finish"), delete()],
    "a refusal that has begun": [act("half"), patch(done=True), patch(text="last")],
    "one of three": [patch(text="a"), act("finish"), act("finish")],
}


@pytest.mark.parametrize("requests", RACES.values(), ids=RACES)
def test_races_are_found(client: Caller, table_name: str, requests: Any) -> None:
    before = stored(table_name)
    assert "do not come out as if one came after the other" in race(client, *requests)
    assert stored(table_name) == before


SERIAL: dict[str, Sequence[Callable[[Caller], Any]]] = {
    "updates of one attribute": [patch(text="a"), patch(text="b")],
    "updates of two attributes": [patch(text="a"), patch(done=True)],
    "update, delete": [patch(text="a"), delete()],
    "delete, delete": [delete(), delete()],
    "creates of one key": [create(id="3", text="a"), create(id="3", text="b")],
    "create, update": [create(id="3", text="a"), patch("3", text="b")],
    "creates of keys that are made anew": [create(text="a"), create(text="b")],
    "create, list": [create(text="a"), lambda client: client.get("/todos")],
    "a condition": [act("finish_on_condition"), act("finish_on_condition")],
    "atomic changes": [act("count_up"), act("count_up"), act("count_up")],
    "a set that grows": [act("tag", body=["x"]), act("tag", body=["a"])],
    "a list that DynamoDB appends to": [
        act("append", body={"text": "a"}),
        act("append", body={"text": "b"}),
    ],
    "items that do not concern each other": [
        act("note", "1", {"text": "a"}),
        act("note", "2", {"text": "b"}),
    ],
    "what does not work either way": [act("nothing"), patch("none", text="a")],
}


@pytest.mark.parametrize("requests", SERIAL.values(), ids=SERIAL)
def test_what_comes_out_as_one_after_the_other_passes(client: Caller, table_name: str, requests: Any) -> None:
    before = stored(table_name)
    assert_serializable(client, *requests)
    assert stored(table_name) == before


def test_what_a_verb_has_looked_at_is_part_of_its_write(client: Caller) -> None:
    assert_serializable(client, act("finish_by_store"), act("finish_by_store"))


def test_a_race_is_told_in_words(client: Caller, table_name: str) -> None:
    assert race(client, act("finish"), act("finish")) == (
        "These requests do not come out as if one came after the other. The order of their calls:\n\n"
        f"  1. first: GetItem {table_name} (id=1)\n"
        f"  2. second: GetItem {table_name} (id=1)\n"
        f"  3. first: UpdateItem {table_name} (id=1)\n"
        f"  4. second: UpdateItem {table_name} (id=1)\n\n"
        "The answers:\n\n"
        "  first: <POST /todos/1/finish: 204 No Content >\n"
        "  second: <POST /todos/1/finish: 204 No Content >\n\n"
        "What differs from first, then second, which comes nearest:\n\n"
        "  the answer of second, status: 204, not 409"
    )


def test_a_call_that_was_refused_is_told(client: Caller, table_name: str) -> None:
    told = race(client, patch("none", text="a"), act("finish"), act("finish"))
    assert f". first: UpdateItem {table_name} (id=none): ConditionalCheckFailedException\n" in told


def test_how_tables_differ_is_told(client: Caller, table_name: str) -> None:
    told = race(client, act("note", body={"text": "a"}), act("note", body={"text": "b"}))
    assert f'\n  table {table_name} items {{"id": {{"S": "1"}}}} notes L: ' in told


# --- what is made anew


def test_seconds_are_made_anew(client: Caller, todo: Any) -> None:
    """Two runs within one second would say otherwise."""

    def stamp(client: Caller) -> Any:
        text = str(int(time.time()))
        time.sleep(0.3)
        return client.patch("/todos/1", json={"text": text})

    assert_serializable(client, stamp, patch("2", text="a"))


def test_what_is_ignored_is_compared_by_presence(client: Caller, todo: Any) -> None:

    def told(client: Caller) -> Any:
        """Not the same where other requests run too."""
        alone = threading.current_thread() is threading.main_thread()
        return client.patch("/todos/1", json={"text": "alone" if alone else "not alone"})

    assert_serializable(client, told, patch("2", text="a"), ignore=("text",))
    differs = race(client, told, patch("2", text="a"))
    assert "\n  the answer of first, body text: not alone, not alone\n" in differs


# --- what an app keeps for itself


@pytest.mark.thorough
def test_records_of_idempotency_and_counters_are_no_race(todo: Any, table_name: str) -> None:
    idempotency = Idempotency(table=f"{table_name}i")
    client = made(todo, idempotency=idempotency, rate_limit=RateLimit("100/day", table=f"{table_name}r"))

    def keyed(key: str, text: str) -> Callable[[], Any]:
        headers = {"Idempotency-Key": f'"{key}"'}
        return lambda: client.post("/todos", json={"id": "3", "text": text}, headers=headers)

    assert_serializable(client, keyed("a", "a"), keyed("b", "b"))
    assert_serializable(client, keyed("a", "a"), keyed("a", "a"))
    assert_serializable(client, keyed("a", "a"), keyed("a", "b"))
    assert stored(f"{table_name}i") == []
    assert [item["used"] for item in stored(f"{table_name}r")] == [{"N": "2"}]


def test_who_is_over_the_quota_has_not_run(todo: Any, table_name: str) -> None:
    client = made(todo, rate_limit=RateLimit("3/day", table=f"{table_name}r"))
    assert_serializable(client, patch(text="a"), patch(text="b"))


# --- requests


def test_requests_may_take_the_client(client: Caller, todo: Any) -> None:
    bob = client.as_(User("bob"))
    forms: tuple[Any, ...] = (
        partial(client.patch, "/todos/1", json={"text": "a"}),
        lambda: bob.patch("/todos/1", json={"text": "b"}),
        patch(text="c"),
    )
    assert_serializable(client, *forms)


def test_threads_of_a_request_are_part_of_its_step(client: Caller) -> None:
    read = partial(client.post, "/todos/read", json={"ids": ["1", "2"]})
    assert_serializable(client, read, patch(text="b"))
    assert_serializable(client, patch(text="b"), read, read)


@pytest.mark.parametrize("requests", [(), (patch(text="a"),)], ids=["none", "one"])
def test_one_request_is_no_race(client: Caller, requests: Any) -> None:
    with pytest.raises(ValueError, match=f"^Two requests or more can come at once, not {len(requests)}"):
        assert_serializable(client, *requests)


def test_names_to_ignore_are_a_collection(client: Caller) -> None:
    with pytest.raises(TypeError, match=r"^ignore is a collection of names, not the text 'text'"):
        assert_serializable(client, patch(text="a"), patch(text="b"), ignore="text")


def test_a_request_returns_its_result(client: Caller) -> None:
    with pytest.raises(TypeError, match=r"^A request returns its Result, not None"):
        assert_serializable(client, patch(text="a"), lambda: None)


def test_what_a_request_raises_goes_on(client: Caller, table_name: str) -> None:
    """With the order of calls in which it did so."""
    before = stored(table_name)
    with pytest.raises(AssertionError, match=r"^<DELETE /todos/1: 404") as caught:
        assert_serializable(client, lambda: delete()(client).raise_for_status(), patch(text="a"), delete("1"))
    assert not hasattr(caught.value, "__notes__")

    def once(client: Caller) -> Any:
        result = client.get("/todos/1")
        if threading.current_thread() is not threading.main_thread():
            raise KeyError("x")
        return result

    with pytest.raises(KeyError) as error:
        assert_serializable(client, once, patch(text="a"))
    assert error.value.__notes__ == [
        f"The order of the requests' calls until then:\n\n  1. first: GetItem {table_name} (id=1)"
    ]
    assert stored(table_name) == before


def test_an_app_that_does_not_work_has_no_races(client: Caller, todo: Any) -> None:
    todo.delete_table()
    assert "yet <PATCH /todos/1: 500" in race(client, patch(text="a"), patch(text="b"))


def test_there_are_bounds(client: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serializable, "MOST_RUNS", 3)
    assert race(client, *[act("finish_on_condition")] * 3) == (
        "These requests have more than 3 orders: ask for less at once."
    )


def test_a_lock_that_another_one_holds_is_told(
    client: Caller, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PATIENCE", 2.0)
    told = race(client, act("hold"), act("hold"), patch(text="a"))
    assert told.startswith("The second request neither ends nor calls DynamoDB; it may wait for a lock")
    assert not lock.locked()


# --- orders

PLACES = ("a", "b")
Program = Sequence[tuple[str, str]]


def played(programs: Sequence[Program], order: Sequence[int]) -> Any:
    """What is read and what is left when these steps are taken in an order."""
    places, seen, at = dict.fromkeys(PLACES, ""), [], dict.fromkeys(range(len(programs)), 0)
    for number in order:
        kind, place = programs[number][at[number]]
        at[number] += 1
        if kind == "read":
            seen.append((number, at[number], places[place]))
        else:
            places[place] += str(number)
    return tuple(sorted(seen)), tuple(places.items())


def call(step: tuple[str, str]) -> Call:
    kind, place = step
    parameters = {"TableName": "t", "Key": {"id": {"S": place}}}
    return Call.of("GetItem" if kind == "read" else "UpdateItem", parameters, lambda _: ["id"])


def taken(programs: Sequence[Program]) -> list[tuple[int, ...]]:
    """The orders that are tried."""
    orders, found, more = Orders(), [], True
    while more:
        order: list[int] | None = []
        while order is not None and len(order) < sum(map(len, programs)):
            at = {number: order.count(number) for number in range(len(programs))}
            could: Mapping[int, Call] = {n: call(programs[n][at[n]]) for n in at if at[n] < len(programs[n])}
            number = orders.choose(could)
            order = None if number is None else [*order, number]
        found += [] if order is None else [tuple(order)]
        more = orders.advance()
    return found


STEPS = list(product(("read", "write"), PLACES))
PROGRAMS = [list(each) for each in product(STEPS, repeat=2)]


def test_orders_that_are_left_out_lead_to_nothing_new() -> None:
    """Of all pairs of requests with two steps each, and of some with three of them."""
    for programs in [*product(PROGRAMS, PROGRAMS), *product(PROGRAMS[::5], repeat=3)]:
        numbers = [number for number, program in enumerate(programs) for _ in program]
        everything = {played(programs, order) for order in set(permutations(numbers))}
        tried = taken(programs)
        assert len(tried) == len(set(tried))
        assert {played(programs, order) for order in tried} == everything


@pytest.mark.parametrize(
    ("programs", "count"),
    [
        ([[("write", "a")], [("write", "b")]], 1),
        ([[("read", "a")] * 3, [("read", "a")] * 3], 1),
        ([[("write", "a")] * 2, [("write", "a")] * 2], 6),
        ([[("read", "a"), ("write", "a")], [("read", "a"), ("write", "a")]], 4),
    ],
    ids=["other items", "reads", "writes", "read and write"],
)
def test_how_many_orders_there_are(programs: Any, count: int) -> None:
    assert len(taken(programs)) == count


KEY, OTHER = {"id": {"S": "1"}}, {"id": {"S": "2"}}
GET, PUT = ("GetItem", {"TableName": "t", "Key": KEY}), ("PutItem", {"TableName": "t", "Item": KEY})
CALLS: dict[str, tuple[Any, Any, bool]] = {
    "reads": (GET, GET, True),
    "read, write": (GET, PUT, False),
    "write, write": (PUT, PUT, False),
    "other items": (PUT, ("DeleteItem", {"TableName": "t", "Key": OTHER}), True),
    "other tables": (PUT, ("UpdateItem", {"TableName": "u", "Key": KEY}), True),
    "query, write": (("Query", {"TableName": "t"}), PUT, False),
    "query, query": (("Query", {"TableName": "t"}), ("Scan", {"TableName": "t"}), True),
    "batch get, write": (("BatchGetItem", {"RequestItems": {"t": {"Keys": [OTHER, KEY]}}}), PUT, False),
    "batch write, read": (
        ("BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": {"Item": KEY | {"x": {"S": "y"}}}}]}}),
        GET,
        False,
    ),
    "check, read": (
        ("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {"TableName": "t", "Key": KEY}}]}),
        GET,
        True,
    ),
    "transaction, read": (
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t", "Item": KEY}}]}),
        GET,
        False,
    ),
    "a key that is not in DynamoDB's form": (("GetItem", {"TableName": "t", "Key": {"id": "1"}}), PUT, False),
    "a number, which has several forms": (
        ("GetItem", {"TableName": "t", "Key": {"id": {"N": "1.0"}}}),
        ("UpdateItem", {"TableName": "t", "Key": {"id": {"N": "1"}}}),
        False,
    ),
}


@pytest.mark.parametrize(("one", "other", "commute"), CALLS.values(), ids=CALLS)
def test_which_calls_concern_each_other(one: Any, other: Any, commute: bool) -> None:
    some, others = (Call.of(*each, lambda _: ["id"]) for each in (one, other))
    assert (some.commutes(others), others.commutes(some)) == (commute, commute)
