"""A write to one item that must be there: its conditions, and the error where they fail.

A change that DynamoDB can check alone is one call. Else the item is read and judged first, and a condition of the write
is that nothing has changed on which that judgement relied.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ConditionClause, UpdateStep
from polymicro_lambda.rules import (
    State,
    certainly_allows_by_parts,
    current_guard,
    early_pins,
    forget_related,
    has_sides,
    pins_of_verdict,
    related_checks,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.conditional_writes import LostRace
from polymicro_lambda.writes.lost_answers import unchanged_conditions
from polymicro_lambda.writes.stored_items import NO_ATTRIBUTES, StoredItems
from polymicro_lambda.writes.transactions.related_parts import RelatedPart, related_parts
from polymicro_lambda.writes.transactions.transact_write import TransactionPart, transaction_part
from polymicro_lambda.writes.unique.reservations import NO_RESERVATIONS, Reservations

from .computed_changes import NO_RESULT
from .item_conditions import compares_tags, conditions_of_write, rule_clause, rule_must_read
from .map_merges import Steps
from .terms import Terms


class PreparedWrite(NamedTuple):
    """A write that can be sent: its conditions, the reservations beside it, and the item as it was read, if it was."""

    conditions: list[ConditionClause]
    reservations: Reservations
    old: RawItem | None
    checks: tuple[RelatedPart, ...] = ()
    """The checks of related items beside it."""
    actions: Sequence[UpdateStep] = ()
    """What it does to the item."""


class ItemChange(ABC):
    """A write to an item that must be there, under the guard of the request."""

    __slots__ = (
        "compares_tags",
        "guard",
        "items",
        "judges_here",
        "key",
        "must_read",
        "requirements",
        "rule",
        "terms",
        "unique",
    )
    operation: ClassVar[str]
    """DynamoDB's."""
    writes: ClassVar[bool] = True
    """Whether it changes anything."""

    def __init__(
        self,
        items: StoredItems,
        key: RawItem,
        terms: Terms,
        changed: frozenset[str] = NO_ATTRIBUTES,
        unique: frozenset[str] = NO_ATTRIBUTES,
    ) -> None:
        current = current_guard() if items.deletion is None else items.guard()
        guard = self.guard = current.of_item(items.model, key)
        self.items, self.key = items, key
        self.terms = terms
        stated = guard.stated
        self.requirements = (*stated, *terms.requirements) if stated else terms.requirements
        # The attributes of unique constraints that the change concerns: they must still be what was read.
        self.unique = unique
        # Whether the rule must see the item before and after, or a unique value is concerned.
        self.must_read = bool(unique) or rule_must_read(guard, changed)
        self.compares_tags = compares_tags(guard, items)
        self.rule = rule_clause(guard, changed)
        # Whether the rule is judged on the item as read: it holds for nothing, or is too large for DynamoDB.
        self.judges_here = self.rule is False

    @abstractmethod
    def result(self, old: RawItem) -> RawItem | None:
        """The item that the write makes of an old one, None if it deletes the item."""

    @abstractmethod
    def is_done(self, item: RawItem | None) -> bool:
        """Whether the table shows that the write has happened; ``item`` is the item there now, None for none."""

    @property
    def tells(self) -> bool:
        """Whether the item shows if the write was done."""
        return True

    def may_repeat(self, item: RawItem | None) -> bool:
        """Whether a write of which nobody knows what became may be sent again where it finds ``item`` unchanged."""
        return not self.is_done(item)

    @property
    def changed(self) -> frozenset[str]:
        """The attributes that it changes, by their names in DynamoDB."""
        return NO_ATTRIBUTES

    @property
    def blind(self) -> frozenset[str]:
        """Those of ``changed`` that DynamoDB computes of values which the write does not compare."""
        return NO_ATTRIBUTES

    def sources(self, names: Iterable[str]) -> frozenset[str]:
        """The attributes on which the new values of these rest, besides what the write itself says."""
        return NO_ATTRIBUTES

    # --- before the write ---------------------------------------------------------------------------------------

    def prepared(self, old: RawItem | None) -> PreparedWrite:
        """The write's conditions; the item is read and judged where that is needed. Raises as the guard does."""
        rule = True if self.judges_here else self.rule
        conditions = conditions_of_write(self.items, self.guard, rule, self.requirements)
        if self.terms.pins.names:
            conditions += self.terms.pins.conditions()
        self.guard.check_related(unpinned=True)
        pins = early_pins(self.guard.related)
        if not (self.must_read or self.compares_tags or self.judges_here):
            own, checks = related_parts(pins, self.items.model, self.key)
            actions, so_far = self.steps(old)
            return PreparedWrite([*conditions, *so_far, *own], NO_RESERVATIONS, old, checks, actions)
        old, reservations = old or self.items.fetch(self.key), NO_RESERVATIONS
        self.guard.check_address(old)
        try:
            new = self.result(old)
        except NO_RESULT:
            self.judge_as_it_is(old)
            raise
        if self.items.uniqueness is not None:
            reservations = Reservations.of(self.items.uniqueness, self.key, old, new)
        conditions += self._judged(old, has_reservations=bool(reservations))
        if related_checks(self.guard.verdict):
            before = State(self.items.instance(old), old)
            pins += pins_of_verdict(self.guard.verdict, before, self.after(old))
        own, checks = related_parts(pins, self.items.model, self.key)
        actions, so_far = self.steps(old)
        return PreparedWrite([*conditions, *so_far, *own], reservations, old, checks, actions)

    def steps(self, _: RawItem | None) -> Steps:
        """What it does to an item, None where that is not known, and the conditions under which that is right."""
        return [], []

    def part(self, write: PreparedWrite, unchanged: Sequence[Condition] = ()) -> TransactionPart:
        """The write, as part of a transaction."""
        kind, conditions = self.operation.removesuffix("Item"), [*write.conditions, *unchanged]
        return transaction_part(self.items.model, kind, conditions, write.actions, Key=self.key)

    def next_version(self, raw: RawItem) -> RawItem:
        """An item with the version after its own."""
        version = self.items.about.version
        if version is None:
            return raw
        number = int(raw.get(version.attr_name, {"N": "0"})["N"]) + 1
        return {**raw, version.attr_name: {"N": str(number)}}

    def _judged(self, old: RawItem, *, has_reservations: bool) -> list[Condition]:
        """Judge the item as it is and as it would be; the conditions that it is still so where that relied on it."""
        guard, items = self.guard, self.items
        before, after = State(items.instance(old), old), self.after(old)
        relied = guard.judge(*before, after) | guard.condition_attributes | self.unique
        guard.check_match(*before)
        version = items.about.version
        # A transaction does not give the item back, so that the whole of it must be known.
        if self.compares_tags or (has_reservations and version is None):
            relied |= {*old, *(attribute.attr_name for attribute in items.model.get_attributes().values())}
        elif has_reservations and version is not None:
            relied |= {version.attr_name}
        if after is not None:
            new = after.raw
            read = guard.judge_new(*after, before) | guard.condition_attributes
            if any(new.get(name) != value for name, value in self.key.items()):
                items.serializer.check_key(self.key, new)
            items.addresses.check_moved(items.model, old, new)
            # The new version is made of the old one.
            made = {version.attr_name} & read if version is not None else set()
            relied |= made.union(name for name in read if old.get(name) == new.get(name))
            relied |= self.sources(read | self.unique)
        return unchanged_conditions(old, relied)

    def after(self, old: RawItem) -> State | None:
        """The item as it would be; None where that need not be judged."""
        new = self.result(old) if self.must_read or self.judges_here else None
        if new is None:
            return None
        new = self.next_version(new)
        return State(self.items.instance(new), new)

    # --- after a refusal ----------------------------------------------------------------------------------------

    def refused(self, item: RawItem | None) -> RawItem:
        """The item on which a condition did not hold, where nothing but a race was lost: the write can be tried again.

        Raises ``NotFound`` or ``Forbidden`` as the rule says, ``PreconditionFailed``, the error of a requirement, and
        ``LostRace`` where the item is no longer as the verb has read it.
        """
        if self.guard.related:
            self.meet_related()  # it may be the item itself that let the user in
        raw = self.items.live(item, self.key)
        self.guard.check_address(raw)
        self.judge(raw)
        if self.guard.if_match is not None:
            self.guard.check_match(self.items.instance(raw), raw)
        for requirement in self.requirements:
            requirement.check(raw)
        if not self.terms.pins.hold_on(raw):
            raise LostRace()
        return raw

    def meet_related(self) -> None:
        """Forget the related items, one of which was not as it was read. Raises ``Forbidden`` where it refuses all."""
        forget_related([*self.guard.related, *related_checks(self.guard.verdict)])
        self.guard.check_related()

    def judge(self, raw: RawItem) -> None:
        """Raise as the guard does; a row that no attribute can read may be certain to pass."""
        if certainly_allows_by_parts(self.guard.verdict, raw):
            return
        try:
            after = self.after(raw)
        except NO_RESULT:
            after = None
        self.guard.judge(self.items.instance(raw), raw, after)

    def judge_as_it_is(self, raw: RawItem) -> None:
        """The same, whatever the write would make of it."""
        if not certainly_allows_by_parts(self.guard.verdict, raw):
            self.guard.judge(self.items.instance(raw), raw)

    def judge_written(self, raw: RawItem) -> None:
        """The same of an item that the write may have left: nobody asks what judges it before."""
        if has_sides(self.guard.verdict):
            self.guard.judge_new(self.items.instance(raw), raw)
        else:
            self.judge_as_it_is(raw)
