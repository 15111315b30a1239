"""Stored items as JSON, straight from DynamoDB's form: what PynamoDB and marshmallow give, without an instance.

Every attribute class that is exactly one of PynamoDB's has a short way here. Others are read and dumped by their own
attribute and field. Where a value is not in the form that PynamoDB writes, the item as a whole goes the long way.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from json.encoder import encode_basestring
from operator import getitem, itemgetter
from typing import Any, TypeAlias

from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import PrefixedAttribute
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_text
from polymicro_lambda.schemas import as_json, field_for, ordered_attributes
from polymicro_lambda.types import RawItem

Convert: TypeAlias = Callable[[Any], Any]
"""From what stands under DynamoDB's type to JSON; raises where the value is not of the usual form."""

Step: TypeAlias = tuple[str, str, str, Convert | None, Any]
_LONG_WAY = object()
"""What an absent attribute shows, where only an instance can say."""
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
STORED_DATETIME = re.compile(  # as PynamoDB writes it, and such that there is no doubt that there is such a day
    r"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}\+0000"
)


@dataclass(frozen=True, slots=True)
class ItemReader:
    """The items of one model as JSON."""

    steps: tuple[Step, ...]
    """For each attribute its name in Python and in DynamoDB, its type there, what makes JSON of the value (None leaves
    it), and what stands for an absent one."""
    names: tuple[str, ...]
    get: Callable[[RawItem], tuple[dict[str, Any], ...]]
    """The stored attributes, all of them. Raises ``KeyError`` where one is absent."""
    kinds: tuple[str, ...]
    conversions: tuple[tuple[int, Convert], ...]
    """The places of values that need one."""
    writers: tuple[tuple[str, str, Callable[[Any], str], str | None], ...]
    """For each attribute its name and type in DynamoDB, what makes JSON text of its value, and the text of an absent
    one, None where only an instance can say."""
    form: str
    """The item as JSON text, a place for each value in it."""

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "ItemReader":
        """The reader of attributes."""
        names, stored, kinds, converts, absents = zip(*steps, strict=True)
        # itemgetter gives one alone as it is.
        get = itemgetter(*stored, stored[0])
        conversions = tuple((n, convert) for n, convert in enumerate(converts) if convert is not None)
        write = [_WRITERS.get(convert, partial(_written, convert)) for convert in converts]
        texts = [None if absent is _LONG_WAY else json_text(absent) for absent in absents]
        writers = tuple(zip(stored, kinds, write, texts, strict=True))
        members = ",".join(json_text(name).replace("%", "%%") + ":%s" for name in names)
        return cls(tuple(steps), names, get, kinds, conversions, writers, f"{{{members}}}")

    def shown(self, raw: RawItem) -> dict[str, Any] | None:
        """All attributes of an item, JSON-ready by Python name; None where only an instance can say."""
        try:
            try:
                found = list(map(getitem, self.get(raw), self.kinds))
            except KeyError:  # some attribute is absent, or of another type
                return self._one_by_one(raw)
            for place, convert in self.conversions:
                found[place] = convert(found[place])
        except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
            return None
        return dict(zip(self.names, found))  # noqa: B905 - they are as many

    def text(self, raw: RawItem) -> str | None:
        """The same as JSON text."""
        get = raw.get
        try:
            said = [
                write(value[kind]) if (value := get(stored)) else absent
                for stored, kind, write, absent in self.writers
            ]
        except Exception:  # noqa: BLE001 - as above, or what is null
            return self._text_of_shown(raw)
        return None if None in said else self.form % (*said,)

    def _text_of_shown(self, raw: RawItem) -> str | None:
        shown = self.shown(raw)
        try:
            return None if shown is None else json_text(shown)
        except ValueError:  # NaN and infinities, which an instance can hold and JSON cannot
            return None

    def _one_by_one(self, raw: RawItem) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for name, stored, kind, convert, absent in self.steps:
            value = raw.get(stored)
            if value and kind in value:
                found[name] = value[kind] if convert is None else convert(value[kind])
            elif absent is not _LONG_WAY and (not value or "NULL" in value):
                found[name] = absent
            else:
                return None
        return found


@cache
def reader_of(model: type[Model]) -> ItemReader | None:
    """The reader of a model's items, None where an attribute of it goes a way of its own."""
    try:
        return ItemReader.of([_step(model, name, one) for name, one in ordered_attributes(model).items()])
    except (ConfigurationError, _OwnWayError):
        return None


