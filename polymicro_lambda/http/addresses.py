"""Where the API is in the client's URL: what stands before a path, and the address that absolute links begin with.

A custom domain may put a base path before each path (API Gateway, "API mappings"). The event's own members tell it,
or the app does. Nothing of it comes from the headers ``Host`` and ``X-Forwarded-Host``, which clients write.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import MAPPINGS, Event

_BASE_PATH = r"/?[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*/?"
_BASE_URL = r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%-]+)*/?"
_MAPPED = r"[A-Za-z0-9$_.+!*'()-]+"
_DOMAIN = r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
"""Patterns, compiled where one is needed: most requests need none."""
Segments: TypeAlias = tuple[str, ...]


class Site(NamedTuple):
    """What an app says of its address."""

    base_path: Segments = ()
    """The segments that begin every path of the client's URL; empty where the event has to tell."""
    base_url: str = ""
    """What absolute links begin with, without a slash at the end; empty where the event has to tell."""


NOWHERE = Site()
"""An app that says nothing of its address."""


def site_of(base_path: Any, base_url: Any) -> Site:
    """The ``Site`` of ``PolyMicro(base_path=…, base_url=…)``; the environment says the one that is None.

    Raises ``ConfigurationError``.
    """
    path = (os.environ.get("POLYMICRO_BASE_PATH") if base_path is None else base_path) or ""
    url = (os.environ.get("POLYMICRO_BASE_URL") if base_url is None else base_url) or ""
    if path not in ("", "/") and not (isinstance(path, str) and re.fullmatch(_BASE_PATH, path)):
        raise ConfigurationError(
            f'PolyMicro.base_path must be a path such as "/v1", of letters, digits and . _ ~ -, not {path!r}'
        )
    segments = tuple(part for part in path.split("/") if part)
    if not {".", ".."}.isdisjoint(segments):
        raise ConfigurationError(f"PolyMicro.base_path holds . or .., which no URL keeps: {path!r}")
    if url and not (isinstance(url, str) and re.fullmatch(_BASE_URL, url)):
        raise ConfigurationError(
            'PolyMicro.base_url must be a URL such as "https://api.example.com/v1", without query and fragment,'
            f" not {url!r}"
        )
    return Site(segments, url.rstrip("/"))


def domain_of(event: Event) -> str:
    """The domain that a request came to, with its port, as the event's context names it; empty where it names none."""
    context = event.get("requestContext")
    domain = context.get("domainName") if isinstance(context, MAPPINGS) else None
    return domain if isinstance(domain, str) and re.fullmatch(_DOMAIN, domain) else ""


def is_custom(domain: str) -> bool:
    """Whether a domain is not API Gateway's own, whose URLs hold the stage."""
    return domain != "" and ".execute-api." not in domain


def mapped_depth(segments: Segments, event: Event) -> int:
    """How many segments a base path mapping has put before those of API Gateway's own route; 0 for none.

    Payload 1.0 has the route in ``resource``, payload 2.0 behind the verb in ``routeKey``: without the mapping.
    """
    resource = event.get("resource")
    if resource is None:
        resource = str(event.get("routeKey")).rpartition(" ")[2]
    if type(resource) is not str or not resource.startswith("/"):
        return 0
    parts = [part for part in resource.split("/") if part]
    if parts and parts[-1].endswith("+}"):
        depth = _depth_before_rest(segments, parts, event.get("pathParameters"))
    else:
        depth = _depth_of_tail(segments, parts)
    # What else a client could write there is no mapping's: those have these characters.
    return depth if all(re.fullmatch(_MAPPED, part) for part in segments[:depth]) else 0


def _depth_of_tail(segments: Segments, parts: list[str]) -> int:
    """The segments before those that the route's parts name; 0 where they do not name the path's end."""
    depth = len(segments) - len(parts)
    if depth <= 0 or not _names(parts, segments[depth:]):
        return 0
    return depth


def _depth_before_rest(segments: Segments, parts: list[str], parameters: Any) -> int:
    """The same of a route whose last part takes all that is left, as the event has that in its parameters."""
    rest = parameters.get(parts[-1][1:-2]) if isinstance(parameters, Mapping) else None
    if not isinstance(rest, str) or not rest.rstrip("/"):
        return 0
    whole, fixed = "/".join(segments), parts[:-1]
    for tail in {rest.rstrip("/"), unquote(rest).rstrip("/")}:
        before = _count_before(segments, len(whole) - len(tail)) if whole.endswith(f"/{tail}") else 0
        depth = before - len(fixed)
        if depth > 0 and _names(fixed, segments[depth:before]):
            return depth
    return 0


def _count_before(segments: Segments, place: int) -> int:
    """How many segments stand before this place of the path, 0 where it is within one."""
    length = 0
    for count, segment in enumerate(segments):
        if length >= place:
            return count if length == place else 0
        length += len(segment) + 1
    return 0


def _names(parts: list[str], segments: Segments) -> bool:
    """Whether each part is the segment at its place, or a parameter."""
    return all(
        part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=False)
    )
