"""One request, and the items that its verb has written: two writes of one verb are no race with each other."""

from collections.abc import Hashable
from typing import Any, NamedTuple

from pynamodb.models import Model

from polymicro_lambda.dynamodb import typed_value
from polymicro_lambda.types import RawItem


class OwnWrite(NamedTuple):
    """An item that the request has written."""

    changed: frozenset[str]
    """The attributes that it has changed, by their names in DynamoDB."""
    item: RawItem | None
    """The item as the last of its writes left it, None where that is not known or there is no item.

    After a transaction, which gives no item back, what it has changed is certain alone.
    """
    blind: frozenset[str] = frozenset()
    """Those of ``changed`` that DynamoDB has computed of values which nobody had compared."""


class RequestMark:
    """One request, as the instances bear it that it has judged."""

    __slots__ = ("has_written", "of_path", "written")

    def __init__(self) -> None:
        self.has_written = False
        """Whether one of its writes was done."""
        self.of_path: Model | None = None
        """The instance of the path, as the verb got it."""
        self.written: dict[Hashable, OwnWrite] | None = None

    def own_write(self, model: type[Model], key: RawItem) -> OwnWrite | None:
        """The request's own writes to an item, None where there is none."""
        return self.written.get(item_id(model, key)) if self.written else None

    def note(
        self,
        model: type[Model],
        key: RawItem,
        changed: frozenset[str],
        item: RawItem | None,
        blind: frozenset[str] = frozenset(),
    ) -> None:
        """Note that the request has written an item."""
        earlier = self.own_write(model, key)
        if earlier is not None:
            changed, blind = changed | earlier.changed, (earlier.blind - changed) | blind
        self.written = {} if self.written is None else self.written
        self.written[item_id(model, key)] = OwnWrite(changed, item, blind)


def item_id(model: type[Model], key: RawItem) -> tuple[Any, ...]:
    """The table and the key of an item, as one value; numbers are equal however written."""
    return (model.Meta.table_name, *[(name, _comparable(value)) for name, value in sorted(key.items())])


def _comparable(value: dict[str, Any]) -> Hashable:
    return typed_value(value) if "N" in value else tuple(value.items())
