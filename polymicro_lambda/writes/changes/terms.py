"""What a verb says of a write: conditions of its own, and what it has read of the item."""

from typing import NamedTuple

from polymicro_lambda.rules import Requirement
from polymicro_lambda.types import RawItem

from .item_conditions import NO_PINS, Pins


class Terms(NamedTuple):
    """What a verb says of a write: conditions of its own, and what it has read of the item."""

    requirements: tuple[Requirement, ...] = ()
    pins: Pins = NO_PINS
    known: RawItem | None = None
    """The item as it was read, if it was."""


NO_TERMS = Terms()
