"""The conditions of a write to one item, and whether the guard must see that item first."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, SimpleClause
from polymicro_lambda.items import live_conditions, names_read, same_item, stored_item
from polymicro_lambda.rules import (
    Guard,
    Requirement,
    TextEquals,
    attributes_judged_only_after,
    sendable,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.lost_answers import unchanged_conditions
from polymicro_lambda.writes.stored_items import StoredItems

RuleClause: TypeAlias = "ConditionClause | bool"
"""A rule as a condition of a write; False where it holds for nothing, True where there is nothing to check."""


class Pins(NamedTuple):
    """Attributes that must still be as a verb has read them."""

    item: RawItem
    names: frozenset[str] = frozenset()
    """Their names in DynamoDB."""

    def conditions(self) -> list[Condition]:
        """The conditions that the stored item has them so."""
        return unchanged_conditions(self.item, self.names)

    def hold_on(self, item: RawItem) -> bool:
        """Whether a stored item has them so."""
        mine, other = ({n: one[n] for n in self.names if n in one} for one in (self.item, item))
        return same_item(mine, other)


NO_PINS = Pins({})


def pins_of(items: StoredItems, key: RawItem, instance: Model, guard: Guard) -> tuple[Pins, RawItem | None]:
    """What the running verb has read of an instance, and the item as it is known.

    With a version attribute, that the version is as it was read. What the verb itself has written since counts as
    read so.
    """
    read = names_read(instance) if guard.records else frozenset()
    raw, own = stored_item(instance), guard.mark.own_write(items.model, key) if guard.records else None
    attributes = items.model.get_attributes() if read else {}
    names = frozenset(attributes[name].attr_name for name in read if name in attributes) - key.keys()
    if raw is None or not names:
        return NO_PINS, raw if own is None else own.item
    if own is None:
        version = items.about.version
        return Pins(raw, names if version is None else frozenset({version.attr_name})), raw
    now = own.item or (items.fetch(key) if names & own.changed else {})
    mine = {name: now[name] for name in names & own.changed if name in now}
    return Pins({n: one for n, one in raw.items() if n not in own.changed} | mine, names), own.item


def conditions_of_write(
    items: StoredItems, guard: Guard, rule: RuleClause, requirements: Iterable[Requirement]
) -> list[ConditionClause]:
    """The conditions that DynamoDB can check without a read.

    The item is there and of the model's kind, the rule and the requirements hold on it, and ``If-Match`` names its
    version.
    """
    about, tags = items.about, guard.if_match
    conditions: list[ConditionClause] = [items.exists]
    if not about.lasting:
        conditions += live_conditions(items.model)
    if not isinstance(rule, bool):
        conditions.append(rule)
    for requirement in requirements:
        condition = sendable(requirement.condition)
        if condition is not True:
            # There is and there is not such an item: that holds for nothing.
            conditions.append(items.is_missing if condition is False else condition)
    if tags is not None and about.version is not None and tags.versions():
        versions = [Value({"N": number}) for number in tags.versions()]
        conditions.append(Path([about.version.attr_name]).is_in(*versions))
    return conditions


def rule_clause(guard: Guard, changed: frozenset[str]) -> RuleClause:
    """The guard's rule, as far as DynamoDB can check it on the item before these attributes change."""
    verdict = guard.verdict
    if isinstance(verdict, TextEquals):
        return SimpleClause("same", verdict.name, verdict.value)
    if changed and not changed.isdisjoint(attributes_judged_only_after(verdict)):
        return False  # it may hold on the new item alone
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
