"""The routes as an OpenAPI 3.1 document."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import fields
from marshmallow.fields import Field

from polymicro_lambda.dispatch import ProblemWording
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import parameter_name

from . import responses
from .field_schemas import JSONSchema, field_schema, key_rules, or_null
from .formats import DocumentedProblems, with_formats
from .operations import DocumentedRoute, operation_id, unique
from .resource_schemas import ResourceSchemas, markdown
from .swagger_ui import TITLE
from .validator_schemas import validator_keywords

__all__ = ["openapi"]

VERSION = "3.1.0"
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token that the authorizer in front of the API accepts.",
}


class Converter(OpenAPIConverter):
    """apispec's converter, which knows our fields too, and numbers that are texts."""

    def field2property(self, field: Field[Any]) -> JSONSchema:
        """The schema of a field: what its class says, then its validators and metadata."""
        schema = field_schema(field, self.field2property)
        if schema is None:
            schema = dict(super().field2property(field))
        else:
            for more in self.field2read_only, self.metadata2properties:
                schema |= more(field, ret=schema)
        schema |= validator_keywords(field, schema)
        schema = key_rules(field, schema) | schema
        return or_null(schema) if field.allow_none else schema

    def field2type_and_format(self, field: Field[Any], **more: Any) -> JSONSchema:
        """The type of a number that goes out as a text is ``string``."""
        found: JSONSchema = super().field2type_and_format(field, **more)
        return {"type": "string"} if isinstance(field, fields.Number) and field.as_string else found

    def _left_out(self, *_: Any, **__: Any) -> JSONSchema:
        return {}

    # `validator_keywords` says more of them: which bounds are exclusive, what the elements of a list are.
    field2choices = field2range = field2length = field2pattern = _left_out


class Plugin(MarshmallowPlugin):
    """apispec's plugin with that converter."""

    Converter = Converter


def openapi(
    routes: Sequence[Route],
    *,
    title: str | None = None,
    version: str = "1.0.0",
    description: str = "",
    problem: ProblemWording | None = None,
) -> dict[str, Any]:
    """The document of compiled routes, JSON-ready.

    ``title``, ``version`` and ``description`` are those of the API, the description in Markdown. ``problem``
    words its errors. The address of the API is that of the document, whatever stands before it in the URL.
    """
    resources = _resources(routes)
    taken = {name for resource in resources for name in resource.names} | set(responses.SCHEMAS)
    plugin = Plugin(schema_name_resolver=partial(_unique_schema_name, taken))
    info = {"description": description} if description else {}
    spec = APISpec(
        title or TITLE,
        version,
        VERSION,
        plugins=(plugin,),
        info=info,
        servers=[{"url": ".", "description": "Where this document is."}],
        security=[{"bearer": []}],
    )
    problems = DocumentedProblems(problem, responses.PROBLEM, responses.ERRORS)
    _add_common_components(spec, problems)
    describe = cast(Converter, plugin.converter).field2property
    components = {name: one for resource in resources for name, one in resource.schemas(describe).items()}
    for name, schema in components.items():
        spec.components.schema(name, schema)
    for resource in resources:
        about = markdown(type(resource.resource).__doc__)
        spec.tag({"name": resource.name, **({"description": about} if about else {})})
    paths = _paths(resources)
    every = [one for operations in paths.values() for one in operations]
    for path, operations in paths.items():
        made = {one.route.http.lower(): one.operation(describe, components, every) for one in operations}
        for one in operations:
            operation = with_formats(made[one.route.http.lower()], one.route)
            said = operation["responses"]
            said |= {status: problems.worded(response, int(status)) for status, response in said.items()}
        spec.path(path, operations=made)
    return without_unused({"openapi": VERSION, **spec.to_dict()})


def without_unused(document: dict[str, Any]) -> dict[str, Any]:
    """The document without schemas that nothing refers to: the app may say other answers than the usual ones."""
    schemas = document["components"]["schemas"]
    used = {*re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))}
    if used.issuperset(schemas):
        return document
    left = {name: one for name, one in schemas.items() if name in used}
    return without_unused({**document, "components": {**document["components"], "schemas": left}})


def _unique_schema_name(taken: set[str], schema: Any) -> str:
    """A name for a schema of the app's own that another one nests."""
    kind = schema if isinstance(schema, type) else type(schema)
    name = unique(kind.__name__.removesuffix("Schema") or "Schema", taken)
    taken.add(name)
    return name


def _add_common_components(spec: APISpec, problems: DocumentedProblems) -> None:
    """Add the components that are the same for every resource."""
    spec.components.security_scheme("bearer", BEARER)
    for name, schema in {**responses.SCHEMAS, "Problem": problems.schema}.items():
        spec.components.schema(name, schema)
    for name, header in responses.HEADERS.items():
        spec.components.header(name, header)
    statuses = {name: status for status, (name, *_) in responses.ERRORS.items()}
    for name, response in responses.components().items():
        spec.components.response(name, problems.worded(response, statuses[name]))


def _resources(routes: Iterable[Route]) -> list[ResourceSchemas]:
    """The routes by resource, each with a name of its own: that of its class, without ``Resource``."""
    own: dict[int, list[Route]] = {}
    for route in routes:
        own.setdefault(id(route.resource), []).append(route)
    resources: dict[str, ResourceSchemas] = {}
    for several in own.values():
        kind = type(several[0].resource).__name__
        name = unique(kind.removesuffix("Resource") or kind, resources)
        resources[name] = ResourceSchemas(name, tuple(several))
    return list(resources.values())


def _paths(resources: Iterable[ResourceSchemas]) -> dict[str, list[DocumentedRoute]]:
    """The operations by path; paths that differ in the names of parameters alone are one (OpenAPI, "Paths Object")."""
    paths: dict[tuple[str, ...], tuple[str, list[DocumentedRoute]]] = {}
    ids: set[str] = set()
    for schemas in resources:
        for route in schemas.routes:
            shape = tuple("{}" if parameter_name(part) else part for part in route.parts)
            path, operations = paths.setdefault(shape, (route.template, []))
            name = unique(operation_id(route, schemas.name), ids)
            ids.add(name)
            operations.append(DocumentedRoute(route, schemas, name, tuple(re.findall(r"\{(.+?)\}", path))))
    return dict(paths.values())
