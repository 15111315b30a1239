"""A request with an ``Idempotency-Key``: its verb runs once, and its new items are written together with its record.

Where an invocation dies, the record tells the next try which items there are already.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, model_info
from polymicro_lambda.exceptions import Conflict, NotFound
from polymicro_lambda.http import Response
from polymicro_lambda.items import instance_of, is_live
from polymicro_lambda.rules import as_stored, current_guard, guard_for
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import Creation, RecordPart, create_all

from .records import (
    PLACE,
    IdempotencyRecord,
    digest_of,
    in_flight,
    record_entry,
    transaction_entry,
)
from .replay import replayed_response


@dataclass(slots=True)
class IdempotentRequest:
    """One try of a request."""

    record: IdempotencyRecord
    reused: Counter[str] = field(default_factory=Counter)
    """For each place of the body, how many items of earlier tries this try has taken over."""
    recorded: int = 0
    """How many new items this try has added to the record."""
    replayed_items: list[RawItem] = field(default_factory=list)
    """Entries of the items that a replay asks the rule about: that of the path, and the new items of this try."""
    shows_others: bool = False
    """Whether the answer shows an item that a replay would not ask the rule about."""
    shows_judged: bool = False
    """Whether it shows what other rules have let its user see, of fields or of what is embedded: a replay asks none."""
    place: str = ""
    """Where the item that is created now is in the body, e.g. ``/3``; empty unless there are many."""
    lock: "threading.RLock" = field(default_factory=threading.RLock)
    """Held while an entry is added or taken."""

    def once(
        self,
        act: Callable[[], Response],
        readable: frozenset[str],
        judge: Callable[[list[RawItem]], None],
    ) -> Response:
        """The response of ``act``, or the one that an earlier try has stored.

        ``readable`` are the fields that the user may see; ``judge`` raises where the user may no longer have the items
        that the request made. Raises ``Unprocessable`` where the key stands for another request, and ``Conflict`` while
        an earlier try runs.
        """
        completed = self.record.acquire()
        if completed is not None:
            judge([entry["M"] for entry in completed["made"]["L"]])
            return replayed_response(completed, readable)
        try:
            response = act()
        except BaseException:
            self.record.release()
            raise
        if response.status < 400:
            has_rule = not isinstance(current_guard().verdict, bool)
            self.record.complete(
                response, readable, whole=not (self.shows_judged or (has_rule and self.shows_others))
            )
        else:
            self.record.release()
        return response

    # --- creates ----------------------------------------------------------------------------------

    def create(self, creation: Creation) -> RawItem:
        """The new item, written in one transaction with its key in the record; or the item that an earlier try made.

        Raises ``Conflict`` where the key is taken, or another try has taken the record over.
        """
        earlier = self.earlier_item(creation.model, self.place)
        if earlier is not None:
            return earlier
        self.create_all([creation])
        return creation.raw

    def earlier_item(self, model: type[Model], place: str) -> RawItem | None:
        """The next item that an earlier try made of this place of the body, None where there is none left.

        Raises ``NotFound`` for an item that is gone, ``Conflict`` for one of another kind, and as the guard does.
        """
        entry = self._next_made(place)
        return None if entry is None else _stored(model, entry)

    def _next_made(self, place: str) -> RawItem | None:
        """The next entry of an earlier try for this place of the body."""
        made = [entry for entry in self.record.made if entry.get(PLACE, {"S": ""})["S"] == place]
        with self.lock:
            number = self.reused[place]
            self.reused[place] += number < len(made)
        return made[number] if number < len(made) else None

    def create_all(self, creations: Sequence[Creation]) -> None:
        """Write items and their entries in the record in one transaction. Raises as ``create``."""
        self._write(creations, (), partial(create_all, creations))

    def _write(
        self, creations: Sequence[Creation], first: Sequence[RawItem], write: Callable[[RecordPart], None]
    ) -> None:
        """Let ``write`` do these creations together with the record's part: the entries ``first``, then theirs."""
        entries = [*first, *(record_entry(one.model, one.key, one.place or self.place) for one in creations)]
        with self.lock:  # the verb may have threads, and each write adds behind the one before
            number = len(self.record.made) + self.recorded
            room = self.record.room
            try:
                part = self.record.adding(entries, number)
                is_done = partial(self.record.has, number + len(entries))
                write(RecordPart(part, is_done, in_flight))
            except BaseException:
                self.record.room = room
                raise
            self.recorded += len(entries)
            self.replayed_items += [record_entry(one.model, one.key) for one in creations]

    @property
    def resumes(self) -> bool:
        """Whether an earlier try has made something, and this one goes on behind it."""
        return bool(self.record.made)

    # --- transactions -----------------------------------------------------------------------------

    def begin_transaction(self) -> None:
        """A request may have any."""

    def done_before(self, digest: str, creations: Sequence[Creation]) -> list[RawItem] | None:
        """The new items of the transaction with this digest, as an earlier try made them; None where none has done it.

        Raises as ``earlier_item``.
        """
        made = [entry for entry in self.record.made if entry.get(PLACE, {"S": ""})["S"] == self.place]
        with self.lock:
            number = self.reused[self.place]
            if number >= len(made) or digest_of(made[number]) != digest:
                return None
            self.reused[self.place] += 1 + len(creations)
        entries = made[number + 1 : number + 1 + len(creations)]
        return [_stored(one.model, entry) for one, entry in zip(creations, entries, strict=True)]

    def transact(
        self, digest: str, creations: Sequence[Creation], write: Callable[[RecordPart], None]
    ) -> None:
        """Let ``write`` do a transaction, whose entries in the record are its own and those of its new items."""
        self._write(creations, [transaction_entry(digest, self.place)], write)

    def changes(self, model: type[Model]) -> None:
        """Updates and deletes take no part in the record: a next try does them again."""

    def shows(self, instance: Model) -> None:
        """The answer will show this item."""
        raw, names = as_stored(instance), [one.attr_name for one in model_info(type(instance)).keys.values()]
        entry = record_entry(type(instance), {name: raw[name] for name in names if name in raw})
        made = [{name: one[name] for name in entry} for one in self.record.made]
        self.shows_others = self.shows_others or entry not in (*self.replayed_items, *made)


def _stored(model: type[Model], entry: RawItem) -> RawItem:
    """The item of a record's entry, as it is now. Raises as ``earlier_item``."""
    if entry["table"]["S"] != model.Meta.table_name:
        raise _another_way()
    item = get_item(model, entry["key"]["M"])
    if item is None:
        raise NotFound("What this request made is there no more.")
    if not is_live(model, item):
        raise _another_way()
    guard_for(model).judge(instance_of(model, item), item)
    return item


def _another_way() -> Conflict:
    return Conflict("An earlier try of this request was broken off, and this one went another way.")
