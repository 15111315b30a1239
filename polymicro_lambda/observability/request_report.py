"""The report of a request, the protocol of the observers that get it, and the telemetry of an app that makes it."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from time import perf_counter_ns
from typing import Any, Protocol

from polymicro_lambda.http import Request, Response

from .observation import LOGGER, MeteredObservation, safely

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER = "OTHER"
"""The reported method for any other: a client may send any text."""


@dataclass
class RequestReport:
    """One answered request. Of all that client or user wrote it holds the two ids alone.

    It has no slots: its ``__dict__`` is the members of a structured line.
    """

    method: str | None
    route: str | None
    """The template of the path, e.g. ``/todo/{owner}/{uuid}``; None where no route has the path."""
    verb: str | None
    status: int
    duration_ms: float
    request_id: str
    correlation_id: str | None
    cold_start: bool
    user: str | None
    """A keyed hash of the user's id, None for nobody."""
    source: str | None
    calls: int
    """Calls of DynamoDB; ``retries`` and ``throttles`` count tries of them."""
    read_units: float
    write_units: float
    retries: int
    throttles: int
    phases: Mapping[str, float]
    """Milliseconds by phase, in order."""
    dynamodb_ms: float

    def members(self) -> dict[str, Any]:
        """All attributes by name, for a structured line; not to be changed."""
        return vars(self)


class Observer(Protocol):
    """Follows the requests of an app, for a log, metrics or traces."""

    def begin(self, observation: MeteredObservation) -> None:
        """A request comes in: append functions to ``at_end``, which get its report, to ``on_read`` or ``on_phase``."""


@dataclass(frozen=True, slots=True)
class UserHasher:
    """Makes a pseudonym of a user's id: one for each user of an app, from which nobody learns the id."""

    user_id: Callable[[Any], str]
    mac: Any
    """BLAKE2 with a key, which makes it a MAC (RFC 7693, section 1); each id goes into a copy."""

    @classmethod
    def of(cls, user_id: Callable[[Any], str], secret: str) -> "UserHasher":
        """The hasher of an app, by its secret."""
        key = hashlib.sha256(f"polymicro_lambda.user:{secret}".encode()).digest()
        return cls(user_id, hashlib.blake2b(digest_size=8, key=key))

    def __call__(self, user: Any) -> str | None:
        """16 hexadecimal digits, None for nobody."""
        if user is None:
            return None
        digest = self.mac.copy()
        digest.update(self.user_id(user).encode())
        text: str = digest.hexdigest()
        return text


def _request_numbers() -> Iterator[int]:
    """Numbers requests from 0; from 1 where Lambda started the instance ahead of them."""
    return count(os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency")


def _no_metering() -> None:
    """There is no client to meter."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Observes the requests of one app."""

    hasher: Callable[[Any], str | None]
    logger: Any = LOGGER
    """The logger of errors."""
    observers: tuple[Observer, ...] = ()
    """The observers of each request."""
    debug: bool = False
    """Whether errors are logged with their texts."""
    timed: bool = False
    """Whether each response has its ``Server-Timing``."""
    start_metering: Callable[[], None] = _no_metering
    """Begins to meter the calls of DynamoDB."""
    _numbers: Iterator[int] = field(default_factory=_request_numbers)
    metered: bool = field(init=False)
    """Whether requests are timed and their calls metered."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metered", bool(self.observers) or self.timed)

    def begin(self, observation: MeteredObservation) -> None:
        """Let the observers follow a request that comes in."""
        for observer in self.observers:
            safely(observer.begin, observation)

    def skip_cold_start(self) -> None:
        """An event that is no request has started the instance: no request is its cold start."""
        next(self._numbers)

    def finish(self, observation: MeteredObservation, response: Response) -> Response:
        """Give the observers the report of a request; its response, with ``Server-Timing`` if ``timed``."""
        report = self._report(observation, response.status)
        for callback in observation.at_end:
            safely(callback, report)
        if not self.timed:
            return response
        return replace(response, headers={**response.headers, "server-timing": server_timing(report)})

    def _report(self, observation: MeteredObservation, status: int) -> RequestReport:
        now, spent = perf_counter_ns(), dict(observation.spent)
        spent[observation.phase] = spent.get(observation.phase, 0) + now - observation.phase_began
        request, usage = observation.request, observation.usage
        return RequestReport(
            method=_method(request),
            route=observation.template,
            verb=observation.verb,
            status=status,
            duration_ms=_ms(now - observation.began),
            request_id=observation.request_id,
            correlation_id=observation.correlation_id,
            cold_start=next(self._numbers) == 0,
            user=self._user(request),
            source=request.source if request is not None else None,
            calls=usage.calls,
            read_units=usage.read_units,
            write_units=usage.write_units,
            retries=usage.retries,
            throttles=usage.throttles,
            phases={name: nanoseconds // 1000 / 1000 for name, nanoseconds in spent.items()},
            dynamodb_ms=_ms(usage.nanoseconds),
        )

    def _user(self, request: Request | None) -> str | None:
        try:
            return self.hasher(request.user) if request is not None else None
        except Exception:  # noqa: BLE001 - a user without an id is refused where one is needed, not here
            return None


def _method(request: Request | None) -> str | None:
    if request is None:
        return None
    return request.method if request.method in METHODS else OTHER


def _ms(nanoseconds: int) -> float:
    return nanoseconds // 1000 / 1000


def server_timing(report: RequestReport) -> str:
    """The header ``Server-Timing`` (W3C Server Timing, section 3): the phases, DynamoDB's part, and the sum."""
    spent = {**report.phases, "dynamodb": report.dynamodb_ms, "total": report.duration_ms}
    return ", ".join(f"{name};dur={ms}" for name, ms in spent.items())
