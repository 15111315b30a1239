"""A page of a list: rows judged one by one, poison left out, the page refilled, the cursor exact."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from . import _pynamodb
from .failures import answering
from .guards import current
from .pagination import Page
from .results import NO_KEY
from .types import RawItem

logger = logging.getLogger("polymicro_lambda")

PAGE_SECONDS = 2.0
"""With less time left a page ends where it stands."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How a page is gathered: its size in items, and the most DynamoDB pages that it may read."""

    limit: int
    read_budget: int

    def page(self, body: Any, key: Any = NO_KEY) -> Page:
        """The page in what a list verb returned; ``key`` is the pagination key that came with it."""
        if isinstance(body, ResultIterator):
            with answering():
                page = self._gathered(body)
            return page if key is NO_KEY else Page(page.items, key)
        rows = body if isinstance(body, list | tuple | set | frozenset) else islice(body, self.limit)
        return Page(tuple(filter(_allowed, rows)), None if key is NO_KEY else key)

    def _gathered(self, iterator: "ResultIterator[Any]") -> Page:
        """Read until the page is full, or the budget or the time is spent."""
        size = min(self.limit, _pynamodb.wanted(iterator) or self.limit)
        items: list[Any] = []
        key, pages = None, 0
        for raw, after in _pynamodb.rows(iterator):
            key = after
            if raw is not None:
                items += _judged(_pynamodb.model_of(iterator), raw)
                if len(items) == size:
                    break
                continue
            pages += 1
            if pages >= self.read_budget or current().seconds_left() < PAGE_SECONDS:
                break
        return Page(tuple(items), key)


def _allowed(row: Any) -> bool:
    return not isinstance(row, Model) or current().allows(row)


def _judged(model: type[Model] | None, raw: RawItem) -> Iterable[Any]:
    """The instance of a row that the user may see, or nothing."""
    if model is None:
        return (raw,)
    if not _pynamodb.is_live(model, raw):
        return ()
    try:
        instance = _pynamodb.instance_of(model, raw)
    except Exception:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
        _left_out(model, raw)
        return ()
    return (instance,) if current().allows(instance, raw) else ()


def _left_out(model: type[Model], raw: RawItem) -> None:
    names = [a.attr_name for a in _pynamodb.declared(model).keys.values()]
    digest = hashlib.sha256(repr([raw.get(name) for name in names]).encode()).hexdigest()[:16]
    logger.exception(
        "A row of %s cannot be read and was left out of a list", model.__name__, extra={"key_sha256": digest}
    )
