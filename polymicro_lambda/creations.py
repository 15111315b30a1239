"""New items on their way into their tables: each alone, or all in one transaction with what goes with them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from . import etags
from ._expressions import Clause
from .claims import ATTEMPTS, Claim, Claims, contended, taken
from .exceptions import Conflict
from .records import in_flight
from .settling import settled
from .transactions import Part, PartsFailed, part, transact
from .types import RawItem
from .writes import ConditionFailed, OutcomeUnknown, found, write

EXISTS = "There is an item with this key already."


@dataclass(slots=True)
class Creation:
    """One new item."""

    model: type[Model]
    raw: RawItem
    key: RawItem
    free: Clause
    """There is no item with this key."""
    takes: tuple[Claim, ...] = ()
    place: str = ""
    """Where it is in the body, e.g. ``/3``."""

    def write(self) -> RawItem:
        """Put the item, with what it claims. Raises ``Conflict`` and what `failures` makes of errors."""
        if self.takes:
            commit([self])
        else:
            self._put()
        return self.raw

    def _put(self) -> None:
        try:
            try:
                self._act()
            except OutcomeUnknown as unknown:
                settled(unknown, self.model, self.key, self._act, lambda item: etags.same(item, self.raw))
        except ConditionFailed as error:
            raise _exists([self]) from error

    def _act(self, pins: Sequence[Condition] = ()) -> dict[str, Any]:
        return write(self.model, "PutItem", [self.free, *pins], Item=self.raw)

    def part(self) -> Part:
        """The write, as part of a transaction."""
        return part(self.model, "Put", [self.free], Item=self.raw)

    def is_there(self) -> bool:
        """Whether the item stands in its table as it should be written."""
        return etags.same(found(self.model, self.key), self.raw)


def commit(
    creations: Sequence[Creation],
    told: Part | None = None,
    is_done: Callable[[], bool] | None = None,
) -> None:
    """Write all of them or none, together with the part that is ``told`` to the record of the request.

    ``is_done`` finds out what became of it where no answer came. Raises ``Conflict``, and as ``transact``.
    """
    _check_apart(creations)
    claims = Claims(tuple(claim for one in creations for claim in one.takes))
    puts, rest = [one.part() for one in creations], [] if told is None else [told]
    is_done = is_done or creations[0].is_there
    for _ in range(ATTEMPTS):
        parts = [*puts, *claims.parts(), *rest]
        try:
            return transact(creations[0].model, parts)
        except OutcomeUnknown as error:
            if not is_done():
                raise error.answer from error
            return None
        except PartsFailed as error:
            if error.retried and is_done():
                return None
            claims = _settled(creations, claims, error, len(parts) if rest else None)
    raise contended()


def _settled(creations: Sequence[Creation], claims: Claims, error: PartsFailed, told: int | None) -> Claims:
    """What to claim in the next try. Raises ``Conflict`` where there is none."""
    if told is not None and told - 1 in error.items:
        raise in_flight() from error
    there = [one for number, one in enumerate(creations) if number in error.items]
    if there:
        raise _exists(there) from error
    return claims.settled({number - len(creations): item for number, item in error.items.items()})


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
        raise taken(claims)


def _met(known: set[str], name: str) -> bool:
    met = name in known
    known.add(name)
    return met
