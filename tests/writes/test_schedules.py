"""Two or three writers at once, in every order that their DynamoDB calls can have: as if one came after the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from typing import Any
from uuid import uuid4

import pytest
from contract import ALICE, Caller, dynamodb_call, stored, watched
from counted_items import OLD, Plain, Versioned
from local_engine import local

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.project.isolation import FAKE_AWS, forget_connections, strict_moto

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("versions_from_1")]


class Opaque(Permission):
    """A rule that reads an item before each write, and relies on what writers change."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.text != "locked")


class Verbs(Create, Retrieve, Update, Delete):
    store: Any

    @action()
    def add(self, instance: Any) -> Any:
        return self.store.update(instance, {"text": f"{instance.text}+"})


KINDS: dict[str, tuple[Any, Any]] = {
    "plain": (Plain, AllowAny),
    "versioned": (Versioned, AllowAny),
    "plain, opaque rule": (Plain, Opaque),
    "versioned, opaque rule": (Versioned, Opaque),
}
TAG = "TAG"
"""Stands for the ETag of the item as it is at first."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One writer's request."""

    method: str
    path: str = "/docs/1"
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def merge(**body: Any) -> Ask:
    return Ask("PATCH", body=body)


def matching(ask: Ask) -> Ask:
    return Ask(ask.method, ask.path, ask.body, {"If-Match": TAG})


def create(text: str, key: str = "") -> Ask:
    return Ask("POST", "/docs", {"id": "1", "text": text}, {"Idempotency-Key": f'"{key}"'} if key else {})


DELETE = Ask("DELETE")
REPLACE = Ask("PUT", body={"text": "replaced"})
LOCK = merge(text="locked")
CASES: dict[str, tuple[bool, Sequence[Ask]]] = {
    "update, update": (True, [merge(text="a"), merge(text="b")]),
    "update, update of another field": (True, [merge(text="a"), merge(count=1)]),
    "update, update, both If-Match": (True, [matching(merge(text="a")), matching(merge(text="b"))]),
    "update, update, one If-Match": (True, [matching(merge(text="a")), merge(count=1)]),
    "update, replace": (True, [merge(text="a"), REPLACE]),
    "update, delete": (True, [merge(text="a"), DELETE]),
    "update, delete, both If-Match": (True, [matching(merge(text="a")), matching(DELETE)]),
    "update, lock": (True, [merge(count=1), LOCK]),
    "delete, lock": (True, [DELETE, LOCK]),
    "delete, delete": (True, [DELETE, DELETE]),
    "create, create": (False, [create("a"), create("b")]),
    "create, delete": (True, [create("a"), DELETE]),
    "create, update": (False, [create("a"), merge(text="b")]),
    "create, create, other keys": (False, [create("a", "k"), create("b", "l")]),
    "create, create, update": (False, [create("a"), create("b"), merge(count=1)]),
    "update, update, delete, all If-Match": (
        True,
        [matching(merge(text="a")), matching(merge(text="b")), matching(DELETE)],
    ),
}


@pytest.fixture(scope="module")
def clients(engine: str) -> Iterator[dict[str, Caller]]:
    """By kind, over tables that all tests share."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        # The clock would make each run's first version another one.
        patch.setattr("polymicro_lambda.items.serializers.first_version", lambda: 1)
        with strict_moto(patch) if engine == "moto" else local(patch):
            forget_connections()
            idempotency = Idempotency(table=f"t{uuid4().hex}")
            for model in (Plain, Versioned, idempotency.model):
                if model is not idempotency.model:
                    model.Meta.table_name = f"t{uuid4().hex}"
                model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)  # type: ignore[attr-defined]
            yield {name: made(idempotency, *kind) for name, kind in KINDS.items()}
        forget_connections()


def made(idempotency: Idempotency, model: Any, rule: Any) -> Caller:
    pm = PolyMicro(idempotency=idempotency, cursor_secret="secret")
    declared = {"model": model, "route": "docs", "permissions": rule, "idempotent": ("create", "add")}
    type("Docs", (ModelResource, Verbs), declared)(pm)
    return Caller(pm.compile(), user=ALICE)


def _made_new(header: str, tag: str, run: str) -> str:
    """The item's tag, or a key that no other run has."""
    return tag if header == TAG else header.replace('"', f'"{run}', 1)


