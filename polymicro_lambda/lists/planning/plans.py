"""The cheapest plan for a list: table, LSI or GSI, its key condition, and the conditions that remain.

The plan follows from conditions alone: those of the route, of the rule and of the filters. Nothing here calls DynamoDB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.rules import attributes_of, equality_of, holds
from polymicro_lambda.schemas import HASH_BYTES, RANGE_BYTES, is_key
from polymicro_lambda.types import RawItem

from .access_paths import AccessPath
from .composed_keys import PathQuery, query_of_path
from .key_conditions import (
    KeyValue,
    SortKeyCondition,
    conjuncts,
    distinct_keys,
    is_implied,
    listed_keys,
    with_one_value,
)
from .refused_lists import no_access_path


@dataclass(slots=True)
class Plan:
    """How a list is read."""

    path: AccessPath
    partition: KeyValue | None
    """The partition key's value as DynamoDB stores it; None for a scan, and for several values."""
    key_condition: Condition | None = None
    """The condition on the sort key."""
    filters: tuple[Condition, ...] = ()
    """The conditions that DynamoDB checks after reading an item."""
    checks: tuple[Condition, ...] = ()
    """The conditions that Python checks: DynamoDB takes no filter on key attributes, nor on those an index lacks."""
    forward: bool = True
    passed_over: tuple[AccessPath, ...] = ()
    """The indexes that would serve the list if they did not lack items of it."""
    completes: bool = False
    """The index lacks attributes: the items are read again from the table, by their keys."""
    empty: bool = False
    """The conditions exclude one another: nothing has to be read."""
    projection: frozenset[str] | None = None
    """The attributes to read, None for all."""
    certain: bool = False
    """The partition is the whole rule: it holds on every item that is read."""
    keys: tuple[RawItem, ...] | None = None
    """The keys of all items to read, each once; None where there is a query or a scan."""
    partitions: tuple[KeyValue, ...] = ()
    """Several values of the partition key, in the order in which they are read: there is a query for each."""
    in_turn: bool = False
    """The items come partition after partition; else merged in the order of the sort key."""

    @property
    def is_scan(self) -> bool:
        """Whether all of the table is read."""
        return self.partition is None and not self.partitions and self.keys is None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list that is asked for: its conditions, order and attributes, by their names in DynamoDB."""

    conditions: Sequence[Condition]
    needed: frozenset[str] = frozenset()
    """The attributes that rule and answer need."""
    projects: bool = False
    """Whether to read only these attributes."""
    sort: str | None = None
    forward: bool = True
    scan: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    """DynamoDB name -> Python name, for messages."""
    filterable: frozenset[str] | None = None
    """The attributes that a filter can bind to one value, for messages; None for all."""
    told: frozenset[str] | None = None
    """The attributes that every user may know of, for messages; None for all."""
    request_filters: Sequence[Condition] = ()
    """The conditions from the request's own filters: an ``in`` on the key among them names each item."""
    kind_conditions: Sequence[Condition] = ()
    """Conditions that exclude the table's items of other kinds, and none of the list's own."""


def plan_list(paths: Sequence[AccessPath], query: ListQuery) -> Plan:
    """The cheapest plan. Raises ``BadRequest``, naming what is missing, where no access path serves the list."""
    parts = [part for one in (*query.conditions, *query.kind_conditions) for part in conjuncts(one)]
    if (named := _batch_filter(paths[0], query)) is not None:
        conditions = [one if one is named else with_one_value(one) for one in parts]
        bound = _bound_by(conditions)
        table = query_of_path(paths[0], conditions, bound)
        if (batch := _batch_plan(table, named, query)) is not None:
            return _unless_contradicted(batch, conditions, bound)
    conditions = [*map(with_one_value, parts)]
    bound = _bound_by(conditions)
    listed = listed_keys({path.partition for path in paths}, conditions)
    bound = {**{name: values[0] for name, values in listed.items() if len(values) == 1}, **bound}
    asked = [query_of_path(path, conditions, bound) for path in paths]
    found = [one for one in asked if one.partitions is not None and one.sorts(query.sort)]
    lacking = {one.path: _lacking(one.path, conditions, query) for one in found}
    serving = [one for one in found if not lacking[one.path]]
    if serving:
        offers = ((one, _query_plan(one, query)) for one in serving)
        plan = min(offers, key=partial(_cost, query))[1]
    elif query.scan and (query.sort is None or query.sort in bound):
        projection = _projection(paths[0], query, ()) if query.projects else None
        plan = Plan(
            paths[0], None, filters=tuple(conditions), projection=projection, passed_over=tuple(lacking)
        )
    else:
        raise no_access_path(asked, query, {*bound, *listed}, [*lacking.values()])
    return _unless_contradicted(plan, conditions, bound)


def _bound_by(conditions: Sequence[Condition]) -> dict[str, KeyValue]:
    """The attributes that must have one value; of two values the first."""
    bound: dict[str, KeyValue] = {}
    for condition in conditions:
        bound = {**equality_of(condition), **bound}
    return bound


