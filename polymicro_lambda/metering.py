"""What the calls of DynamoDB's client cost, noted in the observation of the request that makes them.

The client's own events tell of each call, also where a verb of the app's queries by PynamoDB itself. PynamoDB asks
each for ``ReturnConsumedCapacity`` (``TOTAL``), so that no call is any other for being noted.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar
from time import perf_counter
from typing import Any
from weakref import WeakSet

from botocore.exceptions import BotoCoreError
from pynamodb.models import Model

from . import _pynamodb
from .observing import Observation, Usage, current

THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
"""The codes of refusals because of too many requests (DynamoDB developer guide, "Error handling")."""
READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"})
"""Operations whose ``CapacityUnits`` are read units; those of the others are write units."""

_watched: WeakSet[Any] = WeakSet()
_began: ContextVar[float] = ContextVar("polymicro_call_began")
_around: ContextVar[AbstractContextManager[Any] | None] = ContextVar("polymicro_call", default=None)


def watch(models: Iterable[type[Model]]) -> None:
    """Note from now on what the calls of these models' clients cost, in requests that are metered."""
    for model in _pynamodb.one_each(models):
        # Without a region or credentials there is no client, of which the verb will say the same.
        with suppress(BotoCoreError):
            client = _pynamodb.connect(model).client
            if client not in _watched:
                _watched.add(client)
                for event, handler in HANDLERS.items():
                    client.meta.events.register(f"{event}.dynamodb", handler)


def _metered() -> Observation | None:
    seen = current()
    return seen if seen is not None and seen.metered else None


def _called(model: Any, **_: Any) -> None:
    """A call begins."""
    seen = _metered()
    if seen is not None:
        seen.usage.calls += 1
        _began.set(perf_counter())
        around = seen.on_call(model.name)
        around.__enter__()
        _around.set(around)


def _tried(operation: Any, attempts: int, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
    """A try has ended, the last one or not."""
    seen = _metered()
    if seen is None:
        return
    usage, parsed = seen.usage, response[1] if response else {}
    usage.retries += attempts > 1
    usage.throttles += parsed.get("Error", {}).get("Code") in THROTTLED
    consumed = parsed.get("ConsumedCapacity") or ()
    for each in (consumed,) if isinstance(consumed, Mapping) else consumed:
        _add(usage, operation.name, each)


def _add(usage: Usage, operation: str, consumed: Mapping[str, Any]) -> None:
    """Add the units of one table; a transaction's are told apart by DynamoDB itself."""
    units = consumed.get("CapacityUnits") or 0.0
    if operation in READS:
        usage.read_units += consumed.get("ReadCapacityUnits") or units
    else:
        usage.write_units += consumed.get("WriteCapacityUnits") or units


def _returned(**_: Any) -> None:
    """A call has ended, with an answer or without."""
    seen, around = _metered(), _around.get()
    if seen is None or around is None:
        return
    seen.usage.seconds += perf_counter() - _began.get()
    _around.set(None)
    around.__exit__(None, None, None)


HANDLERS = {
    "before-call": _called,
    "needs-retry": _tried,
    "after-call": _returned,
    "after-call-error": _returned,
}
"""botocore's event -> what listens to it."""
