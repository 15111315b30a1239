"""The source of an event: which service has sent it."""

from typing import Any

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http.requests import Request
from polymicro_lambda.types import MAPPINGS, Event

from .api_gateway import FunctionUrl, HttpApi1, HttpApi2, RestApi
from .event_source import EventSource, request_context
from .load_balancer import LoadBalancer


class UnknownSource(RestApi):
    """Another service, whose events are no HTTP requests: refused as a bad request, in a REST API's form."""

    def matches(self, _event: Event) -> bool:
        """Any event: this source is the last that is asked."""
        return True

    def to_request(self, _event: Event, _context: object, _known_id: str | None = None) -> Request:
        """Raise ``BadRequest``."""
        raise BadRequest("The event is no HTTP request of API Gateway, a function URL or a load balancer.")


REST = RestApi()
UNKNOWN = UnknownSource()
SOURCES: tuple[EventSource, ...] = (LoadBalancer(), FunctionUrl(), HttpApi2(), HttpApi1(), REST, UNKNOWN)
"""The sources in the order in which they are asked: the more telling sign first."""


def source_of(event: Any) -> EventSource:
    """The source of an event; never raises: ``UNKNOWN`` takes what no source sends and refuses to read it."""
    if type(event) is not dict and not isinstance(event, MAPPINGS):
        return UNKNOWN
    if "httpMethod" in event and event.get("version") is None and "elb" not in request_context(event):
        return REST  # most events are a REST API's: the other sources need not be asked
    return next(source for source in SOURCES if source.matches(event))
