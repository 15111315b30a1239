"""One conditional write, and the three ways in which it can end: done, refused by its condition, or unknown."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from pynamodb.models import Model

from . import _pynamodb
from ._expressions import Clause, Step, expressed
from ._tries import ONCE
from .exceptions import HTTPError, ServiceUnavailable
from .failures import (
    CONDITION_FAILED,
    OF_CLIENT,
    answering,
    code_of,
    is_lost,
    old_item,
    retry_after,
    said_of,
    translated,
)
from .guards import current
from .types import RawItem

WRITE_SECONDS = 1.5
"""No write starts with less time left: it might happen without an answer."""


class ConditionFailed(Exception):
    """The condition did not hold on ``item``, which is None where there is none.

    ``retried`` says that an earlier try of a transaction got no answer, and so may be what changed the item.
    """

    def __init__(self, item: RawItem | None, *, retried: bool = False) -> None:
        super().__init__("The condition of a write did not hold.")
        self.item = item
        self.retried = retried


class OutcomeUnknown(Exception):
    """The write got no answer, and may have happened. ``answer`` is what to say if that stays open.

    ``hung_up`` says that its connection was closed: most likely one that was dead before, on which nothing arrives.
    """

    def __init__(self, answer: HTTPError, *, hung_up: bool) -> None:
        super().__init__("The outcome of a write is unknown.")
        self.answer = answer
        self.hung_up = hung_up


def too_late() -> None:
    """Raise ``ServiceUnavailable`` where there is too little time left for a write."""
    if current().seconds_left() < WRITE_SECONDS:
        raise ServiceUnavailable("There was too little time left to write: try again.", headers=retry_after())


def found(model: type[Model], key: RawItem) -> RawItem | None:
    """The item with this key as it stands now, None where there is none."""
    with answering():
        item: RawItem | None = _pynamodb.execute(model, "GetItem", Key=key, ConsistentRead=True).get("Item")
    return item


def write(
    model: type[Model],
    operation: str,
    conditions: Sequence[Clause],
    actions: Sequence[Step] = (),
    **arguments: Any,
) -> dict[str, Any]:
    """Do it once, where all conditions hold; an update answers with the item as it is then (``Attributes``).

    Raises ``ConditionFailed``, ``OutcomeUnknown``, and what `failures` makes of every other error.
    """
    too_late()
    arguments |= expressed(conditions, actions)
    arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if actions:
        arguments["ReturnValues"] = "ALL_NEW"
    token = ONCE.set(True)
    try:
        return _pynamodb.execute(model, operation, **arguments)
    except OF_CLIENT as error:
        raise _ended(error) from error
    finally:
        ONCE.reset(token)


def _ended(error: Exception) -> Exception:
    """How a write has ended whose call raised this."""
    if isinstance(error, ClientError | BotoCoreError):
        if code_of(error) == CONDITION_FAILED:
            return ConditionFailed(old_item(error))
        if is_lost(error):
            answer = translated(error) or ServiceUnavailable()
            return OutcomeUnknown(answer, hung_up=isinstance(error, ConnectionClosedError))
    return said_of(error)
