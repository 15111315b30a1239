"""What is noted of one request while it runs: where it is, and what its calls have cost.

It travels in a context variable, as the guard does: a permission that forgets to return, a row that cannot be
read and a call of DynamoDB's client have no other way to say which request they are of.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

from polymicro_lambda.http import Request
from polymicro_lambda.lazy import lazy

from .redaction import redacted_exc_info

LOGGER = logging.getLogger("polymicro_lambda")
"""What takes the errors where the app names no logger."""

_CORRELATION = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
_TRACE_ROOT = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
"""The trace in ``X-Amzn-Trace-Id`` (AWS X-Ray developer guide, "Tracing header")."""


@dataclass(slots=True)
class Usage:
    """What the calls of DynamoDB have cost."""

    calls: int = 0
    nanoseconds: int = 0
    """From the making of a request to its answer, waits between tries included."""
    read_units: float = 0.0
    write_units: float = 0.0
    retries: int = 0
    throttles: int = 0
    """Tries that DynamoDB refused because of too many."""


def forever() -> float:
    """Seconds without end."""
    return float("inf")


_NOTHING: AbstractContextManager[Any] = nullcontext()


def _no_call(_: str) -> AbstractContextManager[Any]:
    return _NOTHING


_NONE: dict[str, str] = {}
"""No headers: a dict, as nothing else is unpacked as quickly."""


class Observation:
    """A request on its way."""

    request: Request | None = None
    """None until the event is read, and without its user until that is asked for."""
    template: str | None = None
    """The path's template, None where no route has the path."""
    verb: str | None = None
    phase: str = "read"
    """Where it is."""
    seconds_left: Callable[[], float] = staticmethod(forever)
    """The seconds until Lambda ends the invocation."""
    headers: Mapping[str, str] = _NONE
    """What the answer says, whatever it is."""
    cause: BaseException | None = None
    """What a 5xx is due to."""
    on_call: Callable[[str], AbstractContextManager[Any]] = staticmethod(_no_call)
    """Gives what surrounds a call of DynamoDB, from the operation's name."""

    metered: bool = False
    """The calls of DynamoDB are asked what they cost."""
    on_read: Sequence[Callable[[], None]] = ()
    """What is told that the event has been read."""

    def __init__(self, request_id: str = "", logger: Any = LOGGER, debug: bool = False) -> None:
        self.request_id = request_id
        self.logger = logger
        self.debug = debug
        """Exceptions are told with their text."""

    @lazy
    def usage(self) -> Usage:
        """What its calls have cost."""
        return Usage()

    @property
    def correlation_id(self) -> str | None:
        """What the caller calls the request: ``X-Correlation-Id`` where that is an id, else the root of the trace."""
        return None if self.request is None else self._correlation_id

    @lazy
    def _correlation_id(self) -> str | None:
        headers: Mapping[str, str] = self.request.headers if self.request is not None else _NONE
        given = headers.get("x-correlation-id")
        if given and _CORRELATION.fullmatch(given):
            return given
        trace = headers.get("x-amzn-trace-id")
        root = _TRACE_ROOT.search(trace) if trace else None
        return root[1] if root else None

    def place(self) -> Mapping[str, Any]:
        """Which request it is and where it stands, for a line of the log."""
        return {
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "route": self.template,
            "phase": self.phase,
        }


class MeteredObservation(Observation):
    """A request on its way, of which somebody wants to know what it costs."""

    metered = True

    def __init__(self, request_id: str = "", logger: Any = LOGGER, debug: bool = False) -> None:
        super().__init__(request_id, logger, debug)
        self._phase = "read"
        self.began = self.since = perf_counter_ns()
        """When it began, and when its phase did."""
        self.spent: dict[str, int] = {}
        """Nanoseconds by phase, in order, without the one that it is in."""
        self.on_read: list[Callable[[], None]] = []
        self.on_phase: list[Callable[[str], None]] = []
        """What is told each phase but the first."""
        self.at_end: list[Callable[[Any], None]] = []
        """What is told the request's report."""

    @property
    def phase(self) -> str:
        """Where it is; setting it ends one phase and begins another."""
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        now, spent, last = perf_counter_ns(), self.spent, self._phase
        spent[last] = spent.get(last, 0) + now - self.since
        self.since, self._phase = now, phase
        for tell in self.on_phase:
            safely(tell, phase)


_current: ContextVar[Observation | None] = ContextVar("polymicro_observation", default=None)


def current_observation() -> Observation | None:
    """What is noted of the request that runs now, None outside of one."""
    return _current.get()


begin_observation = _current.set
"""What happens from now on is of the request that this gets, until ``end`` gets what this gives."""
end_observation = _current.reset


class observed:  # noqa: N801 - it is used as a function
    """What happens inside is of this request."""

    __slots__ = ("seen", "token")

    def __init__(self, seen: Observation) -> None:
        self.seen = seen

    def __enter__(self) -> Observation:
        self.token = _current.set(self.seen)
        return self.seen

    def __exit__(self, *_: object) -> None:
        _current.reset(self.token)


def enter_phase(phase: str) -> None:
    """The request that runs now gets into another phase."""
    seen = _current.get()
    if seen is not None:
        seen.phase = phase


def report_error(message: str, *values: object, cause: BaseException | None = None, **more: object) -> None:
    """Log an error to the app's logger, with the request that it is of and the cause, as `told`."""
    seen = _current.get() or Observation()
    info = None if cause is None else redacted_exc_info(cause, text=seen.debug)
    place = seen.place() if seen.request_id else {}
    try:
        seen.logger.error(message, *values, exc_info=info, extra={**place, **more})
    except Exception as error:  # noqa: BLE001 - a filter or formatter of the app's: the client gets its answer
        sys.stderr.write(f"{LOGGER.name}: the logger raised {type(error).__name__}\n")


def safely(tell: Callable[..., None], *arguments: Any) -> None:
    """Call what tells of a request: no request fails because it cannot be told of."""
    try:
        tell(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever a sink raises, the client gets its answer
        report_error("A request could not be told of", cause=error)
