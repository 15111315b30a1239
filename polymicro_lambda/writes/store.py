"""The store behind the five verbs: it reads, creates, updates and deletes items, each write on conditions.

Every call is under the guard of the request.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Protocol

from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause
from polymicro_lambda.items import expired_conditions, same_item, stored_item
from polymicro_lambda.lists import Plan
from polymicro_lambda.rules import current_guard, guard_for
from polymicro_lambda.types import RawItem

from .creations import Creation
from .item_changes import ItemDeletion, ItemUpdate
from .reservations import Reservations
from .stored_items import StoredItems


class Store(Protocol):
    """What the verbs need of a store of items."""

    def read(self, key: Mapping[str, Any]) -> Any:
        """The item with this key. Raises ``NotFound``."""

    def create(self, values: Mapping[str, Any]) -> Any:
        """A new item of these values. Raises ``Conflict``, ``Forbidden`` or ``Unprocessable``."""

    def update(self, instance: Any, changes: Mapping[str, Any]) -> Any:
        """The item with these values set, or removed where None. Raises as the rule says, and ``Conflict``.

        And ``ConfigurationError`` for an attribute that the model does not have, or another key or version.
        """

    def delete(self, instance: Any) -> None:
        """Remove the item. Raises as the rule says, and ``Conflict``."""

    def rows(self, plan: Plan, *, pagination_key: Any, limit: int) -> Any:
        """The items that a plan gives, from ``pagination_key`` on."""


class PynamoStore(StoredItems):
    """The items of one model in DynamoDB. ``StoredItems`` has the methods that read."""

    # --- creating ---------------------------------------------------------------------------------

    def create(self, values: Mapping[str, Any]) -> Model:
        """A new item of these values, on the condition that its key is free.

        Raises ``Conflict`` where it is not, ``Forbidden`` where the rule does not hold on the new item, and
        ``Unprocessable`` for attributes that are still missing.
        """
        guard = guard_for(self.model)
        quick = None if guard.is_opaque else self.serializer.raw_of_new(values)
        if quick is not None:
            return self.written(self.put(quick))
        instance, raw = self.serializer.new(values)
        guard.judge_new(instance, raw)
        return self.written(self._create(raw, self.serializer.key_of(instance)))

    def put(self, raw: RawItem) -> RawItem:
        """The same of an item that ``serializer.raw_of_new`` has made, under a rule that is not opaque."""
        guard = guard_for(self.model)
        if not guard.holds(raw):
            guard.judge_new(self.instance(raw), raw)
        return self._create(raw, self.serializer.key_in(raw))

    def _create(self, raw: RawItem, key: RawItem) -> RawItem:
        self.serializer.check_keys(raw)
        unique = self.uniqueness
        reservations = () if unique is None else Reservations.of(unique, key, None, raw).takes
        creation = Creation(self.model, raw, key, self._key_is_free(), reservations)
        interceptor = current_guard().interceptor
        return creation.write() if interceptor is None else interceptor.create(creation)

    def _key_is_free(self) -> ConditionClause:
        """There is no item with the key, or one that has expired."""
        if self.about.ttl is None:
            return self.is_missing
        free: ConditionClause = reduce(or_, expired_conditions(self.model), self.is_missing.to_pynamodb())
        return free

    # --- changing ---------------------------------------------------------------------------------

    def update(self, instance: Model, changes: Mapping[str, Any]) -> Model:
        """The item with these values set, or removed where None; all else stays as it is.

        One call, unless the rule must see the item: then the rule judges it as it is and as it would be, and the
        write's condition is that nothing has changed on which the rule relied. Without changes nothing is written.
        """
        return self.written(self.change(self.serializer.key_of(instance), changes, stored_item(instance)))

    def change(self, key: RawItem, changes: Mapping[str, Any], known: RawItem | None = None) -> RawItem:
        """The same by the item's key, as a stored item; ``known`` is the item as it was read, if it was."""
        values = self._changed(key, changes, known or {})
        if not values:
            return self._unchanged(key)
        updated: RawItem = ItemUpdate(self, key, values).write(known)["Attributes"]
        return updated

    def _changed(self, key: RawItem, changes: Mapping[str, Any], known: RawItem) -> dict[str, Any]:
        """What is set or removed by DynamoDB's names; the key and the version may be said again as they are.

        Raises ``Unprocessable``, and ``ConfigurationError`` for an unknown attribute or another version.
        """
        version, values = self.about.version, self.serializer.changes(changes)
        fixed = {**key} if version is None else {version.attr_name: known.get(version.attr_name), **key}
        if fixed.keys().isdisjoint(values):
            self.serializer.check_keys(values)
            return values
        values = {
            name: value
            for name, value in values.items()
            if name not in fixed or not same_item({name: value or {}}, {name: fixed[name] or {}})
        }
        if version is not None and version.attr_name in values:
            raise self.serializer.fixed(version.attr_name, "its version, which every write counts up")
        self.serializer.check_keys({n: v for n, v in values.items() if n not in key})
        return values

    def _unchanged(self, key: RawItem) -> RawItem:
        """The item as it is, under the same rule and precondition as a write."""
        raw = self.fetch(key)
        current_guard().of_item(self.model, key).check_match(self.judged(raw), raw)
        return raw

    def delete(self, instance: Model) -> None:
        """Remove the item, on the condition that it is there and the rule holds on it."""
        self.remove(self.serializer.key_of(instance), stored_item(instance))

    def remove(self, key: RawItem, known: RawItem | None = None) -> None:
        """The same by the item's key; ``known`` is the item as it was read, if it was."""
        ItemDeletion(self, key).write(known)
