"""The members of an event: texts, and the two forms in which headers and queries come."""

from typing import Any, TypeVar

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http.urls import Pairs
from polymicro_lambda.types import Event

T = TypeVar("T")


def member(event: Event, name: str, kind: type[T]) -> T | None:
    """A member of the event, None where it is absent or null. Raises ``BadRequest`` for a value of another kind."""
    value = event.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise BadRequest(f"The event is malformed at {name[:50]!a}.")


def text(value: object) -> str:
    """The value, which must be text that UTF-8 can hold. Raises ``BadRequest``."""
    if type(value) is str and value.isascii():
        return value
    if _is_text(value):
        return str(value)
    raise BadRequest("The event's method, path, query or headers are not text.")


def _is_text(value: object) -> bool:
    # A lone surrogate can stand in the event's own JSON ("\ud800"), but in no UTF-8.
    return isinstance(value, str) and (value.isascii() or value.encode(errors="replace").decode() == value)


def query(event: Event) -> Pairs:
    """The parameters of the query, as they stand in the event. Raises ``BadRequest``."""
    return _pairs(event, "multiValueQueryStringParameters", "queryStringParameters")


def headers(event: Event) -> dict[str, str]:
    """The headers by lower-case name, several values of one joined. Raises ``BadRequest``."""
    return _single_headers(event.get("multiValueHeaders")) or joined_headers(
        _pairs(event, "multiValueHeaders", "headers")
    )


def pairs(event: Event, name: str) -> Pairs:
    """Names and values of a member whose values are texts, or lists of such. Raises ``BadRequest``."""
    found = member(event, name, dict) or {}
    listed = [
        (key, one) for key, value in found.items() for one in (value if type(value) is list else [value])
    ]
    return [(text(key), text(one)) for key, one in listed if one is not None]


def _pairs(event: Event, multi: str, single: str) -> Pairs:
    """Names and values, from the member that lists a name's values, else from the one with one value each."""
    if event.get(multi) is None and event.get(single) is None:
        return []
    lists = member(event, multi, dict) or {}
    one_each = member(event, single, dict) or {}
    listed = [
        (name, value)
        for name, values in lists.items()
        for value in (values if type(values) is list else member(lists, name, list) or ())
    ]
    found = [pair for pair in listed or one_each.items() if pair[1] is not None]
    return found if _are_ascii(found) else [(text(name), text(value)) for name, value in found]


def _single_headers(lists: object) -> dict[str, str] | None:
    """The headers, where each has one value and all are ASCII, as most are; else None."""
    if type(lists) is not dict or not lists:
        return None
    headers: dict[str, str] = {}
    try:
        for name, values in lists.items():
            if type(values) is not list:
                return None
            (headers[name.lower()],) = values
        ascii_only = "".join([*headers, *headers.values()]).isascii()
    except (AttributeError, TypeError, ValueError):  # a value that is no text, or several values
        return None
    return headers if ascii_only and len(headers) == len(lists) else None


def _are_ascii(pairs: list[tuple[Any, Any]]) -> bool:
    """Whether all texts are ASCII, as most are. One text of all of them takes one call."""
    try:
        return "".join([text for pair in pairs for text in pair]).isascii()
    except TypeError:  # a name or value that is no text
        return False


def joined_headers(pairs: Pairs) -> dict[str, str]:
    """Headers by lower-case name, several values of one joined."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        # Cookie is the one header whose values do not join with commas (RFC 9113, section 8.2.3).
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    return headers


def values_by_name(pairs: Pairs) -> dict[str, tuple[str, ...]]:
    """All values of each name, in order."""
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in lists.items()}
