"""What a request asks of the list that its verb, the app's own, has not been given: in a context variable.

A verb's ``super().list(user, pagination_key, limit)`` has no other way to hand it on.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import bad_query, parameter_error

from .cursors import Page
from .filtering.filters import Filters, filter_conditions


class RequestedList:
    """The part of a request for a list that its verb does not ask for as arguments."""

    __slots__ = (
        "filters",
        "has_own_order",
        "is_counted",
        "is_filtered",
        "is_sorted",
        "key",
        "limit",
        "model",
        "pages",
        "read_budget",
        "sort",
    )

    def __init__(
        self,
        model: type[Model],
        read_budget: int,
        *,
        filters: Filters | None = None,
        sort: str | None = None,
        pagination_key: Any = None,
        limit: int | None = None,
    ) -> None:
        self.model = model
        self.filters = filters or {}
        self.sort = sort
        self.key = pagination_key
        self.limit = limit
        self.read_budget = read_budget
        """The most calls of DynamoDB by which a page of it may be read."""
        self.pages: list[Page] = []
        """Those that the verb has iterated."""
        self.is_counted = False
        """Whether the verb has counted one."""
        self.is_filtered = not filters
        """Whether the filters have been applied."""
        self.is_sorted = sort is None
        """Whether the order has been applied."""
        self.has_own_order = False
        """Whether the verb has said another one."""

    @property
    def key_after(self) -> Any:
        """The key of the next page of what the verb made of the page that it iterated; None if it has iterated more."""
        return self.pages[0].key if len(self.pages) == 1 else None

    def note_unused(self) -> None:
        """Note that nothing was applied where the verb has made nothing of its pages: what it gives is of others."""
        if not (self.pages or self.is_counted):
            self.is_filtered, self.is_sorted = not self.filters, self.sort is None

    def conditions(self) -> Sequence[Condition]:
        """The filters as conditions, which the caller applies."""
        self.is_filtered = True
        return [*filter_conditions(self.model, self.filters)] if self.filters else ()

    def order(self, sort: str | None) -> str | None:
        """The order in which the verb lists: the one that it says, else the request's."""
        if sort is not None:
            self.has_own_order = True
            return sort
        self.is_sorted = True
        return self.sort

    def check_applied(self, verb: str, *, default_sort: str | None, checked: bool, strict: bool) -> None:
        """Raise ``ConfigurationError`` where the list that ``verb`` gave is not what was asked for.

        ``checked``: its rows were held against the filters afterwards. An order that the request asks for is a
        ``BadRequest`` as any parameter that the verb does not take, where it is ``strict`` about these.
        """
        if not (self.is_filtered or checked):
            raise ConfigurationError(
                f"{verb} gave a list without the filters of the request. {_ADVICE.format(name='filters')}"
            )
        if self.is_sorted:
            return
        if self.sort == default_sort:
            if self.has_own_order:
                return
            raise ConfigurationError(
                f"{verb} gave a list that is not sorted by default_sort. {_ADVICE.format(name='sort')}"
            )
        if strict:
            raise bad_query([parameter_error("sort", "is not a parameter here")])


_ADVICE = (
    "Let it ask for {name} as an argument and apply that, or make the list of what super().list(…) gives, or"
    " self.store.rows(self.planner.plan(), …)"
)
_current: ContextVar[RequestedList | None] = ContextVar("polymicro_requested_list", default=None)


def requested_list(model: type[Model] | None = None) -> RequestedList | None:
    """That of the running request, None where it is for no list, or for one of another model."""
    asked = _current.get()
    return None if asked is None or (model is not None and asked.model is not model) else asked


class requesting:  # noqa: N801 - it is used as a function, and quicker than one of contextlib's
    """A context manager: every list that is planned inside is the one that is asked for; None for none."""

    __slots__ = ("asked", "token")

    def __init__(self, asked: RequestedList | None) -> None:
        self.asked = asked

    def __enter__(self) -> None:
        if self.asked is not None:
            self.token = _current.set(self.asked)

    def __exit__(self, *_: object) -> None:
        if self.asked is not None:
            _current.reset(self.token)
