"""An update of one item: attributes that are set and removed, and changes whose result rests on the item."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polymicro_lambda.dynamodb import SimpleClause, UnfitPart, UpdateStep
from polymicro_lambda.items import same_item
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.stored_items import NO_ATTRIBUTES, StoredItems

from .atomic_changes import NoResult, Uncomputable, version_steps
from .composed_changes import composed_changes
from .computed_changes import ComputedChange, must_read_for
from .item_changes import ItemChange
from .map_merges import Steps
from .merged_values import UnfitMap
from .terms import NO_TERMS, Terms


class ItemUpdate(ItemChange):
    """Sets and removes attributes of an item."""

    __slots__ = ("actions", "computed", "values")
    operation = "UpdateItem"

    def __init__(
        self,
        items: StoredItems,
        key: RawItem,
        values: Mapping[str, Any],
        computed: Sequence[ComputedChange] = (),
        terms: Terms = NO_TERMS,
    ) -> None:
        """``values`` are what is stored by the attributes' names in DynamoDB, None to remove one.

        ``computed`` are changes whose result rests on the item.
        """
        self.values = values
        self.computed = [*computed, *composed_changes(items.about, key, values, computed)]
        actions: list[UpdateStep] = [
            SimpleClause("remove" if value is None else "set", name, value) for name, value in values.items()
        ]
        version, changed = items.about.version, frozenset([*values, *(one.name for one in self.computed)])
        actions += version_steps(version)
        if version is not None:
            changed |= {version.attr_name}
        unique = items.unique_attributes
        concerned = NO_ATTRIBUTES if unique.isdisjoint(changed) else unique
        self.actions = actions
        super().__init__(items, key, terms, changed, concerned)
        self.must_read = self.must_read or not key.keys().isdisjoint(values)
        if self.computed:
            self.must_read = must_read_for(self.computed) or self.must_read

    def steps(self, old: RawItem | None) -> Steps:
        """Its actions on an item, and the conditions of those that depend on it. Raises ``UnfitMap``."""
        if not self.computed:
            return self.actions, []
        made = [one.steps(old) for one in self.computed]
        actions = [*self.actions, *(action for each, _ in made for action in each)]
        return actions, [condition for _, each in made for condition in each]

    @property
    def changed(self) -> frozenset[str]:
        """The attributes that it changes, by their names in DynamoDB."""
        version = self.items.about.version
        return frozenset(
            [
                *self.values,
                *(one.name for one in self.computed),
                *([] if version is None else [version.attr_name]),
            ]
        )

    @property
    def blind(self) -> frozenset[str]:
        """The computed ones, where neither the version nor they themselves are compared."""
        pins, version = self.terms.pins.names, self.items.about.version
        if not self.computed or (version is not None and version.attr_name in pins):
            return NO_ATTRIBUTES
        return frozenset(one.name for one in self.computed) - pins

    def result(self, old: RawItem) -> RawItem:
        """The item with the values set or removed, its version not counted up yet.

        Raises ``Uncomputable`` and ``UnfitMap``.
        """
        try:
            computed = {one.name: one.result(old) for one in self.computed} if self.computed else {}
        except NoResult as error:
            raise Uncomputable(f"A change of an item of {self.items.model.__name__}: {error}") from error
        new = {**old, **self.values, **computed}
        return {name: value for name, value in new.items() if value is not None}

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item has the values, under a rule that holds on it. Raises as the guard does.

        False for what DynamoDB computes, of which nobody can tell from the item.
        """
        new = self.items.live(item)
        self.judge_written(new)
        try:
            return self.tells and same_item(new, self.result(new)) and self._follows(new)
        except (UnfitMap, UnfitPart):
            return False

    @property
    def tells(self) -> bool:
        """Not of what DynamoDB computes."""
        return all(one.tells for one in self.computed)

    def may_repeat(self, item: RawItem | None) -> bool:
        """As for every write; of what DynamoDB computes, where the item has the version with which it was read.

        Without a version others may have brought the item back to what it was: one that is as before tells nothing.
        """
        if self.tells:
            return not self.is_done(item)
        return self.items.about.version is not None and same_item(item, self.terms.known)

    def sources(self, names: Iterable[str]) -> frozenset[str]:
        """The attributes that the computed changes of these read."""
        if not self.computed:
            return NO_ATTRIBUTES
        wanted = frozenset(names)
        return frozenset[str]().union(*[one.sources for one in self.computed if one.name in wanted])

    def _follows(self, new: RawItem) -> bool:
        """Whether an item's version comes right after that which the verb has read, and one that ``If-Match`` names."""
        tags, version, pins = self.guard.if_match, self.items.about.version, self.terms.pins
        if version is None:
            return True
        before = int(new.get(version.attr_name, {}).get("N", "0")) - 1
        if version.attr_name in pins.names and pins.item.get(version.attr_name) != {"N": str(before)}:
            return False
        return tags is None or tags.match(f'"{before}"')
