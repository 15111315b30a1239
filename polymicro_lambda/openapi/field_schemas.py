"""marshmallow fields as JSON Schema 2020-12, the dialect of OpenAPI 3.1; and the one JSON type that each takes."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from marshmallow.fields import Field

from polymicro_lambda import schemas as ours
from polymicro_lambda.schemas import KeyRule

JSONSchema: TypeAlias = dict[str, Any]
Describe: TypeAlias = Callable[[Field[Any]], JSONSchema]
"""What makes the schema of a field that stands in another one."""

MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
"""RFC 3339 down to the microsecond; ``fields.MomentField`` takes some more of ISO 8601."""
KEY = r"^(?!\.{1,2}$)[^\u0000-\u001f\u007f-\u009f]+$"
"""A key of the table stands in a path: see ``attributes.KeyRule``."""
BOUND = 1e126
"""What no number of DynamoDB reaches: of all that JSON readers keep exactly, the next is within ``_values.LARGEST``."""


def _said(**schema: Any) -> Callable[[Any, Describe], JSONSchema]:
    return lambda _field, _describe: dict(schema)


def _set(field: ours.SetField, describe: Describe) -> JSONSchema:
    some = {} if field.allow_none else {"minItems": 1}
    return {"type": "array", "items": describe(field.inner), "uniqueItems": True, **some}


def _elements(field: ours.ListField, describe: Describe) -> JSONSchema:
    return {"type": "array", "items": describe(field.inner)}


def _object(field: ours.RawMapField, _: Describe) -> JSONSchema:
    return {"type": "object", "propertyNames": _but(field.lost), "additionalProperties": True}


def _record(field: ours.MapField, describe: Describe) -> JSONSchema:
    members = {one.data_key or name: one for name, one in field.schema.fields.items()}
    return object_of(members, describe, required=[name for name, one in members.items() if one.required])


def _open_record(field: ours.DynamicMapField, describe: Describe) -> JSONSchema:
    names = _but(field.others.lost - field.declared)
    return {**_record(field, describe), "propertyNames": names, "additionalProperties": True}


def _but(names: Iterable[str]) -> JSONSchema:
    return {"not": {"enum": sorted(names)}}


FIELDS: Mapping[type, Callable[[Any, Describe], JSONSchema]] = MappingProxyType(
    {
        ours.TextField: _said(type="string"),
        ours.NumberField: _said(type="number", exclusiveMinimum=-BOUND, exclusiveMaximum=BOUND),
        ours.IntegerField: _said(type="integer"),
        ours.BooleanField: _said(type="boolean"),
        ours.DateTimeField: _said(type="string", format="date-time", pattern=MOMENT),
        ours.ExpiryField: _said(type="string", format="date-time", pattern=MOMENT),
        ours.JSONField: _said(type=["object", "array", "string", "number", "boolean"]),
        ours.BinaryField: _said(type="string", contentEncoding="base64"),
        ours.SetField: _set,
        ours.RawListField: _said(type="array", items={}),
        ours.ListField: _elements,
        ours.RawMapField: _object,
        ours.MapField: _record,
        ours.DynamicMapField: _open_record,
        ours.DiscriminatorField: _said(type="string"),
        ours.NullField: _said(type="null"),
    }
)
"""Field -> its schema without null; of any other class, a subclass included, nothing is known here."""


def field_schema(field: Field[Any], describe: Describe) -> JSONSchema | None:
    """The schema of one of our fields, None for a class of the app's own."""
    make = FIELDS.get(type(field))
    return None if make is None else make(field, describe)


def key_rules(field: Field[Any], said: JSONSchema) -> JSONSchema:
    """What a text has to be as it is a key of the table or of an index, be its field ours or not."""
    rules = [rule for rule in field.validators if isinstance(rule, KeyRule)]
    plain = said.get("type") in ("string", ["string", "null"]) and not {"format", "contentEncoding"} & set(
        said
    )
    return {name: one for rule in rules for name, one in _key(rule).items()} if plain else {}


def _key(rule: KeyRule) -> JSONSchema:
    return {"minLength": 1, "maxLength": rule.limit} | ({"pattern": KEY} if rule.address else {})


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
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return schema if "null" in types else {**schema, "type": [*types, "null"]}


def json_type(field: Field[Any]) -> str | None:
    """The one JSON type that a field takes, None where it takes several or is of a class of the app's own.

    An integer is a ``number``, since ``1.0`` is one too.
    """
    said = (field_schema(field, lambda _: {}) or {}).get("type")
    return {"integer": "number"}.get(said, said) if isinstance(said, str) else None
