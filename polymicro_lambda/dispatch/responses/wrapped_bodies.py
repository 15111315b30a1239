"""The body in which a list verb wraps its page: JSON with room for the page's items."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from polymicro_lambda.http import json_bytes
from polymicro_lambda.lists import WrappedPage

from .response_builder import ResponseBuilder
from .response_limits import json_size


class WrappedBody:
    """What a list verb returned around its page."""

    __slots__ = ("_names", "_parts")

    def __init__(self, wrapped: WrappedPage, answers: ResponseBuilder) -> None:
        mark = token_hex()  # that nobody can know, and so no other text of the body holds

        def default(value: Any) -> Any:
            return mark if value is wrapped.rows else answers.nested.default(value)

        body = wrapped.body
        self._parts = answers.json(body, default).split(b'"%b"' % mark.encode())
        self._names = frozenset(map(str, body)) if isinstance(body, Mapping) else None

    @property
    def shows_page(self) -> bool:
        """Whether the page itself stands in it, so that a shorter page makes it smaller."""
        return len(self._parts) > 1

    def room(self, most: int) -> int:
        """The bytes that there are for the page's items, where the body may have so many."""
        return (most - json_size(b"".join(self._parts))) // max(len(self._parts) - 1, 1)

    def around(self, items: bytes) -> bytes:
        """The body with these items, a JSON array."""
        return items.join(self._parts)

    def lacks(self, name: str | None) -> bool:
        """Whether it is an object without this member."""
        return name is not None and self._names is not None and name not in self._names

    def with_member(self, body: bytes, name: str | None, value: bytes) -> bytes:
        """The same body with one more member, where it is an object that lacks it; no name is none."""
        if not self.lacks(name):
            return body
        return b"%b%b%b:%b}" % (body[:-1], b"," if len(body) > len(b"{}") else b"", json_bytes(name), value)
