"""Cross-origin requests (the Fetch standard, "CORS protocol"): which origins may read what an API answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .requests import Request

__all__ = ["CORS"]

# No path (RFC 6454, section 6.2); a port from 1 to 5 digits, and IPv6 in brackets (RFC 3986, section 3.2).
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CORS:
    """The origins whose pages may call the API from a browser.

    ``origins`` are origins such as ``"https://app.example.com"``, or ``("*",)`` for any; ``credentials`` lets
    browsers send cookies, never with ``*``; ``allow_headers`` may be sent, ``expose_headers`` may be read by the
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
            _check_origin(origin)
        for name in ("allow_headers", "expose_headers"):
            _check_names(f"CORS.{name}", getattr(self, name), star=not self.credentials)
        if type(self.max_age) is not int or self.max_age < 0:
            raise ConfigurationError(
                f"CORS.max_age must be a number of seconds, 0 or more, not {self.max_age!r}"
            )

    def headers(self, request: Request, vary: str = "") -> dict[str, str]:
        """The headers for any answer to the request, whose own ``Vary`` is given."""
        if "*" in self.origins:
            return {"access-control-allow-origin": "*", **self._expose_headers()}
        by_origin = {"vary": with_vary(vary, "Origin")}
        if not self._allows(request):
            return by_origin
        credentials = {"access-control-allow-credentials": "true"} if self.credentials else {}
        return {
            "access-control-allow-origin": request.headers["origin"],
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
        return origin is not None and ("*" in self.origins or origin in self.origins)

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


def _check_origin(origin: object) -> None:
    """Raise ``ConfigurationError`` unless it is an origin, written as browsers write it."""
    if origin == "*":
        return
    match = _ORIGIN.fullmatch(origin) if isinstance(origin, str) else None
    if match is None:
        raise ConfigurationError(f"CORS.origins: {origin!r} is no origin such as https://app.example.com")
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    # Lower case, and without the scheme's own port (the URL standard, "origin" and "URL serializing").
    sent = f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")
    if sent != origin:
        raise ConfigurationError(f"CORS.origins: browsers do not say {origin!r} but {sent!r}: write that")


def _check_names(where: str, names: object, *, star: bool) -> None:
    """Raise ``ConfigurationError`` unless it is a collection of header names."""
    if not isinstance(names, list | tuple | set | frozenset) or not all(
        isinstance(name, str) and _HEADER_NAME.fullmatch(name) for name in names
    ):
        raise ConfigurationError(f"{where} must be a tuple of names of headers, not {names!r}")
    if "*" in names and not star:
        raise ConfigurationError(f"{where}: with credentials * is no wildcard; list the headers")
