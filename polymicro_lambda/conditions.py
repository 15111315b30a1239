"""PynamoDB conditions judged here as DynamoDB judges them there.

A ConditionExpression knows only true and false: a test of something missing is false, but for ``<>``, the
exact opposite of ``=``, and ``NOT`` turns whatever it is given. Numbers are equal however written; two types
are never equal and in no order.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any, TypeAlias

from pynamodb.constants import ATTRIBUTE_TYPES
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path, Value

from .types import RawItem

__all__ = ["attributes_of", "equality_of", "holds"]

_Raw: TypeAlias = Mapping[str, Any]
_Item: TypeAlias = RawItem | Mapping[str, _Raw]

_Size = type(size("any"))  # type: ignore[no-untyped-call]  # PynamoDB names only the function, not the class


def holds(condition: Condition, item: _Item) -> bool:
    """Say whether a conditional write on this item would go through.

    ``item`` is ``{attr_name: {type: value}}`` as DynamoDB stores it, ``B`` as bytes; ``{}`` is no item.
    A condition that DynamoDB refuses as a whole (a ValidationException) holds for nothing, also under ``NOT``
    or beside an ``OR`` that holds: an order of what has none, ``begins_with`` a number, bounds that cross, an
    attribute compared with itself, a number of more than 38 digits. Raises TypeError for an operator or an
    operand that is not one of a condition.
    """
    try:
        return _truth(condition, item)
    except (_RefusedError, DecimalException):
        return False


def attributes_of(condition: Condition) -> frozenset[str]:
    """Name the top-level attributes, by DynamoDB's names, that the condition reads."""
    return frozenset(next(_steps(path)) for path in _paths(condition))


def equality_of(condition: Condition) -> Mapping[str, dict[str, Any]]:
    """Give what top-level attributes must equal for the condition to hold: attr_name -> ``{type: value}``.

    Only ``=`` with a value counts, alone or under AND. Two values for one attribute can never both hold; the
    first is given.
    """
    if condition.operator == "AND":
        first, second = map(equality_of, condition.values)
        return {**second, **first}
    if condition.operator != "=":
        return {}
    path, value = sorted(condition.values, key=lambda side: isinstance(side, Value))
    if not isinstance(path, Path) or not isinstance(value, Value):
        return {}
    name, *deeper = _steps(path)
    return {} if deeper else {name: dict(value.value)}


class _RefusedError(Exception):
    """DynamoDB would answer this expression with a ValidationException."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """A value and its DynamoDB type, in a form that can be hashed and whose ``==`` is DynamoDB's ``=``."""

    kind: str
    value: Any


# 38 digits, 1E-130 to 9.99E+125: the limits of DynamoDB's numbers.
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])


def _number(text: str) -> Decimal:
    number = _NUMBERS.create_decimal(text)
    if not number.is_finite():
        raise _RefusedError
    return number


_COMPARABLE: Mapping[str, Callable[[Any], Any]] = {
    # Python orders text by code points, which is the order of its UTF-8 bytes.
    "S": str,
    "N": _number,
    "B": bytes,
    "BOOL": bool,
    "NULL": bool,
    "SS": lambda elements: frozenset(_Typed("S", element) for element in elements),
    "NS": lambda elements: frozenset(_Typed("N", _number(element)) for element in elements),
    "BS": lambda elements: frozenset(_Typed("B", bytes(element)) for element in elements),
    "L": lambda elements: tuple(map(_typed, elements)),
    "M": lambda members: frozenset((name, _typed(raw)) for name, raw in members.items()),
}


def _typed(raw: _Raw) -> _Typed:
    ((kind, value),) = raw.items()
    return _Typed(kind, _COMPARABLE[kind](value))


# DynamoDB counts a string in UTF-16 code units, as Java does: "é" is 1 and "😀" is 2.
_SIZES: Mapping[str, Callable[[Any], int]] = dict.fromkeys(("B", "SS", "NS", "BS", "L", "M"), len) | {
    "S": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
}


def _steps(path: Path) -> Iterator[Any]:
    """Split PynamoDB's segments: ``["a", "b[0]"]`` is the steps ``"a"``, ``"b"``, ``0``."""
    for segment in path.path:
        name, *indexes = re.findall(r"[^\[\]]+", segment)
        yield name
        yield from map(int, indexes)


def _read_path(operand: Path, item: _Item) -> _Typed | None:
    raw: _Raw = {"M": item}
    try:
        for step in _steps(operand):
            raw = raw["L" if isinstance(step, int) else "M"][step]
    except LookupError:
        return None
    return _typed(raw)


