"""A verb's values become the item that DynamoDB stores, or a 422."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ModelInfo, model_info
from polymicro_lambda.exceptions import Unprocessable
from polymicro_lambda.schemas import default_of
from polymicro_lambda.types import RawItem

from .instances import instance_factory
from .readers import CONVERSIONS

_Write: TypeAlias = Callable[[Any], Any]
_Writer: TypeAlias = tuple[str, str, str, bool, Any, type | None, _Write | None]
_STORED_UNCHANGED: Mapping[type, type] = {UnicodeAttribute: str, BooleanAttribute: bool}
"""Attribute class -> the class of values that it stores unchanged."""


@dataclass(frozen=True, slots=True)
class ItemSerializer:
    """Serialises the values of one model's items."""

    model: type[Model]
    about: ModelInfo
    writers: tuple[_Writer, ...] | None
    """For each attribute its name in Python and in DynamoDB, its type there, whether it can be absent, its default, the
    class of values that are stored unchanged, and the writer of others, None where these take an instance."""
    change_writers: Mapping[str, tuple[str, str, bool, _Write]]
    """Python name -> name in DynamoDB, its type there, whether it can be absent, and the writer of its values."""
    key_writers: tuple[tuple[str, str, str, _Write], ...]
    """For each key attribute its name in Python and in DynamoDB, its type there, and the writer of its values."""
    plain_keys: bool = False
    """Whether an instance holds the values of its key unchanged."""

    @classmethod
    def of(cls, model: type[Model]) -> "ItemSerializer":
        """The serialiser of a model."""
        factory, about = instance_factory(model), model_info(model)
        keys = tuple((name, one.attr_name, one.attr_type, one.serialize) for name, one in about.keys.items())
        changes = {
            name: (one.attr_name, one.attr_type, bool(one.null), _writer(one))
            for name, one in model.get_attributes().items()
        }
        return cls(model, about, _writers(model), changes, keys, factory is not None and factory.plain_keys)

    def key(self, values: Mapping[str, Any]) -> RawItem:
        """The key in these values, by Python name."""
        raw: RawItem = {}
        for name, place, kind, write in self.key_writers:
            value = values[name]
            stored = None if value is None else write(value)
            if stored is not None:
                raw[place] = {kind: stored}
        return raw

    def key_of(self, instance: Model) -> RawItem:
        """The key of an instance."""
        held = instance.attribute_values
        if type(held) is dict and held.keys() == self.about.keys.keys() and self.plain_keys:
            return self.key(held)  # it holds its key alone, as an instance that was not read
        return self.key({name: getattr(instance, name) for name in self.about.keys})

    def key_in(self, raw: RawItem) -> RawItem:
        """The key in a stored item."""
        return {place: raw[place] for _, place, _, _ in self.key_writers}

    def raw_of_new(self, values: Mapping[str, Any]) -> RawItem | None:
        """The item that ``new`` makes of these values, in less time; None where that takes an instance."""
        if self.writers is None:
            return None
        raw: RawItem = {}
        known = 0
        for name, place, kind, nullable, default, unchanged, write in self.writers:
            if name in values:
                value, known = values[name], known + 1
            else:
                value = default() if callable(default) else default
            if type(value) is unchanged:
                raw[place] = {kind: value}
                continue
            stored = None if value is None or write is None else write(value)
            if stored is not None:
                raw[place] = {kind: stored}
            elif (value is not None and write is None) or not nullable:
                return None
        if known != len(values):
            return None
        if self.about.version is not None:
            raw[self.about.version.attr_name] = {"N": str(first_version())}
        return raw

    def new(self, values: Mapping[str, Any]) -> tuple[Model, RawItem]:
        """A new item of these values and the model's defaults, at its first version.

        Raises ``Unprocessable`` for attributes that are still missing, ``TypeError`` for unknown ones.
        """
        instance = self.model()
        for name, value in values.items():
            self._change_writer(name)
            setattr(instance, name, value)
        if self.about.version is not None:
            self.about.version.__set__(instance, first_version())
        try:
            raw: RawItem = instance.serialize()
        except AttributeNullError as error:
            raise _incomplete(str(error.attr_path)) from error
        return instance, raw

    def changes(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        """The changes that these values make to an item, by DynamoDB's names; None removes.

        Raises ``Unprocessable`` for None in a required attribute, ``TypeError`` for unknown ones.
        """
        raw: dict[str, dict[str, Any] | None] = {}
        for name, value in values.items():
            place, kind, nullable, write = self._change_writer(name)
            stored = None if value is None else write(value)
            if stored is None and not nullable:
                raise _incomplete(name)
            raw[place] = None if stored is None else {kind: stored}
        return raw

    def _change_writer(self, name: str) -> tuple[str, str, bool, _Write]:
        if name not in self.change_writers:
            raise TypeError(f"{self.model.__name__} has no attribute {name!r}: a verb put it into req")
        return self.change_writers[name]


def first_version() -> int:
    """The version of a new item: the clock, in microseconds since 1970.

    An item that is made anew after a deletion so has no version again that the deleted one had: an update adds 1. The
    integers that JavaScript tells apart last until 2255 (2**53, ECMA-262: ``Number.MAX_SAFE_INTEGER``).
    """
    return time.time_ns() // 1000


def _writers(model: type[Model]) -> tuple[_Writer, ...] | None:
    factory = instance_factory(model)
    if factory is None or factory.reader is None:
        return None
    return tuple(
        (
            name,
            one.stored,
            one.attribute.attr_type,
            bool(one.attribute.null),
            default_of(one.attribute),
            *_value_writers(one.attribute, one.plain),
        )
        for name, one in factory.by_name.items()
    )


def _value_writers(attribute: Attribute[Any], plain: bool) -> tuple[type | None, _Write | None]:
    if not plain or type(attribute) not in CONVERSIONS:
        return None, None
    return _STORED_UNCHANGED.get(type(attribute)), _writer(attribute)


def _writer(attribute: Attribute[Any]) -> _Write:
    write = attribute.serialize
    if type(attribute) is not UTCDateTimeAttribute:
        return write

    def write_datetime(value: Any) -> Any:
        if type(value) is not datetime or value.tzinfo is not UTC:
            return write(value)
        return stored_datetime(value)

    return write_datetime


def stored_datetime(value: datetime) -> str:
    """A datetime in UTC as PynamoDB stores it; strftime takes ten times as long."""
    year, micro, two = value.year, value.microsecond, _TWO_DIGITS
    # Format specifications (":02") take longer than the rest together.
    day = f"{year if year > 999 else f'{year:04}'}-{two[value.month]}-{two[value.day]}"
    clock = f"{two[value.hour]}:{two[value.minute]}:{two[value.second]}"
    return f"{day}T{clock}.{str(_MILLION + micro)[1:] if micro else '000000'}+0000"


_MILLION = 1_000_000
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


def _incomplete(path: str) -> Unprocessable:
    missing = {"pointer": "#/" + path.replace(".", "/"), "detail": "Missing data for required field."}
    return Unprocessable("The item is not complete.", errors=[missing])
