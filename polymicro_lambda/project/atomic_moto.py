"""moto's DynamoDB, one call after another: by itself it lets threads between the checks of a write and the write."""

import json
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any

from .kept_data import WRITES, KeptCall

_lock = RLock()
_notes: list[Callable[[KeptCall], None]] = []
"""Who is told of each call that has changed something, before its answer goes out."""


def tell_of_writes(note: Callable[[KeptCall], None]) -> None:
    """Tell of each further call that changes something in moto's DynamoDB of this process."""
    _notes.append(note)


def serialize_calls() -> None:
    """From now on moto answers one call of DynamoDB at a time, in this process and by its server.

    DynamoDB's writes are atomic. moto's are not: two transactions at once both took the last of a stock.
    """
    from moto.dynamodb.responses import DynamoHandler  # noqa: PLC0415 - deferred: half a second

    call = DynamoHandler.call_action
    if getattr(call, "one_at_a_time", False):
        return

    @wraps(call)
    def one_at_a_time(self: Any) -> Any:
        with _lock:
            answer = call(self)
            if _notes and answer[0] == 200:
                _tell(self)
            return answer

    one_at_a_time.one_at_a_time = True  # type: ignore[attr-defined]
    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]


def _tell(request: Any) -> None:
    operation = request.get_endpoint_name(request.headers)
    if operation in WRITES:
        made = KeptCall(operation, request.region, json.loads(request.raw_body))
        for note in _notes:
            note(made)
