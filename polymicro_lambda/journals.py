"""The journal of a request with an ``Idempotency-Key``: what it makes is written together with its record.

What a dead invocation leaves behind tells the next try which items are there already.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from . import _pynamodb
from .exceptions import Conflict, NotFound
from .failures import CONDITION_FAILED, answering, is_lost, reasons_of, retries_of
from .guards import as_stored, current
from .items import declared, is_live
from .records import Record, in_flight, replayed
from .responses import Response
from .types import RawItem
from .writes import ConditionFailed, expressed, too_late


@dataclass(slots=True)
class Journal:
    """One try of a request."""

    record: Record
    created: int = 0
    """How many items this try has asked for."""
    known: list[RawItem] = field(default_factory=list)
    """The items that a replay asks the rule about: that of the path, and what this try has made."""
    shows_others: bool = False

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
        known = self.record.claim()
        if known is not None:
            judge([entry["M"] for entry in known["made"]["L"]])
            return replayed(known, readable)
        try:
            response = act()
        except BaseException:
            self.record.release()
            raise
        if response.status < 400:
            asks = not isinstance(current().verdict, bool)
            self.record.complete(response, readable, whole=not (asks and self.shows_others))
        else:
            self.record.release()
        return response

    def create(self, model: type[Model], raw: RawItem, key: RawItem, free: Condition) -> RawItem:
        """The new item, written in one transaction with its key in the record; or what an earlier try made of it.

        Raises ``ConditionFailed`` where the key is taken, ``Conflict`` where another try has taken the record over.
        """
        number, self.created = self.created, self.created + 1
        if number < len(self.record.made):
            return _made(model, self.record.made[number])
        too_late()
        entry = entry_of(model, key)
        put = {"Put": {"TableName": model.Meta.table_name, "Item": raw, **expressed([free])}}
        with answering():
            try:
                _pynamodb.transact(model, [put, self.record.added(entry, number)])
            except (ClientError, BotoCoreError) as error:
                if not (is_lost(error) or retries_of(error)) or not self.record.has(number + 1):
                    _raise(error)
        self.known.append(entry)
        return raw

    def shows(self, instance: Model) -> None:
        """Note where the answer shows an item that no replay would ask the rule about."""
        raw, names = as_stored(instance), [one.attr_name for one in declared(type(instance)).keys.values()]
        entry = entry_of(type(instance), {name: raw[name] for name in names if name in raw})
        self.shows_others = self.shows_others or entry not in (*self.known, *self.record.made)


def entry_of(model: type[Model], key: RawItem) -> RawItem:
    """An item as a record names it."""
    return {"table": {"S": model.Meta.table_name}, "key": {"M": key}}


def _made(model: type[Model], entry: RawItem) -> RawItem:
    """The item that an earlier try has made."""
    if entry["table"]["S"] != model.Meta.table_name:
        raise _another_way()
    with answering():
        found: RawItem | None = _pynamodb.execute(
            model, "GetItem", Key=entry["key"]["M"], ConsistentRead=True
        ).get("Item")
    if found is None:
        raise NotFound("What this request made is there no more.")
    if not is_live(model, found):
        raise _another_way()
    current().judge(_pynamodb.instance_of(model, found), found)
    return found


def _another_way() -> Conflict:
    return Conflict("An earlier try of this request was broken off, and this one went another way.")


def _raise(error: ClientError | BotoCoreError) -> None:
    """What a transaction of an item and its record failed on."""
    item, record = [*reasons_of(error), "", ""][:2]
    if record == CONDITION_FAILED:
        raise in_flight() from error
    if item == CONDITION_FAILED:
        raise ConditionFailed(None, retried=False) from error
    raise error
