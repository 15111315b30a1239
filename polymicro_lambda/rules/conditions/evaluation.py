"""PynamoDB conditions judged here as DynamoDB judges them there.

A ConditionExpression knows only true and false: a test of something missing is false, but for ``<>``, the
exact opposite of ``=``, and ``NOT`` turns whatever it is given. Numbers are equal however written; two types
are never equal and in no order.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, DecimalException
from functools import partial
from typing import Any, TypeAlias

from pynamodb.constants import ATTRIBUTE_TYPES
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import (
    InvalidExpression,
    TypedValue,
    fold_condition,
    in_post_order,
    typed_value,
)

from .defaults import OF_STORAGE, default_at
from .operators import OPERATORS, ORDERED_TYPES, PREFIX_TYPES, SIZES, OperatorTest
from .paths import Item, Size, steps_of, stored_reader


def holds(condition: Condition, item: Item) -> bool:
    """Whether a conditional write on this item would go through.

    ``item`` is ``{attr_name: {type: value}}`` as DynamoDB stores it, ``B`` as bytes; ``{}`` is no item.
    A condition that DynamoDB refuses as a whole (a ValidationException) holds for nothing, also under ``NOT``
    or beside an ``OR`` that holds: an order of what has none, ``begins_with`` a number, an attribute compared with
    itself, a number of more than 38 digits. What it refuses though its meaning is plain is judged by that, and sent
    as `sendable` writes it: bounds that cross, an ``IN`` of none or of many. Raises TypeError for an operator or
    an operand that is not one of a condition.
    """
    return evaluator(condition)(item)


def evaluator(condition: Condition) -> Callable[[Item], bool]:
    """Compile a condition into a function of a stored item: whether it ``holds``. Raises as `holds` does."""
    if (same := text_equality_of(condition)) is not None:
        name, text = same
        return lambda item: item.get(name) == text
    test = _compiled(condition)
    if test is None:
        return lambda _: False

    def holds_on(item: Item) -> bool:
        try:
            return test(item)
        except (InvalidExpression, DecimalException):
            return False

    return holds_on


def is_refused(condition: Condition) -> bool:
    """Whether DynamoDB refuses the condition, and it has no meaning that `sendable` could write otherwise."""
    return text_equality_of(condition) is None and _compiled(condition) is None


def text_equality_of(condition: Condition) -> tuple[str, Mapping[str, Any]] | None:
    """The attribute and the text that it must be stored as, where that is the whole condition; else None."""
    if condition.operator != "=":
        return None
    path, value = condition.values
    plain = type(path) is Path and type(value) is Value and value.attr_type == "S"
    if not plain or len(path.path) != 1 or "[" in path.path[0] or default_at(path) == value.value:
        return None
    return path.path[0], value.value


def equality_of(condition: Condition) -> Mapping[str, dict[str, Any]]:
    """The values that top-level attributes must equal for the condition to hold: attr_name -> ``{type: value}``.

    Only ``=`` with a value counts, alone or under AND. Two values for one attribute can never both hold; the
    first is given.
    """
    return fold_condition(in_post_order(condition), _equality, _equality_of_all)


def _equality_of_all(junction: Condition, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {**parts[1], **parts[0]} if junction.operator == "AND" else {}


def _equality(condition: Condition) -> Mapping[str, Any]:
    if condition.operator != "=":
        return {}
    path, value = sorted(condition.values, key=lambda side: isinstance(side, Value))
    if not isinstance(path, Path) or not isinstance(value, Value):
        return {}
    name, *deeper = steps_of(path)
    return {} if deeper else {name: dict(value.value)}


_Reader: TypeAlias = Callable[[Item], TypedValue | None]


def _path_reader(operand: Path) -> _Reader:
    stored, default = stored_reader(operand), default_at(operand)
    if default is not None:
        return _reader_with_default(operand, typed_value(default))

    def read(item: Item) -> TypedValue | None:
        raw = stored(item)
        return None if raw is None else typed_value(raw)

    return read


def _reader_with_default(operand: Path, default: TypedValue) -> _Reader:
    """A reader of a value for which a default stands where it is absent, from the item or from a map that is there."""
    stored, above = stored_reader(operand), operand.path[:-1]
    parent: Callable[[Item], Any] = stored_reader(Path(above)) if above else lambda item: {"M": item}

    def read(item: Item) -> TypedValue | None:
        raw = stored(item)
        if raw is not None and "NULL" not in raw:
            return typed_value(raw)
        return default if "M" in (parent(item) or {}) else None

    return read


def _stored_path_reader(operand: Any) -> _Reader:
    """A reader of what is stored, for the operators that ask for that."""
    return _reader(Path(operand.path) if isinstance(operand, Path) else operand)


def _size_reader(operand: Any) -> _Reader:
    """Measure the value at the path; a value without a size (a number, a boolean, null) counts as missing."""
    inner = _reader(operand.values[0])

    def read(item: Item) -> TypedValue | None:
        value = inner(item)
        measure = SIZES.get(value.kind) if value else None
        return TypedValue("N", Decimal(measure(value.value))) if value and measure else None

    return read


def _value_reader(operand: Value) -> _Reader:
    value = typed_value(operand.value)
    return lambda _: value


_READERS: Mapping[type, Callable[[Any], _Reader]] = {
    Path: _path_reader,
    Value: _value_reader,
    Size: _size_reader,
}


def _reader(operand: object) -> _Reader:
    if type(operand) not in _READERS:
        raise TypeError(f"{type(operand).__name__} is not an operand of a condition")
    return _READERS[type(operand)](operand)


_JUNCTIONS: Mapping[str, OperatorTest] = {"AND": all, "OR": any, "NOT": lambda one: not one[0]}


def _compiled(condition: Condition) -> Callable[[Item], bool] | None:
    """The condition as a function of an item; None where DynamoDB refuses it, wherever in it the reason stands."""
    try:
        if condition.operator not in _JUNCTIONS:
            return _compiled_leaf(condition)
        # Junctions are steps after those of their parts, and no functions that call these: no depth is too deep.
        steps = [
            (_JUNCTIONS.get(node.operator), len(node.values), None)
            if node.operator in _JUNCTIONS
            else (None, 0, _compiled_leaf(node))
            for node in in_post_order(condition)
        ]
    except (InvalidExpression, DecimalException):
        return None
    return partial(_run, steps)


def _run(steps: Iterable[tuple[Any, int, Any]], item: Item) -> bool:
    results: list[bool] = []
    for junction, parts, leaf in steps:
        if junction is None:
            results.append(leaf(item))
        else:
            results[-parts:] = [junction(results[-parts:])]
    return results[0]


def _compiled_leaf(condition: Condition) -> Callable[[Item], bool]:
    if condition.operator not in OPERATORS:
        raise TypeError(f"{condition.operator} is not an operator of a condition")
    reader = _stored_path_reader if condition.operator in OF_STORAGE else _reader
    test, readers = OPERATORS[condition.operator], [reader(operand) for operand in condition.values]
    if _refused(condition):
        raise InvalidExpression
    return lambda item: test(*[read(item) for read in readers])


# The types that a value, or size, may have there: known and refused before any item is read.
_ALLOWED = dict.fromkeys(("<", "<=", ">", ">=", "BETWEEN"), ORDERED_TYPES) | {"begins_with": PREFIX_TYPES}


_REFUSED: Mapping[str, Callable[..., bool]] = {
    "attribute_type": lambda _, kind: (
        not (isinstance(kind, Value) and kind.value.get("S") in ATTRIBUTE_TYPES)
    ),
}


def _refused(leaf: Condition) -> bool:
    first, *others = leaf.values
    itself = isinstance(first, Path) and first.path in [o.path for o in others if isinstance(o, Path)]
    kinds = {operand.attr_type for operand in leaf.values if not isinstance(operand, Path)}
    wrong = not kinds <= _ALLOWED.get(leaf.operator, kinds)
    return itself or wrong or (leaf.operator in _REFUSED and _REFUSED[leaf.operator](*leaf.values))
