"""A single write whose answer got lost: the item is read before anything is answered, and before a second write."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ExpressionTooLarge, get_item, model_info
from polymicro_lambda.types import RawItem

from .conditional_writes import ConditionFailed, OutcomeUnknown

Write: TypeAlias = Callable[[Sequence[Condition]], dict[str, Any]]
"""A write, on these conditions besides its own."""
IsDone: TypeAlias = Callable[[RawItem | None], bool]
"""Whether an item, or none, is what a write leaves."""


def resolve_lost_answer(
    unknown: OutcomeUnknown,
    model: type[Model],
    key: RawItem,
    write: Write,
    is_done: IsDone,
    may_repeat: IsDone | None = None,
) -> dict[str, Any]:
    """The answer (``Attributes``) of a write of one item, read from the table as the answer got lost.

    A write whose connection was closed, and which the item does not show, is sent once more, on the condition that
    the item has not changed since it was read. ``may_repeat`` says whether it may be, where that is not the same as
    that it is not done. Raises as ``write``, and ``unknown.answer`` where nothing is certain.
    """
    item = get_item(model, key)
    if unknown.hung_up and not is_done(item) and (may_repeat is None or may_repeat(item)):
        try:
            return write(() if item is None else _whole_item_unchanged(model, item))
        except (OutcomeUnknown, ExpressionTooLarge):  # an item of too many attributes cannot be pinned
            item = get_item(model, key)
        except ConditionFailed as error:
            item = error.item
    if not is_done(item):
        raise unknown.answer from unknown
    return {"Attributes": item}


def _whole_item_unchanged(model: type[Model], item: RawItem) -> list[Condition]:
    """The item still has this version, or where it has no version all of these attributes."""
    version = model_info(model).version
    if version is not None:
        return unchanged_conditions(item, [version.attr_name])
    return unchanged_conditions(
        item, {*item, *(attribute.attr_name for attribute in model.get_attributes().values())}
    )


def unchanged_conditions(item: RawItem, names: Iterable[str]) -> list[Condition]:
    """The conditions that the stored item has these attributes as ``item`` has them, or has them not."""
    paths = {name: Path([name]) for name in sorted(names)}
    return [p == Value(item[name]) if name in item else p.does_not_exist() for name, p in paths.items()]