def _read_size(operand: Any, item: _Item) -> _Typed | None:
    """Measure what the path leads to; what has no size (a number, a boolean, null) is as if missing."""
    found = _read(operand.values[0], item)
    measure = _SIZES.get(found.kind) if found else None
    return _Typed("N", Decimal(measure(found.value))) if found and measure else None


_READERS: Mapping[type, Callable[[Any, _Item], _Typed | None]] = {
    Path: _read_path,
    Value: lambda operand, _: _typed(operand.value),
    _Size: _read_size,
}


def _read(operand: object, item: _Item) -> _Typed | None:
    if type(operand) not in _READERS:
        raise TypeError(f"{type(operand).__name__} is not an operand of a condition")
    return _READERS[type(operand)](operand, item)


def _paths(node: object) -> Iterator[Path]:
    """Yield every path in a condition or an operand, ``size`` looked into."""
    if isinstance(node, Path):
        yield node
    elif isinstance(node, Condition | _Size):
        for inner in node.values:
            yield from _paths(inner)


_ORDERED = frozenset({"S", "N", "B"})
_PREFIXED = frozenset({"S", "B"})
_HOLDING = frozenset({"SS", "NS", "BS", "L"})
_Test: TypeAlias = Callable[..., bool]


def _equal(left: _Typed | None, right: _Typed | None) -> bool:
    return left is not None and left == right


def _within(kinds: frozenset[str], test: Callable[[Any, Any], bool]) -> _Test:
    """Make a test of two values that are both there and both of one of these types."""

    def both(left: _Typed | None, right: _Typed | None) -> bool:
        if not (left and right) or left.kind != right.kind or left.kind not in kinds:
            return False
        return test(left.value, right.value)

    return both


_at_most, _at_least = _within(_ORDERED, operator.le), _within(_ORDERED, operator.ge)
_begins = _within(_PREFIXED, lambda found, prefix: found.startswith(prefix))
_substring = _within(_PREFIXED, operator.contains)


def _contains(found: _Typed | None, part: _Typed | None) -> bool:
    """Look for a substring in text or bytes, for an element in a set or a list."""
    if found and part and found.kind in _HOLDING:
        return part in found.value
    return _substring(found, part)


_TESTS: Mapping[str, _Test] = {
    "=": _equal,
    "<>": lambda left, right: not _equal(left, right),
    "<": _within(_ORDERED, operator.lt),
    "<=": _at_most,
    ">": _within(_ORDERED, operator.gt),
    ">=": _at_least,
    "BETWEEN": lambda found, lower, upper: _at_least(found, lower) and _at_most(found, upper),
    "IN": lambda found, *options: any(_equal(found, option) for option in options),
    "attribute_exists": lambda found: found is not None,
    "attribute_not_exists": lambda found: found is None,
    "attribute_type": lambda found, kind: found is not None and found.kind == kind.value,
    "begins_with": _begins,
    "contains": _contains,
}

_JUNCTIONS: Mapping[str, _Test] = {"AND": all, "OR": any, "NOT": lambda one: not one[0]}


def _truth(condition: Condition, item: _Item) -> bool:
    if junction := _JUNCTIONS.get(condition.operator):
        # A list and no generator: a part that DynamoDB refuses must be met, wherever it stands.
        return junction([_truth(part, item) for part in condition.values])
    if condition.operator not in _TESTS:
        raise TypeError(f"{condition.operator} is not an operator of a condition")
    found = [_read(operand, item) for operand in condition.values]
    if _refused(condition):
        raise _RefusedError
    return _TESTS[condition.operator](*found)


# The types that a value, or size, may have there: known and refused before any item is read.
_ALLOWED = dict.fromkeys(("<", "<=", ">", ">=", "BETWEEN"), _ORDERED) | {"begins_with": _PREFIXED}


def _crossed(_: Any, lower: Any, upper: Any) -> bool:
    known = isinstance(lower, Value) and isinstance(upper, Value)
    return known and not _at_most(_typed(lower.value), _typed(upper.value))


_REFUSED: Mapping[str, Callable[..., bool]] = {
    "BETWEEN": _crossed,
    "IN": lambda _, *options: not 1 <= len(options) <= 100,  # DynamoDB's limit
    "attribute_type": lambda _, kind: (
        not (isinstance(kind, Value) and kind.value.get("S") in ATTRIBUTE_TYPES)
    ),
}


def _refused(leaf: Condition) -> bool:
    first, *others = leaf.values
    itself = isinstance(first, Path) and first.path in [o.path for o in others if isinstance(o, Path)]
    kinds = {operand.attr_type for operand in leaf.values if not isinstance(operand, Path)}
    wrong = not kinds <= _ALLOWED.get(leaf.operator, kinds)
    return itself or wrong or (leaf.operator in _REFUSED and _REFUSED[leaf.operator](*leaf.values))
