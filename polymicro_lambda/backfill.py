"""Marks the values of items that were there before they had to be unique: run it once, after the deployment."""

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
    """That of the item, as DynamoDB stores it."""
    other: RawItem
    """That of the item which holds the value."""


def mark(app: PolyMicro) -> list[Duplicate]:
    """Mark the unique values of all items in the tables of a compiled app; safe to run again, and while it serves.

    Gives the items that share a value with one that was marked before: they stay as they are, until you change them
    and run it again. Reads each table whole (Scan), and writes four units for each value.
    """
    several = {route.uniqueness: None for route in app.routes if route.uniqueness and route.writes}
    return [one for uniqueness in several for one in _duplicates(uniqueness)]


def _duplicates(uniqueness: UniqueConstraints) -> Iterator[Duplicate]:
    names = [attribute.attr_name for attribute in model_info(uniqueness.model).keys.values()]
    for raw in _items(uniqueness.model):
        for claim in Reservations.of(uniqueness, {name: raw[name] for name in names}, None, raw).takes:
            other = _other(claim)
            if other is not None:
                yield Duplicate(uniqueness.model, claim.constraint.names, claim.key, other)


def _items(model: type[Model]) -> Iterator[RawItem]:
    place: dict[str, Any] = {}
    while True:
        page = dynamodb.execute(model, "Scan", ConsistentRead=True, **place)
        yield from (raw for raw in page["Items"] if is_live(model, raw))
        if "LastEvaluatedKey" not in page:
            return
        place = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _other(claim: Reservation) -> RawItem | None:
    """The key of the item that has the value; None where it is this one's now, or this one has it no more."""
    check = transaction_part(claim.uniqueness.model, "ConditionCheck", [claim.holds()], Key=claim.key)
    for _ in range(UPDATE_ATTEMPTS):
        try:
            write_together(claim.uniqueness.model, [check, claim.taken()])
        except TransactionRefused as error:
            marker = error.items.get(1)
            if 0 in error.items:
                return None
            if marker and not claim.is_cleared(marker):
                owner: RawItem = marker["item"]["M"]
                return owner
        else:
            return None
    raise too_contended()
