"""What the query of a request asks of a list, checked and typed: filters, order and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.http import bad_query, parameter_error, read_limit, read_truth
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import COUNT, Filters, Page, RequestedList, filter_conditions, names_above
from polymicro_lambda.routing import EMBED
from polymicro_lambda.rules import Verdict

from .fields_request import FieldsRequest


@dataclass
class QueryRequest(FieldsRequest):
    """What the query of a request asks for: filters and pages of a list, fields, items of other resources."""

    filtered: Mapping[str, Verdict] = field(default_factory=dict)
    """What must hold on an item for fields that filters name."""
    requested: RequestedList | None = None
    """What a list verb of the app's own has not been given of this; None for another verb."""

    def paging(self) -> dict[str, Any]:
        """Limit, pagination key, filters and sort of a list, typed; empty for other verbs. Raises ``BadRequest``."""
        if not self.is_list:
            return {}
        route, query = self.route, self.query if self.request.query else {}
        if query:
            asked = self._asked(query)
        else:
            limit = min(route.list_settings.limit, route.resource.max_limit)
            asked = {"limit": limit, "pagination_key": None, "filters": {}, "sort": self._default_sort}
        if not route.is_default:
            unsaid = {name: one for name, one in asked.items() if name not in route.arguments}
            self.requested = RequestedList(route.model, self.read_budget(asked["limit"]), **unsaid)
        return asked

    def _asked(self, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The same of a list with a query."""
        resource = self.route.resource
        cursor = query.get("pagination_key", (None,))[0]
        filters = self.route.filters.read(query, self.route.schema)
        by_item = self.read_by_item
        concerned = {one for name in filters for one in names_above(self._shown_name(name))}
        self.filtered = {name: verdict for name, verdict in by_item.items() if name in concerned}
        sort = query.get("sort", (None,))[0]
        if sort is not None and not self._may_order_by(sort):
            if self.is_strict or "sort" in self.route.arguments:
                raise bad_query(
                    [parameter_error("sort", "must be a field, or one with - before it for the other way")]
                )
            sort = ""  # what the verb reads for itself; no list can be planned by it
        _ = self.asks_for_count
        limit = read_limit(query.get("limit", (None,))[0], self._page_size(filters), resource.max_limit)
        cursors, max_age = self.services.cursors, resource.cursor_max_age
        key = None if cursor is None else cursors.open(cursor, self._cursor_scope, max_age)
        return {
            "limit": limit,
            "pagination_key": key,
            "filters": filters,
            "sort": self._default_sort if sort is None else sort,
        }

    def _may_order_by(self, sort: str) -> bool:
        """Whether the user may read what orders a list, on all items: their order tells of it."""
        field = self.route.schema.member(sort.removeprefix("-"))
        return field in self.readable and field not in self.read_by_item

    @property
    def _default_sort(self) -> str | None:
        """The order of the resource, None for a user from whom ``fields_for`` hides its field."""
        order, rules = self.route.list_settings.default_sort, self.route.field_rules
        if order is None or rules.fields_for is None:
            return order
        hidden = rules.schema.member(order.removeprefix("-")) in rules.shown - self.readable
        return None if hidden else order

    def _page_size(self, filters: Filters) -> int:
        """The page size where the request says none: room for all items that it names, as far as the resource lets."""
        last = list(model_info(self.route.model).keys)[-1]
        named = len(filters.get(last, {}).get("in", ()))
        return min(max(self.route.list_settings.limit, named), self.route.resource.max_limit)

    def filters_not_applied(self, arguments: Mapping[str, Any]) -> list[Condition]:
        """The filters as conditions, where the verb does not ask for them."""
        applied = "filters" in self.route.arguments
        return [] if applied else list(filter_conditions(self.route.model, arguments["filters"]))

    def check_applied(self, page: Page | None = None, *, checked: bool = True) -> None:
        """Raise where a list of the app's own is not what was asked for.

        ``page`` is what it gave, None for other JSON; ``checked``: its rows were held against the filters.
        """
        if self.requested is None:
            return
        # No items are in any order; an order that the request asks for may be a slip all the same.
        usual = None if page == Page(()) else self._default_sort
        asked = self.request.query.get("sort") is not None
        self.requested.check_applied(
            self.route.full_name, checked=checked, default_sort=usual, strict=self.is_strict and asked
        )

    def check_wrapped(self, *, shows_page: bool) -> None:
        """Raise as ``check_applied`` where a list wraps a page that it neither shows, nor iterates, nor counts."""
        if self.requested is not None and not shows_page:
            self.requested.note_unused()
            self.check_applied(checked=False)

    @lazy
    def asks_for_count(self) -> bool:
        """Whether a list is to tell the number of all its items. Raises ``BadRequest``."""
        counts = self.is_list and self.route.list_settings.counts
        return counts and read_truth(COUNT, self.query.get(COUNT, ("false",))[0])

    def seal(self, key: Any) -> str | None:
        """The cursor for a pagination key, bound to this user, path, filters, order and the verb's own parameters."""
        return None if key is None else self.services.cursors.seal(key, self._cursor_scope)

    @lazy
    def _cursor_scope(self) -> tuple[Any, ...]:
        # A verb that asks for the request may read any parameter, and list something else by it.
        query = self.query if self.is_strict else self.request.query
        apart = {"limit", "pagination_key", "fields"} | ({EMBED} if self.route.embeds else set())
        apart |= {COUNT} if self.route.list_settings.counts else set()
        said = {name: list(values) for name, values in query.items() if name not in apart}
        if (order := self._default_sort) is not None:
            said.setdefault("sort", [order])
        user = self.services.user_id(self.request.user)
        return (user, self.route.template, *self.request.path_params.values(), sorted(said.items()))
