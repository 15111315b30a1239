"""New items on their way into their tables: each alone, or all in one transaction with what goes with them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, get_item
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.items import same_item
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown, write_if
from .lost_answers import resolve_lost_answer
from .reservations import ATTEMPTS, Reservation, Reservations, too_contended, value_taken
from .transactions import TransactionPart, TransactionRefused, transaction_part, write_together

EXISTS = "There is an item with this key already."


@dataclass(slots=True)
class Creation:
    """One new item."""

    model: type[Model]
    raw: RawItem
    key: RawItem
    free: ConditionClause
    """There is no item with this key."""
    takes: tuple[Reservation, ...] = ()
    place: str = ""
    """Where it is in the body, e.g. ``/3``."""

    def write(self) -> RawItem:
        """Put the item, with what it claims. Raises ``Conflict`` and what `failures` makes of errors."""
        if self.takes:
            create_all([self])
        else:
            self._put()
        return self.raw

    def _put(self) -> None:
        try:
            try:
                self._act()
            except OutcomeUnknown as unknown:
                resolve_lost_answer(
                    unknown, self.model, self.key, self._act, lambda item: same_item(item, self.raw)
                )
        except ConditionFailed as error:
            raise _exists([self]) from error

    def _act(self, pins: Sequence[Condition] = ()) -> dict[str, Any]:
        return write_if(self.model, "PutItem", [self.free, *pins], Item=self.raw)

    def part(self) -> TransactionPart:
        """The write, as part of a transaction."""
        return transaction_part(self.model, "Put", [self.free], Item=self.raw)

    def is_there(self) -> bool:
        """Whether the item stands in its table as it should be written."""
        return same_item(get_item(self.model, self.key), self.raw)


@dataclass(frozen=True, slots=True)
class RecordPart:
    """The part of a transaction that tells the record of an idempotent request what is created with it."""

    part: TransactionPart
    is_done: Callable[[], bool]
    """Finds out whether the transaction was carried out, where no answer came."""
    refused: Callable[[], Conflict]
    """The answer where the record belongs to another try by now."""


def create_all(creations: Sequence[Creation], record: RecordPart | None = None) -> None:
    """Write all of them or none, and with them their part of the request's ``record``.

    Raises ``Conflict``, and as ``write_together``.
    """
    _check_apart(creations)
    reservations = Reservations(tuple(one for creation in creations for one in creation.takes))
    puts, rest = [one.part() for one in creations], [] if record is None else [record.part]
    is_done = creations[0].is_there if record is None else record.is_done
    for _ in range(ATTEMPTS):
        parts = [*puts, *reservations.parts(), *rest]
        try:
            return write_together(creations[0].model, parts)
        except OutcomeUnknown as error:
            if not is_done():
                raise error.answer from error
            return None
        except TransactionRefused as error:
            if error.retried and is_done():
                return None
            if record is not None and len(parts) - 1 in error.items:
                raise record.refused() from error
            reservations = _settled(creations, reservations, error)
    raise too_contended()


def _settled(
    creations: Sequence[Creation], reservations: Reservations, error: TransactionRefused
) -> Reservations:
    """What to reserve in the next try. Raises ``Conflict`` where there is none."""
    there = [one for number, one in enumerate(creations) if number in error.items]
    if there:
        raise _exists(there) from error
    return reservations.settled({number - len(creations): item for number, item in error.items.items()})


def _exists(creations: Iterable[Creation]) -> Conflict:
    errors = [{"pointer": f"#{one.place}", "detail": EXISTS} for one in creations if one.place]
    return Conflict(EXISTS, errors=errors)


def _check_apart(creations: Sequence[Creation]) -> None:
    """Raise ``Conflict`` where two of the items want the same: DynamoDB would refuse the whole as malformed."""
    known: set[str] = set()
    twice = [
        one for one in creations if _met(known, repr((one.model.Meta.table_name, sorted(one.key.items()))))
    ]
    if twice:
        raise _exists(twice)
    claims = [claim for one in creations for claim in one.takes if _met(known, claim.id)]
    if claims:
        raise value_taken(claims)


def _met(known: set[str], name: str) -> bool:
    met = name in known
    known.add(name)
    return met
