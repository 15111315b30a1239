"""Origins (RFC 6454) as `CORS` takes them: one by one, or by a pattern for the subdomains of a domain."""

import re
from collections.abc import Iterable

from polymicro_lambda.exceptions import ConfigurationError

# No path (RFC 6454, section 6.2); a scheme as in RFC 3986, section 3.1; a port from 1 to 5 digits, and IPv6 in brackets
# (section 3.2).
_ORIGIN = r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?"
_PATTERN = r"(https?)://\*((?:\.[a-z0-9_-]+)+)(?::([1-9][0-9]{0,4}))?"
_SUBDOMAIN = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
"""One label or several, as browsers write them: in lower case, other letters in their ASCII form."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_OPAQUE = frozenset({"about", "blob", "data", "file", "javascript"})
"""Schemes whose pages browsers call ``null``, as they do many a page that nobody can tell from another."""


def check_origin(origin: object) -> None:
    """Raise ``ConfigurationError`` unless it is an origin as browsers write it, a pattern of such, or ``*``."""
    if origin == "*":
        return
    if not isinstance(origin, str):
        raise ConfigurationError(f"CORS.origins: {origin!r} is no origin such as https://app.example.com")
    form = _PATTERN if "*" in origin else _ORIGIN
    match = re.fullmatch(form, origin, re.IGNORECASE)
    if match is None:
        raise ConfigurationError(f"CORS.origins: {origin!r} is no {_wanted(origin)}")
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    if scheme in _OPAQUE:
        raise ConfigurationError(
            f"CORS.origins: browsers send the origin null for {origin!r}, as for any such page"
        )
    if "*" in origin:
        _check_domain(origin, host)
        host = f"*{host}"
    # Lower case, and without the scheme's own port (the URL standard, "origin" and "URL serializing").
    sent = f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else "")
    if sent != origin:
        raise ConfigurationError(f"CORS.origins: browsers do not say {origin!r} but {sent!r}: write that")


def _wanted(origin: str) -> str:
    if "*" not in origin:
        return "origin such as https://app.example.com"
    return "pattern such as https://*.example.com, whose star stands for all that is before a domain of yours"


def _check_domain(pattern: str, domain: str) -> None:
    """Raise ``ConfigurationError`` for a pattern of a whole top-level domain, or of addresses."""
    labels = domain.split(".")[1:]
    if len(labels) < 2 and labels != ["localhost"]:
        raise ConfigurationError(
            f"CORS.origins: {pattern!r} lets in each site of .{labels[0]}: name a domain of yours"
        )
    if labels[-1].isdecimal():
        raise ConfigurationError(f"CORS.origins: {pattern!r} is no domain: list the addresses one by one")


def is_pattern(origin: str) -> bool:
    """Whether it stands for several origins, but not for all."""
    return "*" in origin and origin != "*"


def let_in(origin: str, origins: Iterable[str]) -> bool:
    """Whether an origin, as a browser sends it, is among those, or one of their patterns fits it."""
    return any(_fits(origin, one) if is_pattern(one) else one == origin for one in origins)


def _fits(origin: str, pattern: str) -> bool:
    before, _, after = pattern.partition("*")
    if not (origin.startswith(before) and origin.endswith(after) and len(origin) > len(before) + len(after)):
        return False
    return re.fullmatch(_SUBDOMAIN, origin[len(before) : len(origin) - len(after)]) is not None