class _OwnWayError(Exception):
    """An attribute reads, holds or shows its values in a way that is not known."""


def _step(model: type[Model], name: str, attribute: Attribute[Any]) -> Step:
    kind = type(attribute)
    if hasattr(kind, "marshmallow_field") or isinstance(attribute, pynamo.DiscriminatorAttribute):
        raise _OwnWayError(name)
    if (kind.__get__, kind.__set__) not in _HOLDING:
        raise _OwnWayError(name)
    held = partial(_held, model, name, field_for(attribute))
    convert = (
        CONVERSIONS[kind](attribute) if kind in CONVERSIONS else lambda one: held(attribute.deserialize(one))
    )
    # A stored NULL is absence, whatever the attribute.
    dynamo = "" if attribute.attr_type == "NULL" else attribute.attr_type
    return name, attribute.attr_name, dynamo, convert, _absent(attribute, held)


_HOLDING = frozenset(
    (kind.__get__, kind.__set__)
    for kind in (Attribute, pynamo.MapAttribute, pynamo.VersionAttribute, pynamo.TTLAttribute)
)
"""How PynamoDB's attributes keep a value in an instance: each on its own."""


def _held(model: type[Model], name: str, field: Any, value: Any) -> Any:
    """A value as the field shows it, once an instance has held it."""
    holder = model.__new__(model)
    holder.attribute_values = {}
    if value is not None:
        setattr(holder, name, value)
    return field._serialize(getattr(holder, name), name, holder)


def _absent(attribute: Attribute[Any], held: Convert) -> Any:
    if callable(attribute.default):
        return _LONG_WAY  # another value each time: that of the instance
    shown = held(attribute.default)
    return shown if isinstance(shown, str | int | float | bool | None) else _LONG_WAY


# --- the short ways, by the exact class ------------------------------------------------------------------


def _moment(text: str) -> str:
    return datetime_text(text)[1:-1]


def _number(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text) else as_json(json.loads(text))


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text):
        return int(text)
    raise ValueError("not as PynamoDB writes it")


def _second(text: str) -> str:
    return datetime.fromtimestamp(_whole(text), tz=UTC).isoformat()


def _as_it_is(_: Any) -> None:
    return None


def _said(convert: Convert) -> Callable[[Any], Convert]:
    return lambda _: convert


def _shown(attribute: Any) -> Convert:
    return lambda value: as_json(attribute.deserialize(value))


def _set(attribute: Any) -> Convert:
    return lambda value: as_json(attribute.deserialize(value)) or None


def _written(convert: Convert | None, value: Any) -> str:
    return json_text(value if convert is None else convert(value))


def datetime_text(text: str) -> str:
    """A moment as PynamoDB writes it, as JSON text. Raises ``ValueError`` for any other."""
    if STORED_DATETIME.fullmatch(text) is None:
        raise ValueError("not as PynamoDB writes it")
    return f'"{text[:19]}+00:00"' if text[19:26] == ".000000" else f'"{text[:26]}+00:00"'


boolean_text = {True: "true", False: "false"}.__getitem__
"""A truth as JSON text."""
_WRITERS: Mapping[Convert | None, Callable[[Any], str]] = {
    None: encode_basestring,
    bool: boolean_text,
    _moment: datetime_text,
}
"""Conversion -> what gives the same as JSON text in less time."""

CONVERSIONS: Mapping[type, Callable[[Any], Convert | None]] = {
    pynamo.UnicodeAttribute: _as_it_is,
    pynamo.BooleanAttribute: _said(bool),
    PrefixedAttribute: lambda attribute: attribute.deserialize,
    pynamo.UTCDateTimeAttribute: _said(_moment),
    pynamo.NumberAttribute: _said(_number),
    pynamo.VersionAttribute: _said(_whole),
    pynamo.TTLAttribute: _said(_second),
    pynamo.JSONAttribute: lambda attribute: attribute.deserialize,
    pynamo.UnicodeSetAttribute: _set,
    pynamo.NumberSetAttribute: _set,
    pynamo.BinaryAttribute: _shown,
    pynamo.BinarySetAttribute: _set,
    pynamo.NullAttribute: _as_it_is,
}
"""Attribute class -> what gives the conversion of an attribute, which is None where nothing is to be done."""
