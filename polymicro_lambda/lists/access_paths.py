"""Access paths: a table and its indexes, with attributes by their names in DynamoDB."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pynamodb.indexes import GlobalSecondaryIndex, Index
from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of, model_info, projected_names


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
    table = [attribute.attr_name for attribute in model_info(model).keys.values()]
    return (
        AccessPath(None, table[0], table[1] if len(table) > 1 else None, frozenset(table)),
        *(_of_index(model, frozenset(table), index) for index in indexes_of(model).values()),
    )


def _of_index(model: type[Model], table: frozenset[str], index: Index[Any]) -> AccessPath:
    attributes = index.Meta.attributes.values()
    partition = next(attribute.attr_name for attribute in attributes if attribute.is_hash_key)
    sort = next((attribute.attr_name for attribute in attributes if attribute.is_range_key), None)
    keys = table | ({partition} if sort is None else {partition, sort})
    certain = {attribute.attr_name for attribute in model.get_attributes().values() if not attribute.null}
    return AccessPath(
        index.Meta.index_name,
        partition,
        sort,
        keys,
        projected_names(model, index),
        is_global=isinstance(index, GlobalSecondaryIndex),
        sparse=sort is not None and sort not in certain,
        optional_partition=partition not in certain,
    )
