"""Items found by a unique value: its reservation names the key of the item that has it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import get_item
from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.items import serialized
from polymicro_lambda.rules import Requirement
from polymicro_lambda.types import RawItem

from .unique_constraints import UniqueConstraint, UniqueConstraints


class Lookup(NamedTuple):
    """The attribute by which items are addressed in place of their key."""

    name: str
    uniqueness: UniqueConstraints
    constraint: UniqueConstraint
    """The one that makes it unique, alone or together with what path and rule bind."""

    def key(self, values: Mapping[str, Any]) -> RawItem | None:
        """The key of the item with these values, by one consistent read of their reservation; None where there is none.

        The item may have changed since, or be gone: see ``requirement``. ``values`` are those of attributes by their
        Python names, those of the constraint among them.
        """
        return reserved_key(self.uniqueness, reservation_of(self.uniqueness, self.constraint, values))

    def requirement(self, value: Any) -> Requirement:
        """That an item has this value still: else there is no item at its address."""
        attribute = self.uniqueness.model.get_attributes()[self.name]
        return Requirement(Path([attribute.attr_name]) == Value(serialized(attribute, value)), NotFound)


def reservation_of(
    uniqueness: UniqueConstraints, constraint: UniqueConstraint, values: Mapping[str, Any]
) -> str | None:
    """The id of the reservation of these values, which are given by Python names; None where one is None.

    Raises whatever an attribute raises for a value that it cannot store.
    """
    attributes = uniqueness.model.get_attributes()
    raw = {
        attributes[name].attr_name: serialized(attributes[name], values[name]) for name in constraint.names
    }
    return uniqueness.reservation_id(constraint, {name: one for name, one in raw.items() if one is not None})


def reserved_key(uniqueness: UniqueConstraints, reservation: str | None) -> RawItem | None:
    """The key of the item that has a reservation, by one consistent read; None where there is none."""
    found = (
        None if reservation is None else get_item(uniqueness.reservation_table, {"id": {"S": reservation}})
    )
    return None if found is None else {**found["item"]["M"]}
