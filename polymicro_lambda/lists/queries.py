"""A plan carried out: DynamoDB's Query or Scan, page by page, and a second read where an index lacks attributes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import and_
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    LARGEST_PAGE,
    PAGE_GROWTH,
    IteratorStart,
    ReadPage,
    batch_pages,
    condition_expression,
    has_all_attributes,
    items_of_keys,
    key_of_item,
)
from polymicro_lambda.rules import concerns_route, holds
from polymicro_lambda.types import RawItem

from .access_paths import access_paths_of
from .cursors import foreign_key, is_start_key
from .merged_queries import KeyBounds, MergedQueries
from .plans import Plan
from .rows import OnCall, Rows

INDEX_MEMBER = ""
"""A cursor's member with the index's name; no attribute has an empty name (DynamoDB: 1 to 255 bytes)."""


def rows_of(model: type[Model], plan: Plan, *, pagination_key: Any, limit: int) -> Rows:
    """The rows of a plan from ``pagination_key`` on. Raises ``BadRequest`` for a key of another access path."""
    start, passed = (None, False) if pagination_key is None else _start_key(plan, pagination_key)
    if plan.empty or passed:
        pages: Iterator[ReadPage] = iter(())
    elif plan.keys is not None:
        pages = batch_pages(model, plan.keys, start, limit)
    elif plan.partitions:
        pages = MergedQueries(plan, limit, partial(_read, model, plan)).pages(start)
    else:
        pages = _Query(model, plan, limit).pages(start)
    complete = partial(_whole_items, model) if plan.completes else None
    return Rows(
        model,
        pages,
        limit,
        plan.checks,
        complete,
        certain=plan.certain,
        signed={INDEX_MEMBER: {"S": plan.path.index or ""}},
    )


def rows_from(iterator: "ResultIterator[Any]") -> Rows:
    """The rows of a PynamoDB query or scan, from where it stands; whole, also where index or call leaves some out."""
    model, limit = dynamodb.model_of_iterator(iterator), dynamodb.limit_of_iterator(iterator)
    start = iterator.last_evaluated_key if limit == 0 else None
    index = dynamodb.index_of_iterator(iterator)
    lacks = model is not None and (
        (concerns_route(model) and not dynamodb.read_all_attributes(iterator))
        or not has_all_attributes(model, index)
    )
    complete = partial(_whole_items, model) if model is not None and lacks else None
    return Rows(model, dynamodb.pages_of_iterator(iterator), limit, complete=complete, start=start)


def check_start(iterator: "ResultIterator[Any]") -> None:
    """Raise ``BadRequest`` where a PynamoDB query or scan starts after a key that is none of its own.

    DynamoDB would refuse it. What cannot be told without a call is left to DynamoDB.
    """
    model, start = dynamodb.model_of_iterator(iterator), dynamodb.start_of_iterator(iterator)
    paths = () if model is None else access_paths_of(model)
    path = next((one for one in paths if one.index == start.index), None)
    if path is None or not is_start_key(start.key):
        return
    if start.key.keys() != path.keys or not all(
        holds(condition, start.key) for condition in _bounds(start, path.partition)
    ):
        raise foreign_key()


def _bounds(start: IteratorStart, partition: str) -> Iterator[Condition]:
    if start.partition is not None:
        [kind] = start.key[partition]
        yield Path([partition]) == Value({kind: start.partition})
    if start.sort_condition is not None:
        yield start.sort_condition


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


def _whole_items(model: type[Model], items: Sequence[RawItem], on_call: OnCall) -> Sequence[RawItem | None]:
    """Up to 100 items whole, by a consistent read of the table, in the order given; None for a deleted item."""
    return items_of_keys(model, [key_of_item(model, raw) for raw in items], on_call)
