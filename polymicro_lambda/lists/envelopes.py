"""The JSON objects around a list and around an item: the names of their members, checked when the app compiles."""

from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_bytes

from .filtering.filters import DeclaredFilters

COUNT = "count"
"""The parameter by which a request asks for the number of all items."""


class Envelope:
    """The object in which a list stands: ``Envelope(items="articles", key="next", count="total")``.

    ``items`` names the member with the items of the page, ``key`` that with the cursor of the next page; with
    ``key=None`` there is none, and the ``Link`` header alone leads on. ``count`` names the member that ``?count=true``
    adds, the number of all items of the list; without it there is no such parameter. ``item`` names the member in which
    a single item stands, in answers and in the bodies of creates and updates; without it these are the item itself.
    """

    __slots__ = ("_before_item", "_before_items", "_before_key", "count", "item", "items", "key")

    def __init__(
        self,
        items: str = "items",
        key: str | None = "pagination_key",
        count: str | None = None,
        item: str | None = None,
    ) -> None:
        self.items = items
        self.key = key
        self.count = count
        self.item = item
        self._before_item = self._before_items = self._before_key = b""

    def checked(self, where: str) -> "Envelope":
        """The same, ready for use. Raises ``ConfigurationError`` for names that are none, or not different ones."""
        names = [one for one in (self.items, self.key, self.count) if one is not None]
        for name in (*names, *([] if self.item is None else [self.item])):
            if not isinstance(name, str) or not name or not name.isprintable():
                raise ConfigurationError(f"{where}: {name!r} can be no member's name")
        if self.items is None or len(set(names)) < len(names):
            raise ConfigurationError(
                f"{where}: items, key and count must be names of different members, not"
                f" {self.items!r}, {self.key!r} and {self.count!r}"
            )
        self._before_items = b"{%b:" % json_bytes(self.items)
        self._before_key = b"" if self.key is None else b",%b:" % json_bytes(self.key)
        self._before_item = b"" if self.item is None else b"{%b:" % json_bytes(self.item)
        return self

    def around(self, items: bytes, cursor: bytes) -> bytes:
        """The object with these items, a JSON array, and this cursor, a JSON text or null."""
        if self.key is None:
            return b"%b%b}" % (self._before_items, items)
        return b"%b%b%b%b}" % (self._before_items, items, self._before_key, cursor)

    def around_item(self, item: bytes) -> bytes:
        """An item that stands alone, a JSON text, as it goes out."""
        return b"%b%b}" % (self._before_item, item) if self._before_item else item

    def with_count(self, body: bytes, count: bytes) -> bytes:
        """The object with the number of all items too, as JSON."""
        return b"%b,%b:%b}" % (body[:-1], json_bytes(self.count), count)


def envelope_of(resource: str, declared: Any, filters: DeclaredFilters) -> Envelope | None:
    """What ``envelope`` says, None for a bare array. Raises ``ConfigurationError`` that names the resource."""
    where = f"{resource}.envelope"
    if declared is True:
        return Envelope().checked(where)
    if declared is False:
        return None
    if not isinstance(declared, Envelope):
        wrong = f"{where} must be True, False or an Envelope(…), not {declared!r}"
        raise ConfigurationError(wrong)
    if declared.count is not None and COUNT in filters.parameters:
        raise ConfigurationError(
            f"{where}: ?{COUNT}= asks for the number of items, so that filters cannot have its eq: say other operators"
        )
    return declared.checked(where)
