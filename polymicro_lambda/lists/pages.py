"""What a list verb returned becomes one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda.items import FieldSelection, is_live
from polymicro_lambda.rules import as_stored, current_guard, holds

from .cursors import NO_KEY, Page
from .queries import rows_from
from .rows import Rows


@dataclass(slots=True)
class PageReader:
    """How a page is gathered."""

    limit: int
    """Its size in items."""
    read_budget: int
    """The most calls of DynamoDB that it may take."""
    checks: Sequence[Condition] = ()
    """Filters that the verb did not ask for, and so did not apply."""
    selection: FieldSelection | None = None
    """What is shown of each, where that takes no instance."""

    def page(self, body: Any, key: Any = NO_KEY) -> Page:
        """The page in what the verb returned; ``key`` is the pagination key that came with it."""
        rows = rows_from(body) if isinstance(body, ResultIterator) else body
        if isinstance(rows, Rows):
            page = rows.page(self.limit, self.read_budget, self.checks, self.selection)
            return page if key is NO_KEY else Page(page.items, key)
        return Page(tuple(filter(self._allowed, rows)), None if key is NO_KEY else key)

    def array(self, body: Any, key: Any = NO_KEY) -> tuple[str, Any] | None:
        """The page as JSON and its key, where no row has to be looked at; None leaves it to ``page``."""
        if key is not NO_KEY or self.checks or not isinstance(body, Rows):
            return None
        return body.array(self.limit, self.selection)

    def _allowed(self, row: Any) -> bool:
        if not isinstance(row, Model):
            return True
        raw = as_stored(row)
        passes = is_live(type(row), raw) and current_guard().allows(row, raw)
        return passes and all(holds(check, raw) for check in self.checks)
