"""Conditions and updates as DynamoDB's expressions: the text that PynamoDB writes, made in less time."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from operator import and_
from typing import Any, NamedTuple, TypeAlias, TypeVar

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
from pynamodb.expressions.operand import Path, Value, _Size
from pynamodb.expressions.update import Action, AddAction, DeleteAction, RemoveAction, SetAction

T = TypeVar("T")

MOST_BYTES = 4096
"""Bytes of an expression's text (DynamoDB, service quotas)."""
MOST_OPERATORS = 300
"""Operators and functions of an expression (the same); ``AND``, ``OR``, ``NOT`` and ``size`` are some."""
JUNCTIONS = frozenset({"AND", "OR", "NOT"})
"""The operators whose operands are conditions."""

Names: TypeAlias = dict[str, str]
"""Attribute -> placeholder."""
Values: TypeAlias = dict[str, Any]
"""Placeholder -> value."""


class SimpleClause(NamedTuple):
    """A condition on one attribute, or a change of it, whose expression does not depend on the value."""

    form: str
    """A key of ``_FORMS``."""
    name: str
    """The attribute's name in DynamoDB."""
    value: Any = None

    def to_pynamodb(self) -> Any:
        """PynamoDB's condition or action of the same meaning."""
        return _FORMS[self.form](Path([self.name]), Value(self.value))


class MemberPath(Path):
    """The path of an attribute or of a member of maps: each segment is a name, brackets and dots in it too."""


_ALL_SIMPLE = {SimpleClause}
ConditionClause: TypeAlias = "Condition | SimpleClause"
UpdateStep: TypeAlias = "Action | SimpleClause"


def expression_arguments(
    conditions: Sequence[ConditionClause], actions: Sequence[UpdateStep] = ()
) -> dict[str, Any]:
    """Botocore's arguments for ``conditions``, all of which must hold, and ``actions`` of an update."""
    every = (*actions, *conditions)
    if {*map(type, every)} == _ALL_SIMPLE:
        return _from_template(every, len(actions))
    made = [one.to_pynamodb() if isinstance(one, SimpleClause) else one for one in actions]
    return _expressions(
        [one.to_pynamodb() if isinstance(one, SimpleClause) else one for one in conditions], made
    )


def _from_template(every: Sequence[Any], actions: int) -> dict[str, Any]:
    """The arguments for simple clauses: a template is made the first time, the values are put into it."""
    texts, names, places = _template(tuple([(form, name) for form, name, _ in every]), actions)
    if not places:
        return {**texts, "ExpressionAttributeNames": {**names}}
    values = {placeholder: every[place][2] for placeholder, place in places}
    return {**texts, "ExpressionAttributeNames": {**names}, "ExpressionAttributeValues": values}


@lru_cache(maxsize=512)
def _template(
    every: tuple[tuple[str, str], ...], actions: int
) -> tuple[dict[str, str], dict[str, str], tuple[tuple[str, int], ...]]:
    """The expressions, their names, and for each placeholder the place of its value among the clauses."""
    made = [SimpleClause(*one, {"N": str(place)}).to_pynamodb() for place, one in enumerate(every)]
    texts = _expressions(made[actions:], made[:actions])
    names, values = texts.pop("ExpressionAttributeNames"), texts.pop("ExpressionAttributeValues", {})
    return texts, names, tuple((placeholder, int(value["N"])) for placeholder, value in values.items())


