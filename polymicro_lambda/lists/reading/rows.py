"""The rows of a list: read page by page, checked one by one, with an exact key after each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ReadPage, model_info, translating_errors
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import FieldSelection, instance_of, is_live, report_unreadable
from polymicro_lambda.lists.cursors import Page
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.rules import (
    ConditionCheck,
    TextEquals,
    current_guard,
    evaluator,
    guard_for,
    is_opaque,
    mark_judged,
    predicate_of,
    prefetch_related,
    related_checks,
)
from polymicro_lambda.types import RawItem

PAGE_SECONDS = 2.0
"""With less time left a page ends where it stands."""
CHUNK = 100
"""Rows that are checked at a time: the keys of one BatchGetItem (DynamoDB API reference)."""

OnCall: TypeAlias = Callable[[], None]
"""Called once for each call of DynamoDB."""
_Chunk: TypeAlias = Sequence[RawItem]
"""Some rows of a page, as stored."""
_KeyAfter: TypeAlias = Callable[[int], Any]
"""Gives the key after the item at an index of its chunk."""


@dataclass(slots=True)
class _Budget:
    """The calls that a page may still make."""

    left: int

    def spend(self, calls: int = 1) -> None:
        self.left -= calls


@dataclass(slots=True)
class Rows:
    """A query or scan that has not been read yet; iterating reads all of it, under the request's rule."""

    model: type[Model] | None
    """The model of the items; None gives them as stored."""
    pages: Iterator[ReadPage]
    limit: int | None
    """The most rows to give, None for all."""
    checks: Sequence[Condition] = ()
    """The conditions that DynamoDB could not check."""
    complete: Callable[[Sequence[RawItem], OnCall], Sequence[RawItem | None]] | None = None
    """Reads the items of an index again, whole and in their order; None for a deleted item."""
    start: Any = None
    """The key of a page of no rows (``limit=0``)."""
    certain: bool = False
    """The key condition is the rule: the rule holds on every row that DynamoDB gives."""
    signed: Mapping[str, Any] = field(default_factory=dict)
    """Members of a cursor's key besides the item's key."""

    def __iter__(self) -> Iterator[Any]:
        chunks = (chunk for page in self._translated_pages() for chunk, _ in _chunks(page))
        return islice((row for chunk in chunks for _, row in self._visible_rows(chunk)), self.limit)

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
            texts = None if checks else self._texts(chunk, selection)
            if texts is not None:
                texts = texts[: size - len(items)]
                items += texts
                places += zip(repeat(key_after), range(len(texts)))
                if len(items) == size:
                    return self._page(items, places, key_after(len(texts) - 1))
                key = key_after(len(chunk) - 1)
                continue
            for number, row in self._visible_rows(chunk, checks, budget.spend, selection):
                items.append(row)
                places.append((key_after, number))
                if len(items) == size:
                    return self._page(items, places, key_after(number))
            key = key_after(len(chunk) - 1)
        return self._page(items, places, key)

    def array(self, size: int, selection: FieldSelection | None) -> tuple[str, Any] | None:
        """The rows of ``page`` as one JSON array, and its key, where a single read gives them and no row is left out.

        None where rows have to be checked one by one; ``page`` does not read again what was read here.
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
        text = selection.array(page.items) if self._all_visible(page.items, selection) else None
        return None if text is None else (text, self._sign(key))

    def number(self, read_budget: int, checks: Sequence[Condition] = ()) -> int | None:
        """How many rows pass, whatever the limit; None where the read budget (calls) or the time is too small."""
        budget, total, key = _Budget(read_budget), 0, None
        for chunk, key_after in self._read(budget):
            total += sum(1 for _ in self._visible_rows(chunk, checks, budget.spend))
            key = key_after(len(chunk) - 1)
        return total if key is None else None

    def _page(self, items: list[Any], places: list[tuple[_KeyAfter, int]], key: Any) -> Page:
        def after(place: int) -> Any:
            key_after, number = places[place]
            return self._sign(key_after(number))

        return Page(tuple(items), self._sign(key), after)

    def _read(self, budget: _Budget) -> Iterator[tuple[_Chunk, _KeyAfter]]:
        """Chunks, each with its function for keys, until the budget or the time is spent."""
        completes = self.complete is not None
        for page in self._translated_pages():
            budget.spend(page.calls)
            for chunk in _chunks(page):
                yield chunk
                if seconds_left() < PAGE_SECONDS or (completes and budget.left < 1):
                    return
            if budget.left < 1 + completes:  # a read takes a second one that completes it
                return

    def _sign(self, key: Any) -> Any:
        if key is not None and None in key.values():
            raise ConfigurationError("a list verb gave a query whose projection leaves out the keys")
        return key and {**key, **self.signed}

    def _translated_pages(self) -> Iterator[ReadPage]:
        with translating_errors():
            yield from self.pages

    def _visible_rows(
        self,
        chunk: _Chunk,
        checks: Sequence[Condition] = (),
        on_call: OnCall = lambda: None,
        selection: FieldSelection | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """The rows that the user may see, each with its index in the chunk."""
        items: Sequence[RawItem | None] = chunk
        if self.complete is not None and chunk:
            with translating_errors():
                items = self.complete(chunk, on_call)
        if checks_of := related_checks(current_guard().verdict):
            for _ in range(prefetch_related(checks_of, [raw for raw in items if raw is not None])):
                on_call()
        tests = [evaluator(check) for check in (*self.checks, *checks)]
        text_of = self._text_function(selection)
        for number, raw in enumerate(items):
            if raw is None or (tests and not all(test(raw) for test in tests)):
                continue
            row = text_of(raw)
            row = self._instance(raw) if row is None else row
            if row is not None:
                yield number, row

    def _texts(self, chunk: _Chunk, selection: FieldSelection | None) -> Sequence[Any] | None:
        """The JSON texts of a chunk, None where its rows have to be checked one by one."""
        if selection is None or not self._all_visible(chunk, selection):
            return None
        return selection.texts(chunk)

    def _all_visible(self, chunk: _Chunk, selection: FieldSelection) -> bool:
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
        return all(map(verdict.holds, chunk))

    def _text_function(self, selection: FieldSelection | None) -> Callable[[RawItem], Any]:
        """A function from a stored item to its JSON text: None for a hidden item, or one that needs an instance."""
        verdict, model = current_guard().verdict, self.model
        if selection is None or model is None or selection.model is not model or is_opaque(verdict):
            return lambda _: None
        text_of, lasts = selection.text, model_info(model).lasting
        if verdict is True and lasts:
            return text_of
        if isinstance(verdict, bool):
            return lambda raw: text_of(raw) if verdict and is_live(model, raw) else None
        holds = predicate_of(verdict)
        return lambda raw: text_of(raw) if holds(raw) and (lasts or is_live(model, raw)) else None

    def _instance(self, raw: RawItem) -> Any:
        """The instance of a stored item, None where it is gone, hidden or poison."""
        if self.model is None:
            return raw
        if not is_live(self.model, raw):
            return None
        try:
            instance = instance_of(self.model, raw)
        except Exception as error:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
            report_unreadable(self.model, raw, "was left out of a list", error)
            return None
        guard = guard_for(self.model)
        return mark_judged(instance, guard) if guard.allows(instance, raw) else None


def _chunks(page: ReadPage) -> Iterator[tuple[_Chunk, _KeyAfter]]:
    """The rows of a page, some at a time, and the key after each; one empty chunk where it has none."""
    for start in range(0, max(len(page.items), 1), CHUNK):
        yield page.items[start : start + CHUNK], partial(page.key_after, start)
