"""Writes to items that are there: each alone, or in a transaction with its claims on unique values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, UpdateStep, model_info
from polymicro_lambda.types import RawItem

from .conditional_writes import write_if
from .reservations import NO_RESERVATIONS, Reservations, write_with_reservations
from .transactions import transaction_part

After: TypeAlias = Callable[[RawItem], RawItem]
"""What a write makes of an item."""


@dataclass(slots=True)
class ItemChange:
    """A write to an item that must be there."""

    operation: str
    after: After | None
    """What it makes of the item, where the rule must see that or a unique value is concerned; else None."""
    actions: Sequence[UpdateStep]
    is_done: Callable[[RawItem | None], bool]
    """Whether an item is what the write leaves, None being no item."""
    pinned: frozenset[str] = frozenset()
    """The attributes whose values claims are made on: they must still be what was read."""

    def left(self, old: RawItem) -> RawItem | None:
        """What it leaves of an item, None if it deletes it."""
        if self.operation == "DeleteItem":
            return None
        return old if self.after is None else self.after(old)

    def write(
        self,
        model: type[Model],
        conditions: Sequence[ConditionClause],
        claims: Reservations,
        key: RawItem,
        old: RawItem | None,
        pins: Sequence[Condition] = (),
    ) -> dict[str, Any]:
        """Do it where all conditions and ``pins`` hold; an update answers with the item as it is then (``Attributes``).

        Raises as ``writes.write``, and ``Conflict`` where a value is taken.
        """
        conditions = [*conditions, *pins] if pins else conditions
        if claims is NO_RESERVATIONS or not claims:
            return write_if(model, self.operation, conditions, self.actions, Key=key)
        kind = self.operation.removesuffix("Item")
        write_with_reservations(
            model, transaction_part(model, kind, conditions, self.actions, Key=key), claims
        )
        # A transaction gives no item back: it is what the old one was made into, on the condition that it was that.
        return {"Attributes": _next_version(model, self.left(old or {}) or {})}


def _next_version(model: type[Model], raw: RawItem) -> RawItem:
    version = model_info(model).version
    if version is None:
        return raw
    number = int(raw.get(version.attr_name, {"N": "0"})["N"]) + 1
    return {**raw, version.attr_name: {"N": str(number)}}
