"""A plan carried out: DynamoDB's Query or Scan, page by page, and a second read where an index lacks attributes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import chain
from operator import and_
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    LARGEST_PAGE,
    PAGE_GROWTH,
    ReadPage,
    batch_pages,
    condition_expression,
    items_of_keys,
    key_of_item,
    translating_errors,
)
from polymicro_lambda.lists.cursors import foreign_key
from polymicro_lambda.lists.planning.plans import Plan
from polymicro_lambda.lists.requested_lists import requested_list
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.rules import Verdict, guard_for, holds, is_opaque
from polymicro_lambda.types import RawItem

from .listed_rows import ListedRows
from .merged_queries import KeyBounds, MergedQueries
from .rows import PAGE_SECONDS, OnCall

READ_BUDGET = 5
"""The most calls by which rows are counted, where nobody says another number: ``ModelResource.read_budget``."""
INDEX_MEMBER = ""
"""A cursor's member with the index's name; no attribute has an empty name (DynamoDB: 1 to 255 bytes)."""


def rows_of(
    model: type[Model], plan: Plan, *, pagination_key: Any, limit: int, read_budget: int = READ_BUDGET
) -> ListedRows:
    """The rows of a plan from ``pagination_key`` on. Raises ``BadRequest`` for a key of another access path.

    ``read_budget`` is the most calls by which they are counted.
    """
    start, passed = (None, False) if pagination_key is None else _start_key(plan, pagination_key)
    if plan.empty or passed:
        pages: Iterator[ReadPage] = iter(())
    elif plan.keys is not None:
        pages = batch_pages(model, plan.keys, start, limit)
    elif plan.partitions:
        pages = MergedQueries(plan, limit, partial(_read, model, plan)).pages(start)
    else:
        pages = _Query(model, plan, limit).pages(start)
    complete = partial(whole_items, model) if plan.completes else None
    return ListedRows(
        model,
        pages,
        limit,
        plan.checks,
        complete,
        certain=plan.certain,
        signed={INDEX_MEMBER: {"S": plan.path.index or ""}},
        plan=plan,
        read_budget=read_budget,
        count=_count,
        asked=requested_list(model),
    )


def _count(model: type[Model], plan: Plan, read_budget: int) -> int | None:
    """The number of items that a plan gives under the request's rule, None where calls or time do not suffice.

    DynamoDB counts where nothing else has to look at the items; else they are read and judged.
    """
    if plan.empty:
        return 0
    if not is_counted_by_dynamodb(plan, guard_for(model).verdict):
        return rows_of(model, plan, pagination_key=None, limit=LARGEST_PAGE).number(read_budget)
    each = [replace(plan, partition=one, partitions=()) for one in plan.partitions] or [plan]
    total, calls, ended = 0, 0, 0
    with translating_errors():
        for count, is_last in chain.from_iterable(_Query(model, one, LARGEST_PAGE).counts() for one in each):
            total, calls, ended = total + count, calls + 1, ended + is_last
            if ended < len(each) and (calls >= read_budget or seconds_left() < PAGE_SECONDS):
                return None
    return total


def is_counted_by_dynamodb(plan: Plan, verdict: Verdict) -> bool:
    """Whether DynamoDB alone can tell which items a list has (``Select=COUNT``)."""
    by_query = not plan.checks and not plan.completes and plan.keys is None
    return by_query and verdict is not False and not is_opaque(verdict)


def _start_key(plan: Plan, key: Any) -> tuple[RawItem | None, bool]:
    """The key to start after, None for the first, and whether all items are before it.

    The bounds of a rule may move between two pages, as those of "since yesterday" do: DynamoDB refuses a key that
    is no longer within them.
    """
    place = (
        {name: value for name, value in key.items() if name != INDEX_MEMBER}
        if isinstance(key, Mapping)
        else {}
    )
    whole = place.keys() == plan.path.keys or (plan.in_turn and place.keys() == {plan.path.partition})
    same = whole and key.get(INDEX_MEMBER) == {"S": plan.path.index or ""}
    if same and plan.partitions:
        return place, False
    if not same or not all(holds(condition, place) for condition in _partition_conditions(plan)):
        raise foreign_key()
    bounds = plan.key_condition
    if bounds is None or holds(bounds, place):
        return place, False
    path, least, *_ = bounds.values
    before = bounds.operator in (">", ">=") or holds(path < least, place)
    return None, before is not plan.forward


def _partition_conditions(plan: Plan) -> list[Condition]:
    return [] if plan.partition is None else [Path([plan.path.partition]) == Value(plan.partition)]


def _read(
    model: type[Model], plan: Plan, bounds: KeyBounds, start: RawItem | None, size: int
) -> Mapping[str, Any]:
    """DynamoDB's answer to the query of one of several partitions."""
    one = replace(plan, partition=bounds.partition, key_condition=bounds.condition)
    return _Query(model, one, size).reader()(start, size)


