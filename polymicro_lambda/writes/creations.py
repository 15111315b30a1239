"""New items: one alone, or several in one transaction with their reservations and the record of their request."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, get_item
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.items import same_item
from polymicro_lambda.rules import item_id, refused_by_related
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .lost_answers import resolve_lost_answer
from .transactions.related_parts import RelatedPart, beside_writes
from .transactions.transact_write import TransactionPart, TransactionRefused, transaction_part, write_together
from .unique.reservations import RESERVATION_ATTEMPTS, Reservation, Reservations, too_contended, value_taken

T = TypeVar("T")

EXISTS = "There is an item with this key already."


class KeyTaken(Conflict):
    """409: there are items with these keys already."""

    keys: tuple[RawItem, ...] = ()


@dataclass(slots=True)
class Creation:
    """One new item."""

    model: type[Model]
    raw: RawItem
    key: RawItem
    key_is_free: ConditionClause
    """The condition that there is no item with this key."""
    reservations: tuple[Reservation, ...] = ()
    """Its unique values."""
    checks: tuple[RelatedPart, ...] = ()
    """The checks of related items on which it is conditional."""
    place: str = ""
    """Where the item is in the body, e.g. ``/3``."""

    def write(self) -> RawItem:
        """Put the item, with its reservations. Raises ``Conflict``, and as ``write_if``."""
        if self.reservations or self.checks:
            create_all([self])
        else:
            self._put_alone()
        return self.raw

    def _put_alone(self) -> None:
        try:
            try:
                self._put()
            except OutcomeUnknown as unknown:
                resolve_lost_answer(
                    unknown, self.model, self.key, self._put, lambda item: same_item(item, self.raw)
                )
        except ConditionFailed as error:
            raise _key_taken([self]) from error

    def _put(self, unchanged: Sequence[Condition] = ()) -> dict[str, Any]:
        return write_if(self.model, "PutItem", [self.key_is_free, *unchanged], Item=self.raw)

    def part(self, conditions: Sequence[Condition] = ()) -> TransactionPart:
        """The write, as part of a transaction, on these conditions too."""
        return transaction_part(self.model, "Put", [self.key_is_free, *conditions], Item=self.raw)

    @property
    def item_id(self) -> Hashable:
        """The place of the item."""
        return item_id(self.model, self.key)

    def is_done(self) -> bool:
        """Whether the item stands in its table as it should be written."""
        return same_item(get_item(self.model, self.key), self.raw)


@dataclass(frozen=True, slots=True)
class RecordPart:
    """The part of a transaction that adds its new items to the record of an idempotent request."""

    part: TransactionPart
    is_done: Callable[[], bool]
    """Finds out whether the transaction was carried out, where no answer came."""
    refused: Callable[[], Conflict]
    """The answer where the record belongs to another try by now."""


def create_all(creations: Sequence[Creation], record: RecordPart | None = None) -> None:
    """Write all of them or none, and with them their part of the request's ``record``.

    Raises ``Conflict``, and as ``write_together``.
    """
    _check_distinct(creations)
    reservations = Reservations(tuple(one for creation in creations for one in creation.reservations))
    several = (check for creation in creations for check in creation.checks)
    own, checks = beside_writes(several, [one.item_id for one in creations])
    puts = [one.part(own[n].conditions if n in own else ()) for n, one in enumerate(creations)]
    rest = [] if record is None else [record.part]
    for _ in range(RESERVATION_ATTEMPTS):
        kept = reservations.parts()
        parts = [*puts, *kept, *checks, *rest]
        try:
            return write_together(creations[0].model, parts)
        except OutcomeUnknown as error:
            if not _are_done(creations, reservations, record):
                raise error.answer from error
            return None
        except TransactionRefused as error:
            if error.after_lost_try and _are_done(creations, reservations, record):
                return None
            if record is not None and len(parts) - 1 in error.items:
                raise record.refused() from error
            others = any(number >= len(puts) + len(kept) for number in error.items)
            if others or not all(one.holds_on(error.items[n]) for n, one in own.items() if n in error.items):
                raise refused_by_related() from error
            reservations = _next_reservations(creations, reservations, error)
    raise too_contended()


def _are_done(creations: Sequence[Creation], reservations: Reservations, record: RecordPart | None) -> bool:
    """Whether the tables show that the transaction was carried out: all of it, as it is carried out whole.

    The record alone is proof, since nobody else adds to it while the lock is ours. Items and reservations could each
    stand there already.
    """
    if record is not None:
        return record.is_done()
    return all(one.is_done() for one in creations) and reservations.are_done()


def _next_reservations(
    creations: Sequence[Creation], reservations: Reservations, error: TransactionRefused
) -> Reservations:
    """The reservations of the next try. Raises ``Conflict`` where a next try would be in vain."""
    taken = [one for number, one in enumerate(creations) if number in error.items]
    if taken:
        raise _key_taken(taken) from error
    return reservations.after_refusal({number - len(creations): item for number, item in error.items.items()})


def _key_taken(creations: Sequence[Creation]) -> KeyTaken:
    errors = [{"pointer": f"#{one.place}", "detail": EXISTS} for one in creations if one.place]
    error = KeyTaken(EXISTS, errors=errors)
    error.keys = tuple(one.key for one in creations)
    return error


def _check_distinct(creations: Sequence[Creation]) -> None:
    """Raise ``Conflict`` where two items have the same key or unique value: DynamoDB takes no such transaction."""
    same_key = repeated(creations, lambda one: repr((one.model.Meta.table_name, sorted(one.key.items()))))
    if same_key:
        raise _key_taken(same_key)
    reservations = [one for creation in creations for one in creation.reservations]
    same_value = repeated(reservations, lambda one: one.id)
    if same_value:
        raise value_taken(same_value)


def repeated(several: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """Those that have the name of an earlier one."""
    first: dict[str, T] = {}
    return [one for one in several if first.setdefault(name(one), one) is not one]
