"""Strict mode for expressions: the reasons why DynamoDB refuses one that moto takes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

OPERANDS = 100
"""Operands of one ``IN`` (DynamoDB, service quotas)."""
NAMES = "ExpressionAttributeNames"
VALUES = "ExpressionAttributeValues"
WITH_VALUES = ("KeyConditionExpression", "FilterExpression", "ConditionExpression", "UpdateExpression")
EXPRESSIONS = (*WITH_VALUES, "ProjectionExpression")

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
        if max(_operands(words), default=0) > OPERANDS:
            yield f"Invalid {name}: The IN operator is provided with too many operands"
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
            yield inside.count(",") + 1


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
