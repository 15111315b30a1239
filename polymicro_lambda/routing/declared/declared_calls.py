"""What code of the app's own calls in DynamoDB by itself, as resources and permissions declare it in ``calls``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.indexes import Index
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.exceptions import ConfigurationError

ON_TABLES = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "ConditionCheckItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "UpdateItem",
    }
)
"""What a policy can grant on a table's items (Service Authorization Reference, "Amazon DynamoDB")."""
ON_INDEXES = frozenset({"Query"})
"""What this package grants on an index."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on one table, or on one index of it."""

    model: type[Model]
    index: str
    """The index's name, empty for the table itself."""
    operation: str


def calls_of(where: str, said: Any) -> Iterator[Call]:
    """Read ``calls = {Member: ("GetItem", "PutItem"), Member.by_user: "Query"}``.

    Raises ``ConfigurationError`` that names ``where`` for what is no model, index or operation.
    """
    if not isinstance(said, Mapping):
        raise ConfigurationError(f'{where} must say what is called, e.g. {{Member: ("GetItem",)}}')
    for target, operations in said.items():
        model, index = _place(where, target)
        known = ON_INDEXES if index else ON_TABLES
        for operation in (operations,) if isinstance(operations, str) else operations:
            if operation not in known:
                raise ConfigurationError(f"{where}: {operation!r} is none of {', '.join(sorted(known))}")
            yield Call(model, index, operation)


def _place(where: str, target: Any) -> tuple[type[Model], str]:
    if isinstance(target, type) and issubclass(target, Model):
        return target, ""
    if isinstance(target, Index):
        return dynamodb.model_of_index(target), target.Meta.index_name
    raise ConfigurationError(f"{where}: {target!r} is neither a model nor an index of one")
