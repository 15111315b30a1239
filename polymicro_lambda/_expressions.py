"""Conditions as DynamoDB's expressions: word for word what PynamoDB writes, with less ado about plain attributes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pynamodb.expressions.condition import (
    And,
    BeginsWith,
    Between,
    Comparison,
    Condition,
    Contains,
    Exists,
    In,
    IsType,
    Not,
    NotExists,
    Or,
)
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, DeleteAction, RemoveAction, SetAction

Names: TypeAlias = dict[str, str]
"""Attribute -> placeholder."""
Values: TypeAlias = dict[str, Any]
"""Placeholder -> value."""


def expression_of(condition: Condition, names: Names, values: Values) -> str:
    """The condition as an expression; its placeholders are added to ``names`` and ``values``."""
    operands = [_operand(each, names, values) for each in condition.values]
    return condition.format_string.format(*operands, operator=condition.operator)


def update_of(actions: Sequence[Action], names: Names, values: Values) -> str:
    """The actions as an update expression; its placeholders are added to ``names`` and ``values``."""
    clauses = []
    for keyword, kind in _CLAUSES:
        said = [_action(one, names, values) for one in actions if isinstance(one, kind)]
        if said:
            clauses.append(f"{keyword} {', '.join(said)}")
    return " ".join(clauses)


def _action(action: Action, names: Names, values: Values) -> str:
    return action.format_string.format(*[_operand(each, names, values) for each in action.values])


def _operand(operand: Any, names: Names, values: Values) -> str:
    return _WAYS.get(type(operand), _its_own)(operand, names, values)


def name_of(attribute: str, names: Names) -> str:
    """The placeholder of an attribute; it is added to ``names``."""
    return names.setdefault(attribute, f"#{len(names)}")


def _path(operand: Any, names: Names, values: Values) -> str:
    segments = operand.values[0]
    if len(segments) > 1 or not segments[0] or "[" in segments[0] or "]" in segments[0]:
        return _its_own(operand, names, values)
    return name_of(segments[0], names)


def _value(operand: Any, _: Names, values: Values) -> str:
    placeholder = f":{len(values)}"
    values[placeholder] = operand.values[0]
    return placeholder


def _its_own(operand: Any, names: Names, values: Values) -> str:
    said: str = operand.serialize(names, values)
    return said


_CLAUSES = (("SET", SetAction), ("REMOVE", RemoveAction), ("ADD", AddAction), ("DELETE", DeleteAction))
_CONDITIONS = (And, BeginsWith, Between, Comparison, Contains, Exists, In, IsType, Not, NotExists, Or)
_WAYS: Mapping[type, Callable[[Any, Names, Values], str]] = {
    Path: _path,
    Value: _value,
    **dict.fromkeys(_CONDITIONS, expression_of),
}
"""The exact class of an operand -> what writes it."""
