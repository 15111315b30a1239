"""Reservations of unique values: items of a table of their own, written in one transaction with the items they are for.

A reservation names a value by its digest, and the item that has the value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, retry_after
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.items import expired_conditions, same_item
from polymicro_lambda.rules import holds
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.conditional_writes import ConditionFailed, OutcomeUnknown
from polymicro_lambda.writes.transactions.related_parts import RelatedPart
from polymicro_lambda.writes.transactions.transact_write import (
    TransactionPart,
    TransactionRefused,
    transaction_part,
    write_together,
)

from .unique_constraints import UniqueConstraint, UniqueConstraints

RESERVATION_ATTEMPTS = 3
"""How often a transaction is sent that finds reservations of items which no longer have the value."""
TAKEN = "A value is taken that only one item may have."


@dataclass(frozen=True, slots=True)
class Reservation:
    """One unique value, kept for one item."""

    uniqueness: UniqueConstraints
    constraint: UniqueConstraint
    id: str
    """The digest of the value."""
    values: RawItem
    """The value, by the attributes of the constraint."""
    key: RawItem
    """The item's."""
    place: str = ""
    """Where the item is in the body, e.g. ``/3``."""

    @property
    def item(self) -> RawItem:
        """The reservation as it is stored."""
        return {"id": {"S": self.id}, "item": {"M": self.key}}

    def put_part(self) -> TransactionPart:
        """Put the reservation, where the value is free or this item's already."""
        return transaction_part(
            self.uniqueness.reservation_table, "Put", [_is_free() | _is_for(self.key)], Item=self.item
        )

    def delete_part(self) -> TransactionPart:
        """Delete the reservation, unless it is another item's."""
        return transaction_part(
            self.uniqueness.reservation_table,
            "Delete",
            [_is_free() | _is_for(self.key)],
            Key=self._stored_key,
        )

    def is_held(self) -> bool:
        """Whether the value is reserved for the item. It reads the reservation."""
        return same_item(get_item(self.uniqueness.reservation_table, self._stored_key), self.item)

    def is_cleared(self, stored: RawItem) -> bool:
        """Whether another item's stored reservation of the value is deleted: that item has expired, gone or changed.

        So it happens after a TTL, and after code that writes past this package.
        """
        owner = stored["item"]["M"]
        lacks_value = self._lacks_value()
        if not holds(lacks_value, get_item(self.uniqueness.model, owner) or {}):
            return False
        table = self.uniqueness.reservation_table
        parts = [
            transaction_part(self.uniqueness.model, "ConditionCheck", [lacks_value], Key=owner),
            transaction_part(table, "Delete", [_is_for(owner)], Key=self._stored_key),
        ]
        try:
            write_together(self.uniqueness.model, parts)
        except TransactionRefused as error:
            return 0 not in error.items
        except OutcomeUnknown as error:
            raise error.answer from error
        return True

    def holds(self) -> Condition:
        """The condition that an item has the value."""
        return reduce(and_, [Path([name]) == Value(value) for name, value in self.values.items()])

    def _lacks_value(self) -> Condition:
        """The condition that an item has another value, or has expired."""
        others: list[Condition] = [Path([name]) != Value(value) for name, value in self.values.items()]
        return reduce(or_, [*others, *expired_conditions(self.uniqueness.model)])

    @property
    def _stored_key(self) -> RawItem:
        return {"id": {"S": self.id}}


@dataclass(frozen=True, slots=True)
class Reservations:
    """The reservations that one transaction puts and deletes."""

    takes: tuple[Reservation, ...] = ()
    drops: tuple[Reservation, ...] = ()

    @classmethod
    def of(
        cls, uniqueness: UniqueConstraints, key: RawItem, old: RawItem | None, new: RawItem | None
    ) -> "Reservations":
        """The change of reservations where an item changes from ``old`` to ``new``; None is no item."""
        before, after = _reservations(uniqueness, key, old), _reservations(uniqueness, key, new)
        return cls(
            tuple(one for id_, one in after.items() if id_ not in before),
            tuple(one for id_, one in before.items() if id_ not in after),
        )

    def __bool__(self) -> bool:
        return bool(self.takes or self.drops)

    def parts(self) -> list[TransactionPart]:
        """The writes, first those of ``takes``."""
        return [*(one.put_part() for one in self.takes), *(one.delete_part() for one in self.drops)]

    def are_done(self) -> bool:
        """Whether the table shows these writes; it is read."""
        return all(one.is_held() for one in self.takes) and not any(one.is_held() for one in self.drops)

    def after_refusal(self, refused: Mapping[int, RawItem | None]) -> "Reservations":
        """The reservations of the next try. ``refused`` are the places of parts, each with the item stored there.

        Raises ``Conflict`` where a value is another item's.
        """
        wanted = [(self.takes[n], stored) for n, stored in refused.items() if n < len(self.takes)]
        taken = [one for one, stored in wanted if stored and not one.is_cleared(stored)]
        if taken:
            raise value_taken(taken)
        kept = [one for n, one in enumerate(self.drops, len(self.takes)) if n not in refused]
        return Reservations(self.takes, tuple(kept))


NO_RESERVATIONS = Reservations()


def _reservations(uniqueness: UniqueConstraints, key: RawItem, raw: RawItem | None) -> dict[str, Reservation]:
    """The reservations of an item by their ids."""
    if raw is None:
        return {}
    values = uniqueness.unique_values(raw)
    return {id_: Reservation(uniqueness, constraint, id_, value, key) for id_, constraint, value in values}


def value_taken(reservations: Iterable[Reservation]) -> Conflict:
    """The answer where values are taken: it names the members of the body, and not the items that have the values."""
    errors = []
    for reservation in reservations:
        names = reservation.constraint.names
        detail = f"This combination of {' and '.join(names)} is taken."
        for member in reservation.constraint.members:
            pointer = f"#{reservation.place}/{member}"
            errors.append(
                {"pointer": pointer, "detail": detail if len(names) > 1 else "This value is taken."}
            )
    return Conflict(TAKEN, errors=errors)


class RelatedRefused(Exception):
    """The check of a related item did not hold, so that nothing was written."""


def write_with_reservations(
    model: type[Model],
    write: TransactionPart,
    reservations: Reservations,
    checks: Sequence[RelatedPart] = (),
) -> None:
    """Do a write to an item together with its reservations, where the ``checks`` of related items hold.

    Raises ``RelatedRefused`` where they do not, else ``ConditionFailed`` for the write, ``Conflict`` where a value is
    taken, and as ``write_together``.
    """
    for _ in range(RESERVATION_ATTEMPTS):
        kept = reservations.parts()
        try:
            return write_together(model, [write, *kept, *[one.part() for one in checks]])
        except TransactionRefused as error:
            if 0 in error.items and error.after_lost_try:
                raise ConditionFailed(error.items[0], after_lost_try=True) from error
            if any(number > len(kept) for number in error.items):
                raise RelatedRefused from error
            if 0 in error.items:
                raise ConditionFailed(error.items[0]) from error
            reservations = reservations.after_refusal(
                {number - 1: stored for number, stored in error.items.items()}
            )
    raise too_contended()


def too_contended() -> Conflict:
    """The answer where others keep reserving the same values."""
    return Conflict("Somebody else keeps writing the same values: try again.", headers=retry_after())


def _is_free() -> Condition:
    """There is no reservation of the value."""
    return Path(["id"]).does_not_exist()


def _is_for(key: RawItem) -> Condition:
    """The reservation is for the item with this key."""
    ours: Condition = Path(["item"]) == Value({"M": key})
    return ours
