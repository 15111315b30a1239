"""A curl session that walks through a resource, made from its routes and its schema."""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

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

from .exceptions import HTTPError

EXAMPLE_USER = "alice:administrator,therapist"

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


class Schema(Protocol):
    """The part of a resource's compiled schema that is asked here."""

    def load_create(self, body: object) -> dict[str, Any]:
        """Check the body of a create; raises ``HTTPError``."""

    def load_merge(self, body: object) -> dict[str, Any]:
        """Check the body of a PATCH; raises ``HTTPError``."""


def curl_session(routes: Sequence[Any], address: str, *, token: bool) -> list[str]:
    """Shell lines that walk through the first resource, create to delete; none without routes.

    With ``token`` they first get a bearer token, which each request then sends.
    """
    if not routes:
        return []
    first = {(route.verb, route.http): route for route in routes if route.resource is routes[0].resource}
    lines = [f"api={address}"]
    if token:
        lines.append(f"token=$(polymicro token {EXAMPLE_USER})")
    curl = """curl -sS -w '\\n'""" + (' -H "Authorization: Bearer $token"' if token else "")
    return lines + [
        line for key, step in STEPS.items() if key in first for line in step(first, first[key], curl)
    ]


Step = Callable[[Mapping[tuple[str, str], Any], Any, str], Iterator[str]]
"""The lines for one route among those of its resource, given how curl is called."""


def _create(routes: Mapping[tuple[str, str], Any], route: Any, curl: str) -> Iterator[str]:
    body = create_body(route.schema, route.model)
    call = f"{curl} -X POST {_collection(route)} {_json(body)}"
    item = next((other.template for other in routes.values() if other.verb in ON_ITEM), None)
    if item is None:
        yield call
        return
    script = f'import json, sys; print("{item}".format(**json.load(sys.stdin)))'
    yield f"item=$api$({call} | python3 -c {shlex.quote(script)})"


def _list(_: Mapping[tuple[str, str], Any], route: Any, curl: str) -> Iterator[str]:
    yield f"{curl} {_collection(route)}"


def _retrieve(routes: Mapping[tuple[str, str], Any], _: Any, curl: str) -> Iterator[str]:
    yield from _on_item(routes, f"{curl} $item")


def _patch(routes: Mapping[tuple[str, str], Any], route: Any, curl: str) -> Iterator[str]:
    body = patch_body(route.schema, route.model)
    yield from _on_item(routes, f"{curl} -X PATCH $item {_json(body)}")


def _delete(routes: Mapping[tuple[str, str], Any], _: Any, curl: str) -> Iterator[str]:
    yield from _on_item(routes, f"{curl} -X DELETE $item")


STEPS: Mapping[tuple[str, str], Step] = {
    ("create", "POST"): _create,
    ("list", "GET"): _list,
    ("retrieve", "GET"): _retrieve,
    ("update", "PATCH"): _patch,
    ("delete", "DELETE"): _delete,
}
ON_ITEM = frozenset({"retrieve", "update", "delete"})


def _on_item(routes: Mapping[tuple[str, str], Any], line: str) -> Iterator[str]:
    """The line, if there is an item to have it: one that the session itself created."""
    if ("create", "POST") in routes:
        yield line


def _collection(route: Any) -> str:
    """The collection's URL, with an example for what its path binds."""
    segments = ("example" if part.startswith("{") else part for part in route.template.split("/"))
    return f"$api{'/'.join(segments)}"


def _json(body: Mapping[str, Any]) -> str:
    return f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"


def create_body(schema: Schema, model: type[Model]) -> dict[str, Any]:
    """A body with a sample for each attribute that the schema says is missing."""
    body: dict[str, Any] = {}
    for name in _refused(schema.load_create, body):
        if name in model.get_attributes():
            body[name] = sample(model.get_attributes()[name])
    return body


def patch_body(schema: Schema, model: type[Model]) -> dict[str, Any]:
    """A body that changes one attribute, of a kind as early in ``SAMPLES`` as there is."""
    kinds = list(SAMPLES)
    attributes = [
        (name, attribute) for name, attribute in model.get_attributes().items() if type(attribute) in kinds
    ]
    attributes.sort(key=lambda pair: kinds.index(type(pair[1])))
    bodies = ({name: sample(attribute)} for name, attribute in attributes)
    return next((body for body in bodies if not _refused(schema.load_merge, body)), {})


def sample(attribute: Attribute[Any]) -> Any:
    """A JSON value that the attribute takes; a map's is made of its required members."""
    if attribute.is_hash_key or attribute.is_range_key:
        return "example" if isinstance(attribute, UnicodeAttribute) else _by_class(attribute)
    if isinstance(attribute, MapAttribute):
        members = type(attribute).get_attributes().items()
        return {
            name: sample(member) for name, member in members if not member.null and member.default is None
        }
    return _by_class(attribute)


def _by_class(attribute: Attribute[Any]) -> Any:
    return next((SAMPLES[kind] for kind in type(attribute).__mro__ if kind in SAMPLES), None)


def _refused(load: Callable[[object], object], body: Mapping[str, Any]) -> Iterable[str]:
    """The names of the members that the schema complains about; none where it loads."""
    try:
        load(body)
    except HTTPError as error:
        pointers = (entry.get("pointer", "") for entry in error.errors)
        return [pointer.removeprefix("#/").partition("/")[0] for pointer in pointers]
    return []
