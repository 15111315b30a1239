"""A curl session that walks through a resource, made from its routes and its schema."""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
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

from polymicro_lambda.dynamodb import has_table, model_info
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.openapi import openapi
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import ItemSchema, default_of

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


def curl_session(routes: Sequence[Route], address: str, *, token: str | None) -> list[str]:
    """Shell lines that walk through a resource with a model, create to delete; without one through the reads.

    It is the first that needs nothing to be there. ``token`` is a command that prints a bearer token, which each
    request then sends. Empty without routes.
    """
    by_verb = _walked([route for route in routes if has_table(route.model)])
    calls = {key: call(by_verb[key]) for key, call in CALLS.items() if key in by_verb}
    keeps = CREATE in by_verb and by_verb[CREATE].resource.item is not None
    if not keeps:  # without an item, no call for one
        calls = {key: call for key, call in calls.items() if not by_verb[key].about.detail}
    lines = [f"token=$({token})"] if token else []
    header = ' -H "Authorization: Bearer $token"' if token else ""
    curl = f"""curl -sS -w '\\n'{header}"""
    for key, call in calls.items():
        if key == CREATE and any(by_verb[one].about.detail for one in calls):
            lines.append(_create_and_keep(by_verb[key], f"{header} {call}"))
        else:
            lines.append(f"{curl} {call}")
    reads = (
        [] if by_verb else [route for route in routes if route.http == "GET" and not _has_parameters(route)]
    )
    lines += [f"{curl} {_collection(route)}" for route in reads]
    return [f"api={address}", *lines] if calls or reads else []


def _walked(with_model: Sequence[Route]) -> dict[tuple[str, str], Route]:
    """The routes of the resource to walk through: one that creates below nothing else, or lists so, else the first."""

    def starts(verb: str) -> Iterator[Route]:
        return (one for one in with_model if one.verb == verb and not _has_parameters(one))

    first = next((one for verb in ("create", "list") for one in starts(verb)), next(iter(with_model), None))
    return {(one.verb, one.http): one for one in with_model if first and one.resource is first.resource}


def _has_parameters(route: Route) -> bool:
    return any(part.startswith("{") for part in route.parts)


CREATE = ("create", "POST")
CALLS: Mapping[tuple[str, str], Callable[[Route], str]] = {
    CREATE: lambda route: (
        f"-X POST {_collection(route)}{_required_headers(route)} {_json_body(route, _new(route))}"
    ),
    ("list", "GET"): lambda route: _collection(route) + _query(route),
    ("retrieve", "GET"): lambda _: "$item",
    ("update", "PATCH"): lambda route: (
        f"-X PATCH $item{_required_headers(route)} {_json_body(route, _change(route))}"
    ),
    ("delete", "DELETE"): lambda route: f"-X DELETE $item{_required_headers(route)}",
}
"""Verb and HTTP verb -> the arguments for curl, in the order of the walk."""


def _create_and_keep(route: Route, create: str) -> str:
    """Print the answer, and keep the address of the created item: ``Location``, relative to the collection's."""
    parent = (_collection(route).rpartition("/")[0] if route.parts else "$api") + "/"
    curl = f"curl -sS -w '%{{stderr}}\\n' -D - -o /dev/stderr{create}"
    return f"item={parent}$({curl} | sed -n 's/^[Ll]ocation: //p' | tr -d '\\r')"


def _query(route: Route) -> str:
    """The parameters without which a list is refused, with an example of each."""
    parameters = openapi((route,))["paths"][route.template]["get"].get("parameters", [])
    needed = {
        one["name"]: one.get("example", "example")
        for one in parameters
        if one["in"] == "query" and one.get("required")
    }
    return shlex.quote(f"?{urlencode(needed)}") if needed else ""


def _collection(route: Route) -> str:
    """The collection's URL, with an example for what its path binds."""
    return "/".join(["$api", *("example" if part.startswith("{") else part for part in route.parts)])


KEY = "Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')"


def _required_headers(route: Route) -> str:
    """The headers without which the resource refuses the request."""
    resource = route.resource
    key = f' -H "{KEY}"' if resource.require_idempotency_key and route.idempotency_table is not None else ""
    match = " -H 'If-Match: *'" if resource.require_if_match and route.verb in ("update", "delete") else ""
    return key + match


def _new(route: Route) -> dict[str, Any]:
    """A body for POST; where a validator refuses a sample, with the example of the OpenAPI document."""
    body = create_body(route.schema, route.model)
    if refused := list(_refused_members(route.schema.load_create, body)):
        operation = openapi((route,))["paths"][route.template][route.http.lower()]
        example = operation["requestBody"]["content"]["application/json"].get("example", {})
        example = example if route.item_member is None else example.get(route.item_member, {})
        body |= {name: example[name] for name in refused if name in example}
    return body


def _change(route: Route) -> dict[str, Any]:
    """A body for PATCH, of a field that no rule of its own guards."""
    return patch_body(route.schema, route.model, guarded=frozenset(route.field_rules.write))


def _json_body(route: Route, item: Mapping[str, Any]) -> str:
    body = item if route.item_member is None else {route.item_member: item}
    return f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"


def create_body(schema: ItemSchema, model: type[Model]) -> dict[str, Any]:
    """A body with a sample for each attribute that the schema says is missing."""
    body: dict[str, Any] = {}
    address = model_info(model).address
    for name in _refused_members(schema.load_create, body):
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


def _refused_members(load: Callable[[object], object], body: Mapping[str, Any]) -> Iterable[str]:
    """The names of the members that the schema complains about; none where it loads."""
    try:
        load(body)
    except HTTPError as error:
        pointers = (entry.get("pointer", "") for entry in error.errors)
        return [pointer.removeprefix("#/").partition("/")[0] for pointer in pointers]
    return []
