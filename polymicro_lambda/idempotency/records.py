"""The record that is stored for an ``Idempotency-Key``: an item that is locked, added to, then completed.

It has the request's fingerprint, the lock and its end (``until``), and the keys of the items that the request made;
in the end it has the response in place of the lock. The key stands for the request until ``expires``. Both times are
seconds since 1970.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isinf
from typing import Any

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import RemoveAction, SetAction
from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, retry_after
from polymicro_lambda.exceptions import Conflict, HTTPError, Unprocessable
from polymicro_lambda.http import Response
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import (
    ConditionFailed,
    OutcomeUnknown,
    TransactionPart,
    transaction_part,
    write_if,
)

from .replay import stored_response

LONGEST = 900
"""Seconds that a lock holds where the invocation does not say how long it may run (AWS Lambda's longest timeout)."""
LARGEST = 350_000
"""Bytes of a record's entries and response: DynamoDB's 400 KB for an item, less some for its other attributes."""
DIGEST = "transaction"
"""The member of an entry that tells a transaction by what it writes."""
NO_TABLE = ""
"""The table in the entry of a transaction."""
PLACE = "place"
"""The member of an entry that says where in the body the item was, e.g. ``/3``."""


@dataclass(slots=True)
class IdempotencyRecord:
    """The stored item of one key, and this try's lock on it."""

    model: type[Model]
    id: str
    fingerprint: str
    expires_after: int
    logger: Any
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    made: list[RawItem] = field(default_factory=list)
    """Entries of the items that earlier tries made."""
    room: int = LARGEST
    """Bytes that are left for the response."""

    # --- locking ------------------------------------------------------------------------------------------------

    def acquire(self) -> RawItem | None:
        """Lock the record. None if the lock is ours, else the record of a request that is completed.

        Raises ``Unprocessable`` where the key stands for another request, and ``Conflict`` while an earlier try runs.
        """
        item = {**self._key, "fingerprint": {"S": self.fingerprint}, "made": {"L": []}, **self._lock()}
        fresh = Path(["id"]).does_not_exist() | (Path(["expires"]) <= Value({"N": str(int(time.time()))}))
        try:
            write_if(self.model, "PutItem", [fresh], Item=item)
        except OutcomeUnknown as error:
            self.release()
            raise error.answer from error
        except ConditionFailed as error:
            return self._acquire_stored(error.item)
        return None

    def _lock(self) -> RawItem:
        """The attributes of our lock, which holds no longer than this invocation can run."""
        left = seconds_left()
        now = int(time.time())
        until = now + (LONGEST if isinf(left) else ceil(left) + 1)
        expires = max(now + self.expires_after, until)
        return {"lock": {"S": self.token}, "until": {"N": str(until)}, "expires": {"N": str(expires)}}

    def _acquire_stored(self, known: RawItem | None) -> RawItem | None:
        """The same where there is a record already. Raises as ``acquire``."""
        if known is None:
            raise in_flight()
        if known.get("lock") == {"S": self.token}:  # a PutItem of our own, whose answer was lost
            return None
        if known["fingerprint"]["S"] != self.fingerprint:
            raise Unprocessable(
                "This Idempotency-Key stands for a request of another content: take a new one."
            )
        if "status" in known:
            return known
        if int(known["until"]["N"]) > time.time():
            raise in_flight()
        self._take_over(known)
        return None

    def _take_over(self, known: RawItem) -> None:
        """Lock the record of an invocation that is dead, to go on where it left off. Raises ``Conflict``."""
        actions = [SetAction(Path([name]), Value(value)) for name, value in self._lock().items()]
        unchanged = _equals("lock", known["lock"])
        try:
            write_if(self.model, "UpdateItem", [unchanged], actions, Key=self._key)
        except (ConditionFailed, OutcomeUnknown) as error:
            raise in_flight() from error
        self.made = [entry["M"] for entry in known["made"]["L"]]
        self.room -= sum(map(_bytes_of, self.made))

    # --- adding -------------------------------------------------------------------------------------------------

    def adding(self, entries: Sequence[RawItem], number: int) -> TransactionPart:
        """The part of a transaction that adds entries, while the lock is ours and there are ``number`` entries."""
        self.room -= sum(map(_bytes_of, entries))
        # DynamoDB appends to a list where a place behind its end is set.
        actions = [SetAction(Path(["made"])[n], Value({"M": one})) for n, one in enumerate(entries, number)]
        return transaction_part(
            self.model, "Update", [self._is_ours, _has_entries(number)], actions, Key=self._key
        )

    def has(self, number: int) -> bool:
        """Whether the lock is ours and there are ``number`` entries. It reads the record."""
        known = get_item(self.model, self._key) or {}
        return bool(known.get("lock") == {"S": self.token} and len(known["made"]["L"]) == number)

    # --- completing ---------------------------------------------------------------------------------------------

    def complete(self, response: Response, readable: frozenset[str], *, whole: bool) -> None:
        """Put the response in place of the lock. See ``stored_response``; a failure is logged, not raised."""
        self._quietly(lambda: self._complete(response, readable, whole=whole))

    def _complete(self, response: Response, readable: frozenset[str], *, whole: bool) -> None:
        stored = stored_response(response, readable, self.room, whole=whole)
        actions = [
            *(SetAction(Path([name]), Value(value)) for name, value in stored.items()),
            *(RemoveAction(Path([name])) for name in ("lock", "until")),
        ]
        try:
            write_if(self.model, "UpdateItem", [self._is_ours], actions, Key=self._key)
        except OutcomeUnknown as error:
            raise error.answer from error

    def release(self) -> None:
        """Give the lock up: the key is free again, or if items were made the next try goes on from there."""
        ended = [SetAction(Path(["until"]), Value({"N": "0"}))]

        def delete_or_unlock() -> None:
            try:
                write_if(self.model, "DeleteItem", [self._is_ours, _has_entries(0)], Key=self._key)
            except ConditionFailed:
                write_if(self.model, "UpdateItem", [self._is_ours], ended, Key=self._key)

        self._quietly(delete_or_unlock)

    def _quietly(self, act: Callable[[], None]) -> None:
        """Do it, and log a failure: the answer stands whatever becomes of the record, and its lock ends by itself."""
        try:
            act()
        except (HTTPError, ConditionFailed, OutcomeUnknown) as error:
            cause = type(error.__cause__ or error).__name__  # its text may name a table
            self.logger.warning("The record of an Idempotency-Key was left locked: %s", cause)

    @property
    def _key(self) -> RawItem:
        return {"id": {"S": self.id}}

    @property
    def _is_ours(self) -> Condition:
        return _equals("lock", {"S": self.token})


def record_entry(model: type[Model], key: RawItem, place: str = "") -> RawItem:
    """The entry of an item in a record."""
    at = {PLACE: {"S": place}} if place else {}
    return {"table": {"S": model.Meta.table_name}, "key": {"M": key}, **at}


def transaction_entry(digest: str, place: str = "") -> RawItem:
    """The entry of a transaction in a record: it is done. It names no item; those that it created follow."""
    at = {PLACE: {"S": place}} if place else {}
    return {"table": {"S": NO_TABLE}, "key": {"M": {}}, DIGEST: {"S": digest}, **at}


def digest_of(entry: RawItem) -> str | None:
    """The digest of the transaction of which this is the entry, None for that of an item."""
    digest: str | None = entry.get(DIGEST, {}).get("S")
    return digest


def in_flight() -> Conflict:
    """The answer while another try has the lock."""
    return Conflict("A request with this Idempotency-Key is being served: try again.", headers=retry_after())


def _bytes_of(entry: RawItem) -> int:
    """At least the bytes that the entry has in DynamoDB."""
    return len(repr(entry).encode())


def _equals(name: str, value: Mapping[str, Any]) -> Condition:
    equals: Condition = Path([name]) == Value(value)
    return equals


def _has_entries(number: int) -> Condition:
    """The record has so many entries."""
    counts: Condition = size(Path(["made"])) == Value({"N": str(number)})  # type: ignore[no-untyped-call]
    return counts
