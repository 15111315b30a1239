"""One verb of one request: what it is called with, and under which guard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import NotFound, PreconditionFailed, PreconditionRequired
from polymicro_lambda.http import Request, Response, bad_query, read_limit, read_query, wrong
from polymicro_lambda.idempotency import NO_KEYS, IdempotencyKeys, check_replay, key_of_path, record_entry
from polymicro_lambda.items import UNKEYED, Tagger, Tags, key_only_instance, serialized, stored_item
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import Cursors, Filters, PageReader, Plan, filter_conditions
from polymicro_lambda.observability import Observation
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import (
    ConditionCheck,
    Guard,
    Method,
    RuleContext,
    Verdict,
    begin_guard,
    end_guard,
    guarded,
    join_verdicts,
)
from polymicro_lambda.schemas import load_body
from polymicro_lambda.types import RawItem

from . import fast_path
from .answers import ResponseBuilder
from .bulk_create import BulkCreate
from .page_fitting import PageResponses, fitting_page
from .verb_results import VerbResult, is_collection, result_of

PAGING = frozenset({"limit", "pagination_key"})
KEY_IS_ENOUGH = frozenset({"update", "delete"})
"""The mixins' own verbs that need no more of an item than its key."""


@dataclass
class Operation:
    """A route, the request that it serves, and the verdict of its rule before the item is known."""

    route: Route
    request: Request
    verdict: Verdict
    cursors: Cursors
    user_id: Callable[[Any], str]
    tagger: Tagger = UNKEYED
    markers: IdempotencyKeys = NO_KEYS
    seen: Observation = field(default_factory=Observation)
    """What is noted of the request."""

    def run(self, body: Any) -> Response:
        """Call the verb and answer with what it returns; ``body`` is the request's JSON."""
        if self.route.verb == "retrieve" and (store := fast_path.fast_store(self)) is not None:
            return fast_path.fast_retrieve(self, body, store)
        many = isinstance(body, list) and self.route.takes_many
        bulk = BulkCreate(self.route, self.request, self.answers) if many else None
        values: Any = self._values(body) if bulk is None else bulk.loaded(body, self._values)
        guard = self.guard()
        journal = self.markers.journal(self.route, self.request, self.user_id, body)
        if journal is None and bulk is None:
            token = begin_guard(guard)
            try:
                way, store = fast_path.FAST_WRITES.get(self.route.verb), fast_path.fast_store(self)
                return self._act(values, guard) if way is None or store is None else way(self, values, store)
            finally:
                end_guard(token)
        act = partial(self._act, values, guard)
        if bulk is not None:
            act = partial(replace(bulk, journal=journal).run, values, self._called)
        with guarded(guard if journal is None else replace(guard, journal=journal)):
            if journal is None:
                return act()
            key = key_of_path(self.route, self.bound)
            journal.known += [] if key is None else [record_entry(self.route.model, key)]
            return journal.once(act, self._readable, partial(check_replay, self.route, key))

    def _called(self, values: Mapping[str, Any]) -> VerbResult:
        """What the verb returns."""
        returned = self.route.call(**{name: values[name] for name in self.route.arguments})
        return result_of(returned, is_list=self._lists)

    def _act(self, values: dict[str, Any], guard: Guard) -> Response:
        if self.route.about.detail:
            self.seen.phase = "fetch"
            values["instance"] = self._instance(guard)
        self.seen.phase = "verb"
        result = self._called(values)
        if not (self._lists and is_collection(result.body)):
            self.seen.phase = "dump"
            return self.answers.answered(result)
        checks, selection = self._checks(values), self.answers.selection
        listing = PageReader(values["limit"], self.route.resource.read_budget, checks, selection)
        sheets = PageResponses(self.answers, result, self._seal, values["limit"])
        found = listing.array(result.body, result.key)
        if found is not None:
            self.seen.phase = "dump"
            if (response := sheets.whole(*found, self.request.source)) is not None:
                return response
        page = listing.page(result.body, result.key)
        self.seen.phase = "dump"
        return fitting_page(page, self.request.source, sheets)

    def _seal(self, key: Any) -> str | None:
        return None if key is None else self.cursors.seal(key, self._scope)

    def plan(self) -> Plan:
        """How the mixin's own list would read what is asked for; nothing is read. Raises ``BadRequest``."""
        asked = self._paging()
        with guarded(self.guard()):
            return self.route.resource.planner.plan(asked["filters"], asked["sort"])

    @property
    def _lists(self) -> bool:
        return self.route.verb == "list"

    # --- the guard -------------------------------------------------------------------------------------------

    def guard(self) -> Guard:
        """What protects the request while its verb runs. Raises ``PreconditionRequired`` and ``NotFound``."""
        route, header = self.route, self.request.headers.get("if-match")
        tags = None if header is None else Tags.read(header, "If-Match")
        if tags is None and route.resource.require_if_match and route.verb in KEY_IS_ENOUGH:
            raise PreconditionRequired("Send If-Match with the ETag of the item that you mean to change.")
        return Guard(
            join_verdicts([self.verdict, *self._placed], every=True) if route.beyond else self.verdict,
            self._visible,
            self.bound,
            self._fields if self.request.query or not route.field_rules.free else None,
            tags,
            self.tagger,
            self._show,
        )

    def _show(self, instance: Model) -> Any:
        return self.answers.item(instance)

    @lazy
    def _placed(self) -> list[ConditionCheck]:
        """What the path says of an item beyond its key: ``/projects/1/tasks/2`` is a task of project 1."""
        if not self.route.beyond:
            return []
        attributes = self.route.model.get_attributes()
        return [ConditionCheck(_equals(attributes[name], self.bound[name])) for name in self.route.beyond]

    def _visible(self, instance: Model, raw: RawItem) -> bool:
        """Whether the user may retrieve the item, and so may be told that it is there."""
        if self.route.visible is None:
            return False
        ask = RuleContext(self.request.user, Method("retrieve", "GET"), self.route.model, self.request)
        return Guard(join_verdicts([self.route.visible.decide(ask), *self._placed], every=True)).allows(
            instance, raw
        )

    @lazy
    def bound(self) -> dict[str, Any]:
        """The attributes that the path and the rule say. Raises ``NotFound`` for what can be none, or not both."""
        route, bound = self.route, {}
        try:
            for name, text in self.request.path_params.items():
                bound[name] = route.schema.parse_key(name, text)
        except ValueError as error:
            raise NotFound() from error
        for name, owner in route.bound.items():
            value = owner.value(self.request.user, route.model)
            if bound.setdefault(name, value) != value:
                raise NotFound()
        return bound

    def _instance(self, guard: Guard) -> Model:
        """The item that the path names: read, unless the mixin's own write needs no more than its key."""
        key = {name: self.bound[name] for name in model_info(self.route.model).keys}
        header = None if self.route.method.safe else self.request.headers.get("if-none-match")
        unwanted = Tags.read(header, "If-None-Match")
        if self.route.is_default and self.route.verb in KEY_IS_ENOUGH and unwanted is None:
            return key_only_instance(self.route.model, key)
        instance: Model = self.route.resource.store.read(key)
        raw = stored_item(instance) or {}
        guard.check_match(instance, raw)
        if unwanted is not None and unwanted.match_weakly(self.tagger.strong(self.route.model, raw)):
            raise PreconditionFailed("The item is as If-None-Match says that it must not be.")
        return instance

    # --- what the verb is called with ------------------------------------------------------------------------

    def _values(self, body: Any) -> dict[str, Any]:
        """The arguments that a verb may ask for, without the instance; a refused body or query ends here."""
        values = {"request": self.request, "user": self.request.user, "req": {}}
        if self.route.about.body:
            values["req"] = self._taken(body) if self.route.is_action else self._loaded(body)
        if self.route.verb == "create":
            values["req"] |= self.bound
        if self.route.verb == "list" or self.request.query:
            values |= self._paging()
        return values

    def _taken(self, body: Any) -> Any:
        return body if self.route.takes is None else load_body(self.route.takes, body)

    def _loaded(self, body: Any) -> dict[str, Any]:
        route, schema, closed = self.route, self.route.schema, self._closed(body)
        if route.http == "PATCH":
            return schema.load_merge(body)
        if route.http == "PUT":
            return schema.load_replace(body, closed)
        offered = self._offered() if route.offered and self.request.user is not None else {}
        return offered | schema.load_create(body, {*route.bound, *offered, *closed})

    def _offered(self) -> dict[str, Any]:
        """What the user owns: an owner under | or ~ is the user where the body does not say."""
        user, model = self.request.user, self.route.model
        said = {name: owner.value(user, model) for name, owner in self.route.offered.items()}
        return {name: value for name, value in said.items() if value is not None}

    def _closed(self, body: Any) -> frozenset[str]:
        """The fields that the user may not write. Raises ``Unprocessable`` where the body holds one."""
        route = self.route
        if route.field_rules.free:
            return frozenset()
        return route.field_rules.closed(
            RuleContext(self.request.user, route.method, route.model, self.request), body
        )

    def _paging(self) -> dict[str, Any]:
        """The query, typed; empty for verbs that take none. Raises ``BadRequest``."""
        resource, query = self.route.resource, self._query if self.request.query else {}
        if not self._lists:
            return {}
        if not query:
            limit = min(self.route.limit, resource.max_limit)
            return {"limit": limit, "pagination_key": None, "filters": {}, "sort": None}
        cursor = query.get("pagination_key", (None,))[0]
        filters = self.route.filters.read(query, self.route.schema)
        sort = query.get("sort", (None,))[0]
        if sort is not None and sort.removeprefix("-") not in self._readable:
            raise bad_query([wrong("sort", "must be a field, or one with - before it for the other way")])
        limit = read_limit(query.get("limit", (None,))[0], self._page_size(filters), resource.max_limit)
        key = None if cursor is None else self.cursors.open(cursor, self._scope, resource.cursor_max_age)
        return {"limit": limit, "pagination_key": key, "filters": filters, "sort": sort}

    def _page_size(self, filters: Filters) -> int:
        """The page size where the request says none: room for all items that it names, as far as the resource lets."""
        last = list(model_info(self.route.model).keys)[-1]
        named = len(filters.get(last, {}).get("in", ()))
        return min(max(self.route.limit, named), self.route.resource.max_limit)

    @lazy
    def _query(self) -> Mapping[str, tuple[str, ...]]:
        """The parameters that this route takes."""
        if not self.request.query:
            return {}
        single = PAGING if self._lists else frozenset()
        if "sort" in self.route.arguments:
            single |= {"sort"}
        filters = self.route.filters.parameters if self._lists else {}
        several = {name for name, (attribute, _) in filters.items() if attribute in self._readable}
        # Commas between names, as people write it, or the parameter repeated, as generated clients do.
        several |= {"fields"} if self.route.verb in ("list", "retrieve") else set()
        # A verb that asks for the request may read parameters of its own.
        return read_query(self.request, single, several, strict="request" not in self.route.arguments)

    @lazy
    def _readable(self) -> frozenset[str]:
        return self.route.field_rules.readable(
            RuleContext(self.request.user, Method("retrieve", "GET"), self.route.model, self.request)
        )

    @lazy
    def _fields(self) -> frozenset[str] | None:
        """The fields that the answer shows, None for all."""
        asked = self._query.get("fields")
        if asked is None and self.route.field_rules.free:
            return None
        if asked is None:
            everything = self._readable.issuperset(self.route.schema.names)
            return None if everything else self._readable
        names = [name for text in asked for name in text.split(",")]
        unknown = [name for name in names if name not in self._readable]
        if unknown:
            raise bad_query([wrong("fields", f"names {unknown[0][:50]!r}, which is no field")])
        return frozenset(names)

    def _checks(self, values: Mapping[str, Any]) -> list[Condition]:
        """The filters, where the verb did not ask for them."""
        applied = "filters" in self.route.arguments
        return [] if applied else list(filter_conditions(self.route.model, values["filters"]))

    @lazy
    def _scope(self) -> tuple[Any, ...]:
        """What a cursor is good for: this user, this path, these filters in this order."""
        said = sorted((n, list(v)) for n, v in self._query.items() if n not in (*PAGING, "fields"))
        return (
            self.user_id(self.request.user),
            self.route.template,
            *self.request.path_params.values(),
            said,
        )

    @lazy
    def answers(self) -> ResponseBuilder:
        """What makes the response."""
        free = not self.request.query and self.route.field_rules.free
        return ResponseBuilder(self.route, self.request, None if free else self._fields)


def _equals(attribute: Any, value: Any) -> Condition:
    equals: Condition = Path([attribute.attr_name]) == Value(serialized(attribute, value))
    return equals
