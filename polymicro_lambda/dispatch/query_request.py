"""What the query of a request asks for, checked and typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import MOST_KEYS, model_info
from polymicro_lambda.http import Request, bad_query, parameter_error, read_limit, read_query
from polymicro_lambda.idempotency import NO_KEYS, IdempotencyKeys
from polymicro_lambda.items import UNKEYED_TAGGER, EntityTagger
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import Cursors, Filters, filter_conditions, names_above
from polymicro_lambda.routing import DELETED, EMBED, Embed, Route
from polymicro_lambda.rules import FieldAccess, Method, RelatedCheck, RuleContext, Verdict

from .shown_fields import ShownFields

PAGING = frozenset({"limit", "pagination_key"})
RETRIEVE = Method("retrieve", "GET")


@dataclass(frozen=True, slots=True)
class Services:
    """What every request of an app is served with: what seals cursors, names users, makes tags and keeps keys."""

    cursors: Cursors
    user_id: Callable[[Any], str]
    """Gives what a cursor, a key for a request and a quota are bound to."""
    tagger: EntityTagger = UNKEYED_TAGGER
    idempotency_keys: IdempotencyKeys = NO_KEYS


@dataclass
class QueryRequest:
    """What the query of a request asks for: filters and pages of a list, fields, items of other resources."""

    route: Route
    request: Request
    services: Services
    related: Sequence[RelatedCheck] = ()
    """The related items that the rule needs, as path and claims name them."""
    filtered: Mapping[str, Verdict] = field(default_factory=dict)
    """What must hold on an item for fields that filters name."""

    @property
    def is_list(self) -> bool:
        """Whether it asks for a list."""
        return self.route.verb == "list"

    def paging(self) -> dict[str, Any]:
        """Limit, pagination key, filters and sort of a list, typed; empty for other verbs. Raises ``BadRequest``."""
        resource, query = self.route.resource, self.query if self.request.query else {}
        if not self.is_list:
            return {}
        if not query:
            limit = min(self.route.limit, resource.max_limit)
            return {"limit": limit, "pagination_key": None, "filters": {}, "sort": None}
        cursor = query.get("pagination_key", (None,))[0]
        filters = self.route.filters.read(query, self.route.schema)
        by_item, member = self.read_by_item, self.route.schema.member
        concerned = {one for name in filters for one in names_above(self._shown_name(name))}
        self.filtered = {name: verdict for name, verdict in by_item.items() if name in concerned}
        sort = query.get("sort", (None,))[0]
        # The order of items tells of a field that some of them hide.
        if sort is not None and member(sort.removeprefix("-")) not in self.readable - by_item.keys():
            raise bad_query(
                [parameter_error("sort", "must be a field, or one with - before it for the other way")]
            )
        limit = read_limit(query.get("limit", (None,))[0], self._page_size(filters), resource.max_limit)
        cursors, max_age = self.services.cursors, resource.cursor_max_age
        key = None if cursor is None else cursors.open(cursor, self._cursor_scope, max_age)
        return {"limit": limit, "pagination_key": key, "filters": filters, "sort": sort}

    def _page_size(self, filters: Filters) -> int:
        """The page size where the request says none: room for all items that it names, as far as the resource lets."""
        last = list(model_info(self.route.model).keys)[-1]
        named = len(filters.get(last, {}).get("in", ()))
        return min(max(self.route.limit, named), self.route.resource.max_limit)

    def filters_not_applied(self, arguments: Mapping[str, Any]) -> list[Condition]:
        """The filters as conditions, where the verb does not ask for them."""
        applied = "filters" in self.route.arguments
        return [] if applied else list(filter_conditions(self.route.model, arguments["filters"]))

    @lazy
    def query(self) -> Mapping[str, tuple[str, ...]]:
        """The parameters that this route takes. Raises ``BadRequest`` for others."""
        if not self.request.query:
            return {}
        single = PAGING if self.is_list else frozenset()
        if "sort" in self.route.arguments:
            single |= {"sort"}
        if self.route.shows_deleted is not None:
            single |= {DELETED}
        filters = self.route.filters.parameters if self.is_list else {}
        several = {name for name, (attribute, _) in filters.items() if self._may_ask(attribute)}
        # Commas between names, as people write it, or the parameter repeated, as generated clients do.
        several |= {"fields"} if self.route.verb in ("list", "retrieve") else set()
        several |= {EMBED} if self.route.embeds else set()
        # A verb that asks for the request may read parameters of its own.
        return read_query(self.request, single, several, strict="request" not in self.route.arguments)

    def _shown_name(self, attribute: str) -> str:
        """The name that an answer has of what is filtered by."""
        first, dot, below = attribute.partition(".")
        return f"{self.route.schema.member(first)}{dot}{below}"

    def _may_ask(self, attribute: str) -> bool:
        """Whether the user may read what a filter is of, on some items at least."""
        first, *members = names_above(self._shown_name(attribute))
        return first in self.readable and all(self.read_by_item.get(name) is not False for name in members)

    def seal(self, key: Any) -> str | None:
        """The cursor for a pagination key, bound to this user, path, filters, order and the verb's own parameters."""
        return None if key is None else self.services.cursors.seal(key, self._cursor_scope)

    @lazy
    def _cursor_scope(self) -> tuple[Any, ...]:
        # A verb that asks for the request may read any parameter, and list something else by it.
        query = self.request.query if "request" in self.route.arguments else self.query
        shown = {"fields", EMBED} if self.route.embeds else {"fields"}
        said = sorted((n, list(v)) for n, v in query.items() if n not in (*PAGING, *shown))
        user = self.services.user_id(self.request.user)
        return (user, self.route.template, *self.request.path_params.values(), said)

    # --- the fields ------------------------------------------------------------------------------------------

    @lazy
    def _reading(self) -> FieldAccess:
        route = self.route
        # A query, a PUT and a replay need the fields before an item is read. Others wait, and often need no call then.
        at_once = (
            self.request.query
            or (route.http == "PUT" and not route.merges)
            or route.idempotency_table is not None
        )
        return route.field_rules.reading(self.context(RETRIEVE), self.related if at_once else None)

    @property
    def readable(self) -> frozenset[str]:
        """The fields that the user may read, on some items at least."""
        return self._reading.fields

    @property
    def read_by_item(self) -> Mapping[str, Verdict]:
        """What must hold on an item for those of them that it may hide."""
        return self._reading.by_item

    @lazy
    def shown(self) -> ShownFields:
        """The fields that the answer shows. Raises ``BadRequest`` for unknown ones."""
        route = self.route
        if route.field_rules.free and (not self.request.query or "fields" not in self.query):
            return ShownFields(route.model)
        names = self.readable if "fields" not in self.query else self._selected(self.query["fields"])
        # A verb of the app's own may show other items than the path's.
        said = self.read_by_item if route.is_default else {**self.read_by_item, **self._reading.elsewhere}
        by_item = {name: one for name, one in said.items() if name.partition(".")[0] in names}
        is_all = not by_item and "fields" not in self.query and names.issuperset(route.schema.names)
        return ShownFields(route.model, None if is_all else names, by_item)

    def _selected(self, asked: Sequence[str]) -> frozenset[str]:
        names = [name for text in asked for name in text.split(",")]
        unknown = [name for name in names if name not in self.readable]
        if unknown:
            raise bad_query([parameter_error("fields", f"names {unknown[0][:50]!r}, which is no field")])
        return frozenset(names)

    # --- what is embedded ------------------------------------------------------------------------------------

    @lazy
    def embeds(self) -> tuple[Embed, ...]:
        """What the answer shows of other resources. Raises ``BadRequest`` for what it cannot show."""
        if not self.route.embeds:
            return ()
        closed, member = self.route.field_rules.shown - self.readable, self.route.schema.member
        shown = (one for one in self.route.embeds if closed.isdisjoint(map(member, one.key.values())))
        declared = {one.name: one for one in shown if one.limit is None or not self.is_list}
        names = [name for text in self.query.get(EMBED, ()) for name in text.split(",")]
        unknown = [name for name in names if name not in declared]
        if unknown:
            there = f"what can be is {', '.join(declared)}" if declared else "nothing can be"
            raise bad_query(
                [parameter_error(EMBED, f"names {unknown[0][:50]!r}, which is not embedded here: {there}")]
            )
        return tuple(one for one in declared.values() if one.always or one.name in names)

    @property
    def needed(self) -> frozenset[str] | None:
        """The attributes that the answer is made of, None for all. Raises as ``shown``."""
        names = self.shown.names if not self.shown.by_item else None
        return names and names.union(*[one.key.values() for one in self.embeds])

    def read_budget(self, limit: int) -> int:
        """The calls by which a page of so many items may be read: what it embeds is read by some of its resource's."""
        keys = limit * sum(one.limit is None for one in self.embeds)
        return max(self.route.resource.read_budget - ceil(keys / MOST_KEYS), 1)

    def context(self, method: Method) -> RuleContext:
        """What a rule is asked with."""
        return RuleContext(self.request.user, method, self.route.model, self.request, self.route.address)
