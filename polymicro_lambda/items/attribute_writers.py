"""Values of attributes as DynamoDB stores them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.schemas import default_of

from .instances import instance_factory
from .readers import CONVERSIONS

Write: TypeAlias = Callable[[Any], Any]
Writer: TypeAlias = tuple[str, str, str, bool, Any, type | None, Write | None]
_STORED_UNCHANGED: Mapping[type, type] = {UnicodeAttribute: str, BooleanAttribute: bool}
"""Attribute class -> the class of values that it stores unchanged."""


def writers_of(model: type[Model]) -> tuple[Writer, ...] | None:
    """The writers of a model's attributes, but of composed keys; None where items take an instance."""
    factory = instance_factory(model)
    if factory is None or factory.reader is None:
        return None
    composed = model_info(model).composed
    return tuple(
        (
            name,
            one.stored,
            one.attribute.attr_type,
            bool(one.attribute.null),
            default_of(one.attribute),
            *_value_writers(one.attribute, one.plain),
        )
        for name, one in factory.by_name.items()
        if one.stored not in composed
    )


def _value_writers(attribute: Attribute[Any], plain: bool) -> tuple[type | None, Write | None]:
    if not plain or type(attribute) not in CONVERSIONS:
        return None, None
    return _STORED_UNCHANGED.get(type(attribute)), writer_of(attribute)


def writer_of(attribute: Attribute[Any]) -> Write:
    """A function from a value to the stored one."""
    write = attribute.serialize
    if type(attribute) is not UTCDateTimeAttribute:
        return write

    def write_datetime(value: Any) -> Any:
        if type(value) is not datetime or value.tzinfo is not UTC:
            return write(value)
        return stored_datetime(value)

    return write_datetime


def stored_datetime(value: datetime) -> str:
    """A datetime in UTC as PynamoDB stores it; strftime takes ten times as long."""
    year, micro, two = value.year, value.microsecond, _TWO_DIGITS
    # Format specifications (":02") take longer than the rest together.
    day = f"{year if year > 999 else f'{year:04}'}-{two[value.month]}-{two[value.day]}"
    clock = f"{two[value.hour]}:{two[value.minute]}:{two[value.second]}"
    return f"{day}T{clock}.{str(_MILLION + micro)[1:] if micro else '000000'}+0000"


_MILLION = 1_000_000
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
