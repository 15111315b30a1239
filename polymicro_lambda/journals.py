"""The journal of a request with an ``Idempotency-Key``: claimed, written to beside each create, completed.

A marker is one item: fingerprint, lock and its end, the keys of what was made; when all is done the response in place
of the lock. What a dead invocation leaves behind tells the next try which items are there already.
"""

import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import ceil, isinf
from operator import and_
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import RemoveAction, SetAction, Update
from pynamodb.models import Model

from . import _pynamodb
from .exceptions import Conflict, HTTPError, NotFound, Unprocessable
from .failures import CONDITION_FAILED, answering, is_lost, reasons_of, retries_of, retry_after
from .guards import current
from .responses import Response
from .types import RawItem
from .writes import ConditionFailed, OutcomeUnknown, too_late, write

LONGEST = 900
"""Seconds that a lock holds where the invocation does not say how long it may run (AWS Lambda's longest timeout)."""
LARGEST = 350_000
"""Bytes of a stored response; an item has 400 KB, and the rest of it needs some."""
REPLAYED = {"idempotency-replayed": "true"}


@dataclass(slots=True)
class Journal:
    """One request's marker."""

    model: type[Model]
    id: str
    fingerprint: str
    expires_after: int
    logger: Any
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    made: list[RawItem] = field(default_factory=list)
    """What earlier tries made."""
    created: int = 0
    """How many items this try has asked for."""

    # --- the way of a request ---------------------------------------------------------------------------------

    def once(
        self,
        act: Callable[[], Response],
        readable: frozenset[str],
        judge: Callable[[list[RawItem]], None],
    ) -> Response:
        """What ``act`` answers, or has answered before.

        ``readable`` are the fields that the user may see; ``judge`` raises where the user may no longer have what the
        request made. Raises ``Unprocessable`` where the key stands for another request, and ``Conflict`` while an
        earlier one runs.
        """
        known = self._claim()
        if known is not None:
            judge([entry["M"] for entry in known["made"]["L"]])
            return _response(known, readable)
        try:
            response = act()
        except BaseException:
            self._release()
            raise
        if response.status < 400:
            self._quietly(lambda: self._complete(response, readable))
        else:
            self._release()
        return response

    def create(self, model: type[Model], raw: RawItem, key: RawItem, free: Condition) -> RawItem:
        """The new item, written in one transaction with its key in the marker; or what an earlier try made of it.

        Raises ``ConditionFailed`` where the key is taken, ``Conflict`` where another try has taken the marker over.
        """
        number, self.created = self.created, self.created + 1
        if number < len(self.made):
            return self._again(model, self.made[number])
        too_late()
        entry: RawItem = {"table": {"S": model.Meta.table_name}, "key": {"M": key}}
        with answering():
            try:
                _pynamodb.transact(model, [self._put(model, raw, free), self._noted(entry, number)])
            except (ClientError, BotoCoreError) as error:
                if not (is_lost(error) or retries_of(error)) or not self._has(number + 1):
                    _raise(error)
        return raw

    def _put(self, model: type[Model], raw: RawItem, free: Condition) -> dict[str, Any]:
        return {"Put": {"TableName": model.Meta.table_name, "Item": raw, **_expressions([free])}}

    def _noted(self, entry: RawItem, number: int) -> dict[str, Any]:
        """Append to what was made, while the marker is ours and holds as much as we know."""
        # What is set behind a list's end is appended to it.
        action = SetAction(Path(["made"])[number], Value({"M": entry}))
        update = _expressions([self._ours, _counts(number)], action)
        return {"Update": {"TableName": self.model.Meta.table_name, "Key": self._key, **update}}

    def _again(self, model: type[Model], entry: RawItem) -> RawItem:
        if entry["table"]["S"] != model.Meta.table_name:
            raise Conflict("An earlier try of this request was broken off, and this one went another way.")
        with answering():
            found: RawItem | None = _pynamodb.execute(
                model, "GetItem", Key=entry["key"]["M"], ConsistentRead=True
            ).get("Item")
        if found is None:
            raise NotFound("What this request made is there no more.")
        current().judge(_pynamodb.instance_of(model, found), found)
        return found

    # --- the marker -------------------------------------------------------------------------------------------

    @property
    def _key(self) -> RawItem:
        return {"id": {"S": self.id}}

    @property
    def _ours(self) -> Condition:
        return _equals("lock", {"S": self.token})

    def _locked(self) -> RawItem:
        """The lock, which holds no longer than this invocation can run."""
        left = current().seconds_left()
        now = int(time.time())
        until = now + (LONGEST if isinf(left) else ceil(left) + 1)
        expires = max(now + self.expires_after, until)
        return {"lock": {"S": self.token}, "until": {"N": str(until)}, "expires": {"N": str(expires)}}

    def _claim(self) -> RawItem | None:
        """Lock the marker; None if it is ours, else what a request that is done has left."""
        item = {
            **self._key,
            "fingerprint": {"S": self.fingerprint},
            "made": {"L": []},
            **self._locked(),
        }
        fresh = Path(["id"]).does_not_exist() | (Path(["expires"]) <= Value({"N": str(int(time.time()))}))
        try:
            write(self.model, "PutItem", [fresh], Item=item)
        except OutcomeUnknown as error:
            self._release()
            raise error.answer from error
        except ConditionFailed as error:
            return self._met(error.item)
        return None

    def _met(self, found: RawItem | None) -> RawItem | None:
        """What a marker that is there already means."""
        if found is None:
            raise _in_flight()
        if found.get("lock") == {"S": self.token}:  # a first try of our own, whose answer was lost
            return None
        if found["fingerprint"]["S"] != self.fingerprint:
            raise Unprocessable(
                "This Idempotency-Key stands for a request of another content: take a new one."
            )
        if "status" in found:
            return found
        if int(found["until"]["N"]) > time.time():
            raise _in_flight()
        self._take_over(found)
        return None

    def _take_over(self, found: RawItem) -> None:
        """Go on where an invocation that is dead has left off."""
        actions = [SetAction(Path([name]), Value(value)) for name, value in self._locked().items()]
        same = _equals("lock", found["lock"])
        try:
            write(self.model, "UpdateItem", [same], actions, Key=self._key)
        except (ConditionFailed, OutcomeUnknown) as error:
            raise _in_flight() from error
        self.made = [entry["M"] for entry in found["made"]["L"]]

    def _has(self, number: int) -> bool:
        """Whether the marker is ours and tells of so many items."""
        found = _pynamodb.execute(self.model, "GetItem", Key=self._key, ConsistentRead=True).get("Item", {})
        return bool(found.get("lock") == {"S": self.token} and len(found["made"]["L"]) == number)

    def _complete(self, response: Response, readable: frozenset[str]) -> None:
        headers = {name: {"S": value} for name, value in response.headers.items()}
        body = zlib.compress(response.body)
        kept = (
            len(body) + sum(len(name) + len(text["S"].encode()) for name, text in headers.items()) <= LARGEST
        )
        values: RawItem = {
            "status": {"N": str(response.status)},
            "headers": {"M": headers},
            "fields": {"L": [{"S": name} for name in sorted(readable)]},
            **({"body": {"B": body}} if kept else {}),
        }
        actions = [
            *(SetAction(Path([name]), Value(value)) for name, value in values.items()),
            *(RemoveAction(Path([name])) for name in ("lock", "until")),
        ]
        try:
            write(self.model, "UpdateItem", [self._ours], actions, Key=self._key)
        except OutcomeUnknown as error:
            raise error.answer from error

    def _release(self) -> None:
        """Nothing was done, so that the key is free again; or something was, and the next try goes on from there."""
        over = [SetAction(Path(["until"]), Value({"N": "0"}))]

        def free() -> None:
            try:
                write(self.model, "DeleteItem", [self._ours, _counts(0)], Key=self._key)
            except ConditionFailed:
                write(self.model, "UpdateItem", [self._ours], over, Key=self._key)

        self._quietly(free)

    def _quietly(self, act: Callable[[], None]) -> None:
        """The answer stands whatever becomes of the marker: its lock ends by itself."""
        try:
            act()
        except (HTTPError, ConditionFailed, OutcomeUnknown) as error:
            cause = type(error.__cause__ or error).__name__  # its text may name a table
            self.logger.warning("The marker of an Idempotency-Key was left locked: %s", cause)


