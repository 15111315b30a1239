"""Related items on which a write is conditional, as ConditionChecks of its transaction."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.rules import RelatedPin, holds, item_id
from polymicro_lambda.types import RawItem

from .transact_write import TransactionPart, transaction_part


class RelatedPart(NamedTuple):
    """A related item, and what must hold on it."""

    model: type[Model]
    key: RawItem
    conditions: tuple[Condition, ...]

    def part(self) -> TransactionPart:
        """The ConditionCheck."""
        return transaction_part(self.model, "ConditionCheck", [reduce(and_, self.conditions)], Key=self.key)

    def holds_on(self, item: RawItem | None) -> bool:
        """Whether it holds on this item, None for none."""
        return all(holds(one, item or {}) for one in self.conditions)


def related_parts(
    pins: Iterable[RelatedPin], model: type[Model], key: RawItem
) -> tuple[Sequence[Condition], tuple[RelatedPart, ...]]:
    """Conditions of the write to the item with this key, and those on other items."""
    several = (
        RelatedPart(check.model, related, (check.write_condition(),))
        for check, related in pins
        if related is not None
    )
    found = by_item(several)
    own = found.pop(item_id(model, key), None)
    return () if own is None else own.conditions, tuple(found.values())


def by_item(several: Iterable[RelatedPart]) -> dict[Hashable, RelatedPart]:
    """The same with one for each item, by its place; what is said of it twice once."""
    found: dict[Hashable, RelatedPart] = {}
    for one in several:
        place = item_id(one.model, one.key)
        said = (*found[place].conditions, *one.conditions) if place in found else one.conditions
        distinct = {str(condition): condition for condition in said}
        found[place] = one._replace(conditions=tuple(distinct.values()))
    return found


def beside_writes(
    several: Iterable[RelatedPart], written: Sequence[Hashable]
) -> tuple[Mapping[int, RelatedPart], list[TransactionPart]]:
    """What must hold on items that a transaction writes, by the number of the write; and the checks of other items.

    ``written`` are the places of the written items. Where one of them is a related item, its condition joins the write.
    """
    found = by_item(several)
    own = {number: found.pop(place) for number, place in enumerate(written) if place in found}
    return own, [one.part() for one in found.values()]
