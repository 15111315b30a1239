"""What may stand in the tables: every row with the states that the answers so far leave possible."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

State: TypeAlias = tuple[str, int] | None
"""A row's text and count; None: there is none."""
Place: TypeAlias = tuple[str, str, str]
"""Resource, owner, id."""
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

    @property
    def is_there(self) -> bool:
        """Whether it is surely there."""
        return None not in self.may


@dataclass(slots=True)
class Counted:
    """One item that all connections of a user count up by ``If-Match``; safe between threads."""

    place: Place
    done: int = 0
    """How often that was acknowledged."""
    unknown: int = 0
    """How often it got no answer, or a 503."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self, *, done: bool) -> None:
        """Note one."""
        with self.lock:
            self.done += done
            self.unknown += not done


@dataclass(slots=True)
class Made:
    """A create by its text, which no other has."""

    owner: str
    least: int
    """1 where it was acknowledged, else 0; there is never more than one."""
    most: int = 1


@dataclass(slots=True)
class Ledger:
    """What one connection has written."""

    rows: dict[Place, Row] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    """Creates whose id is not known, by their text."""


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
        count = -1 if state is None else state[1]
        if not counter.done <= count <= counter.done + counter.unknown:
            kind = "lost acknowledged write" if count < counter.done else "written without an answer"
            found.add(kind, f"{counter.place} is {count}: {counter.done} done, {counter.unknown} unknown")
    _judge_made(left, [made for ledger in ledgers for made in ledger.made.items()], found)
    yield f"{len(rows)} rows of one writer, {sum(row.is_there for row in rows)} of them surely there"
    yield f"{len(counters)} rows of many writers, {sum(counter.done for counter in counters)} counts"
    yield f"{len(stored)} rows in the tables"


def _judge_made(left: dict[Place, State], made: list[tuple[str, Made]], found: Findings) -> None:
    """The creates whose ids only the tables know."""
    texts = Counter((owner, state[0]) for (_, owner, _), state in left.items() if state is not None)
    for text, one in made:
        times = texts.pop((one.owner, text), 0)
        if not one.least <= times <= one.most:
            kind = "lost acknowledged write" if times < one.least else "written twice"
            found.add(kind, f"{text} of {one.owner} is there {times} times")
    for (owner, text), times in texts.items():
        found.add("row nobody wrote", f"{text} of {owner}, {times} times")
