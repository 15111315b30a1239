"""VPC Lattice services, whose target groups send one of two payloads."""

from typing import Any, ClassVar

from polymicro_lambda.http import urls
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.types import Event

from . import event_members
from .event_source import make_request, request_context
from .load_balancer import described_answer


class VpcLattice1:
    """Payload 1.0: one value for each header and parameter, and nothing of the client's identity."""

    name: ClassVar[str] = "lattice"
    path: ClassVar[str] = "raw_path"
    query: ClassVar[str] = "query_string_parameters"
    encoded: ClassVar[str] = "is_base64_encoded"

    def matches(self, event: Event) -> bool:
        """The members have underscores in their names."""
        return not event.keys().isdisjoint((self.path, self.query, self.encoded))

    def to_request(self, event: Event, context: object, known_id: str | None = None) -> Request:
        """Read the event; path and query are as the client wrote them, and nothing stands before the path."""
        path, _, raw_query = event_members.text(event.get(self.path)).partition("?")
        query = urls.parse_query(raw_query) if raw_query else self._query(event)
        return make_request(
            event,
            context,
            known_id,
            source=self.name,
            prefix="",
            segments=urls.path_segments(path, encoded=True),
            method=event_members.text(event.get("method")),
            query=query,
            headers=event_members.joined_headers(event_members.pairs(event, "headers")),
            encoded=self.encoded,
        )

    def _query(self, event: Event) -> urls.Pairs:
        return [
            (urls.decode_parameter(name), urls.decode_parameter(value))
            for name, value in event_members.pairs(event, self.query)
        ]

    def to_response(self, response: Response, _event: Event) -> dict[str, Any]:
        """The same for both payloads: one value for each name."""
        return described_answer(response)


class VpcLattice2(VpcLattice1):
    """Payload 2.0: lists of values, and in the context who signed the request, if it had to be signed."""

    path = "path"
    query = "queryStringParameters"
    encoded = "isBase64Encoded"

    def matches(self, event: Event) -> bool:
        """Payload 2.0 with its method beside the path, or of a service of VPC Lattice."""
        if event.get("version") != "2.0":
            return False
        return ("method" in event and "rawPath" not in event) or not _OWN.isdisjoint(request_context(event))


_OWN = frozenset({"serviceArn", "serviceNetworkArn"})
"""Members of the request context that other services do not send."""
