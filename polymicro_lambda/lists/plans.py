"""Which access path serves a list in the cheapest way: table, LSI or GSI, key conditions, and what remains.

It works on conditions alone: what route and rule bind, the rule itself, the filters. Nothing here calls anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pynamodb.expressions.condition import And, BeginsWith, Between, Comparison, Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import typed_value
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.rules import attributes_of, equality_of, holds
from polymicro_lambda.schemas import HASH_BYTES, RANGE_BYTES
from polymicro_lambda.types import RawItem

from .access_paths import AccessPath


@dataclass(slots=True)
class Plan:
    """How a list is read."""

    path: AccessPath
    partition: dict[str, Any] | None
    """The partition key's value as DynamoDB stores it; None scans the table."""
    key_condition: Condition | None = None
    """The condition on the sort key."""
    filters: tuple[Condition, ...] = ()
    """What DynamoDB drops after reading it."""
    checks: tuple[Condition, ...] = ()
    """What is dropped here: DynamoDB takes no filter on key attributes, nor on what an index lacks."""
    forward: bool = True
    lossy: bool = False
    """The index may lack items that the list should have: those without its sort key."""
    completes: bool = False
    """The index lacks attributes: the items are read again from the table, by their keys."""
    empty: bool = False
    """The conditions exclude one another: nothing has to be read."""
    projection: frozenset[str] | None = None
    """The attributes to read, None for all."""
    certain: bool = False
    """The partition is all that the rule says: it holds on whatever is read."""
    keys: tuple[RawItem, ...] | None = None
    """The keys of all that is to be read, each once; None where there is a query or a scan."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list is asked for; attributes by their names in DynamoDB."""

    conditions: Sequence[Condition]
    needed: frozenset[str] = frozenset()
    """The attributes that rule and answer need."""
    projects: bool = False
    """Whether these are not all that an item may have."""
    sort: str | None = None
    forward: bool = True
    scan: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    """DynamoDB name -> Python name, for messages."""
    sayable: frozenset[str] | None = None
    """The attributes that a filter can bind to one value, for messages; None for all."""
    picks: Sequence[Condition] = ()
    """The conditions that are the request's own filters: it may say by them which items it wants."""
    apart: Sequence[Condition] = ()
    """What keeps the items apart from other kinds in the table: conditions that exclude none of the list's own."""


def plan_list(paths: Sequence[AccessPath], wish: ListQuery) -> Plan:
    """The cheapest plan. Raises ``BadRequest`` that says what is missing where no access path serves the wish."""
    conditions = [part for condition in (*wish.conditions, *wish.apart) for part in _conjuncts(condition)]
    bound: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        bound = {**equality_of(condition), **bound}
    serving = [path for path in paths if path.partition in bound and _sorts(path, wish.sort, bound)]
    if (picked := _picked(paths[0], bound, conditions, wish)) is not None:
        found = picked
    elif serving:
        found = min((_query(path, bound, conditions, wish) for path in serving), key=partial(_cost, wish))
    elif wish.scan and (wish.sort is None or wish.sort in bound):
        projection = _projection(paths[0], wish, ()) if wish.projects else None
        found = Plan(paths[0], None, filters=tuple(conditions), projection=projection)
    else:
        raise _refused(paths, wish, bound)
    return replace(found, empty=True) if _contradicted(conditions, bound) else found


def _picked(
    path: AccessPath, bound: Mapping[str, Any], conditions: Sequence[Condition], wish: ListQuery
) -> Plan | None:
    """The plan where the request's filters say the whole key of each item, None where they do not."""
    last, limit = (path.partition, HASH_BYTES) if path.sort is None else (path.sort, RANGE_BYTES)
    chosen = next((c for c in wish.picks if c.operator == "IN" and attributes_of(c) == {last}), None)
    fixed = {} if path.sort is None else {name: bound[name] for name in bound if name == path.partition}
    if (
        chosen is None
        or last in bound
        or wish.sort not in (None, path.sort, *bound)
        or {last, *fixed} != path.own
    ):
        return None
    values = {
        typed_value(value.value): value.value for value in chosen.values[1:] if is_key(value.value, limit)
    }
    order = (
        values if path.sort is None else sorted(values, key=lambda one: one.value, reverse=not wish.forward)
    )
    rest = [c for c in conditions if c is not chosen and not any(_implied(c, n, v) for n, v in fixed.items())]
    return Plan(
        path,
        fixed.get(path.partition),
        checks=tuple(rest),
        empty=not all(is_key(value, HASH_BYTES) for value in fixed.values()),
        keys=tuple({**fixed, last: values[one]} for one in order),
    )


def _conjuncts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, And):
        for part in condition.values:
            yield from _conjuncts(part)
    else:
        yield condition


def _contradicted(conditions: Sequence[Condition], bound: Mapping[str, Any]) -> bool:
    """Whether some condition does not hold on the values that others demand."""
    values = dict(bound)
    return any(attributes_of(c) <= values.keys() and not holds(c, values) for c in conditions)


def _sorts(path: AccessPath, sort: str | None, bound: Mapping[str, Any]) -> bool:
    """Whether the path gives that order; by an attribute that has one value any order will do."""
    return sort is None or path.sort == sort or sort in bound


def _cost(wish: ListQuery, found: Plan) -> tuple[Any, ...]:
    """No item left out, then fewer read, then no second read, then table before local before global index."""
    condition, path = found.key_condition, found.path
    one = found.empty or (condition is not None and condition.operator == "=")
    narrows = condition is not None and not any(condition is kind for kind in wish.apart)
    rank = 0 if one else 1 if narrows else 2
    return (found.lossy, rank, found.completes, path.index is not None, path.is_global, path.index or "")


