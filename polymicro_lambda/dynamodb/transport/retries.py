"""Bounds for botocore's tries: how many it makes, and how long each waits for an answer.

botocore retries as it always does, but not beyond the end of the invocation, and not a call that may have been
carried out while ``NO_SECOND_TRY`` is set. What is private in botocore's retries stands here.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

from botocore.exceptions import ClientError, HTTPClientError
from urllib3.util import Timeout

from polymicro_lambda.dynamodb.error_codes import is_answer_lost
from polymicro_lambda.observability import seconds_left

LEAST_SECONDS = 1.5
"""Seconds that must be left for one more try, after the wait before it."""
ANSWER_SECONDS = 0.5
"""Seconds at the end of an invocation that no try may take: they are for the answer."""
SHORTEST_TIMEOUT = 0.1
"""Seconds that a try gets however little is left: DynamoDB answers within a few milliseconds."""
HANDLER = "retry-config-dynamodb"
"""The id of the handler that decides on one more try; botocore registers it in each of its retry modes."""

NO_SECOND_TRY: ContextVar[bool] = ContextVar("polymicro_once", default=False)
"""While it is set, botocore does not retry a call that got no answer: the caller looks first if it was carried out."""


class Tries:
    """The tries of one call."""

    count = 0
    lost = False
    """Whether one of them got no answer, so that it may have been carried out; a refused one is not lost."""


_watched: ContextVar[Tries | None] = ContextVar("polymicro_tries", default=None)


@contextmanager
def watched_tries() -> Iterator[Tries]:
    """A context manager: what becomes of the tries of the call inside."""
    tries = Tries()
    token = _watched.set(tries)
    try:
        yield tries
    finally:
        _watched.reset(token)


_bounded: WeakSet[Any] = WeakSet()
"""The clients whose tries are bounded."""


def bound_retries(client: Any) -> None:
    """Bound the tries of a client, once."""
    if client in _bounded:
        return
    _bounded.add(client)
    events = client.meta.events
    decide = events._emitter._unique_id_handlers[HANDLER]["handler"]
    events.unregister("needs-retry.dynamodb", unique_id=HANDLER)
    events.register("needs-retry.dynamodb", _RetryHandler(decide), unique_id=HANDLER)
    session = client._endpoint.http_session
    session._timeout = _BoundedTimeout(session._timeout)
    session._manager.connection_pool_kw["timeout"] = session._timeout


class NotJSON(HTTPClientError):  # type: ignore[misc]
    """A 200 that is not DynamoDB's: something between has answered in its place."""

    fmt = "The answer is no JSON object."


class _RetryHandler:
    """Asks botocore's own handler for the wait before one more try, if there may be one."""

    def __init__(self, decide: Callable[..., float | None]) -> None:
        self.decide = decide

    def __call__(self, **attempt: Any) -> float | None:
        """The seconds to wait, None for no further try. Raises ``NotJSON`` after a last try with such an answer."""
        if not _is_not_json(attempt["response"]):
            return self._wait(attempt)
        error = NotJSON()
        wait = self._wait(attempt | {"response": None, "caught_exception": error})
        if wait is None:
            raise error
        return wait

    def _wait(self, attempt: Any) -> float | None:
        tries = _watched.get()
        if tries is not None:
            tries.count += 1
            tries.lost = tries.lost or _is_lost(attempt)
        if seconds_left() < LEAST_SECONDS or (NO_SECOND_TRY.get() and _is_lost(attempt)):
            return None
        wait = self.decide(**attempt)
        return wait if wait is not None and seconds_left() - wait >= LEAST_SECONDS else None


def _is_not_json(response: Any) -> bool:
    """Whether a 200 holds no JSON object; botocore would take it for an empty one."""
    if response is None or response[0].status_code != HTTPStatus.OK or len(response[1]) > 1:
        return False
    try:
        return not isinstance(json.loads(response[0].content), dict)
    except ValueError:
        return True


def _is_lost(attempt: Any) -> bool:
    error = attempt["caught_exception"]
    if error is None and attempt["response"] is not None:
        error = ClientError(attempt["response"][1], "")
    return error is not None and is_answer_lost(error)


class _BoundedTimeout(Timeout):
    """A timeout that is shorter where less of the invocation is left; each try makes a clone of it."""

    def __init__(self, timeout: Timeout) -> None:
        super().__init__(connect=timeout.connect_timeout, read=timeout._read)

    def clone(self) -> Timeout:
        """The timeout of one try."""
        most = max(SHORTEST_TIMEOUT, seconds_left() - ANSWER_SECONDS)
        connect, read = (min(float(one or most), most) for one in (self._connect, self._read))  # type: ignore[arg-type]
        return Timeout(connect=connect, read=read)
