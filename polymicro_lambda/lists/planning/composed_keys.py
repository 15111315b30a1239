"""Conditions on the parts of a composed key, as conditions on the key: what one access path makes of a list.

Equality of all parts is equality of the key, equality of the first ones a prefix of it, and what is said of the part
after them a range. What such a range includes besides is left to the conditions that remain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import ComposedKey, KeyPart, UnfitPart
from polymicro_lambda.lists.filtering.filter_operators import FILTER_OPERATORS
from polymicro_lambda.rules import attributes_of, holds

from .access_paths import AccessPath
from .key_conditions import KeyValue, is_implied, key_operands, listed_keys, listed_name

_Bound = Mapping[str, dict[str, Any]]
LOWER, UPPER = frozenset({">", ">="}), frozenset({"<", "<="})
_INCLUSIVE = frozenset({">=", "<=", "BETWEEN"})
_NAMES = {"<": "lt", ">": "gt", "begins_with": "begins_with"}


class EmptyRange(Exception):
    """No key is within all ranges."""


class PathQuery(NamedTuple):
    """A list as one access path takes it."""

    path: AccessPath
    conditions: Sequence[Condition]
    """Those of the list, on keys in the place of parts."""
    bound: _Bound
    """The attributes, composed keys among them, that have one value."""
    order: str | None
    """The attribute in whose order the items stand, besides the sort key itself."""
    said: int = 1
    """How many attributes the partition and the beginning of a composed sort key say."""
    partitions: tuple[KeyValue, ...] | None = None
    """The values of the partition key, one or several; none where nothing can be in the list, None where they
    are not said."""

    def sorts(self, sort: str | None) -> bool:
        """Whether the path gives that order; by an attribute that has one value any order will do."""
        is_listed = sort == self.path.partition and self.partitions is not None
        return sort is None or is_listed or sort in self.bound or sort in (self.path.sort, self.order)

    def may_sort(self, sort: str | None) -> bool:
        """Whether it would give that order if more were bound."""
        return sort is not None and sort in self.path.parts_of(self.path.sort)

    def missing(self, sort: str | None) -> tuple[str, ...]:
        """The attributes that are to be bound for a partition, in this order."""
        return self.path.unbound_for(sort, self.bound)


def query_of_path(path: AccessPath, conditions: Sequence[Condition], bound: _Bound) -> PathQuery:
    """What the path makes of the conditions, with the attributes that these bind to one value."""
    query = PathQuery(path, conditions, bound, path.sort)
    composed, sort_key = path.composed.get(path.partition), path.composed.get(path.sort or "")
    try:
        query = _of_plain_partition(query) if composed is None else _with_partition(query, composed)
    except UnfitPart:
        query = query._replace(partitions=())
    if query.partitions is None or sort_key is None:
        return query
    query = query._replace(order=_order(query, sort_key))
    try:
        return _with_sort_key(query, sort_key)
    except (EmptyRange, UnfitPart):
        return query._replace(partitions=())


def _order(query: PathQuery, key: ComposedKey) -> str | None:
    """The part by which the items stand that have the same parts before it."""
    left = key.parts[len(_leading(key, query.bound)) :]
    return left[0].place if left and left[0].orders_keys else None


def _of_plain_partition(query: PathQuery) -> PathQuery:
    name = query.path.partition
    if name in query.bound:
        return query._replace(partitions=(query.bound[name],))
    return query._replace(partitions=listed_keys({name}, query.conditions).get(name))


def _with_partition(query: PathQuery, key: ComposedKey) -> PathQuery:
    """One value where all parts are bound; where one has several, and no other is open, a value for each of these."""
    known = {
        one.place: query.bound[one.place] for one in key.parts if one.kind in query.bound.get(one.place, {})
    }
    left = [part for part in key.parts if part.place not in known]
    if len(left) > 1:
        return query
    rest = _without(query.conditions, known)
    if not left:
        value = key.value(known) or {}
        bound = {**query.bound, key.place: value}
        return query._replace(conditions=rest, bound=bound, said=len(known), partitions=(value,))
    values = _listed(left[0], query.conditions)
    if values is None:
        return query
    place = left[0].place
    rest = [c for c in rest if not all(is_implied(c, place, value) for value in values)]
    found = [{"S": text} for text in sorted({*_texts(key, known, place, values)})]
    return query._replace(conditions=rest, said=len(key.parts), partitions=tuple(found))


def _listed(part: KeyPart, conditions: Sequence[Condition]) -> list[KeyValue] | None:
    """The values that an ``IN`` leaves to a part, None where there is none."""
    of_part = [c for c in conditions if attributes_of(c) == {part.place}]
    given = next((c for c in of_part if listed_name(c) == part.place), None)
    if given is None:
        return None
    values = [one.value for one in given.values[1:] if part.kind in one.value]
    return [value for value in values if all(holds(c, {part.place: value}) for c in of_part)]


def _texts(key: ComposedKey, known: _Bound, place: str, values: Iterable[KeyValue]) -> Iterator[str]:
    """The keys of these values of a part, but of those that can be in none."""
    for value in values:
        with suppress(UnfitPart):
            yield (key.value({**known, place: value}) or {})["S"]


def _with_sort_key(query: PathQuery, key: ComposedKey) -> PathQuery:
    known = _leading(key, query.bound)
    if len(known) == len(key.parts):
        equal: Condition = Path([key.place]) == Value(key.value(known))
        rest = _without(query.conditions, known)
        return query._replace(conditions=[equal, *rest], said=query.said + len(known))
    part = key.parts[len(known)]
    prefix = key.beginning([one.text(known[one.place]) for one in key.parts[: len(known)]])
    said = [c for c in query.conditions if attributes_of(c) == {part.place}]
    ranges = [(c, operands) for c in said if (operands := _operands(c, part, prefix)) is not None]
    query = query._replace(said=query.said + len(known) + bool(ranges))
    if not known and not ranges:
        return query
    on_key, expressed = _range(key, part, prefix, ranges)
    gone = [*expressed, *(c for c in query.conditions if _is_beginning(c, key.place, prefix))]
    rest = [c for c in _without(query.conditions, known) if not any(c is one for one in gone)]
    return query._replace(conditions=[*on_key, *rest])


def _is_beginning(condition: Condition, name: str, prefix: str) -> bool:
    """Whether a condition on a key says no more than that it begins with what the prefix begins with."""
    operands = key_operands(condition, name)
    return (
        operands is not None and operands[0] == "begins_with" and prefix.startswith(operands[1].get("S", "?"))
    )


def _leading(key: ComposedKey, bound: _Bound) -> dict[str, dict[str, Any]]:
    """The values of the first parts, up to one that is not bound to a value of its type."""
    found: dict[str, dict[str, Any]] = {}
    for part in key.parts:
        if part.kind not in bound.get(part.place, {}):
            break
        found[part.place] = bound[part.place]
    return found


def _without(conditions: Sequence[Condition], known: _Bound) -> list[Condition]:
    """The conditions that do not follow from these values."""
    return [c for c in conditions if not any(is_implied(c, name, value) for name, value in known.items())]


def _operands(condition: Condition, part: KeyPart, prefix: str) -> tuple[str, ...] | None:
    """(operator, text, …) of a condition on a part that is a range of keys behind this prefix, else None."""
    operands = key_operands(condition, part.place) if part.has_order else None
    if operands is None or operands[0] == "=" or not all(part.kind in one for one in operands[1:]):
        return None
    values = (one[part.kind] for one in operands[1:])
    texts = (one if part.kind == "S" else bytes(one).hex() for one in values)
    return (operands[0], *(prefix + text for text in texts))


_Ranges = Sequence[tuple[Condition, tuple[str, ...]]]


def _range(
    key: ComposedKey, part: KeyPart, prefix: str, ranges: _Ranges
) -> tuple[list[Condition], list[Condition]]:
    """The conditions on the key for those on a part, narrowest first, and those that they express in full."""
    place, ends_key = Path([key.place]), not part.separator
    found = list(_bounds(place, part, prefix, [operands for _, operands in ranges]))
    if not ends_key:
        return found, []
    for _, (operator, *texts) in ranges:
        if operator not in _INCLUSIVE and not _is_said(found[0], operator, texts):
            found.append(_on_key(place, operator, texts[0]))
    return found, [condition for condition, _ in ranges]


def _is_said(condition: Condition, operator: str, texts: Sequence[str]) -> bool:
    return condition.operator == operator and condition.values[1].value == {"S": texts[0]}


def _on_key(place: Path, operator: str, text: str) -> Condition:
    return FILTER_OPERATORS[_NAMES[operator]].condition(place, Value({"S": text}))


def _bounds(
    place: Path, part: KeyPart, prefix: str, ranges: Sequence[tuple[str, ...]]
) -> Iterator[Condition]:
    """A condition that all keys within the ranges meet, and what else has to hold of them."""
    beginnings = [texts[0] for operator, *texts in ranges if operator == "begins_with"]
    lows = [texts[0] for operator, *texts in ranges if operator in LOWER or operator == "BETWEEN"]
    highs = [texts[-1] for operator, *texts in ranges if operator in UPPER or operator == "BETWEEN"]
    if beginnings or not (lows or highs):
        yield _on_key(place, "begins_with", max(beginnings, key=len, default=prefix))
        if not beginnings:
            return
    high = min((_highest(one, prefix, part) for one in highs), default=None)
    low = max(lows, default=prefix)
    if high is None and prefix and lows:
        yield place.between(Value({"S": low}), Value({"S": after(prefix)}))
        yield _on_key(place, "begins_with", prefix)
    elif high is None and lows:
        yield place >= Value({"S": low})
    elif high is not None and low > high:
        raise EmptyRange
    elif high is not None:
        yield place.between(Value({"S": low}), Value({"S": high}))


def _highest(bound: str, prefix: str, part: KeyPart) -> str:
    """A text that no key is above whose part is at most ``bound``, the prefix included.

    A value that is the beginning of the bound has the separator next, which may come after what the bound has there.
    """
    if not part.separator:
        return bound
    beginnings = (bound[:end] for end in range(len(prefix), len(bound) + 1))
    return max(after(one + part.separator) for one in beginnings)


def after(beginning: str) -> str:
    """The first text after all that begin so."""
    last = ord(beginning[-1])
    if last == 0x10FFFF:
        return after(beginning[:-1])
    # UTF-8 has no surrogates (RFC 3629, section 3).
    return beginning[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