@dataclass(slots=True)
class _Query:
    model: type[Model]
    plan: Plan
    limit: int

    def pages(self, start: Any) -> Iterator[ReadPage]:
        """The pages as DynamoDB gives them.

        Where rows can drop out, each page may be four times as large as the one before, so that a rare match does
        not take calls without end.
        """
        read, size = self.reader(), self.limit
        while True:
            data = read(start, size)
            start = data.get("LastEvaluatedKey")
            yield ReadPage(data["Items"], self.plan.path.keys, start)
            if start is None:
                return
            size = min(size * PAGE_GROWTH, LARGEST_PAGE)

    def counts(self) -> Iterator[tuple[int, bool]]:
        """The number of items that each call finds, and whether it is the last one."""
        operation = "Scan" if self.plan.partition is None else "Query"
        arguments = replace(self, plan=replace(self.plan, projection=None))._arguments()
        start: Any = None
        while True:
            place = {"ExclusiveStartKey": start} if start is not None else {}
            data = dynamodb.execute(self.model, operation, **arguments, **place, Select="COUNT")
            start = data.get("LastEvaluatedKey")
            yield data["Count"], start is None
            if start is None:
                return

    def reader(self) -> Callable[[RawItem | None, int], Mapping[str, Any]]:
        """A function that makes the call: the key to start after, and the most items to read -> DynamoDB's answer."""
        operation, arguments = "Scan" if self.plan.partition is None else "Query", self._arguments()

        def read(start: RawItem | None, size: int) -> Mapping[str, Any]:
            place = {"ExclusiveStartKey": start} if start is not None else {}
            return dynamodb.execute(self.model, operation, **arguments, **place, Limit=size)

        return read

    def _arguments(self) -> dict[str, Any]:
        plan = self.plan
        partition = plan.partition is not None and plan.path.index is None and plan.key_condition is None
        if partition and not plan.filters and plan.projection is None:
            return {
                "KeyConditionExpression": "#0 = :0",
                "ScanIndexForward": plan.forward,
                "ExpressionAttributeNames": {"#0": plan.path.partition},
                "ExpressionAttributeValues": {":0": plan.partition},
            }
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        arguments: dict[str, Any] = {} if plan.path.index is None else {"IndexName": plan.path.index}
        if plan.partition is not None:
            key = _partition_conditions(plan) + ([] if plan.key_condition is None else [plan.key_condition])
            arguments["KeyConditionExpression"] = condition_expression(reduce(and_, key), names, values)
            arguments["ScanIndexForward"] = plan.forward
        if plan.filters:
            arguments["FilterExpression"] = condition_expression(reduce(and_, plan.filters), names, values)
        if plan.projection is not None:
            paths = [Path([name]).serialize(names, values) for name in sorted(plan.projection)]
            arguments["ProjectionExpression"] = ", ".join(paths)
        if names:
            arguments["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
        if values:
            arguments["ExpressionAttributeValues"] = values
        return arguments


def whole_items(model: type[Model], items: Sequence[RawItem], on_call: OnCall) -> Sequence[RawItem | None]:
    """Up to 100 items whole, by a consistent read of the table, in the order given; None for a deleted item."""
    return items_of_keys(model, [key_of_item(model, raw) for raw in items], on_call)
