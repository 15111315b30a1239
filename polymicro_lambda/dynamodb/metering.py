"""What the calls of DynamoDB's client cost, noted in the observation of the request that makes them.

They are noted at the client, so that those count too that a verb of the app's makes by PynamoDB itself. PynamoDB asks
each for ``ReturnConsumedCapacity`` (``TOTAL``), so that no call is any other for being noted.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter_ns
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.models import Model

from polymicro_lambda.observability import Usage, current_observation

from .client import client_of, connect, one_per_client
from .transport.sessions import Call, wrap_calls

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

NOTED = "_polymicro_noted"
"""What a client has whose calls are noted."""


def metering_of(models: Sequence[type[Model]]) -> Callable[[], None]:
    """What sees to it that the calls of these models' clients are noted, in requests that are metered."""
    known: dict[type[Model], Any] = {}

    def watch() -> None:
        for model, client in known.items():
            if client_of(model) is not client:
                break
        else:
            if known:
                return
        for model in one_per_client(models):
            # Without a region or credentials there is no client, of which the verb will say the same.
            with suppress(BotoCoreError):
                client = known[model] = connect(model).client
                if NOTED not in vars(client):
                    _note(client)

    return watch


def _note(client: Any) -> None:
    setattr(client, NOTED, True)
    wrap_calls(client, _noted)
    client.meta.events.register("needs-retry.dynamodb", _tried)


def _noted(call: Call, operation: str, parameters: Any) -> Any:
    """Make a call, and note what it costs."""
    seen = current_observation()
    if seen is None or not seen.metered:
        return call(operation, parameters)
    usage, around = seen.usage, seen.on_call(operation)
    usage.calls += 1
    began = perf_counter_ns()
    around.__enter__()
    try:
        answer = call(operation, parameters)
    finally:
        usage.nanoseconds += perf_counter_ns() - began
        around.__exit__(None, None, None)
    consumed = answer.get("ConsumedCapacity") or ()
    for each in (consumed,) if type(consumed) is dict else consumed:
        _add(usage, operation, each)
    return answer


def _add(usage: Usage, operation: str, consumed: Mapping[str, Any]) -> None:
    """Add the units of one table; a transaction's are told apart by DynamoDB itself."""
    units = consumed.get("CapacityUnits") or 0.0
    if operation in READS:
        usage.read_units += consumed.get("ReadCapacityUnits") or units
    else:
        usage.write_units += consumed.get("WriteCapacityUnits") or units


def _tried(attempts: int, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
    """A try has ended, the last one or not."""
    failed = response is not None and "Error" in response[1]
    if attempts == 1 and not failed:
        return
    seen = current_observation()
    if seen is not None and seen.metered:
        seen.usage.retries += attempts > 1
        seen.usage.throttles += response is not None and response[1].get("Error", {}).get("Code") in THROTTLED
