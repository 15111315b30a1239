"""The pages of a list become responses, each as its event source carries it: shorter where all would be too large."""

import time
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, cast
from urllib.parse import quote, urlencode

from polymicro_lambda.dispatch.requests.request_guard import unless_known
from polymicro_lambda.dispatch.requests.verb_request import VerbRequest
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import JSON_TYPE, Response, json_bytes
from polymicro_lambda.lists import NO_KEY, Page

from .formats import represented
from .response_builder import ResponseBuilder
from .response_limits import LONGEST_HEADER, body_room, fits, too_large
from .verb_results import VerbResult
from .wrapped_bodies import WrappedBody

SPARE = 16_384
"""Bytes of a page besides its items: the cursor, whose keys have 5 KB at most, and the envelope."""
_NULL = b"null"


@dataclass(slots=True)
class PageResponses:
    """Makes the answers of one list: from all that it gave, or from the first part of that."""

    asked: VerbRequest
    answers: ResponseBuilder
    result: VerbResult
    limit: int
    """The page size that was asked for."""
    wrapped: WrappedBody | None = None
    """What the verb returned around its page, None where that is the envelope's."""
    counts: bool = False
    """Whether the number of all items is told."""
    count: int | None = None
    """That number, None where it is not known."""

    def answer(self, page: Page) -> Response:
        """The answer that shows this page."""
        return self._response(self.answers.items(page.items), page.key)

    def whole(self, items: str, key: Any, source: str) -> Response | None:
        """The answer with this array of items, None where it is too large."""
        response = self._response(items.encode(), key)
        return response if fits(response.body, source) else None

    def fitting(self, page: Page, most: int) -> int:
        """How many of the page's items have room in so many bytes."""
        most = (most if self.wrapped is None else self.wrapped.room(most)) - SPARE
        sums = accumulate(self.answers.written(item) + 1 for item in page.items)
        return sum(size <= most for size in sums)

    def made_of_page(self, response: Response) -> Response:
        """The answer with other JSON that the verb made of its page: its ``Link`` leads to the next one.

        So it does where the verb returned a key with that JSON.
        """
        key, requested = self.result.key, self.asked.requested
        if key is NO_KEY:
            key = None if requested is None else requested.key_after
        link = self.link(self.asked.seal(key), is_in_body=False)
        return replace(response, headers={**link, **response.headers}) if link else response

    def link(self, cursor: str | None, *, is_in_body: bool = True) -> dict[str, str]:
        """The next page (RFC 8288), as a reference that is a query alone, so that stages do not matter.

        ``is_in_body``: the body has the cursor too, where the resource's envelope has a member for it.
        """
        if cursor is None:
            return {}
        query = self.asked.request.query
        again = {name: values for name, values in query.items() if name != "pagination_key"}
        again |= {"limit": (str(self.limit),), "pagination_key": (cursor,)}
        link = f'<?{urlencode(again, doseq=True, quote_via=quote)}>; rel="next"'
        if len(link) <= LONGEST_HEADER:
            return {"link": link}
        envelope = self.asked.route.list_settings.envelope
        if is_in_body and envelope is not None and envelope.key is not None:
            return {}
        # A page that has no cursor either would be the last.
        raise BadRequest("There is a next page, but the query is too long to be said again: ask for less.")

    def _response(self, items: bytes, key: Any) -> Response:
        """The answer with these items, a JSON array."""
        route, cursor, body = self.asked.route, self.asked.seal(key), items
        envelope, said = route.list_settings.envelope, _NULL if cursor is None else json_bytes(cursor)
        table = items
        if self.wrapped is not None:
            items, body = self._wrapped(items, said)
            table = table if self.wrapped.shows_page else items
        elif envelope is not None:
            body = envelope.around(items, said)
            if self.counts:
                number = self._number
                items, body = items + number, envelope.with_count(body, number)
        headers = {
            "etag": self._tag(items, key),
            "content-type": JSON_TYPE,
            **self.link(cursor),
            **self.result.headers,
        }
        response = Response(self.result.status or route.about.status, headers, body)
        if self.asked.representation is not None:
            return represented(self.asked, response, table)
        return unless_known(route, self.asked.request, response)

    @property
    def tells_count(self) -> bool:
        """Whether there is a place for the number of all items."""
        envelope = self.asked.route.list_settings.envelope
        return envelope is not None and (self.wrapped is None or self.wrapped.lacks(envelope.count))

    @property
    def _number(self) -> bytes:
        return json_bytes(self.count)

    def _wrapped(self, items: bytes, cursor: bytes) -> tuple[bytes, bytes]:
        """The verb's own body with these items: without a cursor, which is not of its content, and whole."""
        wrapped, envelope = cast("WrappedBody", self.wrapped), self.asked.route.list_settings.envelope
        content = wrapped.around(items)
        if envelope is None:
            return content, content
        if self.counts:
            content = wrapped.with_member(content, envelope.count, self._number)
        return content, wrapped.with_member(content, envelope.key, cursor)

    def _tag(self, items: bytes, key: Any) -> str:
        """The weak tag of a page: two cursors of one user to the same place are two texts, but the same page.

        It changes with half a cursor's age, so that no cursor in a page still known by its tag has expired.
        """
        tagger, place = self.asked.services.tagger, self.answers.json(key)
        if place == _NULL:
            return tagger.weak(b"[%b,null,0]" % items)
        half_lives = int(time.time() / self.asked.route.resource.cursor_max_age * 2)
        user = json_bytes(self.asked.services.user_id(self.asked.request.user))
        return tagger.weak(b"[%b,%b,%d,%b]" % (items, place, half_lives, user))


def fitting_page(page: Page, source: str, pages: PageResponses) -> Response:
    """The answer to a list, ended early where all of it would be too large; its cursor goes on right after.

    Raises ``InternalError`` where the first item alone is too large; its cursor goes on behind that one. And where a
    verb's own body is too large in which the page itself does not stand.
    """
    response = pages.answer(page)
    if fits(response.body, source) or page.after is None:
        return response
    if pages.wrapped is not None and not pages.wrapped.shows_page:
        raise too_large(source, of="What this list makes of its page")
    count = min(pages.fitting(page, body_room(source)), len(page.items) - 1)
    while count:
        response = pages.answer(page.first(count))
        if fits(response.body, source):
            return response
        count //= 2  # in another representation than JSON the items take more room
    error = too_large(source, of="The first item of this page")
    cursor = pages.asked.seal(page.first(1).key)
    envelope = pages.asked.route.list_settings.envelope
    member = "pagination_key" if envelope is None else envelope.key
    error.members |= {} if member is None else {member: cursor}
    error.headers |= pages.link(cursor)
    raise error
