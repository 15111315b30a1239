"""Access paths: a table and its indexes, with attributes by their names in DynamoDB."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import takewhile
from typing import Any

from pynamodb.indexes import GlobalSecondaryIndex, Index
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ComposedKey, indexes_of, model_info, projected_names


@dataclass(frozen=True)
class AccessPath:
    """A table or one of its indexes."""

    index: str | None
    """The index's name, None for the table."""
    partition: str
    sort: str | None
    keys: frozenset[str]
    """The attributes in a cursor: its own keys and the table's."""
    projected: frozenset[str] | None = None
    """The attributes that its items have, None for all."""
    is_global: bool = False
    sparse: bool = False
    """Whether items may be without its sort key: the index lacks these."""
    optional_partition: bool = False
    """Whether items may be without its partition key: the same."""
    composed: Mapping[str, ComposedKey] = field(default_factory=dict, compare=False, repr=False)
    """DynamoDB name -> composed key, of its keys."""

    def parts_of(self, key: str | None) -> tuple[str, ...]:
        """The attributes that say one of its keys: of a composed one the parts, in order."""
        if key is None:
            return ()
        composed = self.composed.get(key)
        return (key,) if composed is None else tuple(part.place for part in composed.parts)

    def orders(self, bound: Collection[str] | None) -> Iterator[str]:
        """The attributes by which its items are sorted, where some of these are bound to one value; None is any."""
        composed = self.composed.get(self.sort or "")
        if self.sort is not None and composed is None:
            yield self.sort
        for part in () if composed is None else composed.parts:
            if part.orders_keys:
                yield part.place
            if bound is not None and part.place not in bound:
                return

    def unbound_for(self, sort: str | None, bound: Collection[str]) -> tuple[str, ...]:
        """The attributes that are to be bound besides these for its partition, and for an order by this part of it."""
        parts = self.parts_of(self.sort)
        before = takewhile(lambda one: one != sort, parts) if sort in parts else ()
        return tuple(one for one in (*self.parts_of(self.partition), *before) if one not in bound)

    def lacked_of(self, key: str | None, *, may_lack: bool) -> tuple[str, ...]:
        """Those of them that items may be without, and so be without that key."""
        if key is None or not may_lack:
            return ()
        composed = self.composed.get(key)
        return (key,) if composed is None else tuple(p.place for p in composed.parts if p.attribute.null)

    @property
    def lacked_in_sort(self) -> tuple[str, ...]:
        """The attributes without which items lack its sort key."""
        return self.lacked_of(self.sort, may_lack=self.sparse)

    @property
    def lacked_in_partition(self) -> tuple[str, ...]:
        """The attributes without which items lack its partition key."""
        return self.lacked_of(self.partition, may_lack=self.optional_partition)

    @cached_property
    def own(self) -> frozenset[str]:
        """Its key attributes, which no filter expression may name."""
        return frozenset({self.partition} if self.sort is None else {self.partition, self.sort})

    def has(self, attributes: Iterable[str]) -> bool:
        """Whether its items have these attributes."""
        return self.projected is None or self.projected.issuperset(attributes)


@cache
def access_paths_of(model: type[Model]) -> tuple[AccessPath, ...]:
    """The model's table, then its indexes in the order of their attributes' names."""
    about = model_info(model)
    table = [attribute.attr_name for attribute in about.keys.values()]
    composed = {name: about.composed[name] for name in table if name in about.composed}
    return (
        AccessPath(None, table[0], table[1] if len(table) > 1 else None, frozenset(table), composed=composed),
        *(_of_index(model, frozenset(table), index) for index in indexes_of(model).values()),
    )


def _of_index(model: type[Model], table: frozenset[str], index: Index[Any]) -> AccessPath:
    attributes = index.Meta.attributes.values()
    partition = next(attribute.attr_name for attribute in attributes if attribute.is_hash_key)
    sort = next((attribute.attr_name for attribute in attributes if attribute.is_range_key), None)
    keys = table | ({partition} if sort is None else {partition, sort})
    certain = {attribute.attr_name for attribute in model.get_attributes().values() if not attribute.null}
    composed = {name: one for name, one in model_info(model).composed.items() if name in keys}
    certain |= {name for name, one in composed.items() if one.is_certain}
    return AccessPath(
        index.Meta.index_name,
        partition,
        sort,
        keys,
        projected_names(model, index),
        is_global=isinstance(index, GlobalSecondaryIndex),
        sparse=sort is not None and sort not in certain,
        optional_partition=partition not in certain,
        composed={name: one for name, one in composed.items() if name in (partition, sort)},
    )
