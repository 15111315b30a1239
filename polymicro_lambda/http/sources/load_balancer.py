"""Application Load Balancers, whose target groups send headers and queries in one of two forms."""

from http.client import responses as phrases
from typing import Any, ClassVar

from polymicro_lambda.http import urls
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.types import Event

from . import event_members
from .event_source import make_request, request_context
from .response_payloads import clean_headers, response_payload, spellings, split_cookies


class LoadBalancer:
    """An Application Load Balancer: path and query are encoded; lists of values only if it is set up so."""

    name: ClassVar[str] = "alb"

    def matches(self, event: Event) -> bool:
        """The request context names the target group."""
        return "elb" in request_context(event)

    def to_request(self, event: Event, context: object, known_id: str | None = None) -> Request:
        """Read the event; a load balancer puts nothing before the path."""
        return make_request(
            event,
            context,
            known_id,
            source=self.name,
            prefix="",
            segments=urls.path_segments(event_members.text(event.get("path")), encoded=True),
            method=event_members.text(event.get("httpMethod")),
            query=[
                (urls.decode_parameter(name), urls.decode_parameter(value))
                for name, value in event_members.query(event)
            ],
            headers=event_members.headers(event),
        )

    def to_response(self, response: Response, event: Event) -> dict[str, Any]:
        """The target group reads ``multiValueHeaders`` if it sent them, and ``headers`` if not."""
        if event.get("multiValueHeaders") is None:
            return described_answer(response)
        others, cookies = split_cookies(response.headers)
        lists = {name: [value] for name, value in clean_headers(others).items()} | (
            {"set-cookie": cookies} if cookies else {}
        )
        return response_payload(response, lists, "multiValueHeaders") | _description(response)


def described_answer(response: Response) -> dict[str, Any]:
    """An answer with a description of its status, and one value for each header."""
    others, cookies = split_cookies(response.headers)
    # Names in other letters are others to the load balancer, and the same to clients.
    spelled = dict(zip(spellings("set-cookie"), cookies, strict=False))
    return response_payload(response, clean_headers(others) | spelled) | _description(response)


def _description(response: Response) -> dict[str, str]:
    return {"statusDescription": f"{response.status} {phrases.get(response.status, 'Unknown')}"}
