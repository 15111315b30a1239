"""An update or delete of one item: its conditions, its attempts, and the errors where they fail.

A change that DynamoDB can check alone is one call. Else the item is read and judged first, and a condition of the write
is that nothing has changed on which that judgement relied.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ConditionClause, ExpressionTooLarge, SimpleClause, retry_after
from polymicro_lambda.exceptions import Conflict, InternalError
from polymicro_lambda.items import same_item
from polymicro_lambda.observability import report_error
from polymicro_lambda.rules import certainly_allows_by_parts, current_guard
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .item_conditions import compares_tags, conditions_of_write, rule_clause, rule_must_read
from .lost_answers import resolve_lost_answer, unchanged_conditions
from .reservations import NO_RESERVATIONS, Reservations, write_with_reservations
from .stored_items import NO_ATTRIBUTES, StoredItems
from .transact_write import transaction_part

UPDATE_ATTEMPTS = 3
"""How often a write is judged and sent that loses the race against other writers."""


class ItemChange(ABC):
    """A write to an item that must be there, under the guard of the request."""

    __slots__ = (
        "actions",
        "compares_tags",
        "guard",
        "items",
        "judges_here",
        "key",
        "must_read",
        "rule",
        "unique",
        "values",
    )
    operation: ClassVar[str]
    """DynamoDB's."""

    def __init__(
        self,
        items: StoredItems,
        key: RawItem,
        values: Mapping[str, Any],
        actions: Sequence[SimpleClause],
        unique: frozenset[str],
    ) -> None:
        guard = self.guard = current_guard().of_item(items.model, key)
        self.items = items
        self.key = key
        self.values = values
        self.actions = actions
        # The attributes of unique constraints that the change concerns: they must still be what was read.
        self.unique = unique
        # Whether the rule must see the item before and after, or a unique value is concerned.
        self.must_read = bool(unique) or rule_must_read(guard, frozenset(one.name for one in actions))
        self.compares_tags = compares_tags(guard, items)
        self.rule = rule_clause(guard)
        # Whether the rule is judged on the item as read: it holds for nothing, or is too large for DynamoDB.
        self.judges_here = self.rule is False

    @abstractmethod
    def result(self, old: RawItem) -> RawItem | None:
        """The item that the write makes of an old one, None if it deletes the item."""

    @abstractmethod
    def is_done(self, item: RawItem | None) -> bool:
        """Whether the table shows that the write has happened; ``item`` is the item there now, None for none."""

    def write(self, known: RawItem | None = None) -> dict[str, Any]:
        """Do it; the answer of an update has the item (``Attributes``).

        ``known`` is the item as it was read, if it was. Raises ``NotFound``, ``Forbidden`` and ``PreconditionFailed``
        as the guard does; ``Conflict`` where a value is taken, or other writers were always quicker; and as
        ``write_if``.
        """
        if self.guard.interceptor is not None:
            self.guard.interceptor.changes(self.items.model)
        for _ in range(UPDATE_ATTEMPTS):
            try:
                return self._attempt(known)
            except ConditionFailed as error:
                # Gone, hidden by the rule, or changed; else a race was lost, and the error brings the item.
                known = self.items.live(error.item)
                self._judge(known)
                if self.guard.if_match is not None:
                    self.guard.check_match(self.items.instance(known), known)
        raise Conflict("Somebody else keeps changing this item: try again.", headers=retry_after())

    def _judge(self, raw: RawItem) -> None:
        """Raise as the guard does; a row that no attribute can read may be certain to pass."""
        if not certainly_allows_by_parts(self.guard.verdict, raw):
            self.guard.judge(self.items.instance(raw), raw)

    def _attempt(self, old: RawItem | None) -> dict[str, Any]:
        """Do it once, or find out what became of it."""
        conditions, reservations, old = self._prepared(old)
        try:
            return self._sent(conditions, reservations, old)
        except ExpressionTooLarge as error:
            if self.judges_here:
                message = "An item of %s cannot be written, its condition is too large for DynamoDB: %s"
                report_error(message, self.items.model.__name__, error)
                raise InternalError() from error
            self.judges_here = True
            return self._attempt(old)

    def _prepared(self, old: RawItem | None) -> tuple[list[ConditionClause], Reservations, RawItem | None]:
        """The write's conditions and reservations, and the item as it was read, if that is needed."""
        rule = True if self.judges_here else self.rule
        conditions, reservations = conditions_of_write(self.items, self.guard, rule), NO_RESERVATIONS
        if self.must_read or self.compares_tags or self.judges_here:
            old = old or self.items.fetch(self.key)
            if self.items.uniqueness is not None:
                reservations = Reservations.of(self.items.uniqueness, self.key, old, self.result(old))
            conditions += self._judged(old, has_reservations=bool(reservations))
        return conditions, reservations, old

    def _sent(
        self, conditions: Sequence[ConditionClause], reservations: Reservations, old: RawItem | None
    ) -> dict[str, Any]:
        """One call; where its answer gets lost, what became of it."""

        def is_done(item: RawItem | None) -> bool:
            return self.is_done(item) and reservations.are_done()

        send = partial(self._send, conditions, reservations, old)
        try:
            return send()
        except OutcomeUnknown as unknown:
            return resolve_lost_answer(unknown, self.items.model, self.key, send, is_done)
        except ConditionFailed as error:
            if error.after_lost_try and is_done(error.item):  # by an earlier try of this very transaction
                return {"Attributes": error.item}
            raise

    def _send(
        self,
        conditions: Sequence[ConditionClause],
        reservations: Reservations,
        old: RawItem | None,
        unchanged: Sequence[Condition] = (),
    ) -> dict[str, Any]:
        """One call of DynamoDB. Raises as ``write_if``, and ``Conflict`` where a value is taken."""
        conditions = [*conditions, *unchanged] if unchanged else conditions
        model = self.items.model
        if not reservations:
            return write_if(model, self.operation, conditions, self.actions, Key=self.key)
        kind = self.operation.removesuffix("Item")
        part = transaction_part(model, kind, conditions, self.actions, Key=self.key)
        write_with_reservations(model, part, reservations)
        # A transaction gives no item back: the conditions hold on ``old`` alone, so its result is there now.
        return {"Attributes": self._next_version(self.result(old or {}) or {})}

    def _next_version(self, raw: RawItem) -> RawItem:
        version = self.items.about.version
        if version is None:
            return raw
        number = int(raw.get(version.attr_name, {"N": "0"})["N"]) + 1
        return {**raw, version.attr_name: {"N": str(number)}}

    def _judged(self, old: RawItem, *, has_reservations: bool) -> list[Condition]:
        """Judge the item as it is and as it would be; the conditions that it is still so where that relied on it.

        Raises as ``write``.
        """
        guard, items = self.guard, self.items
        instance = items.instance(old)
        relied = guard.judge(instance, old) | guard.condition_attributes | self.unique
        guard.check_match(instance, old)
        version = items.about.version
        # A transaction does not give the item back, so that the whole of it must be known.
        if self.compares_tags or (has_reservations and version is None):
            relied |= {*old, *(attribute.attr_name for attribute in items.model.get_attributes().values())}
        elif has_reservations and version is not None:
            relied |= {version.attr_name}
        new = self.result(old) if self.must_read else None
        if new is not None:
            new = self._next_version(new)
            read = guard.judge_new(items.instance(new), new) | guard.condition_attributes
            items.serializer.check_key(self.key, new)
            # The new version is made of the old one.
            made = {version.attr_name} & read if version is not None else set()
            relied |= made.union(name for name in read if old.get(name) == new.get(name))
        return unchanged_conditions(old, relied)


