"""MessagePack (msgpack.org): the same values as JSON, in fewer bytes."""

from decimal import Decimal
from typing import Any

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import json_text
from polymicro_lambda.lazy import lazy

from .libraries import library

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
        _ = self._library, self._reader

    @lazy
    def _library(self) -> Any:
        return library("msgpack", "msgpack")

    @lazy
    def _reader(self) -> Any:
        # The reader in C makes room for a list's length before it reads: a few bytes would take gigabytes.
        return library("msgpack.fallback", "msgpack").Unpacker

    def render(self, value: Any) -> bytes:
        """The value as MessagePack."""
        packed: bytes = self._library.packb(_packable(value))
        return packed

    def parse(self, body: bytes) -> Any:
        """The value of a body. Raises ``BadRequest``."""
        reader = self._reader(
            raw=False,
            strict_map_key=False,
            object_pairs_hook=_object,
            list_hook=_checked_list,
            ext_hook=_refuse,
            max_buffer_size=len(body),
        )
        reader.feed(body)
        try:
            value = _checked(reader.unpack())
        except BadRequest:
            raise
        except (self._library.exceptions.StackError, RecursionError) as error:
            raise BadRequest("The body is nested too deep.") from error
        except Exception as error:
            raise BadRequest(
                "The body is not MessagePack: it ends too early, or holds what cannot be read."
            ) from error
        if reader.tell() != len(body):
            raise BadRequest(
                f"The body is not MessagePack: something follows its value, at byte {reader.tell()}."
            )
        return value


def _packable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _packable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_packable(one) for one in value]
    if isinstance(value, Decimal):
        return str(value)
    return str(value) if type(value) is int and value not in BITS_64 else value


def _object(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if not isinstance(name, str):
            raise BadRequest("The body names a member of an object by something else than a text.")
        if name in members:
            raise BadRequest(f"The body names {json_text(name[:50])} twice in one object.")
        members[name] = _checked(value)
    return members


def _checked_list(values: list[Any]) -> list[Any]:
    return [_checked(value) for value in values]


def _checked(value: Any) -> Any:
    """A value that JSON has, or binary."""
    if isinstance(value, str | bytes | int | float | list | dict | None):
        return value
    raise BadRequest("The body holds a timestamp of MessagePack: send a time as text, by ISO 8601.")


def _refuse(code: int, _: bytes) -> Any:
    raise BadRequest(f"The body holds an extension type of MessagePack, {code}: send texts and numbers.")
