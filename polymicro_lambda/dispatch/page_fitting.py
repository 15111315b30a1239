"""A page of a list as its event source carries it: shorter where all of it would be too large."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from polymicro_lambda.http import Response
from polymicro_lambda.lists import Page

from .response_builder import ResponseBuilder
from .response_limits import body_room, fits, too_large
from .verb_results import VerbResult

SPARE = 16_384
"""Bytes of a page besides its items: the cursor, whose keys have 5 KB at most, and the envelope."""


@dataclass(frozen=True, slots=True)
class PageResponses:
    """Makes the answers of one list: from all that it gave, or from the first part of that."""

    answers: ResponseBuilder
    result: VerbResult
    seal: Callable[[Any], str | None]
    limit: int
    """The page size that was asked for."""

    def answer(self, page: Page) -> Response:
        """The answer that shows this page."""
        return self.answers.listed(self.result, page, self.seal(page.key), self.limit)

    def whole(self, items: str, key: Any, source: str) -> Response | None:
        """The answer with this array of items, None where it is too large."""
        response = self.answers.paged(self.result, items.encode(), key, self.seal(key), self.limit)
        return response if fits(response.body, source) else None

    def fitting(self, page: Page, most: int) -> int:
        """How many of the page's items have room in so many bytes."""
        sums = accumulate(self.answers.written(item) + 1 for item in page.items)
        return sum(size <= most - SPARE for size in sums)


def fitting_page(page: Page, source: str, sheets: PageResponses) -> Response:
    """The answer to a list, ended early where all of it would be too large; its cursor goes on right after.

    Raises ``InternalError`` where the first item alone is too large; its ``pagination_key`` goes on behind that one.
    """
    response = sheets.answer(page)
    if fits(response.body, source) or page.after is None:
        return response
    count = min(sheets.fitting(page, body_room(source)), len(page.items) - 1)
    if count:
        return sheets.answer(page.first(count))
    error = too_large(source, of="The first item of this page")
    cursor = sheets.seal(page.first(1).key)
    error.members["pagination_key"] = cursor
    error.headers |= sheets.answers.link(cursor, sheets.limit)
    raise error
