"""``assert_serializable``: requests at once, as if one came after the other."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from inspect import signature
from itertools import combinations, permutations
from typing import Any

from polymicro_lambda.testing.client import Client, Result

from .comparison import Comparison, differences
from .orders import Orders
from .report import name_of, report, schedule
from .runs import Outcome, Runs, Stuck

REFUSALS = frozenset({409, 412, 429, 503})
"""Statuses of a request that has not run: who sends it again loses nothing."""
MOST_RUNS = 5_000
NEXT_SECOND = 1.1
"""Seconds after which no clock that counts seconds shows what it showed."""


def assert_serializable(
    client: Client, *requests: Callable[..., Result], ignore: Collection[str] = ()
) -> None:
    """Fail, with the order of calls in words, if requests at once come out as they never do one after the other.

    Two or more ``requests`` are functions that send one by ``client``, which they may take as their argument, and
    return its ``Result``. They run again and again, from the tables as they stand now, in every order that their
    DynamoDB calls can have; at the end the tables are as they were. Answers and tables must be those of the requests
    one after the other, in some order. Who is refused (409, 412, 429, 503) counts as not having run. What is made anew
    each time, and members and attributes that ``ignore`` names, must be there or not, whatever they are.

    Raises ``ValueError`` for fewer than two requests, ``TypeError`` for one that returns no ``Result`` and for an
    ``ignore`` that is a text, and ``AssertionError`` also where there are more than 5,000 orders.
    """
    if isinstance(ignore, str):
        raise TypeError(f"ignore is a collection of names, not the text {ignore!r}.")
    if len(requests) < 2:
        raise ValueError(f"Two requests or more can come at once, not {len(requests)}.")
    runs = Runs([partial(_result_of, request, client) for request in requests])
    with runs.watched():
        _Assertion(runs, Comparison(ignore, runs.tables.before)).run()


def _result_of(request: Callable[..., Any], client: Client) -> Result:
    result = request(client) if _takes_client(request) else request()
    if not isinstance(result, Result):
        raise TypeError(f"A request returns its Result, not {result!r}.")
    return result


def _takes_client(request: Callable[..., Any]) -> bool:
    try:
        signature(request).bind(None)
    except (TypeError, ValueError):  # it takes none, or does not say what it takes
        return False
    return True


class _Assertion:
    """The runs of one assertion."""

    def __init__(self, runs: Runs, comparison: Comparison) -> None:
        self.runs = runs
        self.comparison = comparison
        self.everybody = range(len(runs.requests))
        self.serial: dict[Sequence[int], Outcome] = {}
        """The outcomes of requests one after the other."""

    def run(self) -> None:
        for order in permutations(self.everybody):
            self._serial(order)
        orders, left, more = Orders(), MOST_RUNS, True
        while more:
            if left == 0:
                raise AssertionError(
                    f"These requests have more than {MOST_RUNS} orders: ask for less at once."
                )
            left -= 1
            outcome = self._together(orders)
            if outcome is not None:
                self._check(outcome)
            more = orders.advance()

    def _together(self, orders: Orders) -> Outcome | None:
        try:
            return self.runs.together(orders.choose)
        except Stuck as stuck:
            raise AssertionError(
                f"The {name_of(stuck.number)} request neither ends nor calls DynamoDB; it may wait for a lock that"
                f" another one holds. The calls until then:\n\n{schedule(self.runs.steps)}"
            ) from None
        except Exception as error:
            error.add_note(f"The order of the requests' calls until then:\n\n{schedule(self.runs.steps)}")
            raise

    def _check(self, outcome: Outcome) -> None:
        if self._is_serial(outcome):
            return
        # What a clock of seconds shows is made anew too, but was the same in runs within one second.
        time.sleep(NEXT_SECOND)
        for order in list(self.serial):
            self.comparison.learn(self.serial[order], self.runs.serially(order))
        if not self._is_serial(outcome):
            raise AssertionError(self._report(outcome))

    def _is_serial(self, outcome: Outcome) -> bool:
        return any(self._equal(outcome, order) for order in self._candidates(outcome))

    def _candidates(self, outcome: Outcome) -> Iterator[Sequence[int]]:
        """The orders of requests one after the other that an outcome may equal.

        Who was refused may have been refused there too, or not have run.
        """
        served = [number for number in self.everybody if not _is_refused(outcome, number)]
        refused = [number for number in self.everybody if number not in served]
        for count in range(len(refused), -1, -1):
            for some in combinations(refused, count):
                yield from permutations([*served, *some])

    def _equal(self, outcome: Outcome, order: Sequence[int]) -> bool:
        return not self._differing(outcome, order)

    def _differing(self, outcome: Outcome, order: Sequence[int]) -> list[Any]:
        """How an outcome differs from that of an order; the answers of who was refused are left out."""
        serial = self._serial(order)
        served = {number for number in self.everybody if not _is_refused(outcome, number)}
        told = {number for number in order if number in served or not _is_refused(serial, number)}
        here, there = (
            self.comparison.tree(Outcome({n: one.answers[n] for n in sorted(told)}, one.tables))
            for one in (outcome, serial)
        )
        return list(differences(here, there))

    def _serial(self, order: Sequence[int]) -> Outcome:
        """What comes of these requests one after the other; the second run tells what is made anew."""
        if order not in self.serial:
            self.serial[order] = _sound(self.runs.serially(order))
            self.comparison.learn(self.serial[order], self.runs.serially(order))
        return self.serial[order]

    def _report(self, outcome: Outcome) -> str:
        found = {order: self._differing(outcome, order) for order in self._candidates(outcome)}
        nearest = min(found, key=lambda order: len(found[order]))
        return report(self.runs.steps, outcome.answers, nearest, found[nearest])


def _sound(outcome: Outcome) -> Outcome:
    """The same. Raises ``AssertionError`` for a 500: an app that does not work has no races to look for."""
    broken = [answer for answer in outcome.answers.values() if answer.status == 500]
    if broken:
        raise AssertionError(f"No other request ran at the same time, and yet {broken[0]!r}")
    return outcome


def _is_refused(outcome: Outcome, number: int) -> bool:
    return outcome.answers[number].status in REFUSALS