def _query(
    path: AccessPath, bound: Mapping[str, Any], conditions: Sequence[Condition], wish: ListQuery
) -> Plan:
    partition = bound[path.partition]
    rest = [c for c in conditions if not _implied(c, path.partition, partition)]
    order = _Order.of(path.sort, rest)
    rest = [c for c in rest if not any(c is exact for exact in order.exact)]
    filters = tuple(c for c in rest if not attributes_of(c) & path.own and path.has(attributes_of(c)))
    checks = tuple(c for c in rest if not any(c is one for one in filters))
    completes = not path.has(wish.needed.union(*map(attributes_of, checks)))
    return Plan(
        path,
        partition,
        order.condition,
        filters,
        # What is read again may have changed meanwhile.
        tuple(conditions) if completes else checks,
        wish.forward,
        lossy=path.sparse and wish.sort != path.sort and not _demands(path.sort, conditions),
        completes=completes,
        empty=order.empty or not is_key(partition, HASH_BYTES),
        projection=_projection(path, wish, checks) if wish.projects and not completes else None,
    )


def _implied(condition: Condition, name: str, value: Mapping[str, Any]) -> bool:
    """Whether a condition is about this attribute alone, and holds on this value of it."""
    return attributes_of(condition) == {name} and holds(condition, {name: value})


def _demands(name: str | None, conditions: Sequence[Condition]) -> bool:
    """Whether no item without this attribute can satisfy the conditions."""
    return any(attributes_of(c) == {name} and not holds(c, {}) for c in conditions)


def is_key(value: Mapping[str, Any], limit: int) -> bool:
    """Whether some key can have the value: DynamoDB refuses to look for an empty or a longer one."""
    ((_, stored),) = value.items()
    return 0 < len(stored.encode() if isinstance(stored, str) else stored) <= limit


def _projection(path: AccessPath, wish: ListQuery, checks: Sequence[Condition]) -> frozenset[str]:
    return wish.needed.union(path.keys, *map(attributes_of, checks))


def _said(condition: Condition, name: str) -> tuple[Any, ...] | None:
    """(operator, raw value, …) of a condition that a key condition can say of this attribute, else None."""
    if not isinstance(condition, Comparison | Between | BeginsWith) or condition.operator == "<>":
        return None
    path, *values = condition.values
    if not isinstance(path, Path) or path.path != [name] or not all(isinstance(v, Value) for v in values):
        return None
    return (condition.operator, *(v.value for v in values))


@dataclass(frozen=True, slots=True)
class _Order:
    """The one condition that a query can hold for the sort key."""

    condition: Condition | None = None
    exact: tuple[Condition, ...] = ()
    """The conditions that it says in full."""
    empty: bool = False
    """Whether nothing can satisfy it."""

    @classmethod
    def of(cls, sort: str | None, conditions: Sequence[Condition]) -> "_Order":
        """The narrowest that the conditions give: one value, one range or prefix, two bounds, one bound."""
        said_of = [(_said(c, sort), c) for c in conditions] if sort is not None else []
        pairs = [(s, c) for s, c in said_of if s and all(is_key(value, RANGE_BYTES) for value in s[1:])]
        whole = {said[0]: c for said, c in reversed(pairs)}
        for operator in ("=", "BETWEEN", "begins_with"):
            if operator in whole:
                return cls(whole[operator], (whole[operator],))
        lower = next((pair for pair in pairs if pair[0][0] in (">", ">=")), None)
        upper = next((pair for pair in pairs if pair[0][0] in ("<", "<=")), None)
        if lower is None or upper is None:
            return cls(pairs[0][1], (pairs[0][1],)) if pairs else cls()
        # Two bounds are one BETWEEN, which includes both: what a half-open bound excludes is checked afterwards.
        low, high, path = Value(lower[0][1]), Value(upper[0][1]), Path([str(sort)])
        exact = tuple(c for said, c in (lower, upper) if said[0] in (">=", "<="))
        return cls(path.between(low, high), exact, not holds(Path(["low"]) <= high, {"low": low.value}))


def _refused(paths: Sequence[AccessPath], wish: ListQuery, bound: Mapping[str, Any]) -> BadRequest:
    """What is missing: an index for the order, or a value for a partition key."""

    def said(name: str) -> str:
        return wish.names.get(name, name)

    def any_of(names: Iterable[str]) -> str:
        return " or ".join(sorted(set(map(said, names))))

    def sayable(names: Iterable[str]) -> list[str]:
        return [name for name in names if wish.sayable is None or name in wish.sayable]

    keyed = any_of(path.partition for path in paths if path.partition in bound)
    by_sort = [path.partition for path in paths if path.sort == wish.sort]
    if wish.sort is not None and keyed:
        detail = (
            f"The list cannot be sorted by {said(wish.sort)}: that needs an index with partition key "
            f"{keyed} and sort key {said(wish.sort)}{_or_else(any_of(sayable(by_sort)))}."
        )
        return BadRequest(detail, errors=[{"parameter": "sort", "detail": detail}])
    partitions = [path.partition for path in paths]
    detail = f"No index serves this list: say which {any_of(sayable(partitions))} by a filter"
    if not sayable(partitions):
        detail = f"No index serves this list: it has no filter that would say which {any_of(partitions)}"
    if bound:
        detail += f", or add an index with partition key {any_of(bound)}"
    return BadRequest(f"{detail}.")


def _or_else(partitions: str) -> str:
    """The other way to an order that an index gives: to say its partition key."""
    return f", or a filter that says which {partitions}" if partitions else ""
