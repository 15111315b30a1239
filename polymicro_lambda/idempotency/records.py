"""The record of a request with an ``Idempotency-Key``, one item of the markers' table: locked, added to, completed.

It holds the request's fingerprint, the lock and its end, the keys of what was made; when all is done the response in
place of the lock.
"""

import secrets
import time
import zlib
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

LONGEST = 900
"""Seconds that a lock holds where the invocation does not say how long it may run (AWS Lambda's longest timeout)."""
LARGEST = 350_000
"""Bytes of what was made and of a stored response; an item has 400 KB, and the rest of it needs some."""
REPLAYED = {"idempotency-replayed": "true"}


@dataclass(slots=True)
class IdempotencyRecord:
    """One key's item, and the lock on it that is ours."""

    model: type[Model]
    id: str
    fingerprint: str
    expires_after: int
    logger: Any
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    made: list[RawItem] = field(default_factory=list)
    """What earlier tries made."""
    room: int = LARGEST
    """Bytes that are left for the response."""

    # --- locked -------------------------------------------------------------------------------------------------

    def claim(self) -> RawItem | None:
        """Lock it; None if it is ours, else what a request that is done has left.

        Raises ``Unprocessable`` where the key stands for another request, and ``Conflict`` while an earlier one runs.
        """
        item = {**self._key, "fingerprint": {"S": self.fingerprint}, "made": {"L": []}, **self._locked()}
        fresh = Path(["id"]).does_not_exist() | (Path(["expires"]) <= Value({"N": str(int(time.time()))}))
        try:
            write_if(self.model, "PutItem", [fresh], Item=item)
        except OutcomeUnknown as error:
            self.release()
            raise error.answer from error
        except ConditionFailed as error:
            return self._met(error.item)
        return None

    def _locked(self) -> RawItem:
        """The lock, which holds no longer than this invocation can run."""
        left = seconds_left()
        now = int(time.time())
        until = now + (LONGEST if isinf(left) else ceil(left) + 1)
        expires = max(now + self.expires_after, until)
        return {"lock": {"S": self.token}, "until": {"N": str(until)}, "expires": {"N": str(expires)}}

    def _met(self, known: RawItem | None) -> RawItem | None:
        """What an item that is there already means."""
        if known is None:
            raise in_flight()
        if known.get("lock") == {"S": self.token}:  # a first try of our own, whose answer was lost
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
        """Go on where an invocation that is dead has left off."""
        actions = [SetAction(Path([name]), Value(value)) for name, value in self._locked().items()]
        same = _equals("lock", known["lock"])
        try:
            write_if(self.model, "UpdateItem", [same], actions, Key=self._key)
        except (ConditionFailed, OutcomeUnknown) as error:
            raise in_flight() from error
        self.made = [entry["M"] for entry in known["made"]["L"]]
        self.room -= sum(map(_bytes_of, self.made))

    # --- added to -----------------------------------------------------------------------------------------------

    def added(self, entries: Sequence[RawItem], number: int) -> TransactionPart:
        """The part of a transaction that tells of more items, while the lock is ours and ``number`` are told of."""
        self.room -= sum(map(_bytes_of, entries))
        # What is set behind a list's end is appended to it.
        actions = [SetAction(Path(["made"])[n], Value({"M": one})) for n, one in enumerate(entries, number)]
        return transaction_part(self.model, "Update", [self._ours, _counts(number)], actions, Key=self._key)

    def has(self, number: int) -> bool:
        """Whether the lock is ours and so many items are told of."""
        known = get_item(self.model, self._key) or {}
        return bool(known.get("lock") == {"S": self.token} and len(known["made"]["L"]) == number)

    # --- completed ----------------------------------------------------------------------------------------------

    def complete(self, response: Response, readable: frozenset[str], *, whole: bool) -> None:
        """Put the response in place of the lock, without what there is no room for; its body only if ``whole``."""
        self._quietly(lambda: self._complete(response, readable, whole=whole))

    def _complete(self, response: Response, readable: frozenset[str], *, whole: bool) -> None:
        # A lone surrogate is no UTF-8; it goes out as "?" too.
        headers = {name: text.encode(errors="replace").decode() for name, text in response.headers.items()}
        length = sum(len(name.encode()) + len(text.encode()) for name, text in headers.items())
        headers = headers if length <= self.room else {}
        body = zlib.compress(response.body)
        values: RawItem = {
            "status": {"N": str(response.status)},
            "headers": {"L": [{"L": [{"S": name}, {"S": text}]} for name, text in headers.items()]},
            "fields": {"L": [{"S": name} for name in sorted(readable)]},
            **({"body": {"B": body}} if whole and length + len(body) <= self.room else {}),
        }
        actions = [
            *(SetAction(Path([name]), Value(value)) for name, value in values.items()),
            *(RemoveAction(Path([name])) for name in ("lock", "until")),
        ]
        try:
            write_if(self.model, "UpdateItem", [self._ours], actions, Key=self._key)
        except OutcomeUnknown as error:
            raise error.answer from error

    def release(self) -> None:
        """Nothing was done, so that the key is free again; or something was, and the next try goes on from there."""
        over = [SetAction(Path(["until"]), Value({"N": "0"}))]

        def free() -> None:
            try:
                write_if(self.model, "DeleteItem", [self._ours, _counts(0)], Key=self._key)
            except ConditionFailed:
                write_if(self.model, "UpdateItem", [self._ours], over, Key=self._key)

        self._quietly(free)

    def _quietly(self, act: Callable[[], None]) -> None:
        """The answer stands whatever becomes of the item: its lock ends by itself."""
        try:
            act()
        except (HTTPError, ConditionFailed, OutcomeUnknown) as error:
            cause = type(error.__cause__ or error).__name__  # its text may name a table
            self.logger.warning("The marker of an Idempotency-Key was left locked: %s", cause)

    @property
    def _key(self) -> RawItem:
        return {"id": {"S": self.id}}

    @property
    def _ours(self) -> Condition:
        return _equals("lock", {"S": self.token})


def replayed_response(known: Mapping[str, Any], readable: frozenset[str]) -> Response:
    """The stored response; without its body where that was too large, or shows what the user may no longer see."""
    headers = {name["S"]: text["S"] for name, text in (pair["L"] for pair in known["headers"]["L"])}
    seen = {name["S"] for name in known["fields"]["L"]}
    if "body" in known and seen <= readable:
        return Response(int(known["status"]["N"]), headers | REPLAYED, zlib.decompress(known["body"]["B"]))
    headers.pop("content-type", None)
    return Response(int(known["status"]["N"]), headers | REPLAYED)


def in_flight() -> Conflict:
    """What is answered while another try holds the lock."""
    return Conflict("A request with this Idempotency-Key is being served: try again.", headers=retry_after())


def _bytes_of(entry: RawItem) -> int:
    """No fewer bytes than the entry has in DynamoDB."""
    return len(repr(entry).encode())


def _equals(name: str, value: Mapping[str, Any]) -> Condition:
    equals: Condition = Path([name]) == Value(value)
    return equals


def _counts(number: int) -> Condition:
    """So many items are told of."""
    counts: Condition = size(Path(["made"])) == Value({"N": str(number)})  # type: ignore[no-untyped-call]
    return counts
