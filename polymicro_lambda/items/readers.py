"""Stored items as JSON, directly from DynamoDB's form: the output of PynamoDB and marshmallow, without an instance.

Every attribute class that is exactly one of PynamoDB's has a conversion here. Others are read and dumped by their own
attribute and field. Where a value is not in the form that PynamoDB writes, an instance shows the item as a whole.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import DecimalAttribute, PrefixedAttribute, number_text
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_text, plain_number
from polymicro_lambda.schemas import as_json, field_for, ordered_attributes
from polymicro_lambda.types import RawItem

Convert: TypeAlias = Callable[[Any], Any]
"""From a value under DynamoDB's type to JSON. Raises for a value that PynamoDB would not write."""

AttributeReader: TypeAlias = tuple[str, str, str, Convert | None, Any]
_NEEDS_INSTANCE = object()
"""An absent attribute's value, where that takes an instance."""
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
STORED_DATETIME = re.compile(  # as PynamoDB writes it, and such that there is no doubt that there is such a day
    r"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}\+0000"
)


@dataclass(frozen=True, slots=True)
class ItemReader:
    """The items of one model as JSON."""

    attributes: tuple[AttributeReader, ...]
    """For each attribute its name in Python and in DynamoDB, its type there, its conversion to JSON (None: unchanged),
    and the value of an absent one."""
    names: tuple[str, ...]
    writers: tuple[tuple[str, str, Callable[[Any], str], str | None], ...]
    """For each attribute its name and type in DynamoDB, its conversion to JSON text, and the text of an absent one,
    None where that takes an instance."""
    form: str
    """The item's JSON text with ``%s`` for each value."""

    @classmethod
    def of(cls, attributes: Sequence[AttributeReader]) -> "ItemReader":
        """The reader of attributes."""
        names, stored, kinds, converts, absents = zip(*attributes, strict=True)
        write = [_WRITERS.get(convert, partial(_converted_text, convert)) for convert in converts]
        texts = [None if absent is _NEEDS_INSTANCE else json_text(absent) for absent in absents]
        writers = tuple(zip(stored, kinds, write, texts, strict=True))
        members = ",".join(json_text(name).replace("%", "%%") + ":%s" for name in names)
        return cls(tuple(attributes), names, writers, f"{{{members}}}")

    def as_dict(self, raw: RawItem) -> dict[str, Any] | None:
        """All attributes of an item, JSON-ready by Python name; None where that takes an instance."""
        values: dict[str, Any] = {}
        try:
            for name, stored, kind, convert, absent in self.attributes:
                value = raw.get(stored)
                if value and kind in value:
                    values[name] = value[kind] if convert is None else convert(value[kind])
                elif absent is not _NEEDS_INSTANCE and (not value or "NULL" in value):
                    values[name] = absent
                else:
                    return None
        except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
            return None
        return values

    def text(self, raw: RawItem) -> str | None:
        """All attributes of an item as JSON text; None where that takes an instance."""
        get = raw.get
        try:
            texts = [
                write(value[kind]) if (value := get(stored)) else absent
                for stored, kind, write, absent in self.writers
            ]
        except Exception:  # noqa: BLE001 - as above, or a stored NULL
            return self._text_of_dict(raw)
        return None if None in texts else self.form % (*texts,)

    def _text_of_dict(self, raw: RawItem) -> str | None:
        values = self.as_dict(raw)
        try:
            return None if values is None else json_text(values)
        except ValueError:  # NaN and infinities, which an instance can hold and JSON cannot
            return None


@cache
def reader_of(model: type[Model]) -> ItemReader | None:
    """The reader of a model's items, None where the class of an attribute is unknown here."""
    try:
        return ItemReader.of(
            [_attribute_reader(model, name, one) for name, one in ordered_attributes(model).items()]
        )
    except (ConfigurationError, _CustomAttributeError):
        return None


class _CustomAttributeError(Exception):
    """An attribute reads, holds or shows its values in a way of its own."""


