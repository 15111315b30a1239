"""Free and dynamic maps with members named as arguments of PynamoDB's constructors, by which it would make them."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import MapAttribute

_ARGUMENTS = frozenset({"self", "_user_instantiated"})
"""PynamoDB raises ``TypeError`` for the first name, and drops the second."""
_set = MapAttribute.__set__
_set_attributes = MapAttribute._set_attributes


def _set_any(attribute: Any, instance: Any, value: Any) -> None:
    """``MapAttribute.__set__``, which for a mapping calls the constructor with its members."""
    if isinstance(value, Mapping) and not _ARGUMENTS.isdisjoint(value):
        made: Any = type(attribute)()
        for name, member in value.items():
            made[name] = member
        value = made
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
