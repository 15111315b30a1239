"""Strict mode: moto refuses what DynamoDB refuses, and answers as it does, where by itself it is kinder.

Every check was seen on Amazon's own engine, DynamoDB Local; tests/testing/test_strict_moto.py runs them on both.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TypeAlias
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from .strict_expressions import NAMES, equal_to, refused_expressions, roots, without_filter
from .strict_values import refused_in

Parameters: TypeAlias = Mapping[str, Any]
Call: TypeAlias = Callable[[str, Parameters], dict[str, Any]]

WRITES = 25
"""Writes of one BatchWriteItem (DynamoDB, service quotas)."""
KEY_BYTES = {"HASH": 2048, "RANGE": 1024}
"""Bytes of a key's values (DynamoDB, service quotas)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of a table, or of one of its indexes with the table's."""

    own: Mapping[str, str]
    """Attribute -> ``HASH`` or ``RANGE``."""
    whole: frozenset[str]
    """What a cursor holds."""
    types: Mapping[str, str]
    """Attribute -> ``S``, ``N`` or ``B``, of all keys of the table."""

    @classmethod
    def of(cls, table: Parameters, index: str | None) -> "Keys":
        """Those of the table as DescribeTable tells of it, or of its index."""
        indexes = table.get("GlobalSecondaryIndexes", []) + table.get("LocalSecondaryIndexes", [])
        schemas = {i["IndexName"]: _kinds(i["KeySchema"]) for i in indexes}
        own = _kinds(table["KeySchema"])
        types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
        asked = schemas.get(index or "", own)
        return cls(asked, frozenset(own) | frozenset(asked), types)


def _kinds(schema: list[dict[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["KeyType"] for each in schema}


# --- checks, by the parameter that they look at ----------------------------------------------------------


def _item(call: Parameters, keys: Keys) -> Iterator[str]:
    yield from refused_in(call["Item"])
    for name, kind in keys.types.items():
        if name in call["Item"] and kind not in call["Item"][name]:
            yield "One or more parameter values were invalid: Type mismatch for Index Key"


def _key(call: Parameters, keys: Keys) -> Iterator[str]:
    yield from refused_in(call["Key"])
    for name, kind in keys.own.items():
        (value,) = call["Key"].get(name, {"": "?"}).values()
        size = len(value.encode() if isinstance(value, str) else value)
        if not size:
            yield "The AttributeValue for a key attribute cannot contain an empty string value."
        if size > KEY_BYTES[kind]:
            yield "Hash primary key values must be under 2048 bytes, and range primary key values under 1024."


def _values(call: Parameters, _: Keys) -> Iterator[str]:
    yield from refused_in(call["ExpressionAttributeValues"] or {})


def _limit(call: Parameters, _: Keys) -> Iterator[str]:
    if call["Limit"] < 1:
        yield "Value at 'limit' failed to satisfy constraint: Member must be greater than or equal to 1"


def _cursor(call: Parameters, keys: Keys) -> Iterator[str]:
    cursor = call["ExclusiveStartKey"] or {}
    if not cursor:
        return
    if set(cursor) != keys.whole:
        yield "Exclusive Start Key must have same size as table's key schema"
    elif any(keys.types[name] not in value for name, value in cursor.items()):
        yield "Type mismatch for attribute to update"
    elif "KeyConditionExpression" in call:
        partition = next(iter(keys.own))
        if cursor[partition] != equal_to(call["KeyConditionExpression"], partition, call):
            yield "The provided starting key is outside query boundaries based on provided conditions"


def _filter(call: Parameters, keys: Keys) -> Iterator[str]:
    found = roots(call["FilterExpression"], call.get(NAMES) or {}) & set(keys.own)
    if found and "KeyConditionExpression" in call:
        yield f"Filter Expression can only contain non-primary key attributes: {min(found)}"


CHECKS: Mapping[str, Callable[[Parameters, Keys], Iterator[str]]] = {
    "Item": _item,
    "Key": _key,
    "ExpressionAttributeValues": _values,
    "Limit": _limit,
    "ExclusiveStartKey": _cursor,
    "FilterExpression": _filter,
}
"""Parameter -> why DynamoDB refuses a call that has it."""


# --- what a call asks of which table ---------------------------------------------------------------------


def _batch_get(call: Parameters) -> Iterator[Parameters]:
    for table, asked in call["RequestItems"].items():
        yield {"TableName": table, **{name: value for name, value in asked.items() if name != "Keys"}}
        yield from ({"TableName": table, "Key": key} for key in asked["Keys"])


def _batch_write(call: Parameters) -> Iterator[Parameters]:
    for table, asked in call["RequestItems"].items():
        yield from ({"TableName": table, **write} for each in asked for write in each.values())


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
"""Operation -> the calls for one table that it is made of."""


# --- the mode --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Strict:
    tables: dict[str, Parameters | None] = field(default_factory=dict)
    done: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Client request token -> the transaction that it stood for, and its answer."""

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
        seen = []
        for part in parts:
            table = self._table(part["TableName"], real)
            values = part.get("Key") or part.get("Item") or {}
            names = Keys.of(table, None).own if table else {}
            seen.append(repr((part["TableName"], [values.get(name) for name in names])))
            if names and len(set(seen)) < len(seen):
                yield "Provided list of item keys contains duplicates"

    def _table(self, name: str, real: Call) -> Parameters | None:
        """What there is to know of a table, None where it is not there: then the call itself says so."""
        if name not in self.tables:
            try:
                self.tables[name] = _unseen(real)("DescribeTable", {"TableName": name})["Table"]
            except ClientError:
                return None
        return self.tables[name]

    def _once(self, call: Parameters, real: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        token, asked = call["ClientRequestToken"], repr(call["TransactItems"])
        if token not in self.done:
            self.done[token] = (asked, real())
        before, answer = self.done[token]
        if before != asked:
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
        last = _unseen(real)(operation, without_filter(call))["Items"][-1]
        names = Keys.of(table or {}, call.get("IndexName")).whole
        return answer | {"LastEvaluatedKey": {name: last[name] for name in names}}


def _error(code: str, message: str, operation: str) -> ClientError:
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(said, operation)


@contextmanager
def strict() -> Iterator[None]:
    """Within it botocore's calls to DynamoDB are checked as DynamoDB checks them, before moto sees them.

    Raises in a call what DynamoDB does, botocore's ``ClientError`` of a ``ValidationException``.
    """
    with patch.object(BaseClient, "_make_api_call", checking(BaseClient._make_api_call)):
        yield


def checking(real: Callable[..., Any]) -> Callable[..., Any]:
    """What takes the place of ``BaseClient._make_api_call``, and calls it."""
    state = _Strict()

    def checked(client: BaseClient, operation: str, call: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return real(client, operation, call)
        return state.call(operation, call, partial(real, client))

    return checked


def _unseen(real: Call) -> Call:
    """A call of strict mode's own: in a context of its own, it is none of the request that is metered."""
    return lambda operation, call: Context().run(real, operation, call)
