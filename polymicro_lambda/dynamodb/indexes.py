"""The indexes that a PynamoDB model declares."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pynamodb.indexes import Index
from pynamodb.models import Model

_PYNAMODB_CLASSES = frozenset(Model.__mro__)


@cache
def indexes_of(model: type[Model]) -> Mapping[str, Index[Any]]:
    """Python name -> index of a model, inherited ones too, in the order of the names."""
    namespaces = [vars(cls) for cls in model.__mro__ if cls not in _PYNAMODB_CLASSES]
    names = {name for members in namespaces for name, one in members.items() if isinstance(one, Index)}
    if not names:
        return {}
    found = {name: getattr(model, name) for name in sorted(names)}
    return {name: one for name, one in found.items() if isinstance(one, Index)}


def model_of_index(index: Index[Any]) -> type[Model]:
    """The model that the index belongs to."""
    model: type[Model] = index._model
    return model
