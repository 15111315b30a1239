"""A plan carried out: DynamoDB's Query and Scan, page by page, and the second read of what an index lacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from . import _pynamodb
from ._pynamodb import GROWTH, ReadPage
from .exceptions import BadRequest, ServiceUnavailable
from .failures import retry_after
from .plans import Plan
from .rows import Rows
from .types import RawItem

BATCH = 100
"""Keys of one BatchGetItem (DynamoDB API reference)."""
ROUNDS = 5
"""How often the keys that a BatchGetItem left unprocessed are asked for again."""


def rows_of(model: type[Model], plan: Plan, *, pagination_key: Any, limit: int) -> Rows:
    """The rows of a plan from ``pagination_key`` on. Raises ``BadRequest`` for a key of another access path."""
    if pagination_key is not None and set(pagination_key) != plan.path.keys:
        detail = "pagination_key belongs to another query: start again from the first page."
        raise BadRequest(detail, errors=[{"parameter": "pagination_key", "detail": detail}])
    pages = iter(()) if plan.empty else _Query(model, plan, limit).pages(pagination_key)
    return Rows(model, pages, limit, plan.checks, partial(_completed, model) if plan.completes else None)


@dataclass(frozen=True, slots=True)
class _Query:
    model: type[Model]
    plan: Plan
    limit: int

    def pages(self, start: Any) -> Iterator[ReadPage]:
        """The pages as DynamoDB gives them.

        Where rows can drop out, each page may be four times as large as the one before, so that a rare match does
        not take calls without end.
        """
        operation = "Scan" if self.plan.partition is None else "Query"
        arguments, size = self._arguments(), self.limit
        while True:
            place = {"ExclusiveStartKey": start} if start is not None else {}
            data = _pynamodb.execute(self.model, operation, **arguments, **place, Limit=size)
            start = data.get("LastEvaluatedKey")
            yield ReadPage(data["Items"], self.plan.path.keys, start)
            if start is None:
                return
            size *= GROWTH

    def _arguments(self) -> dict[str, Any]:
        plan = self.plan
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        arguments: dict[str, Any] = {} if plan.path.index is None else {"IndexName": plan.path.index}
        if plan.partition is not None:
            key: list[Condition] = [Path([plan.path.partition]) == Value(plan.partition)]
            key += [] if plan.key_condition is None else [plan.key_condition]
            arguments["KeyConditionExpression"] = reduce(and_, key).serialize(names, values)
            arguments["ScanIndexForward"] = plan.forward
        if plan.filters:
            arguments["FilterExpression"] = reduce(and_, plan.filters).serialize(names, values)
        if plan.projection is not None:
            paths = [Path([name]).serialize(names, values) for name in sorted(plan.projection)]
            arguments["ProjectionExpression"] = ", ".join(paths)
        if names:
            arguments["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
        if values:
            arguments["ExpressionAttributeValues"] = values
        return arguments


def _completed(model: type[Model], items: Sequence[RawItem]) -> Sequence[RawItem | None]:
    """The items whole, by consistent reads of the table, in the order given; None for one that is gone."""
    names = [attribute.attr_name for attribute in _pynamodb.declared(model).keys.values()]
    keys = [{name: raw[name] for name in names} for raw in items]
    found: dict[str, RawItem] = {}
    for start in range(0, len(keys), BATCH):
        for raw in _batch(model, keys[start : start + BATCH]):
            found[repr([raw[name] for name in names])] = raw
    return [found.get(repr([key[name] for name in names])) for key in keys]


def _batch(model: type[Model], keys: list[RawItem]) -> Iterator[RawItem]:
    """The items of up to 100 keys, in any order. Raises ``ServiceUnavailable`` if some stay unprocessed."""
    table = model.Meta.table_name
    for _ in range(ROUNDS):
        if not keys:
            return
        data = _pynamodb.batch_get(model, {table: {"Keys": keys, "ConsistentRead": True}})
        yield from data["Responses"].get(table, ())
        keys = data.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if keys:
        raise ServiceUnavailable("The database is busy: try again later.", headers=retry_after())
