"""The key condition of a query: which of a list's conditions DynamoDB can evaluate on the sort key."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pynamodb.expressions.condition import And, BeginsWith, Between, Comparison, Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import TypedValue, typed_value
from polymicro_lambda.rules import attributes_of, holds, sendable
from polymicro_lambda.schemas import HASH_BYTES, RANGE_BYTES, is_key

KeyValue: TypeAlias = dict[str, Any]
"""A key's value as DynamoDB stores it: ``{"S": "red"}``."""


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The parts of a condition that all have to hold."""
    left = [condition]
    while left:
        part = left.pop()
        if isinstance(part, And):
            left.extend(reversed(part.values))
        else:
            yield part


def is_implied(condition: Condition, name: str, value: Mapping[str, Any]) -> bool:
    """Whether a condition reads this attribute alone, and holds on this value of it."""
    return attributes_of(condition) == {name} and holds(condition, {name: value})


def with_one_value(condition: Condition) -> Condition:
    """An ``IN`` of one value as the equality that it is; any other condition as it is."""
    if not listed_name(condition):
        return condition
    path, *values = condition.values
    if len({typed_value(one.value) for one in values}) != 1:
        return condition
    equality: Condition = path == values[0]
    return equality


def distinct_keys(condition: Condition, limit: int) -> dict[TypedValue, KeyValue]:
    """The operands of an ``IN`` that can be a key of so many bytes, each once, in their order."""
    values = (value.value for value in condition.values[1:])
    return {typed_value(value): value for value in values if is_key(value, limit)}


def listed_keys(names: Collection[str], conditions: Sequence[Condition]) -> dict[str, tuple[KeyValue, ...]]:
    """The values, in order, that an ``IN`` leaves to each of these partition keys; none where others exclude all."""
    listed: dict[str, tuple[KeyValue, ...]] = {}
    for condition in conditions:
        name = listed_name(condition)
        if name in names and name not in listed:
            of_key = [c for c in conditions if attributes_of(c) == {name}]
            found = {} if sendable(condition) is False else distinct_keys(condition, HASH_BYTES)
            left = (one for one, raw in found.items() if all(holds(c, {name: raw}) for c in of_key))
            listed[name] = tuple(found[one] for one in sorted(left, key=lambda one: (one.kind, one.value)))
    return listed


def listed_name(condition: Condition) -> str:
    """The attribute that an ``IN`` gives values of, empty for any other condition."""
    if condition.operator != "IN":
        return ""
    path, *values = condition.values
    plain = isinstance(path, Path) and all(isinstance(value, Value) for value in values)
    return path.path[0] if plain and len(path.path) == 1 and "[" not in path.path[0] else ""


def key_operands(condition: Condition, name: str) -> tuple[Any, ...] | None:
    """(operator, raw value, …) of a condition on this attribute that a key condition can express, else None."""
    if not isinstance(condition, Comparison | Between | BeginsWith) or condition.operator == "<>":
        return None
    path, *values = condition.values
    if not isinstance(path, Path) or path.path != [name] or not all(isinstance(v, Value) for v in values):
        return None
    return (condition.operator, *(v.value for v in values))


@dataclass(frozen=True, slots=True)
class SortKeyCondition:
    """The one condition that a query can have on the sort key."""

    condition: Condition | None = None
    exact: tuple[Condition, ...] = ()
    """The list's conditions that it expresses in full."""
    empty: bool = False
    """Whether nothing can satisfy it."""

    @classmethod
    def of(cls, sort: str | None, conditions: Sequence[Condition]) -> "SortKeyCondition":
        """The narrowest that the conditions give: one value, one range or prefix, two bounds, one bound."""
        candidates = [(key_operands(c, sort), c) for c in conditions] if sort is not None else []
        pairs = [(o, c) for o, c in candidates if o and all(is_key(value, RANGE_BYTES) for value in o[1:])]
        by_operator = {operands[0]: c for operands, c in reversed(pairs)}
        for operator in ("=", "BETWEEN", "begins_with"):
            if operator in by_operator:
                return cls(by_operator[operator], (by_operator[operator],))
        lower = next((pair for pair in pairs if pair[0][0] in (">", ">=")), None)
        upper = next((pair for pair in pairs if pair[0][0] in ("<", "<=")), None)
        if lower is None or upper is None:
            return cls(pairs[0][1], (pairs[0][1],)) if pairs else cls()
        # Two bounds are one BETWEEN, which includes both: what a half-open bound excludes is checked afterwards.
        low, high, path = Value(lower[0][1]), Value(upper[0][1]), Path([str(sort)])
        exact = tuple(c for operands, c in (lower, upper) if operands[0] in (">=", "<="))
        return cls(path.between(low, high), exact, not holds(Path(["low"]) <= high, {"low": low.value}))
