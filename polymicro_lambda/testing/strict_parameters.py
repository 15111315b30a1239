"""Strict mode for the parameters of a call: the reasons why DynamoDB refuses one that moto takes, given the keys."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from polymicro_lambda.dynamodb import typed_value

from .strict_expressions import NAMES, equal_to, root_attributes
from .strict_values import refused_values

Parameters: TypeAlias = Mapping[str, Any]

KEY_BYTES = {"HASH": 2048, "RANGE": 1024}
"""Bytes of a key's values (DynamoDB, service quotas)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of a table, or of one of its indexes with the table's."""

    own: Mapping[str, str]
    """Attribute -> ``HASH`` or ``RANGE``."""
    whole: frozenset[str]
    """The attributes of a cursor."""
    types: Mapping[str, str]
    """Attribute -> ``S``, ``N`` or ``B``, of all keys of the table."""

    @classmethod
    def of(cls, table: Parameters, index: str | None) -> "Keys":
        """The keys in a DescribeTable's ``table``: the table's own, or those of ``index``."""
        indexes = table.get("GlobalSecondaryIndexes", []) + table.get("LocalSecondaryIndexes", [])
        schemas = {i["IndexName"]: _key_types(i["KeySchema"]) for i in indexes}
        own = _key_types(table["KeySchema"])
        types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
        of_index = schemas.get(index or "", own)
        return cls(of_index, frozenset(own) | frozenset(of_index), types)


def _key_types(schema: list[dict[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["KeyType"] for each in schema}


def _check_item(call: Parameters, keys: Keys) -> Iterator[str]:
    yield from refused_values(call["Item"])
    for name, kind in keys.types.items():
        if name in call["Item"] and kind not in call["Item"][name]:
            yield "One or more parameter values were invalid: Type mismatch for Index Key"


def _check_key(call: Parameters, keys: Keys) -> Iterator[str]:
    yield from refused_values(call["Key"])
    for name, kind in keys.own.items():
        (value,) = call["Key"].get(name, {"": "?"}).values()
        size = len(value.encode() if isinstance(value, str) else value)
        if not size:
            yield "The AttributeValue for a key attribute cannot contain an empty string value."
        if size > KEY_BYTES[kind]:
            yield "Hash primary key values must be under 2048 bytes, and range primary key values under 1024."


def _check_values(call: Parameters, _: Keys) -> Iterator[str]:
    yield from refused_values(call["ExpressionAttributeValues"] or {})


def _check_limit(call: Parameters, _: Keys) -> Iterator[str]:
    if call["Limit"] < 1:
        yield "Value at 'limit' failed to satisfy constraint: Member must be greater than or equal to 1"


def _check_cursor(call: Parameters, keys: Keys) -> Iterator[str]:
    cursor = call["ExclusiveStartKey"] or {}
    if not cursor:
        return
    if set(cursor) != keys.whole:
        yield "Exclusive Start Key must have same size as table's key schema"
    elif any(keys.types[name] not in value for name, value in cursor.items()):
        yield "Type mismatch for attribute to update"
    elif "KeyConditionExpression" in call:
        partition = next(iter(keys.own))
        asked = equal_to(call["KeyConditionExpression"], partition, call)
        if asked is None or typed_value(cursor[partition]) != typed_value(asked):
            yield "The provided starting key is outside query boundaries based on provided conditions"


def _check_filter(call: Parameters, keys: Keys) -> Iterator[str]:
    of_key = root_attributes(call["FilterExpression"], call.get(NAMES) or {}) & set(keys.own)
    if of_key and "KeyConditionExpression" in call:
        yield f"Filter Expression can only contain non-primary key attributes: {min(of_key)}"


CHECKS: Mapping[str, Callable[[Parameters, Keys], Iterator[str]]] = {
    "Item": _check_item,
    "Key": _check_key,
    "ExpressionAttributeValues": _check_values,
    "Limit": _check_limit,
    "ExclusiveStartKey": _check_cursor,
    "FilterExpression": _check_filter,
}
"""Parameter -> the reasons why DynamoDB refuses a call that has it."""
