"""Items that are created together: gathered while their verbs run, then written in one transaction."""

from dataclasses import dataclass, field, replace
from typing import Any

from pynamodb.models import Model

from .creations import Creation, commit
from .exceptions import ConfigurationError
from .journals import Journal
from .transactions import MOST
from .types import RawItem
from .uniqueness import Uniqueness


@dataclass(slots=True)
class Batch:
    """What takes the journal's place while the items of a list are created, all of them or none."""

    resource: str
    journal: Journal | None = None
    place: str = ""
    """Where the item that is created now is in the body, e.g. ``/3``."""
    creations: list[Creation] = field(default_factory=list)

    def create(self, creation: Creation) -> RawItem:
        """The item as it will be written, or as an earlier try of the request has."""
        made = None if self.journal is None else self.journal.earlier(creation.model, self.place)
        if made is not None:
            return made
        takes = tuple(replace(claim, place=self.place) for claim in creation.takes)
        self.creations.append(replace(creation, place=self.place, takes=takes))
        return creation.raw

    def changes(self, model: type[Model]) -> None:
        """Raise ``ConfigurationError``: what has been changed could not be taken back with the rest."""
        raise ConfigurationError(
            f"{self.resource}.create changes or deletes an item of {model.__name__}, which cannot be part of a list"
            " that is created as a whole: say max_bulk = 0, or do that in an action"
        )

    def shows(self, instance: Model) -> None:
        """The answer will show this item."""
        if self.journal is not None:
            self.journal.shows(instance)

    def commit(self) -> None:
        """Write all of them. Raises as ``creations.commit``, with the place of what is in the way."""
        if self.creations and self.journal is not None:
            self.journal.commit(self.creations)
        elif self.creations:
            commit(self.creations)


def check_bulk(
    resource: str, most: Any, *, creates: bool, journaled: bool, uniqueness: Uniqueness | None
) -> None:
    """Raise ``ConfigurationError`` for a ``max_bulk`` whose items do not fit into one transaction."""
    if type(most) is not int or most < 0:
        raise ConfigurationError(
            f"{resource}.max_bulk must be a number of items, 0 for no lists, not {most!r}"
        )
    if most and not creates:
        raise ConfigurationError(f"{resource}.max_bulk is for create, and {resource} has none: mix in Create")
    each = 1 + (len(uniqueness.constraints) if uniqueness is not None else 0)
    fitting = (MOST - journaled) // each
    if most > fitting:
        raise ConfigurationError(
            f"{resource}.max_bulk: one transaction has {MOST} writes at most, and each item takes {each}"
            f"{', the Idempotency-Key one' if journaled else ''}: say at most {fitting}"
        )
