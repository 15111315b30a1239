"""A write whose answer got lost: what became of it is read before anybody is told, and before it is done again."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, model_info
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown

Act: TypeAlias = Callable[[Sequence[Condition]], dict[str, Any]]
"""A write, on these conditions besides its own."""
IsDone: TypeAlias = Callable[[RawItem | None], bool]
"""Whether an item, or none, is what a write leaves."""


def resolve_lost_answer(
    unknown: OutcomeUnknown, model: type[Model], key: RawItem, act: Act, is_done: IsDone
) -> dict[str, Any]:
    """What a write of one item answers whose answer got lost: the item, if it is as the write leaves it.

    A write whose connection was closed is done once more if it is not found done, on the condition that what was
    found has not changed since. Raises as ``act``, and what is said of the ``unknown`` where nothing is certain.
    """
    item = get_item(model, key)
    if unknown.hung_up and not is_done(item):
        try:
            return act(() if item is None else _as(model, item))
        except OutcomeUnknown:
            item = get_item(model, key)
        except ConditionFailed as error:
            item = error.item
    if not is_done(item):
        raise unknown.answer from unknown
    return {"Attributes": item}


def _as(model: type[Model], item: RawItem) -> list[Condition]:
    """The item is still of this version, or where it has none as it is here."""
    version = model_info(model).version
    if version is not None:
        return unchanged_conditions(item, [version.attr_name])
    return unchanged_conditions(
        item, {*item, *(attribute.attr_name for attribute in model.get_attributes().values())}
    )


def unchanged_conditions(item: RawItem, names: Iterable[str]) -> list[Condition]:
    """These attributes of the stored item are as they are here."""
    paths = {name: Path([name]) for name in sorted(names)}
    return [p == Value(item[name]) if name in item else p.does_not_exist() for name, p in paths.items()]
