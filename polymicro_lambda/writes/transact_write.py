"""One TransactWriteItems of DynamoDB, and the three ways in which it can end: done, refused, or unknown."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    CONDITION_FAILED,
    ConditionClause,
    UpdateStep,
    cancellation_items,
    cancellation_reasons,
    error_code,
    expression_arguments,
    http_error_of,
    is_answer_lost,
    retry_count,
    translating_errors,
)
from polymicro_lambda.exceptions import ContentTooLarge, ServiceUnavailable
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem

from .conditional_writes import WRITE_SECONDS, OutcomeUnknown, check_time_left

TransactionPart: TypeAlias = Mapping[str, Any]
"""One of a transaction's writes, as botocore takes it: ``{"Put": {…}}``."""

MOST_WRITES = 100
"""Writes of one transaction (DynamoDB API reference, TransactWriteItems)."""
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of its items together (the same)."""
TRIES = 3
"""How often a transaction is sent that meets another one on the same items."""
PAUSE = 0.05
"""The longest wait before the second try, in seconds; before each further try it is twice as long."""
ONLY_CONFLICTS = frozenset({"None", "TransactionConflict"})


class TransactionRefused(Exception):
    """Conditions of some parts did not hold. ``items`` has the items there by the parts' places, None for no item.

    ``retried`` says that an earlier try got no answer, so that it may have changed the items.
    """

    def __init__(self, items: Mapping[int, RawItem | None], *, retried: bool) -> None:
        super().__init__("Conditions of a transaction did not hold.")
        self.items = items
        self.retried = retried


def transaction_part(
    model: type[Model],
    kind: str,
    conditions: Sequence[ConditionClause],
    actions: Sequence[UpdateStep] = (),
    **arguments: Any,
) -> TransactionPart:
    """One write, or ``ConditionCheck``, of a transaction: done where all conditions hold."""
    asked = {"TableName": model.Meta.table_name, **arguments, **expression_arguments(conditions, actions)}
    return {kind: {**asked, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}


def write_together(model: type[Model], parts: Sequence[TransactionPart], *, tries: int = TRIES) -> None:
    """Do all of them or none, by the client of ``model``.

    botocore gives each call a token of its own, under which DynamoDB carries it out once, however often it is sent.
    Raises ``TransactionRefused``, ``OutcomeUnknown``, ``ContentTooLarge``, and for every other error as
    ``dynamodb.translating_errors``.
    """
    check_size(parts)
    check_time_left()
    with translating_errors():
        try:
            return dynamodb.transact_write(model, parts)
        except (ClientError, BotoCoreError) as error:
            _raise_outcome(error)
            if tries < 2 or not _conflicts(error) or seconds_left() < 2 * WRITE_SECONDS:
                raise
    time.sleep(secrets.randbelow(1000) / 1000 * PAUSE * 2 ** (TRIES - tries))
    return write_together(model, parts, tries=tries - 1)


def check_size(parts: Sequence[TransactionPart]) -> None:
    """Raise ``ContentTooLarge`` for more writes or bytes than a transaction can have."""
    if len(parts) > MOST_WRITES:
        raise ContentTooLarge(
            f"This takes {len(parts)} writes, of which one transaction has {MOST_WRITES} at most."
        )
    if sum(bytes_of({"M": one["Put"]["Item"]}) for one in parts if "Put" in one) > MOST_BYTES:
        raise ContentTooLarge("The items are together larger than the 4 MB of one transaction: send fewer.")


def bytes_of(value: Mapping[str, Any]) -> int:
    """The bytes of a stored value, as DynamoDB counts them ("Item sizes and formats")."""
    ((kind, content),) = value.items()
    return _BYTES_OF[kind](content)


_BYTES_OF: Mapping[str, Callable[[Any], int]] = {
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


def _raise_outcome(error: ClientError | BotoCoreError) -> None:
    """Raise ``TransactionRefused`` or ``OutcomeUnknown`` where the error means that; else nothing is raised."""
    failed = {n: item for n, (code, item) in enumerate(cancellation_items(error)) if code == CONDITION_FAILED}
    if failed:
        raise TransactionRefused(failed, retried=retry_count(error) > 0) from error
    # Another try of our own may still be under way.
    if is_answer_lost(error) or error_code(error) == "TransactionInProgress":
        raise OutcomeUnknown(http_error_of(error) or ServiceUnavailable(), hung_up=False) from error


def _conflicts(error: ClientError | BotoCoreError) -> bool:
    """Whether nothing but another transaction on the same items was in the way."""
    return error_code(error) == "TransactionConflict" or (
        "TransactionConflict" in (reasons := cancellation_reasons(error))
        and ONLY_CONFLICTS.issuperset(reasons)
    )
