"""Requests run one after the other, or as threads of which one at a time makes one DynamoDB call."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NamedTuple, TypeAlias
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from polymicro_lambda.testing.client import Result

from .calls import PARTS, Call
from .tables import Items, Tables

PATIENCE = 30.0
"""Seconds that a request gets to come to its next call, or to its end."""

Request: TypeAlias = Callable[[], Result]
Choose: TypeAlias = Callable[[Mapping[int, Call]], int | None]
"""Whose turn it is among those who wait; None breaks the run off."""


class Outcome(NamedTuple):
    """What came of a run."""

    answers: Mapping[int, Result]
    """By the number of the request."""
    tables: Mapping[str, Items]


class Step(NamedTuple):
    """A call that was made in a run."""

    number: int
    text: str


class Stopped(BaseException):
    """The run is broken off: no code of a request may catch it."""


class Stuck(Exception):
    """A request neither ends nor makes a call."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Runs:
    """Runs requests, each time from the tables as they stood at first; use it in ``watched()``."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        real = BaseClient._make_api_call
        self.tables = Tables(real)
        self._real = real
        self._threads: _Threads | None = None
        self.steps: list[Step] = []
        """The calls of the last run of all requests together."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every call of DynamoDB's items is noticed; at the end the tables are as they were."""
        runs = self

        def watching(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            return runs._called(client, operation, parameters)

        with patch.object(BaseClient, "_make_api_call", watching):
            try:
                yield
            finally:
                self.tables.restore()

    def serially(self, order: Sequence[int]) -> Outcome:
        """Run these requests one after the other."""
        self.tables.restore()
        answers = {number: self.requests[number]() for number in order}
        return Outcome(answers, self.tables.read())

    def together(self, choose: Choose) -> Outcome | None:
        """Run all requests, in an order that is chosen call by call; None if the run is broken off.

        Raises ``Stuck``, and what a request raises.
        """
        self.tables.restore()
        threads = self._threads = _Threads(self.requests, choose)
        self.steps = threads.steps
        try:
            answers = threads.run()
        finally:
            self._threads = None
        return None if answers is None else Outcome(answers, self.tables.read())

    def _called(self, client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb" or operation not in PARTS:
            return self._real(client, operation, parameters)
        parts = list(PARTS[operation](parameters))
        self.tables.note(client, (part.table for part in parts))
        self.tables.note_writes(part.table for part in parts if part.writes)
        threads = self._threads
        number = None if threads is None else threads.number()
        if threads is None or number is None:
            return self._real(client, operation, parameters)
        step = threads.wait(number, Call.of(operation, parameters, self.tables.key_names))
        try:
            return self._real(client, operation, parameters)
        except ClientError as error:
            threads.steps[step] = threads.steps[step]._replace(
                text=f"{threads.steps[step].text}: {error.response.get('Error', {}).get('Code')}"
            )
            raise


class _Threads:
    """The threads of one run."""

    def __init__(self, requests: Sequence[Request], choose: Choose) -> None:
        self.requests = requests
        self.choose = choose
        self.steps: list[Step] = []
        self.numbers: dict[int, int] = {}
        """A thread's identity -> the number of its request."""
        self.waiting: dict[int, Call] = {}
        self.answers: dict[int, Result] = {}
        self.errors: dict[int, BaseException] = {}
        self.turn: int | None = None
        self.stopped = False
        self.changed = threading.Condition()

    # --- in the thread of a request ----------------------------------------------------------------

    def number(self) -> int | None:
        """The number of the request whose own thread this is."""
        return self.numbers.get(threading.get_ident())

    def wait(self, number: int, call: Call) -> int:
        """Wait for the turn of a call; the number of its step. Raises ``Stopped``."""
        with self.changed:
            self.waiting[number] = call
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.stopped or self.turn == number)
            if self.stopped:
                raise Stopped
            self.turn = None
            return len(self.steps) - 1

    def _request(self, number: int) -> None:
        identity = threading.get_ident()
        self.numbers[identity] = number
        try:
            answer = self.requests[number]()
        except BaseException as error:  # noqa: BLE001 - it is raised where the run was asked for
            self._end(identity, self.errors, error)
        else:
            self._end(identity, self.answers, answer)

    def _end(self, identity: int, ended: dict[int, Any], value: Any) -> None:
        with self.changed:
            # A thread that another request starts may get the identity of one that has ended.
            ended[self.numbers.pop(identity)] = value
            self.changed.notify_all()

    # --- in the thread that runs them --------------------------------------------------------------

    def run(self) -> Mapping[int, Result] | None:
        """Start each request, and give turns until all have ended; None if the run was broken off."""
        threads = []
        try:
            for number in range(len(self.requests)):
                run = copy_context().run
                threads.append(threading.Thread(target=run, args=(self._request, number), daemon=True))
                threads[-1].start()
                self._await(number + 1)
            while self._give_turn():
                self._await(len(threads))
        finally:
            self._stop(threads)
        for number in sorted(self.errors):
            if not isinstance(self.errors[number], Stopped):
                raise self.errors[number]
        return None if self.errors else self.answers

    def _await(self, count: int) -> None:
        """Until so many have ended or wait for their turn. Raises ``Stuck``."""

        def there() -> set[int]:
            return {*self.waiting, *self.answers, *self.errors}

        with self.changed:
            if not self.changed.wait_for(lambda: len(there()) == count, PATIENCE):
                raise Stuck(next(number for number in range(count) if number not in there()))

    def _give_turn(self) -> bool:
        """Let the next call be made, unless none waits or the run is broken off."""
        with self.changed:
            number = self.choose(dict(self.waiting)) if self.waiting and not self.errors else None
            if number is None:
                return False
            self.steps.append(Step(number, self.waiting.pop(number).text))
            self.turn = number
            self.changed.notify_all()
            return True

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        for thread in threads:
            thread.join(PATIENCE)
