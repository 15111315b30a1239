"""PynamoDB instances of stored items, made in less time than by ``from_raw_data``; values are read on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import EVERYTHING, method_of, model_info
from polymicro_lambda.schemas import fast_path_is_on
from polymicro_lambda.types import RawItem

from .readers import ItemReader, reader_of
from .stored_items import RAW

UNREADABLE = "_polymicro_unreadable"


def instance_of(model: type[Model], raw: RawItem) -> Model:
    """The instance of a stored item; it keeps the item. Raises whatever an attribute raises for a poison row."""
    factory = instance_factory(model)
    reader = None if factory is None else factory.reader
    text = None if reader is None else reader.text(raw)
    if factory is None:
        instance = model.from_raw_data(raw)
    elif text is None:
        instance = factory.instance(raw)
    else:
        instance = model.__new__(model)
        values = instance.attribute_values = LazyValues()
        values.raw, values.factory, values.reads, values.text = raw, factory, None, text
    vars(instance)[RAW] = raw
    return instance


def unreadable_instance(model: type[Model], raw: RawItem) -> Model:
    """An instance for a stored item of which `instance_of` makes none: an attribute raises when it is asked for."""
    instance = model.__new__(model)
    values = instance.attribute_values = LazyValues()
    values.raw, values.reads, values.text = raw, None, None
    values.factory = InstanceFactory(model, _members(model), None)
    vars(instance).update({RAW: raw, UNREADABLE: True})
    return instance


def is_unreadable(instance: Model) -> bool:
    """Whether `unreadable_instance` has made it."""
    return UNREADABLE in vars(instance)


def unchanged_json(instance: Model) -> dict[str, Any] | None:
    """All attributes, ready for JSON, where the instance has not changed since it was read; else None."""
    values = instance.attribute_values
    if type(values) is not LazyValues or values.text is None or values.factory is None:
        return None
    return None if values.factory.reader is None else values.factory.reader.as_dict(values.raw)


def unchanged_text(instance: Model) -> str | None:
    """The JSON text of an instance that has not changed since it was read; else None."""
    values = instance.attribute_values
    return values.text if type(values) is LazyValues else None


@dataclass(frozen=True, slots=True)
class _Member:
    """An attribute of a model, by its name in Python and in DynamoDB."""

    name: str
    stored: str
    attribute: Attribute[Any]
    plain: bool
    """Whether setting it stores the value unchanged in ``attribute_values``."""


@dataclass(frozen=True, slots=True)
class InstanceFactory:
    """Makes instances of a model from stored items."""

    model: type[Model]
    by_name: Mapping[str, _Member]
    reader: ItemReader | None
    """Reads items as JSON, None where that is switched off or the model has its own ``__getattribute__``."""
    plain_keys: bool = False
    """Whether setting a key attribute stores its value unchanged in ``attribute_values``."""

    def instance(self, raw: RawItem) -> Model:
        """The instance that ``from_raw_data`` gives; that one makes each default twice before it reads the item."""
        instance = self.model.__new__(self.model)
        instance.attribute_values = {}
        for member in self.by_name.values():
            _read_attribute(instance, member, raw)
        return instance


def _read_attribute(instance: Model, member: _Member, raw: RawItem) -> None:
    """Set one attribute from the stored item."""
    attribute, stored = member.attribute, raw.get(member.stored)
    if stored and "NULL" not in stored:
        value = attribute.deserialize(attribute.get_value(stored))
    else:
        value = attribute.default
        if value is None or callable(value):
            return
    if member.plain:
        instance.attribute_values[member.name] = value
    else:
        setattr(instance, member.name, value)


_STEPS = "__init__ __setattr__ from_raw_data _instantiate _container_deserialize _set_defaults"
"""The methods by which PynamoDB makes an instance of a stored item."""


@cache
def instance_factory(model: type[Model]) -> InstanceFactory | None:
    """The factory of a model, None where the model overrides how instances are made, or has a discriminator."""
    if not _inherits(model, _STEPS) or model._get_discriminator_attribute() is not None:
        return None
    members = _members(model)
    reads = fast_path_is_on() and _inherits(model, "__getattribute__")
    plain_keys = all(members[name].plain for name in model_info(model).address)
    return InstanceFactory(model, members, reader_of(model) if reads else None, plain_keys)


def is_read_as_usual(model: type[Model]) -> bool:
    """Whether no method of the model's own takes part where its items are read."""
    return _inherits(model, f"{_STEPS} __getattribute__")


