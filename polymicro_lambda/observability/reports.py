"""What an app tells of its requests: each one's report, and the sinks that it goes to."""

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
"""A method that no API has: a client may send any text."""


@dataclass
class RequestReport:
    """One request, when it is answered. It holds nothing that client or user wrote but the two ids.

    It has no slots: its attributes, as they stand, are the members of a structured line.
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
    """Calls of DynamoDB; ``retries`` and ``throttles`` are their tries."""
    read_units: float
    write_units: float
    retries: int
    throttles: int
    phases: Mapping[str, float]
    """Milliseconds by phase, in order."""
    dynamodb_ms: float

    def members(self) -> dict[str, Any]:
        """All of it by name, for a structured line: to be read."""
        return vars(self)


class Sink(Protocol):
    """Where the requests of an app are told of."""

    def begin(self, seen: MeteredObservation) -> None:
        """A request comes in; ``seen.at_end`` takes what is to be told its report."""


@dataclass(frozen=True, slots=True)
class UserHasher:
    """Makes of a user's id what tells two users apart and neither who they are."""

    user_id: Callable[[Any], str]
    keyed: Any
    """BLAKE2 that has read the key, which makes it a MAC (RFC 7693, section 1); each id goes into a copy."""

    @classmethod
    def of(cls, user_id: Callable[[Any], str], secret: str) -> "UserHasher":
        """The hasher of an app, by its secret."""
        key = hashlib.sha256(f"polymicro_lambda.user:{secret}".encode()).digest()
        return cls(user_id, hashlib.blake2b(digest_size=8, key=key))

    def __call__(self, user: Any) -> str | None:
        """16 hexadecimal digits, None for nobody."""
        if user is None:
            return None
        digest = self.keyed.copy()
        digest.update(self.user_id(user).encode())
        text: str = digest.hexdigest()
        return text


def _first() -> Iterator[int]:
    """Counts requests from 0; from 1 where the instance was started before any came."""
    return count(os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency")


def _nothing() -> None:
    """There is no client to watch."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Observes the requests of one app."""

    hasher: Callable[[Any], str | None]
    logger: Any = LOGGER
    """Takes the errors."""
    sinks: tuple[Sink, ...] = ()
    debug: bool = False
    """Errors are told with their text."""
    timed: bool = False
    """Each response has its ``Server-Timing``."""
    watch: Callable[[], None] = _nothing
    """Lets the calls of DynamoDB be noted."""
    _served: Iterator[int] = field(default_factory=_first)

    metered: bool = field(init=False)
    """Somebody wants to know what a request costs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metered", bool(self.sinks) or self.timed)

    def begin(self, seen: MeteredObservation) -> None:
        """Tell the sinks that a request comes in."""
        for sink in self.sinks:
            safely(sink.begin, seen)

    def told(self, seen: MeteredObservation, response: Response) -> Response:
        """Tell the sinks of a request; its response, with ``Server-Timing`` where that is wanted."""
        report = self._report(seen, response.status)
        for end in seen.at_end:
            safely(end, report)
        if not self.timed:
            return response
        return replace(response, headers={**response.headers, "server-timing": server_timing(report)})

    def _report(self, seen: MeteredObservation, status: int) -> RequestReport:
        now, spent = perf_counter_ns(), dict(seen.spent)
        spent[seen.phase] = spent.get(seen.phase, 0) + now - seen.since
        request, usage = seen.request, seen.usage
        return RequestReport(
            method=_method(request),
            route=seen.template,
            verb=seen.verb,
            status=status,
            duration_ms=_ms(now - seen.began),
            request_id=seen.request_id,
            correlation_id=seen.correlation_id,
            cold_start=next(self._served) == 0,
            user=self._user(request),
            source=request.source if request is not None else None,
            calls=usage.calls,
            read_units=usage.read_units,
            write_units=usage.write_units,
            retries=usage.retries,
            throttles=usage.throttles,
            phases={name: spent // 1000 / 1000 for name, spent in spent.items()},
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
