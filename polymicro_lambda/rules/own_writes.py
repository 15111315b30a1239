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
    """The item as the last of its writes left it, None where that is not known or there is no item."""


class RequestMark:
    """One request, as the instances bear it that it has judged."""

    __slots__ = ("has_written", "written")

    def __init__(self) -> None:
        self.has_written = False
        """Whether one of its writes was done."""
        self.written: dict[Hashable, OwnWrite] | None = None

    def own_write(self, model: type[Model], key: RawItem) -> OwnWrite | None:
        """The request's own writes to an item, None where there is none."""
        return self.written.get(item_id(model, key)) if self.written else None

    def note(self, model: type[Model], key: RawItem, changed: frozenset[str], item: RawItem | None) -> None:
        """Note that the request has written an item."""
        earlier = self.own_write(model, key)
        self.written = {} if self.written is None else self.written
        self.written[item_id(model, key)] = OwnWrite(
            changed if earlier is None else changed | earlier.changed, item
        )


def item_id(model: type[Model], key: RawItem) -> Hashable:
    """The table and the key of an item, as one value; numbers are equal however written."""
    return (model.Meta.table_name, *[(name, _comparable(value)) for name, value in sorted(key.items())])


def _comparable(value: dict[str, Any]) -> Hashable:
    return typed_value(value) if "N" in value else tuple(value.items())
