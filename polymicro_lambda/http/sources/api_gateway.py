"""API Gateway: REST APIs, and HTTP APIs with either payload; function URLs, which send an HTTP API's payload 2.0."""

from typing import Any, ClassVar

from polymicro_lambda.http import urls
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.types import Event

from . import event_members
from .event_source import make_request, request_context
from .response_payloads import clean_headers, response_payload, split_cookies

_MEMBERS_1 = ("httpMethod", "path", "requestContext")
_MEMBERS_2 = ("rawPath", "rawQueryString", "requestContext", "routeKey")
"""Members of a request's payload: events of other services have a version too."""


class RestApi:
    """A REST API: payload 1.0 without ``version``; the path is percent-encoded, the query decoded."""

    name: ClassVar[str] = "rest"

    def matches(self, event: Event) -> bool:
        """Payload 1.0 that does not name its version."""
        return "httpMethod" in event and event.get("version") is None

    def to_request(self, event: Event, context: object, known_id: str | None = None) -> Request:
        """Read the event; ``prefix`` is the stage, where the client's URL has it."""
        path, event_context = event_members.text(event.get("path")), request_context(event)
        return make_request(
            event,
            context,
            known_id,
            source=self.name,
            prefix=urls.stage_prefix(path, event_context.get("path"), event_context.get("stage")),
            segments=urls.path_segments(path, encoded=True),
            method=event_members.text(event.get("httpMethod")),
            query=event_members.query(event),
            headers=event_members.headers(event),
        )

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """Payload 1.0; ``headers`` are enough, as each has one value, but for cookies."""
        return _payload_1(response)


class HttpApi1:
    """An HTTP API with payload 1.0: the path is decoded and begins with the stage, where that has a name."""

    name: ClassVar[str] = "http"

    def matches(self, event: Event) -> bool:
        """Payload 1.0 that names its version."""
        return event.get("version") == "1.0" and not event.keys().isdisjoint(_MEMBERS_1)

    def to_request(self, event: Event, context: object, known_id: str | None = None) -> Request:
        """Read the event; ``prefix`` is the stage, where it has a name."""
        prefix, path = urls.split_stage(
            event_members.text(event.get("path")), request_context(event).get("stage")
        )
        return make_request(
            event,
            context,
            known_id,
            source=self.name,
            prefix=prefix,
            segments=urls.path_segments(path, encoded=False),
            method=event_members.text(event.get("httpMethod")),
            query=event_members.query(event),
            headers=event_members.headers(event),
        )

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """Payload 1.0, as a REST API's."""
        return _payload_1(response)


class HttpApi2:
    """An HTTP API with payload 2.0: the path is as in payload 1.0, the query is raw, the cookies stand apart."""

    name: ClassVar[str] = "http"
    encoded_path: ClassVar[bool] = False

    def matches(self, event: Event) -> bool:
        """Payload 2.0."""
        return event.get("version") == "2.0" and not event.keys().isdisjoint(_MEMBERS_2)

    def to_request(self, event: Event, context: object, known_id: str | None = None) -> Request:
        """Read the event; ``prefix`` is the stage, where it has a name."""
        event_context = request_context(event)
        prefix, path = urls.split_stage(event_members.text(event.get("rawPath")), event_context.get("stage"))
        return make_request(
            event,
            context,
            known_id,
            source=self.name,
            prefix=prefix,
            segments=urls.path_segments(path, encoded=self.encoded_path),
            method=event_members.text(
                (event_members.member(event_context, "http", dict) or {}).get("method")
            ),
            query=_raw_query(event),
            headers=_headers_with_cookies(event),
        )

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """Payload 2.0, whose cookies stand apart."""
        headers, cookies = split_cookies(response.headers)
        return response_payload(response, clean_headers(headers)) | ({"cookies": cookies} if cookies else {})


class FunctionUrl(HttpApi2):
    """A Lambda function URL: payload 2.0 to ``<id>.lambda-url.<region>.on.aws``; the path is encoded."""

    name = "url"
    encoded_path = True

    def matches(self, event: Event) -> bool:
        """Payload 2.0 to the domain of a function URL."""
        return super().matches(event) and ".lambda-url." in str(request_context(event).get("domainName"))


def _payload_1(response: Response) -> dict[str, Any]:
    headers, cookies = split_cookies(response.headers)
    if len(cookies) < 2:
        return response_payload(response, clean_headers(response.headers))
    # API Gateway sends what both members hold.
    return response_payload(response, clean_headers(headers)) | {"multiValueHeaders": {"set-cookie": cookies}}


def _raw_query(event: Event) -> urls.Pairs:
    # queryStringParameters joins the values of a repeated name with commas: only the raw text is exact.
    raw = event_members.member(event, "rawQueryString", str)
    return urls.parse_query(event_members.text(raw)) if raw else event_members.query(event)


def _headers_with_cookies(event: Event) -> dict[str, str]:
    headers = event_members.headers(event)
    cookies = event_members.member(event, "cookies", list)
    if not cookies:
        return headers
    return headers | event_members.joined_headers(
        [("cookie", event_members.text(cookie)) for cookie in cookies]
    )
