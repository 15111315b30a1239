"""The fields that an answer shows of each item: those that are asked for, less those that the item hides."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pynamodb.models import Model

from polymicro_lambda.rules import Guard, Verdict, as_stored, prefetch_related, related_checks, without


class ShownFields(NamedTuple):
    """The fields of items of one model that an answer shows."""

    model: type[Model]
    names: frozenset[str] | None = None
    """Those that are shown of some items, None for all of every item."""
    by_item: Mapping[str, Verdict] = {}
    """What must hold on an item for some of them."""

    def of_item(self, instance: Model, data: dict[str, Any]) -> dict[str, Any]:
        """The shown fields of ``data``, an item as the schema dumps it; all ``names`` of an item of another model."""
        if self.names is None:
            return data
        hidden = self.hidden(instance)
        shown = {name: one for name, one in data.items() if name in self.names and name not in hidden}
        return without(shown, [name for name in hidden if "." in name]) if hidden else shown

    def read_related(self, items: Sequence[Any]) -> None:
        """Read the related items that decide of fields, for up to 100 items by one call."""
        checks = [check for verdict in self.by_item.values() for check in related_checks(verdict)]
        if checks:
            prefetch_related(checks, [as_stored(one) for one in items if isinstance(one, self.model)])

    def hidden(self, instance: Model) -> frozenset[str]:
        """The fields and members of maps that an item hides; one of another model, of which no rule is, all of them."""
        if not self.by_item or not isinstance(instance, self.model):
            return frozenset(self.by_item)
        raw = as_stored(instance)
        return frozenset(name for name, one in self.by_item.items() if not Guard(one).allows(instance, raw))
