"""Deletions of one item: it is removed, or with ``soft_delete`` notes that it is deleted."""

from pynamodb.expressions.condition import Condition

from polymicro_lambda.dynamodb import SimpleClause, UpdateStep
from polymicro_lambda.rules import SoftDeletion
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.stored_items import StoredItems

from .atomic_changes import version_steps
from .composed_changes import composed_changes
from .item_changes import ItemChange
from .map_merges import Steps
from .terms import NO_TERMS, Terms


class ItemDeletion(ItemChange):
    """Removes an item."""

    __slots__ = ()
    operation = "DeleteItem"

    def __init__(self, items: StoredItems, key: RawItem, terms: Terms = NO_TERMS) -> None:
        super().__init__(items, key, terms, unique=items.unique_attributes)

    def result(self, old: RawItem) -> None:
        """No item."""

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item is gone."""
        return item is None


class SoftItemDeletion(ItemChange):
    """Notes on an item that it is deleted; its unique values stay reserved for it."""

    __slots__ = ("composed", "deletion", "mark")
    operation = "UpdateItem"

    def __init__(self, items: StoredItems, key: RawItem, deletion: SoftDeletion, terms: Terms) -> None:
        self.deletion = deletion
        self.mark = {deletion.stored_name: deletion.now()}
        self.composed = composed_changes(items.about, key, self.mark, refuses=False)
        super().__init__(items, key, terms)
        self.must_read = self.must_read or any(one.reads for one in self.composed)

    def steps(self, old: RawItem | None) -> Steps:
        """It sets the attribute, and the keys that are composed of it."""
        actions: list[UpdateStep] = [SimpleClause("set", name, value) for name, value in self.mark.items()]
        conditions: list[Condition] = []
        for steps, said in [one.steps(old) for one in self.composed]:
            actions += steps
            conditions += said
        return [*actions, *version_steps(self.items.about.version)], conditions

    def result(self, old: RawItem) -> RawItem:
        """The item as deleted, its version not counted up yet."""
        made = {one.name: one.result(old) for one in self.composed}
        return {n: one for n, one in {**old, **self.mark, **made}.items() if one is not None}

    def after(self, old: RawItem) -> None:
        """Nothing that would have to be judged: the rule is asked of the item as it was."""

    def is_done(self, item: RawItem | None) -> bool:
        """Whether the item is gone, or deleted."""
        return item is None or self.deletion.hides(item)


def deletion_of(items: StoredItems, key: RawItem, terms: Terms = NO_TERMS) -> ItemChange:
    """The deletion of an item, as its resource declares it."""
    deletion = items.deletion
    return (
        ItemDeletion(items, key, terms) if deletion is None else SoftItemDeletion(items, key, deletion, terms)
    )
