"""One query for each value of a partition key, under one key to go on from: the key of the last item.

The items are merged in the order of the sort key, then of the partition; items of one partition with one sort key
keep the order in which DynamoDB gives them, which only a query that starts after one of them has to know. Or they come
partition after partition.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import ge, itemgetter, le
from typing import Any, NamedTuple, TypeAlias

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import LARGEST_PAGE, PAGE_GROWTH, ReadPage, typed_value
from polymicro_lambda.lists.planning.key_conditions import KeyValue
from polymicro_lambda.lists.planning.key_ranges import KeyRange
from polymicro_lambda.lists.planning.plans import Plan
from polymicro_lambda.rules import holds
from polymicro_lambda.types import RawItem


class KeyBounds(NamedTuple):
    """The key condition of one query."""

    partition: KeyValue
    condition: Condition | None


Read: TypeAlias = Callable[[KeyBounds, RawItem | None, int], Mapping[str, Any]]
"""Makes the call of a query: its bounds, the key to start after, and the most items to read -> DynamoDB's answer."""
_Place: TypeAlias = tuple[Any, Any]
"""Sort key and partition: the place of an item, or of a key, in the order of the list."""


class _Query:
    """The query of one partition: what it has read and not yet given, and where it goes on."""

    def __init__(self, bounds: KeyBounds, start: RawItem | None, size: int) -> None:
        self.bounds, self.start, self.size = bounds, start, size
        self.items: list[RawItem] = []
        self.ended = False

    def read(self, read: Read) -> None:
        """Read its next page; each may be four times as large as the one before."""
        data = read(self.bounds, self.start, self.size)
        self.items += data["Items"]
        self.start = data.get("LastEvaluatedKey")
        self.ended = self.start is None
        self.size = min(self.size * PAGE_GROWTH, LARGEST_PAGE)

    def take(self, count: int) -> Sequence[RawItem]:
        """Its first items, which are given now."""
        taken, self.items = self.items[:count], self.items[count:]
        return taken


class MergedQueries:
    """The queries of a plan with several partitions."""

    def __init__(self, plan: Plan, limit: int, read: Read) -> None:
        self._plan, self._limit, self._read = plan, limit, read
        self._path, self._sort = plan.path, str(plan.path.sort)

    def pages(self, start: RawItem | None) -> Iterator[ReadPage]:
        """The items after the key ``start``, in pages, each with the calls that it took.

        Where they are merged, the first page takes a call for each partition: fewer do not tell which item is first.
        """
        queries = [*self._queries(start)]
        return self._in_turn(queries) if self._plan.in_turn else self._merged(queries)

    def _in_turn(self, queries: Sequence[_Query]) -> Iterator[ReadPage]:
        for number, query in enumerate(queries, 1):
            done = {self._path.partition: query.bounds.partition} if number < len(queries) else None
            while not query.ended:
                query.read(self._read)
                yield ReadPage(query.take(len(query.items)), self._path.keys, query.start or done)

    def _merged(self, queries: Sequence[_Query]) -> Iterator[ReadPage]:
        for query in queries:
            query.read(self._read)
        calls, first = len(queries), min if self._plan.forward else max
        while True:
            ends = {self._place(query.start): query for query in queries if query.start is not None}
            until = first(ends) if ends else None
            last_key = None if until is None else ends[until].start
            yield ReadPage(self._certain(queries, until), self._path.keys, last_key, calls)
            if until is None:
                return
            ends[until].read(self._read)
            calls = 1

    def _certain(self, queries: Sequence[_Query], until: _Place | None) -> list[RawItem]:
        """The items up to a place, in order: those after it may have others before them, which are still to be read."""
        places = [[self._place(item) for item in query.items] for query in queries]
        if until is not None:
            passed = le if self._plan.forward else ge
            places = [[place for place in some if passed(place, until)] for some in places]
        taken = (
            zip(some, query.take(len(some)), strict=True) for some, query in zip(places, queries, strict=True)
        )
        ordered = sorted(chain(*taken), key=itemgetter(0), reverse=not self._plan.forward)
        return [item for _, item in ordered]

    # --- where each query starts ------------------------------------------------------------------------------

    def _queries(self, start: RawItem | None) -> Iterator[_Query]:
        """The queries that can have items after a key, each with its own bounds."""
        # Each query may be the only one of its partition in a page: where rows drop out it reads more at once.
        drops = self._plan.filters or (self._plan.checks and not self._plan.completes)
        size = min(self._limit * PAGE_GROWTH**2, LARGEST_PAGE) if drops else self._limit
        for partition in self._plan.partitions:
            found = self._bounds(partition, start)
            if found is not None:
                bounds, key = found
                yield _Query(bounds, key, size)

    def _bounds(self, partition: KeyValue, start: RawItem | None) -> tuple[KeyBounds, RawItem | None] | None:
        """The bounds of a partition's query, and the key to start after; None where all of its items are before.

        The key after which the list goes on is a start for the query of its own partition alone, and there only while
        it is within the bounds: those of a rule may have moved. Any other query begins at its sort key.
        """
        name, condition = self._path.partition, self._plan.key_condition
        if start is None:
            return KeyBounds(partition, condition), None
        here, there = typed_value(partition), typed_value(start[name])
        later = (here.value > there.value) is self._plan.forward
        if here == there:
            if start.keys() == {name}:
                return None
            if condition is None or holds(condition, start):
                return KeyBounds(partition, condition), start
        elif self._plan.in_turn:
            return (KeyBounds(partition, condition), None) if later else None
        inclusive = later and here != there
        rest = KeyRange.of(condition).beyond(
            start[self._sort], forward=self._plan.forward, inclusive=inclusive
        )
        return None if rest.empty else (KeyBounds(partition, rest.condition(self._sort)), None)

    def _place(self, key: RawItem) -> _Place:
        return typed_value(key[self._sort]).value, typed_value(key[self._path.partition]).value
