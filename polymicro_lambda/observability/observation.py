"""The observation of one request while it runs: its phase, its route, and the cost of its calls.

It stands in a context variable, as the guard does: a permission that forgets to return, a row that cannot be read and a
call of DynamoDB's client have no other way to name their request.
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
"""The logger of errors where the app names none."""

_CORRELATION = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
_TRACE_ROOT = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
"""The trace in ``X-Amzn-Trace-Id`` (AWS X-Ray developer guide, "Tracing header")."""


@dataclass(slots=True)
class Usage:
    """The cost of a request's calls of DynamoDB."""

    calls: int = 0
    nanoseconds: int = 0
    """From the making of each call to its answer, waits between tries included."""
    read_units: float = 0.0
    write_units: float = 0.0
    retries: int = 0
    throttles: int = 0
    """Tries that DynamoDB refused for their rate."""


def forever() -> float:
    """An infinite number of seconds."""
    return float("inf")


_NO_SPAN: AbstractContextManager[Any] = nullcontext()


def _unmetered_call(_: str) -> AbstractContextManager[Any]:
    return _NO_SPAN


_NO_HEADERS: dict[str, str] = {}
"""A dict, as nothing else is unpacked as quickly."""


class Observation:
    """The state of a request that runs; costs are not metered."""

    request: Request | None = None
    """None until the event is read; its user is the authorizer's until the app is asked for the user."""
    template: str | None = None
    """The path's template, None where no route has the path."""
    verb: str | None = None
    phase: str = "read"
    """The step that the request is in: read, route, permit, limit, load, fetch, verb or dump."""
    seconds_left: Callable[[], float] = staticmethod(forever)
    """The seconds until Lambda ends the invocation."""
    headers: Mapping[str, str] = _NO_HEADERS
    """Headers for any answer to the request."""
    cause: BaseException | None = None
    """The exception that led to a 5xx."""
    on_call: Callable[[str], AbstractContextManager[Any]] = staticmethod(_unmetered_call)
    """Gives the context manager around a call of DynamoDB, by the operation's name."""

    metered: bool = False
    """Whether ``usage`` is kept: DynamoDB is asked for the units that calls consume."""
    on_read: Sequence[Callable[[], None]] = ()
    """Called when the event has been read."""

    def __init__(self, request_id: str = "", logger: Any = LOGGER, debug: bool = False) -> None:
        self.request_id = request_id
        self.logger = logger
        self.debug = debug
        """Whether exceptions are logged with their texts."""

    @lazy
    def usage(self) -> Usage:
        """The cost of the calls so far."""
        return Usage()

    @property
    def correlation_id(self) -> str | None:
        """The caller's id of the request: ``X-Correlation-Id`` where that is an id, else the root of the trace."""
        return None if self.request is None else self._correlation_id

    def keep_correlation_id(self, set_by_app: str) -> None:
        """Take an id that the app has set itself in place of the caller's."""
        vars(self)["_correlation_id"] = set_by_app

    @lazy
    def _correlation_id(self) -> str | None:
        headers: Mapping[str, str] = self.request.headers if self.request is not None else _NO_HEADERS
        given = headers.get("x-correlation-id")
        if given and _CORRELATION.fullmatch(given):
            return given
        trace = headers.get("x-amzn-trace-id")
        root = _TRACE_ROOT.search(trace) if trace else None
        return root[1] if root else None

    def place(self) -> Mapping[str, Any]:
        """The request's ids, route and phase, as members of a line of the log."""
        return {
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "route": self.template,
            "phase": self.phase,
        }


class MeteredObservation(Observation):
    """The state of a request that observers follow: its phases are timed, its calls are metered."""

    metered = True

    def __init__(self, request_id: str = "", logger: Any = LOGGER, debug: bool = False) -> None:
        super().__init__(request_id, logger, debug)
        self._phase = "read"
        self.began = self.phase_began = perf_counter_ns()
        """In nanoseconds."""
        self.spent: dict[str, int] = {}
        """Nanoseconds by phase, in order, without the current phase."""
        self.on_read: list[Callable[[], None]] = []
        self.on_phase: list[Callable[[str], None]] = []
        """Called with each phase but the first."""
        self.at_end: list[Callable[[Any], None]] = []
        """Called with the request's report."""

    @property
    def phase(self) -> str:
        """The step that the request is in; to set it ends one phase and begins another."""
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        now, spent, last = perf_counter_ns(), self.spent, self._phase
        spent[last] = spent.get(last, 0) + now - self.phase_began
        self.phase_began, self._phase = now, phase
        for callback in self.on_phase:
            safely(callback, phase)


caught: ContextVar[list[BaseException] | None] = ContextVar("polymicro_caught", default=None)
"""Where a test collects the causes of errors; in a Lambda nowhere."""
_current: ContextVar[Observation | None] = ContextVar("polymicro_observation", default=None)


def current_observation() -> Observation | None:
    """The observation of the request that runs now, None outside of one."""
    return _current.get()


begin_observation = _current.set
"""Make an observation the current one; ``end_observation`` takes the token that this returns."""
end_observation = _current.reset


class observed:  # noqa: N801 - it is used as a function
    """A context in which an observation is the current one."""

    __slots__ = ("observation", "token")

    def __init__(self, observation: Observation) -> None:
        self.observation = observation

    def __enter__(self) -> Observation:
        self.token = _current.set(self.observation)
        return self.observation

    def __exit__(self, *_: object) -> None:
        _current.reset(self.token)


def enter_phase(phase: str) -> None:
    """Begin another phase of the request that runs now."""
    observation = _current.get()
    if observation is not None:
        observation.phase = phase


def report_error(message: str, *values: object, cause: BaseException | None = None, **more: object) -> None:
    """Log an error to the app's logger, with the ids of the request that runs now, and the cause redacted."""
    observation = _current.get() or Observation()
    causes = caught.get()
    if causes is not None and cause is not None:
        causes.append(cause)
    info = None if cause is None else redacted_exc_info(cause, text=observation.debug)
    place = observation.place() if observation.request_id else {}
    try:
        observation.logger.error(message, *values, exc_info=info, extra={**place, **more})
    except Exception as error:  # noqa: BLE001 - a filter or formatter of the app's: the client gets its answer
        sys.stderr.write(f"{LOGGER.name}: the logger raised {type(error).__name__}\n")


def safely(callback: Callable[..., None], *arguments: Any) -> None:
    """Call an observer's function; log its exception, as no request fails because of its observers."""
    try:
        callback(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever an observer raises, the client gets its answer
        report_error("A request could not be reported", cause=error)
