"""Free and dynamic maps with members named as arguments of PynamoDB's constructors, by which it would make them."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import MapAttribute

_ARGUMENTS = frozenset({"self", "_user_instantiated"})
"""PynamoDB raises ``TypeError`` for the first name, and drops the second."""
_set = MapAttribute.__set__
_set_attributes = MapAttribute._set_attributes


def map_of(container: type[MapAttribute[Any, Any]], members: Mapping[str, Any]) -> Any:
    """A map with these members, which may have the names of its constructor's arguments."""
    made: Any = container(**{name: one for name, one in members.items() if name not in _ARGUMENTS})
    for name in _ARGUMENTS.intersection(members):
        made[name] = members[name]
    return made


def _set_any(attribute: Any, instance: Any, value: Any) -> None:
    """``MapAttribute.__set__``, which for a mapping calls the constructor with its members."""
    if isinstance(value, Mapping) and not _ARGUMENTS.isdisjoint(value):
        value = map_of(type(attribute), value)
    _set(attribute, instance, value)


def _set_any_attributes(made: Any, /, **members: Any) -> None:
    """``MapAttribute._set_attributes``, by which a dynamic map is made of a dict when that is stored."""
    if "self" in members:
        made["self"] = members.pop("self")
    _set_attributes(made, **members)  # type: ignore[no-untyped-call]


def carry_all_names() -> None:
    """Let free and dynamic maps hold members of any name, also where PynamoDB reads their item."""
    MapAttribute.__set__ = _set_any  # type: ignore[method-assign, assignment]
    MapAttribute._set_attributes = _set_any_attributes  # type: ignore[method-assign, assignment]
