"""Conditions as DynamoDB takes them: what it refuses though the meaning is plain is written in another way.

An ``IN`` of no operand and bounds that cross hold for nothing, wherever they stand; an ``IN`` of more than 100
operands is several, joined by ``OR``. Where a default stands for an absent attribute, the condition says so.
"""

from functools import reduce
from operator import and_, or_
from typing import Any

from pynamodb.expressions.condition import And, Condition, In, Or
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import JUNCTIONS, fold_condition, in_post_order, typed_value

from .defaults import OF_STORAGE, default_at, is_absent, with_operand
from .evaluation import holds, is_refused
from .operators import at_most
from .paths import paths_of

MOST_OPERANDS = 100
"""Operands of one ``IN`` (DynamoDB, service quotas)."""

NEVER: Condition = Path(["never"]).is_in()
"""A condition that holds for nothing; it is not sent as it stands."""


def sendable(condition: Condition) -> Condition | bool:
    """A condition that DynamoDB takes, and that holds on the same items; True or False where that is all or none.

    Whether it is too large is not looked at.
    """
    if is_refused(condition):
        return False
    if condition.operator not in JUNCTIONS:
        return _leaf(condition)
    return fold_condition(in_post_order(condition), _leaf, _junction)


def _leaf(leaf: Condition) -> Condition | bool:
    if leaf.operator in OF_STORAGE:
        return leaf
    path = next((one for one in paths_of(leaf) if default_at(one) is not None), None)
    return _taken(leaf) if path is None else _counting_default(leaf, path)


def _counting_default(leaf: Condition, path: Path) -> Condition | bool:
    """A comparison that holds, or does not, where the value at the path is absent, as it does on the default."""
    absent, stored = is_absent(path), with_operand(leaf, path, Path(path.path))
    if any(one is not path for one in paths_of(leaf)):
        of_default = _leaf(with_operand(leaf, path, Value(default_at(path))))
        return _either(_both(absent, of_default), _both(~absent, _leaf(stored)))
    on_default, sent = holds(leaf, _without(path)), _taken(stored)
    if on_default is holds(stored, {}):
        return sent
    return _either(absent, sent) if on_default else _both(~absent, sent)


def _without(path: Path) -> dict[str, Any]:
    """An item that has the maps around a path, and nothing else."""
    members: dict[str, Any] = {}
    for name in reversed(path.path[:-1]):
        members = {name: {"M": members}}
    return members


def _both(one: Condition, other: Condition | bool) -> Condition | bool:
    if isinstance(other, bool):
        return one if other else False
    return And(one, other)


def _either(one: Condition | bool, other: Condition | bool) -> Condition | bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is True or other is True or (other if one is False else one)
    return Or(one, other)


def _taken(leaf: Condition) -> Condition | bool:
    """A comparison as DynamoDB takes it."""
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
