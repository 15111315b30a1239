"""Claims on values that must be unique: what a write does to markers in its transaction, and what a refusal means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, retry_after
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.items import expired_conditions
from polymicro_lambda.rules import holds
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown
from .transactions import TransactionPart, TransactionRefused, transaction_part, write_together
from .unique_constraints import UniqueConstraint, UniqueConstraints

ATTEMPTS = 3
"""How often a write is sent whose markers have to be cleared away first."""
TAKEN = "A value is taken that only one item may have."


@dataclass(frozen=True, slots=True)
class Reservation:
    """One item's claim on one value."""

    uniqueness: UniqueConstraints
    constraint: UniqueConstraint
    id: str
    values: RawItem
    key: RawItem
    """The item's."""
    place: str = ""
    """Where the item is in the body, e.g. ``/3``."""

    @property
    def marker(self) -> RawItem:
        """What stands for it in the table."""
        return {"id": {"S": self.id}, "item": {"M": self.key}}

    def taken(self) -> TransactionPart:
        """The marker is put, where it is free or ours already."""
        return transaction_part(
            self.uniqueness.reservation_table, "Put", [_free() | _of(self.key)], Item=self.marker
        )

    def dropped(self) -> TransactionPart:
        """The marker is removed, unless it is another's."""
        key = {"id": {"S": self.id}}
        return transaction_part(
            self.uniqueness.reservation_table, "Delete", [_free() | _of(self.key)], Key=key
        )

    def is_cleared(self, marker: RawItem) -> bool:
        """Whether a marker that is in the way is no more: the item that it names has expired, gone or changed.

        So it happens after a TTL, and after code that writes past this package.
        """
        owner = marker["item"]["M"]
        given_up = self._given_up()
        if not holds(given_up, get_item(self.uniqueness.model, owner) or {}):
            return False
        parts = [
            transaction_part(self.uniqueness.model, "ConditionCheck", [given_up], Key=owner),
            transaction_part(
                self.uniqueness.reservation_table, "Delete", [_of(owner)], Key={"id": {"S": self.id}}
            ),
        ]
        try:
            write_together(self.uniqueness.model, parts)
        except TransactionRefused as error:
            return 0 not in error.items
        except OutcomeUnknown as error:
            raise error.answer from error
        return True

    def holds(self) -> Condition:
        """The condition under which an item has the values."""
        return reduce(and_, [Path([name]) == Value(value) for name, value in self.values.items()])

    def _given_up(self) -> Condition:
        """The condition under which an item has no claim on the value."""
        others: list[Condition] = [Path([name]) != Value(value) for name, value in self.values.items()]
        return reduce(or_, [*others, *expired_conditions(self.uniqueness.model)])


@dataclass(frozen=True, slots=True)
class Reservations:
    """What one transaction does to markers."""

    takes: tuple[Reservation, ...] = ()
    drops: tuple[Reservation, ...] = ()

    @classmethod
    def of(
        cls, uniqueness: UniqueConstraints, key: RawItem, old: RawItem | None, new: RawItem | None
    ) -> "Reservations":
        """What is claimed and given up where an item changes; None is no item."""
        before, after = _claims(uniqueness, key, old), _claims(uniqueness, key, new)
        return cls(
            tuple(claim for id_, claim in after.items() if id_ not in before),
            tuple(claim for id_, claim in before.items() if id_ not in after),
        )

    def __bool__(self) -> bool:
        return bool(self.takes or self.drops)

    def parts(self) -> list[TransactionPart]:
        """The writes, in an order that ``settled`` knows."""
        return [*(claim.taken() for claim in self.takes), *(claim.dropped() for claim in self.drops)]

    def settled(self, failed: Mapping[int, RawItem | None]) -> "Reservations":
        """What to try again after these of the parts were refused, each by the marker that is there.

        Raises ``Conflict`` where a value is taken.
        """
        met = [(self.takes[n], marker) for n, marker in failed.items() if n < len(self.takes)]
        refused = [claim for claim, marker in met if marker and not claim.is_cleared(marker)]
        if refused:
            raise value_taken(refused)
        kept = [claim for n, claim in enumerate(self.drops, len(self.takes)) if n not in failed]
        return Reservations(self.takes, tuple(kept))


NO_RESERVATIONS = Reservations()


def _claims(uniqueness: UniqueConstraints, key: RawItem, raw: RawItem | None) -> dict[str, Reservation]:
    claimed = () if raw is None else uniqueness.claimed(raw)
    return {id_: Reservation(uniqueness, one, id_, values, key) for id_, one, values in claimed}


def value_taken(claims: Iterable[Reservation]) -> Conflict:
    """The answer where values are taken: which members, and nothing of who has them."""
    errors = []
    for claim in claims:
        several = len(claim.constraint.names) > 1
        detail = f"This is taken, together with the other of {', '.join(claim.constraint.names)}."
        for member in claim.constraint.members:
            pointer = f"#{claim.place}/{member}"
            errors.append({"pointer": pointer, "detail": detail if several else "This value is taken."})
    return Conflict(TAKEN, errors=errors)


def write_with_reservations(model: type[Model], write: TransactionPart, claims: Reservations) -> None:
    """Do a write to an item together with its claims.

    Raises ``ConditionFailed`` for the write, ``Conflict`` where a value is taken, and as ``transact``.
    """
    for _ in range(ATTEMPTS):
        try:
            return write_together(model, [write, *claims.parts()])
        except TransactionRefused as error:
            if 0 in error.items:
                raise ConditionFailed(error.items[0], retried=error.retried) from error
            claims = claims.settled({n - 1: marker for n, marker in error.items.items()})
    raise too_contended()


def too_contended() -> Conflict:
    """The answer where others keep claiming the same."""
    return Conflict("Somebody else keeps writing the same values: try again.", headers=retry_after())


def _free() -> Condition:
    return Path(["id"]).does_not_exist()


def _of(key: RawItem) -> Condition:
    """The marker is that of the item with this key."""
    ours: Condition = Path(["item"]) == Value({"M": key})
    return ours
