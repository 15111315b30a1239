"""What an attribute gives DynamoDB: whether it is of the type that the attribute says."""

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import Any

from pynamodb.attributes import Attribute, ListAttribute, MapAttribute

from polymicro_lambda.dynamodb import NUMBERS
from polymicro_lambda.schemas.values import load_text


def stored_value(attribute: Attribute[Any], value: Any) -> Any:
    """The value as DynamoDB gets it, None for absence. Raises ``TypeError`` for one that is not of its type."""
    if not isinstance(value, _HELD.get(attribute.attr_type, object)):
        raise TypeError("a container holds values of other types")
    raw = _serialized_raw(attribute, value) if type(attribute) in _RAW else attribute.serialize(value)
    if raw is not None and not _is_stored(attribute.attr_type, raw):
        raise TypeError("DynamoDB would get a value of another type")
    return raw


_HELD: Mapping[str, Any] = {"M": Mapping | MapAttribute, "L": list | tuple | set | frozenset}
"""Types of containers in DynamoDB -> what their attributes hold."""
_RAW = frozenset({MapAttribute, ListAttribute})


def _serialized_raw(attribute: Attribute[Any], value: Any) -> Any:
    """As ``serialize``, which has a ``ValueError`` for a value of a type that raw maps and lists do not hold."""
    try:
        return attribute.serialize(value)
    except ValueError as error:
        raise TypeError(str(error)) from error


def _is_stored(kind: str, raw: Any) -> bool:
    return _STORED[kind](raw)


def _is_text(raw: Any) -> bool:
    return isinstance(raw, str) and bool(load_text(raw) or True)


def _is_number(raw: Any) -> bool:
    try:
        return isinstance(raw, str) and raw.isascii() and NUMBERS.create_decimal(raw).is_finite()
    except InvalidOperation:
        return False


def _all(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda raw: isinstance(raw, list | tuple | set | frozenset) and all(map(test, raw))


def _is_member(raw: Any) -> bool:
    return isinstance(raw, Mapping) and all(_is_stored(kind, one) for kind, one in raw.items())


_STORED: Mapping[str, Callable[[Any], bool]] = {
    "S": _is_text,
    "N": _is_number,
    "B": lambda raw: isinstance(raw, bytes | bytearray),
    "BOOL": lambda raw: isinstance(raw, bool),
    "NULL": lambda raw: isinstance(raw, bool),
    "SS": _all(_is_text),
    "NS": _all(_is_number),
    "BS": _all(lambda raw: isinstance(raw, bytes | bytearray)),
    "L": _all(_is_member),
    "M": lambda raw: isinstance(raw, Mapping) and all(map(_is_member, raw.values())),
}
"""DynamoDB type -> whether a value is one of it."""
