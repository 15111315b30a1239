"""The indexes that a model declares, and which model has declared the same as another before."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.indexes import Index
from pynamodb.models import Model

_THEIRS = frozenset(Model.__mro__)


@cache
def origin(model: type[Model]) -> type[Model]:
    """The first of a model's parents that has the same attributes, and like it no index; itself where none has."""
    base = model.__mro__[1]
    if not issubclass(base, Model) or base is Model or base.__mro__ != model.__mro__[1:]:
        return model
    if model.get_attributes().keys() != base.get_attributes().keys():
        return model
    # PynamoDB gives each model copies of its parents' indexes.
    return model if _declares(frozenset(map(type, vars(model).values()))) else origin(base)


@cache
def _declares(kinds: frozenset[type]) -> bool:
    """Whether some of what a class holds, of these types, is an attribute or an index."""
    return any(issubclass(kind, Attribute | Index) for kind in kinds)


@cache
def indexes_of(model: type[Model]) -> Mapping[str, Index[Any]]:
    """Name in the source -> index of a model, inherited ones too, in the order of the names."""
    own = [vars(cls) for cls in model.__mro__ if cls not in _THEIRS]
    found = {name for said in own for name, one in said.items() if isinstance(one, Index)}
    if not found:
        return {}
    members = {name: getattr(model, name) for name in sorted(found)}
    return {name: one for name, one in members.items() if isinstance(one, Index)}
