"""Arguments of `PolyMicro` that cannot be, told when the app compiles."""

from collections.abc import Sequence
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.idempotency import Idempotency
from polymicro_lambda.throttling import RateLimit


def check_settings(resources: Sequence[Any], max_body: Any, idempotency: Any, rate_limit: Any) -> None:
    """Raise ``ConfigurationError`` for an app without resources, and for an argument of another kind."""
    if not resources:
        raise ConfigurationError("PolyMicro has no resource: write TodoResource(pm) before compile()")
    if type(max_body) is not int or max_body < 1:
        raise ConfigurationError(f"PolyMicro.max_body must be a number of bytes, not {max_body!r}")
    if not isinstance(idempotency, Idempotency | None):
        raise ConfigurationError(f"PolyMicro.idempotency must be an Idempotency(), not {idempotency!r}")
    if not isinstance(rate_limit, RateLimit | None):
        raise ConfigurationError(f"PolyMicro.rate_limit must be a RateLimit(), not {rate_limit!r}")
