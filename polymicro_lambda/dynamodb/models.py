"""What a PynamoDB model declares of its table: keys, version, TTL, kinds, prefixes and indexes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pynamodb.attributes import Attribute, DiscriminatorAttribute, TTLAttribute, VersionAttribute
from pynamodb.indexes import Index
from pynamodb.models import Model

from .attributes import PrefixedAttribute

MEANING = (DiscriminatorAttribute, TTLAttribute, VersionAttribute)
"""What a model has one of at the most, and is more than a value."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model's table is made of: key attributes by Python name, and the attributes with a meaning."""

    keys: Mapping[str, Attribute[Any]]
    """Partition key, then sort key."""
    version: Attribute[Any] | None
    ttl: Attribute[Any] | None
    discriminator: DiscriminatorAttribute | None
    kinds: frozenset[Any]
    """The discriminator values of this model and its subclasses; empty where it has none."""
    prefixes: Mapping[str, str]
    """DynamoDB name -> what a key of the table begins with, where models share it."""
    lasting: bool = False
    """Any item with a key of the model's is one of the model, and none expires."""


@cache
def model_info(model: type[Model]) -> ModelInfo:
    """What the model declares."""
    attributes = model.get_attributes()
    marked = [one for one in attributes.values() if isinstance(one, MEANING)]
    keys = {n: a for n, a in attributes.items() if a.is_hash_key} | {
        n: a for n, a in attributes.items() if a.is_range_key
    }
    if not marked and not any(isinstance(one, PrefixedAttribute) for one in keys.values()):
        return ModelInfo(keys, None, None, None, frozenset(), {}, lasting=True)
    discriminator = _only(marked, DiscriminatorAttribute)
    kinds: frozenset[Any] = frozenset()
    if discriminator is not None:
        subclasses = discriminator.get_registered_subclasses(model)
        kinds = frozenset(map(discriminator.get_discriminator, subclasses))
    prefixes = {a.attr_name: a.prefix for a in keys.values() if isinstance(a, PrefixedAttribute)}
    version, ttl = _only(marked, VersionAttribute), _only(marked, TTLAttribute)
    lasting = ttl is None and not prefixes and not kinds
    return ModelInfo(keys, version, ttl, discriminator, kinds, prefixes, lasting)


def _only(attributes: Iterable[Attribute[Any]], kind: type[Any]) -> Any:
    for one in attributes:
        if isinstance(one, kind):
            return one
    return None


_THEIRS = frozenset(Model.__mro__)


@cache
def indexes_of(model: type[Model]) -> Mapping[str, Index[Any]]:
    """Name in the source -> index of a model, inherited ones too, in the order of the names."""
    own = [vars(cls) for cls in model.__mro__ if cls not in _THEIRS]
    found = {name for said in own for name, one in said.items() if isinstance(one, Index)}
    if not found:
        return {}
    members = {name: getattr(model, name) for name in sorted(found)}
    return {name: one for name, one in members.items() if isinstance(one, Index)}
