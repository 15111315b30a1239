"""One page out of the value that a list verb returned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda.items import FieldSelection, is_live
from polymicro_lambda.rules import as_stored, holds, is_cleared, may_go_out, whole_rows

from .cursors import NO_KEY, Page
from .reading.iterators import all_rows_of, check_start, rows_from
from .reading.listed_rows import ListedRows, WrappedPage
from .reading.rows import Rows
from .requested_lists import requested_list


@dataclass(slots=True)
class PageReader:
    """Gathers the rows of one page."""

    limit: int
    """Its size in items."""
    read_budget: int
    """The most calls of DynamoDB that it may take."""
    checks: Sequence[Condition] = ()
    """Filters that the verb does not declare as an argument, and so did not apply."""
    selection: FieldSelection | None = None
    """The fields to show, where no instance is needed for them."""
    resumed: bool = False
    """The request has a pagination key: that a verb's query starts after a foreign key is the client's fault."""
    start: Any = None
    """That key, which a query of the verb's own starts after."""
    counts: bool = False
    """Whether the list is to be counted."""
    all_rows: Rows | None = field(default=None, init=False)
    """Those of a query of the verb's own, on all its pages, where it is to be counted and they are known."""

    def page(self, body: Any, key: Any = NO_KEY) -> Page:
        """The page of a verb's result; ``key`` is the pagination key that the verb returned with it."""
        body = body.rows if isinstance(body, WrappedPage) else body
        if self.resumed and isinstance(body, ResultIterator):
            check_start(body)
        if self.counts and isinstance(body, ResultIterator):
            self.all_rows = all_rows_of(body, self.start)
        rows = rows_from(body) if isinstance(body, ResultIterator) else body
        if isinstance(rows, Rows):
            page = rows.page(self.limit, self.read_budget, self.checks, self.selection)
            return page if key is NO_KEY else Page(page.items, key)
        items, asked = tuple(filter(self._allowed, whole_rows(rows))), requested_list()
        if key is NO_KEY:
            key = None if asked is None else asked.key_after
        return Page(items, key)

    def array(self, body: Any, key: Any = NO_KEY) -> tuple[str, Any] | None:
        """The page as a JSON array and its key, where no single row has to be checked; None leaves it to ``page``."""
        if key is not NO_KEY or self.checks or not isinstance(body, Rows):
            return None
        return body.array(self.limit, self.selection)

    def has_checked(self, body: Any, page: Page) -> bool:
        """Whether the filters that the verb did not apply could be checked on all rows of its page."""
        return isinstance(body, Rows | ResultIterator) or all(isinstance(row, Model) for row in page.items)

    def count(self, body: Any, page: Page, read_budget: int) -> int | None:
        """The number of all items of the list of which this is a page, None where that is not known.

        It is read by ``read_budget`` calls at most.
        """
        if page.key is None and not self.resumed:
            return len(page.items)
        rows = body.rows if isinstance(body, WrappedPage) else body
        if isinstance(rows, ListedRows):
            return rows.count()
        return None if self.all_rows is None else self.all_rows.number(read_budget, self.checks)

    def _allowed(self, row: Any) -> bool:
        if not isinstance(row, Model):
            return True
        if not may_go_out(row):
            return False
        raw = as_stored(row)
        passes = is_cleared(row) or is_live(type(row), raw)
        return passes and all(holds(check, raw) for check in self.checks)