def _expressions(conditions: Sequence[Condition], actions: Sequence[Action]) -> dict[str, Any]:
    names: Names = {}
    values: Values = {}
    arguments: dict[str, Any] = {}
    if actions:
        arguments["UpdateExpression"] = update_expression(actions, names, values)
    arguments["ConditionExpression"] = condition_expression(reduce(and_, conditions), names, values)
    arguments["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
    return arguments | ({"ExpressionAttributeValues": values} if values else {})


class ExpressionTooLarge(Exception):
    """DynamoDB takes no expression of that size; the text says what of it is too large."""


def in_post_order(condition: Condition) -> list[Condition]:
    """The conditions within a condition and itself: each after its parts, without recursion, however deep."""
    nodes, left = [], [condition]
    while left:
        nodes.append(node := left.pop())
        if node.operator in JUNCTIONS:
            left.extend(node.values)
    nodes.reverse()
    return nodes


def fold_condition(
    nodes: Sequence[Condition], leaf: Callable[[Condition], T], junction: Callable[[Condition, list[T]], T]
) -> T:
    """The result of a condition, given ``in_post_order``: of its leaves first, then of what joins them."""
    results: list[T] = []
    for node in nodes:
        if node.operator not in JUNCTIONS:
            results.append(leaf(node))
            continue
        first = len(results) - len(node.values)
        results[first:] = [junction(node, results[first:])]
    return results[0]


def condition_expression(condition: Condition, names: Names, values: Values) -> str:
    """The condition as an expression; its placeholders are added to ``names`` and ``values``.

    Raises ``ExpressionTooLarge``.
    """
    if condition.operator not in JUNCTIONS:
        return _leaf_text(condition, names, values)
    nodes = in_post_order(condition)
    _check_operators(len(nodes))
    text = fold_condition(nodes, lambda leaf: _leaf_text(leaf, names, values), _junction_text)
    if len(text) > MOST_OPERATORS:  # with fewer bytes there are fewer operators
        _check_operators(len(nodes) + sum(type(one) is _Size for node in nodes for one in node.values))
    if len(text) > MOST_BYTES:
        raise ExpressionTooLarge(f"an expression of {len(text)} bytes, of which it takes {MOST_BYTES}")
    return text


def fits(conditions: Sequence[Condition], names: int = 0, values: int = 0) -> bool:
    """Whether DynamoDB takes these together as one expression, beside so many placeholders of another one."""
    try:
        condition_expression(reduce(and_, conditions), _taken("#", names), _taken(":", values))
    except ExpressionTooLarge:
        return False
    return True


def _taken(sign: str, count: int) -> dict[str, Any]:
    return {f"{sign} {number}": sign for number in range(count)}


def _check_operators(count: int) -> None:
    if count > MOST_OPERATORS:
        raise ExpressionTooLarge(f"an expression of {count} operators, of which it takes {MOST_OPERATORS}")


def _leaf_text(condition: Condition, names: Names, values: Values) -> str:
    operands = [_operand(each, names, values) for each in condition.values]
    return condition.format_string.format(*operands, operator=condition.operator)


def _junction_text(condition: Condition, parts: list[str]) -> str:
    return condition.format_string.format(*parts, operator=condition.operator)


def update_expression(actions: Sequence[Action], names: Names, values: Values) -> str:
    """The actions as an update expression; its placeholders are added to ``names`` and ``values``."""
    clauses = []
    for keyword, kind in _CLAUSES:
        texts = [_action(one, names, values) for one in actions if isinstance(one, kind)]
        if texts:
            clauses.append(f"{keyword} {', '.join(texts)}")
    return " ".join(clauses)


def _action(action: Action, names: Names, values: Values) -> str:
    return action.format_string.format(*[_operand(each, names, values) for each in action.values])


def _operand(operand: Any, names: Names, values: Values) -> str:
    return _WRITERS.get(type(operand), _by_pynamodb)(operand, names, values)


def name_placeholder(attribute: str, names: Names) -> str:
    """The placeholder of an attribute; it is added to ``names``."""
    return names.setdefault(attribute, f"#{len(names)}")


def _path(operand: Any, names: Names, values: Values) -> str:
    segments = operand.values[0]
    if len(segments) > 1 or not segments[0] or "[" in segments[0] or "]" in segments[0]:
        return _by_pynamodb(operand, names, values)
    return name_placeholder(segments[0], names)


def _member_path(operand: Any, names: Names, _: Values) -> str:
    return ".".join([name_placeholder(segment, names) for segment in operand.path])


def _value(operand: Any, _: Names, values: Values) -> str:
    placeholder = f":{len(values)}"
    values[placeholder] = operand.values[0]
    return placeholder


def _by_pynamodb(operand: Any, names: Names, values: Values) -> str:
    text: str = operand.serialize(names, values)
    return text


_FORMS: Mapping[str, Callable[[Path, Value], Any]] = {
    "there": lambda path, _: path.exists(),
    "free": lambda path, _: path.does_not_exist(),
    "same": lambda path, value: path == value,
    "set": SetAction,
    "remove": lambda path, _: RemoveAction(path),
    "add": AddAction,
}
"""Form of a ``SimpleClause`` -> a function that makes PynamoDB's condition or action."""
_CLAUSES = (("SET", SetAction), ("REMOVE", RemoveAction), ("ADD", AddAction), ("DELETE", DeleteAction))
_CONDITIONS = (And, BeginsWith, Between, Comparison, Contains, Exists, In, IsType, Not, NotExists, Or)
_WRITERS: Mapping[type, Callable[[Any, Names, Values], str]] = {
    Path: _path,
    MemberPath: _member_path,
    Value: _value,
    **dict.fromkeys(_CONDITIONS, condition_expression),
}
"""Exact class of an operand -> a function that writes it."""
