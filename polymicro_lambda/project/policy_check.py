"""A test client that grants what the template's policy grants: any other call of DynamoDB fails the test."""

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pynamodb.models import Model

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.deploy import grants
from polymicro_lambda.dynamodb import table_name
from polymicro_lambda.observability import current_observation
from polymicro_lambda.testing import Client
from polymicro_lambda.types import Handler

BATCHES = frozenset({"BatchGetItem", "BatchWriteItem"})
TRANSACTIONS = frozenset({"TransactGetItems", "TransactWriteItems"})
ENTRIES = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
"""An entry of a transaction -> the action that a policy has to allow (Service Authorization Reference)."""


class NeededAction(NamedTuple):
    """One action on one table, or on one index of it."""

    table: str
    """The table's name as it is called."""
    place: str
    """The index's name, empty for the table itself."""
    operation: str


def needed_actions(operation: str, parameters: Mapping[str, Any]) -> Iterator[NeededAction]:
    """What AWS would ask a policy about, for a call with botocore's parameters."""
    if operation in BATCHES:
        for table in parameters["RequestItems"]:
            yield NeededAction(table, "", operation)
    elif operation in TRANSACTIONS:
        for entry in parameters["TransactItems"]:
            for kind, one in entry.items():
                yield NeededAction(one["TableName"], "", ENTRIES.get(kind, kind))
    else:
        yield NeededAction(parameters.get("TableName", ""), parameters.get("IndexName") or "", operation)


class PolicyClient(Client):
    """A client of an app whose requests may call in DynamoDB what the policy of its template allows.

    A request that calls more raises ``AssertionError``, which names the call and what to declare. Calls of the test
    itself, outside of a request, are free.
    """

    @cached_property
    def handler(self) -> Handler:
        """The app's handler, which fails for a call that the policy lacks."""
        if not isinstance(self.app, PolyMicro):
            return super().handler  # that of another client, which checks already
        inner, check = super().handler, _Check(self.app)

        def checked(event: Any, context: Any) -> Any:
            with check:
                return inner(event, context)

        vars(checked).update(vars(inner))
        return checked


class _Check:
    """Compares the calls of DynamoDB with the policy while the handler runs, and fails after it."""

    def __init__(self, app: PolyMicro) -> None:
        self.app = app
        self.running = 0
        self.refused: list[str] = []
        self.lock = threading.RLock()

    @cached_property
    def models(self) -> dict[str, type[Model]]:
        """The app's tables, as they are called, and a model of each."""
        return {one.Meta.table_name: one for route in self.app.routes for one in route.models}

    @cached_property
    def allowed(self) -> frozenset[NeededAction]:
        called = {table_name(model): name for name, model in self.models.items()}
        every = {grant for route in self.app.routes for grant in grants(route)}
        return frozenset(
            NeededAction(called.get(one.table, one.table), one.index, one.operation) for one in every
        )

    def __enter__(self) -> None:
        with self.lock:
            if not self.running:
                self.call = BaseClient._make_api_call
                BaseClient._make_api_call = _checking(self, self.call)
            self.running += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.running -= 1
            if not self.running:
                BaseClient._make_api_call = self.call
            refused, self.refused = self.refused, []
        if refused:
            raise AssertionError("\n".join(dict.fromkeys(refused)))

    def refuse(self, needed: NeededAction) -> None:
        """Note that the policy lacks an action. Raises ``ClientError``, as AWS would answer."""
        self.refused.append(self._told(needed))
        error = {
            "Code": "AccessDeniedException",
            "Message": f"not authorized to perform: dynamodb:{needed.operation}",
        }
        raise ClientError({"Error": error}, needed.operation)

    def _told(self, needed: NeededAction) -> str:
        seen, model = current_observation(), self.models.get(needed.table)
        who = (
            "A request" if seen is None or seen.verb is None else f"The verb {seen.verb!r} of {seen.template}"
        )
        name = "Model" if model is None else model.__name__
        table = "a table that no resource names" if model is None else f"the table of {name}"
        place = f"{name}.{_attribute(model, needed.place)}" if needed.place else name
        where = f"an index of {table}" if needed.place else table
        return (
            f"{who} called {needed.operation} on {where}, which the policy of"
            " `polymicro template` does not allow: on AWS it would be a 500. Declare it in the resource, or in the"
            f' permission that makes the call: calls = {{{place}: ("{needed.operation}",)}}'
        )


def _checking(check: _Check, call: Callable[..., Any]) -> Callable[..., Any]:
    tester = threading.current_thread()

    def checking(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        of_request = current_observation() is not None or threading.current_thread() is not tester
        if of_request and client.meta.service_model.service_name == "dynamodb":
            for needed in needed_actions(operation, parameters):
                if needed not in check.allowed:
                    check.refuse(needed)
        return call(client, operation, parameters)

    return checking


def _attribute(model: type[Model] | None, index: str) -> str:
    """The name under which a model has an index."""
    for name, one in vars(model).items() if model is not None else ():
        if getattr(getattr(one, "Meta", None), "index_name", None) == index:
            return name
    return index
