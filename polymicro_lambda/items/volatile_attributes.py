"""Attributes that a second read of the same stored item may show with another value."""

from functools import cache
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.models import Model

from polymicro_lambda.types import RawItem

from .instances import is_read_as_usual

_PACKAGES = ("pynamodb.", "polymicro_lambda.")
"""Packages whose attributes read the same value from the same stored one."""


def reads_alike(model: type[Model], raw: RawItem) -> bool:
    """Whether all reads of a stored item show the same: no value is made anew, as by a default that is called."""
    called = _called_defaults(model)
    return called is not None and all(raw.get(name) and "NULL" not in raw[name] for name in called)


def is_volatile(model: type[Model]) -> bool:
    """Whether two reads of one stored item may differ though no attribute of the model is absent."""
    return _called_defaults(model) is None


@cache
def _called_defaults(model: type[Model]) -> frozenset[str] | None:
    """The attributes, by their names in DynamoDB, whose absence calls a default; None where any read may differ."""
    attributes = model.get_attributes().values()
    if not is_read_as_usual(model) or any(map(_is_volatile, attributes)):
        return None
    return frozenset(one.attr_name for one in attributes if callable(one.default))


def _is_volatile(attribute: Attribute[Any]) -> bool:
    """Whether one stored value may read as another the next time."""
    element = getattr(attribute, "element_type", None)
    return _is_volatile_class(type(attribute)) or (element is not None and _is_volatile_class(element))


def _is_volatile_class(kind: type[Attribute[Any]]) -> bool:
    """The same of an attribute's class: it has a way of its own, or a member with a called default."""
    ways = (kind.deserialize, kind.get_value, kind.__get__, kind.__set__)
    if hasattr(kind, "marshmallow_field") or not all(way.__module__.startswith(_PACKAGES) for way in ways):
        return True
    members = kind.get_attributes().values() if issubclass(kind, MapAttribute) else ()
    return any(callable(one.default) or _is_volatile(one) for one in members)
