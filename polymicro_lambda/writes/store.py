"""The one place that calls PynamoDB's operations: every write is conditional, and under the request's guard."""

from collections.abc import Mapping
from functools import partial, reduce
from operator import or_
from typing import Any, Protocol

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, SimpleClause, get_item, model_info, retry_after
from polymicro_lambda.exceptions import Conflict, InternalError, NotFound
from polymicro_lambda.items import (
    ItemSerializer,
    expired_conditions,
    instance_of,
    is_live,
    live_conditions,
    same_item,
    stored_item,
)
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import Plan, Rows, rows_of
from polymicro_lambda.rules import TextEquals, current_guard, holds
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown
from .creations import Creation
from .item_changes import After, ItemChange
from .lost_answers import resolve_lost_answer, unchanged_conditions
from .reservations import NO_RESERVATIONS, Reservations
from .unique_constraints import UniqueConstraints

UPDATE_ATTEMPTS = 3
"""A write that lost a race is judged and tried again, twice."""


NOTHING: frozenset[str] = frozenset()


def _is_gone(item: RawItem | None) -> bool:
    return item is None


class Store(Protocol):
    """What the verbs need of a store of items."""

    def read(self, key: Mapping[str, Any]) -> Any:
        """The item with this key. Raises ``NotFound``."""

    def create(self, values: Mapping[str, Any]) -> Any:
        """A new item of these values. Raises ``Conflict``, ``Forbidden`` or ``Unprocessable``."""

    def update(self, instance: Any, changes: Mapping[str, Any]) -> Any:
        """The item with these values set, or removed where None. Raises as the rule says, and ``Conflict``."""

    def delete(self, instance: Any) -> None:
        """Remove the item. Raises as the rule says, and ``Conflict``."""

    def rows(self, plan: Plan, *, pagination_key: Any, limit: int) -> Any:
        """The items that a plan gives, from ``pagination_key`` on."""