def _inherits(model: type[Model], names: str) -> bool:
    """Whether these methods, with blanks between, are PynamoDB's own."""
    return all(method_of(model, name) is method_of(Model, name) for name in names.split())


def _members(model: type[Model]) -> dict[str, _Member]:
    return {
        name: _Member(name, one.attr_name, one, type(one).__set__ is Attribute.__set__)
        for name, one in model.get_attributes().items()
    }


def key_only_instance(model: type[Model], key: Mapping[str, Any]) -> Model:
    """An instance that holds its key and nothing else: the item has not been read."""
    factory = instance_factory(model)
    if factory is None:
        instance = model(_user_instantiated=False)
        instance.attribute_values.clear()
    else:
        instance = model.__new__(model)
        instance.attribute_values = {}
        if factory.plain_keys:
            instance.attribute_values.update(key)
            return instance
    for name, value in key.items():
        setattr(instance, name, value)
    return instance


IMMUTABLE_TYPES = (str, int, float, bool, bytes, datetime, type(None))
"""Types of values that can be handed out without a change to the instance."""


class LazyValues(dict[str, Any]):
    """An instance's values, each read from the stored item when it is asked for.

    ``text`` is their JSON, until a value may have been changed. ``reads`` gets the names of those that are asked for,
    where somebody wants to know.
    """

    __slots__ = ("factory", "raw", "reads", "text")
    raw: RawItem
    factory: InstanceFactory | None
    reads: set[str] | None
    text: str | None

    def get(self, key: str, default: Any = None) -> Any:
        """One value; no other is read for it."""
        factory = self.factory
        if self.reads is not None:
            self.reads.add(key)
        if factory is not None and key in factory.by_name and not dict.__contains__(self, key):
            holder = factory.model.__new__(factory.model)
            holder.attribute_values = {}
            _read_attribute(holder, factory.by_name[key], self.raw)
            dict.update(self, holder.attribute_values)
        value = dict.get(self, key, default)
        if not isinstance(value, IMMUTABLE_TYPES):
            self.text = None
        return value

    def peek(self) -> dict[str, Any]:
        """All values, each as ``get`` would give it, for a caller that does not change them."""
        read = {} if self.factory is None else self.factory.instance(self.raw).attribute_values
        return {**read, **dict(dict.items(self))}

    def read_all(self) -> dict[str, Any]:
        """All values, read; from now on they may be changed."""
        if self.factory is not None:
            values = self.factory.instance(self.raw).attribute_values
            self.factory, self.text = None, None
            kept = dict(dict.items(self))
            dict.update(self, {**values, **kept})
        return self


def _reading_all(name: str, *, tells: bool) -> Any:
    method = getattr(dict, name)

    def read_all_first(self: LazyValues, *arguments: Any, **more: Any) -> Any:
        values = self.read_all()
        if tells and self.reads is not None:
            self.reads.add(EVERYTHING)
        return method(values, *arguments, **more)

    return wraps(method)(read_all_first)


_TELLING = (
    "__contains__ __eq__ __getitem__ __iter__ __len__ __ne__ __or__ __repr__ __reversed__ __ror__ "
    "copy items keys pop popitem setdefault values"
)
"""The methods of dict before which all values have to be read, and which tell of them."""
_CHANGING = "__delitem__ __ior__ __setitem__ clear update"
"""The same, of those that only change values."""
for _name in (*_TELLING.split(), *_CHANGING.split()):
    setattr(LazyValues, _name, _reading_all(_name, tells=_name in _TELLING.split()))
