"""What a DynamoDB call reads and writes, and whether it matters which of two calls comes first."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from polymicro_lambda.types import RawItem

Parameters: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, str]
"""A table, and an item's key as text; ``WHOLE`` stands for every item."""
KeyNames: TypeAlias = Callable[[str], Collection[str]]
"""The names of a table's key attributes; none where they are not known."""

WHOLE = ""


class Part(NamedTuple):
    """One item or one table of a call."""

    table: str
    item: RawItem | None
    """The item, or its key; None for a query or scan."""
    writes: bool


def _one(call: Parameters, *, writes: bool) -> Iterator[Part]:
    yield Part(call["TableName"], call.get("Key") or call.get("Item"), writes)


def _batch_get(call: Parameters) -> Iterator[Part]:
    for table, asked in call["RequestItems"].items():
        yield from (Part(table, key, writes=False) for key in asked["Keys"])


def _batch_write(call: Parameters) -> Iterator[Part]:
    for table, asked in call["RequestItems"].items():
        for each in asked:
            for one in each.values():
                yield Part(table, one.get("Key") or one["Item"], writes=True)


def _transaction(call: Parameters) -> Iterator[Part]:
    for each in call["TransactItems"]:
        for kind, one in each.items():
            yield from _one(one, writes=kind not in ("Get", "ConditionCheck"))


READS = ("GetItem", "Query", "Scan")
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
PARTS: Mapping[str, Callable[[Parameters], Iterator[Part]]] = {
    **dict.fromkeys(READS, lambda call: _one(call, writes=False)),
    **dict.fromkeys(WRITES, lambda call: _one(call, writes=True)),
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactGetItems": _transaction,
    "TransactWriteItems": _transaction,
}
"""Operation -> its parts."""


class Call(NamedTuple):
    """A call that waits for its turn."""

    text: str
    """In words, e.g. ``GetItem orders (id=1)``."""
    reads: frozenset[Place]
    writes: frozenset[Place]

    @classmethod
    def of(cls, operation: str, parameters: Parameters, key_names: KeyNames) -> "Call":
        """The call of an operation of ``PARTS``."""
        parts = list(PARTS[operation](parameters))
        places = [(one.table, _key(one.item, key_names(one.table)), one.writes) for one in parts]
        words = dict.fromkeys(f"{table} {_in_words(key)}".rstrip() for table, key, _ in places)
        return cls(
            f"{operation} {', '.join(words)}",
            frozenset((table, key) for table, key, writes in places if not writes),
            frozenset((table, key) for table, key, writes in places if writes),
        )

    def commutes(self, other: "Call") -> bool:
        """Whether both do the same whichever of them comes first."""
        return not (
            _meet(self.writes, other.reads | other.writes) or _meet(self.reads | self.writes, other.writes)
        )


def _meet(some: frozenset[Place], others: frozenset[Place]) -> bool:
    return any(
        table == other and (key == at or WHOLE in (key, at)) for table, key in some for other, at in others
    )


def _key(item: RawItem | None, names: Collection[str]) -> str:
    """The key's text: ``WHOLE`` where it is not told in DynamoDB's form, or is a number, which has several forms."""
    values: dict[str, Any] = {name: (item or {}).get(name) for name in names}
    if not values or not all(isinstance(value, dict) and "N" not in value for value in values.values()):
        return WHOLE
    return key_text(values)


def key_text(key: RawItem) -> str:
    """A key's attributes as text."""
    return json.dumps(key, sort_keys=True, default=repr)


def _in_words(key: str) -> str:
    if key == WHOLE:
        return ""
    values = json.loads(key).items()
    return f"({', '.join(f'{name}={one}' for name, value in values for one in value.values())})"
