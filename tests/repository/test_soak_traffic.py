"""The soak's traffic, without an app: what it notes of each answer, for the judge at the end."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from soak.connection import Connection, Shared
from soak.contract import Answer
from soak.ledger import SOLD_OUT, Counted, Findings, Row, Sale
from soak.many_writers import bump, buy, count, look, refill, tally
from soak.own_rows import create, patch, read, remove

TEA = ("goods", "", "tea")
COUNTER = ("notes", "alice", "counter")


class Told(Connection):
    """A connection that is told these answers, one after the other: status and JSON, None for no answer."""

    def __init__(self, *answers: tuple[int, Any] | None, headers: Mapping[str, str] = {}) -> None:
        shared = Shared(0, Findings(), {"alice": [Counted(COUNTER)]}, [Counted(TEA)])
        super().__init__(shared, "alice", "", "t")
        self.dice.random = lambda: 0.0  # type: ignore[method-assign] # without a key; a replay of each answer
        self.answers = list(answers)
        self.told = headers
        self.sent: list[tuple[str, str, Any]] = []

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
    ) -> Answer | None:
        self.sent.append((method, path, headers.get("Idempotency-Key")))
        answer = self.answers.pop(0)
        return None if answer is None else Answer(answer[0], self.told, json.dumps(answer[1]).encode())

    @property
    def found(self) -> Counter[str]:
        """What it has found, by kind."""
        return self.shared.findings.counts


# --- items of many writers ----------------------------------------------------------------------------------

BOUGHT = Sale("alice", "tea", "t-0")
GOOD = {"id": "tea", "stock": 3, "sold": 1}
SOLD = (201, {"sale": BOUGHT._asdict(), "good": GOOD})
LATER = {"retry-after": "1"}


@pytest.mark.parametrize(
    ("answer", "headers", "sales", "found"),
    [
        pytest.param(SOLD, {}, {BOUGHT: True}, {}, id="sold"),
        pytest.param(None, {}, {BOUGHT: False}, {}, id="no answer"),
        pytest.param((503, {}), LATER, {BOUGHT: False}, {}, id="unknown"),
        pytest.param((409, {"detail": SOLD_OUT}), {}, {}, {}, id="sold out"),
        pytest.param((409, {"detail": "Again."}), LATER, {}, {}, id="a lost race"),
        pytest.param((409, {"detail": "It is there."}), {}, {}, {"false answer": 1}, id="another conflict"),
        pytest.param((404, {}), {}, {}, {"false answer": 1}, id="not there"),
        pytest.param(
            (201, SOLD[1] | {"sale": {**BOUGHT._asdict(), "buyer": "bob"}}),
            {},
            {},
            {"false answer": 1},
            id="another's",
        ),
        pytest.param(
            (201, SOLD[1] | {"good": GOOD | {"stock": -1}}),
            {},
            {BOUGHT: True},
            {"stock below zero": 1},
            id="below zero",
        ),
    ],
)
def test_what_is_noted_of_a_purchase(
    answer: tuple[int, Any] | None, headers: Mapping[str, str], sales: dict[Sale, bool], found: dict[str, int]
) -> None:
    by = Told(answer, headers=headers)
    buy(by)
    assert (by.sent, by.ledger.sales, by.found) == ([("POST", "/goods/tea/buy", None)], sales, found)


def test_a_purchase_under_a_key_is_repeated_until_there_is_an_answer() -> None:
    by = Told(None, (503, {}), (409, {"detail": "It runs."}), SOLD, SOLD, headers=LATER)
    by.dice.random = lambda: 0.9  # type: ignore[method-assign] # with a key, and without a replay
    buy(by)
    for _ in range(2):
        by.again()
        assert by.ledger.sales == {BOUGHT: False}
    by.again()
    by.again()
    (sent,) = set(by.sent)
    assert (len(by.sent), sent[2] is None, by.ledger.sales, by.found) == (4, False, {BOUGHT: True}, {})


@pytest.mark.parametrize(
    ("second", "found"),
    [
        pytest.param(SOLD, {}, id="the same"),
        pytest.param(None, {}, id="none"),
        pytest.param((409, {"detail": SOLD_OUT}), {"false answer": 1}, id="another"),
    ],
)
def test_a_replay_is_compared(second: tuple[int, Any] | None, found: dict[str, int]) -> None:
    by = Told(SOLD, second)
    by.once("/goods/tea/buy", {}, lambda _: None)
    assert (by.found, by.pending, by.answers) == (found, {}, [])


def test_a_purchase_that_is_refused_after_no_answer_was_none() -> None:
    by = Told(None, (409, {"detail": SOLD_OUT}))
    by.dice.random = lambda: 0.9  # type: ignore[method-assign] # with a key
    buy(by)
    by.again()
    assert (by.ledger.sales, by.ledger.sold_out, by.found) == ({}, 1, {})


def test_a_refusal_under_a_key_is_not_repeated() -> None:
    """It is not kept: the next one would be a purchase."""
    by = Told((409, {"detail": SOLD_OUT}))
    by.once("/goods/tea/buy", {}, lambda _: None)
    assert (by.found, by.pending, by.answers) == ({}, {}, [])


@pytest.mark.parametrize(
    ("answer", "headers", "counts", "found"),
    [
        pytest.param((200, {**GOOD, "text": "t-0"}), {}, (1, 0), {}, id="done"),
        pytest.param((503, {}), LATER, (0, 1), {}, id="unknown"),
        pytest.param(None, {}, (0, 1), {}, id="no answer"),
        pytest.param((409, {}), LATER, (0, 0), {}, id="a lost race"),
        pytest.param((409, {}), {}, (0, 0), {"false answer": 1}, id="a conflict for good"),
        pytest.param((404, {}), {}, (0, 0), {"false answer": 1}, id="not there"),
    ],
)
@pytest.mark.parametrize("act", [tally, bump, refill])
def test_what_is_noted_of_a_count(
    act: Any,
    answer: tuple[int, Any] | None,
    headers: Mapping[str, str],
    counts: tuple[int, int],
    found: dict[str, int],
) -> None:
    by = Told(answer, headers=headers)
    act(by)
    (one,) = by.shared.goods if act is refill else by.shared.counters["alice"]
    assert ((one.done, one.unknown), by.found) == (counts, found)


def test_what_is_noted_of_a_count_by_if_match() -> None:
    by = Told((200, {"count": 1}), (412, {}), headers={"etag": '"1"'})
    count(by)
    (counter,) = by.shared.counters["alice"]
    assert ((counter.done, counter.unknown), by.found, by.answers) == ((0, 0), {}, [])


def test_an_action_that_wrote_another_text() -> None:
    by = Told((200, {"text": "of another", "count": 1}))
    tally(by)
    assert by.found == {"false answer": 1}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((200, GOOD), {}),
        ((200, GOOD | {"stock": -1}), {"stock below zero": 1}),
        ((404, {}), {"lost acknowledged write": 1}),
        ((503, {}), {}),
    ],
)
def test_a_look_at_goods(answer: tuple[int, Any], found: dict[str, int]) -> None:
    by = Told(answer)
    by.dice.choice = lambda several: several[0]  # type: ignore[method-assign,assignment]
    look(by)
    assert by.found == found


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([GOOD], {}),
        ([], {"false answer": 1}),
        ([GOOD | {"stock": -1}], {"stock below zero": 1}),
    ],
)
def test_a_look_at_all_goods(items: list[Any], found: dict[str, int]) -> None:
    by = Told((200, {"items": items}))
    by.dice.choice = lambda several: several[-1]  # type: ignore[method-assign,assignment]
    look(by)
    assert by.found == found


# --- rows of one writer -------------------------------------------------------------------------------------

OLD = ("old", 1)


def with_row(*answers: tuple[int, Any] | None) -> tuple[Told, Row]:
    """A connection that has one row, in the state ``OLD``."""
    by, row = Told(*answers), Row(("notes", "alice", "1"), {OLD})
    by.ledger.rows[row.place] = row
    return by, row


def test_a_write_without_an_answer_may_be_done_later() -> None:
    """A DELETE that DynamoDB carries out after the answer is 503, and after the row has been read as it was."""
    by, row = with_row((503, {}), (200, {"text": "old", "count": 1}), (404, {}))
    remove(by)
    read(by)
    read(by)
    assert (row.may, by.found, by.answers) == ({OLD, None}, {}, [])


def test_a_row_is_left_alone_until_nothing_is_under_way() -> None:
    by, row = with_row(None, (200, {"text": "t-2", "count": 1}))
    patch(by)
    patch(by)
    assert (row.may, len(by.answers)) == ({OLD, ("t-0", 1)}, 1)
    row.settled_at = 0.0
    patch(by)
    assert (row.may, by.found, by.answers) == ({("t-2", 1)}, {}, [])


def test_a_read_tells_what_a_row_is_once_nothing_is_under_way() -> None:
    by, row = with_row(None, (200, {"text": "old", "count": 1}), (404, {}))
    remove(by)
    row.settled_at = 0.0
    read(by)
    assert (row.may, by.found) == ({OLD}, {})
    read(by)
    assert by.found == {"lost acknowledged write": 1}


def test_a_create_without_an_answer_may_be_there_later() -> None:
    by = Told((503, {}), (404, {}))
    create(by)
    (row,) = by.ledger.rows.values()
    read(by)
    assert (len(row.may), row.is_settled, by.found) == (2, False, {})
