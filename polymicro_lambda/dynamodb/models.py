"""What a PynamoDB model declares of its table: keys, version, TTL, kinds, prefixes and indexes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    MapAttribute,
    TTLAttribute,
    VersionAttribute,
)
from pynamodb.constants import ALL
from pynamodb.indexes import Index
from pynamodb.models import Model

from polymicro_lambda.types import RawItem

from .attributes import PrefixedAttribute
from .composed.attribute import composed_keys_of
from .composed.keys import ComposedKey, UnfitPart
from .indexes import indexes_of

SPECIAL = (DiscriminatorAttribute, TTLAttribute, VersionAttribute)
"""Attribute classes that a model has one of at the most, and that are more than a value."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The parts of a model's table: key attributes by Python name, and the attributes of a special class."""

    keys: Mapping[str, Attribute[Any]]
    """Partition key, then sort key."""
    version: Attribute[Any] | None
    ttl: Attribute[Any] | None
    discriminator: DiscriminatorAttribute | None
    kinds: frozenset[Any]
    """The discriminator values of this model and its subclasses; empty where it has none."""
    prefixes: Mapping[str, str]
    """DynamoDB name of a key -> text before its first part, for each ``PrefixedAttribute`` and composed key."""
    lasting: bool = False
    """Whether any item with a key of the model is the model's, and no item expires."""
    has_maps: bool = False
    """Whether an attribute is a map, or holds JSON."""
    composed: Mapping[str, ComposedKey] = field(default_factory=dict)
    """DynamoDB name -> key that is composed of other attributes, of the table or of an index."""
    address: Mapping[str, Attribute[Any]] = field(default_factory=dict)
    """Python name -> attribute, of those by which an item is named: of a composed key the parts."""

    @property
    def has_composed_key(self) -> bool:
        """Whether the table's key is composed."""
        return self.address is not self.keys

    def parts_of(self, name: str) -> str | None:
        """What an attribute is made of, for messages, by its name in Python; None for one that is not composed."""
        return next((one.names for one in self.composed.values() if one.name == name), None)

    def key_of(self, parts: RawItem) -> RawItem:
        """The key of an item of which this much is known. Raises ``UnfitPart`` and ``LookupError``."""
        key: RawItem = {}
        for attribute in self.keys.values():
            place = attribute.attr_name
            composed = self.composed.get(place)
            value = parts[place] if composed is None else composed.value(parts)
            if value is None:
                raise LookupError(place)
            key[place] = value
        return key

    def key_or_none(self, parts: RawItem) -> RawItem | None:
        """The same, None where no key can be composed; parts of a key that is not composed are the key."""
        try:
            return self.key_of(parts) if self.has_composed_key else parts
        except UnfitPart:
            return None

    def known_of(self, key: RawItem) -> RawItem:
        """What the key of an item says of it: the parts of composed keys, too."""
        found: RawItem = {}
        for place, value in key.items():
            composed = self.composed.get(place)
            found |= (
                {place: value}
                if composed is None
                else {place: value, **(composed.stored_parts(value["S"]) or {})}
            )
        return found


@cache
def model_info(model: type[Model]) -> ModelInfo:
    """The model's declarations."""
    attributes = model.get_attributes()
    special = [one for one in attributes.values() if isinstance(one, SPECIAL)]
    keys = {n: a for n, a in attributes.items() if a.is_hash_key} | {
        n: a for n, a in attributes.items() if a.is_range_key
    }
    has_maps = any(isinstance(one, MapAttribute | JSONAttribute) for one in attributes.values())
    composed = composed_keys_of(model)
    address = _address(attributes, keys, composed)
    prefixes = dict(_prefixes(keys.values(), composed))
    if not special and not prefixes:
        return ModelInfo(keys, None, None, None, frozenset(), {}, True, has_maps, composed, address)
    discriminator = _first(special, DiscriminatorAttribute)
    kinds: frozenset[Any] = frozenset()
    if discriminator is not None:
        subclasses = discriminator.get_registered_subclasses(model)
        kinds = frozenset(map(discriminator.get_discriminator, subclasses))
    version, ttl = _first(special, VersionAttribute), _first(special, TTLAttribute)
    lasting = ttl is None and not prefixes and not kinds
    return ModelInfo(keys, version, ttl, discriminator, kinds, prefixes, lasting, has_maps, composed, address)


def _prefixes(
    keys: Iterable[Attribute[Any]], composed: Mapping[str, ComposedKey]
) -> Iterator[tuple[str, str]]:
    for one in keys:
        if isinstance(one, PrefixedAttribute):
            yield one.attr_name, one.prefix
        elif one.attr_name in composed and composed[one.attr_name].literals[0]:
            yield one.attr_name, composed[one.attr_name].literals[0]


def _address(
    attributes: Mapping[str, Attribute[Any]],
    keys: Mapping[str, Attribute[Any]],
    composed: Mapping[str, ComposedKey],
) -> Mapping[str, Attribute[Any]]:
    """The attributes that name an item, each once; the keys themselves where none is composed."""
    if not any(one.attr_name in composed for one in keys.values()):
        return keys
    names: list[str] = []
    for name, one in keys.items():
        key = composed.get(one.attr_name)
        names += [name] if key is None else [part.name for part in key.parts]
    return {name: attributes[name] for name in names}


def _first(attributes: Iterable[Attribute[Any]], kind: type[Any]) -> Any:
    for one in attributes:
        if isinstance(one, kind):
            return one
    return None


@cache
def stored_names(model: type[Model]) -> frozenset[str]:
    """All attributes that an item of the model, or of a kind of it, may have, by DynamoDB's names."""
    kinds = {model}
    if (discriminator := model_info(model).discriminator) is not None:
        kinds.update(discriminator.get_registered_subclasses(model))
    return frozenset(attribute.attr_name for kind in kinds for attribute in kind.get_attributes().values())


def projected_names(model: type[Model], index: Index[Any]) -> frozenset[str] | None:
    """The attributes that the items of an index have, by DynamoDB's names; None for all that there are."""
    projection = index.Meta.projection
    if projection.projection_type == ALL:
        return None
    own = [one for one in index.Meta.attributes.values() if one.is_hash_key or one.is_range_key]
    keys = (attribute.attr_name for attribute in (*model_info(model).keys.values(), *own))
    return frozenset(keys) | frozenset(projection.non_key_attributes or ())


@cache
def has_all_attributes(model: type[Model], index: str | None) -> bool:
    """Whether the items of an index have all that is stored of them; None stands for the table.

    A rule may ask for what the model does not declare: an index of all declared attributes alone has not.
    """
    found = (one for one in indexes_of(model).values() if one.Meta.index_name == index)
    return index is None or any(projected_names(model, one) is None for one in found)
