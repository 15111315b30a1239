"""The filter of a plan as DynamoDB takes it; conditions that are too large for it are checked here, row by row."""

from collections.abc import Sequence
from dataclasses import replace

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import fits, in_post_order
from polymicro_lambda.rules import attributes_of, sendable

from .plans import ListQuery, Plan

KEY_NAMES, KEY_VALUES = 2, 3
"""The most placeholders of a key condition, which stand before the filter's: ``#0 = :0 AND #1 BETWEEN :1 AND :2``."""


def as_sent(plan: Plan, query: ListQuery) -> Plan:
    """The plan with a filter that DynamoDB takes; ``empty`` where one of the list's conditions holds for nothing."""
    forms = {id(condition): sendable(condition) for condition in query.conditions}
    if plan.empty or any(form is False for form in forms.values()):
        return replace(plan, empty=True)
    if not plan.filters:
        return plan
    # A filter may be one of these, or a part of one.
    either = [forms[id(one)] if id(one) in forms else sendable(one) for one in plan.filters]
    sent = [one for one in either if not isinstance(one, bool)]
    kept = _fitting(sent)
    here = tuple(one for one in sent if not any(one is other for other in kept))
    # Where the items are read again whole, the checks are all of the conditions already.
    checks = plan.checks if plan.completes else (*plan.checks, *here)
    projection = None if plan.projection is None else plan.projection.union(*map(attributes_of, here))
    return replace(plan, filters=tuple(kept), checks=checks, projection=projection)


def _fitting(conditions: Sequence[Condition]) -> Sequence[Condition]:
    """As many of the conditions as one expression takes, the smallest first; all where it takes them."""
    if not conditions or fits(conditions, KEY_NAMES, KEY_VALUES):
        return conditions
    kept: list[Condition] = []
    for condition in sorted(conditions, key=_weight):
        if not fits([*kept, condition], KEY_NAMES, KEY_VALUES):
            return kept
        kept.append(condition)
    return kept


def _weight(condition: Condition) -> int:
    return sum(1 + len(node.values) for node in in_post_order(condition))
