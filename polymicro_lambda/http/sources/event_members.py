"""The members of an event: texts, and the two forms in which headers and queries come."""

from typing import Any, TypeVar

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http.urls import Pairs
from polymicro_lambda.types import Event

T = TypeVar("T")


def typed(event: Event, name: str, kind: type[T]) -> T | None:
    """A member, None where it is absent or null. Raises ``BadRequest`` for one of another kind."""
    value = event.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise BadRequest(f"The event is malformed at {name[:50]!a}.")


def _is_text(value: object) -> bool:
    # A lone surrogate can stand in the event's own JSON ("\ud800"), but in no UTF-8.
    return isinstance(value, str) and (value.isascii() or value.encode(errors="replace").decode() == value)


def text(value: object) -> str:
    """The value, which must be text that UTF-8 can hold. Raises ``BadRequest``."""
    if type(value) is str and value.isascii():
        return value
    if _is_text(value):
        return str(value)
    raise BadRequest("The event's method, path, query or headers are not text.")


def listed(event: Event, multi: str, single: str) -> Pairs:
    """Names and values, from the member that lists a name's values, else from the one with one value each."""
    if event.get(multi) is None and event.get(single) is None:
        return []
    lists = typed(event, multi, dict) or {}
    one_each = typed(event, single, dict) or {}
    pairs = [
        (name, value)
        for name, values in lists.items()
        for value in (values if type(values) is list else typed(lists, name, list) or ())
    ]
    found = [pair for pair in pairs or one_each.items() if pair[1] is not None]
    return found if _are_plain(found) else [(text(name), text(value)) for name, value in found]


def usual(lists: object) -> dict[str, str] | None:
    """The headers of lists that hold one value each, all in ASCII, as most do; None for others."""
    if type(lists) is not dict or not lists:
        return None
    headers: dict[str, str] = {}
    try:
        for name, values in lists.items():
            if type(values) is not list:
                return None
            (headers[name.lower()],) = values
        plain = "".join([*headers, *headers.values()]).isascii()
    except (AttributeError, TypeError, ValueError):  # what is no text, or more values than one
        return None
    return headers if plain and len(headers) == len(lists) else None


def _are_plain(pairs: list[tuple[Any, Any]]) -> bool:
    """Whether all are ASCII, which most are: looked at as one text, they take no call each."""
    try:
        return "".join([text for pair in pairs for text in pair]).isascii()
    except TypeError:  # what is no text
        return False


def joined(pairs: Pairs) -> dict[str, str]:
    """Headers by lower-case name, several values of one joined."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        # Cookie is the one header whose values do not join with commas (RFC 9113, section 8.2.3).
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    return headers


def grouped(pairs: Pairs) -> dict[str, tuple[str, ...]]:
    """All values of each name, in order."""
    if not pairs:
        return {}
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in grouped.items()}
