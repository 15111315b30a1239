"""What an app's paths ask of items: no path may lead to another route, or nowhere.

An item of ``/notes/{id}`` whose key is ``count`` cannot be read where ``/notes/count`` is a route: the router takes a
literal segment before a parameter.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from pynamodb.attributes import UnicodeAttribute
from pynamodb.constants import BINARY, STRING
from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.items import serialized
from polymicro_lambda.routing.routes import Route
from polymicro_lambda.schemas import HASH_BYTES, ItemPath, ItemSchema, KeyRule, address_rules, parameter_name
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import Addresses, PathText, PynamoStore

_NO_SEGMENTS = ("", ".", "..")
"""An empty segment is none, and a URL does not keep the others (RFC 3986, section 5.2.4)."""


def addresses_of(
    model: type[Model], routes: Sequence[Route], others: Iterable[Sequence[str]] = ()
) -> Addresses:
    """What the paths of the items of a model ask of their values, whoever writes them: each resource shows them.

    ``others`` are paths that are no routes, and go before those with parameters.
    """
    paths = [*(one.parts for one in routes), *others]
    of_model = [one for one in routes if one.model is model and one.resource.item is not None]
    own = {one.parts: one for one in of_model if one.parts[: len(_template(one))] == _template(one)}
    taken = [stored for one in own.values() for stored in _taken(_item(one).schema, one.parts, paths)]
    texts = {text.name: text for one in own.values() for text in _texts(one)}
    distinct = {repr(sorted(stored.items())): stored for stored in taken}
    return Addresses(tuple(distinct.values()), tuple(texts.values()))


def reserve_paths(routes: Sequence[Route], paths: Iterable[Sequence[str]]) -> None:
    """Let no new item have a path that is another route's, or one of ``paths``, which are no route's."""
    for route in routes:
        if has_table(route.model):
            store = cast("PynamoStore", route.resource.store)  # compilation has set it
            store.find_addresses = partial(addresses_of, route.model, routes, paths)


def _item(route: Route) -> ItemPath:
    return cast("ItemPath", route.resource.item)


def _template(route: Route) -> tuple[str, ...]:
    return _item(route).template


def _taken(schema: ItemSchema, parts: Sequence[str], paths: Iterable[Sequence[str]]) -> Iterator[RawItem]:
    for other in paths:
        stored = _stored(schema, _pins(parts, other))
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


def _texts(route: Route) -> Iterator[PathText]:
    """The attributes whose text or binary is a segment of the path of the route's items."""
    rules = address_rules(route.model, route.resource.lookup)
    for part in _template(route):
        name = parameter_name(part) or ""
        attribute = _item(route).schema.attributes.get(name)
        if attribute is not None and attribute.attr_type in (STRING, BINARY):
            texts = _NO_SEGMENTS if isinstance(attribute, UnicodeAttribute) else ()
            rule = rules.get(name) or KeyRule(attribute, HASH_BYTES, address=True)
            yield PathText(name, rule, frozenset(["", b"", *map(attribute.serialize, texts)]))
