"""The writes to one item: an update, a delete, and a check that writes nothing; and how one of them is sent alone."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ExpressionTooLarge, SimpleClause, UpdateStep, get_item
from polymicro_lambda.exceptions import InternalError
from polymicro_lambda.items import same_item
from polymicro_lambda.observability import report_error
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.conditional_writes import ConditionFailed, LostRace, OutcomeUnknown, write_if
from polymicro_lambda.writes.lost_answers import resolve_lost_answer
from polymicro_lambda.writes.stored_items import NO_ATTRIBUTES, StoredItems
from polymicro_lambda.writes.unique.reservations import RelatedRefused, write_with_reservations

from .atomic_changes import AtomicChange, NoResult, Uncomputable, version_steps
from .item_changes import ItemChange, PreparedWrite
from .terms import NO_TERMS, Terms

UPDATE_ATTEMPTS = 3
"""How often a write is judged and sent that loses the race against other writers."""


class ItemUpdate(ItemChange):
    """Sets and removes attributes of an item."""

    __slots__ = ("atomic", "values")
    operation = "UpdateItem"

    def __init__(
        self,
        items: StoredItems,
        key: RawItem,
        values: Mapping[str, Any],
        atomic: Sequence[AtomicChange] = (),
        terms: Terms = NO_TERMS,
    ) -> None:
        """``values`` are what is stored by the attributes' names in DynamoDB, None to remove one."""
        self.values = values
        self.atomic = atomic
        actions: list[UpdateStep] = [
            SimpleClause("remove" if value is None else "set", name, value) for name, value in values.items()
        ]
        actions += [one.action for one in atomic]
        version, changed = items.about.version, frozenset([*values, *(one.name for one in atomic)])
        actions += version_steps(version)
        if version is not None:
            changed |= {version.attr_name}
        unique = items.unique_attributes
        concerned = NO_ATTRIBUTES if unique.isdisjoint(changed) else unique
        super().__init__(items, key, terms, actions, changed, concerned)
        self.must_read = self.must_read or not key.keys().isdisjoint(values)

    @property
    def changed(self) -> frozenset[str]:
        """The attributes that it changes, by their names in DynamoDB."""
        version = self.items.about.version
        return frozenset(
            [
                *self.values,
                *(one.name for one in self.atomic),
                *([] if version is None else [version.attr_name]),
            ]
        )

    @property
    def blind(self) -> frozenset[str]:
        """The computed ones, where neither the version nor they themselves are compared."""
        pins, version = self.terms.pins.names, self.items.about.version
        if not self.atomic or (version is not None and version.attr_name in pins):
            return NO_ATTRIBUTES
        return frozenset(one.name for one in self.atomic) - pins

    def result(self, old: RawItem) -> RawItem:
        """The item with the values set or removed, its version not counted up yet."""
        try:
            computed = {one.name: one.result(old) for one in self.atomic} if self.atomic else {}
        except NoResult as error:
            raise Uncomputable(f"A change of an item of {self.items.model.__name__}: {error}") from error
        new = {**old, **self.values, **computed}
        return {name: value for name, value in new.items() if value is not None}

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item has the values, under a rule that holds on it. Raises as the guard does.

        False for what DynamoDB computes, of which nobody can tell from the item.
        """
        new = self.items.live(item)
        self.judge_written(new)
        return self.tells and same_item(new, self.result(new)) and self._follows(new)

    @property
    def tells(self) -> bool:
        """Not of what DynamoDB computes."""
        return not self.atomic

    def may_repeat(self, item: RawItem | None) -> bool:
        """As for every write; of what DynamoDB computes, where the item has the version with which it was read.

        Without a version others may have brought the item back to what it was: one that is as before tells nothing.
        """
        if self.tells:
            return not self.is_done(item)
        return self.items.about.version is not None and same_item(item, self.terms.known)

    def sources(self, names: Iterable[str]) -> frozenset[str]:
        """The attributes that the computed changes of these read."""
        if not self.atomic:
            return NO_ATTRIBUTES
        wanted = frozenset(names)
        return frozenset[str]().union(*[one.sources for one in self.atomic if one.name in wanted])

    def _follows(self, new: RawItem) -> bool:
        """Whether an item's version comes right after that which the verb has read, and one that ``If-Match`` names."""
        tags, version, pins = self.guard.if_match, self.items.about.version, self.terms.pins
        if version is None:
            return True
        before = int(new.get(version.attr_name, {}).get("N", "0")) - 1
        if version.attr_name in pins.names and pins.item.get(version.attr_name) != {"N": str(before)}:
            return False
        return tags is None or tags.match(f'"{before}"')


