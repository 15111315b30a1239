"""Attributes that a second read of the same stored item may show with another value."""

from functools import cache
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.models import Model

from .instances import is_read_as_usual

_PACKAGES = ("pynamodb.", "polymicro_lambda.")
"""Packages whose attributes read the same value from the same stored one."""


@cache
def is_volatile(model: type[Model]) -> bool:
    """Whether two reads of one stored item may show different values."""
    return not is_read_as_usual(model) or any(map(_is_volatile, model.get_attributes().values()))


def _is_volatile(attribute: Attribute[Any]) -> bool:
    """Whether one stored value may read as another the next time."""
    element = getattr(attribute, "element_type", None)
    return _is_volatile_class(type(attribute)) or (element is not None and _is_volatile_class(element))


def _is_volatile_class(kind: type[Attribute[Any]]) -> bool:
    """The same of an attribute's class: it, or a member of it, has a way of its own."""
    ways = (kind.deserialize, kind.get_value, kind.__get__, kind.__set__)
    if hasattr(kind, "marshmallow_field") or not all(way.__module__.startswith(_PACKAGES) for way in ways):
        return True
    members = kind.get_attributes().values() if issubclass(kind, MapAttribute) else ()
    return any(map(_is_volatile, members))
