"""Bodies, queries and headers that a route takes, made of its schema: for sample events, and for a curl session."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlencode

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.openapi import openapi
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import ItemSchema, default_of

UUID = "3f0e4a52-7a5c-4c1e-9d55-0d9f4c1b2a10"
"""A key that code makes up, and an ``Idempotency-Key``."""
Load: TypeAlias = Callable[[object], object]
"""Loads a body, and raises ``HTTPError`` for one that does not fit."""
SAMPLES: Mapping[type[Attribute[Any]], Any] = {
    BooleanAttribute: True,
    UnicodeAttribute: "Water the plants",
    NumberAttribute: 3,
    UTCDateTimeAttribute: "2030-01-01T09:00:00+00:00",
    TTLAttribute: "2030-01-01T09:00:00+00:00",
    UnicodeSetAttribute: ["blue", "green"],
    NumberSetAttribute: [1, 2],
    BinaryAttribute: "aGVsbG8=",
    BinarySetAttribute: ["aGVsbG8="],
    JSONAttribute: {"size": 3},
    ListAttribute: [],
}
"""Attribute class -> a JSON value that it takes, in the order in which a PATCH prefers them."""


def operation_of(route: Route) -> Mapping[str, Any]:
    """What the OpenAPI document says of the route."""
    operation: Mapping[str, Any] = openapi((route,))["paths"][route.template][route.http.lower()]
    return operation


def needed_query(route: Route) -> str:
    """The query without which a list is refused, with an example of each parameter; empty where there is none."""
    parameters = operation_of(route).get("parameters", [])
    needed = {
        one["name"]: one.get("example", "example")
        for one in parameters
        if one["in"] == "query" and one.get("required")
    }
    return urlencode(needed)


def needed_headers(route: Route) -> dict[str, str]:
    """The headers without which the resource refuses the request, with a value of each."""
    resource, headers = route.resource, {}
    if resource.require_idempotency_key and route.idempotency_table is not None:
        headers["Idempotency-Key"] = UUID
    if resource.require_if_match and route.verb in ("update", "delete"):
        headers["If-Match"] = "*"
    return headers


def in_member(route: Route, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An item as a body has it: in the member that the resource's envelope names, if any."""
    return item if route.item_member is None else {route.item_member: item}


def new_body(route: Route) -> dict[str, Any]:
    """A body for POST."""
    return _body_for(route, route.schema.load_create)


def replacing_body(route: Route) -> dict[str, Any]:
    """A body for PUT."""
    return _body_for(route, route.schema.load_replace)


def _body_for(route: Route, load: Load) -> dict[str, Any]:
    """A body that ``load`` takes; where a validator refuses a sample, with the example of the OpenAPI document."""
    body = create_body(route.schema, route.model, load)
    if refused := list(_refused_members(load, body)):
        example = documented_body(route)
        example = example if route.item_member is None else example.get(route.item_member, {})
        body |= {name: example[name] for name in refused if name in example}
    return body


def documented_body(route: Route) -> dict[str, Any]:
    """The body's example in the OpenAPI document; empty where there is none."""
    content = operation_of(route).get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    return example if isinstance(example, dict) else {}


def change_body(route: Route) -> dict[str, Any]:
    """A body for PATCH, of a field that no rule of its own guards."""
    return patch_body(route.schema, route.model, guarded=frozenset(route.field_rules.write))


def create_body(schema: ItemSchema, model: type[Model], load: Load | None = None) -> dict[str, Any]:
    """A body with a sample for each attribute that the schema says is missing, on create or as ``load`` does."""
    body: dict[str, Any] = {}
    address = model_info(model).address
    for name in _refused_members(load or schema.load_create, body):
        if name in model.get_attributes():
            body[name] = sample(model.get_attributes()[name], in_path=name in address)
    return body


def patch_body(
    schema: ItemSchema, model: type[Model], *, guarded: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A body that changes one attribute, of a kind as early in ``SAMPLES`` as there is, and not ``guarded``."""
    kinds = list(SAMPLES)
    attributes = [
        (name, attribute)
        for name, attribute in model.get_attributes().items()
        if type(attribute) in kinds and name not in guarded
    ]
    attributes.sort(key=lambda pair: kinds.index(type(pair[1])))
    bodies = ({name: sample(attribute)} for name, attribute in attributes)
    return next((body for body in bodies if not _refused_members(schema.load_merge, body)), {})


def sample(attribute: Attribute[Any], *, in_path: bool = False) -> Any:
    """A JSON value that the attribute takes, or a path as it is; a map's is made of its required members."""
    if in_path:
        return "example" if isinstance(attribute, UnicodeAttribute) else _by_class(attribute)
    if isinstance(attribute, MapAttribute):
        members = type(attribute).get_attributes().items()
        return {
            name: sample(member) for name, member in members if not member.null and default_of(member) is None
        }
    return _by_class(attribute)


def _by_class(attribute: Attribute[Any]) -> Any:
    return next((SAMPLES[kind] for kind in type(attribute).__mro__ if kind in SAMPLES), None)


def _refused_members(load: Load, body: Mapping[str, Any]) -> Iterable[str]:
    """The names of the members that the schema complains about; none where it loads."""
    try:
        load(body)
    except HTTPError as error:
        pointers = (entry.get("pointer", "") for entry in error.errors)
        return [pointer.removeprefix("#/").partition("/")[0] for pointer in pointers]
    return []
