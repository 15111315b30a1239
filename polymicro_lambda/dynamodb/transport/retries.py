"""What is known of botocore's inside about tries: how often it makes them, and how long it waits for an answer.

It tries again as it always does, but never into the end of the invocation, and never what may be done already where
the store is to find that out.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

from botocore.exceptions import ClientError, HTTPClientError
from urllib3.util import Timeout

from polymicro_lambda.dynamodb.failures import is_answer_lost
from polymicro_lambda.observability import seconds_left

LEAST = 1.5
"""Seconds that must be left for one more try, after the wait before it."""
KEPT = 0.5
"""Seconds of an invocation that no try may take: they are for the answer."""
SHORTEST = 0.1
"""Seconds that a try gets whatever is left: DynamoDB answers within a few milliseconds."""
HANDLER = "retry-config-dynamodb"
"""The id under which botocore registers what decides on one more try, in each of its modes."""

_bound: WeakSet[Any] = WeakSet()
ONCE: ContextVar[bool] = ContextVar("polymicro_once", default=False)
"""A call that gets no answer is not made again while it is set: whether it was carried out is to be found out first."""


def bound_retries(client: Any) -> None:
    """Bound the tries of a client, once."""
    if client in _bound:
        return
    _bound.add(client)
    events = client.meta.events
    decides = events._emitter._unique_id_handlers[HANDLER]["handler"]
    events.unregister("needs-retry.dynamodb", unique_id=HANDLER)
    events.register("needs-retry.dynamodb", _Decides(decides), unique_id=HANDLER)
    session = client._endpoint.http_session
    session._timeout = _Bounded(session._timeout)
    session._manager.connection_pool_kw["timeout"] = session._timeout


class NotJSON(HTTPClientError):  # type: ignore[misc]
    """What came back is no answer of DynamoDB's: something between says 200 in its place."""

    fmt = "The answer is no JSON object."


class _Decides:
    """Asks botocore for the wait before one more try, where there may be one."""

    def __init__(self, decides: Callable[..., float | None]) -> None:
        self.decides = decides

    def __call__(self, **said: Any) -> float | None:
        """The seconds to wait, None for no further try. Raises `Garbled` where the last one brought nothing to read."""
        if not _is_garbled(said["response"]):
            return self._wait(said)
        garbled = NotJSON()
        wait = self._wait(said | {"response": None, "caught_exception": garbled})
        if wait is None:
            raise garbled
        return wait

    def _wait(self, said: Any) -> float | None:
        if seconds_left() < LEAST or (ONCE.get() and _is_lost(said)):
            return None
        wait = self.decides(**said)
        return wait if wait is not None and seconds_left() - wait >= LEAST else None


def _is_garbled(response: Any) -> bool:
    """Whether a success is no JSON object: botocore takes it for one that says nothing."""
    if response is None or response[0].status_code != HTTPStatus.OK or len(response[1]) > 1:
        return False
    try:
        return not isinstance(json.loads(response[0].content), dict)
    except ValueError:
        return True


def _is_lost(said: Any) -> bool:
    error = said["caught_exception"]
    if error is None and said["response"] is not None:
        error = ClientError(said["response"][1], "")
    return error is not None and is_answer_lost(error)


class _Bounded(Timeout):
    """A timeout that is shorter where less of the invocation is left; each try makes a clone of it."""

    def __init__(self, said: Timeout) -> None:
        super().__init__(connect=said.connect_timeout, read=said._read)

    def clone(self) -> Timeout:
        """The timeout of one try."""
        most = max(SHORTEST, seconds_left() - KEPT)
        connect, read = (min(float(one or most), most) for one in (self._connect, self._read))  # type: ignore[arg-type]
        return Timeout(connect=connect, read=read)