class ItemUpdate(ItemChange):
    """Sets and removes attributes of an item."""

    __slots__ = ()
    operation = "UpdateItem"

    def __init__(self, items: StoredItems, key: RawItem, values: Mapping[str, Any]) -> None:
        """``values`` are what is stored by the attributes' names in DynamoDB, None to remove one."""
        actions = [
            SimpleClause("remove" if value is None else "set", name, value) for name, value in values.items()
        ]
        if items.about.version is not None:
            actions.append(SimpleClause("add", items.about.version.attr_name, {"N": "1"}))
        unique = items.unique_attributes
        concerned = NO_ATTRIBUTES if unique.isdisjoint(values) else unique
        super().__init__(items, key, values, actions, concerned)
        self.must_read = self.must_read or not key.keys().isdisjoint(values)

    def result(self, old: RawItem) -> RawItem:
        """The item with the values set or removed, its version not counted up yet."""
        new = {**old, **self.values}
        return {name: value for name, value in new.items() if value is not None}

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item has the values, under a rule that holds on it. Raises as the guard does."""
        new = self.items.live(item)
        self._judge(new)
        return same_item(new, self.result(new)) and self._follows_if_match(new)

    def _follows_if_match(self, new: RawItem) -> bool:
        """Whether an item's version comes right after one that ``If-Match`` names."""
        tags, version = self.guard.if_match, self.items.about.version
        if tags is None or version is None:
            return True
        number = new.get(version.attr_name, {}).get("N", "0")
        return tags.match(f'"{int(number) - 1}"')


class ItemDeletion(ItemChange):
    """Removes an item."""

    __slots__ = ()
    operation = "DeleteItem"

    def __init__(self, items: StoredItems, key: RawItem) -> None:
        super().__init__(items, key, {}, (), items.unique_attributes)

    def result(self, old: RawItem) -> None:
        """No item."""

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item is gone."""
        return item is None
