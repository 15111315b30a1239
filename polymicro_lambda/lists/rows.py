"""Rows of a list on their way to a page: read page by page, judged one by one, the cursor always exact."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ReadPage, model_info, translating_errors
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import FieldSelection, instance_of, is_live
from polymicro_lambda.observability import report_error, seconds_left
from polymicro_lambda.rules import ConditionCheck, TextEquals, current_guard, evaluator, is_opaque
from polymicro_lambda.types import RawItem

from .cursors import Page

PAGE_SECONDS = 2.0
"""With less time left a page ends where it stands."""
CHUNK = 100
"""Rows that are judged at a time: the keys of one BatchGetItem (DynamoDB API reference)."""


Called: TypeAlias = Callable[[], None]
"""Is told each call."""
_Chunk: TypeAlias = Sequence[RawItem]
"""Items as read."""
_KeyAfter: TypeAlias = Callable[[int], Any]
"""Gives the key after the item of this number in its chunk."""


@dataclass(slots=True)
class _Budget:
    """The reads that a page may still take."""

    left: int

    def spend(self) -> None:
        self.left -= 1


@dataclass(slots=True)
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
    certain: bool = False
    """The key condition says what the rule does: DynamoDB gives no row on which it does not hold."""
    signed: Mapping[str, Any] = field(default_factory=dict)
    """What a key to go on from says besides the place."""

    def __iter__(self) -> Iterator[Any]:
        chunks = (chunk for page in self._answered() for chunk, _ in _chunks(page))
        return islice((row for chunk in chunks for _, row in self._judged(chunk)), self.limit)

    def page(
        self,
        size: int,
        read_budget: int,
        checks: Sequence[Condition] = (),
        selection: FieldSelection | None = None,
    ) -> Page:
        """The first ``size`` rows that pass, or fewer where the read budget (calls) or the time is spent.

        The page's key is exact: it stands after the last row given, or after the last one read. An index that lacks
        attributes is read at least once, and completed once, so that the list comes to an end. Rows are instances, or
        where there is a ``selection`` and no rule needs an instance, JSON text.
        """
        size = size if self.limit is None else min(size, self.limit)
        if size == 0:
            return Page((), self.start)
        budget = _Budget(read_budget)
        items: list[Any] = []
        places: list[tuple[_KeyAfter, int]] = []
        key = None
        for chunk, key_after in self._read(budget):
            texts = None if checks else self._at_once(chunk, selection)
            if texts is not None:
                texts = texts[: size - len(items)]
                items += texts
                places += zip(repeat(key_after), range(len(texts)))
                if len(items) == size:
                    return self._page(items, places, key_after(len(texts) - 1))
                key = key_after(len(chunk) - 1)
                continue
            for number, row in self._judged(chunk, checks, budget.spend, selection):
                items.append(row)
                places.append((key_after, number))
                if len(items) == size:
                    return self._page(items, places, key_after(number))
            key = key_after(len(chunk) - 1)
        return self._page(items, places, key)

    def array(self, size: int, selection: FieldSelection | None) -> tuple[str, Any] | None:
        """All that ``page`` gives as one JSON array, and its key, where one read gives it and no row is left out.

        None where rows are to be looked at one by one: what is read by then, ``page`` does not read again.
        """
        size = size if self.limit is None else min(size, self.limit)
        if size == 0 or selection is None:
            return None
        with translating_errors():
            page = next(self.pages, None)
        if page is None:
            return "[]", None
        self.pages = chain((page,), self.pages)
        count, key = len(page.items), page.last_key
        if count > min(size, CHUNK) or (count < size and key is not None):
            return None
        text = selection.array(page.items) if self._passes(page.items, selection) else None
        return None if text is None else (text, self._sign(key))

    def _page(self, items: list[Any], places: list[tuple[_KeyAfter, int]], key: Any) -> Page:
        def after(place: int) -> Any:
            key_after, number = places[place]
            return self._sign(key_after(number))

        return Page(tuple(items), self._sign(key), after)

    def _read(self, budget: _Budget) -> Iterator[tuple[_Chunk, _KeyAfter]]:
        """Chunks, and what tells the key after each of their rows, until the budget or the time is spent."""
        completes = self.complete is not None
        for page in self._answered():
            budget.spend()
            for chunk in _chunks(page):
                yield chunk
                if seconds_left() < PAGE_SECONDS or (completes and budget.left < 1):
                    return
            if budget.left < 1 + completes:  # what is read has to be completed too
                return

    def _sign(self, key: Any) -> Any:
        if key is not None and None in key.values():
            raise ConfigurationError("a list verb gave a query whose projection leaves out the keys")
        return key and {**key, **self.signed}

    def _answered(self) -> Iterator[ReadPage]:
        with translating_errors():
            yield from self.pages

    def _judged(
        self,
        chunk: _Chunk,
        checks: Sequence[Condition] = (),
        called: Called = lambda: None,
        selection: FieldSelection | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """The rows that the user may see, each with its number in the chunk."""
        items: Sequence[RawItem | None] = chunk
        if self.complete is not None and chunk:
            with translating_errors():
                items = self.complete(chunk, called)
        tests = [evaluator(check) for check in (*self.checks, *checks)]
        shown = self._short_way(selection)
        for number, raw in enumerate(items):
            if raw is None or (tests and not all(test(raw) for test in tests)):
                continue
            row = shown(raw)
            row = self._seen(raw) if row is None else row
            if row is not None:
                yield number, row

    def _at_once(self, chunk: _Chunk, selection: FieldSelection | None) -> Sequence[Any] | None:
        """All rows of a chunk as they go out, None where they are to be looked at one by one."""
        if selection is None or not self._passes(chunk, selection):
            return None
        return selection.texts(chunk)

    def _passes(self, chunk: _Chunk, selection: FieldSelection) -> bool:
        """Whether it is certain, without an instance, that the user may see all rows of a chunk."""
        verdict, model = current_guard().verdict, self.model
        if selection.model is not model or self.complete is not None or self.checks:
            return False
        if (
            not (verdict is True or isinstance(verdict, ConditionCheck))
            or not model_info(selection.model).lasting
        ):
            return False
        if verdict is True or self.certain:
            return True
        if isinstance(verdict, TextEquals):
            return [raw.get(verdict.name) for raw in chunk].count(verdict.value) == len(chunk)
        return all(map(verdict.predicate(), chunk))

    def _short_way(self, selection: FieldSelection | None) -> Callable[[RawItem], Any]:
        """What gives an item as it goes out, or None where it is not to be seen, or only an instance can say."""
        verdict, model = current_guard().verdict, self.model
        if selection is None or model is None or selection.model is not model or is_opaque(verdict):
            return lambda _: None
        shown, lasts = selection.text, model_info(model).lasting
        if verdict is True and lasts:
            return shown
        if isinstance(verdict, bool):
            return lambda raw: shown(raw) if verdict and is_live(model, raw) else None
        holds = verdict.predicate()
        return lambda raw: shown(raw) if holds(raw) and (lasts or is_live(model, raw)) else None

    def _seen(self, raw: RawItem) -> Any:
        """The instance of a stored item, None where it is gone, hidden or poison."""
        if self.model is None:
            return raw
        if not is_live(self.model, raw):
            return None
        try:
            instance = instance_of(self.model, raw)
        except Exception as error:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
            _left_out(self.model, raw, error)
            return None
        return instance if current_guard().allows(instance, raw) else None


def _chunks(page: ReadPage) -> Iterator[tuple[_Chunk, _KeyAfter]]:
    """The rows of a page, some at a time, and the key after each; one empty chunk where it has none."""
    for start in range(0, max(len(page.items), 1), CHUNK):
        yield page.items[start : start + CHUNK], partial(page.key_after, start)


def _left_out(model: type[Model], raw: RawItem, cause: Exception) -> None:
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    digest = hashlib.sha256(repr([raw.get(name) for name in names]).encode()).hexdigest()[:16]
    message = "A row of %s cannot be read and was left out of a list"
    report_error(message, model.__name__, cause=cause, key_sha256=digest)