class ItemCheck(ItemChange):
    """Writes nothing: its conditions must hold for a transaction to be done."""

    __slots__ = ()
    operation = "ConditionCheck"
    writes = False

    def result(self, old: RawItem) -> RawItem:
        """The item as it is."""
        return old

    def after(self, old: RawItem) -> None:
        """Nothing that would have to be judged besides."""

    def is_done(self, item: RawItem | None) -> bool:
        """It leaves nothing that could show it."""
        return True

    @property
    def tells(self) -> bool:
        """Nothing."""
        return False


def write_alone(change: ItemChange) -> dict[str, Any]:
    """Do it; the answer of an update has the item (``Attributes``).

    Raises ``NotFound``, ``Forbidden`` and ``PreconditionFailed`` as the guard does; the error of a requirement;
    ``Conflict`` where a value is taken, or other writers were always quicker; and as ``write_if``.
    """
    if change.guard.interceptor is not None:
        change.guard.interceptor.changes(change.items.model)
    known = change.terms.known
    for _ in range(UPDATE_ATTEMPTS):
        try:
            answer = _attempt(change, known)
        except RelatedRefused:
            change.meet_related()
        except ConditionFailed as error:
            # Gone, hidden by the rule, or changed; else a race was lost, and the error brings the item.
            known = change.refused(error.item)
        else:
            change.guard.mark.has_written = True
            return answer
    raise LostRace("Somebody else keeps changing this item: try again.")


def _attempt(change: ItemChange, old: RawItem | None) -> dict[str, Any]:
    """Do it once, or find out what became of it."""
    write = change.prepared(old)
    try:
        return _sent(change, write)
    except ExpressionTooLarge as error:
        judge_here(change, error)
        return _attempt(change, write.old)


def judge_here(change: ItemChange, error: ExpressionTooLarge) -> None:
    """Let the rule of a write be judged on the item as read. Raises ``InternalError`` where that was so already."""
    if change.judges_here:
        message = "An item of %s cannot be written, its condition is too large for DynamoDB: %s"
        report_error(message, change.items.model.__name__, error)
        raise InternalError() from error
    change.judges_here = True


def _sent(change: ItemChange, write: PreparedWrite) -> dict[str, Any]:
    """One call; where its answer gets lost, what became of it."""

    def is_done(item: RawItem | None) -> bool:
        return change.is_done(item) and write.reservations.are_done()

    send = partial(_send, change, write)
    try:
        return send()
    except OutcomeUnknown as unknown:
        change.guard.mark.has_written = True  # for all that anybody knows
        return resolve_lost_answer(unknown, change.items.model, change.key, send, is_done, change.may_repeat)
    except ConditionFailed as error:
        if error.after_lost_try and is_done(error.item):  # by an earlier try of this very transaction
            return {"Attributes": error.item}
        raise


def _send(change: ItemChange, write: PreparedWrite, unchanged: Sequence[Condition] = ()) -> dict[str, Any]:
    """One call of DynamoDB. Raises as ``write_if``, and ``Conflict`` where a value is taken."""
    conditions = [*write.conditions, *unchanged] if unchanged else write.conditions
    model = change.items.model
    if not (write.reservations or write.checks):
        return write_if(model, change.operation, conditions, change.actions, Key=change.key)
    write_with_reservations(model, change.part(conditions), write.reservations, write.checks)
    # A transaction gives no item back. With reservations the conditions hold on ``old`` alone: its result is there now.
    if write.reservations or not change.changed:
        return {"Attributes": change.next_version(change.result(write.old or {}) or {})}
    return {"Attributes": change.items.live(get_item(model, change.key))}
