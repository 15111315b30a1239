"""Cross-origin requests (the Fetch standard, "CORS protocol"): which origins may read what an API answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .origins import check_origin, is_pattern, let_in
from .requests import Request

__all__ = ["CORS"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CORS:
    """The origins whose pages may call the API from a browser.

    ``origins`` are origins such as ``"https://app.example.com"`` or ``"capacitor://localhost"``; patterns such as
    ``"https://*.example.com"`` for all subdomains, of any depth; or ``("*",)`` for any. ``credentials`` lets browsers
    send cookies, never with ``*``; ``allow_headers`` may be sent, ``expose_headers`` may be read by the
    page; ``max_age`` is for how many seconds browsers may keep the answer to a preflight.

    Raises ``ConfigurationError``.
    """

    origins: Sequence[str]
    credentials: bool = False
    allow_headers: Sequence[str] = (
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "prefer",
    )
    expose_headers: Sequence[str] = (
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "preference-applied",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
    )
    max_age: int = 600

    def __post_init__(self) -> None:
        if isinstance(self.origins, str) or not self.origins:
            raise ConfigurationError(f"CORS.origins must be a tuple of origins, not {self.origins!r}")
        if self.credentials and "*" in self.origins:
            raise ConfigurationError(
                "CORS.credentials: browsers refuse credentials for the origin *; list the origins"
            )
        for origin in self.origins:
            check_origin(origin)
        for name in ("allow_headers", "expose_headers"):
            _check_names(f"CORS.{name}", getattr(self, name), star=not self.credentials)
        if type(self.max_age) is not int or self.max_age < 0:
            raise ConfigurationError(
                f"CORS.max_age must be a number of seconds, 0 or more, not {self.max_age!r}"
            )

    @property
    def one_for_all(self) -> str | None:
        """What every answer may name as the origin; None where that depends on the request."""
        if "*" in self.origins:
            return "*"
        return None if len(self.origins) > 1 or is_pattern(self.origins[0]) else self.origins[0]

    @property
    def is_plain(self) -> bool:
        """Whether an HTTP API can answer for each of the origins: it takes those of HTTP alone, and no patterns."""
        return not any(is_pattern(one) or not (one == "*" or one.startswith("http")) for one in self.origins)

    def headers(self, origin: str | None, vary: str = "") -> dict[str, str]:
        """The headers for any answer to a request of this origin; the answer's own ``Vary`` is given."""
        if "*" in self.origins:
            return {"access-control-allow-origin": "*", **self._expose_headers()}
        by_origin = {"vary": with_vary(vary, "Origin")}
        if origin is None or not let_in(origin, self.origins):
            return by_origin
        credentials = {"access-control-allow-credentials": "true"} if self.credentials else {}
        return {
            "access-control-allow-origin": origin,
            **by_origin,
            **credentials,
            **self._expose_headers(),
        }

    def preflight(self, request: Request, allow: str) -> dict[str, str]:
        """The further headers for a preflight request of an origin that is let in; none for any other request."""
        if "access-control-request-method" not in request.headers or not self._allows(request):
            return {}
        return {
            "access-control-allow-methods": allow,
            "access-control-allow-headers": ", ".join(self.allow_headers),
            "access-control-max-age": str(self.max_age),
        }

    def _allows(self, request: Request) -> bool:
        """Whether the request names an origin that may read the answer."""
        origin = request.headers.get("origin")
        return origin is not None and ("*" in self.origins or let_in(origin, self.origins))

    def _expose_headers(self) -> dict[str, str]:
        return (
            {"access-control-expose-headers": ", ".join(self.expose_headers)} if self.expose_headers else {}
        )


def cors_of(setting: Any) -> CORS | None:
    """The ``CORS`` that ``PolyMicro(cors=…)`` asks for: ``"*"`` is any origin. Raises ``ConfigurationError``."""
    if setting is None or isinstance(setting, CORS):
        return setting
    if setting == "*":
        return CORS(origins=("*",))
    raise ConfigurationError(f'PolyMicro.cors must be "*" or a CORS, not {setting!r}')


def with_vary(vary: str, header: str) -> str:
    """``Vary`` with the name of a header in it (RFC 9110, section 12.5.5), once."""
    names = {name.strip().lower() for name in vary.split(",")}
    return vary if {"*", header.lower()} & names else f"{vary}, {header}" if vary else header


def _check_names(where: str, names: object, *, star: bool) -> None:
    """Raise ``ConfigurationError`` unless it is a collection of header names."""
    if not isinstance(names, list | tuple | set | frozenset) or not all(
        isinstance(name, str) and _HEADER_NAME.fullmatch(name) for name in names
    ):
        raise ConfigurationError(f"{where} must be a tuple of names of headers, not {names!r}")
    if "*" in names and not star:
        raise ConfigurationError(f"{where}: with credentials * is no wildcard; list the headers")
