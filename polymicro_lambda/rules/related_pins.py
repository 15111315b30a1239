"""The related items on which a write is conditional: those that made the rule's decision true."""

from collections.abc import Iterable

from .related import RelatedCheck, RelatedPin
from .sides import State
from .verdicts import AFTER, BEFORE, BOTH, AllHold, AnyHolds, SidedCheck, Verdict, join_verdicts


def split_related(verdict: Verdict) -> tuple[tuple[RelatedCheck, ...], Verdict]:
    """The checks by related items that path and claims name and that must all hold, and the rest of a verdict."""
    parts = verdict.parts if isinstance(verdict, AllHold) else (verdict,)
    early = tuple(part for part in parts if isinstance(part, RelatedCheck) and part.is_early)
    if not early:
        return (), verdict
    rest = [part for part in parts if not (isinstance(part, RelatedCheck) and part.is_early)]
    return early, join_verdicts(rest, every=True)


def related_checks(verdict: Verdict) -> list[RelatedCheck]:
    """All checks by related items within a verdict."""
    if isinstance(verdict, RelatedCheck):
        return [verdict]
    if isinstance(verdict, SidedCheck):
        return related_checks(verdict.check)
    parts = verdict.parts if isinstance(verdict, AllHold | AnyHolds) else ()
    return [check for part in parts for check in related_checks(part)]


def pins_of_verdict(verdict: Verdict, before: State | None, after: State | None) -> list[RelatedPin]:
    """The related items that make a verdict hold on an item before and after a write; None stands for no item."""
    pins = []
    for state in (before, after):
        if state is not None:
            sides = {BOTH: state, BEFORE: before, AFTER: after or before}
            pins += _reasons(verdict, sides) or []
    return pins


def early_pins(checks: Iterable[RelatedCheck]) -> list[RelatedPin]:
    """Those of checks whose keys are known."""
    return [RelatedPin(check, check.key({})) for check in checks if check.pinned]


def _reasons(verdict: Verdict, states: dict[str, State | None]) -> list[RelatedPin] | None:
    """The pins that make a verdict true, None where it is not."""
    if isinstance(verdict, bool):
        return [] if verdict else None
    if isinstance(verdict, AllHold):
        found = [_reasons(part, states) for part in verdict.parts]
        return None if None in found else [pin for pins in found for pin in pins or ()]
    if isinstance(verdict, AnyHolds):
        return next((pins for part in verdict.parts if (pins := _reasons(part, states)) is not None), None)
    side, check = (verdict.side, verdict.check) if isinstance(verdict, SidedCheck) else (BOTH, verdict)
    state = states[side]
    if state is None:
        return []
    if not check.allows(*state):
        return None
    if not isinstance(check, RelatedCheck) or not check.pinned:
        return []
    return [RelatedPin(check, check.key(state.raw))]
