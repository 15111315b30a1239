"""What the query of a request asks to be shown, checked: fields, and items of other resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from polymicro_lambda.dynamodb import MOST_KEYS
from polymicro_lambda.http import Representation, Request, bad_query, parameter_error, read_query
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import COUNT, names_above
from polymicro_lambda.routing import DELETED, EMBED, Embed, Route, query_fields, several_of
from polymicro_lambda.rules import FieldAccess, Method, RelatedCheck, RuleContext, Verdict

from .services import Services
from .shown_fields import ShownFields

PAGING = frozenset({"limit", "pagination_key", "sort"})
"""The parameters of every list, of which each has one value."""
RETRIEVE = Method("retrieve", "GET")


@dataclass
class FieldsRequest:
    """The parameters of a request, and what the answer shows by them."""

    route: Route
    request: Request
    services: Services
    related: Sequence[RelatedCheck] = ()
    """The related items that the rule needs, as path and claims name them."""
    representation: Representation | None = None
    """What the answer is given as, None for JSON."""

    @property
    def is_list(self) -> bool:
        """Whether it asks for a list."""
        return self.route.verb == "list"

    @lazy
    def query(self) -> Mapping[str, tuple[str, ...]]:
        """The parameters that this route takes. Raises ``BadRequest`` for others."""
        if not self.request.query:
            return {}
        single = PAGING if self.is_list else frozenset()
        if self.is_list and self.route.list_settings.counts:
            single |= {COUNT}
        if self.route.shows_deleted is not None:
            single |= {DELETED}
        filters = self.route.filters.parameters if self.is_list else {}
        several = {name for name, (attribute, _) in filters.items() if self._may_ask(attribute)}
        # Commas between names, as people write it, or the parameter repeated, as generated clients do.
        several |= {"fields"} if self.route.verb in ("list", "retrieve") else set()
        several |= {EMBED} if self.route.embeds else set()
        own = self.route.form.query
        if own is not None:
            several |= {*several_of(own)}
            single |= query_fields(own).keys() - several
        return read_query(self.request, single, several, strict=self.is_strict)

    @property
    def is_strict(self) -> bool:
        """Whether all parameters of the verb are known: one that asks for the request may read some of its own."""
        return self.route.form.query is not None or "request" not in self.route.arguments

    def _shown_name(self, attribute: str) -> str:
        """The name that an answer has of what is filtered by."""
        first, dot, below = attribute.partition(".")
        return f"{self.route.schema.member(first)}{dot}{below}"

    def _may_ask(self, attribute: str) -> bool:
        """Whether the user may read what a filter is of, on some items at least."""
        first, *members = names_above(self._shown_name(attribute))
        return first in self.readable and all(self.read_by_item.get(name) is not False for name in members)

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
