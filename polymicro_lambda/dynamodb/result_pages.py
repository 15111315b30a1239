"""The pages of a query or scan, and what one of PynamoDB's iterators was asked for: its private names stand here."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda.types import RawItem

PAGE_GROWTH = 4
"""How many times as large as the page before it each further page of a list may be."""
LARGEST_PAGE = 10_000
"""The most items that a page asks for: the 1 MB that a page holds has seldom more."""


@dataclass(slots=True)
class ReadPage:
    """One page as DynamoDB gave it."""

    items: Sequence[RawItem]
    key_names: Collection[str]
    """The attributes that make up a key to go on from."""
    last_key: Any
    """The key to read the next page from, None after the last page."""
    calls: int = 1
    """The calls of DynamoDB that it took."""

    def key_after(self, start: int, number: int) -> Any:
        """The key to go on from after item ``number``, counted from item ``start``.

        The key of the page's last item is DynamoDB's own.
        """
        place = start + number
        if place + 1 >= len(self.items):
            return self.last_key
        return {name: self.items[place].get(name) for name in self.key_names}


@dataclass(slots=True)
class IteratorStart:
    """Where a query or scan of PynamoDB's starts, and the bounds that its start key must keep."""

    key: Any
    index: str | None
    partition: Any
    """The value of the partition key, without its type; None for a scan."""
    sort_condition: Condition | None


def start_of_iterator(iterator: "ResultIterator[Any]") -> IteratorStart:
    """Where the next page of a query or scan starts."""
    source = iterator.page_iter
    partition = source._args[0] if source._args else None
    arguments = source._kwargs
    return IteratorStart(
        source.last_evaluated_key,
        arguments.get("index_name"),
        partition,
        arguments.get("range_key_condition"),
    )


def pages_of_iterator(iterator: "ResultIterator[Any]") -> Iterator[ReadPage]:
    """The pages of a query or scan; an iterator that was already begun goes on where it stands.

    Each further page may be four times as large, so that a rare match does not take calls without end.
    """
    source = iterator.page_iter
    if iterator._index < iterator._count:
        yield ReadPage(iterator._items[iterator._index :], list(source.key_names), source.last_evaluated_key)
    while not source._is_last_page:
        items = next(source).get("Items", [])
        yield ReadPage(items, list(source.key_names), source.last_evaluated_key)
        if source.page_size is not None:
            source.page_size = max(source.page_size, min(source.page_size * PAGE_GROWTH, LARGEST_PAGE))


def model_of_iterator(iterator: "ResultIterator[Any]") -> type[Model] | None:
    """The model whose instances a query or scan gives, None where it gives raw items."""
    model = getattr(iterator._map_fn, "__self__", None)
    return model if isinstance(model, type) and issubclass(model, Model) else None


def limit_of_iterator(iterator: "ResultIterator[Any]") -> int | None:
    """How many items the iterator has still to give, None for all."""
    limit: int | None = iterator._limit
    return limit


def index_of_iterator(iterator: "ResultIterator[Any]") -> str | None:
    """The index that a query or scan reads, None for the table."""
    index: str | None = iterator.page_iter._kwargs.get("index_name")
    return index


def read_all_attributes(iterator: "ResultIterator[Any]") -> bool:
    """Let a query or scan read all attributes from its next page on, whichever it names; they cost the same.

    False where it still has to give items that it has read without some.
    """
    projected = iterator.page_iter._kwargs.pop("attributes_to_get", None)
    return not projected or iterator._index == iterator._count
