"""The journal of a request with an ``Idempotency-Key``: what it makes is written together with its record.

What a dead invocation leaves behind tells the next try which items are there already.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, model_info
from polymicro_lambda.exceptions import Conflict, NotFound
from polymicro_lambda.http import Response
from polymicro_lambda.items import instance_of, is_live
from polymicro_lambda.rules import as_stored, current_guard
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import Creation, RecordPart, create_all

from .records import IdempotencyRecord, in_flight, replayed_response

PLACE = "place"


@dataclass(slots=True)
class IdempotentRequest:
    """One try of a request."""

    record: IdempotencyRecord
    asked: Counter[str] = field(default_factory=Counter)
    """How many items this try has met at each place of the body."""
    told: int = 0
    """How many items it has told the record of."""
    known: list[RawItem] = field(default_factory=list)
    """The items that a replay asks the rule about: that of the path, and what this try has made."""
    shows_others: bool = False
    place: str = ""
    """Where the item that is created now is in the body, e.g. ``/3``; empty unless there are many."""

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
            return replayed_response(known, readable)
        try:
            response = act()
        except BaseException:
            self.record.release()
            raise
        if response.status < 400:
            asks = not isinstance(current_guard().verdict, bool)
            self.record.complete(response, readable, whole=not (asks and self.shows_others))
        else:
            self.record.release()
        return response

    def create(self, creation: Creation) -> RawItem:
        """The new item, written in one transaction with its key in the record; or what an earlier try made of it.

        Raises ``Conflict`` where the key is taken, or another try has taken the record over.
        """
        made = self.earlier(creation.model, self.place)
        if made is not None:
            return made
        self.commit([creation])
        return creation.raw

    def earlier(self, model: type[Model], place: str) -> RawItem | None:
        """The next item that an earlier try made of this place of the body, None where it came no further."""
        made = [entry for entry in self.record.made if entry.get(PLACE, {"S": ""})["S"] == place]
        number = self.asked[place]
        if number >= len(made):
            return None
        self.asked[place] += 1
        return _made(model, made[number])

    def commit(self, creations: Sequence[Creation]) -> None:
        """Write items and their keys in one transaction. Raises as ``create``."""
        entries = [record_entry(one.model, one.key, one.place or self.place) for one in creations]
        number = len(self.record.made) + self.told
        room = self.record.room
        try:
            part = self.record.added(entries, number)
            is_done = partial(self.record.has, number + len(entries))
            create_all(creations, RecordPart(part, is_done, in_flight))
        except BaseException:
            self.record.room = room
            raise
        self.told += len(entries)
        self.known += [record_entry(one.model, one.key) for one in creations]

    def changes(self, model: type[Model]) -> None:
        """Changes are not journaled."""

    def shows(self, instance: Model) -> None:
        """Note where the answer shows an item that no replay would ask the rule about."""
        raw, names = as_stored(instance), [one.attr_name for one in model_info(type(instance)).keys.values()]
        entry = record_entry(type(instance), {name: raw[name] for name in names if name in raw})
        made = [{name: one[name] for name in entry} for one in self.record.made]
        self.shows_others = self.shows_others or entry not in (*self.known, *made)


def record_entry(model: type[Model], key: RawItem, place: str = "") -> RawItem:
    """An item as a record names it."""
    at = {PLACE: {"S": place}} if place else {}
    return {"table": {"S": model.Meta.table_name}, "key": {"M": key}, **at}


def _made(model: type[Model], entry: RawItem) -> RawItem:
    """The item that an earlier try has made."""
    if entry["table"]["S"] != model.Meta.table_name:
        raise _another_way()
    item = get_item(model, entry["key"]["M"])
    if item is None:
        raise NotFound("What this request made is there no more.")
    if not is_live(model, item):
        raise _another_way()
    current_guard().judge(instance_of(model, item), item)
    return item


def _another_way() -> Conflict:
    return Conflict("An earlier try of this request was broken off, and this one went another way.")
