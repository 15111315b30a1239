"""A delete of one item, a check that writes nothing, and how one write is sent alone."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ExpressionTooLarge
from polymicro_lambda.exceptions import InternalError
from polymicro_lambda.observability import report_error
from polymicro_lambda.rules import fetch_with_related
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.conditional_writes import ConditionFailed, LostRace, OutcomeUnknown, write_if
from polymicro_lambda.writes.lost_answers import resolve_lost_answer
from polymicro_lambda.writes.unique.reservations import RelatedRefused, write_with_reservations

from .item_changes import ItemChange, PreparedWrite

UPDATE_ATTEMPTS = 3
"""How often a write is judged and sent that loses the race against other writers."""


class ItemCheck(ItemChange):
    """Writes nothing: its conditions must hold for a transaction to be done."""

    __slots__ = ()
    operation = "ConditionCheck"
    writes = False

    def result(self, old: RawItem) -> RawItem:
        """The item as it is."""
        return old

    def after(self, old: RawItem) -> None:
        """Nothing that would have to be judged besides."""

    def is_done(self, item: RawItem | None) -> bool:
        """It leaves nothing that could show it."""
        return True

    @property
    def tells(self) -> bool:
        """Nothing."""
        return False


def write_alone(change: ItemChange) -> dict[str, Any]:
    """Do it; the answer of an update has the item (``Attributes``).

    Raises ``NotFound``, ``Forbidden`` and ``PreconditionFailed`` as the guard does; the error of a requirement;
    ``Conflict`` where a value is taken, or other writers were always quicker; and as ``write_if``.
    """
    if change.guard.interceptor is not None:
        change.guard.interceptor.changes(change.items.model)
    known = change.terms.known
    for _ in range(UPDATE_ATTEMPTS):
        try:
            answer = _attempt(change, known)
        except RelatedRefused:
            change.meet_related()
        except ConditionFailed as error:
            # Gone, hidden by the rule, or changed; else a race was lost, and the error brings the item.
            known = change.refused(error.item)
        else:
            change.guard.mark.has_written = True
            return answer
    raise LostRace("Somebody else keeps changing this item: try again.")


def _attempt(change: ItemChange, old: RawItem | None) -> dict[str, Any]:
    """Do it once, or find out what became of it."""
    write = change.prepared(old)
    try:
        return _sent(change, write)
    except ExpressionTooLarge as error:
        judge_here(change, error)
        return _attempt(change, write.old)


def judge_here(change: ItemChange, error: ExpressionTooLarge) -> None:
    """Let the rule of a write be judged on the item as read. Raises ``InternalError`` where that was so already."""
    if change.judges_here:
        message = "An item of %s cannot be written, its condition is too large for DynamoDB: %s"
        report_error(message, change.items.model.__name__, error)
        raise InternalError() from error
    change.judges_here = True


def _sent(change: ItemChange, write: PreparedWrite) -> dict[str, Any]:
    """One call; where its answer gets lost, what became of it."""

    def is_done(item: RawItem | None) -> bool:
        return change.is_done(item) and write.reservations.are_done()

    send = partial(_send, change, write)
    try:
        return send()
    except OutcomeUnknown as unknown:
        change.guard.mark.has_written = True  # for all that anybody knows
        return resolve_lost_answer(unknown, change.items.model, change.key, send, is_done, change.may_repeat)
    except ConditionFailed as error:
        if error.after_lost_try and is_done(error.item):  # by an earlier try of this very transaction
            return {"Attributes": error.item}
        raise


def _send(change: ItemChange, write: PreparedWrite, unchanged: Sequence[Condition] = ()) -> dict[str, Any]:
    """One call of DynamoDB. Raises as ``write_if``, and ``Conflict`` where a value is taken."""
    model = change.items.model
    if not (write.reservations or write.checks):
        conditions = [*write.conditions, *unchanged] if unchanged else write.conditions
        return write_if(model, change.operation, conditions, write.actions, Key=change.key)
    write_with_reservations(model, change.part(write, unchanged), write.reservations, write.checks)
    # A transaction gives no item back. With reservations the conditions hold on ``old`` alone: its result is there now.
    if write.reservations or not change.changed:
        return {"Attributes": change.next_version(change.result(write.old or {}) or {})}
    return {"Attributes": change.items.live(fetch_with_related(model, change.key, change.guard.read_back))}
