"""Rows of a list on their way to a page: read page by page, judged one by one, the cursor always exact."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from . import _pynamodb
from ._pynamodb import ReadPage
from .conditions import holds
from .exceptions import ConfigurationError
from .failures import answering
from .guards import current
from .items import declared, is_live
from .observing import report_error
from .pagination import Page
from .types import RawItem

PAGE_SECONDS = 2.0
"""With less time left a page ends where it stands."""
CHUNK = 100
"""Rows that are judged at a time: the keys of one BatchGetItem (DynamoDB API reference)."""


Called: TypeAlias = Callable[[], None]
"""Is told each call."""
_Chunk: TypeAlias = Sequence[tuple[RawItem, Any]]
"""Items as read, each with the key after it."""


@dataclass(slots=True)
class _Budget:
    """The reads that a page may still take."""

    left: int

    def spend(self) -> None:
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A query or scan that has not been read yet; iterating reads all of it, under the request's rule."""

    model: type[Model] | None
    """What its items are; None gives them raw."""
    pages: Iterator[ReadPage]
    limit: int | None
    """The most rows that it was asked for, None for all."""
    checks: Sequence[Condition] = ()
    """What DynamoDB could not check."""
    complete: Callable[[Sequence[RawItem], Called], Sequence[RawItem | None]] | None = None
    """Reads the items of an index again, whole and in their order; None for one that is gone. It tells its calls."""
    start: Any = None
    """The key to go on from where no row is asked for."""
    signed: Mapping[str, Any] = field(default_factory=dict)
    """What a key to go on from says besides the place."""

    def __iter__(self) -> Iterator[Any]:
        rows = (row for page in self._answered() for chunk in _chunks(page) for _, row in self._judged(chunk))
        return islice(rows, self.limit)

    def page(self, size: int, read_budget: int, checks: Sequence[Condition] = ()) -> Page:
        """The first ``size`` rows that pass, or fewer where the read budget (calls) or the time is spent.

        The page's key is exact: it stands after the last row given, or after the last one read. An index that lacks
        attributes is read at least once, and completed once, so that the list comes to an end.
        """
        size = size if self.limit is None else min(size, self.limit)
        if size == 0:
            return Page((), self.start)
        budget = _Budget(read_budget)
        items: list[Any] = []
        places: list[Any] = []
        key = None
        for chunk, end in self._read(budget):
            key = end
            for after, row in self._judged(chunk, checks, budget.spend):
                items.append(row)
                places.append(after)
                if len(items) == size:
                    return self._page(items, places, after)
        return self._page(items, places, key)

    def _page(self, items: list[Any], places: list[Any], key: Any) -> Page:
        return Page(tuple(items), self._sign(key), lambda place: self._sign(places[place]))

    def _read(self, budget: _Budget) -> Iterator[tuple[_Chunk, Any]]:
        """Chunks and the key after each, until the budget or the time is spent."""
        completes = self.complete is not None
        for page in self._answered():
            budget.spend()
            for chunk in _chunks(page):
                yield chunk, chunk[-1][1] if chunk else page.last_key
                if current().seconds_left() < PAGE_SECONDS or (completes and budget.left < 1):
                    return
            if budget.left < 1 + completes:  # what is read has to be completed too
                return

    def _sign(self, key: Any) -> Any:
        if key is not None and None in key.values():
            raise ConfigurationError("a list verb gave a query whose projection leaves out the keys")
        return key and {**key, **self.signed}

    def _answered(self) -> Iterator[ReadPage]:
        with answering():
            yield from self.pages

    def _judged(
        self, chunk: _Chunk, checks: Sequence[Condition] = (), called: Called = lambda: None
    ) -> Iterator[tuple[Any, Any]]:
        """The rows that the user may see, each with the key after it."""
        items: Sequence[RawItem | None] = [raw for raw, _ in chunk]
        if self.complete is not None and chunk:
            with answering():
                items = self.complete([raw for raw, _ in chunk], called)
        for raw, (_, after) in zip(items, chunk, strict=True):
            if raw is not None and all(holds(check, raw) for check in (*self.checks, *checks)):
                yield from ((after, row) for row in self._seen(raw))

    def _seen(self, raw: RawItem) -> Sequence[Any]:
        """The instance of a stored item, or nothing where it is gone, hidden or poison."""
        if self.model is None:
            return (raw,)
        if not is_live(self.model, raw):
            return ()
        try:
            instance = _pynamodb.instance_of(self.model, raw)
        except Exception as error:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
            _left_out(self.model, raw, error)
            return ()
        return (instance,) if current().allows(instance, raw) else ()


def _chunks(page: ReadPage) -> Iterator[_Chunk]:
    """The rows of a page, some at a time; one empty chunk where it has none."""
    rows = list(page.rows())
    return (rows[start : start + CHUNK] for start in range(0, max(len(rows), 1), CHUNK))


def _left_out(model: type[Model], raw: RawItem, cause: Exception) -> None:
    names = [attribute.attr_name for attribute in declared(model).keys.values()]
    digest = hashlib.sha256(repr([raw.get(name) for name in names]).encode()).hexdigest()[:16]
    message = "A row of %s cannot be read and was left out of a list"
    report_error(message, model.__name__, cause=cause, key_sha256=digest)