@dataclass(slots=True)
class Table:
    """A table, put back to how it was before each run."""

    client: Caller
    model: Any
    there: bool

    def begin(self, asks: Sequence[Ask]) -> list[Ask]:
        """The item as it is at first, and the requests with its tag and with keys that are new."""
        table = self.model.Meta.table_name
        if self.there:
            names = OLD if self.model is Versioned else OLD.keys() - {"version"}
            dynamodb_call("put_item", TableName=table, Item={name: OLD[name] for name in names})
        else:
            dynamodb_call("delete_item", TableName=table, Key={"id": {"S": "1"}})
        tag = self.client.get("/docs/1").headers["etag"] if self.there else ""
        run = uuid4().hex
        return [
            replace(ask, headers={n: _made_new(v, tag, run) for n, v in ask.headers.items()}) for ask in asks
        ]

    def send(self, ask: Ask) -> Any:
        body = {} if ask.body is None else {"json": ask.body}
        result = self.client.request(ask.method, ask.path, headers=ask.headers, **body)
        # What one is told of the other's write, and when to try again, is no outcome.
        told = result.json if result.body and result.status < 400 else None
        return result.status, told

    def serial(self, asks: Sequence[Ask]) -> list[Any]:
        """The outcomes of one request after the other, in every order."""
        outcomes = []
        for order in permutations(range(len(asks))):
            begun = self.begin(asks)
            answers = {number: self.send(begun[number]) for number in order}
            outcomes.append(([answers[number] for number in range(len(asks))], self.left()))
        return outcomes

    def left(self) -> Any:
        return stored(self.model.Meta.table_name)


class Schedule:
    """Lets the threads of writers make one DynamoDB call at a time, in an order that is said."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order
        self.taken: list[tuple[int, list[int]]] = []
        """Whose turn each was, and who else could have had it."""
        self.waiting: dict[int, threading.Event] = {}
        self.done: dict[int, Any] = {}
        self.changed = threading.Condition()

    def run(self, writers: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each writer gives."""
        threads = [
            threading.Thread(target=self._write, args=(number, writer), name=str(number))
            for number, writer in enumerate(writers)
        ]
        with watched(self._called):
            for thread in threads:
                thread.start()
            while len(self.done) < len(threads):
                self._turn(len(threads))
            for thread in threads:
                thread.join()
        return [self.done[number] for number in range(len(threads))]

    def _turn(self, count: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: len(self.waiting) + len(self.done) == count, timeout=60)
            if not self.waiting:
                return
            could = sorted(self.waiting)
            step = len(self.taken)
            one = self.order[step] if step < len(self.order) else could[0]
            self.taken.append((one, could))
            self.waiting.pop(one).set()

    def _write(self, number: int, writer: Callable[[], Any]) -> None:
        try:
            result = writer()
        except BaseException as error:  # noqa: BLE001 - told by the comparison
            result = error
        with self.changed:
            self.done[number] = result
            self.changed.notify()

    def _called(self, operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        turn = threading.Event()
        with self.changed:
            self.waiting[int(threading.current_thread().name)] = turn
            self.changed.notify()
        turn.wait(60)
        return call()

    def following(self) -> list[int] | None:
        """The order of the next run: the last turn that somebody else could have had goes to him."""
        for step in reversed(range(len(self.taken))):
            one, could = self.taken[step]
            later = [other for other in could if other > one]
            if later:
                return [*(turn for turn, _ in self.taken[:step]), later[0]]
        return None


def runs(table: Table, asks: Sequence[Ask]) -> Iterator[tuple[list[int], Any]]:
    """The outcome of every order of calls."""
    order: list[int] | None = []
    while order is not None:
        begun, schedule = table.begin(asks), Schedule(order)
        answers = schedule.run([lambda ask=ask: table.send(ask) for ask in begun])  # type: ignore[misc]
        yield [turn for turn, _ in schedule.taken], (answers, table.left())
        order = schedule.following()


RUNS = [
    pytest.param(kind, *case, id=f"{kind}: {name}")
    for kind, (name, case) in product(KINDS, CASES.items())
    if len(case[1]) < 3 or kind == "versioned"  # the orders of three that read first are hundreds
]


@pytest.mark.parametrize(("kind", "there", "asks"), RUNS)
def test_every_order_is_as_one_after_the_other(
    clients: dict[str, Caller], kind: str, there: bool, asks: Sequence[Ask]
) -> None:
    """Answers and item are those of some order of whole requests."""
    table = Table(clients[kind], KINDS[kind][0], there)
    serial = table.serial(asks)
    orders = []
    for order, outcome in runs(table, asks):
        orders.append(order)
        assert outcome in serial, order
    assert len(orders) == len({tuple(order) for order in orders})
    assert len(orders) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_one_key_makes_one_item(clients: dict[str, Caller], kind: str) -> None:
    """Two tries of one request at once: who comes first makes it, the other gets its answer or is told to wait."""
    table = Table(clients[kind], KINDS[kind][0], there=False)
    asks = [create("a", "k"), create("a", "k")]
    seen = set()
    for order, (answers, left) in runs(table, asks):
        seen.add(tuple(sorted(status for status, _ in answers)))
        assert [item["text"]["S"] for item in left] == ["a"], order
        assert all(told is None or told["text"] == "a" for _, told in answers)
    assert seen == {(201, 201), (201, 409)}
