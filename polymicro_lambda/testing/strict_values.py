"""Strict mode for attribute values: the reasons why DynamoDB refuses one that moto takes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

DEPTH = 32
"""Levels that lists and maps may nest; an item is the first (DynamoDB, service quotas)."""
DIGITS = 38
"""Digits of a number that count (DynamoDB, naming rules and data types)."""
LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")

_SETS = ("SS", "NS", "BS")
_CONTAINERS = ("L", "M")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def refused_values(values: Mapping[str, Any]) -> Iterator[str]:
    """Why DynamoDB refuses these values: of an item by attribute, of a key, or of an expression by placeholder."""
    for value in values.values():
        yield from _refused_value(value, 1)


def _refused_value(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    if depth > DEPTH:
        yield "Nesting Levels have exceeded supported limits"
        return
    for kind, held in value.items():
        if kind == "N":
            yield from _refused_number(held)
        elif kind in _SETS:
            yield from _refused_set(kind, held)
        elif kind in _CONTAINERS:
            for inner in held.values() if kind == "M" else held:
                yield from _refused_value(inner, depth + 1)


def _refused_number(text: str) -> Iterator[str]:
    if not _NUMBER.fullmatch(text):
        yield "A value provided cannot be converted into a number"
        return
    number = Decimal(text)
    if len("".join(map(str, number.as_tuple().digits)).strip("0")) > DIGITS:
        yield "DynamoDB only supports precision up to 38 digits"
    elif number.copy_abs() > LARGEST:  # abs() would round it
        yield "Number overflow. Attempting to store a number with magnitude larger than supported range"


def _refused_set(kind: str, members: list[Any]) -> Iterator[str]:
    if not members:
        yield "One or more parameter values were invalid: a set may not be empty"
    if kind == "NS":
        for member in members:
            yield from _refused_number(member)
        members = [Decimal(member) for member in members if _NUMBER.fullmatch(member)]
    if any(count > 1 for count in Counter(members).values()):
        yield "One or more parameter values were invalid: Input collection contains duplicates"