class PynamoStore:
    """The items of one model in DynamoDB."""

    def __init__(self, model: type[Model], uniqueness: UniqueConstraints | None = None) -> None:
        self.model = model
        self.uniqueness = uniqueness
        self.about = model_info(model)
        self._unique = NOTHING if uniqueness is None else uniqueness.attributes
        self.partition_key = next(iter(self.about.keys.values())).attr_name
        self._is_there = SimpleClause("there", self.partition_key)
        self._is_free = SimpleClause("free", self.partition_key)

    @lazy
    def serializer(self) -> ItemSerializer:
        """What stores values."""
        return ItemSerializer.of(self.model)

    # --- reading ----------------------------------------------------------------------------------

    def read(self, key: Mapping[str, Any]) -> Model:
        """The item with this key, by one consistent read.

        Raises ``NotFound``, also where the rule hides it, and ``Forbidden``.
        """
        return self.seen(self.fetch(self.serializer.key(key)))

    def seen(self, raw: RawItem) -> Model:
        """The instance of a stored item. Raises as ``read``."""
        instance = self.instance(raw)
        current_guard().judge(instance, raw)
        return instance

    def rows(self, plan: Plan, *, pagination_key: Any, limit: int) -> Rows:
        """The items that a plan gives, from ``pagination_key`` on, judged one by one as they are read."""
        return rows_of(self.model, plan, pagination_key=pagination_key, limit=limit)

    def fetch(self, key: RawItem) -> RawItem:
        """The stored item with this key, by one consistent read, unjudged. Raises ``NotFound``."""
        return self._alive(get_item(self.model, key))

    def _alive(self, raw: RawItem | None) -> RawItem:
        if not raw or not is_live(self.model, raw):
            raise NotFound()
        return raw

    def instance(self, raw: RawItem) -> Model:
        """The instance of a stored item, unjudged. Raises ``InternalError`` or ``NotFound`` where it can be none."""
        try:
            return instance_of(self.model, raw)
        except Exception as error:  # a poison row, of which only those may know whom the rule lets
            rule = current_guard().condition
            raise (InternalError() if rule is None or holds(rule, raw) else NotFound()) from error

    # --- writing ----------------------------------------------------------------------------------

    def create(self, values: Mapping[str, Any]) -> Model:
        """A new item of these values, on the condition that its key is free.

        Raises ``Conflict`` where it is not, ``Forbidden`` where the rule does not hold on the new item, and
        ``Unprocessable`` for attributes that are still missing.
        """
        guard = current_guard()
        short = None if guard.is_opaque else self.serializer.quickly(values)
        if short is not None:
            return self.instance(self.put(short))
        instance, raw = self.serializer.new(values)
        guard.judge_new(instance, raw)
        return self.instance(self._made(raw, self.serializer.key_of(instance)))

    def put(self, raw: RawItem) -> RawItem:
        """What ``create`` stores, of an item that ``serializer.quickly`` has made, under a rule that is not opaque."""
        guard = current_guard()
        if not guard.holds(raw):
            guard.judge_new(self.instance(raw), raw)
        return self._made(raw, self.serializer.key_in(raw))

    def _made(self, raw: RawItem, key: RawItem) -> RawItem:
        takes = () if self.uniqueness is None else self._claims(key, None, raw).takes
        creation, journal = Creation(self.model, raw, key, self._free(), takes), current_guard().journal
        return creation.write() if journal is None else journal.create(creation)

    def _free(self) -> ConditionClause:
        """There is no item with the key, or one that has expired."""
        free = self._is_free
        return free if self.about.ttl is None else reduce(or_, expired_conditions(self.model), free.made())

    def update(self, instance: Model, changes: Mapping[str, Any]) -> Model:
        """The item with these values set, or removed where None; all else stays as it is.

        One call, unless the rule must see the item: then it is judged as it is and as it would be, and written
        on the condition that what the rule relied on has not changed. Without changes nothing is written.
        """
        return self.instance(self.change(self.serializer.key_of(instance), changes, stored_item(instance)))

    def change(self, key: RawItem, changes: Mapping[str, Any], known: RawItem | None = None) -> RawItem:
        """What ``update`` leaves of the item with this key; ``known`` is how it stood, if it has been read."""
        # A key said again as it is, is no change.
        raw = {n: v for n, v in self.serializer.changes(changes).items() if n not in key or v != key[n]}
        if not raw:
            return self._kept(key)
        actions = [
            SimpleClause("remove" if value is None else "set", name, value) for name, value in raw.items()
        ]
        if self.about.version is not None:
            actions.append(SimpleClause("add", self.about.version.attr_name, {"N": "1"}))

        def after(old: RawItem) -> RawItem:
            new = {**old, **raw}
            return {name: value for name, value in new.items() if value is not None}

        pinned = frozenset() if self._unique.isdisjoint(raw) else self._unique
        seen = after if pinned or self._must_see(raw) else None
        change = ItemChange("UpdateItem", seen, actions, lambda new: self._is_result(new, after), pinned)
        changed: RawItem = self._change(key, known, change)["Attributes"]
        return changed

    def delete(self, instance: Model) -> None:
        """Remove the item, on the condition that it is there and the rule holds on it."""
        self.remove(self.serializer.key_of(instance), stored_item(instance))

    def remove(self, key: RawItem, known: RawItem | None = None) -> None:
        """The same of a key; ``known`` is how the item stood, if it has been read."""
        after = (lambda old: old) if self._unique or self._must_see({}) else None
        self._change(key, known, ItemChange("DeleteItem", after, (), _is_gone, self._unique))

    def _must_see(self, changed: RawItem | dict[str, dict[str, Any] | None]) -> bool:
        """Whether the rule must see an item of which these attributes change."""
        verdict = current_guard().verdict
        if isinstance(verdict, TextEquals):
            return verdict.name in changed
        return current_guard().must_see(frozenset(changed))

    def _is_result(self, new: RawItem | None, after: After) -> bool:
        """Whether an item is what an update made of it, under a rule that holds on it."""
        new = self._alive(new)
        current_guard().judge(self.instance(new), new)
        return same_item(new, after(new)) and self._follows(new)

    def _follows(self, new: RawItem) -> bool:
        """Whether an item's version comes right after one that the request named."""
        tags = current_guard().if_match
        if tags is None or self.about.version is None:
            return True
        version = new.get(self.about.version.attr_name, {}).get("N", "0")
        return tags.match(f'"{int(version) - 1}"')

    def _kept(self, key: RawItem) -> RawItem:
        """The item as it is, under the same rule and precondition as a write."""
        raw = self.fetch(key)
        current_guard().check_match(self.seen(raw), raw)
        return raw

    def _change(self, key: RawItem, raw: RawItem | None, change: ItemChange) -> dict[str, Any]:
        """Write to an item that must be there, judging it first where the rule must see it."""
        journal = current_guard().journal
        if journal is not None:
            journal.changes(self.model)
        for _ in range(UPDATE_ATTEMPTS):
            conditions, claims = self._ours(), NO_RESERVATIONS
            if change.after is not None or self._compares():
                raw = raw or self.fetch(key)
                claims = self._claims(key, raw, change.left(raw))
                conditions += self._unmoved(raw, change, claims)
            try:
                return self._written(change, conditions, claims, key, raw)
            except ConditionFailed as error:
                if error.retried and change.is_done(error.item):  # by our own first try
                    return {"Attributes": error.item}
                # Gone, hidden by the rule, or changed; else a race was lost, and the error brings the item.
                raw = self._alive(error.item)
                current_guard().judge(self.instance(raw), raw)
                current_guard().check_match(self.instance(raw), raw)
        raise Conflict("Somebody else keeps changing this item: try again.", headers=retry_after())

    def _written(
        self,
        change: ItemChange,
        conditions: list[ConditionClause],
        claims: Reservations,
        key: RawItem,
        raw: RawItem | None,
    ) -> dict[str, Any]:
        """Do it once, or find out what became of it."""
        try:
            return change.write(self.model, conditions, claims, key, raw)
        except OutcomeUnknown as unknown:
            act = partial(change.write, self.model, conditions, claims, key, raw)
            return resolve_lost_answer(unknown, self.model, key, act, change.is_done)

    def _claims(self, key: RawItem, old: RawItem | None, new: RawItem | None) -> Reservations:
        return NO_RESERVATIONS if self.uniqueness is None else Reservations.of(self.uniqueness, key, old, new)

    def _ours(self) -> list[ConditionClause]:
        """The item is there, of our kind, the rule's condition holds on it, and its version is one asked for."""
        guard = current_guard()
        verdict, tags, version = guard.verdict, guard.if_match, self.about.version
        conditions: list[ConditionClause] = [self._is_there]
        if not self.about.lasting:
            conditions += live_conditions(self.model)
        if isinstance(verdict, TextEquals):
            conditions.append(SimpleClause("same", verdict.name, verdict.value))
        elif guard.condition is not None:
            conditions.append(guard.condition)
        if tags is not None and version is not None and tags.versions():
            versions = [Value({"N": number}) for number in tags.versions()]
            conditions.append(Path([version.attr_name]).is_in(*versions))
        return conditions

    def _compares(self) -> bool:
        """Whether the request's tags must be compared with the item here: not all of them are versions."""
        tags = current_guard().if_match
        if tags is None or tags.any:
            return False
        return self.about.version is None or not tags.versions()

    def _unmoved(self, old: RawItem, change: ItemChange, claims: Reservations) -> list[Condition]:
        """What rule, precondition and claims relied on, in the item as it is and would be, is still what was read."""
        guard = current_guard()
        instance = self.instance(old)
        relied = guard.judge(instance, old) | guard.relied | change.pinned
        guard.check_match(instance, old)
        # A transaction does not tell what it made of the item, so that the whole of it must be known.
        if self._compares() or (claims and self.about.version is None):
            relied |= {*old, *(attribute.attr_name for attribute in self.model.get_attributes().values())}
        elif claims and self.about.version is not None:
            relied |= {self.about.version.attr_name}
        new = old if change.after is None else change.after(old)
        if new is not old:
            seen = guard.judge_new(self.instance(new), new) | guard.relied
            relied |= {name for name in seen if old.get(name) == new.get(name)}
        return unchanged_conditions(old, relied)
