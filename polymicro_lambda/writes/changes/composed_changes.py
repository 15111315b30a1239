"""Composed keys of indexes under an update: each is made anew where one of its parts changes.

What the update does not say of the other parts is read, and a condition of the write is that it is still so.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import ComposedKey, ModelInfo, SimpleClause, UnfitPart, UpdateStep
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.lost_answers import unchanged_conditions

from .map_merges import Steps


class Computed(Protocol):
    """A change of an attribute whose result rests on the item."""

    @property
    def name(self) -> str:
        """The attribute's name in DynamoDB."""

    @property
    def sources(self) -> frozenset[str]:
        """The attributes on which the result rests."""

    def result(self, old: RawItem) -> dict[str, Any] | None:
        """The attribute's value out of the item as it was."""


class ComposedChange:
    """A composed key of which an update changes a part."""

    __slots__ = ("computed", "key", "known", "name", "read", "refuses")

    def __init__(
        self,
        key: ComposedKey,
        known: Mapping[str, Any],
        computed: Sequence[Computed],
        *,
        refuses: bool,
    ) -> None:
        """``known`` are the attributes of which the update says the new value, or which cannot change.

        ``refuses`` says that an item without its key is refused.
        """
        self.refuses = refuses
        self.key, self.known = key, {name: known[name] for name in key.places if name in known}
        self.name = key.place
        self.computed = [one for one in computed if one.name in key.places]
        self.read = (key.places - self.known.keys()).union(*[one.sources for one in self.computed])

    @property
    def reads(self) -> bool:
        """Whether the item must be read for it."""
        return bool(self.read)

    @property
    def tells(self) -> bool:
        """The item shows whether its key was written."""
        return True

    @property
    def sources(self) -> frozenset[str]:
        """The attributes on which it rests."""
        return self.read

    def steps(self, old: RawItem | None) -> Steps:
        """The action that sets or removes it, and the conditions that what it rests on is as in ``old``."""
        value = self.result(old or {})
        step: UpdateStep = SimpleClause("remove" if value is None else "set", self.name, value)
        conditions: list[Condition] = unchanged_conditions(old or {}, self.read)
        return [step], conditions

    def result(self, old: RawItem) -> dict[str, Any] | None:
        """Its value for the item as the update leaves it, None for none. Raises ``UnfitPart`` and ``NoResult``.

        A part that the update does not say, and that is older than the template, leaves the item without a key.
        """
        parts = {**old, **self.known, **{one.name: one.result(old) for one in self.computed}}
        try:
            return self.key.value({name: value for name, value in parts.items() if value is not None})
        except UnfitPart as error:
            if not self.refuses or error.place in self.read - {one.name for one in self.computed}:
                return None
            raise


def composed_changes(
    about: ModelInfo,
    key: RawItem,
    values: Mapping[str, Any],
    computed: Iterable[Computed] = (),
    *,
    refuses: bool = True,
) -> list[ComposedChange]:
    """The changes of composed keys that an update of these attributes, by DynamoDB's names, brings about."""
    if not about.composed:
        return []
    several = list(computed)
    changed = {*values, *(one.name for one in several)}
    known = {**about.known_of(key), **values}
    return [
        ComposedChange(one, known, several, refuses=refuses)
        for one in about.composed.values()
        if not one.of_table and not changed.isdisjoint(one.places)
    ]
