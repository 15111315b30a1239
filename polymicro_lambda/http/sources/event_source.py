"""The protocol of an event source, and the parts that every source uses: the request, its context and its id."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http.addresses import NOWHERE
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.http.urls import Pairs
from polymicro_lambda.http.users import user_from
from polymicro_lambda.types import MAPPINGS, Event

from . import event_members

# A client may choose the id (API Gateway, "$context.requestId"; X-Amzn-Trace-Id): no other text gets into logs.
_ID = re.compile(r"[A-Za-z0-9._:;/=+-]{1,256}")
_NO_CONTEXT: Mapping[str, Any] = MappingProxyType({})


class EventSource(Protocol):
    """A service that invokes the Lambda with HTTP requests. It has no state: one instance serves all events."""

    name: ClassVar[str]
    """Its name in ``Request.source``."""

    def matches(self, event: Event, /) -> bool:
        """Whether the event is of this source."""

    def to_request(self, event: Event, context: object, known_id: str | None = None, /) -> Request:
        """Read the event; ``known_id`` is its request id, where the caller has read that already.

        Raises ``BadRequest``, or ``NotFound`` for a path that no route can have.
        """

    def to_response(self, response: Response, event: Event, /) -> dict[str, Any]:
        """Write the answer to this event, in the form that the source expects."""


def make_request(
    event: Event,
    context: object,
    known_id: str | None,
    *,
    source: str,
    prefix: str,
    segments: tuple[str, ...],
    method: str,
    query: Pairs,
    headers: dict[str, str],
    encoded: str = "isBase64Encoded",
) -> Request:
    """The request of an event: the given members, and those that all sources send alike.

    ``encoded`` is the event's member that says whether the body is base64. Raises ``BadRequest``.
    """
    return Request.of(
        {
            "method": method.upper(),
            "path": "/" + "/".join(segments),
            "segments": segments,
            "query": event_members.values_by_name(query) if query else {},
            "headers": headers,
            "content": event_members.member(event, "body", str),
            "base64_encoded": event.get(encoded) is True,
            "user": user_from(event.get("requestContext")),
            "path_params": {},
            "event": event,
            "context": context,
            "source": source,
            "id": request_id(event, context) if known_id is None else known_id,
            "prefix": prefix,
            "site": NOWHERE,
            "state": {},
        }
    )


def request_context(event: object) -> Mapping[str, Any]:
    """The event's ``requestContext``, empty where it is no object."""
    if type(event) is not dict and not isinstance(event, MAPPINGS):
        return _NO_CONTEXT
    context = event.get("requestContext")
    return context if type(context) is dict or isinstance(context, MAPPINGS) else _NO_CONTEXT


def request_id(event: object, context: object) -> str:
    """The event's request id, else a load balancer's trace id, else the invocation's, else ``""``."""
    event_context = request_context(event)
    given = event_context.get("requestId")
    if isinstance(given, str) and _ID.fullmatch(given):
        return given
    trace = _trace_id(event) if "elb" in event_context else None
    ids = (trace, getattr(context, "aws_request_id", None))
    return next((value for value in ids if isinstance(value, str) and _ID.fullmatch(value)), "")


def origin_of(event: object) -> str | None:
    """The ``Origin`` of an event that may be no request; None where it has none that can be read."""
    found = None
    for name in ("multiValueHeaders", "headers"):
        try:
            pairs = event_members.pairs(event, name) if isinstance(event, MAPPINGS) else []
        except BadRequest:
            continue
        found = found or event_members.joined_headers(pairs).get("origin")
    return found


def _trace_id(event: Any) -> str | None:
    try:
        return event_members.headers(event).get("x-amzn-trace-id")
    except BadRequest:  # the answer to a malformed event needs an id too
        return None
