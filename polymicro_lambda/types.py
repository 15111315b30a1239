"""Types that every room may speak of: events, items as DynamoDB stores them, messages for fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Event: TypeAlias = Mapping[str, Any]
"""An invocation's payload, as API Gateway, a function URL or a load balancer sends it."""

RawItem: TypeAlias = dict[str, dict[str, Any]]
"""An item as DynamoDB stores it: attribute name -> {type: value}, e.g. ``{"owner": {"S": "alice"}}``."""

FieldErrors: TypeAlias = Sequence[Mapping[str, str]]
"""The ``errors`` member of a problem: ``{"pointer": "#/text", "detail": "…"}`` for a body,
``{"parameter": "limit", "detail": "…"}`` for a query."""


MAPPINGS = (dict, Mapping)
"""What a JSON object may be: ``dict`` first, as asking the abstract class takes ten times as long."""

MAX_ERRORS = 50
"""The most messages in one problem document. No more are looked for either: a body can hold 300,000 mistakes."""


Handler: TypeAlias = Callable[[Any, Any], dict[str, Any]]
"""What ``PolyMicro.compile()`` returns: ``handler(event, context) -> response``."""
