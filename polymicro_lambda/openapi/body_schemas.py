"""The schemas of one resource: what each verb takes, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow.fields import Field

from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import json_bytes, read_json
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import attribute_of_field, default_of, is_nullable

from .examples import sample
from .field_schemas import Describe, JSONSchema, object_of, or_null
from .gateway_models import optional

ANY: JSONSchema = {"description": "Any JSON."}
BODIES: Mapping[tuple[str, str], str] = {
    ("create", "POST"): "Create",
    ("update", "PATCH"): "Patch",
    ("update", "PUT"): "Replace",
}
"""Verb and HTTP verb -> the end of the name of its body's schema."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The names and schemas of a resource; ``name`` is what they are called after, e.g. ``Todo``."""

    name: str
    routes: tuple[Route, ...]

    @property
    def resource(self) -> ModelResource:
        """The resource."""
        return self.routes[0].resource

    @property
    def names(self) -> list[str]:
        """The names of its schemas."""
        return list(self._made())

    def schemas(self, describe: Describe) -> dict[str, JSONSchema]:
        """Every schema of the resource that some verb refers to, by name."""
        return {name: make(describe) for name, make in self._made().items()}

    def _made(self) -> dict[str, Callable[[Describe], JSONSchema]]:
        verbs = {route.verb for route in self.routes}
        made: dict[str, Callable[[Describe], JSONSchema]] = {}
        if verbs & {"create", "update", "retrieve", "list"}:
            made[self.name] = self._item
        if verbs & {"retrieve", "list"} and not self.is_free:
            made[f"{self.name}Selection"] = self._selection
        if "list" in verbs and self.resource.envelope:
            made[f"{self.name}Page"] = self._page
        if any(route.takes_many for route in self.routes):
            made[f"{self.name}Results"] = self._results
        bodies = [route for route in self.routes if (route.verb, route.http) in BODIES]
        return made | {self.body_name(route): partial(self._body, route) for route in bodies}

    def body_name(self, route: Route) -> str:
        """The name of the schema of the body that a route takes."""
        return f"{self.name}{BODIES[route.verb, route.http]}"

    @property
    def is_free(self) -> bool:
        """Whether the resource itself says how an item looks, so that nothing is known of it."""
        return type(self.resource).represent is not ModelResource.represent

    # --- answers -------------------------------------------------------------------------------------------

    @property
    def shown(self) -> JSONSchema:
        """What a retrieve or a row of a list shows: the item, or of it what ``?fields=`` names."""
        whole = {"$ref": f"#/components/schemas/{self.name}"}
        return (
            whole
            if self.is_free
            else {"anyOf": [whole, {"$ref": f"#/components/schemas/{self.name}Selection"}]}
        )

    def _item(self, describe: Describe) -> JSONSchema:
        about = _about(self.routes[0])
        if self.is_free:
            return {**about, **ANY}
        always = type(self.resource).fields_for is ModelResource.fields_for
        hidden = self.routes[0].field_rules.read
        shown = self._shown()
        required = [name for name in shown if always and name not in hidden]
        return {**about, **object_of(shown, self._reads(describe), required=required)}

    def _selection(self, describe: Describe) -> JSONSchema:
        about = f"Of a {self.name} what `fields` names."
        return {"description": about, **object_of(self._shown(), self._reads(describe), required=())}

    def _page(self, _: Describe) -> JSONSchema:
        cursor = "Where the next page begins: send it as `pagination_key`. Null on the last page."
        return {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": self.shown},
                "pagination_key": {"type": ["string", "null"], "description": cursor},
            },
            "required": ["items", "pagination_key"],
            "additionalProperties": False,
        }

    def _results(self, _: Describe) -> JSONSchema:
        entry = {
            "type": "object",
            "properties": {
                "status": {"type": "integer", "description": "As if it had been sent alone."},
                "item": {"$ref": f"#/components/schemas/{self.name}"},
                "problem": {"$ref": "#/components/schemas/Problem"},
            },
            "required": ["status"],
        }
        return {
            "type": "object",
            "description": "What became of each item of a list, in its order.",
            "properties": {
                "failed": {"type": "integer", "description": "How many items were not created."},
                "items": {"type": "array", "items": entry},
            },
            "required": ["failed", "items"],
            "additionalProperties": False,
        }

    def _shown(self) -> dict[str, Field[Any]]:
        return {f.data_key or name: f for name, f in self.routes[0].schema.creating.dump_fields.items()}

    def _reads(self, describe: Describe) -> Describe:
        """What makes the schema of what a field shows, which may be null wherever the attribute may be absent."""
        attributes = self.routes[0].schema.attributes

        def read(field: Field[Any]) -> JSONSchema:
            attribute = attributes.get(attribute_of_field(field))
            said = {n: one for n, one in describe(field).items() if n not in ("default", "minItems")}
            return or_null(said) if attribute is not None and is_nullable(attribute) else said

        return read

    # --- bodies --------------------------------------------------------------------------------------------

    def _body(self, route: Route, describe: Describe) -> JSONSchema:
        form = form_of(route)
        members = {field.data_key or name: field for name, field in form.load_fields.items()}
        leave = optional(route)
        required = [name for name, field in members.items() if field.required and name not in leave]

        def taken(field: Field[Any]) -> JSONSchema:
            said = describe(field)
            said.pop("writeOnly", None)
            return said if route.http == "PATCH" else said | self._default(field)

        return {"description": _BODIES[route.http], **object_of(members, taken, required=required)}

    def _default(self, field: Field[Any]) -> JSONSchema:
        """The default of the model, where it is a value and no function."""
        attribute = self.routes[0].schema.attributes.get(attribute_of_field(field))
        default = None if attribute is None else default_of(attribute)
        if default is None or callable(default):
            return {}
        shown = read_json(
            json_bytes(field.serialize(attribute_of_field(field), {attribute_of_field(field): default}))
        )
        try:
            field.deserialize(shown)
        except ValidationError:  # a schema of the app's own, which takes no such value from a client
            return {}
        return {"default": shown}


_BODIES: Mapping[str, str] = {
    "POST": "A new item.",
    "PATCH": "What is to change; null removes (RFC 7396). What is not named stays as it is.",
    "PUT": "The whole item: what is not named takes its default or is removed.",
}


def form_of(route: Route) -> Schema:
    """The schema that loads the body of a route."""
    return route.schema.creating if route.verb == "create" else route.schema.updating


def body_sample(route: Route, schema: JSONSchema) -> Any:
    """An example of a body that the route takes. Raises ``LookupError`` where none is known."""
    made = sample(schema)
    load = {"PATCH": route.schema.load_merge, "PUT": route.schema.load_replace}
    try:
        load.get(route.http, route.schema.load_create)(read_json(json_bytes(made)))
    except HTTPError as error:  # a validator of the app's own
        raise LookupError(str(error)) from error
    return made


def _about(route: Route) -> JSONSchema:
    """What the model's docstring says."""
    said = described(route.model.__doc__)
    return {"description": said} if said else {}


def described(doc: str | None) -> str:
    """A docstring as Markdown."""
    lines = (doc or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines).replace("``", "`")
