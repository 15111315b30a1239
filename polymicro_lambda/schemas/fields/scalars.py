"""The fields of single values: texts, numbers, moments, binary."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import fields
from pynamodb.attributes import DiscriminatorAttribute

from polymicro_lambda.http import LongNumber
from polymicro_lambda.schemas.values import (
    JSON_CONTAINERS,
    as_json,
    load_binary,
    load_json,
    load_number,
    load_text,
    refuse,
)

NUMBER = re.compile(  # RFC 8259, section 6, with no longer an exponent than a number of DynamoDB may need
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?"
)
_MOMENT = re.compile(  # RFC 3339, section 5.6; seconds may be left out, as ISO 8601 allows
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
).fullmatch


class DumpedAsJSON:
    """Dumps any value by ``as_json``."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return as_json(value)


class TextField(fields.String):
    """``UnicodeAttribute``: any text that UTF-8 can hold, the empty one and NUL included."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return load_text(value)


class NumberField(DumpedAsJSON, fields.Field[Any]):
    """``NumberAttribute``: a JSON number that DynamoDB and PynamoDB carry exactly."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return load_number(value)

    def from_path(self, segment: str) -> Any:
        """A JSON number (RFC 8259). Raises ``ValueError`` for other texts."""
        if not NUMBER.fullmatch(segment):
            raise ValueError("not a number")
        return LongNumber(segment)


class IntegerField(NumberField):
    """``VersionAttribute``: an integer."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        loaded = load_number(value)
        return loaded if isinstance(loaded, int) else refuse("Not an integer.")


class BooleanField(fields.Boolean):
    """``BooleanAttribute``: true or false, nothing that looks like them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        return value if isinstance(value, bool) else refuse("Not a boolean.")

    def from_path(self, segment: str) -> Any:
        """``true`` or ``false`` as a boolean; any other text as it is, which loading refuses."""
        return {"true": True, "false": False}.get(segment, segment)


class DateTimeField(DumpedAsJSON, fields.AwareDateTime):
    """``UTCDateTimeAttribute``: RFC 3339 with an offset, microseconds at most; always UTC inside."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT(value):
            refuse("Not a date and time with an offset, such as 2030-01-31T12:00:00Z.")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # Feb 30th, or year 1 at +14:00
            refuse("No such date and time.")

    def from_path(self, segment: str) -> str:
        """The text; a blank before its offset was a ``+``, which stands for a blank in a query."""
        if segment[-6:-5] == " ":
            refuse("Not a date and time: in a query the + of its offset is written %2B.")
        return segment


class ExpiryField(DateTimeField):
    """``TTLAttribute``: as ``DateTimeField``, in whole seconds."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        loaded = super()._deserialize(value)
        return refuse("Holds a fraction of a second.") if loaded.microsecond else loaded


class JSONField(fields.Raw):
    """``JSONAttribute``: any JSON but a bare null, which is the same as absent."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return load_json(value, room=JSON_CONTAINERS, stored=False)


class BinaryField(DumpedAsJSON, fields.Field[bytes]):
    """``BinaryAttribute``: base64 with padding (RFC 4648, section 4); base64url without it in a path."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bytes:
        return load_binary(value)

    def from_path(self, segment: str) -> str:
        """Base64url, unpadded, to base64. Raises ``ValueError`` for letters of the other alphabet."""
        if set(segment) & set("+/="):
            raise ValueError("not base64url")
        return segment.translate(str.maketrans("-_", "+/")) + "=" * (-len(segment) % 4)

    def to_path(self, value: str) -> str:
        """The inverse of ``from_path``."""
        return value.translate(str.maketrans("+/", "-_")).rstrip("=")


class DiscriminatorField(fields.String):
    """``DiscriminatorAttribute``: the name that the class is registered under; never in a body."""

    def __init__(self, attribute: DiscriminatorAttribute) -> None:
        super().__init__(dump_only=True)
        self.kinds = attribute

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return self.kinds.deserialize(value)  # type: ignore[no-untyped-call]
        except ValueError:
            refuse("No such kind.")

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.kinds.get_discriminator(value)


class NullField(fields.Raw):
    """``NullAttribute``: null."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> None:
        return None if value is None else refuse("Not null.")
