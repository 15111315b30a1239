"""Values on their way into the store: what a verb gives becomes what DynamoDB stores, or a 422."""

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

from .instances import model_members
from .readers import CONVERSIONS

_Write: TypeAlias = Callable[[Any], Any]
_Writer: TypeAlias = tuple[str, str, str, bool, Any, type | None, _Write | None]
_AS_IT_IS: Mapping[type, type] = {UnicodeAttribute: str, BooleanAttribute: bool}
"""Attribute class -> the class of values that it stores as they are."""


@dataclass(frozen=True, slots=True)
class ItemSerializer:
    """Serialises the values of one model's items."""

    model: type[Model]
    about: ModelInfo
    writers: tuple[_Writer, ...] | None
    """For each attribute its name in Python and in DynamoDB, its type there, whether it can be absent, its default, the
    class of values that are stored as they are, and what stores others, None where an instance has to hold them."""
    changers: Mapping[str, tuple[str, str, bool, _Write]]
    """Each attribute's name in DynamoDB, its type there, whether it can be absent, and what stores its values."""
    key_writers: tuple[tuple[str, str, str, _Write], ...]
    """For each attribute of the key its name in Python and in DynamoDB, its type there, and what stores its values."""
    plain_keys: bool = False
    """An instance holds the values of its key as they are."""

    @classmethod
    def of(cls, model: type[Model]) -> "ItemSerializer":
        """The serialiser of a model."""
        members, about = model_members(model), model_info(model)
        keys = tuple((name, one.attr_name, one.attr_type, one.serialize) for name, one in about.keys.items())
        changers = {
            name: (one.attr_name, one.attr_type, bool(one.null), _writer(one))
            for name, one in model.get_attributes().items()
        }
        return cls(model, about, _writers(model), changers, keys, members is not None and members.plain_keys)

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
            return self.key(held)  # it holds its key alone, as one that has not been read
        return self.key({name: getattr(instance, name) for name in self.about.keys})

    def key_in(self, raw: RawItem) -> RawItem:
        """The key in a stored item."""
        return {place: raw[place] for _, place, _, _ in self.key_writers}

    def quickly(self, values: Mapping[str, Any]) -> RawItem | None:
        """The item that ``new`` makes of these values, None where only an instance can say."""
        if self.writers is None:
            return None
        raw: RawItem = {}
        known = 0
        for name, place, kind, nullable, default, as_it_is, write in self.writers:
            if name in values:
                value, known = values[name], known + 1
            else:
                value = default() if callable(default) else default
            if type(value) is as_it_is:
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
            raw[self.about.version.attr_name] = {"N": "1"}
        return raw

    def new(self, values: Mapping[str, Any]) -> tuple[Model, RawItem]:
        """A new item of these values and the model's defaults, at version 1.

        Raises ``Unprocessable`` for attributes that are still missing, ``TypeError`` for unknown ones.
        """
        instance = self.model()
        for name, value in values.items():
            self._changer(name)
            setattr(instance, name, value)
        try:
            raw: RawItem = instance.serialize()
        except AttributeNullError as error:
            raise _incomplete(str(error.attr_path)) from error
        if self.about.version is not None:
            raw[self.about.version.attr_name] = {"N": "1"}
        return instance, raw

    def changes(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        """What these values make of an item, by DynamoDB's names; None removes.

        Raises ``Unprocessable`` for attributes that cannot be without, ``TypeError`` for unknown ones.
        """
        raw: dict[str, dict[str, Any] | None] = {}
        for name, value in values.items():
            place, kind, nullable, write = self._changer(name)
            stored = None if value is None else write(value)
            if stored is None and not nullable:
                raise _incomplete(name)
            raw[place] = None if stored is None else {kind: stored}
        return raw

    def _changer(self, name: str) -> tuple[str, str, bool, _Write]:
        if name not in self.changers:
            raise TypeError(f"{self.model.__name__} has no attribute {name!r}: a verb put it into req")
        return self.changers[name]


def _writers(model: type[Model]) -> tuple[_Writer, ...] | None:
    members = model_members(model)
    if members is None or members.reader is None:
        return None
    return tuple(
        (
            name,
            one.stored,
            one.attribute.attr_type,
            bool(one.attribute.null),
            default_of(one.attribute),
            *_ways(one.attribute, one.plain),
        )
        for name, one in members.by_name.items()
    )


def _ways(attribute: Attribute[Any], plain: bool) -> tuple[type | None, _Write | None]:
    if not plain or type(attribute) not in CONVERSIONS:
        return None, None
    return _AS_IT_IS.get(type(attribute)), _writer(attribute)


def _writer(attribute: Attribute[Any]) -> _Write:
    write = attribute.serialize
    if type(attribute) is not UTCDateTimeAttribute:
        return write

    def moment(value: Any) -> Any:
        if type(value) is not datetime or value.tzinfo is not UTC:
            return write(value)
        return stored_datetime(value)

    return moment


def stored_datetime(value: datetime) -> str:
    """A moment in UTC as PynamoDB stores it: as strftime writes it, in a tenth of the time."""
    year, micro, two = value.year, value.microsecond, _TWO
    # Formats of their own (":02") take longer than the rest together.
    day = f"{year if year > 999 else f'{year:04}'}-{two[value.month]}-{two[value.day]}"
    clock = f"{two[value.hour]}:{two[value.minute]}:{two[value.second]}"
    return f"{day}T{clock}.{str(_MILLION + micro)[1:] if micro else '000000'}+0000"


_MILLION = 1_000_000
_TWO = tuple(f"{number:02}" for number in range(60))


def _incomplete(path: str) -> Unprocessable:
    missing = {"pointer": "#/" + path.replace(".", "/"), "detail": "Missing data for required field."}
    return Unprocessable("The item is not complete.", errors=[missing])
