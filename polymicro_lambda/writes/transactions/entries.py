"""The entries of a transaction: each is one write, its reservations, and the error where it is refused."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ExpressionTooLarge, get_item, mark_outdated
from polymicro_lambda.exceptions import HTTPError, NotFound
from polymicro_lambda.items import instance_of, stored_item
from polymicro_lambda.rules import (
    Otherwise,
    current_guard,
    error_of,
    forget_judgement,
    item_id,
    mark_judged,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.changes.item_changes import ItemChange, PreparedWrite
from polymicro_lambda.writes.changes.item_conditions import pins_of
from polymicro_lambda.writes.changes.item_writes import judge_here
from polymicro_lambda.writes.changes.terms import Terms
from polymicro_lambda.writes.creations import EXISTS, Creation
from polymicro_lambda.writes.unique.reservations import NO_RESERVATIONS, Reservations

from .related_parts import RelatedPart
from .transact_write import TransactionPart

NO_ITEM = "There is no such item, or it is in a state in which this cannot be done."


class Entry(ABC):
    """One action of a transaction."""

    tells: bool = True
    """Whether its item shows if the write was done."""
    checks: tuple[RelatedPart, ...] = ()
    """The checks of related items beside the write; as the reservations."""
    reservations: Reservations = NO_RESERVATIONS
    """The reservations of unique values beside the write; those of an update are known once it is prepared."""

    @property
    @abstractmethod
    def model(self) -> type[Model]:
        """The model of its item."""

    @property
    @abstractmethod
    def identity(self) -> tuple[str, ...]:
        """What it writes, the same in each try of a request."""

    @abstractmethod
    def pin(self) -> None:
        """Make what the running verb has read of the item a part of the write."""

    @property
    @abstractmethod
    def item_id(self) -> Hashable:
        """The place of its item."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the write, its reservations and its checks; the item is read and judged where that is needed."""

    @abstractmethod
    def part(self, conditions: Sequence[Condition] = ()) -> TransactionPart:
        """The prepared write as DynamoDB takes it, on these conditions too."""

    @abstractmethod
    def refused(self, item: RawItem | None) -> None:
        """Raise the error for an item on which the conditions do not hold, unless it is worth another try."""

    @abstractmethod
    def is_done(self) -> bool:
        """Whether the table shows the write. It reads the item."""

    @abstractmethod
    def note(self) -> None:
        """Note, for the running request, that the write is done."""


class CreationEntry(Entry):
    """A new item."""

    def __init__(self, creation: Creation, otherwise: Otherwise, instance: Model) -> None:
        self.creation = creation
        self.instance = instance
        self.otherwise = otherwise
        self.reservations = Reservations(creation.reservations)
        self.checks = creation.checks

    @property
    def model(self) -> type[Model]:
        """The model of its item."""
        return self.creation.model

    @property
    def identity(self) -> tuple[str, ...]:
        """A new item of the table: its key may be made anew in each try."""
        return ("Put", self.model.Meta.table_name)

    def pin(self) -> None:
        """Nothing: nobody has read a new item."""

    def take(self, raw: RawItem) -> None:
        """Let the verb's instance be the item that an earlier try of the request has made."""
        made = mark_judged(instance_of(self.model, raw))
        self.instance.attribute_values = made.attribute_values
        vars(self.instance).update(vars(made))

    @property
    def item_id(self) -> Hashable:
        """The place of its item."""
        return self.creation.item_id

    def prepare(self) -> None:
        """Nothing: a creation is prepared where it is made."""

    def part(self, conditions: Sequence[Condition] = ()) -> TransactionPart:
        """The put."""
        return self.creation.part(conditions)

    def refused(self, item: RawItem | None) -> None:
        """Raise ``otherwise``, or ``Conflict``: the key is taken."""
        raise error_of(self.otherwise, EXISTS)

    def is_done(self) -> bool:
        """Whether the item stands there as it should be written."""
        return self.creation.is_done()

    def note(self) -> None:
        """Nothing: the instance has what is stored."""


class ChangeEntry(Entry):
    """An update, a delete or a check."""

    def __init__(self, change: ItemChange, otherwise: Otherwise, instance: Model | None = None) -> None:
        self.change = change
        self.instance = instance
        self.otherwise = otherwise
        self.known = change.terms.known
        self._write: PreparedWrite | None = None
        self.tells = change.tells
        self.is_guarded = current_guard().covers(change.items.model)
        """Whether the item is of the route's model, whose rule may hide it."""

    @property
    def model(self) -> type[Model]:
        """The model of its item."""
        return self.change.items.model

    @property
    def identity(self) -> tuple[str, ...]:
        """The operation and the item."""
        return (self.change.operation, *map(repr, item_id(self.model, self.change.key)))

    def pin(self) -> None:
        """What it has read of the instance; also what was read after the write was said."""
        if self.instance is not None:
            change = self.change
            guard = current_guard().of_model(self.model)
            pins, self.known = pins_of(change.items, change.key, self.instance, guard)
            change.terms = Terms(change.terms.requirements, pins, self.known)

    @property
    def item_id(self) -> Hashable:
        """The place of its item."""
        return item_id(self.model, self.change.key)

    def prepare(self) -> None:
        """Make the write; as ``write_alone`` it judges here what is too large for DynamoDB."""
        try:
            write = self.change.prepared(self.known)
        except NotFound as error:
            raise self._missing(error) from error
        self.reservations, self.checks, self._write = write.reservations, write.checks, write
        try:
            self.change.part(write)
        except ExpressionTooLarge as error:
            judge_here(self.change, error)
            self.known = write.old
            self.prepare()

    def part(self, conditions: Sequence[Condition] = ()) -> TransactionPart:
        """The prepared write."""
        assert self._write is not None  # nosec B101 # noqa: S101 - `prepare` comes first
        return self.change.part(self._write, conditions)

    def refused(self, item: RawItem | None) -> None:
        """Raise as the guard does for an item of the route's model; then ``otherwise``, or ``Conflict``."""
        try:
            self.known = self.change.refused(item)
        except NotFound as error:
            raise self._missing(error) from error

    def _missing(self, error: NotFound) -> HTTPError:
        return error if self.is_guarded else error_of(self.otherwise, NO_ITEM)

    def is_done(self) -> bool:
        """Whether the table shows it."""
        try:
            return self.change.is_done(get_item(self.model, self.change.key))
        except HTTPError:
            return False  # what stands there now is not for this user, so it is not of this write

    def note(self) -> None:
        """Note what it has changed; nobody knows the whole item, so that an instance of it is read again if shown."""
        guard, change = self.change.guard, self.change
        if guard.records and change.writes:
            left = None if self.known is None else change.result(self.known)
            item = None if left is None else change.next_version(left)
            guard.mark.note(self.model, change.key, change.changed, item, change.blind)
        if self.instance is not None and change.changed:
            forget_judgement(self.instance)
            mark_outdated(self.instance, stored_item(self.instance) or {}, change.key)
