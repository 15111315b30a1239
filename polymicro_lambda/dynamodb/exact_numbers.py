"""Numbers of up to 38 digits, of which PynamoDB keeps the 17 of a float: another writer may have stored them."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pynamodb.attributes import SERIALIZE_CLASS_MAP, NumberAttribute, NumberSetAttribute

from polymicro_lambda.http import LongNumber, plain_number

from .typed_values import number_text


def _serialize(_: Any, value: Any) -> str:
    return number_text(value) if isinstance(value, LongNumber) else json.dumps(value)


def _deserialize(_: Any, text: str) -> int | float | LongNumber:
    return plain_number(Decimal(text))


def _serialize_set(_: Any, values: Iterable[Any]) -> list[str] | None:
    return [_serialize(None, value) for value in values] or None


def _deserialize_set(_: Any, texts: Iterable[str]) -> set[int | float | LongNumber]:
    return {plain_number(Decimal(text)) for text in texts}


def keep_all_digits() -> None:
    """Let PynamoDB's numbers be a ``LongNumber`` where a float would round them, alone, in sets and in free maps."""
    number: Any = NumberAttribute
    number.serialize, number.deserialize = _serialize, _deserialize
    numbers: Any = NumberSetAttribute
    numbers.serialize, numbers.deserialize = _serialize_set, _deserialize_set
    SERIALIZE_CLASS_MAP[LongNumber] = NumberAttribute()  # type: ignore[index]
