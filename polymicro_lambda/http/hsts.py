"""``Strict-Transport-Security`` (RFC 6797): browsers that got it use HTTPS alone from then on."""

from dataclasses import dataclass
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .requests import Request

__all__ = ["HSTS"]

YEAR = 31_536_000
"""In seconds; the least that hstspreload.org takes ("Deployment Recommendations", "Submission Requirements")."""
HEADER = "strict-transport-security"


@dataclass(frozen=True, slots=True, kw_only=True)
class HSTS:
    """For how many seconds browsers use HTTPS alone, and whether for all subdomains of the API's host too.

    ``preload`` asks for a place in the list that browsers are built with, which is hard to leave: hstspreload.org
    wants a year and all subdomains for it. ``max_age=0`` makes browsers forget the header.

    Raises ``ConfigurationError``.
    """

    max_age: int = YEAR
    include_subdomains: bool = False
    preload: bool = False

    def __post_init__(self) -> None:
        if type(self.max_age) is not int or self.max_age < 0:
            raise ConfigurationError(
                f"HSTS.max_age must be a number of seconds, 0 or more, not {self.max_age!r}"
            )
        for name in ("include_subdomains", "preload"):
            if type(getattr(self, name)) is not bool:
                raise ConfigurationError(f"HSTS.{name} must be True or False, not {getattr(self, name)!r}")
        if self.preload and not (self.include_subdomains and self.max_age >= YEAR):
            raise ConfigurationError(
                f"HSTS.preload: hstspreload.org wants include_subdomains=True and a max_age of {YEAR} at least"
            )

    @property
    def value(self) -> str:
        """The value of the header (RFC 6797, section 6.1; ``preload`` is hstspreload.org's)."""
        directives = [f"max-age={self.max_age}"]
        directives += ["includeSubDomains"] if self.include_subdomains else []
        directives += ["preload"] if self.preload else []
        return "; ".join(directives)

    def headers(self, request: Request | None) -> dict[str, str]:
        """The header for an answer; none where a load balancer got the request by HTTP (RFC 6797, section 7.2)."""
        plain = request is not None and request.headers.get("x-forwarded-proto", "").lower() == "http"
        return {} if plain else {HEADER: self.value}


def hsts_of(setting: Any) -> HSTS | None:
    """The ``HSTS`` that ``PolyMicro(hsts=…)`` asks for: True is a year for the API's own host.

    Raises ``ConfigurationError``.
    """
    if setting is None or setting is False:
        return None
    if setting is True:
        return HSTS()
    if isinstance(setting, HSTS):
        return setting
    raise ConfigurationError(f"PolyMicro.hsts must be True, False or an HSTS, not {setting!r}")
