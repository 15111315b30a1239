"""moto's DynamoDB, one call after another: by itself it lets threads between the checks of a write and the write."""

from functools import wraps
from threading import RLock
from typing import Any

_lock = RLock()


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
            return call(self)

    one_at_a_time.one_at_a_time = True  # type: ignore[attr-defined]
    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]
