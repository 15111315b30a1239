"""Conditions as DynamoDB takes them: what it refuses though the meaning is plain is written in another way.

An ``IN`` of no operand and bounds that cross hold for nothing, wherever they stand; an ``IN`` of more than 100
operands is several, joined by ``OR``.
"""

from functools import reduce
from operator import and_, or_

from pynamodb.expressions.condition import Condition, In
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import JUNCTIONS, fold_condition, in_post_order, typed_value

from .evaluation import is_refused
from .operators import at_most

MOST_OPERANDS = 100
"""Operands of one ``IN`` (DynamoDB, service quotas)."""

NEVER: Condition = Path(["never"]).is_in()
"""A condition that holds for nothing; it is not sent as it stands."""


def sendable(condition: Condition) -> Condition | bool:
    """A condition that DynamoDB takes, and that holds on the same items; True or False where that is all or none.

    Whether it is too large is not looked at.
    """
    if condition.operator not in JUNCTIONS | {"IN", "BETWEEN"}:
        return not is_refused(condition) and condition
    if is_refused(condition):
        return False
    return fold_condition(in_post_order(condition), _leaf, _junction)


def _leaf(leaf: Condition) -> Condition | bool:
    if leaf.operator == "BETWEEN":
        return not _crossed(leaf) and leaf
    if leaf.operator != "IN" or 1 <= len(leaf.values) - 1 <= MOST_OPERANDS:
        return leaf
    first, *options = leaf.values
    starts = range(0, len(options), MOST_OPERANDS)
    chunks = [In(first, *options[start : start + MOST_OPERANDS]) for start in starts]  # type: ignore[no-untyped-call]
    return reduce(or_, chunks) if chunks else False


def _crossed(between: Condition) -> bool:
    _, lower, upper = between.values
    constant = isinstance(lower, Value) and isinstance(upper, Value)
    return constant and not at_most(typed_value(lower.value), typed_value(upper.value))


def _junction(node: Condition, parts: list[Condition | bool]) -> Condition | bool:
    """The junction of parts, of which some may be the same for every item."""
    if all(part is old for part, old in zip(parts, node.values, strict=True)):
        return node
    if node.operator == "NOT":
        return not parts[0] if isinstance(parts[0], bool) else ~parts[0]
    decisive = node.operator == "OR"
    if any(part is decisive for part in parts):
        return decisive
    left = [part for part in parts if not isinstance(part, bool)]
    return reduce(or_ if decisive else and_, left) if left else not decisive
