"""PynamoDB's own queries and scans, which a verb may return, as rows."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.pagination import ResultIterator

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import IteratorStart, has_all_attributes
from polymicro_lambda.lists.cursors import foreign_key, is_start_key
from polymicro_lambda.lists.planning.access_paths import access_paths_of
from polymicro_lambda.rules import concerns_route, holds

from .queries import whole_items
from .rows import Rows


def rows_from(iterator: "ResultIterator[Any]") -> Rows:
    """The rows of a PynamoDB query or scan, from where it stands; whole, also where index or call leaves some out."""
    model, limit = dynamodb.model_of_iterator(iterator), dynamodb.limit_of_iterator(iterator)
    start = iterator.last_evaluated_key if limit == 0 else None
    index = dynamodb.index_of_iterator(iterator)
    lacks = model is not None and (
        (concerns_route(model) and not dynamodb.read_all_attributes(iterator))
        or not has_all_attributes(model, index)
    )
    complete = partial(whole_items, model) if model is not None and lacks else None
    return Rows(model, dynamodb.pages_of_iterator(iterator), limit, complete=complete, start=start)


def all_rows_of(iterator: "ResultIterator[Any]", start: Any) -> Rows | None:
    """All rows of a query or scan, none of which was read yet; None where it does not start after the key ``start``."""
    if dynamodb.start_of_iterator(iterator).key != start:
        return None
    again = dynamodb.restarted(iterator)
    return None if again is None else rows_from(again)


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
