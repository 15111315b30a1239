"""A POST of a list: its items are gathered while their verbs run, then written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NoReturn, Protocol

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.rules import CreateInterceptor
from polymicro_lambda.types import RawItem

from .creations import Creation, create_all
from .transactions.transact_write import MOST_WRITES
from .unique.unique_constraints import UniqueConstraints


class IdempotentCreates(CreateInterceptor, Protocol):
    """Keeps a repeated request from creating its items twice."""

    def earlier_item(self, model: type[Model], place: str) -> RawItem | None:
        """The next item that an earlier try created of this place of the body, None where there is none."""

    def create_all(self, creations: Sequence[Creation]) -> None:
        """Write the items, and in the same transaction the record that they are written."""


@dataclass(slots=True)
class BulkCreation:
    """Takes part in the creates of a list: all of its items are written, or none."""

    resource: str
    request: IdempotentCreates | None = None
    """The request, where it has an ``Idempotency-Key``."""
    place: str = ""
    """Where the item that is created now is in the body, e.g. ``/3``."""
    creations: list[Creation] = field(default_factory=list)

    def create(self, creation: Creation) -> RawItem:
        """The item as it will be written, or as an earlier try of the request wrote it."""
        earlier = None if self.request is None else self.request.earlier_item(creation.model, self.place)
        if earlier is not None:
            return earlier
        reservations = tuple(replace(one, place=self.place) for one in creation.reservations)
        self.creations.append(replace(creation, place=self.place, reservations=reservations))
        return creation.raw

    def changes(self, model: type[Model]) -> None:
        """Raise ``ConfigurationError``: a change could not be taken back with the rest."""
        raise ConfigurationError(
            f"{self.resource}.create changes or deletes an item of {model.__name__}, which cannot be part of a list"
            " that is created as a whole: say max_bulk = 0, or do that in an action"
        )

    def shows(self, instance: Model) -> None:
        """The answer will show this item."""
        if self.request is not None:
            self.request.shows(instance)

    resumes: ClassVar[bool] = False

    def begin_transaction(self) -> NoReturn:
        """Raise ``ConfigurationError``: a transaction of its own could not be taken back with the rest."""
        raise ConfigurationError(
            f"{self.resource}.create has a transaction, which cannot be part of a list that is created as a whole:"
            " say max_bulk = 0, or do that in an action"
        )

    def done_before(self, digest: str, creations: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self.begin_transaction()

    def transact(self, digest: str, creations: Any, write: Any) -> NoReturn:
        """Raise ``ConfigurationError``."""
        self.begin_transaction()

    def commit(self) -> None:
        """Write all of them. Raises as ``create_all``; its errors name the places of the items in the body."""
        if self.creations and self.request is not None:
            self.request.create_all(self.creations)
        elif self.creations:
            create_all(self.creations)


def check_bulk(
    resource: str, most: Any, *, creates: bool, idempotent: bool, uniqueness: UniqueConstraints | None
) -> None:
    """Raise ``ConfigurationError`` for a ``max_bulk`` whose items do not fit into one transaction.

    ``idempotent`` says that a request may have an Idempotency-Key, whose record takes part in the transaction.
    """
    if type(most) is not int or most < 0:
        raise ConfigurationError(
            f"{resource}.max_bulk must be a number of items, 0 for no lists, not {most!r}"
        )
    if most and not creates:
        raise ConfigurationError(f"{resource}.max_bulk is for create, and {resource} has none: mix in Create")
    each = 1 + (len(uniqueness.constraints) if uniqueness is not None else 0)
    fitting = (MOST_WRITES - idempotent) // each
    if most > fitting:
        raise ConfigurationError(
            f"{resource}.max_bulk: one transaction has {MOST_WRITES} writes at most, and each item takes {each}"
            f"{', the Idempotency-Key one' if idempotent else ''}: say at most {fitting}"
        )
