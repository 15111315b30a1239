"""Names of permissions and groups, as authorizers and tokens write them: lists, JSON as text, or words."""

import json
from collections.abc import Callable


def names_in(value: object) -> frozenset[str]:
    """The names in a list, a JSON list as text, ``[a b]``, or text separated by blanks or commas."""
    return _read(value, _split)


def scopes_in(value: object) -> frozenset[str]:
    """The same of scopes, which blanks alone separate: a comma is part of one (RFC 6749, section 3.3)."""
    return _read(value, _split_scopes)


def _split(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _split_scopes(text: str) -> list[str]:
    return text.split(" ")


def _read(value: object, split: Callable[[str], list[str]]) -> frozenset[str]:
    if isinstance(value, str):
        value = _list_in(value, split)
    if not isinstance(value, list | tuple):
        return frozenset()
    return frozenset([name for name in value if isinstance(name, str) and name])


def _list_in(text: str, split: Callable[[str], list[str]]) -> object:
    listed = text.strip()
    if not (listed.startswith("[") and listed.endswith("]")):
        return split(text)
    try:
        return json.loads(listed)
    except (ValueError, RecursionError):
        # HTTP API renders a claim that is an array as [a b].
        return split(listed[1:-1])
