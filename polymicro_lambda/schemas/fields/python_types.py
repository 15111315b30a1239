"""The fields of values that have a type of their own in Python: decimals, dates, durations, UUIDs, members of enums.

Some take their attribute: what JSON says must be what the attribute stores, and gives back.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from marshmallow import fields
from pynamodb.attributes import Attribute

from polymicro_lambda.dynamodb import number_text
from polymicro_lambda.schemas.values import as_json, load_decimal, load_number, load_text, refuse

from .scalars import NUMBER, DateTimeField, IntegerField, NumberField, TextField

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
_NOTHING, _MICROSECOND = timedelta(), timedelta(microseconds=1)
_Time = TypeVar("_Time", datetime, timedelta)


class DecimalField(NumberField):
    """``DecimalAttribute``: a decimal number as JSON text, or with ``as_string=False`` a JSON number."""

    def __init__(self, *, as_string: bool) -> None:
        super().__init__()
        self.as_string = as_string

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not self.as_string:
            return Decimal(str(load_number(value)))
        if not isinstance(value, str) or not NUMBER.fullmatch(value):
            refuse('Not a decimal number as text, such as "19.99".')
        return load_decimal(Decimal(value))

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if value is None or not self.as_string:
            return as_json(value)
        return number_text(value)

    def from_path(self, segment: str) -> Any:
        """The text; where the field takes numbers, as ``NumberField``."""
        return segment if self.as_string else super().from_path(segment)


class DateField(fields.Field[date]):
    """A day, as RFC 3339 writes it (section 5.6): ``2030-01-31``."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        if not isinstance(value, str) or not _DATE(value):
            refuse("Not a date such as 2030-01-31.")
        try:
            return date.fromisoformat(value)
        except ValueError:
            refuse("No such date.")

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else value.isoformat()


class UUIDField(fields.Field[UUID]):
    """A UUID with its hyphens (RFC 9562, section 4); goes out in lower case."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        if not isinstance(value, str) or not _UUID(value):
            refuse("Not a UUID with its hyphens.")
        return UUID(value)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else str(value)


class EnumField(fields.Field[Enum]):
    """A member of an enum, by its value: all of them texts, or all integers."""

    def __init__(self, enum: type[Enum]) -> None:
        super().__init__()
        self.members = {member.value: member for member in enum}
        self.inner = TextField() if all(isinstance(one, str) for one in self.members) else IntegerField()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Enum:
        member = self.members.get(self.inner.deserialize(value))
        return refuse(f"Must be one of: {', '.join(map(str, self.members))}.") if member is None else member

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value.value if isinstance(value, Enum) else value

    def from_path(self, segment: str) -> Any:
        """The text, or the number that it is. Raises ``ValueError``."""
        from_path: Callable[[str], Any] = getattr(self.inner, "from_path", str)
        return from_path(segment)


class TimestampField(DateTimeField):
    """A moment, as exactly as its attribute stores it."""

    def __init__(self, attribute: Attribute[Any]) -> None:
        super().__init__()
        self.stored_by = attribute

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        return _kept(self.stored_by, super()._deserialize(value))


class DurationField(NumberField):
    """A duration: how many ``unit`` it has, an integer."""

    def __init__(self, attribute: Attribute[Any], unit: timedelta) -> None:
        super().__init__()
        self.stored_by, self.unit = attribute, unit

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        count = load_number(value)
        if not isinstance(count, int):
            refuse("Not an integer.")
        try:
            duration = count * self.unit
        except OverflowError:
            refuse("Out of range.")
        return _kept(self.stored_by, duration)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> int | None:
        return None if value is None else round(value / self.unit)


def _kept(attribute: Attribute[Any], value: _Time) -> _Time:
    """The value, or the next after it, that the attribute stores as the value. Raises ``ValidationError``.

    The attributes of pynamodb-attributes multiply floats and cut off the rest: 1.001 s becomes 1000 ms.
    """
    try:
        for more in _NOTHING, _MICROSECOND:
            if _aware(attribute.deserialize(attribute.serialize(value + more))) == value:
                return value + more
    except (OverflowError, ValueError, OSError):  # past what Python's dates or the platform's clock know
        refuse("Out of range.")
    return refuse("More precise than what is stored.")


def _aware(value: Any) -> Any:
    naive = isinstance(value, datetime) and value.tzinfo is None
    return value.replace(tzinfo=UTC) if naive else value


class StoredTextField(fields.Field[Any]):
    """Any value as the text by which its attribute stores it."""

    def __init__(self, attribute: Attribute[Any]) -> None:
        super().__init__()
        self.stored_by = attribute

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        text = load_text(value)
        try:
            loaded = self.stored_by.deserialize(text)
            same = self.stored_by.serialize(loaded) == text
        except (ValueError, TypeError, LookupError, AttributeError):
            same = False
        return loaded if same else refuse("Not a valid value.")

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else self.stored_by.serialize(value)
