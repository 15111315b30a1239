"""MessagePack (msgpack.org): the same values as JSON, in fewer bytes."""

from decimal import Decimal
from typing import Any

from polymicro_lambda.exceptions import BadRequest, HTTPError
from polymicro_lambda.http import MAX_DEPTH, json_text
from polymicro_lambda.lazy import lazy

from .bounds import check_count
from .libraries import library

_KINDS = {
    **dict.fromkeys((*range(0x90, 0xA0), 0xDC, 0xDD), "list"),
    **dict.fromkeys((*range(0x80, 0x90), 0xDE, 0xDF), "map"),
    **dict.fromkeys((*range(0xC7, 0xCA), *range(0xD4, 0xD9)), "extension"),
}
"""The first byte of what is no scalar (the specification, "Overview")."""
BITS_64 = range(-(2**63), 2**64)
"""The integers that MessagePack has."""


class MessagePack:
    """Renders values as MessagePack, and parses it; needs the extra ``msgpack``.

    A number that it does not have, such as an integer of more than 64 bits, goes out as a text of all its digits.
    Binary values are texts in base64, as in JSON; on the way in they may be binary too.
    """

    binary = True
    structured = True

    def require(self) -> None:
        """Import the library. Raises ``ConfigurationError``."""
        _ = self._library

    @lazy
    def _library(self) -> Any:
        return library("msgpack", "msgpack")

    def render(self, value: Any) -> bytes:
        """The value as MessagePack."""
        packed: bytes = self._library.packb(_packable(value))
        return packed

    def parse(self, body: bytes) -> Any:
        """The value of a body. Raises ``BadRequest``."""
        reader = self._library.Unpacker(raw=False, max_buffer_size=len(body))
        reader.feed(body)
        try:
            value = _Reader(body, reader).value(MAX_DEPTH)
        except HTTPError:
            raise
        except Exception as error:
            raise BadRequest(
                "The body is not MessagePack: it ends too early, or holds what cannot be read."
            ) from error
        if reader.tell() != len(body):
            raise BadRequest(
                f"The body is not MessagePack: something follows its value, at byte {reader.tell()}."
            )
        return value


class _Reader:
    """Reads a body list by list: the library itself would make room for a list's length before it reads the list."""

    def __init__(self, body: bytes, reader: Any) -> None:
        self.body = body
        self.reader = reader
        self.count = 0
        """Of the values that lists and maps have told so far."""

    def value(self, depth: int) -> Any:
        """The next value. Raises ``BadRequest`` for what JSON does not have, ``IndexError`` at the end."""
        kind = _KINDS.get(self.body[self.reader.tell()])
        if kind is None:
            return self.reader.unpack()
        if depth == 0:
            raise BadRequest("The body is nested too deep.")
        if kind == "list":
            value, count = self.value, self._counted(self.reader.read_array_header())
            return [value(depth - 1) for _ in range(count)]
        if kind == "map":
            return self._object(self._counted(self.reader.read_map_header()), depth - 1)
        raise BadRequest("The body holds a timestamp or another extension type of MessagePack: send texts.")

    def _counted(self, length: int) -> int:
        """A length. Raises ``BadRequest`` where the body has not so many bytes, or with it too many values."""
        self.count += length
        check_count(min(self.count, len(self.body)))
        return length

    def _object(self, count: int, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for _ in range(count):
            name = self.value(depth)
            if not isinstance(name, str):
                raise BadRequest("The body names a member of an object by something else than a text.")
            if name in members:
                raise BadRequest(f"The body names {json_text(name[:50])} twice in one object.")
            members[name] = self.value(depth)
        return members


def _packable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _packable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_packable(one) for one in value]
    if isinstance(value, Decimal):
        return str(value)
    return str(value) if type(value) is int and value not in BITS_64 else value
