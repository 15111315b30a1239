"""`Transaction`: several writes, done together by one TransactWriteItems when a block ends, or not at all."""

from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, NoReturn

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError, Conflict
from polymicro_lambda.rules import (
    CreateInterceptor,
    Otherwise,
    begin_guard,
    check_otherwise,
    current_guard,
    end_guard,
    error_of,
    item_id,
    requirement,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.changes.item_changes import ItemChange, Terms
from polymicro_lambda.writes.changes.item_conditions import pins_of
from polymicro_lambda.writes.changes.item_writes import ItemCheck, ItemDeletion, ItemUpdate
from polymicro_lambda.writes.writable_items import Stores, WritableItems

from .entries import NO_ITEM, ChangeEntry, CreationEntry, Entry, write_entries
from .keys import Key


class Transaction:
    """A context manager: the writes that are said inside are done together where the block ends without an error.

    Items of the route's model stand under the guard of the request; those of other models are the developer's. Each
    write names an item by an instance or by a ``Key``; what a verb has read of an instance is part of its write. Where
    a write is refused, its ``otherwise`` is raised at the end of the block, else ``Conflict``, and nothing is written;
    so it is where the block raises an error.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._entries: list[Entry] = []
        self._named: set[Any] = set()
        self._is_open = False
        self._is_done_already = False

    def __enter__(self) -> "Transaction":
        guard = current_guard()
        self._interceptor = guard.interceptor
        if self._interceptor is not None:
            self._is_done_already = self._interceptor.begin_transaction()
        self._token = begin_guard(replace(guard, interceptor=_Inside()))
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_guard(self._token)
        self._is_open = False
        if kind is None and self._entries and not self._is_done_already:
            self._commit()

    # --- the writes ---------------------------------------------------------------------------------------------

    def create(self, model: type[Model], values: Mapping[str, Any], *, otherwise: Otherwise = None) -> Any:
        """A new item of a model, which is there when the block has ended; ``otherwise`` is for a key that is taken.

        Raises ``Forbidden`` where the rule does not hold on it, ``Unprocessable`` for attributes that are missing.
        """
        self._check_open()
        check_otherwise(otherwise, "create")
        store = self._stores.of(model)
        if self._is_done_already and self._interceptor is not None:
            return store.written(self._interceptor.created_before(model))
        creation = store.creation(values)
        self._name(model, creation.key)
        self._entries.append(CreationEntry(creation, otherwise))
        return store.written(creation.raw)

    def update(
        self,
        target: Model | Key,
        changes: Mapping[str, Any],
        *,
        condition: Any = None,
        otherwise: Otherwise = None,
    ) -> None:
        """Set these values of an item that must be there, or remove where None; see ``store.update``."""
        store, key, terms = self._target(target, condition, otherwise)
        values, atomic = store.split(key, changes, terms.known)
        if values or atomic:
            self._add(ItemUpdate(store, key, values, atomic, terms), otherwise, target)
        else:
            self._add(ItemCheck(store, key, terms), otherwise)

    def delete(self, target: Model | Key, *, condition: Any = None, otherwise: Otherwise = None) -> None:
        """Remove an item that must be there."""
        store, key, terms = self._target(target, condition, otherwise)
        self._add(ItemDeletion(store, key, terms), otherwise)

    def check(self, target: Model | Key, condition: Any, *, otherwise: Otherwise = None) -> None:
        """Write nothing: the transaction is done only where the condition holds on the item."""
        store, key, terms = self._target(target, condition, otherwise, is_check=True)
        self._add(ItemCheck(store, key, terms), otherwise)

    # --- how they are gathered ----------------------------------------------------------------------------------

    def _target(
        self, target: Any, condition: Any, otherwise: Any, *, is_check: bool = False
    ) -> tuple[WritableItems, RawItem, Terms]:
        """The store of an item, its key, and what is said of its write. Raises ``ConfigurationError``."""
        self._check_open()
        check_otherwise(otherwise, "otherwise")
        if not isinstance(target, Model | Key):
            raise ConfigurationError(f"A transaction writes an instance or a Key(Model, …), not {target!r}")
        model = target.model if isinstance(target, Key) else type(target)
        store = self._stores.of(model)
        stated = () if condition is None and not is_check else (requirement(model, condition, otherwise),)
        key = target.stored() if isinstance(target, Key) else store.serializer.key_of(target)
        if key is None:
            raise error_of(otherwise, NO_ITEM)
        self._name(model, key)
        if isinstance(target, Key):
            return store, key, Terms(stated)
        return store, key, Terms(stated, *pins_of(store, key, target, current_guard().of_model(store.model)))

    def _add(self, change: ItemChange, otherwise: Otherwise, target: Model | Key | None = None) -> None:
        instance = target if isinstance(target, Model) else None
        self._entries.append(ChangeEntry(change, otherwise, instance))

    def _check_open(self) -> None:
        if not self._is_open:
            raise ConfigurationError(
                "This transaction is over: say its writes inside of `with self.store.transaction() as write:`"
            )

    def _name(self, model: type[Model], key: RawItem) -> None:
        """Raise ``Conflict`` for an item that the transaction writes already: DynamoDB takes one action an item."""
        name = item_id(model, key)
        if name in self._named:
            raise Conflict("This would write one item twice at once: a transaction takes one action an item.")
        self._named.add(name)

    def _commit(self) -> None:
        creations = [entry.creation for entry in self._entries if isinstance(entry, CreationEntry)]
        if self._interceptor is None:
            write_entries(self._entries)
        else:
            self._interceptor.transact(creations, lambda record: write_entries(self._entries, record))
        current_guard().mark.has_written = True
        for entry in self._entries:
            entry.note()


class _Inside(CreateInterceptor):
    """Refuses writes that are said past the transaction whose block is open: they would not be part of it."""

    def create(self, creation: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self._refuse("create")

    def changes(self, model: type[Model]) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self._refuse("update or write.delete")

    def begin_transaction(self) -> NoReturn:
        """Raise ``ConfigurationError``."""
        raise ConfigurationError("A transaction inside of a transaction: say all writes in one")

    def created_before(self, model: type[Model]) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self._refuse("create")

    def transact(self, creations: Any, write: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self.begin_transaction()

    def shows(self, instance: Model) -> None:
        """Nothing."""

    def _refuse(self, verb: str) -> NoReturn:
        raise ConfigurationError(
            f"This write would not be part of the transaction around it: say write.{verb} of `with … as write:`"
        )
