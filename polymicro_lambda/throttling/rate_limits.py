"""`RateLimit`: how many requests of each user an app serves in which time, and where it counts them."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_table, own_table_model
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import Request

from .client_addresses import client_address

__all__ = ["RateLimit"]

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MOST_REQUESTS = 1_000_000_000
"""Of a quota; the headers could have 15 digits (RFC 9651, section 3.3.1)."""
_QUOTA = re.compile(r"([1-9][0-9]{0,9}) ?/ ?(?:([1-9][0-9]{0,4}) ?)?(second|minute|hour|day)s?")
_SEGMENTS = "/{}!$&'()*+,;=:@~"
DEFAULT = "default"
"""The name of the app's own quota, as clients see it."""


@dataclass(frozen=True)
class RateLimit:
    """How many requests of one user are served, e.g. ``RateLimit("100/minute")``, and where they are counted.

    ``quota`` is for all verbs together whose resource declares none; None leaves these unlimited. ``table`` is the
    table's name, without the prefix. ``anonymous(request)`` names the client of a request without a user: the address
    that the gateway gives, unless you set it. Where DynamoDB does not count, requests are refused (503, 500), or with
    ``fail_open`` served. ``clock()`` is the time in seconds since 1970. Raises ``ConfigurationError``.
    """

    quota: str | None = None
    _: KW_ONLY
    table: str = "rate_limits"
    anonymous: Callable[[Request], str] = client_address
    fail_open: bool = False
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        check_table("RateLimit.table", self.table)
        if type(self.fail_open) is not bool:
            raise ConfigurationError(f"RateLimit.fail_open must be True or False, not {self.fail_open!r}")
        for name in ("anonymous", "clock"):
            if not callable(getattr(self, name)):
                raise ConfigurationError(f"RateLimit.{name} must be a function, not {getattr(self, name)!r}")
        if self.quota is not None:
            _parse("RateLimit.quota", self.quota)

    @cached_property
    def model(self) -> type[Model]:
        """The table of the counters."""
        return own_table_model("Counter", __name__, self.table)


@dataclass(frozen=True, slots=True)
class Rate:
    """A quota, and the table of its counters."""

    name: str
    requests: int
    seconds: int
    counters: type[Model]

    @property
    def policy(self) -> str:
        """The header ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-11, section 3)."""
        return f'"{self.name}";q={self.requests};w={self.seconds}'


def rates_of(resource: Any, path: str, verbs: Iterable[str], limit: RateLimit | None) -> Mapping[str, Rate]:
    """The rates of a resource's verbs by the verbs' names, without verbs that are not limited.

    Raises ``ConfigurationError`` for a malformed quota, an unknown verb, and for a quota where ``limit`` is None.
    """
    declared, where = resource.rate_limit, f"{type(resource).__name__}.rate_limit"
    if limit is None:
        if declared is not None:
            raise ConfigurationError(f"{where} needs PolyMicro(rate_limit=RateLimit())")
        return {}
    names = list(verbs)
    own = declared if isinstance(declared, Mapping) else {}
    for name in own:
        if name not in names:
            raise ConfigurationError(f"{where}: {name!r} is no verb here; there are {', '.join(names)}")
    shared = (DEFAULT, limit.quota) if declared is None or declared is own else (path, declared)
    quotas = {name: (f"{path}.{name}", own[name]) if name in own else shared for name in names}
    return {
        verb: Rate(quote(name, safe=_SEGMENTS), *_parse(where, quota), limit.model)
        for verb, (name, quota) in quotas.items()
        if quota is not None
    }


def _parse(where: str, quota: object) -> tuple[int, int]:
    """The requests and the seconds of a quota."""
    match = _QUOTA.fullmatch(quota) if isinstance(quota, str) else None
    if match is None or int(match[1]) > MOST_REQUESTS:
        raise ConfigurationError(
            f'{where} must say requests in a time, such as "100/minute" or "1000/15 minutes", not {quota!r}'
        )
    return int(match[1]), int(match[2] or 1) * UNITS[match[3]]
