"""One conditional write, and the three ways in which it can end: done, refused by its condition, or unknown."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    CLIENT_ERRORS,
    CONDITION_FAILED,
    NO_SECOND_TRY,
    ConditionClause,
    UpdateStep,
    error_code,
    expression_arguments,
    http_error_from_client,
    http_error_of,
    is_answer_lost,
    item_of_failed_condition,
    repeated_in_conflict,
    retry_after,
)
from polymicro_lambda.exceptions import Conflict, HTTPError, ServiceUnavailable
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem

WRITE_SECONDS = 1.5
"""No write starts with fewer seconds left to the invocation: the write might happen without an answer."""


class LostRace(Conflict):
    """409: somebody else has written the item meanwhile; a verb may be run again from a fresh read."""

    hint = "The item has changed meanwhile: read it again, then try again."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers=retry_after())


class ConditionFailed(Exception):
    """The condition did not hold on ``item``, which is None where there is none.

    ``after_lost_try`` says that an earlier try of a transaction got no answer, so that it may have changed the item.
    """

    def __init__(self, item: RawItem | None, *, after_lost_try: bool = False) -> None:
        super().__init__("The condition of a write did not hold.")
        self.item = item
        self.after_lost_try = after_lost_try


class OutcomeUnknown(Exception):
    """The write got no answer, and may have happened. ``answer`` is the response's error if that stays open.

    ``hung_up`` says that the connection was closed: most likely it was dead before, and the write never arrived.
    """

    def __init__(self, answer: HTTPError, *, hung_up: bool) -> None:
        super().__init__("The outcome of a write is unknown.")
        self.answer = answer
        self.hung_up = hung_up


def check_time_left() -> None:
    """Raise ``ServiceUnavailable`` where there is too little time left for a write."""
    if seconds_left() < WRITE_SECONDS:
        raise ServiceUnavailable("There was too little time left to write: try again.", headers=retry_after())


def write_if(
    model: type[Model],
    operation: str,
    conditions: Sequence[ConditionClause],
    actions: Sequence[UpdateStep] = (),
    **arguments: Any,
) -> dict[str, Any]:
    """Do it once, where all conditions hold; an update answers with the item as it is then (``Attributes``).

    What a transaction on the same item refuses is not done, and sent again (``repeated_in_conflict``).
    Raises ``ConditionFailed``, ``OutcomeUnknown``, and for every other error as ``dynamodb.http_error_from_client``.
    """
    check_time_left()
    arguments |= expression_arguments(conditions, actions)
    arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if actions:
        arguments["ReturnValues"] = "ALL_NEW"
    token = NO_SECOND_TRY.set(True)
    try:
        return repeated_in_conflict(partial(dynamodb.execute, model, operation, **arguments))
    except CLIENT_ERRORS as error:
        raise _outcome(error) from error
    finally:
        NO_SECOND_TRY.reset(token)


def _outcome(error: Exception) -> Exception:
    """The outcome of a write whose call raised this."""
    if isinstance(error, ClientError | BotoCoreError):
        if error_code(error) == CONDITION_FAILED:
            return ConditionFailed(item_of_failed_condition(error))
        if is_answer_lost(error):
            answer = http_error_of(error) or ServiceUnavailable()
            return OutcomeUnknown(answer, hung_up=isinstance(error, ConnectionClosedError))
    return http_error_from_client(error)
