"""The marshmallow field classes; ``attribute_fields`` has the table from attribute to field.

A field loads JSON as ``read_json`` reads it, and gives values that its attribute stores and reads back exactly; any
other JSON is a ``ValidationError``. Dumping gives JSON-ready values.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields
from pynamodb.attributes import DiscriminatorAttribute, MapAttribute

from .values import (
    JSON_CONTAINERS,
    as_json,
    load_binary,
    load_distinct,
    load_each,
    load_json,
    load_number,
    load_text,
    refuse,
)

_NUMBER = re.compile(  # RFC 8259, section 6, with no longer an exponent than a number of DynamoDB may need
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?"
)
_MOMENT = re.compile(  # RFC 3339, section 5.6; seconds may be left out, as ISO 8601 allows
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
).fullmatch
LOST = frozenset({"self", "_user_instantiated"})
"""Names that ``MapAttribute.__init__`` takes as its own arguments: a map with such a member cannot be made."""


class _DumpedAsJSON:
    """Dumps any value by ``as_json``."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return as_json(value)


class TextField(fields.String):
    """``UnicodeAttribute``: any text that UTF-8 can hold, the empty one and NUL included."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return load_text(value)


class NumberField(_DumpedAsJSON, fields.Field[int | float]):
    """``NumberAttribute``: a JSON number that DynamoDB and PynamoDB carry exactly."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int | float:
        return load_number(value)

    def from_path(self, segment: str) -> Any:
        """A JSON number (RFC 8259). Raises ``ValueError`` for other texts."""
        if not _NUMBER.fullmatch(segment):
            raise ValueError("not a number")
        return Decimal(segment)


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


class DateTimeField(_DumpedAsJSON, fields.AwareDateTime):
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


class BinaryField(_DumpedAsJSON, fields.Field[bytes]):
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


class SetField(fields.List[Any]):
    """The set attributes: loads a list without duplicates, dumps a sorted one; an empty set is absent, so null."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, list):
            refuse("Not a list.")
        if not value and not self.allow_none:
            refuse("May not be empty.")
        return load_distinct(value, self.inner.deserialize)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return as_json(value) or None


class RawListField(_DumpedAsJSON, fields.Raw):
    """``ListAttribute`` without element type: any JSON list."""

    def __init__(self, *, room: int) -> None:
        super().__init__()
        self.room = room

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return load_json(value, room=self.room) if isinstance(value, list) else refuse("Not a list.")


class ListField(fields.List[Any]):
    """``ListAttribute(of=…)``: a list whose elements the element's own field loads."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, list):
            refuse("Not a list.")
        return list(load_each(enumerate(value), lambda _, v: self.inner.deserialize(v)).values())


class RawMapField(_DumpedAsJSON, fields.Raw):
    """A raw ``MapAttribute``: any JSON object without a member in ``lost``, names that PynamoDB would lose."""

    def __init__(self, *, room: int, lost: frozenset[str]) -> None:
        super().__init__()
        self.room = room
        self.lost = lost

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            refuse("Not an object.")
        load_each(value.items(), lambda name, _: name not in self.lost or refuse("This name is not allowed."))
        return load_json(value, room=self.room)


class MapField(fields.Nested):
    """A subclass of ``MapAttribute``: an object of its attributes, no other names."""

    def __init__(self, container: type[MapAttribute[Any, Any]], schema: Schema) -> None:
        super().__init__(schema)
        self.container = container
        # PynamoDB spoils a map with a discriminator if it gets it as a dict: defaults and subclasses are lost.
        attributes = container.get_attributes().values()
        self.whole = any(isinstance(one, DiscriminatorAttribute) for one in attributes)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        loaded = self.schema.load(value) if isinstance(value, dict) else refuse("Not an object.")
        return self.container(**loaded) if self.whole else loaded


class DynamicMapField(MapField):
    """A ``DynamicMapAttribute``: its attributes and any other names."""

    def __init__(self, container: type[MapAttribute[Any, Any]], schema: Schema, *, room: int) -> None:
        super().__init__(container, schema)
        self.declared = frozenset(container.get_attributes())
        stored = frozenset(one.attr_name for one in container.get_attributes().values())
        self.others = RawMapField(room=room, lost=LOST | {"attribute_values"} | stored)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            refuse("Not an object.")
        known = {name: one for name, one in value.items() if name in self.declared}
        others = {name: one for name, one in value.items() if name not in self.declared}
        errors: dict[Any, Any] = {}
        loaded: dict[str, Any] = {}
        for part, load in (known, self.schema.load), (others, self.others.deserialize):
            try:
                loaded |= load(part)
            except ValidationError as error:
                errors |= error.messages_dict
        return refuse(errors) if errors else self.container(**loaded)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        if value is None:
            return None
        # Reading leaves an "attribute_values" of PynamoDB's own among the names (its issue 999).
        others = {name: value[name] for name in value if name not in self.declared | {"attribute_values"}}
        return self.schema.dump(value) | as_json(others)


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
