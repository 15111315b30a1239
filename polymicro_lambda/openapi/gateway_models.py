"""Models by which a REST API checks request bodies: the app would refuse every body that they refuse."""

from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field, Nested

from polymicro_lambda import schemas as ours
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route

from .field_schemas import by_json_name, field_schema, json_type, required_names
from .validator_schemas import validator_keywords


def body_model(route: Route) -> dict[str, Any] | None:
    """The JSON schema of the body that a route takes, None where only Python can check it.

    It is laxer than the app: a member that may be null, or has a field of the app's own, has no type, since a model
    of API Gateway cannot express it; patterns and formats are the app's to judge.
    """
    if not route.about.body or route.is_action or route.takes_many or route.resource.schema is not None:
        return None
    item, member = _object(route.body_schema, optional=optional_fields(route)), route.item_member
    return item if member is None else object_with(member, item)


def object_with(member: str, item: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object of one member, which is there."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [member],
        "properties": {member: item},
    }


def optional_fields(route: Route) -> frozenset[str]:
    """The fields that some user may leave out, although the schema demands them."""
    if route.merges or type(route.resource).fields_for is not ModelResource.fields_for:
        return frozenset(route.schema.members)
    unread = {*route.field_rules.read, *route.schema.members.difference(route.schema.names)}
    return frozenset({*route.field_rules.write, *route.owned, *(unread if route.http == "PUT" else ())})


def _object(schema: Schema, *, optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    fields = by_json_name(schema.load_fields)
    required = required_names(fields, optional=optional)
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {name: _type(field) for name, field in fields.items()},
    }


def _type(field: Field[Any]) -> dict[str, Any]:
    if not field.allow_none and type(field) is ours.MapField and isinstance(field, Nested):
        return _object(field.schema)
    name = None if field.allow_none or type(field) is ours.NullField else json_type(field)
    return {**({} if name is None else {"type": name}), **_keywords(field)}


_KEYWORDS = {
    "exclusiveMinimum": "minimum",
    "exclusiveMaximum": "maximum",
    **{
        name: name
        for name in ("enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
    },
}
"""Keyword -> the one of JSON Schema draft 4, which a model of API Gateway is, that takes no less."""


def _keywords(field: Field[Any]) -> dict[str, Any]:
    """What enum and validators say of a field of ours; of null no keyword says anything, but for ``enum``."""
    schema = field_schema(field, lambda _: {}) or {}
    said = {
        **{name: one for name, one in schema.items() if name == "enum"},
        **validator_keywords(field, schema),
    }
    if field.allow_none:
        said.pop("enum", None)
    return {_KEYWORDS[name]: value for name, value in said.items() if name in _KEYWORDS}
