"""The data of the embedded DynamoDB in a directory: each call that changes it is a line of a journal.

The journal holds DynamoDB's own JSON, one call a line, and is written before the call's answer goes out. At the next
start the calls are made again; what they made is then written anew, an item a line.
"""

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from .settings import UsageError

JOURNAL = "dynamodb.jsonl"
HEADER = {"polymicro": "embedded DynamoDB", "version": 1}
TABLES = frozenset({"CreateTable", "DeleteTable", "UpdateTable"})
WRITES = TABLES | {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
"""The operations that change something."""


class KeptCall(NamedTuple):
    """One call: the operation, its region, and its parameters as JSON."""

    operation: str
    region: str
    body: dict[str, Any]


Call = Callable[[KeptCall], dict[str, Any]]
"""Makes a call, and gives its answer."""


class Journal:
    """The journal of a directory, which this process alone writes.

    Raises ``UsageError`` for a directory that cannot be written, is in use, or holds something else.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / JOURNAL
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self.file: TextIO = self.path.open("a+", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"The data cannot be kept in {directory}: {error.strerror}.") from error
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            reason = f"Another polymicro serve keeps its data in {directory}: give this one its own."
            raise UsageError(reason) from error

    def close(self) -> None:
        """Leave the directory to others."""
        self.file.close()

    def calls(self) -> list[KeptCall]:
        """The calls of former runs. A last line that is cut off, as the process was killed, counts as not made."""
        self.file.seek(0)
        lines = self.file.read().split("\n")
        if lines == [""]:
            return []
        if _read(lines[0]) != HEADER:
            raise UsageError(
                f"{self.path} is no journal of this version: name another directory, or delete it."
            )
        found = [_read(line) for line in lines[1:] if line]
        if any(call is None for call in found[:-1]):
            raise UsageError(f"{self.path} is broken in line {found.index(None) + 2}: mend or delete it.")
        return [KeptCall(**call) for call in found if call is not None]

    def begin(self, calls: Iterable[KeptCall]) -> None:
        """Put these calls in the place of all that is there, at once or not at all."""
        new = self.path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(f"{json.dumps(HEADER)}\n")
            file.writelines(f"{_line(call)}\n" for call in calls)
        opened = new.open("a", encoding="utf-8")
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.replace(self.path)
        self.file.close()
        self.file = opened

    def note(self, call: KeptCall) -> None:
        """Write a call that was made."""
        self.file.write(f"{_line(call)}\n")
        self.file.flush()


def _line(call: KeptCall) -> str:
    return json.dumps(call._asdict(), ensure_ascii=False, separators=(",", ":"))


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def restored(calls: Iterable[KeptCall], make: Call) -> Iterator[KeptCall]:
    """Make the calls again, and give those that lead to the same: the tables' own, then each item by itself."""
    of_tables: list[KeptCall] = []
    for call in calls:
        make(call)
        if call.operation == "DeleteTable":
            of_tables = [one for one in of_tables if not _same_table(one, call)]
        elif call.operation in TABLES:
            of_tables.append(call)
    yield from of_tables
    for created in [call for call in of_tables if call.operation == "CreateTable"]:
        table = created.body["TableName"]
        for item in _items(table, created.region, make):
            yield KeptCall("PutItem", created.region, {"TableName": table, "Item": item})


def _same_table(one: KeptCall, other: KeptCall) -> bool:
    return (one.region, one.body["TableName"]) == (other.region, other.body["TableName"])


def _items(table: str, region: str, make: Call) -> Iterator[dict[str, Any]]:
    start: dict[str, Any] = {}
    while True:
        page = make(KeptCall("Scan", region, {"TableName": table, **start}))
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
