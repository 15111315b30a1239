"""The indexes that a model declares."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pynamodb.indexes import Index
from pynamodb.models import Model

_THEIRS = frozenset(Model.__mro__)


@cache
def indexes_of(model: type[Model]) -> Mapping[str, Index[Any]]:
    """Name in the source -> index of a model, inherited ones too, in the order of the names."""
    own = [vars(cls) for cls in model.__mro__ if cls not in _THEIRS]
    found = {name for said in own for name, one in said.items() if isinstance(one, Index)}
    if not found:
        return {}
    members = {name: getattr(model, name) for name in sorted(found)}
    return {name: one for name, one in members.items() if isinstance(one, Index)}
