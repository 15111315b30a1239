"""The cheapest plan for a list: table, LSI or GSI, its key condition, and the conditions that remain.

The plan follows from conditions alone: those of the route, of the rule and of the filters. Nothing here calls DynamoDB.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import typed_value
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.rules import attributes_of, equality_of, holds
from polymicro_lambda.schemas import HASH_BYTES, RANGE_BYTES, is_key
from polymicro_lambda.types import RawItem

from .access_paths import AccessPath
from .composed_keys import PathQuery, query_of_path
from .key_conditions import SortKeyCondition, conjuncts, is_implied


@dataclass(slots=True)
class Plan:
    """How a list is read."""

    path: AccessPath
    partition: dict[str, Any] | None
    """The partition key's value as DynamoDB stores it; None scans the table."""
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
    conditions = [
        part for condition in (*query.conditions, *query.kind_conditions) for part in conjuncts(condition)
    ]
    bound: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        bound = {**equality_of(condition), **bound}
    asked = [query_of_path(path, conditions, bound) for path in paths]
    found = [one for one in asked if one.has_partition and one.sorts(query.sort)]
    lossy = tuple(one.path for one in found if _loses(one.path, conditions, query))
    serving = [one for one in found if one.path not in lossy]
    if (batch := _batch_plan(paths[0], asked[0].bound, asked[0].conditions, query)) is not None:
        plan = batch
    elif serving:
        plan = min(((one, _query_plan(one, query)) for one in serving), key=partial(_cost, query))[1]
    elif query.scan and (query.sort is None or query.sort in bound):
        projection = _projection(paths[0], query, ()) if query.projects else None
        plan = Plan(paths[0], None, filters=tuple(conditions), projection=projection, passed_over=lossy)
    else:
        raise _no_access_path(asked, query, bound, lossy)
    return replace(plan, empty=True) if _contradicted(conditions, bound) else plan


def _batch_plan(
    path: AccessPath, bound: Mapping[str, Any], conditions: Sequence[Condition], query: ListQuery
) -> Plan | None:
    """The plan where the request's filters give the whole key of each item, None where they do not."""
    last, limit = (path.partition, HASH_BYTES) if path.sort is None else (path.sort, RANGE_BYTES)
    batch_filter = next(
        (c for c in query.request_filters if c.operator == "IN" and attributes_of(c) == {last}), None
    )
    fixed = {} if path.sort is None else {name: bound[name] for name in bound if name == path.partition}
    if (
        batch_filter is None
        or last in bound
        or query.sort not in (None, path.sort, *bound)
        or {last, *fixed} != path.own
    ):
        return None
    asked = (value.value for value in batch_filter.values[1:])
    values = {typed_value(value): value for value in asked if is_key(value, limit)}
    order = list(values)
    if path.sort is not None:
        order.sort(key=lambda one: one.value, reverse=not query.forward)
    rest = (c for c in conditions if not any(is_implied(c, n, v) for n, v in fixed.items()))
    return Plan(
        path,
        fixed.get(path.partition),
        checks=tuple(c for c in rest if c is not batch_filter),
        empty=not all(is_key(value, HASH_BYTES) for value in fixed.values()),
        keys=tuple({**fixed, last: values[one]} for one in order),
    )


def _contradicted(conditions: Sequence[Condition], bound: Mapping[str, Any]) -> bool:
    """Whether some condition does not hold on the values that others demand."""
    values = dict(bound)
    return any(attributes_of(c) <= values.keys() and not holds(c, values) for c in conditions)


def _cost(query: ListQuery, offer: tuple[PathQuery, Plan]) -> tuple[Any, ...]:
    """Fewer items read, then no second read, then table before local before global index."""
    asked, plan = offer
    condition, path = plan.key_condition, plan.path
    is_whole = (
        path.index is None or path.sort not in path.composed
    )  # of an index many items may have one composed key
    one = plan.empty or (condition is not None and condition.operator == "=" and is_whole)
    narrows = condition is not None and not any(condition is kind for kind in query.kind_conditions)
    said = asked.said + (narrows and path.sort not in path.composed)
    return (not one, -said, plan.completes, path.index is not None, path.is_global, path.index or "")


