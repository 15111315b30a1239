"""Examples: a value that fits a JSON schema of ours, made from the schema."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .field_schemas import JSONSchema

FORMATS: Mapping[str, str] = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00+00:00",
    "decimal": "19.99",
    "email": "alice@example.com",
    "ipv4": "192.0.2.1",  # RFC 5737
    "ipv6": "2001:db8::1",  # RFC 3849
    "time": "12:00:00",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
TEXTS = ("Some text", "text", "1")
"""The first that a pattern lets pass is the example."""
BASE64 = "aGVsbG8="


def example_of(schema: JSONSchema) -> Any:
    """A value that the schema takes. Raises ``LookupError`` where none can be made."""
    for keyword in ("example", "default", "const"):
        if schema.get(keyword) is not None:
            return schema[keyword]
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return example_of(schema[keyword][0])
    if "$ref" in schema:
        raise LookupError(schema["$ref"])
    types = schema.get("type", "object")
    return MAKERS[types if isinstance(types, str) else types[0]](schema)


def _text(schema: JSONSchema) -> str:
    known = BASE64 if schema.get("contentEncoding") == "base64" else FORMATS.get(schema.get("format", ""))
    for text in TEXTS if known is None else (known,):
        fitting = text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(text) + 1000)]
        if re.search(schema.get("pattern", ""), fitting):
            return fitting
    raise LookupError(f"no text for {schema['pattern']}")


def _number(schema: JSONSchema) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return min(max(3, low), schema.get("maximum", max(3, low)))


def _array(schema: JSONSchema) -> list[Any]:
    items = schema.get("items")
    try:
        return [example_of(items)] if items else []
    except LookupError:
        if schema.get("minItems"):
            raise
        return []


def _object(schema: JSONSchema) -> dict[str, Any]:
    properties = schema.get("properties")
    return {"size": 3} if properties is None else {name: example_of(one) for name, one in properties.items()}


MAKERS: Mapping[str, Callable[[JSONSchema], Any]] = {
    "string": _text,
    "number": _number,
    "integer": _number,
    "boolean": lambda _: True,
    "array": _array,
    "object": _object,
    "null": lambda _: None,
}
"""JSON type -> the function that makes a value of it."""
