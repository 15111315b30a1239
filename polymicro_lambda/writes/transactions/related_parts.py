"""Related items on which a write is conditional, as ConditionChecks of its transaction."""

from collections.abc import Hashable, Iterable
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.rules import RelatedPin, item_id
from polymicro_lambda.types import RawItem

from .transact_write import TransactionPart, transaction_part


def related_parts(
    pins: Iterable[RelatedPin], model: type[Model], key: RawItem
) -> tuple[list[Condition], tuple[TransactionPart, ...]]:
    """Conditions of the write to the item with this key, and one ConditionCheck for each other item.

    DynamoDB takes one action an item: where the related item is the one that is written, its condition joins the write.
    """
    found: dict[Hashable, tuple[type[Model], RawItem, list[Condition]]] = {}
    for check, related in pins:
        if related is not None:
            place = item_id(check.model, related)
            conditions = found.setdefault(place, (check.model, related, []))[2]
            conditions.append(check.write_condition())
    _, _, own = found.pop(item_id(model, key), (model, key, []))
    return own, tuple(
        transaction_part(related_model, "ConditionCheck", [reduce(and_, conditions)], Key=related)
        for related_model, related, conditions in found.values()
    )
