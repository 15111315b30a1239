"""Items as DynamoDB stores them, and what a model says of its own: its keys, version, TTL and kinds."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pynamodb.attributes import Attribute, DiscriminatorAttribute, TTLAttribute, VersionAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from .indexes import origin
from .prefixed import PrefixedAttribute
from .types import RawItem

RAW = "_polymicro_raw"
MEANING = (DiscriminatorAttribute, TTLAttribute, VersionAttribute)
"""What a model has one of at the most, and is more than a value."""


@dataclass(frozen=True, slots=True)
class Declared:
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
def declared(model: type[Model]) -> Declared:
    """What the model declares."""
    first = origin(model)
    if first is not model and declared(first).discriminator is None:
        return declared(first)
    attributes = model.get_attributes()
    marked = [one for one in attributes.values() if isinstance(one, MEANING)]
    keys = {n: a for n, a in attributes.items() if a.is_hash_key} | {
        n: a for n, a in attributes.items() if a.is_range_key
    }
    if not marked and not any(isinstance(one, PrefixedAttribute) for one in keys.values()):
        return Declared(keys, None, None, None, frozenset(), {}, lasting=True)
    discriminator = _only(marked, DiscriminatorAttribute)
    kinds: frozenset[Any] = frozenset()
    if discriminator is not None:
        subclasses = discriminator.get_registered_subclasses(model)
        kinds = frozenset(map(discriminator.get_discriminator, subclasses))
    prefixes = {a.attr_name: a.prefix for a in keys.values() if isinstance(a, PrefixedAttribute)}
    version, ttl = _only(marked, VersionAttribute), _only(marked, TTLAttribute)
    lasting = ttl is None and not prefixes and not kinds
    return Declared(keys, version, ttl, discriminator, kinds, prefixes, lasting)


def _only(attributes: Iterable[Attribute[Any]], kind: type[Any]) -> Any:
    for one in attributes:
        if isinstance(one, kind):
            return one
    return None


def serialized(attribute: Attribute[Any], value: Any) -> dict[str, Any] | None:
    """A value as DynamoDB stores it, None where it is stored as absence (None, an empty set)."""
    raw = None if value is None else attribute.serialize(value)
    return None if raw is None else {attribute.attr_type: raw}


def is_live(model: type[Model], raw: RawItem) -> bool:
    """Whether an item is of the model's kind and has not expired.

    DynamoDB removes expired items only within days (AWS: "typically within a few days"): until then they count
    as gone.
    """
    about = declared(model)
    if about.lasting:
        return True
    if about.kinds and (about.discriminator is not None):
        value = raw.get(about.discriminator.attr_name, {}).get(about.discriminator.attr_type)
        if value not in about.kinds:
            return False
    if not all(raw.get(name, {}).get("S", "").startswith(said) for name, said in about.prefixes.items()):
        return False
    expires = raw.get(about.ttl.attr_name, {}).get("N") if about.ttl is not None else None
    return expires is None or float(expires) > int(time.time())


def live(model: type[Model]) -> list[Condition]:
    """The conditions under which `is_live` is true of an item with a key of the model's, for DynamoDB to check."""
    about = declared(model)
    if about.lasting:
        return []
    conditions: list[Condition] = [~condition for condition in expired(model)]
    if about.kinds and about.discriminator is not None:
        values = [Value({about.discriminator.attr_type: kind}) for kind in sorted(about.kinds)]
        conditions.append(Path([about.discriminator.attr_name]).is_in(*values))
    return conditions


def apart(model: type[Model]) -> list[Condition]:
    """The conditions that keep the model's keys apart from those of other kinds in the same table."""
    return [Path([name]).startswith(said) for name, said in declared(model).prefixes.items()]


def expired(model: type[Model]) -> list[Condition]:
    """The condition under which an item has expired, none where the model has no TTL attribute."""
    ttl = declared(model).ttl
    return [] if ttl is None else [Path([ttl.attr_name]) <= Value({"N": str(int(time.time()))})]


def remember(instance: Model, raw: RawItem) -> None:
    """Keep the stored item with the instance that was made from it."""
    vars(instance)[RAW] = raw


def stored(instance: Model) -> RawItem | None:
    """The item that the instance was made from, None if it was not read."""
    raw: RawItem | None = vars(instance).get(RAW)
    return raw


class Recording(dict[str, Any]):
    """Attribute values that note which of them are read."""

    def __init__(self, values: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(values)
        self.read = read

    def get(self, key: str, default: Any = None) -> Any:
        """One value; its name is noted."""
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self.read.update(dict.keys(self))
        return super().__iter__()

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def keys(self) -> Any:
        """All names, which are noted."""
        self.read.update(dict.keys(self))
        return super().keys()

    def values(self) -> Any:
        """All values; all names are noted."""
        self.read.update(dict.keys(self))
        return super().values()

    def items(self) -> Any:
        """All values; all names are noted."""
        self.read.update(dict.keys(self))
        return super().items()
