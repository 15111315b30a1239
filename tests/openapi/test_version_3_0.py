"""OpenAPI 3.0.3, made of the document of 3.1."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import second_app
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV30SpecValidator

from handlers import todo
from polymicro_lambda import PolyMicro
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.openapi import as_version_3_0, openapi

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> PolyMicro:
    sys.path.insert(0, str(EXAMPLES / name))
    try:
        app = __import__(f"{name}.app").app
    finally:
        sys.path.pop(0)
    found: PolyMicro = app.pm
    return found


def schemas(value: Any) -> Iterator[Any]:
    """All that may be a schema: objects with a type, a reference or a choice."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas(inner)


@pytest.mark.parametrize("name", ["todo", "second app", "tracker", "shop", "conduit"])
def test_it_is_valid(name: str) -> None:
    apps = {"todo": lambda: todo.pm, "second app": lambda: second_app.pm}
    app = apps[name]() if name in apps else example(name)
    if not app.routes:
        app.compile()
    document, lost = as_version_3_0(openapi(app.routes, title=name))
    assert (document["openapi"], lost) == ("3.0.3", [])
    json.dumps(document)
    OpenAPIV30SpecValidator(document).validate()  # type: ignore[no-untyped-call,unused-ignore]
    assert not any(
        isinstance(one.get("type"), list) or "const" in one for one in schemas(document["components"])
    )


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"type": ["array", "null", "string"]},
            {"nullable": True, "anyOf": [{"type": "array", "items": {}}, {"type": "string"}]},
        ),
        (
            {"type": ["string", "null"], "enum": ["a"]},
            {"type": "string", "nullable": True, "enum": ["a", None]},
        ),
        ({"type": "null"}, {"nullable": True, "enum": [None]}),
        ({"const": 1}, {"enum": [1]}),
        ({"exclusiveMinimum": 1, "maximum": 5}, {"minimum": 1, "exclusiveMinimum": True, "maximum": 5}),
        ({"exclusiveMinimum": -5, "minimum": 0, "default": 0}, {"minimum": 0, "default": 0}),
        ({"minimum": 0, "exclusiveMinimum": -5}, {"minimum": 0}),
        ({"minimum": 0, "exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 0, "maximum": 0}, {"maximum": 0, "exclusiveMaximum": True}),
        ({"exclusiveMaximum": 9, "maximum": 5}, {"maximum": 5}),
        ({"exclusiveMaximum": 1}, {"maximum": 1, "exclusiveMaximum": True}),
        ({"$ref": "#/a", "description": "b"}, {"allOf": [{"$ref": "#/a"}], "description": "b"}),
        ({"$ref": "#/a"}, {"$ref": "#/a"}),
        ({"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}, {"nullable": True, "allOf": [{"$ref": "#/a"}]}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"nullable": True, "type": "string"}),
        (
            {"oneOf": [{"type": "string"}, {"const": 1}]},
            {"oneOf": [{"type": "string"}, {"enum": [1]}]},
        ),
        ({"examples": ["a", "b"]}, {"example": "a"}),
        ({"type": "string", "contentEncoding": "base64"}, {"type": "string", "format": "byte"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"items": True}, {"items": {}}),
        (
            {"additionalProperties": {"type": ["string", "null"]}},
            {"additionalProperties": {"type": "string", "nullable": True}},
        ),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        ({"not": False}, {"not": {"not": {}}}),
        ({"x-own": 1, "$comment": "c"}, {"x-own": 1}),
    ],
)
def test_a_schema(schema: Any, expected: Any) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1", "summary": "s"},
        "components": {"schemas": {"A": schema}},
    }
    made, lost = as_version_3_0(document)
    assert (made["components"]["schemas"]["A"], made["info"], lost) == (
        expected,
        {"title": "t", "version": "1"},
        [],
    )


def test_what_it_cannot_say_is_told() -> None:
    schema = {"type": "object", "propertyNames": {"maxLength": 3}, "prefixItems": [], "patternProperties": {}}
    document = {"openapi": "3.1.0", "info": {}, "paths": {"/": {"get": {"parameters": [{"schema": schema}]}}}}
    made, lost = as_version_3_0(document)
    assert made["paths"]["/"]["get"]["parameters"] == [{"schema": {"type": "object"}}]
    assert lost == ["patternProperties", "prefixItems", "propertyNames"]


def test_examples_stay_as_they_are() -> None:
    body = {
        "schema": {},
        "example": {"const": 1, "schema": {"const": 2}},
        "examples": {"a": {"value": {"const": 1}}},
    }
    made, _ = as_version_3_0({"info": {}, "paths": {"x": {"application/json": body}}})
    assert made["paths"]["x"]["application/json"] == body


def test_the_command() -> None:
    result = CliRunner().invoke(polymicro, ["openapi", "--openapi", "3.0", "--app", "handlers.todo:pm"])
    assert json.loads(result.stdout)["openapi"] == "3.0.3"
    refused = CliRunner().invoke(polymicro, ["openapi", "--openapi", "2.0", "--app", "handlers.todo:pm"])
    assert refused.exit_code == 2