def _response(known: Mapping[str, Any], readable: frozenset[str]) -> Response:
    """The stored response; without its body where that was too large, or shows what the user may no longer see."""
    headers = {name: text["S"] for name, text in known["headers"]["M"].items()}
    seen = {name["S"] for name in known["fields"]["L"]}
    if "body" in known and seen <= readable:
        return Response(int(known["status"]["N"]), headers | REPLAYED, zlib.decompress(known["body"]["B"]))
    headers.pop("content-type", None)
    return Response(int(known["status"]["N"]), headers | REPLAYED)


def _in_flight() -> Conflict:
    return Conflict("A request with this Idempotency-Key is being served: try again.", headers=retry_after())


def _raise(error: ClientError | BotoCoreError) -> None:
    """What a transaction of an item and its marker failed on."""
    item, marker = [*reasons_of(error), "", ""][:2]
    if marker == CONDITION_FAILED:
        raise _in_flight() from error
    if item == CONDITION_FAILED:
        raise ConditionFailed(None, retried=False) from error
    raise error


def _equals(name: str, value: Mapping[str, Any]) -> Condition:
    equals: Condition = Path([name]) == Value(value)
    return equals


def _counts(number: int) -> Condition:
    """The marker tells of so many items."""
    counts: Condition = size(Path(["made"])) == Value({"N": str(number)})  # type: ignore[no-untyped-call]
    return counts


def _expressions(conditions: list[Condition], *actions: Any) -> dict[str, Any]:
    """Condition and update as botocore takes them."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    said: dict[str, Any] = {}
    if actions:
        said["UpdateExpression"] = Update(*actions).serialize(names, values)
    said["ConditionExpression"] = reduce(and_, conditions).serialize(names, values)
    said["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
    return said | ({"ExpressionAttributeValues": values} if values else {})
