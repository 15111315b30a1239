"""What may stand in the tables: every row with the states that the answers so far leave possible."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

State: TypeAlias = tuple[str, int] | None
"""A row's text and count; None: there is none."""
Place: TypeAlias = tuple[str, str, str]
"""Resource, owner, id."""
Named = TypeVar("Named", bound=tuple[str, ...])
"""What a row is known by, where its id is not known."""
STOCK = 20
"""What there is of each of the goods at first."""
PIECES = 5
"""What a refill puts there."""
SOLD_OUT = "Sold out."
"""What is told of goods that have no stock left."""
LATE = 10.0
"""Seconds in which a write that got no answer is done, if ever: an engine that has just started takes over 3."""
SHOWN = 20
"""The most findings of one kind that are kept with their words."""


@dataclass(slots=True)
class Findings:
    """What must not be, counted by kind; safe between threads."""

    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, words: str) -> None:
        """Note one."""
        with self.lock:
            self.counts[kind] += 1
            if self.counts[kind] <= SHOWN:
                self.words.append(f"{kind}: {words}")


@dataclass(slots=True)
class Row:
    """One item that only one connection writes, so that its answers say what it may be."""

    place: Place
    may: set[State]
    tag: str | None = None
    """The ETag of the one state that it may be in, None where it may be in several."""
    settled_at: float = 0.0
    """When a write that got no answer has surely been done, or never will be (``time.monotonic``)."""

    @property
    def is_there(self) -> bool:
        """Whether it is surely there."""
        return None not in self.may

    @property
    def is_settled(self) -> bool:
        """Whether no write of it may still be under way."""
        return time.monotonic() >= self.settled_at

    def unknown(self, after: set[State]) -> None:
        """Note a write that got no answer, which may be done at any time from now on."""
        self.may = self.may | after
        self.settled_at = time.monotonic() + LATE


@dataclass(slots=True)
class Counted:
    """One item that many connections count up, or refill; safe between threads."""

    place: Place
    done: int = 0
    """How often that was acknowledged."""
    unknown: int = 0
    """How often it got no answer, or a 503."""
    ways: Counter[str] = field(default_factory=Counter)
    """In what way those that were acknowledged were done."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self, way: str, *, done: bool) -> None:
        """Note one."""
        with self.lock:
            self.done += done
            self.unknown += not done
            self.ways[way] += done


class Sale(NamedTuple):
    """One that was asked for, under a text that no other has."""

    buyer: str
    good: str
    text: str


class Stocked(NamedTuple):
    """One of the goods as it is stored."""

    stock: int
    sold: int


@dataclass(slots=True)
class Ledger:
    """What one connection has written."""

    rows: dict[Place, Row] = field(default_factory=dict)
    made: set[tuple[str, str]] = field(default_factory=set)
    """Creates that may be there under an id that is not known: owner, and a text that no other has."""
    sales: dict[Sale, bool] = field(default_factory=dict)
    """Whether each was acknowledged; else it may be there. Those that were refused are left out."""
    sold_out: int = 0
    """How many of these were refused because there was no stock."""


def judge(
    stored: dict[Place, State], ledgers: list[Ledger], counters: list[Counted], found: Findings
) -> Iterator[str]:
    """Note what the tables hold that no answer allows, and what they lack; gives words of what was compared."""
    left = dict(stored)
    rows = [row for ledger in ledgers for row in ledger.rows.values()]
    for row in rows:
        state = left.pop(row.place, None)
        if state not in row.may:
            kind = "lost acknowledged write" if state is None or len(row.may) == 1 else "state nobody wrote"
            found.add(kind, f"{row.place} is {state}, may be {row.may}")
    for counter in counters:
        state = left.pop(counter.place, None)
        _judge_count(counter, -1 if state is None else state[1], found)
    texts = Counter((owner, state[0]) for (_, owner, _), state in left.items() if state is not None)
    _judge_once(texts, {one: False for ledger in ledgers for one in ledger.made}, found)
    yield f"{len(rows)} rows of one writer, {sum(row.is_there for row in rows)} of them surely there"
    ways = sum((counter.ways for counter in counters), Counter[str]())
    yield f"{len(counters)} rows of many writers, {ways.total()} counts: {dict(sorted(ways.items()))}"
    yield f"{len(stored)} rows in the tables"


def _judge_count(counter: Counted, count: int, found: Findings) -> None:
    if not counter.done <= count <= counter.done + counter.unknown:
        kind = "lost acknowledged write" if count < counter.done else "written without an answer"
        found.add(kind, f"{counter.place} is {count}: {counter.done} done, {counter.unknown} unknown")


def judge_shop(
    goods: Mapping[str, Stocked],
    sales: Iterable[Sale],
    ledgers: list[Ledger],
    refills: list[Counted],
    found: Findings,
) -> Iterator[str]:
    """The same of goods and sales: a purchase is done as a whole or not at all, and none sells what is not there."""
    rows = Counter(sales)
    for one in refills:
        good = one.place[2]
        _judge_good(one, goods.get(good), sum(n for sale, n in rows.items() if sale.good == good), found)
    asked = {sale: known for ledger in ledgers for sale, known in ledger.sales.items()}
    refused = sum(ledger.sold_out for ledger in ledgers)
    yield f"{len(goods)} goods: {sum(one.done for one in refills)} refills, {refused} times sold out"
    yield f"{rows.total()} sales: {sum(asked.values())} acknowledged, {len(asked)} at most"
    _judge_once(rows, asked, found)


def _judge_good(refills: Counted, good: Stocked | None, rows: int, found: Findings) -> None:
    """One of the goods, of which there are so many rows of sales."""
    if good is None:
        found.add("lost acknowledged write", f"{refills.place} is gone")
        return
    if good.stock < 0:
        found.add("stock below zero", f"{refills.place} has {good.stock}")
    times, rest = divmod(good.stock + good.sold - STOCK, PIECES)
    if good.sold != rows or rest:
        found.add("transaction half done", f"{refills.place} is {good}, {rows} rows of sales")
    else:
        _judge_count(refills, times, found)


def _judge_once(there: Counter[Named], asked: Mapping[Named, bool], found: Findings) -> None:
    """What was acknowledged is there once; what may be there, once at most; and nothing that nobody sent."""
    for name, known in asked.items():
        times = there.pop(name, 0)
        if not known <= times <= 1:
            found.add("lost acknowledged write" if not times else "written twice", f"{name}, {times} times")
    for name, times in there.items():
        found.add("row nobody wrote", f"{name}, {times} times")