def _attribute_reader(model: type[Model], name: str, attribute: Attribute[Any]) -> AttributeReader:
    kind = type(attribute)
    if hasattr(kind, "marshmallow_field") or isinstance(attribute, pynamo.DiscriminatorAttribute):
        raise _CustomAttributeError(name)
    if (kind.__get__, kind.__set__) not in _KNOWN_DESCRIPTORS:
        raise _CustomAttributeError(name)
    dump = partial(_field_value, model, name, field_for(attribute))
    convert = (
        CONVERSIONS[kind](attribute) if kind in CONVERSIONS else lambda one: dump(attribute.deserialize(one))
    )
    # A stored NULL is absence, whatever the attribute.
    dynamo = "" if attribute.attr_type == "NULL" else attribute.attr_type
    return name, attribute.attr_name, dynamo, convert, _absent(attribute, dump)


_KNOWN_DESCRIPTORS = frozenset(
    (kind.__get__, kind.__set__)
    for kind in (Attribute, pynamo.MapAttribute, pynamo.VersionAttribute, pynamo.TTLAttribute)
)
"""How PynamoDB's attributes keep a value in an instance: ``__get__`` and ``__set__``."""


def _field_value(model: type[Model], name: str, field: Any, value: Any) -> Any:
    """A value as the field dumps it from an instance that holds it."""
    holder = model.__new__(model)
    holder.attribute_values = {}
    if value is not None:
        setattr(holder, name, value)
    return field._serialize(getattr(holder, name), name, holder)


def _absent(attribute: Attribute[Any], dump: Convert) -> Any:
    """The value of an absent attribute: its plain default as JSON. One that is called is for new items alone."""
    value = dump(None if callable(attribute.default) else attribute.default)
    return value if isinstance(value, str | int | float | bool | None) else _NEEDS_INSTANCE


# --- conversions, by the exact class of the attribute ---


def _datetime(text: str) -> str:
    return datetime_text(text)[1:-1]


def _number(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else plain_number(Decimal(text))


def _decimal_text(text: str) -> str:
    return text if _INTEGER.fullmatch(text) else number_text(Decimal(text))


def _integer(text: str) -> int:
    if _INTEGER.fullmatch(text):
        return int(text)
    raise ValueError("not as PynamoDB writes it")


def _timestamp(text: str) -> str:
    return datetime.fromtimestamp(_integer(text), tz=UTC).isoformat()


def _unchanged(_: Any) -> None:
    return None


def _same_for_all(convert: Convert) -> Callable[[Any], Convert]:
    return lambda _: convert


def _deserialized(attribute: Any) -> Convert:
    return lambda value: as_json(attribute.deserialize(value))


def _deserialized_set(attribute: Any) -> Convert:
    return lambda value: as_json(attribute.deserialize(value)) or None


def _converted_text(convert: Convert | None, value: Any) -> str:
    return json_text(value if convert is None else convert(value))


def datetime_text(text: str) -> str:
    """The JSON text of a datetime as PynamoDB writes it. Raises ``ValueError`` for any other."""
    if STORED_DATETIME.fullmatch(text) is None:
        raise ValueError("not as PynamoDB writes it")
    return f'"{text[:19]}+00:00"' if text[19:26] == ".000000" else f'"{text[:26]}+00:00"'


boolean_text = {True: "true", False: "false"}.__getitem__
"""The JSON text of a bool."""
_WRITERS: Mapping[Convert | None, Callable[[Any], str]] = {
    None: encode_basestring,
    bool: boolean_text,
    _datetime: datetime_text,
}
"""Conversion -> a quicker writer of the converted value's JSON text."""

CONVERSIONS: Mapping[type, Callable[[Any], Convert | None]] = {
    pynamo.UnicodeAttribute: _unchanged,
    pynamo.BooleanAttribute: _same_for_all(bool),
    PrefixedAttribute: lambda attribute: attribute.deserialize,
    pynamo.UTCDateTimeAttribute: _same_for_all(_datetime),
    pynamo.NumberAttribute: _same_for_all(_number),
    pynamo.VersionAttribute: _same_for_all(_integer),
    pynamo.TTLAttribute: _same_for_all(_timestamp),
    pynamo.JSONAttribute: lambda attribute: attribute.deserialize,
    pynamo.UnicodeSetAttribute: _deserialized_set,
    pynamo.NumberSetAttribute: _deserialized_set,
    pynamo.BinaryAttribute: _deserialized,
    pynamo.BinarySetAttribute: _deserialized_set,
    pynamo.NullAttribute: _unchanged,
    DecimalAttribute: lambda attribute: _decimal_text if attribute.as_string else _number,
}
"""Attribute class -> a function from an attribute to its conversion, which is None where a value stays unchanged."""
