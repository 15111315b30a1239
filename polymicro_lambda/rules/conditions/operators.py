"""The operators and functions of conditions, each as DynamoDB has it: a row for a new one."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from polymicro_lambda.dynamodb import TypedValue

SIZES: Mapping[str, Callable[[Any], int]] = dict.fromkeys(("B", "SS", "NS", "BS", "L", "M"), len) | {
    "S": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
}
"""Type -> ``size()`` of a value; DynamoDB counts a string in UTF-16 code units: "é" is 1 and "😀" is 2."""

ORDERED_TYPES = frozenset({"S", "N", "B"})
"""Types that ``<``, ``BETWEEN`` and the like compare."""
PREFIX_TYPES = frozenset({"S", "B"})
"""Types that ``begins_with`` compares."""
_COLLECTIONS = frozenset({"SS", "NS", "BS", "L"})
OperatorTest: TypeAlias = Callable[..., bool]
"""A function of one operator: operands, each None if absent from the item -> whether it holds."""


def _equal(left: TypedValue | None, right: TypedValue | None) -> bool:
    return left is not None and left == right


def _within(kinds: frozenset[str], test: Callable[[Any, Any], bool]) -> OperatorTest:
    """A test that is false unless both values are there and both of the same one of these types."""

    def both(left: TypedValue | None, right: TypedValue | None) -> bool:
        if not (left and right) or left.kind != right.kind or left.kind not in kinds:
            return False
        return test(left.value, right.value)

    return both


at_most, _at_least = _within(ORDERED_TYPES, operator.le), _within(ORDERED_TYPES, operator.ge)
_begins = _within(PREFIX_TYPES, lambda value, prefix: value.startswith(prefix))
_substring = _within(PREFIX_TYPES, operator.contains)


def _contains(container: TypedValue | None, part: TypedValue | None) -> bool:
    """Look for a substring in text or bytes, for an element in a set or a list."""
    if container and part and container.kind in _COLLECTIONS:
        return part in container.value
    return _substring(container, part)


OPERATORS: Mapping[str, OperatorTest] = {
    "=": _equal,
    "<>": lambda left, right: not _equal(left, right),
    "<": _within(ORDERED_TYPES, operator.lt),
    "<=": at_most,
    ">": _within(ORDERED_TYPES, operator.gt),
    ">=": _at_least,
    "BETWEEN": lambda value, lower, upper: _at_least(value, lower) and at_most(value, upper),
    "IN": lambda value, *options: any(_equal(value, option) for option in options),
    "attribute_exists": lambda value: value is not None,
    "attribute_not_exists": lambda value: value is None,
    "attribute_type": lambda value, kind: value is not None and value.kind == kind.value,
    "begins_with": _begins,
    "contains": _contains,
}
"""Operator or function of a condition expression -> its test."""
