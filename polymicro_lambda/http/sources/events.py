"""One class per event source: an event becomes a ``Request``, a ``Response`` the answer that it expects."""

import base64
import re
from collections.abc import Mapping
from functools import lru_cache
from http.client import responses as phrases
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import urls
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.http.users import user_from
from polymicro_lambda.types import MAPPINGS, Event

from . import event_members

_NOT_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9a-z-]")  # RFC 9110, section 5.6.2
_CONNECTION = re.compile(
    r"(connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)?"
)
"""Names that are no header of an answer but the connection's, which is the gateway's (RFC 9110, section 7.6.1)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A client may choose it (API Gateway, "$context.requestId"; X-Amzn-Trace-Id): no other text gets into logs.
_ID = re.compile(r"[A-Za-z0-9._:;/=+-]{1,256}")
_NO_CONTEXT: Mapping[str, Any] = MappingProxyType({})
T = TypeVar("T")


class EventSource(Protocol):
    """What API Gateway, a function URL or a load balancer sends, and what it wants back."""

    def infer(self, event: Event, /) -> bool:
        """Whether the event is from this source."""

    def to_request(self, event: Event, context: object, said: str | None = None, /) -> Request:
        """Read the event; ``said`` is its request id, where that is known already.

        Raises ``BadRequest``, or ``NotFound`` for a path that no route can have.
        """

    def to_response(self, response: Response, event: Event, /) -> dict[str, Any]:
        """Write the answer to this event."""


class Rest:
    """A REST API: payload 1.0 without ``version``; the path is percent-encoded, the query decoded."""

    name: ClassVar[str] = "rest"
    encoded_path: ClassVar[bool] = True

    def infer(self, event: Event) -> bool:
        """Payload 1.0 that does not say so."""
        return "httpMethod" in event and event.get("version") is None

    def to_request(self, event: Event, context: object, said: str | None = None) -> Request:
        """Read the event; ``prefix`` is the stage, where the client's URL has it."""
        prefix, path = self._path(event)
        segments = urls.segments(path, encoded=self.encoded_path)
        return Request.of(
            {
                "method": self._method(event).upper(),
                "path": "/" + "/".join(segments),
                "segments": segments,
                "query": event_members.grouped(pairs) if (pairs := self._query(event)) else {},
                "headers": self._headers(event),
                "content": event_members.typed(event, "body", str),
                "base64_encoded": event.get("isBase64Encoded") is True,
                "user": user_from(event.get("requestContext")),
                "path_params": {},
                "event": event,
                "context": context,
                "source": self.name,
                "id": request_id(event, context) if said is None else said,
                "prefix": prefix,
                "state": {},
            }
        )

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """Payload 1.0; ``headers`` are enough, as each has one value."""
        return _answer(response, _clean(response.headers))

    def _method(self, event: Event) -> str:
        return event_members.text(event.get("httpMethod"))

    def _path(self, event: Event) -> tuple[str, str]:
        """What stands before the path in the client's URL, and the path."""
        path, context = event_members.text(event.get("path")), _context(event)
        return urls.stage_before(path, context.get("path"), context.get("stage")), path

    def _query(self, event: Event) -> urls.Pairs:
        return event_members.listed(event, "multiValueQueryStringParameters", "queryStringParameters")

    def _headers(self, event: Event) -> dict[str, str]:
        return event_members.usual(event.get("multiValueHeaders")) or event_members.joined(
            event_members.listed(event, "multiValueHeaders", "headers")
        )


class Http1(Rest):
    """An HTTP API with payload 1.0: the path is decoded and begins with the stage, where that has a name."""

    name = "http"
    encoded_path = False

    def infer(self, event: Event) -> bool:
        """Payload 1.0 that says so."""
        return event.get("version") == "1.0"

    def _path(self, event: Event) -> tuple[str, str]:
        return urls.unstaged(event_members.text(event.get("path")), _context(event).get("stage"))


class Http2(Http1):
    """An HTTP API with payload 2.0: as 1.0, but the query comes raw and the cookies apart."""

    def infer(self, event: Event) -> bool:
        """Payload 2.0."""
        return event.get("version") == "2.0"

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """Payload 2.0, whose cookies stand apart."""
        headers = _clean(response.headers)
        cookie = headers.pop("set-cookie", None)
        return _answer(response, headers) | ({"cookies": [cookie]} if cookie else {})

    def _method(self, event: Event) -> str:
        return event_members.text((event_members.typed(_context(event), "http", dict) or {}).get("method"))

    def _path(self, event: Event) -> tuple[str, str]:
        return urls.unstaged(event_members.text(event.get("rawPath")), _context(event).get("stage"))

    def _query(self, event: Event) -> urls.Pairs:
        # queryStringParameters joins the values of a repeated name with commas: only the raw text is exact.
        raw = event_members.typed(event, "rawQueryString", str)
        return urls.query(event_members.text(raw)) if raw else super()._query(event)

    def _headers(self, event: Event) -> dict[str, str]:
        cookies = [
            ("cookie", event_members.text(cookie))
            for cookie in event_members.typed(event, "cookies", list) or ()
        ]
        return super()._headers(event) | event_members.joined(cookies)


