"""What a verb returned becomes a response: items dumped, fields hidden, ETag, Link and Location set."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import JSON_TYPE, Request, Response, json_bytes, json_text
from polymicro_lambda.items import (
    EntityTagger,
    FieldSelection,
    JSONText,
    is_unreadable,
    renderer_of,
    stored_item,
    unchanged_json,
    unchanged_text,
)
from polymicro_lambda.lists import Page, rows_from
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import (
    Guard,
    Verdict,
    as_stored,
    certainly_allows,
    current_guard,
    is_trusted,
    may_go_out,
    whole_rows,
)
from polymicro_lambda.types import RawItem

from .nested_instances import NestedInstances, shown_alone
from .request_guard import unless_known
from .response_limits import LONGEST_HEADER, json_size, without_item
from .verb_results import VerbResult, is_collection

NO_CONTENT = 204
_NULL = b"null"


@dataclass(slots=True)
class ResponseBuilder:
    """The answers of one request."""

    route: Route
    request: Request
    fields: frozenset[str] | None
    """The fields to show, None for all."""
    retrieval: Verdict = True
    """What must hold besides on an item that is shown: the rule for ``retrieve``, where the verb is an update."""
    _nested: NestedInstances | None = None

    def answered(self, result: VerbResult) -> Response:
        """The response to a body that is no page of a list; None is no body."""
        headers, body, default = result.headers, result.body, self.route.about.status
        if body is None:
            return Response(result.status or NO_CONTENT, headers)
        if isinstance(body, Model):
            body = shown_alone(body)
        if not self._retrievable(body):
            return without_item(Response(result.status or default, {**self._location(body), **headers}))
        if isinstance(body, self.route.model):
            headers = {**self._etag(body), **self._location(body), **headers}
        text = self._text(body) if isinstance(body, Model) else None
        if text is None:
            shown = self._collection(body) if is_collection(body) else self.item(body)
            self.nested.expect(shown)
            text = json_text(shown, self.nested.default)
        headers = {"content-type": JSON_TYPE, **headers}
        status = result.status or (200 if default == NO_CONTENT else default)
        return unless_known(self.route, self.request, Response(status, headers, text.encode()))

    def shown(self, raw: RawItem, tagger: EntityTagger) -> Response | None:
        """The response that shows a stored item of the model, None where its instance has to say."""
        route, selection = self.route, self.route.selection
        if selection is None or selection.names is not None or not certainly_allows(self.retrieval, raw):
            return None
        renderer = renderer_of(route.model)
        both = None if renderer is None else renderer.rendered(raw)
        text = selection.reader.text(raw) if both is None else both.text
        location = self._location_of(raw) if route.verb == "create" else ""
        if text is None or location is None:
            return None
        tag = tagger.strong(route.model, raw) if both is None else tagger.of_content(both.content)
        headers = {"content-type": JSON_TYPE, "etag": tag}
        if location:
            headers["location"] = location
        return Response(route.about.status, headers, text.encode())

    def _location_of(self, raw: RawItem) -> str | None:
        """Where a new item is, None where its instance has to say."""
        item = self.route.resource.item
        path = None if item is None else item.path_of(raw, self._kept())
        return path if path is None or len(path) <= LONGEST_HEADER else ""

    def _kept(self) -> int:
        """How many segments a relative reference leaves: all but the request's last (RFC 3986, section 5.2.3)."""
        return len(self.request.segments) - (0 if self.request.has_trailing_slash else 1)

    def listed(self, result: VerbResult, page: Page, cursor: str | None, limit: int) -> Response:
        """The response to a page of a list, and the link to the next one (RFC 8288)."""
        return self.paged(result, self._items(page.items), page.key, cursor, limit)

    def paged(self, result: VerbResult, items: bytes, key: Any, cursor: str | None, limit: int) -> Response:
        """The same of items that are a JSON array already."""
        body = items
        if self.route.resource.envelope:
            body = b'{"items":%b,"pagination_key":%b}' % (
                items,
                _NULL if cursor is None else json_bytes(cursor),
            )
        headers = {
            "etag": self._page_tag(items, self._place(key)),
            "content-type": JSON_TYPE,
            **self.link(cursor, limit),
            **result.headers,
        }
        return unless_known(
            self.route, self.request, Response(result.status or self.route.about.status, headers, body)
        )

    def _items(self, items: Sequence[Any]) -> bytes:
        """The rows of a page as one JSON array; those that are JSON already as they are."""
        rows = [one if type(one) is JSONText else self._row(one) for one in items]
        values = [one for one in rows if type(one) is not JSONText]
        if values:
            self.nested.expect(values)
            default = self.nested.default
            rows = [one if type(one) is JSONText else json_text(one, default) for one in rows]
        return f"[{','.join(rows)}]".encode()

    def _place(self, key: Any) -> bytes:
        """A pagination key as a tag tells it from others."""
        return _NULL if key is None else json_bytes(key, self.nested.default)

    def _row(self, value: Any) -> Any:
        text = self._text(value)
        return self.item(value) if text is None else JSONText(text)

    def _page_tag(self, items: bytes, key: bytes) -> str:
        """The weak tag of a page: two cursors to the same place are two texts, but the same page.

        It changes with half a cursor's age, so that no cursor in a page still known by its tag has expired.
        """
        half_lives = 0 if key == _NULL else int(time.time() / self.route.resource.cursor_max_age * 2)
        return current_guard().tagger.weak(b"[%b,%b,%d]" % (items, key, half_lives))

    @property
    def selection(self) -> FieldSelection | None:
        """What is shown of an item, where no instance is needed for that."""
        if self.fields is None:
            return self.route.selection
        if self.route.selection is None:
            return None
        names = self.route.schema.names
        return FieldSelection.of(self.route.model, [name for name in names if name in self.fields])

    def written(self, value: Any) -> int:
        """Bytes that an item takes in a page, at the most."""
        return json_size(self._items([value])[1:-1])

    def _retrievable(self, value: Any) -> bool:
        """Whether an instance can be shown, and the rule for ``retrieve`` lets it be, where the verb is an update."""
        if not isinstance(value, Model) or is_unreadable(value):
            return not isinstance(value, Model)
        if self.retrieval is True or not isinstance(value, self.route.model) or is_trusted(value):
            return True
        return Guard(self.retrieval).allows(value, as_stored(value))

    def _shows(self, value: Any) -> bool:
        """Whether a value may go out; what is no instance may."""
        return not isinstance(value, Model) or (may_go_out(value) and self._retrievable(value))

    @property
    def nested(self) -> NestedInstances:
        """The instances inside of other JSON as they go out: None where one may not."""
        if self._nested is None:
            self._nested = NestedInstances(lambda value: self.item(value) if self._shows(value) else None)
        return self._nested

    def item(self, value: Any) -> Any:
        """An instance as it goes out; any other value as it is."""
        if not isinstance(value, Model):
            return value
        interceptor = current_guard().interceptor
        if interceptor is not None:
            interceptor.shows(value)
        shown = unchanged_json(value) if self.route.schema.model is type(value) else None
        data = self.route.schema.dump(value) if shown is None else self.route.schema.selected(shown)
        if self.fields is not None:
            data = {name: one for name, one in data.items() if name in self.fields}
        return self.route.resource.represent(data, value, self.request)

    def _text(self, value: Any) -> str | None:
        """An instance as JSON text, where that is known without making anything of it."""
        selection = self.route.selection
        if selection is None or selection.model is not type(value) or selection.names is not None:
            return None
        text = None if self.fields is not None else unchanged_text(value)
        interceptor = None if text is None else current_guard().interceptor
        if interceptor is not None:
            interceptor.shows(value)
        return text

    def _collection(self, body: Any) -> list[Any]:
        """The items of a collection that the user may see."""
        rows = rows_from(body) if isinstance(body, ResultIterator) else body
        return [self.item(one) for one in whole_rows(rows) if self._shows(one)]

    def _etag(self, body: Model) -> dict[str, str]:
        """The strong tag of a whole item; a selection of its fields is another representation."""
        raw = stored_item(body)
        selected = "fields" in self.request.query and self.route.verb == "retrieve"
        return (
            {} if raw is None or selected else {"etag": current_guard().tagger.strong(self.route.model, raw)}
        )

    def link(self, cursor: str | None, limit: int) -> dict[str, str]:
        """The next page, as a reference that is a query alone, so that stages do not matter."""
        if cursor is None:
            return {}
        again = {name: values for name, values in self.request.query.items() if name != "pagination_key"}
        query = again | {"limit": (str(limit),), "pagination_key": (cursor,)}
        link = f'<?{urlencode(query, doseq=True, quote_via=quote)}>; rel="next"'
        if len(link) <= LONGEST_HEADER:
            return {"link": link}
        if self.route.resource.envelope:
            return {}
        # A bare array without a link would be the last page.
        raise BadRequest("There is a next page, but the query is too long to be said again: ask for less.")

    def _location(self, body: Model) -> dict[str, str]:
        """Where a new item is, relative to the request's URL (RFC 9110, section 10.2.2)."""
        item = self.route.resource.item
        if self.route.verb != "create" or item is None:
            return {}
        location = "/".join(item.segments_of(body, self.request.path_params, self._kept()))
        return {"location": location} if len(location) <= LONGEST_HEADER else {}