def _query_plan(asked: PathQuery, query: ListQuery) -> Plan:
    path, partition = asked.path, asked.bound[asked.path.partition]
    rest = [c for c in asked.conditions if not is_implied(c, path.partition, partition)]
    sort_key = SortKeyCondition.of(path.sort, rest)
    rest = [c for c in rest if not any(c is exact for exact in sort_key.exact)]
    filters = tuple(c for c in rest if not attributes_of(c) & path.own and path.has(attributes_of(c)))
    checks = tuple(c for c in rest if not any(c is one for one in filters))
    completes = not path.has(query.needed.union(*map(attributes_of, checks)))
    return Plan(
        path,
        partition,
        sort_key.condition,
        filters,
        # An item may change before it is read again.
        (*query.conditions, *query.kind_conditions) if completes else checks,
        query.forward,
        completes=completes,
        empty=asked.is_empty or sort_key.empty or not is_key(partition, HASH_BYTES),
        projection=_projection(path, query, checks) if query.projects and not completes else None,
    )


def _loses(path: AccessPath, conditions: Sequence[Condition], query: ListQuery) -> bool:
    """Whether an index may lack items of the list: those without its sort key, or for whose partition a default stands.

    A list that is sorted by that key is of the items that have it, and so is one whose conditions no other satisfies.
    """
    for name in path.lacked_in_partition:
        said = [c for c in conditions if attributes_of(c) == {name}]
        if said and all(holds(c, {}) for c in said):
            return True
    left = () if query.sort == path.sort else [one for one in path.lacked_in_sort if one != query.sort]
    return not all(any(attributes_of(c) == {name} and not holds(c, {}) for c in conditions) for name in left)


def _projection(path: AccessPath, query: ListQuery, checks: Sequence[Condition]) -> frozenset[str]:
    return query.needed.union(path.keys, *map(attributes_of, checks))


def _no_access_path(
    asked: Sequence[PathQuery], query: ListQuery, bound: Mapping[str, Any], lossy: Sequence[AccessPath]
) -> BadRequest:
    """The error that says what the client can do, by names that it may know; its notes are for the developer."""

    def python_name(name: str) -> str:
        return query.names.get(name, name)

    def any_of(several: Iterable[Iterable[str]]) -> str:
        return " or ".join(sorted({" and ".join(map(python_name, names)) for names in several} - {""}))

    def bindable(several: Iterable[Sequence[str]]) -> list[Sequence[str]]:
        return [one for one in several if query.filterable is None or query.filterable.issuperset(one)]

    if lossy:
        missed = [path.lacked_in_sort for path in lossy]
        told = any_of(one for one in missed if query.told is None or query.told.issuperset(one))
        advice = f"sort it by {told} or filter on that" if told else ""
        error = _refused("No index has all of this list", advice)
        error.add_note(f"The indexes lack items without {any_of(missed)}.")
        return error
    keyed = any_of(one.path.parts_of(one.path.partition) for one in asked if one.has_partition)
    by_sort = any_of(bindable(one.missing(query.sort) for one in asked if one.may_sort(query.sort)))
    if query.sort is not None and keyed:
        order = python_name(query.sort)
        error = _refused(
            f"The list cannot be sorted by {order}", by_sort and f"say which {by_sort} by a filter"
        )
        error.errors = ({"parameter": "sort", "detail": str(error.detail)},)
        error.add_note(f"An index with partition key {keyed} and sort key {order} would have this order.")
        return error
    said = any_of(bindable(one.missing(None) for one in asked))
    error = _refused("No index serves this list", said and f"say which {said} by a filter")
    if not said:
        partitions = any_of(one.path.parts_of(one.path.partition) for one in asked)
        error.add_note(f"No filter of the resource would say which {partitions}.")
    if bound:
        error.add_note(
            f"An index with partition key {any_of([name] for name in bound)} would serve this list."
        )
    return error


def _refused(what: str, advice: str) -> BadRequest:
    return BadRequest(f"{what}: {advice}." if advice else f"{what}.")
