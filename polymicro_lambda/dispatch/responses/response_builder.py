"""What a verb returned becomes a response: items dumped, fields hidden, ETag and Location set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from polymicro_lambda.dispatch.requests.request_guard import unless_known
from polymicro_lambda.dispatch.requests.shown_fields import ShownFields
from polymicro_lambda.dynamodb import is_outdated
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import JSON_TYPE, Request, Response, json_text
from polymicro_lambda.items import (
    EntityTagger,
    FieldSelection,
    JSONText,
    instance_of,
    is_unreadable,
    is_volatile,
    renderer_of,
    stored_item,
    unchanged_text,
)
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import rows_from
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import (
    Guard,
    Verdict,
    as_stored,
    certainly_allows,
    current_guard,
    is_to_be_completed,
    is_trusted,
    may_go_out,
    whole_rows,
)
from polymicro_lambda.types import RawItem

from .embedded_items import EmbeddedItems
from .item_dumper import ItemDumper
from .locations import location_headers, location_of_raw
from .nested_instances import NestedInstances, instances_in, shown_alone
from .response_limits import json_size, without_item
from .verb_results import VerbResult, is_collection

NO_CONTENT = 204


@dataclass
class ResponseBuilder:
    """The answers of one request."""

    route: Route
    request: Request
    fields: ShownFields
    retrieval: Verdict = True
    """What must hold besides on an item that is shown: the rule for ``retrieve``, where the verb is an update."""
    embedded: EmbeddedItems | None = None
    """What items embed of other resources, None for nothing."""
    represent: Callable[[Response], Response] | None = None
    """Makes of an answer in JSON the one that the request accepts, None where that is the same."""

    def answered(self, result: VerbResult) -> Response:
        """The response to a body that is no page of a list; None is no body."""
        headers, body, default = result.headers, result.body, self.route.about.status
        if body is None:
            return Response(result.status or NO_CONTENT, headers)
        if isinstance(body, Model):
            outdated = is_outdated(body)
            try:
                body = shown_alone(body)
            except HTTPError:
                if not outdated:
                    raise
                # It was written, and that is told, whatever has become of it since.
                return without_item(Response(result.status or default, headers))
        if isinstance(body, self.route.model):
            headers = {**location_headers(self.route, self.request, body), **headers}
        if not self._retrievable(body) or not self._can_embed(body):
            return without_item(Response(result.status or default, headers))
        content = self._content(body)
        if isinstance(body, self.route.model):
            headers = {**self._etag(body, content), **headers}
            content = self.route.list_settings.around_item(content)
        headers = {"content-type": JSON_TYPE, **headers}
        response = Response(result.status or (200 if default == NO_CONTENT else default), headers, content)
        return response if self.represent else unless_known(self.route, self.request, response)

    def _content(self, body: Any) -> bytes:
        text = self._text(body) if isinstance(body, Model) else None
        if text is not None:
            return text.encode()
        return self.json(self._collection(body) if is_collection(body) else self.item(body, alone=True))

    def shown(self, raw: RawItem, tagger: EntityTagger) -> Response | None:
        """The response that shows a stored item of the model, None where its instance has to say."""
        route, selection = self.route, self.route.selection
        if selection is None or selection.names is not None or not certainly_allows(self.retrieval, raw):
            return None
        renderer = renderer_of(route.model)
        both = None if renderer is None else renderer.rendered(raw)
        text = selection.reader.text(raw) if both is None else both.text
        location = location_of_raw(route, self.request, raw)
        if text is None or location is None:
            return None
        tag = tagger.strong(route.model, raw) if both is None else tagger.of_content(both.content)
        content = text.encode()
        headers = {"content-type": JSON_TYPE, "etag": tagger.shown(tag, content) if route.volatile else tag}
        if location:
            headers["location"] = location
        return Response(route.about.status, headers, self.route.list_settings.around_item(content))

    def json(self, value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
        """Any value as JSON, and instances in it as they go out; ``default`` is that of ``json.dumps``."""
        if self.embedded is not None:
            whole = (one for one in instances_in([value]) if not is_to_be_completed(one))
            self.expect([one for one in whole if self._shows(one)])
        self.nested.expect(value)
        return json_text(value, default or self.nested.default).encode()

    def items(self, items: Sequence[Any]) -> bytes:
        """The rows of a page as one JSON array; those that are JSON already as they are."""
        self.expect(items)
        rows = [one if type(one) is JSONText else self._row(one) for one in items]
        values = [one for one in rows if type(one) is not JSONText]
        if values:
            self.nested.expect(values)
            default = self.nested.default
            rows = [one if type(one) is JSONText else json_text(one, default) for one in rows]
        return f"[{','.join(rows)}]".encode()

    def _row(self, value: Any) -> Any:
        text = self._text(value)
        return self.item(value) if text is None else JSONText(text)

    @property
    def selection(self) -> FieldSelection | None:
        """What is shown of an item, where no instance is needed for that."""
        names = self.fields.names
        if self.embedded is not None or self.fields.by_item or self.route.selection is None:
            return None
        if names is None:
            return self.route.selection
        return FieldSelection.of(self.route.model, [one for one in self.route.schema.names if one in names])

    def written(self, value: Any) -> int:
        """Bytes that an item takes in a page, at the most."""
        return json_size(self.items([value])[1:-1])

    def _retrievable(self, value: Any) -> bool:
        """Whether an instance can be shown, and the rule for ``retrieve`` lets it be, where the verb is an update."""
        if not isinstance(value, Model) or is_unreadable(value):
            return not isinstance(value, Model)
        if self.retrieval is True or not isinstance(value, self.route.model) or is_trusted(value):
            return True
        return Guard(self.retrieval).allows(value, as_stored(value))

    def _can_embed(self, body: Any) -> bool:
        """Whether what an item embeds could be read, which is done here; an item that was written is told all the same.

        Raises where nothing has been written.
        """
        if self.embedded is None or not isinstance(body, self.route.model):
            return True
        try:
            self.embedded.load([body], alone=True)
        except HTTPError:
            if not current_guard().mark.has_written:
                raise
            return False
        return True

    def _shows(self, value: Any) -> bool:
        """Whether a value may go out; what is no instance may."""
        return not isinstance(value, Model) or (may_go_out(value) and self._retrievable(value))

    @lazy
    def nested(self) -> NestedInstances:
        """The instances inside of other JSON as they go out: None where one may not."""
        return NestedInstances(lambda value: self.item(value) if self._shows(value) else None)

    @lazy
    def dumper(self) -> ItemDumper:
        """Dumps the items."""
        return ItemDumper(self.route, self.request, self.fields)

    def item(self, value: Any, *, alone: bool = False) -> Any:
        """An instance as it goes out, ``alone`` or beside others; any other value as it is."""
        if not isinstance(value, Model):
            return value
        interceptor = current_guard().interceptor
        if interceptor is not None:
            interceptor.shows(value)
        if self.embedded is None or not isinstance(value, self.route.model):
            return self.dumper.dumped(value)
        hidden = self.fields.hidden(value)
        return self.dumper.dumped(value, self.embedded.members(value, hidden, alone=alone))

    def expect(self, values: Sequence[Any]) -> None:
        """Say which instances go out next: what they need of other items is loaded for all of them at once."""
        self.dumper.prepare(values)
        if self.embedded is not None:
            own = [one for one in values if isinstance(one, self.route.model)]
            self.embedded.load([one for one in own if not is_to_be_completed(one)])

    def _text(self, value: Any) -> str | None:
        """An instance as JSON text, where that is known without making anything of it."""
        selection = None if self.embedded is not None else self.route.selection
        if selection is None or selection.model is not type(value) or selection.names is not None:
            return None
        text = None if self.fields.names is not None else unchanged_text(value)
        interceptor = None if text is None else current_guard().interceptor
        if interceptor is not None:
            interceptor.shows(value)
        return text

    def _collection(self, body: Any) -> list[Any]:
        """The items of a collection that the user may see."""
        rows = rows_from(body) if isinstance(body, ResultIterator) else body
        self.expect(shown := [one for one in whole_rows(rows) if self._shows(one)])
        return [self.item(one) for one in shown]

    def current(self, instance: Model) -> tuple[Any, str]:
        """An item of the model as this user may see it, and the strong tag of that."""
        shown = self.item(instance, alone=True)
        content = self.json(shown)
        response = Response(200, {"content-type": JSON_TYPE, **self._etag(instance, content)}, content)
        return shown, (self.represent(response) if self.represent else response).headers.get("etag", "")

    def _etag(self, instance: Model, content: bytes) -> dict[str, str]:
        """The strong tag of an item that is shown as ``content``; none where it is not known what is stored."""
        raw, tagger = stored_item(instance), current_guard().tagger
        if raw is None:
            return {}
        stored = tagger.strong(self.route.model, raw)
        shows_stored = self._shows_stored(instance, raw, content)
        return {"etag": stored if shows_stored else tagger.shown(stored, content)}

    def _shows_stored(self, instance: Model, raw: RawItem, content: bytes) -> bool:
        """Whether everybody is shown this for the stored item: then its tag tells what is shown, too."""
        model = type(instance)
        shown = self.embedded is None and self.fields.names is None and not self.route.whole
        if not shown or is_volatile(model):
            return False
        if unchanged_text(instance) is not None:
            return True
        return content == self.json(self.route.schema.dump(instance_of(model, raw)))
