"""The items of one model as they stand in DynamoDB: read under the request's guard, or not judged yet."""

from collections.abc import Callable, Mapping
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import SimpleClause, get_item, model_info
from polymicro_lambda.exceptions import InternalError, NotFound
from polymicro_lambda.items import (
    ItemSerializer,
    instance_of,
    is_live,
    is_of_kind,
    report_unreadable,
    unreadable_instance,
)
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import ListedRows, Plan, requested_list, rows_of
from polymicro_lambda.rules import (
    Guard,
    SoftDeletion,
    certainly_allows_by_parts,
    check_related,
    fetch_with_related,
    guard_for,
    holds,
    mark_judged,
)
from polymicro_lambda.types import RawItem

from .addresses import Addresses
from .transactions.keys import stored_key
from .unique.lookups import reservation_of, reserved_key
from .unique.unique_constraints import UniqueConstraint, UniqueConstraints

NO_ATTRIBUTES: frozenset[str] = frozenset()


class MissingItem(NotFound):
    """404: there is no item with this key; to nobody it differs from one that is hidden."""

    def __init__(self, key: RawItem | None = None) -> None:
        super().__init__()
        self.key = key


class StoredItems:
    """The items of one model, and what must be unique among them."""

    find_addresses: Callable[[], Addresses] | None = None
    """Gives what paths ask of the items; set when the app compiles."""
    read_budget = 5
    """The most calls of DynamoDB by which a list is counted; set when the app compiles."""

    def __init__(
        self,
        model: type[Model],
        uniqueness: UniqueConstraints | None = None,
        deletion: SoftDeletion | None = None,
    ) -> None:
        self.model = model
        self.deletion = deletion
        self.about = model_info(model)
        self.uniqueness = uniqueness
        self.unique_attributes = NO_ATTRIBUTES if uniqueness is None else uniqueness.attributes
        partition_key = next(iter(self.about.keys.values())).attr_name
        # The conditions that there is an item with the key of a write, and that there is none.
        self.exists = SimpleClause("there", partition_key)
        self.is_missing = SimpleClause("free", partition_key)

    @lazy
    def serializer(self) -> ItemSerializer:
        """Turns values into what DynamoDB stores."""
        return ItemSerializer.of(self.model)

    @lazy
    def addresses(self) -> Addresses:
        """What paths ask of the items."""
        return Addresses() if self.find_addresses is None else self.find_addresses()

    def guard(self) -> Guard:
        """What the running request's guard says of the items; those that are soft-deleted count as gone."""
        return guard_for(self.model, self.deletion)

    def read(self, key: Mapping[str, Any]) -> Model:
        """The item with this key, by its attributes' names, by one consistent read.

        Or the item with these values of what is ``unique``, such as ``{"email": "a@example.com"}``, by two. Raises
        ``NotFound``, also where the rule hides the item and for what can be no key, and ``Forbidden``.
        """
        uniqueness = self.uniqueness
        constraint = None if uniqueness is None else uniqueness.of(key)
        if uniqueness is not None and constraint is not None:
            return self._read_unique(uniqueness, constraint, key)
        stored = stored_key(self.model, key)
        if stored is None:
            raise NotFound()
        return self.judged(self.fetch(stored))

    def _read_unique(
        self, uniqueness: UniqueConstraints, constraint: UniqueConstraint, values: Mapping[str, Any]
    ) -> Model:
        """The item that reserves these values, if it has them still. Raises as ``read``."""
        try:
            reservation = reservation_of(uniqueness, constraint, values)
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:  # a client may have sent it
            raise NotFound() from error
        key = reserved_key(uniqueness, reservation)
        if key is None:
            raise NotFound()
        raw = self.fetch(key)
        if uniqueness.reservation_id(constraint, raw) != reservation:
            raise NotFound()
        return self.judged(raw)

    def rows(self, plan: Plan, *, pagination_key: Any, limit: int) -> ListedRows:
        """The items that a plan gives, from ``pagination_key`` on, judged one by one as they are read.

        In a list verb that does not ask for ``pagination_key`` or ``limit``, the request's hold.
        """
        asked, budget = requested_list(self.model), self.read_budget
        if asked is not None:
            pagination_key = asked.key if pagination_key is None else pagination_key
            limit = limit if asked.limit is None else min(limit, asked.limit)
        return rows_of(self.model, plan, pagination_key=pagination_key, limit=limit, read_budget=budget)

    def judged(self, raw: RawItem) -> Model:
        """The instance of a stored item that the rule lets the user have. Raises as ``read``."""
        instance = self.instance(raw)
        guard = self.guard()
        guard.judge(instance, raw)
        return mark_judged(instance, guard)

    def fetch(self, key: RawItem) -> RawItem:
        """The stored item with this key, by one consistent read, not judged. Raises ``NotFound``.

        The related items that must let the user in are read with it; raises ``Forbidden`` where one does not.
        """
        related = guard_for(self.model).related
        if not related:
            return self.live(get_item(self.model, key), key)
        item = fetch_with_related(self.model, key, related)
        check_related(related)
        return self.live(item, key)

    def live(self, raw: RawItem | None, key: RawItem | None = None) -> RawItem:
        """The same item. Raises ``MissingItem`` for none or an expired one, for one of another kind ``NotFound``."""
        if not raw or not is_live(self.model, raw):
            raise MissingItem(key) if not raw or is_of_kind(self.model, raw) else NotFound()
        return raw

    def instance(self, raw: RawItem) -> Model:
        """The instance of a stored item, not judged.

        An item that no attribute can read raises ``InternalError`` for a user whom the rule surely lets have it, and
        ``NotFound`` for everybody else: an opaque rule cannot be asked.
        """
        try:
            return instance_of(self.model, raw)
        except Exception as error:  # whatever an attribute raises for a value that it cannot read
            guard = self.guard()
            if certainly_allows_by_parts(guard.verdict, raw):
                raise InternalError() from error
            if guard.condition is None or holds(guard.condition, raw):  # it might be the user's
                report_unreadable(self.model, raw, "was answered as a missing one", error)
            raise NotFound() from error

    def written(self, raw: RawItem) -> Model:
        """The instance of an item that was just written: the success is told even if no attribute can read it."""
        try:
            return mark_judged(instance_of(self.model, raw))
        except Exception as error:  # noqa: BLE001 - as in ``instance``
            report_unreadable(self.model, raw, "was written, and not shown", error)
            return mark_judged(unreadable_instance(self.model, raw))
