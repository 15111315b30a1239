"""What a PynamoDB model declares of its table: keys, version, TTL, kinds, prefixes and indexes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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

from .attributes import PrefixedAttribute

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
    """DynamoDB name of a key -> prefix, for each ``PrefixedAttribute``."""
    lasting: bool = False
    """Whether any item with a key of the model is the model's, and no item expires."""
    has_maps: bool = False
    """Whether an attribute is a map, or holds JSON."""


@cache
def model_info(model: type[Model]) -> ModelInfo:
    """The model's declarations."""
    attributes = model.get_attributes()
    special = [one for one in attributes.values() if isinstance(one, SPECIAL)]
    keys = {n: a for n, a in attributes.items() if a.is_hash_key} | {
        n: a for n, a in attributes.items() if a.is_range_key
    }
    has_maps = any(isinstance(one, MapAttribute | JSONAttribute) for one in attributes.values())
    if not special and not any(isinstance(one, PrefixedAttribute) for one in keys.values()):
        return ModelInfo(keys, None, None, None, frozenset(), {}, lasting=True, has_maps=has_maps)
    discriminator = _first(special, DiscriminatorAttribute)
    kinds: frozenset[Any] = frozenset()
    if discriminator is not None:
        subclasses = discriminator.get_registered_subclasses(model)
        kinds = frozenset(map(discriminator.get_discriminator, subclasses))
    prefixes = {a.attr_name: a.prefix for a in keys.values() if isinstance(a, PrefixedAttribute)}
    version, ttl = _first(special, VersionAttribute), _first(special, TTLAttribute)
    lasting = ttl is None and not prefixes and not kinds
    return ModelInfo(keys, version, ttl, discriminator, kinds, prefixes, lasting, has_maps)


def _first(attributes: Iterable[Attribute[Any]], kind: type[Any]) -> Any:
    for one in attributes:
        if isinstance(one, kind):
            return one
    return None


_PYNAMODB_CLASSES = frozenset(Model.__mro__)


@cache
def indexes_of(model: type[Model]) -> Mapping[str, Index[Any]]:
    """Python name -> index of a model, inherited ones too, in the order of the names."""
    namespaces = [vars(cls) for cls in model.__mro__ if cls not in _PYNAMODB_CLASSES]
    names = {name for members in namespaces for name, one in members.items() if isinstance(one, Index)}
    if not names:
        return {}
    found = {name: getattr(model, name) for name in sorted(names)}
    return {name: one for name, one in found.items() if isinstance(one, Index)}


def model_of_index(index: Index[Any]) -> type[Model]:
    """The model that the index belongs to."""
    model: type[Model] = index._model
    return model


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
