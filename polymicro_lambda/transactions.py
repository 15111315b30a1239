"""One transaction of conditional writes, and the three ways in which it can end: done, refused, or unknown."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.models import Model

from . import _pynamodb
from ._expressions import Clause, Step, expressed
from .exceptions import ContentTooLarge, ServiceUnavailable
from .failures import (
    CONDITION_FAILED,
    answering,
    code_of,
    is_lost,
    items_of,
    reasons_of,
    retries_of,
    translated,
)
from .guards import current
from .types import RawItem
from .writes import WRITE_SECONDS, OutcomeUnknown, too_late

Part: TypeAlias = Mapping[str, Any]
"""One of a transaction's writes, as botocore takes it: ``{"Put": {…}}``."""

MOST = 100
"""Writes of one transaction (DynamoDB API reference, TransactWriteItems)."""
BYTES = 4 * 1024 * 1024
"""Bytes of its items together (the same)."""
TRIES = 3
"""A transaction that met another one on the same items is tried again, twice."""
PAUSE = 0.05
"""The most seconds before the first further try; each waits up to twice as long as the one before."""
CONFLICTS = frozenset({"None", "TransactionConflict"})


class PartsFailed(Exception):
    """The conditions of some parts did not hold: their places, each with the item there, None for no item.

    ``retried`` says that an earlier try got no answer, and so may be what changed the items.
    """

    def __init__(self, items: Mapping[int, RawItem | None], *, retried: bool) -> None:
        super().__init__("Conditions of a transaction did not hold.")
        self.items = items
        self.retried = retried


def part(
    model: type[Model],
    kind: str,
    conditions: Sequence[Clause],
    actions: Sequence[Step] = (),
    **arguments: Any,
) -> Part:
    """One write, or ``ConditionCheck``, of a transaction: done where all conditions hold."""
    asked = {"TableName": model.Meta.table_name, **arguments, **expressed(conditions, actions)}
    return {kind: {**asked, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}


def transact(model: type[Model], parts: Sequence[Part], *, tries: int = TRIES) -> None:
    """Do all of them or none, by the client of ``model``.

    botocore gives each call a token of its own, under which DynamoDB carries it out once, however often it is sent.
    Raises ``PartsFailed``, ``OutcomeUnknown``, ``ContentTooLarge`` and what `failures` makes of every other error.
    """
    check_size(parts)
    too_late()
    with answering():
        try:
            return _pynamodb.transact(model, parts)
        except (ClientError, BotoCoreError) as error:
            _told(error)
            if tries < 2 or not _conflicts(error) or current().seconds_left() < 2 * WRITE_SECONDS:
                raise
    time.sleep(secrets.randbelow(1000) / 1000 * PAUSE * 2 ** (TRIES - tries))
    return transact(model, parts, tries=tries - 1)


def check_size(parts: Sequence[Part]) -> None:
    """Raise ``ContentTooLarge`` for more than one transaction can hold."""
    if len(parts) > MOST:
        raise ContentTooLarge(f"This takes {len(parts)} writes, of which one transaction has {MOST} at most.")
    if sum(bytes_of({"M": one["Put"]["Item"]}) for one in parts if "Put" in one) > BYTES:
        raise ContentTooLarge("The items are together larger than the 4 MB of one transaction: send fewer.")


def bytes_of(value: Mapping[str, Any]) -> int:
    """The bytes of a stored value, as DynamoDB counts them ("Item sizes and formats")."""
    ((kind, one),) = value.items()
    return _BYTES[kind](one)


_BYTES: Mapping[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode(errors="replace")),
    "N": lambda text: len(text) // 2 + 2,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(len(text.encode(errors="replace")) for text in texts),
    "NS": lambda texts: sum(len(text) // 2 + 2 for text in texts),
    "BS": lambda several: sum(map(len, several)),
    "L": lambda several: 3 + sum(1 + bytes_of(one) for one in several),
    "M": lambda members: 3 + sum(1 + len(n.encode()) + bytes_of(one) for n, one in members.items()),
}


def _told(error: ClientError | BotoCoreError) -> None:
    """Raise what the caller can do something about."""
    failed = {n: item for n, (code, item) in enumerate(items_of(error)) if code == CONDITION_FAILED}
    if failed:
        raise PartsFailed(failed, retried=retries_of(error) > 0) from error
    # Another try of our own may still be under way.
    if is_lost(error) or code_of(error) == "TransactionInProgress":
        raise OutcomeUnknown(translated(error) or ServiceUnavailable(), hung_up=False) from error


def _conflicts(error: ClientError | BotoCoreError) -> bool:
    """Whether nothing but another transaction on the same items was in the way."""
    return code_of(error) == "TransactionConflict" or (
        "TransactionConflict" in (reasons := reasons_of(error)) and CONFLICTS.issuperset(reasons)
    )
