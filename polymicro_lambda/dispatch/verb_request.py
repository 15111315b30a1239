"""What a request asks of a verb: its path, query and body, checked and typed, as the verb's arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import Forbidden, NotFound
from polymicro_lambda.http import Request, bad_query, parameter_error, read_limit, read_query
from polymicro_lambda.idempotency import NO_KEYS, IdempotencyKeys
from polymicro_lambda.items import UNKEYED_TAGGER, EntityTagger, serialized
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import Cursors, Filters, filter_conditions
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import ConditionCheck, Method, RuleContext, Verdict, join_verdicts
from polymicro_lambda.schemas import key_rules, load_body

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
class VerbRequest:
    """A request for the verb of a route."""

    route: Route
    request: Request
    services: Services

    @property
    def is_list(self) -> bool:
        """Whether it asks for a list."""
        return self.route.verb == "list"

    @lazy
    def bound(self) -> dict[str, Any]:
        """The attributes that the path and the rule say. Raises ``NotFound`` for what can be none, or not both."""
        route, bound = self.route, {}
        try:
            for name, text in route.path_texts(self.request.segments).items():
                bound[name] = route.schema.parse_key(name, text)
        except ValueError as error:
            raise NotFound() from error
        for name, owner in route.bound.items():
            value = owner.value(self.request.user, route.model)
            if bound.setdefault(name, value) != value or (route.about.detail and not self._fits(name, value)):
                raise NotFound()
        return bound

    def _fits(self, name: str, value: Any) -> bool:
        """Whether what a user owns can be an attribute's value, where that is a key of the table or of an index."""
        rule = key_rules(self.route.model).get(name)
        return rule is None or rule.fits(value)

    # --- the rule --------------------------------------------------------------------------------------------

    def under_path(self, verdict: Verdict) -> Verdict:
        """The verdict, and what the path says of an item beyond its key: ``/projects/1/tasks/2`` is of project 1."""
        if not self.route.beyond:
            return verdict
        attributes, bound = self.route.model.get_attributes(), self.bound
        said = [ConditionCheck(_equals(attributes[name], bound[name])) for name in self.route.beyond]
        return join_verdicts([verdict, *said], every=True)

    @lazy
    def retrieval(self) -> Verdict:
        """What the rule says of ``retrieve`` before the item is known, also where the resource has no such verb."""
        return self.under_path(self.route.rule.decide(self.context(RETRIEVE)))

    # --- the arguments ---------------------------------------------------------------------------------------

    def arguments(self, body: Any) -> dict[str, Any]:
        """All that the verb may ask for, but the instance. Raises where body or query are refused."""
        arguments = {"request": self.request, "user": self.request.user, "req": {}}
        if self.route.about.body:
            arguments["req"] = self._action_body(body) if self.route.is_action else self._item_body(body)
        if self.route.verb == "create":
            arguments["req"] |= self._owned()
        if self.route.verb == "list" or self.request.query:
            arguments |= self.paging()
        return arguments

    def _action_body(self, body: Any) -> Any:
        return body if self.route.takes is None else load_body(self.route.takes, body)

    def _item_body(self, body: Any) -> dict[str, Any]:
        route, schema, closed = self.route, self.route.schema, self._closed(body)
        if route.merges:
            return schema.load_merge(body)
        if route.http == "PUT":
            # Who does not see a field cannot send it back as it is.
            rules = route.field_rules
            unread = rules.never_read if rules.free else rules.names - self.readable
            return schema.load_replace(body, closed | unread)
        offered = self._offered() if route.offered and self.request.user is not None else {}
        return offered | schema.load_create(body, {*route.bound, *offered, *closed})

    def new_values(self, values: Mapping[str, Any], body: Any, bound: Mapping[str, Any]) -> dict[str, Any]:
        """The new item of a PUT, out of what is loaded of its body for an update and what its path says (``bound``).

        Raises ``Unprocessable`` for fields that the user may not write to a new item, ``Forbidden`` as for a create.
        """
        self._closed(body)
        schema = self.route.schema
        offered = self._offered() if self.route.offered and self.request.user is not None else {}
        given = {name: one for name, one in values.items() if one is not None or schema.keeps_null(name)}
        return {**offered, **given, **self._owned(), **bound}

    def _owned(self) -> dict[str, Any]:
        """What path and rule say of a new item. Raises ``Forbidden`` where that can be no key."""
        bound = self.bound
        for name in self.route.bound:
            if not self._fits(name, bound[name]):
                what = "what says who you are is too long for a key, or empty"
                raise Forbidden(f"You can own nothing here: {what}.")
        return bound

    def _offered(self) -> dict[str, Any]:
        """What the user owns: an owner under | or ~ is the user where the body does not say."""
        user, model = self.request.user, self.route.model
        said = {name: owner.value(user, model) for name, owner in self.route.offered.items()}
        return {name: value for name, value in said.items() if value is not None and self._fits(name, value)}

    def _closed(self, body: Any) -> frozenset[str]:
        """The fields that the user may not write. Raises ``Unprocessable`` where the body holds one."""
        rules = self.route.field_rules
        return frozenset() if rules.free else rules.closed(self.context(self.route.method), body)

    # --- the query -------------------------------------------------------------------------------------------

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
        sort = query.get("sort", (None,))[0]
        if sort is not None and sort.removeprefix("-") not in self.readable:
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
        filters = self.route.filters.parameters if self.is_list else {}
        several = {name for name, (attribute, _) in filters.items() if attribute in self.readable}
        # Commas between names, as people write it, or the parameter repeated, as generated clients do.
        several |= {"fields"} if self.route.verb in ("list", "retrieve") else set()
        # A verb that asks for the request may read parameters of its own.
        return read_query(self.request, single, several, strict="request" not in self.route.arguments)

    def seal(self, key: Any) -> str | None:
        """The cursor for a pagination key, bound to this user, path, filters, order and the verb's own parameters."""
        return None if key is None else self.services.cursors.seal(key, self._cursor_scope)

    @lazy
    def _cursor_scope(self) -> tuple[Any, ...]:
        # A verb that asks for the request may read any parameter, and list something else by it.
        query = self.request.query if "request" in self.route.arguments else self.query
        said = sorted((n, list(v)) for n, v in query.items() if n not in (*PAGING, "fields"))
        user = self.services.user_id(self.request.user)
        return (user, self.route.template, *self.request.path_params.values(), said)

    # --- the fields ------------------------------------------------------------------------------------------

    @lazy
    def readable(self) -> frozenset[str]:
        """The fields that the user may read."""
        return self.route.field_rules.readable(self.context(RETRIEVE))

    @property
    def shown(self) -> frozenset[str] | None:
        """The fields that the answer shows, None for all. Raises ``BadRequest`` for unknown ones."""
        return self._selected if self.request.query or not self.route.field_rules.free else None

    @lazy
    def _selected(self) -> frozenset[str] | None:
        asked = self.query.get("fields")
        if asked is None and self.route.field_rules.free:
            return None
        if asked is None:
            everything = self.readable.issuperset(self.route.schema.names)
            return None if everything else self.readable
        names = [name for text in asked for name in text.split(",")]
        unknown = [name for name in names if name not in self.readable]
        if unknown:
            raise bad_query([parameter_error("fields", f"names {unknown[0][:50]!r}, which is no field")])
        return frozenset(names)

    def context(self, method: Method) -> RuleContext:
        """What a rule is asked with."""
        return RuleContext(self.request.user, method, self.route.model, self.request)


def _equals(attribute: Any, value: Any) -> Condition:
    equals: Condition = Path([attribute.attr_name]) == Value(serialized(attribute, value))
    return equals
