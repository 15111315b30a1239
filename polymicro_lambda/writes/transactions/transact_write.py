"""One TransactWriteItems of DynamoDB, and the three ways in which it can end: done, refused, or unknown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    CONDITION_FAILED,
    ConditionClause,
    Tries,
    UpdateStep,
    cancellation_items,
    error_code,
    expression_arguments,
    http_error_of,
    is_answer_lost,
    no_answer,
    repeated_in_conflict,
    translating_errors,
    watched_tries,
)
from polymicro_lambda.exceptions import ContentTooLarge
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.conditional_writes import WRITE_SECONDS, OutcomeUnknown, check_time_left

TransactionPart: TypeAlias = Mapping[str, Any]
"""One of a transaction's writes, as botocore takes it: ``{"Put": {…}}``."""

MOST_WRITES = 100
"""Writes of one transaction (DynamoDB API reference, TransactWriteItems)."""
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of its items together (the same)."""


class TransactionRefused(Exception):
    """Conditions of some parts did not hold. ``items`` has the items there by the parts' places, None for no item.

    ``after_lost_try`` says that an earlier try got no answer, so that it may have changed the items.
    """

    def __init__(self, items: Mapping[int, RawItem | None], *, after_lost_try: bool) -> None:
        super().__init__("Conditions of a transaction did not hold.")
        self.items = items
        self.after_lost_try = after_lost_try


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


def write_together(model: type[Model], parts: Sequence[TransactionPart], *, finds_out: bool = False) -> None:
    """Do all of them or none, by the client of ``model``.

    Each call has a token of its own, under which DynamoDB carries it out once, however often it is sent: where botocore
    has sent it but once and no answer came, it is sent again to find out, if that is asked for by ``finds_out``. A
    conflict with another transaction is met by a call with another token, as nothing was done under the first. Raises
    ``TransactionRefused``,
    ``OutcomeUnknown``, ``ContentTooLarge``, and for every other error as ``dynamodb.translating_errors``.
    """
    check_size(parts)
    check_time_left()
    with translating_errors():
        repeated_in_conflict(lambda: _send(model, parts, finds_out=finds_out))


def _send(model: type[Model], parts: Sequence[TransactionPart], *, finds_out: bool) -> None:
    """One transaction. Raises ``TransactionRefused``, ``OutcomeUnknown``, or the client's error if nothing was done."""
    token = str(uuid4())
    with watched_tries() as tries:
        try:
            return _call(model, parts, token, tries)
        except OutcomeUnknown:
            if not finds_out or tries.count > 1 or seconds_left() < WRITE_SECONDS:
                raise
        tries.lost = True
        return _call(model, parts, token, tries)


def _call(model: type[Model], parts: Sequence[TransactionPart], token: str, tries: Tries) -> None:
    try:
        dynamodb.transact_write(model, parts, token)
    except (ClientError, BotoCoreError) as error:
        _raise_outcome(error, after_lost_try=tries.lost)
        raise


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


def _raise_outcome(error: ClientError | BotoCoreError, *, after_lost_try: bool) -> None:
    """Raise ``TransactionRefused`` or ``OutcomeUnknown`` where the error means that; else nothing is raised."""
    failed = {n: item for n, (code, item) in enumerate(cancellation_items(error)) if code == CONDITION_FAILED}
    if failed:
        raise TransactionRefused(failed, after_lost_try=after_lost_try) from error
    # A try of our own may have been carried out, or may still be under way, whatever the last one was told.
    if after_lost_try or is_answer_lost(error) or error_code(error) == "TransactionInProgress":
        answer = http_error_of(error)
        known = answer is not None and answer.status >= 500
        raise OutcomeUnknown(answer if answer and known else no_answer(), hung_up=False) from error
