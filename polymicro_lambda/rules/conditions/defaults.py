"""Plain defaults in conditions: an attribute that an item lacks counts as its default, as an instance shows it.

A path made from an attribute (``Todo.public``) asks for what is shown; ``exists``, ``does_not_exist`` and ``is_type``,
and a path of mere names, ask for what is stored. A stored NULL is an absent value.
"""

from copy import copy
from typing import Any

from pynamodb.constants import MAP, NULL
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

OF_STORAGE = frozenset({"attribute_exists", "attribute_not_exists", "attribute_type"})
"""Operators that ask for what is stored."""


def default_at(operand: object) -> dict[str, Any] | None:
    """The plain default of a path's attribute as DynamoDB would store it, None where it has none, or is a key."""
    attribute = operand.attribute if isinstance(operand, Path) else None
    if attribute is None or attribute.default is None or callable(attribute.default):
        return None
    if attribute.is_hash_key or attribute.is_range_key:
        return None
    stored = attribute.serialize(attribute.default)
    return None if stored is None else {attribute.attr_type: stored}


def shown_path(*along: Any) -> Path:
    """A path to the value that is shown of an attribute, for operands that are serialized already.

    Before an attribute that is a member of maps stand those of the maps.
    """
    path = Path([attribute.attr_name for attribute in along])
    path.attribute = along[-1]
    return path


def is_absent(path: Path) -> Condition:
    """The condition that an item lacks the value at a path where its default stands for it: in a map that is there."""
    lacks = path.does_not_exist() | path.is_type(NULL)
    parent = path.path[:-1]
    return Path(parent).is_type(MAP) & lacks if parent else lacks  # type: ignore[no-any-return]


def with_operand(leaf: Condition, old: Path, new: Path | Value) -> Condition:
    """A comparison with another operand in the place of one of its own, or of the path that one measures."""
    made = copy(leaf)
    made.values = tuple(_replaced(operand, old, new) for operand in leaf.values)
    return made


def _replaced(operand: Any, old: Path, new: Path | Value) -> Any:
    if operand is old:
        return new
    if isinstance(operand, Path | Value) or not any(one is old for one in operand.values):
        return operand
    measuring = copy(operand)
    measuring.values = (new,)
    return measuring
