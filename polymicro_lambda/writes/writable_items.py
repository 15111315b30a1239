"""The items of one model as they will be written: new items, and changes; and the stores of all models of an app."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import ConditionClause, is_outside_of_prefix
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import expired_conditions, same_item
from polymicro_lambda.rules import (
    State,
    current_guard,
    early_pins,
    holds,
    pins_of_verdict,
    refused_by_related,
    related_checks,
)
from polymicro_lambda.types import RawItem

from .changes.computed_changes import ComputedChange, computed_change
from .creations import Creation
from .stored_items import StoredItems
from .transactions.related_parts import related_parts
from .unique.reservations import Reservations
from .written_values import AS_GIVEN


class WritableItems(StoredItems):
    """The items of one model. ``StoredItems`` has the methods that read."""

    finishing = AS_GIVEN
    """What makes the values that are written out of those of a create or update."""

    def creation(self, values: Mapping[str, Any]) -> Creation:
        """A new item of these values, on the condition that its key is free; it is not written yet.

        Raises ``Forbidden`` where the rule does not hold on the new item, and ``Unprocessable`` for attributes that are
        still missing.
        """
        return self.creation_by(self.finishing.of_new(self.model, values))

    def creation_by(self, values: Mapping[str, Any]) -> Creation:
        """The same of values that stand as they are to be written."""
        instance, raw = self.serializer.new(values)
        current_guard().of_new(self.model).judge_new(instance, raw)
        return self.creation_of(raw, self.serializer.key_of(instance))

    def creation_of(self, raw: RawItem, key: RawItem) -> Creation:
        """The same of an item that is judged already."""
        self.serializer.check_keys(raw)
        self.addresses.check(self.model, raw)
        unique = self.uniqueness
        reservations = () if unique is None else Reservations.of(unique, key, None, raw).takes
        guard = current_guard().of_new(self.model, raw)
        guard.check_related(unpinned=True)
        pins = early_pins(guard.related)
        if related_checks(guard.verdict):
            pins += pins_of_verdict(guard.verdict, None, State(self.instance(raw), raw))
        own, checks = related_parts(pins, self.model, key) if pins else ([], ())
        if not all(
            holds(one, {}) for one in own
        ):  # the user would have to be let in by the very item that is to be made
            raise refused_by_related()
        return Creation(self.model, raw, key, self._key_is_free(), reservations, checks)

    def _key_is_free(self) -> ConditionClause:
        """There is no item with the key, or one that has expired."""
        if self.about.ttl is None:
            return self.is_missing
        free: ConditionClause = reduce(or_, expired_conditions(self.model), self.is_missing.to_pynamodb())
        return free

    def split(
        self, key: RawItem, changes: Mapping[str, Any], known: RawItem | None
    ) -> tuple[dict[str, Any], list[ComputedChange]]:
        """Changes of an item as the values to store, by DynamoDB's names, None to remove; and those that rest on it.

        ``known`` is the item as it was read, if it was. Raises as ``stored_changes``, and ``ConfigurationError`` for an
        expression that its attribute cannot take.
        """
        computed = {
            n: one
            for n, value in changes.items()
            if (one := computed_change(self.model, n, value)) is not None
        }
        plain = {n: value for n, value in changes.items() if n not in computed} if computed else changes
        return self.stored_changes(key, plain, known or {}), [*computed.values()]

    def stored_changes(self, key: RawItem, changes: Mapping[str, Any], known: RawItem) -> dict[str, Any]:
        """Changes without expressions as the values to store; key and version may be said again as they are.

        Raises ``Unprocessable``, and ``ConfigurationError`` for an unknown attribute or another version.
        """
        version, values = self.about.version, self.serializer.changes(changes)
        of_key = self.about.known_of(key) if self.about.has_composed_key else key
        fixed = {**of_key} if version is None else {version.attr_name: known.get(version.attr_name), **of_key}
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
        for part in [name for name in values if name in of_key and name not in key]:
            raise self.serializer.fixed(part, "of the key, which no update changes")
        self.serializer.check_keys({n: v for n, v in values.items() if n not in key})
        return values


class Stores:
    """The stores of an app's resources, and those of other models that its code writes."""

    def __init__(self, known: Mapping[type[Model], WritableItems]) -> None:
        self._known = dict(known)

    def led_by(self, store: WritableItems) -> "Stores":
        """The same, with this store for its model: of several resources each writes as it declares."""
        return Stores({**self._known, store.model: store})

    def of(self, model: type[Model]) -> WritableItems:
        """The store of a model.

        Raises ``ConfigurationError`` for a model that the app does not know, where tables have a ``table_prefix``.
        """
        if model not in self._known:
            base = next((one for one in model.__mro__ if one in self._known), None)
            if base is None and is_outside_of_prefix(model, self._known):
                raise ConfigurationError(
                    f"{model.__name__} is none of this app's models, so that its table has no table_prefix: name it in"
                    f" calls of the resource, such as calls = {{{model.__name__}: 'PutItem'}}"
                )
            known = None if base is None else self._known[base]
            uniqueness, deletion = (None, None) if known is None else (known.uniqueness, known.deletion)
            store = self._known[model] = WritableItems(model, uniqueness, deletion)
            if known is not None:
                store.finishing, store.find_addresses = known.finishing, known.find_addresses
        return self._known[model]
