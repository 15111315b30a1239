"""Whether the body of an answer is as a marshmallow schema would dump it."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.fields import Field

MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, section 5.6
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO = (None, "iso", "iso8601")
"""Formats of a field whose text is RFC 3339's: that of another its loading has looked at."""
SHOWN = 200
"""Characters of a value that a message shows."""
Check: TypeAlias = Callable[[Any, str], Iterator[tuple[str, str]]]
"""From a value and its place to what of it does not fit, and why."""


def misfits(schema: Schema, body: Any) -> Iterator[tuple[str, str]]:
    """What of a body is not as the schema says: its place and value, and why."""
    check = partial(_of_object, schema)
    return _of_list(check, body, "") if schema.many else check(body, "")


def _of_object(schema: Schema, value: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield _said(at, value), f"{type(schema).__name__} is an object"
        return
    members = {field.data_key or name: field for name, field in schema.dump_fields.items()}
    for name, one in value.items():
        if name in members:
            yield from _of_field(members[name], one, f"{at}.{name}")
        elif schema.unknown == RAISE:
            yield _said(f"{at}.{name}", one), f"{type(schema).__name__} has no such member"
    for name, field in members.items():
        if field.required and name not in value:
            yield f"no {f'{at}.{name}'.lstrip('.')}", f"{type(schema).__name__} requires it"


def _of_list(check: Check, value: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield _said(at, value), "it must be a list"
        return
    for number, one in enumerate(value):
        yield from check(one, f"{at}[{number}]")


def _of_field(field: Field[Any], value: Any, at: str) -> Iterator[tuple[str, str]]:
    if value is not None and isinstance(field, fields.Nested):
        check = partial(_of_object, field.schema)
        yield from _of_list(check, value, at) if field.many or field.schema.many else check(value, at)
    elif value is not None and type(field) is fields.List:
        yield from _of_list(partial(_of_field, field.inner), value, at)
    elif isinstance(value, Mapping) and isinstance(field, fields.Mapping) and field.value_field is not None:
        for name, one in value.items():
            yield from _of_field(field.value_field, one, f"{at}.{name}")
    else:
        yield from _of_value(field, value, at)


def _of_value(field: Field[Any], value: Any, at: str) -> Iterator[tuple[str, str]]:
    """What a field does not load, and what it does, but is of another JSON type than the document has for it."""
    try:
        field.deserialize(value)
    except ValidationError as error:
        yield _said(at, value), str(error.messages)
        return
    wanted = None if value is None else _not_met(field, value)
    if wanted is not None:
        yield _said(at, value), f"it must be {wanted}"


def _not_met(field: Field[Any], value: Any) -> str | None:
    """The JSON type that a value lacks, None where it has it, or where the field's class tells of none."""
    if getattr(field, "as_string", False):
        return None if isinstance(value, str) else "a text"
    if isinstance(field, fields.DateTime):
        return _no_moment(field, value)
    if isinstance(field, fields.Date) and field.format not in _ISO:
        return None
    for kind, wanted, fits in _TYPES:
        if isinstance(field, kind):
            return None if fits(value) else wanted
    return None


def _no_moment(field: fields.DateTime, value: Any) -> str | None:
    if field.format in ("timestamp", "timestamp_ms"):
        return None if _is_number(value) else "a number"
    if not isinstance(value, str):
        return "a text"
    if field.format not in _ISO or isinstance(field, fields.NaiveDateTime):
        return None
    return None if MOMENT.fullmatch(value) else "a date and time with an offset, such as 2030-01-31T12:00:00Z"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and DAY.fullmatch(value) is not None


_TYPES: tuple[tuple[type[Field[Any]], str, Callable[[Any], bool]], ...] = (
    (fields.Integer, "an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    (fields.Number, "a number", _is_number),
    (fields.TimeDelta, "a number", _is_number),
    (fields.Boolean, "true or false", lambda value: isinstance(value, bool)),
    (fields.Date, "a date, such as 2030-01-31", _is_day),
    (fields.Time, "a text", lambda value: isinstance(value, str)),
)
"""Class of a field -> its JSON type in words, and whether a value has it; of others loading takes that type alone."""


def _said(at: str, value: Any) -> str:
    return f"{at.lstrip('.') or 'its body'} = {value!r}"[:SHOWN]
