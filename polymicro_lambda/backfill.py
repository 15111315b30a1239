"""What items lack that are older than a declaration: run it once, after the deployment.

``mark`` reserves their unique values, ``compose`` writes their composed keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from . import dynamodb
from .app import PolyMicro
from .dynamodb import SimpleClause, UpdateStep, model_info
from .items import is_live
from .types import RawItem
from .writes import (
    UPDATE_ATTEMPTS,
    ConditionFailed,
    Reservation,
    Reservations,
    TransactionRefused,
    UniqueConstraints,
    too_contended,
    transaction_part,
    unchanged_conditions,
    write_if,
    write_together,
)

__all__ = ["Duplicate", "Unfit", "compose", "mark"]


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


@dataclass(frozen=True, slots=True)
class Unfit:
    """An item of which a key cannot be composed."""

    model: type[Model]
    name: str
    """The attribute whose value is the cause."""
    key: RawItem
    """The item's key, as DynamoDB stores it."""


def compose(app: PolyMicro) -> list[Unfit]:
    """Write the composed keys of indexes to all items in the tables of a compiled app that have others, or none.

    You can run it again, and while the app serves. It returns the items of which none can be composed, as a part holds
    the separator: they have no such key, and are not in its index. It reads each table whole (Scan). Raises
    ``Conflict`` where requests keep writing the same items.
    """
    models = dict.fromkeys(route.model for route in app.routes if model_info(route.model).composed)
    return [one for model in models for raw in _items(model) for one in _compose(model, raw)]


def _compose(model: type[Model], raw: RawItem) -> list[Unfit]:
    """Write the composed keys of one item."""
    key = {one.attr_name: raw[one.attr_name] for one in model_info(model).keys.values()}
    item: RawItem | None = raw
    for _ in range(UPDATE_ATTEMPTS):
        if item is None:
            return []
        actions, unfit = _keys_of(model, item, key)
        parts = {place for one in model_info(model).composed.values() for place in one.places}
        try:
            if actions:
                write_if(model, "UpdateItem", unchanged_conditions(item, parts | {*key}), actions, Key=key)
        except ConditionFailed as error:
            item = error.item
        else:
            return unfit
    raise too_contended()


def _keys_of(model: type[Model], raw: RawItem, key: RawItem) -> tuple[list[UpdateStep], list[Unfit]]:
    """What sets and removes the composed keys of an item that are not as they should be."""
    actions: list[UpdateStep] = []
    unfit: list[Unfit] = []
    for name, one in model_info(model).composed.items():
        value = None
        try:
            value = one.value(raw)
        except dynamodb.UnfitPart as error:
            unfit.append(Unfit(model, error.name, key))
        if not one.of_table and value != raw.get(name):
            actions.append(SimpleClause("remove" if value is None else "set", name, value))
    return actions, unfit


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
