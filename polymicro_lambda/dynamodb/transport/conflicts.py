"""A write that meets a transaction on the same items is sent again, a few times and with jitter."""

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from polymicro_lambda.dynamodb.error_codes import cancellation_reasons, error_code
from polymicro_lambda.observability import seconds_left

from .retries import LEAST_SECONDS

T = TypeVar("T")

CONFLICT_TRIES = 3
"""How often a write is sent that meets a transaction on the same items."""
PAUSE = 0.05
"""The longest wait before the second try, in seconds; before each further try it is twice as long."""
CONFLICT = "TransactionConflict"
ONLY_CONFLICTS = frozenset({"None", CONFLICT})


def repeated_in_conflict(send: Callable[[], T]) -> T:
    """What ``send`` gives, called again where nothing but another transaction was in its way.

    Raises as ``send``: the conflict too, after the last try and where too little time is left for another.
    """
    for number in range(1, CONFLICT_TRIES):
        try:
            return send()
        except ClientError as error:
            if not (_is_conflict(error) and has_waited(number)):
                raise
    return send()


def has_waited(number: int) -> bool:
    """Wait after the try of this number (1 is the first); False at once where too little time is left for another."""
    wait = secrets.randbelow(1000) / 1000 * PAUSE * 2 ** (number - 1)
    if seconds_left() - wait < LEAST_SECONDS:
        return False
    time.sleep(wait)
    return True


def _is_conflict(error: ClientError) -> bool:
    """Whether DynamoDB refused the write, or the transaction, for that reason alone."""
    if error_code(error) == CONFLICT:
        return True
    reasons = cancellation_reasons(error)
    return CONFLICT in reasons and ONLY_CONFLICTS.issuperset(reasons)
