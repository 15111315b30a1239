"""Keys that no new item may have: its path would lead to another route, or nowhere.

An item of ``/notes/{id}`` whose key is ``count`` cannot be read where ``/notes/count`` is a route: the router takes a
literal segment before a parameter.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.items import serialized
from polymicro_lambda.schemas import ItemPath, ItemSchema, parameter_name
from polymicro_lambda.types import RawItem

from .routes import Route

_NO_SEGMENTS = ("", ".", "..")
"""Segments that are none, or that a URL does not keep (RFC 3986, section 5.2.4)."""


def reserved_keys(model: type[Model], routes: Sequence[Route]) -> tuple[RawItem, ...]:
    """The values of attributes, as DynamoDB stores them, that no item of the model can have together.

    Whoever creates the item: each resource of the model shows it.
    """
    items = {
        one.resource.item.template: one.resource.item
        for one in routes
        if one.model is model and one.resource.item
    }
    found = (stored for item in items.values() for stored in _reserved(item, routes))
    return tuple({repr(sorted(stored.items())): stored for stored in found}.values())


def _reserved(item: ItemPath, routes: Sequence[Route]) -> Iterator[RawItem]:
    size = len(item.template)
    own = {route.parts for route in routes if route.parts[:size] == item.template}
    if own:
        yield from _dots(item)
    for parts in own:
        for other in routes:
            stored = _stored(item.schema, _pins(parts, other.parts))
            if stored:
                yield stored


def _pins(parts: Sequence[str], other: Sequence[str]) -> Mapping[str, str]:
    """The texts of parameters with which a path of ``parts`` is one of ``other``, which goes first; empty if none."""
    pins: dict[str, str] = {}
    if len(parts) != len(other):
        return pins
    for ours, theirs in zip(parts, other, strict=True):
        mine, another = parameter_name(ours), parameter_name(theirs)
        if mine is None and ours != theirs and (another is None or not pins):
            return {}
        if mine is not None and another is None:
            pins[mine] = theirs
    return pins


def _stored(schema: ItemSchema, pins: Mapping[str, str]) -> RawItem | None:
    """These segments as stored values, None where no item has such a path."""
    found: dict[str, Any] = {}
    for name, text in pins.items():
        if name not in schema.keys:
            return None  # a part of the route that is no attribute
        try:
            value = schema.parse_key(name, text)
        except ValueError:
            return None
        if schema.key_text(name, value) != text:
            return None
        attribute = schema.attributes[name]
        found[attribute.attr_name] = serialized(attribute, value)
    return found


def _dots(item: ItemPath) -> Iterator[RawItem]:
    for part in item.template:
        attribute = item.schema.attributes.get(parameter_name(part) or "")
        if isinstance(attribute, UnicodeAttribute):
            for text in _NO_SEGMENTS:
                yield {attribute.attr_name: {"S": attribute.serialize(text)}}
