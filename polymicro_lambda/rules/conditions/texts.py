"""Conditions as texts for people: DynamoDB's expression, with the values in it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value

from polymicro_lambda.dynamodb import fold_condition, in_post_order


def condition_text(part: Any) -> str:
    """A condition, or an operand of one, as DynamoDB's expression with the values in it."""
    if isinstance(part, Condition):
        text: str = fold_condition(in_post_order(part), lambda leaf: _of_parts(leaf, leaf.values), _of_parts)
        return text
    return stored_text(part.value) if isinstance(part, Value) else str(part)


def _of_parts(condition: Condition, parts: Sequence[Any]) -> str:
    """A condition of these operands, or of conditions that are texts already."""
    text: str = condition.format_string.format(*map(condition_text, parts), operator=condition.operator)
    return text


def stored_text(raw: Mapping[str, Any]) -> str:
    """A stored value: a number as it is written, all else as JSON."""
    return " ".join(
        str(value) if kind == "N" else json.dumps(value, ensure_ascii=False, default=repr)
        for kind, value in raw.items()
    )
