"""Verdicts compared: what one of them has let pass need not be judged again by another."""

from typing import Any

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ExpressionTooLarge, condition_expression

from .related import RelatedCheck
from .verdicts import AllHold, AnyHolds, ConditionCheck, TextEquals, Verdict, join_verdicts


def same_verdict(one: Verdict, other: Verdict) -> bool:
    """Whether two verdicts are certain to agree on every item; opaque checks may answer otherwise for another verb."""
    if isinstance(one, bool) or isinstance(other, bool) or type(one) is not type(other):
        return one is other
    if isinstance(one, TextEquals) and isinstance(other, TextEquals):
        return one.name == other.name and one.value == other.value
    if isinstance(one, ConditionCheck) and isinstance(other, ConditionCheck):
        return one.condition is other.condition or _same_condition(one.condition, other.condition)
    if isinstance(one, RelatedCheck) and isinstance(other, RelatedCheck):
        return one.is_same(other)
    if isinstance(one, AllHold | AnyHolds) and isinstance(other, AllHold | AnyHolds):
        return len(one.parts) == len(other.parts) and all(map(same_verdict, one.parts, other.parts))
    return False


def rest_of_verdict(verdict: Verdict, given: Verdict) -> Verdict:
    """What of a verdict is left to be judged on an item on which another one holds."""
    known = given.parts if isinstance(given, AllHold) else (given,)
    parts = verdict.parts if isinstance(verdict, AllHold) else (verdict,)
    left = [part for part in parts if not any(same_verdict(part, other) for other in known)]
    return join_verdicts(left, every=True)


def _same_condition(one: Condition, other: Condition) -> bool:
    """Whether they are written alike; of those that are too large to be written nobody knows."""
    try:
        return _as_text(one) == _as_text(other)
    except ExpressionTooLarge:
        return False


def _as_text(condition: Condition) -> tuple[str, dict[str, str], dict[str, Any]]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    return condition_expression(condition, names, values), names, values