def _batch_filter(table: AccessPath, query: ListQuery) -> Condition | None:
    """The filter of the request that names each item by the last attribute of its key, None where there is none."""
    last = table.sort or table.partition
    return next((c for c in query.request_filters if c.operator == "IN" and attributes_of(c) == {last}), None)


def _batch_plan(table: PathQuery, batch_filter: Condition, query: ListQuery) -> Plan | None:
    """The plan where the request's filters give the whole key of each item, None where they do not."""
    path, bound, conditions = table.path, table.bound, table.conditions
    last, limit = (path.partition, HASH_BYTES) if path.sort is None else (path.sort, RANGE_BYTES)
    fixed = {} if path.sort is None else {name: bound[name] for name in bound if name == path.partition}
    if last in bound or query.sort not in (None, last, *bound) or {last, *fixed} != path.own:
        return None
    values = distinct_keys(batch_filter, limit)
    order = list(values)
    if path.sort is not None or query.sort == last:
        order.sort(key=lambda one: one.value, reverse=not query.forward)
    rest = (c for c in conditions if not any(is_implied(c, n, v) for n, v in fixed.items()))
    return Plan(
        path,
        fixed.get(path.partition),
        checks=tuple(c for c in rest if c is not batch_filter),
        empty=not all(is_key(value, HASH_BYTES) for value in fixed.values()),
        keys=tuple({**fixed, last: values[one]} for one in order),
    )


def _unless_contradicted(plan: Plan, conditions: Sequence[Condition], bound: Mapping[str, Any]) -> Plan:
    """The plan, ``empty`` where some condition does not hold on the values that others demand."""
    values = dict(bound)
    contradicted = any(attributes_of(c) <= values.keys() and not holds(c, values) for c in conditions)
    return replace(plan, empty=True) if contradicted else plan


def _cost(query: ListQuery, offer: tuple[PathQuery, Plan]) -> tuple[Any, ...]:
    """One query before several, fewer items read, then no second read, then table before local before global index."""
    asked, plan = offer
    condition, path = plan.key_condition, plan.path
    is_whole = (
        path.index is None or path.sort not in path.composed
    )  # of an index many items may have one composed key
    one = plan.empty or (condition is not None and condition.operator == "=" and is_whole)
    narrows = condition is not None and not any(condition is kind for kind in query.kind_conditions)
    said = asked.said + (narrows and path.sort not in path.composed)
    several = len(plan.partitions)
    return (several, not one, -said, plan.completes, path.index is not None, path.is_global, path.index or "")


def _query_plan(asked: PathQuery, query: ListQuery) -> Plan:
    """The plan of a query for each value of the path's partition key."""
    path, partitions, name = asked.path, asked.partitions or (), asked.path.partition
    rest = [c for c in asked.conditions if not all(is_implied(c, name, value) for value in partitions)]
    sort_key = SortKeyCondition.of(path.sort, rest)
    rest = [c for c in rest if not any(c is exact for exact in sort_key.exact)]
    filters = tuple(c for c in rest if not attributes_of(c) & path.own and path.has(attributes_of(c)))
    checks = tuple(c for c in rest if not any(c is one for one in filters))
    completes = not path.has(query.needed.union(*map(attributes_of, checks)))
    one, several = (partitions[0], ()) if len(partitions) == 1 else (None, tuple(partitions))
    fixed = sort_key.condition is not None and sort_key.condition.operator == "="
    return Plan(
        path,
        one,
        sort_key.condition,
        filters,
        # An item may change before it is read again.
        (*query.conditions, *query.kind_conditions) if completes else checks,
        query.forward,
        completes=completes,
        empty=sort_key.empty or not partitions or not all(is_key(one, HASH_BYTES) for one in partitions),
        projection=_projection(path, query, checks) if query.projects and not completes else None,
        partitions=several if query.forward else several[::-1],
        in_turn=bool(several) and (path.sort is None or fixed or query.sort == name),
    )


def _lacking(path: AccessPath, conditions: Sequence[Condition], query: ListQuery) -> tuple[str, ...]:
    """The attributes without which items of the list are not in an index, none where it has all of the list.

    A list that is sorted by one is of the items that have it, and so is one whose conditions no other satisfies.
    A partition may be that of a default, which stands for the key where an item lacks it.
    """
    of_partition = tuple(name for name in path.lacked_in_partition if _may_be_absent(name, conditions))
    if of_partition:
        return of_partition
    if query.sort == path.sort:
        return ()
    left = (name for name in path.lacked_in_sort if name != query.sort)
    return tuple(name for name in left if not _is_demanded(name, conditions))


def _may_be_absent(name: str, conditions: Sequence[Condition]) -> bool:
    said = [c for c in conditions if attributes_of(c) == {name}]
    return bool(said) and all(holds(c, {}) for c in said)


def _is_demanded(name: str, conditions: Sequence[Condition]) -> bool:
    return any(attributes_of(c) == {name} and not holds(c, {}) for c in conditions)


def _projection(path: AccessPath, query: ListQuery, checks: Sequence[Condition]) -> frozenset[str]:
    return query.needed.union(path.keys, *map(attributes_of, checks))
