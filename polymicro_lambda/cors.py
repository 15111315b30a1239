"""Cross-origin requests (the Fetch standard, "CORS protocol"): which origins may read what an API answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .exceptions import ConfigurationError
from .requests import Request

__all__ = ["CORS"]

_ORIGIN = re.compile(r"https?://[^/?#@]+")  # no path: RFC 6454, section 6.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CORS:
    """Who may call from a browser's page of another origin.

    ``origins`` are origins such as ``"https://app.example.com"``, or ``("*",)`` for any; ``credentials`` lets
    browsers send cookies, never with ``*``; ``allow_headers`` may be sent, ``expose_headers`` may be read by the
    page; ``max_age`` is how long a preflight is good for, in seconds. Raises ``ConfigurationError``.
    """

    origins: Sequence[str]
    credentials: bool = False
    allow_headers: Sequence[str] = (
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
    )
    expose_headers: Sequence[str] = ("etag", "idempotency-replayed", "link", "location", "retry-after")
    max_age: int = 600

    def __post_init__(self) -> None:
        if isinstance(self.origins, str) or not self.origins:
            raise ConfigurationError(f"CORS.origins must be a tuple of origins, not {self.origins!r}")
        if self.credentials and "*" in self.origins:
            raise ConfigurationError(
                "CORS.credentials: browsers refuse credentials for the origin *; list the origins"
            )
        for origin in self.origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ConfigurationError(
                    f"CORS.origins: {origin!r} is no origin such as https://app.example.com"
                )

    def headers(self, request: Request, vary: str = "") -> dict[str, str]:
        """The headers for any answer to the request, whose own ``Vary`` is given."""
        if "*" in self.origins:
            return {"access-control-allow-origin": "*", **self._exposed()}
        origin = request.headers.get("origin")
        varies = {"vary": f"{vary}, Origin" if vary else "Origin"}
        if origin not in self.origins:
            return varies
        credentials = {"access-control-allow-credentials": "true"} if self.credentials else {}
        return {
            "access-control-allow-origin": str(origin),
            **varies,
            **credentials,
            **self._exposed(),
        }

    def preflight(self, request: Request, allow: str) -> dict[str, str]:
        """The further headers for a preflight request; none for an OPTIONS request that is no preflight."""
        if "origin" not in request.headers or "access-control-request-method" not in request.headers:
            return {}
        return {
            "access-control-allow-methods": allow,
            "access-control-allow-headers": ", ".join(self.allow_headers),
            "access-control-max-age": str(self.max_age),
        }

    def _exposed(self) -> dict[str, str]:
        return (
            {"access-control-expose-headers": ", ".join(self.expose_headers)} if self.expose_headers else {}
        )
