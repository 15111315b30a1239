"""What is known of how PynamoDB makes instances of stored items, and a shorter way to the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.schemas import fast_path_is_on
from polymicro_lambda.types import RawItem

from .readers import ItemReader, reader_of
from .stored_items import RAW, remember_stored_item


def instance_of(model: type[Model], raw: RawItem) -> Model:
    """The instance of a stored item; it remembers the item. Raises whatever an attribute does for a poison row."""
    makes = model_members(model)
    if makes is None:
        instance = model.from_raw_data(raw)
        remember_stored_item(instance, raw)
        return instance
    text = None if makes.reader is None else makes.reader.text(raw)
    if text is None:
        instance = makes.made(raw)
    else:
        instance = model.__new__(model)
        values = instance.attribute_values = LazyValues()
        values.raw, values.members, values.text = raw, makes, text
    vars(instance)[RAW] = raw
    return instance


def unchanged_json(instance: Model) -> dict[str, Any] | None:
    """All attributes, ready for JSON, where the instance is as it was read; else None."""
    values = instance.attribute_values
    if type(values) is not LazyValues or values.text is None or values.members is None:
        return None
    return None if values.members.reader is None else values.members.reader.shown(values.raw)


def unchanged_text(instance: Model) -> str | None:
    """The same as JSON text."""
    values = instance.attribute_values
    return values.text if type(values) is LazyValues else None


@dataclass(frozen=True, slots=True)
class _Member:
    """An attribute of a model, by its name in Python and in DynamoDB."""

    name: str
    stored: str
    attribute: Attribute[Any]
    plain: bool
    """Setting it puts the value among the instance's values as it is."""


@dataclass(frozen=True, slots=True)
class Members:
    """What reading an item of a model sets."""

    model: type[Model]
    by_name: Mapping[str, _Member]
    reader: ItemReader | None
    """What shows items without reading them, None where that is switched off or the model has a way of its own."""
    plain_keys: bool = False
    """Setting a key attribute puts its value among the instance's values as it is."""

    def made(self, raw: RawItem) -> Model:
        """What ``from_raw_data`` gives, which makes each default twice before it reads what stands in the item."""
        instance = self.model.__new__(self.model)
        instance.attribute_values = {}
        for member in self.by_name.values():
            _read(instance, member, raw)
        return instance


def _read(instance: Model, member: _Member, raw: RawItem) -> None:
    """Set one attribute to what the stored item has."""
    attribute, stored = member.attribute, raw.get(member.stored)
    if stored and "NULL" not in stored:
        value = attribute.deserialize(attribute.get_value(stored))
    else:
        value = attribute.default() if callable(attribute.default) else attribute.default
        if value is None:
            return
    if member.plain:
        instance.attribute_values[member.name] = value
    else:
        setattr(instance, member.name, value)


@cache
def model_members(model: type[Model]) -> Members | None:
    """What reading an item sets, None where the model, or PynamoDB for it, goes another way about it."""
    steps = (
        "__init__",
        "__setattr__",
        "from_raw_data",
        "_instantiate",
        "_container_deserialize",
        "_set_defaults",
    )
    as_ever = all(_function(model, step) is _function(Model, step) for step in steps)
    if not as_ever or model._get_discriminator_attribute() is not None:
        return None
    found = {
        name: _Member(name, one.attr_name, one, type(one).__set__ is Attribute.__set__)
        for name, one in model.get_attributes().items()
    }
    shows = fast_path_is_on() and _function(model, "__getattribute__") is _function(Model, "__getattribute__")
    plain_keys = all(
        one.plain for one in found.values() if one.attribute.is_hash_key or one.attribute.is_range_key
    )
    return Members(model, found, reader_of(model) if shows else None, plain_keys)


def _function(model: type[Model], name: str) -> Any:
    found = getattr(model, name)
    return getattr(found, "__func__", found)


def key_only_instance(model: type[Model], key: Mapping[str, Any]) -> Model:
    """An instance that holds its key and nothing else: the item has not been read."""
    members = model_members(model)
    if members is None:
        instance = model(_user_instantiated=False)
        instance.attribute_values.clear()
    else:
        instance = model.__new__(model)
        instance.attribute_values = {}
        if members.plain_keys:
            instance.attribute_values.update(key)
            return instance
    for name, value in key.items():
        setattr(instance, name, value)
    return instance


UNCHANGING = (str, int, float, bool, bytes, datetime, type(None))
"""What somebody can have without being able to change what the instance holds."""


class LazyValues(dict[str, Any]):
    """An instance's values, each read from the stored item when it is asked for.

    ``text`` is the JSON that they show, until one may have been changed.
    """

    __slots__ = ("members", "raw", "text")
    raw: RawItem
    members: Members | None
    text: str | None

    def get(self, key: str, default: Any = None) -> Any:
        """One value; no other is read for it."""
        members = self.members
        if members is not None and key in members.by_name and not dict.__contains__(self, key):
            holder = members.model.__new__(members.model)
            holder.attribute_values = {}
            _read(holder, members.by_name[key], self.raw)
            dict.update(self, holder.attribute_values)
        value = dict.get(self, key, default)
        if not isinstance(value, UNCHANGING):
            self.text = None
        return value

    def peek(self) -> dict[str, Any]:
        """All values, each as ``get`` would give it, for one who does not change them."""
        read = {} if self.members is None else self.members.made(self.raw).attribute_values
        return {**read, **dict(dict.items(self))}

    def whole(self) -> dict[str, Any]:
        """All values, read; from now on they may be changed."""
        if self.members is not None:
            values = self.members.made(self.raw).attribute_values
            self.members, self.text = None, None
            kept = dict(dict.items(self))
            dict.update(self, {**values, **kept})
        return self


def _whole(name: str) -> Any:
    method = getattr(dict, name)

    def of_all(self: LazyValues, *arguments: Any, **more: Any) -> Any:
        return method(self.whole(), *arguments, **more)

    return wraps(method)(of_all)


for _name in (
    *(
        "__contains__",
        "__delitem__",
        "__eq__",
        "__getitem__",
        "__ior__",
        "__iter__",
        "__len__",
        "__ne__",
        "__or__",
    ),
    *(
        "__repr__",
        "__reversed__",
        "__ror__",
        "__setitem__",
        "clear",
        "copy",
        "items",
        "keys",
        "pop",
        "popitem",
    ),
    *("setdefault", "update", "values"),
):
    setattr(LazyValues, _name, _whole(_name))
