"""The rows of a plan, as a list verb has them: one page, remembered, which a verb may count or wrap."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ReadPage
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import FieldSelection
from polymicro_lambda.lists.cursors import Page
from polymicro_lambda.lists.planning.plans import Plan
from polymicro_lambda.lists.requested_lists import RequestedList
from polymicro_lambda.types import RawItem

from .rows import OnCall, Rows


class WrappedPage:
    """A page in a body of the verb's own."""

    __slots__ = ("body", "rows")

    def __init__(self, rows: "ListedRows", body: Any) -> None:
        self.rows = rows
        self.body = body


class ListedRows(Rows):
    """What ``super().list(…)`` and ``self.store.rows(…)`` return.

    In a list verb it is the page that is asked for: iterated, it gives the page's rows, each time the same ones. They
    are read once. Elsewhere, as in an action, it gives all rows up to its limit, and reads them as it goes.
    """

    __slots__ = ("_asked", "_count", "_model", "_plan", "_read_budget", "_read_page")

    def __init__(
        self,
        model: type[Model],
        pages: Iterator[ReadPage],
        limit: int,
        checks: Sequence[Condition] = (),
        complete: Callable[[Sequence[RawItem], OnCall], Sequence[RawItem | None]] | None = None,
        *,
        certain: bool,
        signed: Mapping[str, Any],
        plan: Plan,
        read_budget: int,
        count: Callable[[type[Model], Plan, int], int | None],
        asked: RequestedList | None,
    ) -> None:
        # As of all rows; a call of their ``__init__`` would cost more than all of this.
        self.model, self.pages, self.limit = model, pages, limit
        self.checks, self.complete, self.start = checks, complete, None
        self.certain, self.signed = certain, signed
        self._plan, self._read_budget, self._count = plan, read_budget, count
        self._asked = asked
        self._model = model
        self._read_page: Page | None = None

    def wrapped(self, body: Any) -> WrappedPage:
        """The page in a body of one's own, for a verb to return: ``page.wrapped({"articles": page})``.

        ``body`` is any JSON value. Where the page stands in it, its items go out as of any list; what is made of its
        rows by iterating it costs no second read. A dict gets the member of the cursor too, by the envelope's name,
        unless it has that.
        """
        return WrappedPage(self, body)

    def count(self) -> int | None:
        """The number of all items of the list, on all its pages; None where the read budget or the time is too small.

        It costs calls besides those of the page: at most ``read_budget``.
        """
        if self._asked is not None:
            self._asked.is_counted = True
        return self._count(self._model, self._plan, self._read_budget)

    def all(self) -> list[Any]:
        """All the rows, for an answer that has no pages. Raises ``ConfigurationError`` where it has some."""
        if self._asked is not None:
            raise ConfigurationError(
                "a list verb returned a page inside of other JSON: return page.wrapped({…}), for one page alone"
            )
        return [*self]

    def __iter__(self) -> Iterator[Any]:
        if self._asked is None:
            return super().__iter__()
        if self._read_page is None:
            self._read_page = super().page(self.limit or 0, self._asked.read_budget)
            self._asked.pages.append(self._read_page)
        return iter(self._read_page.items)

    def page(
        self,
        size: int,
        read_budget: int,
        checks: Sequence[Condition] = (),
        selection: FieldSelection | None = None,
    ) -> Page:
        """As of all rows; one that was iterated is that page, as far as there is room. Filters hold already."""
        checks = () if self._asked is not None else checks
        if self._read_page is None:
            return super().page(size, read_budget, checks, selection)
        return self._read_page.first(size) if len(self._read_page.items) > size else self._read_page

    def array(self, size: int, selection: FieldSelection | None) -> tuple[str, Any] | None:
        """As of all rows; None where they were iterated."""
        return super().array(size, selection) if self._read_page is None else None
