"""Strict mode for expressions: the reasons why DynamoDB refuses one that moto takes."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

BYTES = 4096
"""Bytes of an expression (DynamoDB, service quotas)."""
OPERATORS = 300
"""Operators and functions of an expression (the same)."""
OPERANDS = 100
"""Operands of one ``IN`` (the same)."""
NAMES = "ExpressionAttributeNames"
VALUES = "ExpressionAttributeValues"
WITH_VALUES = ("KeyConditionExpression", "FilterExpression", "ConditionExpression", "UpdateExpression")
EXPRESSIONS = (*WITH_VALUES, "ProjectionExpression")

# The AND of a BETWEEN counts for both.
_OPERATORS = frozenset({"AND", "OR", "NOT", "IN", "=", "<>", "<", "<=", ">", ">="})
_FUNCTIONS = frozenset(
    {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"}
)
_CONDITIONS = frozenset({"KeyConditionExpression", "FilterExpression", "ConditionExpression"})
_ORDERED: Mapping[str, Callable[[Any], Any]] = {"S": str.encode, "N": Decimal, "B": bytes}

_TOKEN = re.compile(r"[#:]?\w+|<>|<=|>=|[^\s\w]")


def tokens(expression: str) -> list[str]:
    """The words, placeholders and signs of an expression."""
    return _TOKEN.findall(expression)


def refused_expressions(call: Mapping[str, Any]) -> Iterator[str]:
    """Why DynamoDB refuses the expressions of a call, whatever the table."""
    expressions = {name: tokens(call[name]) for name in EXPRESSIONS if call.get(name) is not None}
    for name, words in expressions.items():
        if not words:
            yield f"Invalid {name}: The expression can not be empty;"
        if not all(1 <= count <= OPERANDS for count in _operands(words)):
            yield f"Invalid {name}: The IN operator is provided with no operand, or with too many"
        if len(call[name].encode()) > BYTES:
            yield f"Invalid {name}: Expression size has exceeded the maximum allowed size"
        if name in _CONDITIONS and _operators(words) > OPERATORS:
            yield f"Invalid {name}: The expression contains too many operators; operator count: {_operators(words)}"
        if any(_crossed(call, *bounds) for bounds in _bounds(words)):
            yield f"Invalid {name}: The BETWEEN operator requires an upper bound that is not below the lower one"
    yield from _placeholders(call, VALUES, ":", expressions)
    yield from _placeholders(call, NAMES, "#", expressions)


def _placeholders(
    call: Mapping[str, Any], parameter: str, sign: str, expressions: Mapping[str, list[str]]
) -> Iterator[str]:
    used = {word for words in expressions.values() for word in words if word.startswith(sign)}
    given = set(call.get(parameter) or {})
    if used - given:
        yield f"An expression attribute used in expression is not defined; {sorted(used - given)}"
    if given - used:
        yield f"Value provided in {parameter} unused in expressions: keys: {sorted(given - used)}"


def _operands(words: list[str]) -> Iterator[int]:
    """The number of operands of each ``IN``; no operand holds a bracket."""
    for number, word in enumerate(words):
        if word.upper() == "IN":
            inside = words[number + 1 : words.index(")", number) if ")" in words[number:] else None]
            yield inside.count(",") + 1 if inside[1:] else 0


def _operators(words: list[str]) -> int:
    """The number of operators and functions; ``(`` after a function's name tells it from an attribute's."""
    called = pairwise(words)
    return sum(word.upper() in _OPERATORS for word in words) + sum(
        word in _FUNCTIONS and following == "(" for word, following in called
    )


def _bounds(words: list[str]) -> Iterator[tuple[str, str]]:
    """The bounds of each ``BETWEEN`` that are placeholders of values."""
    for word, lower, _, upper in zip(words, words[1:], words[2:], words[3:], strict=False):
        if word.upper() == "BETWEEN" and lower.startswith(":") and upper.startswith(":"):
            yield lower, upper


def _crossed(call: Mapping[str, Any], lower: str, upper: str) -> bool:
    """Whether no value is between the two, which are of two types or in the wrong order."""
    values = call.get(VALUES) or {}
    if lower not in values or upper not in values:
        return False
    ((kind, least),), ((other, most),) = values[lower].items(), values[upper].items()
    if kind != other or kind not in _ORDERED:
        return True
    try:
        return bool(_ORDERED[kind](least) > _ORDERED[kind](most))
    except InvalidOperation:  # no number, which is told as that
        return False


def root_attributes(expression: str, names: Mapping[str, str]) -> set[str]:
    """The attributes that an expression's paths begin with, and its words such as ``AND``."""
    words = tokens(expression)
    before = ["", *words]
    return {names.get(word, word) for word, last in zip(words, before, strict=False) if last != "."}


def equal_to(expression: str, attribute: str, call: Mapping[str, Any]) -> Any:
    """The value that a key condition asks an attribute to equal, None where it does not."""
    words, names = tokens(expression), call.get(NAMES) or {}
    for name, sign, value in zip(words, words[1:], words[2:], strict=False):
        if names.get(name, name) == attribute and sign == "=":
            return (call.get(VALUES) or {}).get(value)
    return None


def without_filter(call: Mapping[str, Any]) -> dict[str, Any]:
    """The same query or scan of whole items, before its filter, with the placeholders that are left."""
    dropped = {"FilterExpression", "ProjectionExpression", "Select", NAMES, VALUES}
    used = set(tokens(call.get("KeyConditionExpression", "")))
    kept = {name: {k: v for k, v in (call.get(name) or {}).items() if k in used} for name in (NAMES, VALUES)}
    rest = {name: value for name, value in call.items() if name not in dropped}
    return rest | {name: left for name, left in kept.items() if left}
