"""The entries of a transaction, sent as one TransactWriteItems; and what becomes of those that are refused."""

from collections.abc import Iterable, Mapping, Sequence

from polymicro_lambda.rules import (
    refused_by_related,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.changes.item_writes import UPDATE_ATTEMPTS
from polymicro_lambda.writes.conditional_writes import LostRace, OutcomeUnknown
from polymicro_lambda.writes.creations import RecordPart, repeated
from polymicro_lambda.writes.unique.reservations import Reservations, value_taken

from .entries import ChangeEntry, CreationEntry, Entry
from .related_parts import beside_writes
from .transact_write import TransactionRefused, write_together


def write_entries(entries: Sequence[Entry], record: RecordPart | None = None) -> None:
    """Do all of them or none, and with them their part of the request's ``record``.

    Raises the error of an entry that is refused, ``LostRace`` where other writers were always quicker, and as
    ``write_together``.
    """
    kept: frozenset[str] = frozenset()  # the ids of reservations that another item has by now
    for _ in range(UPDATE_ATTEMPTS):
        for entry in entries:
            entry.prepare()
        reservations = _all_reservations(entries, kept)
        several = (one for entry in entries for one in entry.checks)
        own, checks = beside_writes(several, [entry.item_id for entry in entries])
        parts = [entry.part(own[n].conditions if n in own else ()) for n, entry in enumerate(entries)]
        reserved = reservations.parts()
        parts += [*reserved, *checks, *([] if record is None else [record.part])]
        try:
            return write_together(entries[0].model, parts, finds_out=True)
        except OutcomeUnknown as error:
            if not _are_done(entries, reservations, record):
                raise error.answer from error
            return None
        except TransactionRefused as error:
            if error.after_lost_try and _are_done(entries, reservations, record):
                return None
            if record is not None and len(parts) - 1 in error.items:
                raise record.refused() from error
            others = any(number >= len(entries) + len(reserved) for number in error.items)
            if others or not all(one.holds_on(error.items[n]) for n, one in own.items() if n in error.items):
                _meet_related(entries)
                continue
            kept |= _after_refusal(entries, reservations, error.items)
    raise LostRace("Somebody else keeps changing these items: try again.")


def _meet_related(entries: Sequence[Entry]) -> None:
    """Raise ``Forbidden`` where related items let the user in no more; else the rule is judged by them anew."""
    for entry in entries:
        if isinstance(entry, CreationEntry) and entry.checks:
            raise refused_by_related()
        if isinstance(entry, ChangeEntry):
            entry.change.meet_related()


def _all_reservations(entries: Iterable[Entry], kept: frozenset[str]) -> Reservations:
    several = [entry.reservations for entry in entries]
    takes = tuple(one for each in several for one in each.takes)
    twice = repeated(takes, lambda one: one.id)
    if twice:
        raise value_taken(twice)
    given = {one.id for one in takes} | kept  # who takes a value meets who gives it up: one action an item
    return Reservations(takes, tuple(one for each in several for one in each.drops if one.id not in given))


def _after_refusal(
    entries: Sequence[Entry], reservations: Reservations, items: Mapping[int, RawItem | None]
) -> frozenset[str]:
    """The ids of reservations that are another item's by now, and are not to be deleted.

    Raises the error of the first entry that a next try could not do.
    """
    for number, item in sorted(items.items()):
        if number < len(entries):
            entries[number].refused(item)
    first = len(entries)
    left = reservations.after_refusal({n - first: item for n, item in items.items() if n >= first})
    return frozenset({one.id for one in reservations.drops} - {one.id for one in left.drops})


def _are_done(entries: Sequence[Entry], reservations: Reservations, record: RecordPart | None) -> bool:
    """Whether the tables show that the transaction was carried out: all of it, as it is carried out whole."""
    if record is not None:
        return record.is_done()
    telling = [entry for entry in entries if entry.tells]
    if len(telling) < len(entries) and not any(isinstance(one, CreationEntry) for one in telling):
        # Of what DynamoDB computes nobody can tell, unless a new item of the same transaction stands there.
        return False
    return all(entry.is_done() for entry in telling) and reservations.are_done()
