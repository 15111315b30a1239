"""Stored values that are equal where DynamoDB says so: numbers however written, values of two types never."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any


class InvalidExpression(Exception):
    """DynamoDB would answer this expression with a ValidationException."""


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value and its DynamoDB type; it can be hashed, and its ``==`` is DynamoDB's ``=``."""

    kind: str
    value: Any


NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
"""DynamoDB's numbers (Developer Guide, "Naming rules and data types")."""


def number_text(value: Decimal | float) -> str:
    """A number as DynamoDB writes it: ``100``, ``19.9``; a float counts as its shortest decimal.

    Raises ``TypeError`` for what is no number, ``ValueError`` for one that DynamoDB does not have.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"a {type(value).__name__} is no number")
    try:
        number = NUMBERS.create_decimal(repr(value) if isinstance(value, float) else value)
    except DecimalException as error:
        raise ValueError("DynamoDB has numbers of 38 digits, from 1E-130 to 9.99E+125") from error
    if not number.is_finite():
        raise ValueError("DynamoDB has no such number")
    return f"{number.normalize(NUMBERS):f}" if number else "0"


def _number(text: str) -> Decimal:
    number = NUMBERS.create_decimal(text)
    if not number.is_finite():
        raise InvalidExpression
    return number


_COMPARABLE: Mapping[str, Callable[[Any], Any]] = {
    # Python orders text by code points, which is the order of its UTF-8 bytes.
    "S": str,
    "N": _number,
    "B": bytes,
    "BOOL": bool,
    "NULL": bool,
    "SS": lambda elements: frozenset(TypedValue("S", element) for element in elements),
    "NS": lambda elements: frozenset(TypedValue("N", _number(element)) for element in elements),
    "BS": lambda elements: frozenset(TypedValue("B", bytes(element)) for element in elements),
    "L": lambda elements: tuple(map(typed_value, elements)),
    "M": lambda members: frozenset((name, typed_value(raw)) for name, raw in members.items()),
}


def typed_value(raw: Mapping[str, Any]) -> TypedValue:
    """A value from ``{type: value}``.

    Raises ``InvalidExpression`` or ``DecimalException`` for a number that DynamoDB does not have.
    """
    ((kind, value),) = raw.items()
    return TypedValue(kind, _COMPARABLE[kind](value))
