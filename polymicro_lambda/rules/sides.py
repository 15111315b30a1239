"""A verdict on a write: judged on the item as it is, and on the item as it would be."""

from collections.abc import Mapping
from typing import NamedTuple

from pynamodb.models import Model

from polymicro_lambda.types import RawItem

from .verdicts import (
    AFTER,
    BEFORE,
    BOTH,
    AllHold,
    AnyHolds,
    SidedCheck,
    Verdict,
    attributes_but,
    attributes_of_verdict,
    is_opaque,
)


class State(NamedTuple):
    """An item at one time: its instance, and how DynamoDB stores it."""

    instance: Model
    raw: RawItem


def holds_before(verdict: Verdict, old: State, new: State | None) -> bool:
    """Whether a verdict holds on an item as it is. Checks ``AFTER`` judge ``new``, the item as a write would leave it.

    Where no write leaves one they judge the item as it is.
    """
    if new is None or not has_sides(verdict):
        return verdict if isinstance(verdict, bool) else verdict.allows(*old)
    return _holds_on(verdict, {BOTH: old, BEFORE: old, AFTER: new})


def holds_after(verdict: Verdict, old: State | None, new: State) -> bool:
    """Whether a verdict holds on an item as it would be. Checks ``BEFORE`` judge ``old``, the item as it is.

    On a new item, which has no before, they let everything pass.
    """
    if not has_sides(verdict):
        return verdict if isinstance(verdict, bool) else verdict.allows(*new)
    return _holds_on(verdict, {BOTH: new, BEFORE: old, AFTER: new})


def has_sides(verdict: Verdict) -> bool:
    """Whether a part of a verdict judges an update on one side alone."""
    return isinstance(verdict, SidedCheck) or (
        isinstance(verdict, AllHold | AnyHolds) and any(map(has_sides, verdict.parts))
    )


def _holds_on(verdict: Verdict, states: Mapping[str, State | None]) -> bool:
    if isinstance(verdict, bool):
        return verdict
    if isinstance(verdict, AllHold):
        return all(_holds_on(part, states) for part in sorted(verdict.parts, key=is_opaque))
    if isinstance(verdict, AnyHolds):
        return any(_holds_on(part, states) for part in verdict.parts)
    state = states[verdict.side if isinstance(verdict, SidedCheck) else BOTH]
    return state is None or verdict.allows(*state)


def attributes_judged_after(verdict: Verdict) -> frozenset[str]:
    """The names in DynamoDB of the attributes that conditions read of the item as it would be."""
    return attributes_but(verdict, skipped=BEFORE)


def attributes_judged_only_after(verdict: Verdict) -> frozenset[str]:
    """Those that conditions of permissions read which judge the item as it would be alone."""
    if isinstance(verdict, AllHold | AnyHolds):
        return frozenset[str]().union(*map(attributes_judged_only_after, verdict.parts))
    is_after = isinstance(verdict, SidedCheck) and verdict.side == AFTER
    return attributes_of_verdict(verdict) if is_after else frozenset()
