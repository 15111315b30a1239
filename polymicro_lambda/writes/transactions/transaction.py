"""`Transaction`: several writes, done together by one TransactWriteItems when a block ends, or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, NoReturn

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError, Conflict
from polymicro_lambda.items import same_item
from polymicro_lambda.rules import (
    CreateInterceptor,
    Guard,
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
from polymicro_lambda.writes.changes.item_changes import ItemChange
from polymicro_lambda.writes.changes.item_deletions import deletion_of
from polymicro_lambda.writes.changes.item_writes import ItemCheck, ItemUpdate
from polymicro_lambda.writes.changes.terms import Terms
from polymicro_lambda.writes.writable_items import Stores, WritableItems

from .commit import write_entries
from .entries import NO_ITEM, ChangeEntry, CreationEntry, Entry
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

    def __enter__(self) -> "Transaction":
        guard = current_guard()
        self._interceptor = guard.interceptor
        if self._interceptor is not None:
            self._interceptor.begin_transaction()
        self._token = begin_guard(replace(guard, interceptor=_Inside(self._interceptor)))
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_guard(self._token)
        self._is_open = False
        if kind is None and self._entries:
            self._commit()

    # --- the writes ---------------------------------------------------------------------------------------------

    def create(self, model: type[Model], values: Mapping[str, Any], *, otherwise: Otherwise = None) -> Any:
        """A new item of a model, which is there when the block has ended; ``otherwise`` is for a key that is taken.

        Raises ``Forbidden`` where the rule does not hold on it, ``Unprocessable`` for attributes that are missing.
        """
        self._check_open()
        check_otherwise(otherwise, "create")
        if not (isinstance(model, type) and issubclass(model, Model) and isinstance(values, Mapping)):
            raise ConfigurationError(
                "A transaction creates by a model and values: write.create(Payment, {…})"
            )
        store = self._stores.of(model)
        creation = store.creation(values)
        self._name(model, creation.key)
        instance = store.written(creation.raw)
        self._entries.append(CreationEntry(creation, otherwise, instance))
        return instance

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
            self._add(ItemCheck(store, key, terms), otherwise, target)

    def delete(self, target: Model | Key, *, condition: Any = None, otherwise: Otherwise = None) -> None:
        """Remove an item that must be there."""
        store, key, terms = self._target(target, condition, otherwise)
        self._add(deletion_of(store, key, terms), otherwise, target)

    def check(self, target: Model | Key, condition: Any, *, otherwise: Otherwise = None) -> None:
        """Write nothing: the transaction is done only where the condition holds on the item."""
        store, key, terms = self._target(target, condition, otherwise, is_check=True)
        self._add(ItemCheck(store, key, terms), otherwise, target)

    # --- how they are gathered ----------------------------------------------------------------------------------

    def _target(
        self, target: Any, condition: Any, otherwise: Any, *, is_check: bool = False
    ) -> tuple[WritableItems, RawItem, Terms]:
        """The store of an item, its key, and what is said of its write. Raises ``ConfigurationError``."""
        self._check_open()
        check_otherwise(otherwise, "otherwise")
        if not isinstance(target, Model | Key):
            raise ConfigurationError(
                f"A transaction writes an instance or a Key(Model, …), not a {type(target).__name__}"
            )
        model = target.model if isinstance(target, Key) else type(target)
        store = self._stores.of(model)
        stated = () if condition is None and not is_check else (requirement(model, condition, otherwise),)
        key = target.stored() if isinstance(target, Key) else store.serializer.key_of(target)
        if key is None:
            raise error_of(otherwise, NO_ITEM)
        self._name(model, key)
        return store, key, Terms(stated)

    def _add(self, change: ItemChange, otherwise: Otherwise, target: Model | Key) -> None:
        instance = target if isinstance(target, Model) else _instance_of_path(change.guard, change.key)
        self._entries.append(ChangeEntry(change, otherwise, instance))

    def _check_open(self) -> None:
        if not self._is_open:
            raise ConfigurationError(
                "This transaction is not open: say its writes inside of `with self.store.transaction() as write:`"
            )

    def _name(self, model: type[Model], key: RawItem) -> None:
        """Raise ``Conflict`` for an item that the transaction writes already: DynamoDB takes one action an item."""
        name = item_id(model, key)
        if name in self._named:
            raise Conflict("This would write one item twice at once: a transaction takes one action an item.")
        self._named.add(name)

    def _commit(self) -> None:
        creations = [entry.creation for entry in self._entries if isinstance(entry, CreationEntry)]
        for entry in self._entries:
            entry.pin()  # what the verb has read up to now
        if self._interceptor is None:
            write_entries(self._entries)
        elif (made := self._interceptor.done_before(self._digest, creations)) is not None:
            for entry, raw in zip(
                [one for one in self._entries if isinstance(one, CreationEntry)], made, strict=True
            ):
                entry.take(raw)
        else:
            self._interceptor.transact(
                self._digest, creations, lambda record: write_entries(self._entries, record)
            )
        current_guard().mark.has_written = True
        for entry in self._entries:
            entry.note()

    @property
    def _digest(self) -> str:
        """What the transaction writes, as a text that is the same in the next try: not the keys of new items."""
        said = [entry.identity for entry in self._entries]
        return hashlib.sha256(repr(said).encode(errors="replace")).hexdigest()[:16]


def _instance_of_path(guard: Guard, key: RawItem) -> Model | None:
    """The instance that the verb got, where this is its key."""
    known = guard.path_key is not None and same_item(guard.path_key, key)
    return guard.mark.of_path if known else None


class _Inside(CreateInterceptor):
    """Refuses writes that are said past the transaction whose block is open: they would not be part of it."""

    def create(self, creation: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self._refuse("create")

    def changes(self, model: type[Model]) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self._refuse("update or write.delete")

    def __init__(self, outer: CreateInterceptor | None) -> None:
        self._outer = outer

    @property
    def resumes(self) -> bool:
        """As the request itself."""
        return self._outer is not None and self._outer.resumes

    def begin_transaction(self) -> NoReturn:
        """Raise ``ConfigurationError``."""
        raise ConfigurationError("A transaction inside of a transaction: say all writes in one")

    def done_before(self, digest: str, creations: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self.begin_transaction()

    def transact(self, digest: str, creations: Any, write: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self.begin_transaction()

    def shows(self, instance: Model) -> None:
        """Nothing."""

    def _refuse(self, verb: str) -> NoReturn:
        raise ConfigurationError(
            f"This write would not be part of the transaction around it: say write.{verb} of `with … as write:`"
        )
