"""Types that every room may speak of: events, contexts, JSON and DynamoDB's attribute values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""What a JSON document can say."""

Event: TypeAlias = Mapping[str, Any]
"""An invocation's payload, as API Gateway, a function URL or a load balancer sends it."""

RawItem: TypeAlias = dict[str, dict[str, Any]]
"""An item as DynamoDB stores it: attribute name -> {type: value}, e.g. ``{"owner": {"S": "alice"}}``."""

FieldErrors: TypeAlias = Sequence[Mapping[str, str]]
"""The ``errors`` member of a problem: ``{"pointer": "#/text", "detail": "…"}`` for a body,
``{"parameter": "limit", "detail": "…"}`` for a query."""


MAX_ERRORS = 50
"""The most messages in one problem document. No more are looked for either: a body can hold 300,000 mistakes."""


class LambdaContext(Protocol):
    """The part of Lambda's context object that is read here."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


Handler: TypeAlias = Callable[[Any, Any], dict[str, Any]]
"""What ``PolyMicro.compile()`` returns: ``handler(event, context) -> response``."""
