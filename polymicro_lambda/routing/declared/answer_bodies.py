"""Whether the body of an answer is as a marshmallow schema would dump it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.fields import Field

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
    else:
        try:
            field.deserialize(value)
        except ValidationError as error:
            yield _said(at, value), str(error.messages)


def _said(at: str, value: Any) -> str:
    return f"{at.lstrip('.') or 'its body'} = {value!r}"[:SHOWN]
