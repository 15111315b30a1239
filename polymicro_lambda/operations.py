"""One verb of one request: what it is called with, under which guard, and what its return value becomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from pynamodb.models import Model

from . import _pynamodb
from .actions import Method
from .exceptions import NotFound
from .guards import Guard, guarded
from .listing import Listing
from .negotiation import read_limit, read_query
from .pagination import Cursors
from .requests import Request
from .responses import Response, json_response
from .results import Result, encoder, is_collection, result_of
from .routing import Route
from .types import RawItem
from .verdicts import Ask, Verdict

PAGING = frozenset({"limit", "pagination_key"})
NO_CONTENT = 204


@dataclass(frozen=True)
class Operation:
    """A route, the request that it serves, and the verdict of its rule before the item is known."""

    route: Route
    request: Request
    verdict: Verdict
    cursors: Cursors
    user_id: str

    def run(self, body: Any) -> Response:
        """Call the verb and answer with what it returns; ``body`` is the request's JSON."""
        values = self._values(body)
        guard = Guard(self.verdict, self._visible, _seconds_left(self.request.context), self._bound)
        with guarded(guard):
            if self.route.about.detail:
                values["instance"] = self._instance()
            returned = self.route.call(**{name: values[name] for name in self.route.arguments})
            result = result_of(returned, is_list=self.route.verb == "list")
            if self.route.verb == "list" and is_collection(result.body):
                return self._listed(result, values["limit"])
            return self._answered(result)

    # --- what the verb is called with ------------------------------------------------------------------------

    def _values(self, body: Any) -> dict[str, Any]:
        """The arguments that a verb may ask for, without the instance; a refused body or query ends here."""
        values = {"request": self.request, "user": self.request.user}
        strict = "request" not in self.route.arguments
        if self.route.about.body:
            values["req"] = self._loaded(body)
        query = read_query(self.request, PAGING if self.route.verb == "list" else frozenset(), strict=strict)
        if self.route.verb == "list":
            values |= self._paging(query)
        if self.route.verb == "create":
            values["req"] |= self._bound
        return values

    def _loaded(self, body: Any) -> dict[str, Any]:
        schema = self.route.schema
        if self.route.http != "POST":
            load = {"PUT": schema.load_replace, "PATCH": schema.load_merge}
            return load[self.route.http](body)
        # An owner under | or ~ is the user where the body does not say.
        user, model = self.request.user, self.route.model
        owned = {n: o.value(user, model) for n, o in self.route.owned.items() if user is not None}
        owned = {name: value for name, value in owned.items() if value is not None}
        return owned | schema.load_create(body, optional=owned)

    def _paging(self, query: Mapping[str, str]) -> dict[str, Any]:
        cursor, resource = query.get("pagination_key"), self.route.resource
        return {
            "limit": read_limit(query.get("limit"), self.route.limit, resource.max_limit),
            "pagination_key": (
                None if cursor is None else self.cursors.open(cursor, self._scope, resource.cursor_max_age)
            ),
            "filters": {},
            "sort": None,
        }

    @cached_property
    def _scope(self) -> tuple[str, ...]:
        """What a cursor is good for: this user, this path."""
        return (self.user_id, self.route.template, *self.request.path_params.values())

    @cached_property
    def _bound(self) -> dict[str, Any]:
        """The attributes that the path and the rule say. Raises ``NotFound`` for what can be no key."""
        bound = {name: self._key(name, text) for name, text in self.request.path_params.items()}
        return bound | {n: o.value(self.request.user, self.route.model) for n, o in self.route.bound.items()}

    def _key(self, name: str, text: str) -> Any:
        try:
            return self.route.schema.parse_key(name, text)
        except ValueError as error:
            raise NotFound() from error

    def _instance(self) -> Model:
        """The item that the path names: read, unless the mixin's own write needs no more than its key."""
        key = {name: self._bound[name] for name in _pynamodb.declared(self.route.model).keys}
        if self.route.is_default and self.route.verb in ("update", "delete"):
            return _pynamodb.unread(self.route.model, key)
        instance: Model = self.route.resource.store.read(key)
        return instance

    def _visible(self, instance: Model, raw: RawItem) -> bool:
        """Whether the user may retrieve the item, and so may be told that it is there."""
        if self.route.visible is None:
            return False
        ask = Ask(self.request.user, Method("retrieve", "GET"), self.route.model)
        return Guard(self.route.visible.decide(ask)).allows(instance, raw)

    # --- what it returns -------------------------------------------------------------------------------------

    def _answered(self, result: Result) -> Response:
        if result.body is None:
            default = self.route.about.status if self.route.about.status == NO_CONTENT else NO_CONTENT
            return Response(result.status or default, _lower(result.headers))
        default = 200 if self.route.about.status == NO_CONTENT else self.route.about.status
        body = [self._item(i) for i in result.body] if is_collection(result.body) else self._item(result.body)
        headers = self._location(result.body) | _lower(result.headers)
        return self._json(result.status or default, body, headers)

    def _listed(self, result: Result, limit: int) -> Response:
        resource = self.route.resource
        page = Listing(limit, resource.read_budget).page(result.body, result.key)
        cursor = None if page.key is None else self.cursors.seal(page.key, self._scope)
        items = [self._item(item) for item in page.items]
        query = urlencode({"limit": limit, "pagination_key": cursor}, quote_via=quote)
        link = {} if cursor is None else {"link": f'<?{query}>; rel="next"'}
        body = {"items": items, "pagination_key": cursor} if resource.envelope else items
        return self._json(result.status or self.route.about.status, body, link | _lower(result.headers))

    def _json(self, status: int, body: Any, headers: Mapping[str, str]) -> Response:
        return json_response(status, body, headers, encoder(self._item))

    def _item(self, value: Any) -> Any:
        """An instance as it goes out; any other value as it is."""
        if not isinstance(value, Model):
            return value
        return self.route.resource.represent(self.route.schema.dump(value), value, self.request)

    def _location(self, body: Any) -> dict[str, str]:
        """Where a new item is, relative to the request's URL, so that stages do not matter (RFC 9110, 10.2.2)."""
        item = self.route.resource.item
        if self.route.verb != "create" or item is None or not isinstance(body, self.route.model):
            return {}
        segments = item.segments_of(body, self.request.path_params)
        # The last segment of the request's path is what a relative reference replaces (RFC 3986, section 5.2.3).
        kept = len(self.request.segments) - (0 if self.request.slash else 1)
        return {"location": "/".join(segments[kept:])}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _seconds_left(context: Any) -> Callable[[], float]:
    """The seconds until Lambda ends the invocation; forever where the context does not say."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: remaining() / 1000) if callable(remaining) else Guard().seconds_left
