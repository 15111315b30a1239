"""The store behind the five verbs: it reads, creates, updates and deletes items, each write on conditions.

Every call is under the guard of the request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import Plan
from polymicro_lambda.rules import Otherwise, current_guard, guard_for, guarded, requirement
from polymicro_lambda.types import RawItem

from .changes.computed_changes import ComputedChange
from .changes.item_conditions import pins_of
from .changes.item_deletions import deletion_of
from .changes.item_updates import ItemUpdate
from .changes.item_writes import write_alone
from .changes.terms import NO_TERMS, Terms
from .creations import Creation
from .transactions.transaction import Transaction
from .writable_items import Stores, WritableItems


class Store(Protocol):
    """What the verbs need of a store of items."""

    def read(self, key: Mapping[str, Any]) -> Any:
        """The item with this key, or these unique values. Raises ``NotFound``."""

    def create(self, values: Mapping[str, Any]) -> Any:
        """A new item of these values. Raises ``Conflict``, ``Forbidden`` or ``Unprocessable``."""

    def update(
        self, instance: Any, changes: Mapping[str, Any], *, condition: Any = None, otherwise: Any = None
    ) -> Any:
        """The item with these values set, or removed where None. Raises as the rule says, and ``Conflict``.

        And ``ConfigurationError`` for an attribute that the model does not have, or another key or version.
        """

    def delete(self, instance: Any, *, condition: Any = None, otherwise: Any = None) -> None:
        """Remove the item. Raises as the rule says, and ``Conflict``."""

    def restore(self, instance: Any, *, condition: Any = None, otherwise: Any = None) -> Any:
        """The item, which was deleted softly. Raises as ``update``."""

    def rows(self, plan: Plan, *, pagination_key: Any, limit: int) -> Any:
        """The items that a plan gives, from ``pagination_key`` on."""

    def transaction(self) -> Any:
        """Several writes, done together where the ``with`` block ends without an error, or not at all."""


class PynamoStore(WritableItems):
    """The items of one model in DynamoDB. ``StoredItems`` has the methods that read."""

    stores: Stores | None = None
    """Those of the app; set when it compiles."""

    def transaction(self) -> Transaction:
        """Several writes, done together by one call where the ``with`` block ends without an error, or not at all."""
        return Transaction((self.stores or Stores({})).led_by(self))

    # --- creating ---------------------------------------------------------------------------------

    def create(self, values: Mapping[str, Any]) -> Model:
        """A new item of these values, on the condition that its key is free.

        Raises ``Conflict`` where it is not, ``Forbidden`` where the rule does not hold on the new item, and
        ``Unprocessable`` for attributes that are still missing.
        """
        return self.written(self.put(values))

    def put(self, values: Mapping[str, Any]) -> RawItem:
        """The same, as a stored item."""
        guard, values = current_guard().of_new(self.model), self.finishing.of_new(self.model, values)
        raw = None if guard.is_opaque else self.serializer.raw_of_new(values)
        if raw is None:
            return self._create(self.creation_by(values))
        if not guard.holds(raw):
            guard.judge_new(self.instance(raw), raw)
        return self._create(self.creation_of(raw, self.serializer.key_in(raw)))

    def _create(self, creation: Creation) -> RawItem:
        guard = current_guard()
        item = creation.write() if guard.interceptor is None else guard.interceptor.create(creation)
        guard.mark.has_written = True
        return item

    # --- changing ---------------------------------------------------------------------------------

    def update(
        self,
        instance: Model,
        changes: Mapping[str, Any],
        *,
        condition: Any = None,
        otherwise: Otherwise = None,
    ) -> Model:
        """The item with these values set, or removed where None; all else stays as it is.

        A value may be PynamoDB's expression, such as ``Product.stock - 1``: DynamoDB computes it. ``condition`` is
        part of the write; where it does not hold, ``otherwise`` is raised: an error, or the text of a ``Conflict``. So
        is all that the verb has read of the instance: where that has changed, the write is a ``Conflict``.

        One call, unless the rule must see the item: then the rule judges it as it is and as it would be, and the
        write's condition is that nothing has changed on which the rule relied. Without changes nothing is written.
        """
        self._check_item(instance)
        changes = self.finishing.of_update(changes, instance)
        return self._updated(instance, changes, condition, otherwise)

    def _updated(
        self, instance: Model, changes: Mapping[str, Any], condition: Any, otherwise: Otherwise
    ) -> Model:
        key = self.serializer.key_of(instance)
        terms = self._terms(key, instance, condition, otherwise)
        return self.written(self._change(key, *self.split(key, changes, terms.known), terms))

    def change(self, key: RawItem, changes: Mapping[str, Any]) -> RawItem:
        """The same by the item's key, as a stored item; no value is an expression, and none is cleaned."""
        changes = self.finishing.touched(changes) if changes else changes
        if self.about.has_maps:
            return self._change(key, *self.split(key, changes, None), NO_TERMS)
        return self._change(key, self.stored_changes(key, changes, {}), (), NO_TERMS)

    def _change(
        self, key: RawItem, values: Mapping[str, Any], computed: Sequence[ComputedChange], terms: Terms
    ) -> RawItem:
        if not values and not computed:
            return self._unchanged(key, terms)
        change = ItemUpdate(self, key, values, computed, terms)
        updated: RawItem = write_alone(change)["Attributes"]
        if change.guard.records:
            change.guard.mark.note(self.model, key, change.changed, updated, change.blind)
        return updated

    def _unchanged(self, key: RawItem, terms: Terms) -> RawItem:
        """The item as it is, under the same rule and preconditions as a write."""
        raw = self.fetch(key)
        guard = self.guard().of_item(self.model, key)
        guard.check_address(raw)
        guard.check_match(self.judged(raw), raw)
        for stated in (*guard.stated, *terms.requirements):
            stated.check(raw)
        return raw

    def delete(self, instance: Model, *, condition: Any = None, otherwise: Otherwise = None) -> None:
        """Remove the item, on the condition that it is there and the rule holds on it.

        With ``soft_delete`` the item stays, and notes that it is deleted. ``condition`` and ``otherwise`` are as those
        of ``update``.
        """
        self._check_item(instance)
        key = self.serializer.key_of(instance)
        self.remove(key, self._terms(key, instance, condition, otherwise))

    def remove(self, key: RawItem, terms: Terms = NO_TERMS) -> None:
        """The same by the item's key."""
        change = deletion_of(self, key, terms)
        write_alone(change)
        if change.guard.records:
            change.guard.mark.note(self.model, key, frozenset(), None)

    def restore(self, instance: Model, *, condition: Any = None, otherwise: Otherwise = None) -> Model:
        """The item, which is deleted no more. Raises as ``update``, and ``ConfigurationError`` without ``soft_delete``.

        The rule of the running verb is asked: in an action that of the action.
        """
        deletion = self.deletion
        if deletion is None:
            raise ConfigurationError(f"The store of {self.model.__name__} restores nothing: say soft_delete")
        self._check_item(instance)
        guard = guard_for(self.model)
        verdict = deletion.of_all_items(guard.verdict)
        with guarded(replace(guard, verdict=verdict, deletion=deletion)):
            return self._updated(instance, {deletion.name: None}, condition, otherwise)

    def _terms(self, key: RawItem, instance: Model, condition: Any, otherwise: Any) -> Terms:
        """What a verb says of a write to an item that it has. Raises ``ConfigurationError``."""
        stated = () if condition is None else (requirement(self.model, condition, otherwise),)
        return Terms(stated, *pins_of(self, key, instance, current_guard().of_model(self.model)))

    def _check_item(self, instance: Any) -> None:
        """Raise ``ConfigurationError`` for what is no instance of the store's table."""
        if not isinstance(instance, Model):
            raise ConfigurationError(
                f"The store of {self.model.__name__} writes an instance, not a {type(instance).__name__}: a Key is for"
                " transactions, and self.store.read gives an instance"
            )
        if type(instance).Meta.table_name != self.model.Meta.table_name:
            raise ConfigurationError(
                f"The store of {self.model.__name__} was given a {type(instance).__name__}, whose table is another one"
            )
