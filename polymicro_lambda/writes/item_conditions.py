"""The conditions of a write to one item, and whether the guard must see that item first."""

from typing import TypeAlias

from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import ConditionClause, SimpleClause
from polymicro_lambda.items import live_conditions
from polymicro_lambda.rules import Guard, TextEquals

from .stored_items import StoredItems

RuleClause: TypeAlias = "ConditionClause | bool"
"""A rule as a condition of a write; False where it holds for nothing, True where there is nothing to check."""


def conditions_of_write(items: StoredItems, guard: Guard, rule: RuleClause) -> list[ConditionClause]:
    """The conditions that DynamoDB can check without a read.

    The item is there and of the model's kind, the rule holds on it, and ``If-Match`` names its version.
    """
    about, tags = items.about, guard.if_match
    conditions: list[ConditionClause] = [items.exists]
    if not about.lasting:
        conditions += live_conditions(items.model)
    if not isinstance(rule, bool):
        conditions.append(rule)
    if tags is not None and about.version is not None and tags.versions():
        versions = [Value({"N": number}) for number in tags.versions()]
        conditions.append(Path([about.version.attr_name]).is_in(*versions))
    return conditions


def rule_clause(guard: Guard) -> RuleClause:
    """The guard's rule, as far as DynamoDB can check it."""
    verdict = guard.verdict
    if isinstance(verdict, TextEquals):
        return SimpleClause("same", verdict.name, verdict.value)
    return guard.sendable


def rule_must_read(guard: Guard, changed: frozenset[str]) -> bool:
    """Whether the rule must see an item of which these attributes change, its version among them."""
    if isinstance(guard.verdict, TextEquals):
        return guard.verdict.name in changed
    return guard.needs_instance(changed)


def compares_tags(guard: Guard, items: StoredItems) -> bool:
    """Whether the tags of ``If-Match`` must be compared with the item here: not all of them are versions."""
    tags = guard.if_match
    if tags is None or tags.any:
        return False
    return items.about.version is None or not tags.versions()
