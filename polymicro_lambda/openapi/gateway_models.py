"""Request bodies as the models by which a REST API checks them: what it refuses, the app would refuse too."""

from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field, Nested

from polymicro_lambda import schemas as ours
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route

from .field_schemas import json_type


def body_model(route: Route) -> dict[str, Any] | None:
    """The JSON schema of the body that a route takes, None where only Python can tell what it takes.

    It says less than the app does: what may be null, or is loaded by a field of the app's own, has no type, since a
    model of API Gateway has no way to say so.
    """
    if not route.about.body or route.is_action or route.takes_many or route.resource.schema is not None:
        return None
    form = route.schema.creating if route.verb == "create" else route.schema.updating
    return _object(form, optional=optional(route))


def optional(route: Route) -> frozenset[str]:
    """The fields that some user may leave out, although the schema demands them."""
    everything = frozenset(route.schema.members)
    if route.http == "PATCH" or type(route.resource).fields_for is not ModelResource.fields_for:
        return everything
    return frozenset(route.field_rules.write) | frozenset(route.owned)


def _object(form: Schema, *, optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    fields = {field.data_key or name: field for name, field in form.load_fields.items()}
    required = [name for name, field in fields.items() if field.required and name not in optional]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {name: _kind(field) for name, field in fields.items()},
    }


def _kind(field: Field[Any]) -> dict[str, Any]:
    if field.allow_none:
        return {}
    if type(field) is ours.MapField and isinstance(field, Nested):
        return _object(field.schema)
    kind = json_type(field)
    return {} if kind is None or type(field) is ours.NullField else {"type": kind}
