"""Reserves the unique values of items older than their ``unique``: run ``mark`` once, after the deployment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from . import dynamodb
from .app import PolyMicro
from .dynamodb import model_info
from .items import is_live
from .types import RawItem
from .writes import (
    UPDATE_ATTEMPTS,
    Reservation,
    Reservations,
    TransactionRefused,
    UniqueConstraints,
    too_contended,
    transaction_part,
    write_together,
)

__all__ = ["Duplicate", "mark"]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An item with a value that another one has already."""

    model: type[Model]
    names: tuple[str, ...]
    """The attributes that must be unique."""
    key: RawItem
    """The item's key, as DynamoDB stores it."""
    other: RawItem
    """The key of the item that has the value, in the same form."""


def mark(app: PolyMicro) -> list[Duplicate]:
    """Reserve the unique values of all items in the tables of a compiled app.

    You can run it again, and while the app serves. It returns the items whose value another item has already: they
    stay as they are until you change them and run it again. It reads each table whole (Scan), and each value costs
    four write units. Raises ``Conflict`` where requests keep writing the same values.
    """
    uniques = {route.uniqueness: None for route in app.routes if route.uniqueness and route.writes}
    return [one for uniqueness in uniques for one in _duplicates(uniqueness)]


def _duplicates(uniqueness: UniqueConstraints) -> Iterator[Duplicate]:
    """Reserve the values of a table's items; the items whose values are others' already."""
    names = [attribute.attr_name for attribute in model_info(uniqueness.model).keys.values()]
    for raw in _items(uniqueness.model):
        key = {name: raw[name] for name in names}
        for reservation in Reservations.of(uniqueness, key, None, raw).takes:
            other = _reserve(reservation)
            if other is not None:
                yield Duplicate(uniqueness.model, reservation.constraint.names, key, other)


def _items(model: type[Model]) -> Iterator[RawItem]:
    start: dict[str, Any] = {}
    while True:
        page = dynamodb.execute(model, "Scan", ConsistentRead=True, **start)
        yield from (raw for raw in page["Items"] if is_live(model, raw))
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _reserve(reservation: Reservation) -> RawItem | None:
    """The key of the other item that has the value; None if this item has it now, or lacks the value meanwhile."""
    model = reservation.uniqueness.model
    check = transaction_part(model, "ConditionCheck", [reservation.holds()], Key=reservation.key)
    for _ in range(UPDATE_ATTEMPTS):
        try:
            write_together(model, [check, reservation.put_part()])
        except TransactionRefused as error:
            if 0 in error.items:
                return None
            stored = error.items.get(1)
            if stored and not reservation.is_cleared(stored):
                owner: RawItem = stored["item"]["M"]
                return owner
        else:
            return None
    raise too_contended()
