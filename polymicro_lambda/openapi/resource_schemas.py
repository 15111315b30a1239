"""The JSON Schemas of one resource: of its items, its pages, and the bodies that its verbs take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import json_bytes, read_json
from polymicro_lambda.lists import Envelope
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Embed, Route
from polymicro_lambda.schemas import attribute_of_field, default_of, is_nullable

from .examples import example_of
from .field_schemas import Describe, JSONSchema, by_json_name, object_of, or_null, required_names
from .gateway_models import optional_fields

ANY: JSONSchema = {"description": "Any JSON."}
BODY_SUFFIXES: Mapping[tuple[str, str], str] = {
    ("create", "POST"): "Create",
    ("update", "PATCH"): "Patch",
    ("update", "PUT"): "Replace",
}
"""Verb and HTTP verb -> the end of the name of the body's schema."""


@dataclass(frozen=True, slots=True)
class ResourceSchemas:
    """The schemas of a resource; their names begin with ``name``, e.g. ``Todo``."""

    name: str
    routes: tuple[Route, ...]

    @property
    def resource(self) -> ModelResource:
        """The resource."""
        return self.routes[0].resource

    @property
    def names(self) -> list[str]:
        """The names of its schemas."""
        return list(self._makers())

    def schemas(self, describe: Describe) -> dict[str, JSONSchema]:
        """Every schema of the resource that some verb refers to, by name."""
        return {name: make(describe) for name, make in self._makers().items()}

    def _makers(self) -> dict[str, Callable[[Describe], JSONSchema]]:
        verbs = {route.verb for route in self.routes}
        makers: dict[str, Callable[[Describe], JSONSchema]] = {}
        shows = verbs & {"create", "update", "retrieve", "list"}
        if shows or any(route.is_restore for route in self.routes):
            makers[self.name] = self._item
        if verbs & {"retrieve", "list"} and not self.has_own_form:
            makers[f"{self.name}Selection"] = self._selection
        if "list" in verbs and (envelope := self.routes[0].list_settings.envelope) is not None:
            makers[f"{self.name}Page"] = partial(self._page, envelope)
        if any(route.takes_many for route in self.routes):
            makers[f"{self.name}Results"] = self._results
        bodies = [route for route in self.routes if (route.verb, route.http) in BODY_SUFFIXES]
        return makers | {self.body_name(route): partial(self._body, route) for route in bodies}

    def body_name(self, route: Route) -> str:
        """The name of the schema of the body that a route takes."""
        return f"{self.name}{BODY_SUFFIXES[route.verb, route.http]}"

    @property
    def has_own_form(self) -> bool:
        """Whether the resource overrides ``represent``, so that nothing is known of its items."""
        return type(self.resource).represent is not ModelResource.represent

    # --- answers -------------------------------------------------------------------------------------------

    @property
    def shown_item(self) -> JSONSchema:
        """The item in the answer to a retrieve or a list: whole, or the members that ``?fields=`` names."""
        whole = {"$ref": f"#/components/schemas/{self.name}"}
        return (
            whole
            if self.has_own_form
            else {"anyOf": [whole, {"$ref": f"#/components/schemas/{self.name}Selection"}]}
        )

    def _item(self, describe: Describe) -> JSONSchema:
        about = _about(self.routes[0])
        if self.has_own_form:
            return {**about, **ANY}
        always = type(self.resource).fields_for is ModelResource.fields_for
        hidden = self.routes[0].field_rules.read
        shown = self._shown_fields()
        required = [name for name in shown if always and name not in hidden]
        item = object_of(shown, self._describe_shown(describe), required=required)
        return {**about, **self._with_embeds(item, describe)}

    def _selection(self, describe: Describe) -> JSONSchema:
        about = f"Of a {self.name} what `fields` names."
        item = object_of(self._shown_fields(), self._describe_shown(describe), required=())
        return {"description": about, **self._with_embeds(item, describe)}

    def _with_embeds(self, item: JSONSchema, describe: Describe) -> JSONSchema:
        """The schema of an item, with what it may show of other resources where that is asked for."""
        embeds = {name: one for route in self.routes for name, one in ((e.name, e) for e in route.embeds)}
        known = item["properties"]
        members = {name: _embedded(one, known.get(name), describe) for name, one in embeds.items()}
        return {**item, "properties": {**known, **members}} if members else item

    def part(self, fields: frozenset[str] | None, describe: Describe) -> JSONSchema:
        """The schema of these fields of an item, None for all, as another resource embeds it."""
        if self.has_own_form:
            return ANY
        shown = {name: one for name, one in self._shown_fields().items() if fields is None or name in fields}
        return object_of(shown, self._describe_shown(describe), required=())

    def _page(self, envelope: Envelope, _: Describe) -> JSONSchema:
        cursor = "Where the next page begins: send it as `pagination_key`. Null on the last page."
        count = "With `count=true`: how many items the list has; null where it is too long to count."
        always: dict[str, JSONSchema] = {envelope.items: {"type": "array", "items": self.shown_item}}
        if envelope.key is not None:
            always[envelope.key] = {"type": ["string", "null"], "description": cursor}
        asked: dict[str, JSONSchema] = {}
        if envelope.count is not None:
            asked[envelope.count] = {"type": ["integer", "null"], "minimum": 0, "description": count}
        return {
            "type": "object",
            "properties": {**always, **asked},
            "required": [*always],
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

    def _shown_fields(self) -> dict[str, Field[Any]]:
        return by_json_name(self.routes[0].schema.creating.dump_fields)

    def _describe_shown(self, describe: Describe) -> Describe:
        """A function for the schema of a shown field: it may be null wherever the attribute may be absent."""
        attributes = self.routes[0].schema.attributes

        def read(field: Field[Any]) -> JSONSchema:
            attribute = attributes.get(attribute_of_field(field))
            schema = {n: one for n, one in describe(field).items() if n not in ("default", "minItems")}
            return or_null(schema) if attribute is not None and is_nullable(attribute) else schema

        return read

    # --- bodies --------------------------------------------------------------------------------------------

    def _body(self, route: Route, describe: Describe) -> JSONSchema:
        members = by_json_name(route.body_schema.load_fields)
        required = required_names(members, optional=optional_fields(route))

        def taken(field: Field[Any]) -> JSONSchema:
            schema = describe(field)
            schema.pop("writeOnly", None)
            return schema if route.merges else schema | self._default(field)

        about = BODY_DESCRIPTIONS["PATCH" if route.merges else route.http]
        return {"description": about, **object_of(members, taken, required=required)}

    def _default(self, field: Field[Any]) -> JSONSchema:
        """The default of the model, where it is a value and no function."""
        attribute = self.routes[0].schema.attributes.get(attribute_of_field(field))
        default = None if attribute is None else default_of(attribute)
        if default is None or callable(default):
            return {}
        name = attribute_of_field(field)
        shown = read_json(json_bytes(field.serialize(name, {name: default})))
        try:
            field.deserialize(shown)
        except ValidationError:  # a schema of the app's own, which takes no such value from a client
            return {}
        return {"default": shown}


def page_example(envelope: Envelope, item: Any) -> dict[str, Any]:
    """An example of a page: the last one, of this item."""
    return {envelope.items: [item]} | ({} if envelope.key is None else {envelope.key: None})


def _embedded(embed: Embed, in_place_of: JSONSchema | None, describe: Describe) -> JSONSchema:
    """The schema of what is embedded: an item or null, or a list of items; or the field in whose place it stands."""
    part = ResourceSchemas(embed.name, (embed.route,)).part(embed.fields, describe)
    asked = "" if embed.always else f" It is there where `embed` names `{embed.name}`."
    if embed.limit is None:
        about = f"Null where it is gone, or the user may not see it.{asked}"
        if in_place_of is not None and not embed.always:
            return {"description": about, "anyOf": [in_place_of, or_null(part)]}
        return {"description": about, **or_null(part)}
    about = f"The first {embed.limit}, of those that the user may see; not in lists.{asked}"
    return {"description": about, "type": "array", "items": part, "maxItems": embed.limit}


BODY_DESCRIPTIONS: Mapping[str, str] = {
    "POST": "A new item.",
    "PATCH": "What is to change; null removes, also in maps (RFC 7396). What is not named stays as it is.",
    "PUT": "The whole item: what is not named takes its default or is removed, but for fields that you cannot read.",
}


def body_example(route: Route, schema: JSONSchema) -> Any:
    """An example of a body that the route takes. Raises ``LookupError`` where none is known."""
    body = example_of(schema)
    loads = route.schema
    load = loads.load_create if route.verb == "create" else loads.load_replace
    try:
        (loads.load_merge if route.merges else load)(read_json(json_bytes(body)))
    except HTTPError as error:  # a validator of the app's own
        raise LookupError(str(error)) from error
    return body


def _about(route: Route) -> JSONSchema:
    """The model's docstring as a description."""
    text = markdown(route.model.__doc__)
    return {"description": text} if text else {}


def markdown(doc: str | None) -> str:
    """A docstring as Markdown."""
    lines = (doc or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines).replace("``", "`")
