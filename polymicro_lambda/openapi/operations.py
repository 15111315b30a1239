"""One route as an operation of the document."""

import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.http import JSON_TYPE, MERGE_TYPE
from polymicro_lambda.routing import Route, is_open, is_same_for_all

from .declared_forms import action_body, with_declared
from .examples import example_of
from .field_schemas import Describe, JSONSchema
from .gateway_models import object_with
from .parameters import parameters
from .resource_schemas import ANY, BODY_SUFFIXES, ResourceSchemas, body_example, markdown, page_example
from .responses import lenient_response, responses_of

SUMMARIES: Mapping[tuple[str, str], str] = {
    ("create", "POST"): "Create: {name}",
    ("list", "GET"): "List: {name}",
    ("retrieve", "GET"): "Retrieve: {name}",
    ("update", "PATCH"): "Change: {name}",
    ("update", "PUT"): "Replace: {name}",
    ("delete", "DELETE"): "Delete: {name}",
    ("restore", "POST"): "Bring back: {name}",
}
"""Verb and HTTP verb -> the summary of the mixin's own; a verb of the resource's own has a docstring."""
MEDIA_TYPES: Mapping[str, tuple[str, ...]] = {"PATCH": (JSON_TYPE, MERGE_TYPE)}
"""HTTP verb -> the media types of its body, where that is not JSON alone."""
Components = Mapping[str, JSONSchema]
"""The schemas of all resources, by name."""


@dataclass(frozen=True, slots=True)
class DocumentedRoute:
    """A route, the schemas of its resource, and its names in the document."""

    route: Route
    schemas: ResourceSchemas
    id: str
    names: tuple[str, ...]
    """The parameters of its path, as the document names them."""

    def operation(
        self, describe: Describe, components: Components, others: Iterable["DocumentedRoute"] = ()
    ) -> dict[str, Any]:
        """The Operation Object; ``others`` are all routes of the document."""
        inputs = parameters(self.route, self.names, describe)
        responses = responses_of(self.route, self._response_schema(), self._response_example(components))
        if self.route.takes_many:
            responses["207"] = lenient_response(f"{self.schemas.name}Results")
        if links := dict(self._links(others)):
            responses[str(self.route.about.status)]["links"] = links
        if self.route.form.answers:
            responses = with_declared(self.route, responses, describe)
        return {
            "operationId": self.id,
            "tags": [self.schemas.name],
            **self._summary(),
            **({"parameters": inputs} if inputs else {}),
            **self._request_body(components, describe),
            "responses": responses,
            **self._security(),
        }

    def _summary(self) -> dict[str, str]:
        route = self.route
        of_verbs = {} if route.is_action else SUMMARIES
        http = "PATCH" if route.merges else route.http
        usual = of_verbs.get((route.verb, http), f"{route.verb}: {{name}}").format(name=self.schemas.name)
        doc = "" if route.is_default else markdown(_own_docstring(route))
        summary, _, rest = doc.partition("\n\n")
        line = " ".join(summary.split()) or usual
        return {"summary": line} | ({"description": rest.strip()} if rest.strip() else {})

    # --- the body ------------------------------------------------------------------------------------------

    def _request_body(self, components: Components, describe: Describe) -> dict[str, Any]:
        if not self.route.about.body or self.route.http == "GET":
            return {}
        if self.route.form.body is not None:
            return {"requestBody": action_body(self.route.form.body, describe)}
        if self.route.is_action:
            reads = not self.route.arguments.isdisjoint(("req", "request"))
            return {"requestBody": {"content": {JSON_TYPE: {"schema": ANY}}}} if reads else {}
        name = self.schemas.body_name(self.route)
        media: dict[str, Any] = {
            "schema": self._or_list(self._alone({"$ref": f"#/components/schemas/{name}"}))
        }
        with suppress(LookupError):
            media["example"] = self._alone_example(body_example(self.route, components[name]))
        types = MEDIA_TYPES.get(self.route.http, (JSON_TYPE,))
        return {"requestBody": {"required": True, "content": dict.fromkeys(types, media)}}

    def _alone(self, item: JSONSchema) -> JSONSchema:
        """The schema of a single item, as a body or an answer has it."""
        member = self.route.item_member
        return item if member is None else object_with(member, item)

    def _alone_example(self, item: Any) -> Any:
        return item if self.route.item_member is None else {self.route.item_member: item}

    def _or_list(self, one: JSONSchema) -> JSONSchema:
        """An item, or a list of items where the route takes one."""
        if not self.route.takes_many:
            return one
        most = self.route.resource.max_bulk
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]}

    # --- the answer ----------------------------------------------------------------------------------------

    def _response_schema(self) -> JSONSchema:
        if self.route.is_action or self.route.verb == "delete":
            return ANY
        if self.route.verb == "retrieve":
            return self._alone(self.schemas.shown_item)
        if self.route.verb != "list":
            return self._or_list(self._alone({"$ref": f"#/components/schemas/{self.schemas.name}"}))
        if self.route.list_settings.envelope is not None:
            return {"$ref": f"#/components/schemas/{self.schemas.name}Page"}
        return {"type": "array", "items": self.schemas.shown_item}

    def _response_example(self, components: Components) -> Any:
        """An example of the answer, None where none is known."""
        if self.route.is_action or self.route.verb == "delete" or self.schemas.has_own_form:
            return None
        try:
            item = example_of(components[self.schemas.name])
        except LookupError:
            return None
        if self.route.verb != "list":
            return self._alone_example(item)
        envelope = self.route.list_settings.envelope
        return [item] if envelope is None else page_example(envelope, item)

    def _links(self, others: Iterable["DocumentedRoute"]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The links from the item that a create answers with: operations on this item."""
        shown = () if self.schemas.has_own_form or self.route.verb != "create" else self.route.schema.names
        for other in others:
            names = dict(zip(other.names, other.route.params, strict=True))
            own = other.schemas is self.schemas and other.route.about.detail
            is_another = not (other.route.is_action or other.route.is_restore)
            if own and is_another and set(names.values()) <= set(shown):
                place = "".join(f"/{one}" for one in (self.route.item_member,) if one is not None)
                values = {name: f"$response.body#{place}/{attribute}" for name, attribute in names.items()}
                yield other.id, {"operationId": other.id, "parameters": values}

    # --- who may -------------------------------------------------------------------------------------------

    def _security(self) -> dict[str, Any]:
        """Nothing where a token is needed, as the document demands by itself."""
        if is_same_for_all(self.route):
            return {"security": []}
        return {"security": [{}, {"bearer": []}]} if is_open(self.route) else {}


def _own_docstring(route: Route) -> str:
    """The docstring that the app's own classes give a verb: not that of the mixin which it overrides."""
    for kind in type(route.resource).__mro__:
        said = vars(kind).get(route.verb)
        if said is not None and kind.__module__.partition(".")[0] != "polymicro_lambda" and said.__doc__:
            return inspect.cleandoc(said.__doc__)
    return ""


def operation_id(route: Route, name: str) -> str:
    """``createTodo``; of PUT ``replaceTodo``; an action's name in camel case, with its HTTP verb if it has several."""
    verb = "replace" if (route.verb, route.http) == ("update", "PUT") else route.verb
    first, *others = re.split(r"_+", verb.strip("_"))
    several = (
        route.http.title()
        if len(route.about.http) > 1 and (route.verb, route.http) not in BODY_SUFFIXES
        else ""
    )
    return first + "".join(map(str.title, others)) + name + several


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with a number from 2 behind it where it is taken."""
    numbered = (f"{name}{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)
