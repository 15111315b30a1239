"""The source of an event: which service has sent it."""

from typing import Any

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http.requests import Request
from polymicro_lambda.types import MAPPINGS, Event

from .api_gateway import FunctionUrl, HttpApi1, HttpApi2, RestApi
from .event_source import EventSource, request_context
from .load_balancer import LoadBalancer
from .vpc_lattice import VpcLattice1, VpcLattice2


class UnknownSource(RestApi):
    """Requests that are none of any source: refused as bad requests, in a REST API's form."""

    def matches(self, _event: Event) -> bool:
        """Any event: this source is the last that is asked."""
        return True

    def to_request(self, _event: Event, _context: object, _known_id: str | None = None) -> Request:
        """Raise ``BadRequest``."""
        raise BadRequest(
            "The event is no HTTP request of API Gateway, a function URL, a load balancer or VPC Lattice."
        )


class OtherService(UnknownSource):
    """Events that resemble requests: to an authorizer, of a WebSocket API, of an agent of Bedrock.

    ``PolyMicro(on_event=…)`` takes them where it is said.
    """

    def matches(self, event: Event) -> bool:
        """Whether it has a member that no request has."""
        return not _OTHERS.isdisjoint(event) or "connectionId" in request_context(event)


_OTHERS = frozenset({"methodArn", "routeArn", "actionGroup"})
"""Members of an authorizer's events (REST, HTTP), and of an agent's."""
REST = RestApi()
UNKNOWN = UnknownSource()
OTHER_SERVICE = OtherService()
SOURCES: tuple[EventSource, ...] = (
    OTHER_SERVICE,
    LoadBalancer(),
    VpcLattice2(),
    FunctionUrl(),
    HttpApi2(),
    HttpApi1(),
    REST,
    VpcLattice1(),
    UNKNOWN,
)
"""The sources in the order in which they are asked: the more telling sign first."""


_MEMBERS = frozenset({"httpMethod", "rawPath", "multiValueHeaders", "queryStringParameters"})
"""Members that only requests have."""


def source_of(event: Any) -> EventSource | None:
    """The source of an event, None for an event that is no request; never raises.

    ``UNKNOWN`` takes what looks like a request and is of no source, and refuses to read it.
    """
    if type(event) is not dict and not isinstance(event, MAPPINGS):
        return None
    context = request_context(event)
    if "httpMethod" in event and event.get("version") is None and "elb" not in context:
        # most events are a REST API's: the other sources need not be asked
        return REST if "connectionId" not in context and _OTHERS.isdisjoint(event) else OTHER_SERVICE
    found = next(source for source in SOURCES if source.matches(event))
    foreign = isinstance(found, UnknownSource)
    return None if foreign and not _looks_like_a_request(event) else found


def request_of(event: Event, context: object = None) -> Request:
    """The request of an event. Raises ``BadRequest`` for one that is none, else as ``EventSource.to_request``."""
    return (source_of(event) or UNKNOWN).to_request(event, context)


def _looks_like_a_request(event: Event) -> bool:
    return not _MEMBERS.isdisjoint(event) or ("method" in event and "path" in event)
