"""Values as DynamoDB compares them: numbers equal however written, two types never equal and in no order."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any, TypeAlias


class RefusedError(Exception):
    """DynamoDB would answer this expression with a ValidationException."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A value and its DynamoDB type, in a form that can be hashed and whose ``==`` is DynamoDB's ``=``."""

    kind: str
    value: Any


# 38 digits, 1E-130 to 9.99E+125: the limits of DynamoDB's numbers.
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
    """A value from ``{type: value}``. Raises ``RefusedError`` or ``DecimalException`` for what is no number there."""
    ((kind, value),) = raw.items()
    return Typed(kind, _COMPARABLE[kind](value))


# DynamoDB counts a string in UTF-16 code units, as Java does: "é" is 1 and "😀" is 2.
SIZES: Mapping[str, Callable[[Any], int]] = dict.fromkeys(("B", "SS", "NS", "BS", "L", "M"), len) | {
    "S": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
}


ORDERED = frozenset({"S", "N", "B"})
PREFIXED = frozenset({"S", "B"})
_HOLDING = frozenset({"SS", "NS", "BS", "L"})
Test: TypeAlias = Callable[..., bool]


def _equal(left: Typed | None, right: Typed | None) -> bool:
    return left is not None and left == right


def _within(kinds: frozenset[str], test: Callable[[Any, Any], bool]) -> Test:
    """Make a test of two values that are both there and both of one of these types."""

    def both(left: Typed | None, right: Typed | None) -> bool:
        if not (left and right) or left.kind != right.kind or left.kind not in kinds:
            return False
        return test(left.value, right.value)

    return both


at_most, _at_least = _within(ORDERED, operator.le), _within(ORDERED, operator.ge)
_begins = _within(PREFIXED, lambda found, prefix: found.startswith(prefix))
_substring = _within(PREFIXED, operator.contains)


def _contains(found: Typed | None, part: Typed | None) -> bool:
    """Look for a substring in text or bytes, for an element in a set or a list."""
    if found and part and found.kind in _HOLDING:
        return part in found.value
    return _substring(found, part)


OPERATORS: Mapping[str, Test] = {
    "=": _equal,
    "<>": lambda left, right: not _equal(left, right),
    "<": _within(ORDERED, operator.lt),
    "<=": at_most,
    ">": _within(ORDERED, operator.gt),
    ">=": _at_least,
    "BETWEEN": lambda found, lower, upper: _at_least(found, lower) and at_most(found, upper),
    "IN": lambda found, *options: any(_equal(found, option) for option in options),
    "attribute_exists": lambda found: found is not None,
    "attribute_not_exists": lambda found: found is None,
    "attribute_type": lambda found, kind: found is not None and found.kind == kind.value,
    "begins_with": _begins,
    "contains": _contains,
}