class FunctionUrl(Http2):
    """A Lambda function URL: payload 2.0 to ``<id>.lambda-url.<region>.on.aws``; the path is encoded."""

    name = "url"
    encoded_path = True

    def infer(self, event: Event) -> bool:
        """Payload 2.0 to the domain of a function URL."""
        return super().infer(event) and ".lambda-url." in str(_context(event).get("domainName"))


class LoadBalancer(Rest):
    """An Application Load Balancer: path and query are encoded; lists of values only if it is set up so."""

    name = "alb"

    def infer(self, event: Event) -> bool:
        """The request context names the target group."""
        return "elb" in _context(event)

    def to_response(self, response: Response, event: Event) -> dict[str, Any]:
        """The target group reads ``multiValueHeaders`` if it sent them, and ``headers`` if not."""
        phrase = f"{response.status} {phrases.get(response.status, 'Unknown')}"
        headers = _clean(response.headers)
        if event.get("multiValueHeaders") is None:
            return _answer(response, headers) | {"statusDescription": phrase}
        lists = {name: [value] for name, value in headers.items()}
        return _answer(response, lists, "multiValueHeaders") | {"statusDescription": phrase}

    def _query(self, event: Event) -> urls.Pairs:
        return [(urls.parameter(name), urls.parameter(value)) for name, value in super()._query(event)]


class Unknown(Rest):
    """Anything else, such as another service's event: refused as a bad request, in a REST API's form."""

    def to_request(self, _event: Event, _invocation: object, _said: str | None = None) -> Request:
        """Raise ``BadRequest``."""
        raise BadRequest("The event is no HTTP request of API Gateway, a function URL or a load balancer.")


REST = Rest()
SOURCES: tuple[EventSource, ...] = (LoadBalancer(), FunctionUrl(), Http2(), Http1(), REST)
"""In the order in which they are asked: the more telling sign first."""
UNKNOWN = Unknown()


def source_of(event: Any) -> EventSource:
    """The source of an event; never raises: ``UNKNOWN`` takes what no source sends and refuses to read it."""
    if type(event) is not dict and not isinstance(event, MAPPINGS):
        return UNKNOWN
    if event.get("version") is None and "elb" not in _context(event):
        return REST if "httpMethod" in event else UNKNOWN
    return next((source for source in SOURCES if source.infer(event)), UNKNOWN)


def request_id(event: object, context: object) -> str:
    """The event's request id, else a load balancer's trace id, else the invocation's, else ``""``."""
    said = _context(event)
    given = said.get("requestId")
    if isinstance(given, str) and _ID.fullmatch(given):
        return given
    trace = _trace_id(event) if "elb" in said else None
    ids = (trace, getattr(context, "aws_request_id", None))
    return next((value for value in ids if isinstance(value, str) and _ID.fullmatch(value)), "")


def _context(event: object) -> Mapping[str, Any]:
    if type(event) is not dict and not isinstance(event, MAPPINGS):
        return _NO_CONTEXT
    context = event.get("requestContext")
    return context if type(context) is dict or isinstance(context, MAPPINGS) else _NO_CONTEXT


def _trace_id(event: Any) -> str | None:
    try:
        return event_members.joined(event_members.listed(event, "multiValueHeaders", "headers")).get(
            "x-amzn-trace-id"
        )
    except BadRequest:  # which is what this id will be the id of
        return None


def _answer(response: Response, headers: Mapping[str, Any], within: str = "headers") -> dict[str, Any]:
    try:
        body, encoded = response.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(response.body).decode(), True
    return {"statusCode": response.status, within: headers, "body": body, "isBase64Encoded": encoded}


def _clean(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers in visible ASCII, so that API Gateway takes them and no value can begin another header."""
    texts = "".join(headers.values())
    if texts.isascii() and texts.isprintable():
        plain = {_token(name): value for name, value in headers.items()}
        plain.pop("", None)
        return plain
    cleaned = [
        (_token(name), value if value.isascii() and value.isprintable() else _visible(value))
        for name, value in headers.items()
    ]
    return {name: value for name, value in cleaned if name}


@lru_cache
def _token(name: str) -> str:
    """The name as it goes out, empty for one that does not."""
    cleaned = _NOT_TOKEN.sub("", name.lower())
    return "" if _CONNECTION.fullmatch(cleaned) else cleaned


def _visible(value: str) -> str:
    return _CONTROL.sub("", value).encode("ascii", "replace").decode()
