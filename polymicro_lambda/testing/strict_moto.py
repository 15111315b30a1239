"""Strict mode: moto refuses what DynamoDB refuses, and answers as it does, where by itself it is kinder.

Every check holds on Amazon's own engine, DynamoDB Local, too: tests/testing/test_strict_moto.py runs on both.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from .strict_expressions import refused_expressions, without_filter
from .strict_parameters import CHECKS, Keys, Parameters

if TYPE_CHECKING:
    import pytest

Call: TypeAlias = Callable[[str, Parameters], dict[str, Any]]

WRITES = 25
"""Writes of one BatchWriteItem (DynamoDB, service quotas)."""


def _batch_get(call: Parameters) -> Iterator[Parameters]:
    for table, of_table in call["RequestItems"].items():
        yield {"TableName": table, **{name: value for name, value in of_table.items() if name != "Keys"}}
        yield from ({"TableName": table, "Key": key} for key in of_table["Keys"])


def _batch_write(call: Parameters) -> Iterator[Parameters]:
    for table, of_table in call["RequestItems"].items():
        yield from ({"TableName": table, **write} for each in of_table for write in each.values())


def _transaction(call: Parameters) -> Iterator[Parameters]:
    return chain.from_iterable(each.values() for each in call["TransactItems"])


PARTS: Mapping[str, Callable[[Parameters], Iterator[Parameters]]] = {
    **dict.fromkeys(
        ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), lambda call: iter((call,))
    ),
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactGetItems": _transaction,
    "TransactWriteItems": _transaction,
}
"""Operation -> its parts, each of which is for one item or one table."""


# --- the mode --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Strict:
    tables: dict[str, Parameters | None] = field(default_factory=dict)
    done: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Client request token -> its transaction, and the answer."""

    def call(self, operation: str, call: Parameters, real: Call) -> dict[str, Any]:
        if operation.endswith("Table"):
            self.tables.clear()
        if operation not in PARTS:
            return real(operation, call)
        reason = next(self._refused(operation, call, real), None)
        if reason is not None:
            raise _error("ValidationException", reason, operation)
        if operation == "TransactWriteItems" and call.get("ClientRequestToken"):
            return self._once(call, partial(real, operation, call))
        answer = real(operation, call)
        return self._with_cursor(operation, call, answer, real) if operation in ("Query", "Scan") else answer

    def _refused(self, operation: str, call: Parameters, real: Call) -> Iterator[str]:
        parts = list(PARTS[operation](call))
        if operation == "BatchWriteItem":
            yield from self._refused_writes(parts, real)
        for part in parts:
            yield from refused_expressions(part)
            table = self._table(part["TableName"], real)
            if table is not None:
                keys = Keys.of(table, part.get("IndexName"))
                for name in (name for name in CHECKS if name in part):
                    yield from CHECKS[name](part, keys)

    def _refused_writes(self, parts: list[Parameters], real: Call) -> Iterator[str]:
        if len(parts) > WRITES:
            yield "Too many items requested for the BatchWriteItem call"
        keys = []
        for part in parts:
            table = self._table(part["TableName"], real)
            values = part.get("Key") or part.get("Item") or {}
            names = Keys.of(table, None).own if table else {}
            keys.append(repr((part["TableName"], [values.get(name) for name in names])))
            if names and len(set(keys)) < len(keys):
                yield "Provided list of item keys contains duplicates"

    def _table(self, name: str, real: Call) -> Parameters | None:
        """The table's description, None where it is not there: then the call itself fails."""
        if name not in self.tables:
            try:
                self.tables[name] = _unmetered(real)("DescribeTable", {"TableName": name})["Table"]
            except ClientError:
                return None
        return self.tables[name]

    def _once(self, call: Parameters, real: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        token, transaction = call["ClientRequestToken"], repr(call["TransactItems"])
        if token not in self.done:
            self.done[token] = (transaction, real())
        before, answer = self.done[token]
        if before != transaction:
            raise _error(
                "IdempotentParameterMismatchException",
                "The token has other parameters.",
                "TransactWriteItems",
            )
        return answer

    def _with_cursor(
        self, operation: str, call: Parameters, answer: dict[str, Any], real: Call
    ) -> dict[str, Any]:
        """A page that ends exactly at the limit has a cursor, though nothing may come after it."""
        if "LastEvaluatedKey" in answer or answer["ScannedCount"] != call.get("Limit"):
            return answer
        table = self._table(call["TableName"], real)
        last = _unmetered(real)(operation, without_filter(call))["Items"][-1]
        names = Keys.of(table or {}, call.get("IndexName")).whole
        return answer | {"LastEvaluatedKey": {name: last[name] for name in names}}


def _error(code: str, message: str, operation: str) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, operation)


@contextmanager
def strict(monkeypatch: "pytest.MonkeyPatch | None" = None) -> Iterator[None]:
    """Within it botocore's calls to DynamoDB are checked as DynamoDB checks them, before moto sees them.

    Given pytest's ``monkeypatch``, strict mode ends when that is undone, so a test may patch botocore over it. Raises
    in a call what DynamoDB does, botocore's ``ClientError`` of a ``ValidationException``.
    """
    checked = _checked_calls(BaseClient._make_api_call)
    if monkeypatch is None:
        with patch.object(BaseClient, "_make_api_call", checked):
            yield
    else:
        monkeypatch.setattr(BaseClient, "_make_api_call", checked)
        yield


def _checked_calls(real: Callable[..., Any]) -> Callable[..., Any]:
    """A function in place of ``real``, which is ``BaseClient._make_api_call``: it checks a call, then makes it."""
    state = _Strict()

    def checked(client: BaseClient, operation: str, call: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return real(client, operation, call)
        return state.call(operation, call, partial(real, client))

    return checked


def _unmetered(real: Call) -> Call:
    """A call of strict mode's own: it runs in an empty context, so that no request is metered for it."""
    return lambda operation, call: Context().run(real, operation, call)
