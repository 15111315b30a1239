"""Conditions as DynamoDB's expressions: word for word what PynamoDB writes, with less ado about plain attributes."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from operator import and_
from typing import Any, NamedTuple, TypeAlias

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


class SimpleClause(NamedTuple):
    """A condition on one attribute, or a change of it: its expression reads alike whatever the value is."""

    form: str
    name: str
    value: Any = None

    def made(self) -> Any:
        """PynamoDB's own of the same meaning."""
        return _FORMS[self.form](Path([self.name]), Value(self.value))


_ALL_PLAIN = {SimpleClause}
Clause: TypeAlias = "Condition | SimpleClause"
Step: TypeAlias = "Action | SimpleClause"


def expressions_of(conditions: Sequence[Clause], actions: Sequence[Step] = ()) -> dict[str, Any]:
    """Conditions, all of which must hold, and what is done then, as botocore takes them."""
    every = (*actions, *conditions)
    if {*map(type, every)} == _ALL_PLAIN:
        return _plainly(every, len(actions))
    made = [one.made() if isinstance(one, SimpleClause) else one for one in actions]
    return _written([one.made() if isinstance(one, SimpleClause) else one for one in conditions], made)


def _plainly(every: Sequence[Any], actions: int) -> dict[str, Any]:
    """The same of what is plain: the words are known from the first time, the values are put in."""
    words, names, places = _words(tuple([(form, name) for form, name, _ in every]), actions)
    if not places:
        return {**words, "ExpressionAttributeNames": {**names}}
    values = {placeholder: every[place][2] for placeholder, place in places}
    return {**words, "ExpressionAttributeNames": {**names}, "ExpressionAttributeValues": values}


@lru_cache(maxsize=512)
def _words(
    every: tuple[tuple[str, str], ...], actions: int
) -> tuple[dict[str, str], dict[str, str], tuple[tuple[str, int], ...]]:
    """The expressions, their names, and which value stands behind each placeholder."""
    made = [SimpleClause(*one, {"N": str(place)}).made() for place, one in enumerate(every)]
    said = _written(made[actions:], made[:actions])
    names, found = said.pop("ExpressionAttributeNames"), said.pop("ExpressionAttributeValues", {})
    return said, names, tuple((placeholder, int(value["N"])) for placeholder, value in found.items())


def _written(conditions: Sequence[Condition], actions: Sequence[Action]) -> dict[str, Any]:
    names: Names = {}
    values: Values = {}
    said: dict[str, Any] = {}
    if actions:
        said["UpdateExpression"] = update_expression(actions, names, values)
    said["ConditionExpression"] = condition_expression(reduce(and_, conditions), names, values)
    said["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
    return said | ({"ExpressionAttributeValues": values} if values else {})


def condition_expression(condition: Condition, names: Names, values: Values) -> str:
    """The condition as an expression; its placeholders are added to ``names`` and ``values``."""
    operands = [_operand(each, names, values) for each in condition.values]
    return condition.format_string.format(*operands, operator=condition.operator)


def update_expression(actions: Sequence[Action], names: Names, values: Values) -> str:
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


def name_placeholder(attribute: str, names: Names) -> str:
    """The placeholder of an attribute; it is added to ``names``."""
    return names.setdefault(attribute, f"#{len(names)}")


def _path(operand: Any, names: Names, values: Values) -> str:
    segments = operand.values[0]
    if len(segments) > 1 or not segments[0] or "[" in segments[0] or "]" in segments[0]:
        return _its_own(operand, names, values)
    return name_placeholder(segments[0], names)


def _value(operand: Any, _: Names, values: Values) -> str:
    placeholder = f":{len(values)}"
    values[placeholder] = operand.values[0]
    return placeholder


def _its_own(operand: Any, names: Names, values: Values) -> str:
    said: str = operand.serialize(names, values)
    return said


_FORMS: Mapping[str, Callable[[Path, Value], Any]] = {
    "there": lambda path, _: path.exists(),
    "free": lambda path, _: path.does_not_exist(),
    "same": lambda path, value: path == value,
    "set": SetAction,
    "remove": lambda path, _: RemoveAction(path),
    "add": AddAction,
}
"""What a plain one does -> what makes PynamoDB's own of it."""
_CLAUSES = (("SET", SetAction), ("REMOVE", RemoveAction), ("ADD", AddAction), ("DELETE", DeleteAction))
_CONDITIONS = (And, BeginsWith, Between, Comparison, Contains, Exists, In, IsType, Not, NotExists, Or)
_WAYS: Mapping[type, Callable[[Any, Names, Values], str]] = {
    Path: _path,
    Value: _value,
    **dict.fromkeys(_CONDITIONS, condition_expression),
}
"""The exact class of an operand -> what writes it."""
