"""An OpenAPI 3.1 document as OpenAPI 3.0.3, which AWS's own import and older tools read.

3.1 takes JSON Schema as it is; 3.0 has a dialect of its own (OpenAPI 3.0.3, "Schema Object"). What it has no word for
is left out, and told: the document then lets through more, and never refuses more.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

_Rule: TypeAlias = Callable[[dict[str, Any], Any, set[str]], None]
"""Puts a keyword's value into the schema that is made; what cannot be said goes into the set."""
VERSION_3_0 = "3.0.3"
_KEPT = frozenset(
    {
        *(
            "title",
            "multipleOf",
            "maxLength",
            "minLength",
            "pattern",
            "maxItems",
            "minItems",
        ),
        *(
            "uniqueItems",
            "maxProperties",
            "minProperties",
            "required",
            "enum",
            "format",
            "default",
            "description",
        ),
        *(
            "discriminator",
            "readOnly",
            "writeOnly",
            "xml",
            "externalDocs",
            "example",
            "deprecated",
            "nullable",
        ),
    }
)
"""Keywords that mean the same in both."""
_UNTOLD = frozenset({"$comment", "$schema", "$id", "examples", "contentMediaType"})
"""Keywords that refuse nothing: they go without a word."""
_ANY: Mapping[str, Any] = {}


def as_version_3_0(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The document in 3.0.3, and the keywords of schemas that it cannot say, in order."""
    lost: set[str] = set()
    made = _converted(document, lost)
    for name in ("jsonSchemaDialect", "webhooks"):
        made.pop(name, None)
    made["info"] = {name: one for name, one in made["info"].items() if name != "summary"}
    return {**made, "openapi": VERSION_3_0}, sorted(lost)


def _converted(value: Any, lost: set[str]) -> Any:
    """A part of the document that is no schema; the schemas in it are converted."""
    if isinstance(value, list):
        return [_converted(one, lost) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:  # all beside it is ignored (3.0.3, "Reference Object")
        return {"$ref": value["$ref"]}
    return {name: _member(name, one, lost) for name, one in value.items()}


def _member(name: str, value: Any, lost: set[str]) -> Any:
    if name == "schema":
        return _schema(value, lost)
    if name == "schemas":
        return {key: _schema(one, lost) for key, one in value.items()}
    return value if name in ("example", "examples") else _converted(value, lost)


def _schema(schema: Any, lost: set[str]) -> Any:
    """A schema in the dialect of 3.0."""
    if isinstance(schema, bool):
        return dict(_ANY) if schema else {"not": {}}
    if "$ref" in schema:
        beside = {name: one for name, one in schema.items() if name != "$ref"}
        reference = {"$ref": schema["$ref"]}
        return {"allOf": [reference], **_schema(beside, lost)} if beside else reference
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _RULES:
            _RULES[name](made, value, lost)
        elif name in _KEPT or name.startswith("x-"):
            made[name] = value
        elif name not in _UNTOLD:
            lost.add(name)
    if schema.get("examples"):
        made.setdefault("example", schema["examples"][0])
    return _whole(made)


def _whole(made: dict[str, Any]) -> dict[str, Any]:
    """A schema with what 3.0 demands besides: items of an array, null among the values of what may be null."""
    if made.get("type") == "array":
        made.setdefault("items", {})
    if made.get("nullable") and "enum" in made and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made


def _type(made: dict[str, Any], value: Any, _: set[str]) -> None:
    names = [value] if isinstance(value, str) else list(value)
    kinds = [name for name in names if name != "null"]
    if len(kinds) < len(names):
        made["nullable"] = True
    if len(kinds) == 1:
        made["type"] = kinds[0]
    elif len(kinds) > 1:
        made["anyOf"] = [{"type": name, **({"items": {}} if name == "array" else {})} for name in kinds]
    else:
        made["enum"] = [None]


def _bound(edge: str, exclusive: str, inner: Callable[[Any, Any], Any]) -> _Rule:
    """The rule for an exclusive bound; ``inner`` gives of two bounds the one that lets through less."""

    def convert(made: dict[str, Any], value: Any, _: set[str]) -> None:
        if edge not in made or inner(made[edge], value) == value:
            made[edge], made[exclusive] = value, True

    return convert


def _plain_bound(edge: str, exclusive: str, inner: Callable[[Any, Any], Any]) -> _Rule:
    def convert(made: dict[str, Any], value: Any, _: set[str]) -> None:
        if edge not in made or inner(made[edge], value) != made[edge]:
            made[edge] = value
            made.pop(exclusive, None)

    return convert


def _const(made: dict[str, Any], value: Any, _: set[str]) -> None:
    made["enum"] = [value]


def _encoding(made: dict[str, Any], value: Any, lost: set[str]) -> None:
    if value == "base64":
        made["format"] = "byte"
    else:
        lost.add("contentEncoding")


def _choice(name: str) -> _Rule:
    def convert(made: dict[str, Any], value: Any, lost: set[str]) -> None:
        others = [one for one in value if one != {"type": "null"}]
        if len(others) < len(value):
            made["nullable"] = True
        schemas = [_schema(one, lost) for one in others]
        if len(schemas) == 1 and len(others) < len(value) and "$ref" not in schemas[0]:
            made |= {key: one for key, one in schemas[0].items() if key not in made}
        elif len(schemas) == 1:
            made["allOf"] = schemas
        elif schemas:
            made[name] = schemas

    return convert


def _inner(name: str) -> _Rule:
    def convert(made: dict[str, Any], value: Any, lost: set[str]) -> None:
        made[name] = _schema(value, lost)

    return convert


def _properties(made: dict[str, Any], value: Any, lost: set[str]) -> None:
    made["properties"] = {name: _schema(one, lost) for name, one in value.items()}


def _additional(made: dict[str, Any], value: Any, lost: set[str]) -> None:
    made["additionalProperties"] = value if isinstance(value, bool) else _schema(value, lost)


_RULES: Mapping[str, _Rule] = {
    "type": _type,
    "const": _const,
    "minimum": _plain_bound("minimum", "exclusiveMinimum", max),
    "maximum": _plain_bound("maximum", "exclusiveMaximum", min),
    "exclusiveMinimum": _bound("minimum", "exclusiveMinimum", max),
    "exclusiveMaximum": _bound("maximum", "exclusiveMaximum", min),
    "contentEncoding": _encoding,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _inner("items"),
    "not": _inner("not"),
    "allOf": lambda made, value, lost: made.update(allOf=[_schema(one, lost) for one in value]),
    "anyOf": _choice("anyOf"),
    "oneOf": _choice("oneOf"),
}
"""Keyword of 3.1 -> what says the same in 3.0."""
