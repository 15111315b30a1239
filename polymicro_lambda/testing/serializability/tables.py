"""The tables that requests call: as they stood at first, as they stand, and put back."""

from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from polymicro_lambda.types import RawItem

from .calls import key_text

RealCall: TypeAlias = Callable[[Any, str, dict[str, Any]], dict[str, Any]]
"""A call by a botocore client: the client, the operation and its parameters."""
Items: TypeAlias = Mapping[str, RawItem]
"""The items of a table by their keys' texts."""


class Tables:
    """Tables by name, each noted just before it is called for the first time."""

    def __init__(self, real: RealCall) -> None:
        self._real = real
        self._clients: dict[str, Any] = {}
        self._keys: dict[str, list[str]] = {}
        self._now: dict[str, Items] = {}
        self._written: set[str] = set()
        self.before: dict[str, Items] = {}
        """The items as they stood at first."""

    def note(self, client: Any, tables: Iterable[str]) -> None:
        """Remember tables as they stand, unless they are known or not there."""
        for table in tables:
            if table in self.before:
                continue
            self._clients[table] = client
            try:
                schema = self._call(table, "DescribeTable")["Table"]["KeySchema"]
            except ClientError:
                continue  # the call itself tells what is wrong
            self._keys[table] = [each["AttributeName"] for each in schema]
            self.before[table] = self._now[table] = self._read(table)

    def key_names(self, table: str) -> list[str]:
        """The names of the key's attributes; none of a table that is not there."""
        return self._keys.get(table, [])

    def key(self, table: str, item: RawItem) -> RawItem:
        """The key of an item."""
        return {name: item[name] for name in self._keys[table]}

    def note_writes(self, tables: Iterable[str]) -> None:
        """These tables are no longer known to be as they were."""
        self._written.update(tables)

    def read(self) -> dict[str, Items]:
        """The items of every table as they stand."""
        for table in self._written & self.before.keys():
            self._now[table] = self._read(table)
        self._written.clear()
        return dict(self._now)

    def restore(self) -> None:
        """Put back every table as it stood at first."""
        for table, stored in self.read().items():
            wanted = self.before[table]
            for key, item in stored.items():
                if key not in wanted:
                    self._call(table, "DeleteItem", Key=self.key(table, item))
            for key, item in wanted.items():
                if stored.get(key) != item:
                    self._call(table, "PutItem", Item=item)
            self._now[table] = wanted

    def _read(self, table: str) -> Items:
        items: dict[str, RawItem] = {}
        page: dict[str, Any] = {"LastEvaluatedKey": None}
        while "LastEvaluatedKey" in page:
            start = page["LastEvaluatedKey"]
            more = {} if start is None else {"ExclusiveStartKey": start}
            page = self._call(table, "Scan", ConsistentRead=True, **more)
            items |= {key_text(self.key(table, item)): item for item in page["Items"]}
        return items

    def _call(self, table: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """A call of our own: in an empty context, so that no request is metered for it."""
        asked = {"TableName": table, **parameters}
        return Context().run(self._real, self._clients[table], operation, asked)
