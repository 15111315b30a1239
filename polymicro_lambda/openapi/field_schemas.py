"""marshmallow fields as JSON Schema 2020-12, the dialect of OpenAPI 3.1."""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from marshmallow.fields import Field

from polymicro_lambda import schemas as ours
from polymicro_lambda.schemas import KeyRule

JSONSchema: TypeAlias = dict[str, Any]
Describe: TypeAlias = Callable[[Field[Any]], JSONSchema]
"""A function that makes the schema of a field, also of one inside another."""

MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
"""RFC 3339 down to the microsecond; ``schemas.fields.DateTimeField`` takes some more of ISO 8601."""
KEY = r"^(?!\.{1,2}$)[^\u0000-\u001f\u007f-\u009f]+$"
"""A key of the table stands in a path: see ``schemas.KeyRule``."""
BOUND = 1e126
"""A bound above DynamoDB's largest number, 9.99…E+125, that every JSON reader keeps exactly."""


def _constant(**schema: Any) -> Callable[[Any, Describe], JSONSchema]:
    return lambda _field, _describe: dict(schema)


def _set(field: ours.SetField, describe: Describe) -> JSONSchema:
    some = {} if field.allow_none else {"minItems": 1}
    return {"type": "array", "items": describe(field.inner), "uniqueItems": True, **some}


def _elements(field: ours.ListField, describe: Describe) -> JSONSchema:
    return {"type": "array", "items": describe(field.inner)}


def _object(_: ours.RawMapField, __: Describe) -> JSONSchema:
    return {"type": "object", "additionalProperties": True}


def _record(field: ours.MapField, describe: Describe) -> JSONSchema:
    members = by_json_name(field.schema.fields)
    return object_of(members, describe, required=required_names(members))


def _open_record(field: ours.DynamicMapField, describe: Describe) -> JSONSchema:
    names = _none_of(field.others.lost - field.declared)
    return {**_record(field, describe), "propertyNames": names, "additionalProperties": True}


_DECIMAL = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^-?(0|[1-9][0-9]{0,125})(\.[0-9]{1,130})?$",
}
"""As a decimal goes out; ``schemas.fields.DecimalField`` takes exponents too, and no more than 38 digits."""
_NUMBER = {"type": "number", "exclusiveMinimum": -BOUND, "exclusiveMaximum": BOUND}
_UNITS = {1: "seconds", 1000: "milliseconds", 1_000_000: "microseconds"}


def _decimal(field: ours.DecimalField, _: Describe) -> JSONSchema:
    return dict(_DECIMAL if field.as_string else _NUMBER)


def _member(field: ours.EnumField, describe: Describe) -> JSONSchema:
    return {**describe(field.inner), "enum": [*field.members]}


def _duration(field: ours.DurationField, _: Describe) -> JSONSchema:
    return {"type": "integer", "description": f"In {_UNITS[round(timedelta(seconds=1) / field.unit)]}."}


def _none_of(names: Iterable[str]) -> JSONSchema:
    return {"not": {"enum": sorted(names)}}


FIELDS: Mapping[type, Callable[[Any, Describe], JSONSchema]] = MappingProxyType(
    {
        ours.TextField: _constant(type="string"),
        ours.NumberField: _constant(**_NUMBER),
        ours.IntegerField: _constant(type="integer"),
        ours.BooleanField: _constant(type="boolean"),
        ours.DateTimeField: _constant(type="string", format="date-time", pattern=MOMENT),
        ours.ExpiryField: _constant(type="string", format="date-time", pattern=MOMENT),
        ours.JSONField: _constant(type=["object", "array", "string", "number", "boolean"]),
        ours.BinaryField: _constant(type="string", contentEncoding="base64"),
        ours.SetField: _set,
        ours.RawListField: _constant(type="array", items={}),
        ours.ListField: _elements,
        ours.RawMapField: _object,
        ours.MapField: _record,
        ours.DynamicMapField: _open_record,
        ours.DiscriminatorField: _constant(type="string"),
        ours.NullField: _constant(type="null"),
        ours.DecimalField: _decimal,
        ours.DateField: _constant(type="string", format="date"),
        ours.UUIDField: _constant(type="string", format="uuid"),
        ours.EnumField: _member,
        ours.TimestampField: _constant(type="string", format="date-time", pattern=MOMENT),
        ours.DurationField: _duration,
        ours.StoredTextField: _constant(type="string"),
    }
)
"""Class of a field -> its schema without null. Subclasses are not in it: they may take other values."""


def field_schema(field: Field[Any], describe: Describe) -> JSONSchema | None:
    """The schema of one of our fields, None for a class of the app's own."""
    make = FIELDS.get(type(field))
    return None if make is None else make(field, describe)


def key_rules(field: Field[Any], schema: JSONSchema) -> JSONSchema:
    """The limits of a text that is a key of the table or of an index, whatever the class of its field."""
    rules = [rule for rule in field.validators if isinstance(rule, KeyRule)]
    is_text = schema.get("type") in ("string", ["string", "null"])
    plain = is_text and schema.keys().isdisjoint(("format", "contentEncoding"))
    return {name: one for rule in rules for name, one in _key(rule).items()} if plain else {}


def _key(rule: KeyRule) -> JSONSchema:
    return {"minLength": 1, "maxLength": rule.limit} | ({"pattern": KEY} if rule.address else {})


def by_json_name(fields: Mapping[str, Field[Any]]) -> dict[str, Field[Any]]:
    """The fields of a schema by their names in JSON."""
    return {field.data_key or name: field for name, field in fields.items()}


def required_names(members: Mapping[str, Field[Any]], *, optional: Container[str] = ()) -> list[str]:
    """The names of the required members, without those that are ``optional`` all the same."""
    return [name for name, field in members.items() if field.required and name not in optional]


def object_of(
    members: Mapping[str, Field[Any]], describe: Describe, *, required: Iterable[str]
) -> JSONSchema:
    """An object of these members and no others."""
    demanded = list(required)
    return {
        "type": "object",
        "properties": {name: describe(field) for name, field in members.items()},
        **({"required": demanded} if demanded else {}),
        "additionalProperties": False,
    }


def or_null(schema: JSONSchema) -> JSONSchema:
    """The schema, or null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    enum = schema.get("enum")
    if enum is not None and None not in enum:
        schema = {**schema, "enum": [*enum, None]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return schema if "null" in types else {**schema, "type": [*types, "null"]}


def types_of(schema: JSONSchema) -> frozenset[str]:
    """The JSON types that a schema names."""
    types = schema.get("type", ())
    return frozenset([types] if isinstance(types, str) else types)


def json_type(field: Field[Any]) -> str | None:
    """The one JSON type that a field takes, None where it takes several or is of a class of the app's own.

    An integer is a ``number``, since ``1.0`` is one too.
    """
    types = (field_schema(field, lambda _: {}) or {}).get("type")
    return {"integer": "number"}.get(types, types) if isinstance(types, str) else None
