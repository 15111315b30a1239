"""The number, duration and capacity units of DynamoDB calls, added to the observation of the request that makes them.

Calls are metered at botocore's client, so that calls count which a verb of the app makes by PynamoDB itself. PynamoDB
sets ``ReturnConsumedCapacity`` (``TOTAL``) in each call, so that a metered call is the same as any other.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter_ns
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.models import Model

from polymicro_lambda.observability import Usage, current_observation

from .client import client_of, connect, one_model_per_client
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
"""Operations whose ``CapacityUnits`` are read units; the ``CapacityUnits`` of all others are write units."""

METERED = "_polymicro_noted"
"""The attribute that marks a client whose calls are metered already."""


def client_metering(models: Sequence[type[Model]]) -> Callable[[], None]:
    """A function that sees to it that the calls of these models' clients are metered; call it before each request."""
    known: dict[type[Model], Any] = {}

    def meter_clients() -> None:
        for model, client in known.items():
            if client_of(model) is not client:
                break
        else:
            if known:
                return
        for model in one_model_per_client(models):
            # Without a region or credentials there is no client: the verb will fail with the same error.
            with suppress(BotoCoreError):
                client = known[model] = connect(model).client
                if METERED not in vars(client):
                    _meter(client)

    return meter_clients


def _meter(client: Any) -> None:
    setattr(client, METERED, True)
    wrap_calls(client, _metered_call)
    client.meta.events.register("needs-retry.dynamodb", _count_try)


def _metered_call(call: Call, operation: str, parameters: Any) -> Any:
    """Make a call, and add its cost to the current observation."""
    observation = current_observation()
    if observation is None or not observation.metered:
        return call(operation, parameters)
    usage, around = observation.usage, observation.on_call(operation)
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
    """Add the units of one table; for a transaction DynamoDB itself counts read and write units apart."""
    units = consumed.get("CapacityUnits") or 0.0
    if operation in READS:
        usage.read_units += consumed.get("ReadCapacityUnits") or units
    else:
        usage.write_units += consumed.get("WriteCapacityUnits") or units


def _count_try(attempts: int, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
    """Count a retry or a refusal; botocore calls this after each try."""
    failed = response is not None and "Error" in response[1]
    if attempts == 1 and not failed:
        return
    observation = current_observation()
    if observation is not None and observation.metered:
        observation.usage.retries += attempts > 1
        observation.usage.throttles += (
            response is not None and response[1].get("Error", {}).get("Code") in THROTTLED
        )
