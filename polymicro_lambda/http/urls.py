"""Paths and queries, split first and decoded exactly once (RFC 3986, section 2.4), strictly."""

import re
from typing import TypeAlias
from urllib.parse import unquote

from polymicro_lambda.exceptions import BadRequest, NotFound

Pairs: TypeAlias = list[tuple[str, str]]
"""Names and values in the order in which they were sent."""

NOT_FOUND = "There is nothing at this path."
_FORBIDDEN_SEGMENTS = frozenset({"", ".", ".."})
"""Segments that no route has."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def path_segments(path: str, *, encoded: bool) -> tuple[str, ...]:
    """The segments of a path, decoded if it is ``encoded``; one trailing slash is ignored, ``/`` has no segments.

    Raises ``NotFound`` for empty segments, ``.`` and ``..``, as no route has them, and ``BadRequest`` for
    escapes that are broken or not UTF-8.
    """
    root, *parts = path.split("/")
    if root:
        raise NotFound(NOT_FOUND)
    if parts and not parts[-1]:
        parts.pop()
    if encoded and "%" in path:
        return tuple(_checked_segment(decode(part)) for part in parts)
    if not _FORBIDDEN_SEGMENTS.isdisjoint(parts):
        raise NotFound(NOT_FOUND)
    return tuple(parts)


def parse_query(text: str) -> Pairs:
    """Read a raw query string, blank values included. Raises ``BadRequest`` as ``decode`` does."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return [(decode_parameter(name), decode_parameter(value)) for name, _, value in pairs]


def decode_parameter(text: str) -> str:
    """Decode a name or value of a query, where a plus sign is a blank. Raises as ``decode`` does."""
    return decode(text.replace("+", " "))


def decode(text: str) -> str:
    """Decode percent-escapes once. Raises ``BadRequest`` for escapes that are broken or not UTF-8."""
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise BadRequest("The URL holds a percent sign that begins no escape.")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("The URL holds escapes that are not UTF-8.") from error


def split_stage(path: str, stage: object) -> tuple[str, str]:
    """Split a named stage from the path that begins with it: ``/prod/todo`` is ``/prod`` and ``/todo``.

    ``$default`` and custom domains put no stage in the path; then the first of both is empty.
    """
    prefix = f"/{stage}"
    named = isinstance(stage, str) and stage not in ("", "$default")
    if not named or not f"{path}/".startswith(f"{prefix}/"):
        return "", path
    return prefix, path.removeprefix(prefix) or "/"


def stage_prefix(path: str, whole: object, stage: object) -> str:
    """``/prod`` if the ``whole`` path of the client's URL is that stage and ``path``, else ``""``."""
    if whole == path or not (isinstance(whole, str) and isinstance(stage, str)):
        return ""
    prefix = f"/{stage}"
    if whole == prefix + path:
        return prefix
    return prefix if unquote(whole).rstrip("/") == unquote(prefix + path).rstrip("/") else ""


def _checked_segment(text: str) -> str:
    if text in _FORBIDDEN_SEGMENTS:
        raise NotFound(NOT_FOUND)
    return text
