"""One route as an operation of the document."""

import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from polymicro_lambda.http import JSON_TYPE, MERGE_TYPE
from polymicro_lambda.routing import Route

from .body_schemas import ANY, BODIES, Forms, body_sample, described
from .examples import sample
from .field_schemas import Describe, JSONSchema, object_of
from .parameters import parameters
from .responses import each_for_itself, for_everybody, is_open, outcomes

SUMMARIES: Mapping[tuple[str, str], str] = {
    ("create", "POST"): "Create: {name}",
    ("list", "GET"): "List: {name}",
    ("retrieve", "GET"): "Retrieve: {name}",
    ("update", "PATCH"): "Change: {name}",
    ("update", "PUT"): "Replace: {name}",
    ("delete", "DELETE"): "Delete: {name}",
}
"""Verb and HTTP verb -> what the mixin's own does. A verb of the resource's own says so itself."""
TAKES: Mapping[str, tuple[str, ...]] = {"PATCH": (JSON_TYPE, MERGE_TYPE)}
"""HTTP verb -> the media types of its body, where that is not JSON alone."""
Schemas = Mapping[str, JSONSchema]


@dataclass(frozen=True, slots=True)
class Documented:
    """An operation: a route, the forms of its resource, and what the document calls it."""

    route: Route
    forms: Forms
    id: str
    names: tuple[str, ...]
    """The parameters of its path, as the document names them."""

    def operation(
        self, describe: Describe, schemas: Schemas, others: Iterable["Documented"] = ()
    ) -> dict[str, Any]:
        """The Operation Object; ``schemas`` are those of the resources, ``others`` all operations."""
        asked = parameters(self.route, self.names, describe)
        answers = outcomes(self.route, self._shown(), self._example(schemas))
        if self.route.takes_many:
            answers["207"] = each_for_itself(f"{self.forms.name}Results")
        links = dict(self._links(others))
        if links:
            answers[str(self.route.about.status)]["links"] = links
        return {
            "operationId": self.id,
            "tags": [self.forms.name],
            **self._words(),
            **({"parameters": asked} if asked else {}),
            **self._body(schemas, describe),
            "responses": answers,
            **self._security(),
        }

    def _words(self) -> dict[str, str]:
        route = self.route
        usual = SUMMARIES.get((route.verb, route.http), f"{route.verb}: {{name}}").format(
            name=self.forms.name
        )
        doc = "" if route.is_default else described(inspect.getdoc(route.call))
        summary, _, rest = doc.partition("\n\n")
        said = " ".join(summary.split()) or usual
        return {"summary": said} | ({"description": rest.strip()} if rest.strip() else {})

    # --- the body ------------------------------------------------------------------------------------------

    def _body(self, schemas: Schemas, describe: Describe) -> dict[str, Any]:
        if not self.route.about.body or self.route.http == "GET":
            return {}
        if self.route.takes is not None:
            return {"requestBody": _taken(self.route.takes, describe)}
        if self.route.is_action:
            reads = not self.route.arguments.isdisjoint(("req", "request"))
            return {"requestBody": {"content": {JSON_TYPE: {"schema": ANY}}}} if reads else {}
        name = self.forms.body_name(self.route)
        media: dict[str, Any] = {"schema": self._or_many({"$ref": f"#/components/schemas/{name}"})}
        with suppress(LookupError):
            media["example"] = body_sample(self.route, schemas[name])
        takes = TAKES.get(self.route.http, (JSON_TYPE,))
        return {"requestBody": {"required": True, "content": dict.fromkeys(takes, media)}}

    def _or_many(self, one: JSONSchema) -> JSONSchema:
        """An item, or where the route takes one a list of such."""
        if not self.route.takes_many:
            return one
        most = self.route.resource.max_bulk
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]}

    # --- the answer ----------------------------------------------------------------------------------------

    def _shown(self) -> JSONSchema:
        if self.route.is_action or self.route.verb == "delete":
            return ANY
        if self.route.verb == "retrieve":
            return self.forms.shown
        if self.route.verb != "list":
            return self._or_many({"$ref": f"#/components/schemas/{self.forms.name}"})
        if self.forms.resource.envelope:
            return {"$ref": f"#/components/schemas/{self.forms.name}Page"}
        return {"type": "array", "items": self.forms.shown}

    def _example(self, schemas: Schemas) -> Any:
        """An example of what it shows, None where none is known."""
        if self.route.is_action or self.route.verb == "delete" or self.forms.is_free:
            return None
        try:
            item = sample(schemas[self.forms.name])
        except LookupError:
            return None
        if self.route.verb != "list":
            return item
        return {"items": [item], "pagination_key": None} if self.forms.resource.envelope else [item]

    def _links(self, others: Iterable["Documented"]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What can be done with the item that a create answers with."""
        shown = () if self.forms.is_free or self.route.verb != "create" else self.route.schema.names
        for other in others:
            names = dict(zip(other.names, other.route.params, strict=True))
            own = other.forms is self.forms and other.route.about.detail
            if own and not other.route.is_action and set(names.values()) <= set(shown):
                said = {name: f"$response.body#/{attribute}" for name, attribute in names.items()}
                yield other.id, {"operationId": other.id, "parameters": said}

    # --- who may -------------------------------------------------------------------------------------------

    def _security(self) -> dict[str, Any]:
        """Nothing is said where the document's own holds: a token is needed."""
        if for_everybody(self.route):
            return {"security": []}
        return {"security": [{}, {"bearer": []}]} if is_open(self.route) else {}


def operation_id(route: Route, forms: Forms) -> str:
    """``createTodo``; of PUT ``replaceTodo``; an action's name in camel case, with its HTTP verb if it has several."""
    verb = "replace" if (route.verb, route.http) == ("update", "PUT") else route.verb
    first, *others = re.split(r"_+", verb.strip("_"))
    several = (
        route.http.title() if len(route.about.http) > 1 and (route.verb, route.http) not in BODIES else ""
    )
    return first + "".join(map(str.title, others)) + forms.name + several


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with a number from 2 behind it where it is taken."""
    numbered = (f"{name}{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _taken(schema: Schema, describe: Describe) -> dict[str, Any]:
    """The Request Body Object of an action that says what it takes."""
    members = {field.data_key or name: field for name, field in schema.load_fields.items()}
    required = [name for name, field in members.items() if field.required]
    shape = object_of(members, describe, required=required)
    return {"required": bool(required), "content": {JSON_TYPE: {"schema": shape}}}
