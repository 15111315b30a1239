"""The operators of filters, each as a condition on the value that an item shows: a row for a new one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pynamodb.constants import MAP, NULL
from pynamodb.expressions.condition import And, BeginsWith, Condition, Contains, Not
from pynamodb.expressions.operand import Path

from polymicro_lambda.rules import NEVER, default_at

MAX_OPERANDS = 100
"""Operands of one IN (DynamoDB: "Condition expressions", comparison operators)."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A comparison that a query may ask for."""

    condition: Callable[..., Condition]
    """(path, operand, …) -> condition; the operands are PynamoDB's values, of ``exists`` a bool."""
    types: frozenset[str]
    """The DynamoDB types of attributes that it can be declared for."""
    operands: range = range(1, 2)


SCALARS = frozenset({"S", "N", "B"})
_ALL = SCALARS | {"BOOL", "SS", "NS", "BS", "L", "M", "NULL"}

FILTER_OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "eq": Operator(lambda path, value: path == value, SCALARS | {"BOOL"}),
        "ne": Operator(lambda path, value: path != value, SCALARS | {"BOOL"}),
        "lt": Operator(lambda path, value: path < value, SCALARS),
        "lte": Operator(lambda path, value: path <= value, SCALARS),
        "gt": Operator(lambda path, value: path > value, SCALARS),
        "gte": Operator(lambda path, value: path >= value, SCALARS),
        "between": Operator(lambda path, low, high: path.between(low, high), SCALARS, range(2, 3)),
        "begins_with": Operator(BeginsWith, frozenset({"S", "B"})),
        "contains": Operator(Contains, frozenset({"S", "SS", "NS", "BS", "L"})),
        "in": Operator(lambda path, *values: path.is_in(*values), SCALARS, range(1, MAX_OPERANDS + 1)),
        "exists": Operator(lambda path, there: _is_shown(path) if there else ~_is_shown(path), _ALL),
    }
)
"""Operator name -> operator. ``ne`` holds on an item that lacks the attribute, as it does in DynamoDB."""


def _is_shown(path: Any) -> Condition:
    """The condition that an item shows a value: it has one that is not NULL, or a default stands for it."""
    if default_at(path) is not None:
        return Path(path.path[:-1]).is_type(MAP) if path.path[1:] else Not(NEVER)
    if getattr(path.attribute, "attr_type", None) == NULL:
        return NEVER
    there: Condition = And(path.exists(), Not(path.is_type(NULL)))
    return there
