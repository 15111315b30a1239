"""Items that are created together: gathered while their verbs run, then written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.rules import CreateInterceptor
from polymicro_lambda.types import RawItem

from .creations import Creation, create_all


class RepeatedCreates(CreateInterceptor, Protocol):
    """What keeps a repeated request from creating its items twice."""

    def earlier(self, model: type[Model], place: str) -> RawItem | None:
        """What an earlier try made of this place of the body, None where it came no further."""

    def commit(self, creations: Sequence[Creation]) -> None:
        """Write the items, and with them that they are written."""


@dataclass(slots=True)
class BulkCreation:
    """What takes part in the creates of a list, while the items of a list are created, all of them or none."""

    resource: str
    journal: RepeatedCreates | None = None
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
            create_all(self.creations)
