"""The conditions of a write to one item, and whether the guard must see that item first."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, SimpleClause, partial_read_of, source_of
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import live_conditions, names_read, same_item, serialized, stored_item
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
    read so. Raises ``ConfigurationError`` for an instance that lacks what the verb has read of it.
    """
    raw, own = stored_item(instance), guard.mark.own_write(items.model, key) if guard.records else None
    source = (raw or source_of(instance)) if guard.records else None
    if source is None:
        return NO_PINS, raw if own is None else own.item
    read, attributes = names_read(instance), instance.get_attributes()
    if read is None:  # PynamoDB has read it anew: nobody knows what the verb has looked at
        source, read = _as_it_is(instance), frozenset(attributes)
    names = frozenset(attributes[name].attr_name for name in read if name in attributes) - key.keys()
    _check_is_whole(instance, names)
    if not names:
        return NO_PINS, raw if own is None else own.item
    if own is None:
        return Pins(source, _pinned(items, source, names)), raw
    # What the verb has set itself stands there; what DynamoDB has computed blindly is not what the instance shows.
    mine = names & own.changed - own.blind
    now = own.item or (items.fetch(key) if mine else {})
    expected = {name: one for name, one in source.items() if name not in mine}
    return Pins(expected | {name: now[name] for name in mine if name in now}, names), own.item


def _pinned(items: StoredItems, source: RawItem, names: frozenset[str]) -> frozenset[str]:
    """What is pinned for these attributes: the version, where the item has been read with one."""
    version = items.about.version
    return frozenset({version.attr_name}) if version is not None and version.attr_name in source else names


def _as_it_is(instance: Model) -> RawItem:
    """The values of an instance as DynamoDB stores them."""
    stored = {
        one.attr_name: serialized(one, instance.attribute_values.get(name))
        for name, one in instance.get_attributes().items()
    }
    return {name: value for name, value in stored.items() if value is not None}


def _check_is_whole(instance: Model, names: frozenset[str]) -> None:
    """Raise ``ConfigurationError`` for an instance that was read without these attributes."""
    partial = partial_read_of(instance)
    if partial is None or partial.is_outdated:
        return
    lacking = sorted(names - partial.item.keys())
    if lacking:
        raise ConfigurationError(
            f"A verb has read {', '.join(lacking)} of a {type(instance).__name__} that was read without, by an index or"
            " attributes_to_get, and writes it: a default stood in its place. Read the item by self.store.read first"
        )


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
