"""What a filter is of: an attribute, or a member of a map by a name with dots, ``"address.city"``."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pynamodb.attributes import Attribute, ListAttribute, MapAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean


@cache
def attributes_along(model: type[Model], name: str) -> Sequence[Attribute[Any]]:
    """The attributes that a name leads through, of which the last is its own.

    Raises ``ConfigurationError`` for a name that leads to none, and where the type of what stands there is unknown.
    """
    first, *rest = name.split(".")
    if first not in model.get_attributes():
        if isinstance(model.get_attributes().get(first.split("__")[0]), MapAttribute):
            raise ConfigurationError(f"the model has no such attribute: write {name.replace('__', '.')}")
        near = did_you_mean(first, model.get_attributes())
        raise ConfigurationError(f"the model has no such attribute{near}")
    found: list[Attribute[Any]] = [model.get_attributes()[first]]
    for member in rest:
        found.append(_member(found[-1], member))
    return found


def _member(attribute: Attribute[Any], name: str) -> Attribute[Any]:
    kind: Any = type(attribute)
    if isinstance(attribute, ListAttribute):
        raise ConfigurationError(f"{name!r} is in a list: filters lead through maps alone")
    if not isinstance(attribute, MapAttribute):
        raise ConfigurationError(f"{kind.__name__} has no members")
    known = kind.get_attributes()
    if name in known:
        member: Attribute[Any] = known[name]
        return member
    if kind.is_raw() or not known:
        raise ConfigurationError(f"the type of {name!r} is unknown: declare it in a MapAttribute of your own")
    raise ConfigurationError(f"{kind.__name__} has no attribute {name!r}{did_you_mean(name, known)}")


def names_above(name: str) -> Iterator[str]:
    """The name itself, and those of the maps around it."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
