"""Stored values compared as DynamoDB does: numbers by value, values of two types never equal and never ordered."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any, TypeAlias


class RefusedError(Exception):
    """DynamoDB would answer this expression with a ValidationException."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A value and its DynamoDB type; it can be hashed, and its ``==`` is DynamoDB's ``=``."""

    kind: str
    value: Any


# The limits of DynamoDB's numbers (Developer Guide, "Naming rules and data types").
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])


def _number(text: str) -> Decimal:
    number = _NUMBERS.create_decimal(text)
    if not number.is_finite():
        raise RefusedError
    return number


_COMPARABLE: Mapping[str, Callable[[Any], Any]] = {
    # Python orders text by code points, which is the order of its UTF-8 bytes.
    "S": str,
    "N": _number,
    "B": bytes,
    "BOOL": bool,
    "NULL": bool,
    "SS": lambda elements: frozenset(Typed("S", element) for element in elements),
    "NS": lambda elements: frozenset(Typed("N", _number(element)) for element in elements),
    "BS": lambda elements: frozenset(Typed("B", bytes(element)) for element in elements),
    "L": lambda elements: tuple(map(typed, elements)),
    "M": lambda members: frozenset((name, typed(raw)) for name, raw in members.items()),
}


def typed(raw: Mapping[str, Any]) -> Typed:
    """A value from ``{type: value}``. Raises ``RefusedError`` or ``DecimalException`` for no number of DynamoDB's."""
    ((kind, value),) = raw.items()
    return Typed(kind, _COMPARABLE[kind](value))


SIZES: Mapping[str, Callable[[Any], int]] = dict.fromkeys(("B", "SS", "NS", "BS", "L", "M"), len) | {
    "S": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
}
"""Type -> ``size()`` of a value; DynamoDB counts a string in UTF-16 code units: "é" is 1 and "😀" is 2."""

ORDERED = frozenset({"S", "N", "B"})
"""Types that ``<``, ``BETWEEN`` and the like compare."""
PREFIXED = frozenset({"S", "B"})
"""Types that ``begins_with`` compares."""
_COLLECTIONS = frozenset({"SS", "NS", "BS", "L"})
Test: TypeAlias = Callable[..., bool]
"""A function of one operator: operands, each None if absent from the item -> whether it holds."""


def _equal(left: Typed | None, right: Typed | None) -> bool:
    return left is not None and left == right


def _within(kinds: frozenset[str], test: Callable[[Any, Any], bool]) -> Test:
    """A test that is false unless both values are there and both of the same one of these types."""

    def both(left: Typed | None, right: Typed | None) -> bool:
        if not (left and right) or left.kind != right.kind or left.kind not in kinds:
            return False
        return test(left.value, right.value)

    return both


at_most, _at_least = _within(ORDERED, operator.le), _within(ORDERED, operator.ge)
_begins = _within(PREFIXED, lambda value, prefix: value.startswith(prefix))
_substring = _within(PREFIXED, operator.contains)


def _contains(container: Typed | None, part: Typed | None) -> bool:
    """Look for a substring in text or bytes, for an element in a set or a list."""
    if container and part and container.kind in _COLLECTIONS:
        return part in container.value
    return _substring(container, part)


OPERATORS: Mapping[str, Test] = {
    "=": _equal,
    "<>": lambda left, right: not _equal(left, right),
    "<": _within(ORDERED, operator.lt),
    "<=": at_most,
    ">": _within(ORDERED, operator.gt),
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
