"""Soft deletion: an attribute of time says that an item is deleted, and such an item counts as gone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from polymicro_lambda.types import RawItem

from .algebra import Rule
from .context import RuleContext
from .permission import Permission
from .verdicts import BEFORE, AllHold, ConditionCheck, SidedCheck, Verdict, join_verdicts


class SoftDelete(NamedTuple):
    """``soft_delete`` of a resource: ``SoftDelete("deleted", seen_by=InGroup("staff"))``."""

    attribute: str
    """The attribute that a DELETE sets to the time, in place of removing the item."""
    seen_by: Any = None
    """The permissions of those who may ask for deleted items by ``?deleted=true``; None lets nobody."""


class SoftDeletion:
    """``soft_delete`` of a resource, compiled: how its stored items say that they are deleted."""

    __slots__ = ("_deleted", "_live", "attribute", "is_deleted", "is_live", "name", "seen_by", "stored_name")

    def __init__(self, name: str, attribute: Attribute[Any], seen_by: Rule | None) -> None:
        self.name = name
        """The attribute's name in the model."""
        self.attribute = attribute
        self.stored_name = attribute.attr_name
        self.seen_by = seen_by
        """Who may ask for deleted items, None for nobody."""
        # Not whether it is there: PynamoDB's ``attribute.set(None)`` stores a NULL.
        self.is_deleted: Condition = Path([self.stored_name]).is_type(attribute.attr_type)
        """The condition that an item is deleted."""
        self.is_live: Condition = ~self.is_deleted
        """The condition that it is not."""
        self._deleted = ConditionCheck(self.is_deleted)
        # A write that deletes an item leaves none on which it would hold.
        self._live = SidedCheck(ConditionCheck(self.is_live), BEFORE)

    def hides(self, raw: RawItem) -> bool:
        """Whether a stored item is deleted."""
        return self._deleted.holds(raw)

    def is_seen_by(self, context: RuleContext) -> bool:
        """Whether the user may ask for deleted items."""
        return self.seen_by is not None and self.seen_by.decide(context) is True

    def of_live_items(self, verdict: Verdict) -> Verdict:
        """A verdict that holds on no deleted item."""
        return join_verdicts([verdict, self._live], every=True)

    def of_all_items(self, verdict: Verdict) -> Verdict:
        """What a verdict says that `of_live_items` may have made, of deleted items too."""
        parts = verdict.parts if isinstance(verdict, AllHold) else (verdict,)
        return join_verdicts([part for part in parts if part is not self._live], every=True)

    def of_deleted_items(self, verdict: Verdict) -> Verdict:
        """A verdict that holds on deleted items alone."""
        return join_verdicts([verdict, self._deleted], every=True)

    def now(self) -> dict[str, Any]:
        """The attribute of an item that is deleted now, as DynamoDB stores it."""
        return {self.attribute.attr_type: self.attribute.serialize(datetime.now(UTC))}

    def leaves(self) -> Iterator[Permission]:
        """The permissions of ``seen_by``."""
        return iter(()) if self.seen_by is None else self.seen_by.leaves()
