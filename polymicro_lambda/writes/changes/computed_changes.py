"""Changes of an attribute whose result rests on the item: PynamoDB's expressions, merges into maps, composed keys."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from pynamodb.models import Model

from polymicro_lambda.dynamodb import UnfitPart
from polymicro_lambda.schemas import Merge

from .atomic_changes import AtomicChange, Uncomputable, atomic_change
from .composed_changes import ComposedChange
from .map_merges import MOST_BYTES, MergedAttribute
from .merged_values import UnfitMap

ComputedChange: TypeAlias = AtomicChange | MergedAttribute | ComposedChange
NO_RESULT = (Uncomputable, UnfitMap, UnfitPart)
"""What is raised for an item of which a change makes none."""


def computed_change(model: type[Model], name: str, value: Any) -> AtomicChange | MergedAttribute | None:
    """The change of an attribute, by its Python name, that a value stands for; None for a value that is to be stored.

    Raises ``ConfigurationError`` for what this attribute cannot take, ``Unprocessable`` for a map that lacks members.
    """
    if type(value) is not Merge:
        return atomic_change(model, name, value)
    attribute = model.get_attributes().get(name)
    return None if attribute is None else MergedAttribute(name, attribute, value)


def must_read_for(changes: Sequence[ComputedChange]) -> bool:
    """Whether the item must be read for them; too many members of maps together are written as whole maps."""
    merges = [one for one in changes if isinstance(one, MergedAttribute)]
    if sum(one.size for one in merges) > MOST_BYTES:
        for one in merges:
            one.reads = True
    return any(one.reads for one in changes)
