"""What an app says for all its resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.throttling import RateLimit


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What an app says for all its resources."""

    permissions: Any
    """Those of resources that declare none."""
    idempotency_table: type[Model] | None = None
    """Where the records of requests with an ``Idempotency-Key`` are, None where the app keeps none."""
    rate_limit: RateLimit | None = None
    renderers: Mapping[str, Any] = field(default_factory=dict)
    """What makes answers besides JSON, by media type."""
    parsers: Mapping[str, Any] = field(default_factory=dict)
    """What reads bodies besides JSON, by media type."""
