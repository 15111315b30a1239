"""Changes that are PynamoDB's expressions, e.g. ``{"stock": Product.stock - 1}``.

DynamoDB computes them inside the write. Where a rule or a unique value must see the result, it is computed here as
DynamoDB would compute it.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from decimal import Decimal, DecimalException
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.constants import NUMBER
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, DeleteAction, RemoveAction, SetAction
from pynamodb.models import Model

from polymicro_lambda.dynamodb import NUMBERS, SimpleClause, UpdateStep, has_default, model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import check_not_composed
from polymicro_lambda.rules import attributes_of, check_paths, default_at, stored_reader
from polymicro_lambda.types import RawItem

# PynamoDB makes these by operators alone, and names none of them.
_Increment, _Decrement = type(Path("a") + 1), type(Path("a") - 1)
_ListAppend, _IfNotExists = type(Path("a").append([])), type(Path("a") | 1)
_Operand: type = Value.__mro__[-2]

_Raw = Mapping[str, Any]
_SETS = frozenset({"SS", "NS", "BS"})


class NoResult(Exception):
    """DynamoDB would refuse to compute it for this item (a ValidationException)."""


class Uncomputable(ConfigurationError):
    """The same, for a verb: the item that it changes does not have what the change reads."""


class AtomicChange(NamedTuple):
    """A change of one attribute that DynamoDB computes."""

    name: str
    """The attribute's name in DynamoDB."""
    action: Action
    sources: frozenset[str]
    """The attributes on which its result rests, by their names in DynamoDB."""

    @property
    def tells(self) -> bool:
        """The item does not show whether it was done."""
        return False

    @property
    def reads(self) -> bool:
        """DynamoDB computes it without a read."""
        return False

    def steps(self, _: RawItem | None) -> tuple[list[UpdateStep], list[Condition]]:
        """The action, whatever the item."""
        return [self.action], []

    def result(self, old: RawItem) -> dict[str, Any] | None:
        """The attribute's value as DynamoDB would compute it of an item, None to remove it. Raises ``NoResult``."""
        try:
            return _RESULTS[type(self.action)](old.get(self.name), self.action, old)
        except (DecimalException, LookupError, TypeError) as error:
            raise NoResult(
                f"{self.name} cannot be computed, the item lacks a value of the right type: say {self.name} | a default"
            ) from error


def is_expression(value: Any) -> bool:
    """Whether a value stands for what DynamoDB computes of an item: an attribute of the model, or made of one."""
    if isinstance(value, Attribute):
        return not (isinstance(value, MapAttribute) and value._is_attribute_container())  # type: ignore[no-untyped-call]
    return isinstance(value, Action | _Operand)


def atomic_change(model: type[Model], name: str, value: Any) -> AtomicChange | None:
    """The change of an attribute, by its Python name, that a value stands for; None for a value that is to be stored.

    It reads a plain default in the place of what the item lacks, as conditions do. Raises ``ConfigurationError`` for an
    expression that this attribute cannot take.
    """
    if not is_expression(value):
        return None
    is_attribute = isinstance(value, Attribute)
    attribute, where = model.get_attributes()[name], f"The change of {model.__name__}.{name}"
    check_paths(model, value if not is_attribute else Path(value), where)
    action = value if isinstance(value, Action) else SetAction(Path([attribute.attr_name]), _operand(value))
    check_not_composed(model_info(model), model, name)
    if name in model_info(model).address:
        raise ConfigurationError(f"{where}: a key never changes, and takes no expression")
    _check(action, attribute, where)
    action = _with_defaults(action)
    reads = action.values[1] if isinstance(action, SetAction) else action
    return AtomicChange(attribute.attr_name, action, attributes_of(reads))


def version_steps(version: Attribute[Any] | None) -> list[UpdateStep]:
    """The step that counts up an item's version, none for items without one."""
    return [] if version is None else [SimpleClause("add", version.attr_name, {"N": "1"})]


def _operand(value: Any) -> Any:
    return Path(value) if isinstance(value, Attribute) else value


def _with_defaults(action: Action) -> Action:
    """The same action, or one that says the plain defaults of what it reads, by which it can be computed."""
    target: Any = action.values[0]
    if isinstance(action, AddAction) and _operand_of(action).attr_type == NUMBER:  # ADD would begin at 0
        return (
            action
            if default_at(target) is None
            else SetAction(target, _or_default(target) + action.values[1])
        )
    return SetAction(target, _or_default(_operand_of(action))) if isinstance(action, SetAction) else action


def _or_default(operand: Any) -> Any:
    if isinstance(operand, Path):
        default = default_at(operand)
        return operand if default is None else _IfNotExists(operand, Value(default))
    if isinstance(operand, Value | _IfNotExists):  # the latter says its own
        return operand
    made = copy(operand)
    made.values = tuple(map(_or_default, operand.values))
    return made


def _check(action: Action, attribute: Attribute[Any], where: str) -> None:
    target: Any = action.values[0]
    if target.path != [attribute.attr_name]:
        raise ConfigurationError(f"{where} is an action on {target}: say it of {attribute.attr_name}")
    kind = None if isinstance(action, RemoveAction) else _operand_of(action).attr_type
    if kind is not None and kind != attribute.attr_type:
        raise ConfigurationError(
            f"{where} gives a value of type {kind}, the attribute has {attribute.attr_type}"
        )
    if isinstance(action, RemoveAction) and (not attribute.null or has_default(attribute)):
        raise ConfigurationError(f"{where} removes it, but it is required, or has a default")


# --- operands ---------------------------------------------------------------------------------------


def _value(operand: Any, item: RawItem) -> _Raw:
    """The value of an operand. Raises ``LookupError`` where the item has none."""
    return _VALUES[type(operand)](operand, item)


def _at_path(operand: Path, item: RawItem) -> _Raw:
    stored = stored_reader(operand)(item)
    if stored is None:
        raise LookupError
    return stored


def _first_there(operand: Any, item: RawItem) -> _Raw:
    path, default = operand.values
    if isinstance(default, Path) and default.path == path.path:
        raise LookupError  # DynamoDB wants another operand than the first
    given, stored = _value(default, item), stored_reader(path)(item)  # DynamoDB wants both to be computable
    return given if stored is None else stored


def _appended(operand: Any, item: RawItem) -> _Raw:
    first, second = (_value(one, item)["L"] for one in operand.values)
    return {"L": [*first, *second]}


def _increment(operand: Any, item: RawItem) -> _Raw:
    one, other = (_number(_value(each, item)) for each in operand.values)
    return _stored_number(NUMBERS.add(one, other))


def _decrement(operand: Any, item: RawItem) -> _Raw:
    one, other = (_number(_value(each, item)) for each in operand.values)
    return _stored_number(NUMBERS.subtract(one, other))


def _number(stored: _Raw) -> Decimal:
    return NUMBERS.create_decimal(stored["N"])


def _stored_number(number: Decimal) -> dict[str, Any]:
    return {"N": f"{number.normalize(NUMBERS):f}"}


_VALUES: Mapping[type, Callable[[Any, RawItem], _Raw]] = {
    Path: _at_path,
    Value: lambda operand, _: operand.value,
    _Increment: _increment,
    _Decrement: _decrement,
    _ListAppend: _appended,
    _IfNotExists: _first_there,
}
"""Class of an operand -> a function that gives its value for an item."""


# --- actions ----------------------------------------------------------------------------------------


def _operand_of(action: Action) -> Any:
    return action.values[1]


def _set(_: _Raw | None, action: Action, item: RawItem) -> dict[str, Any] | None:
    return dict(_value(_operand_of(action), item))


def _add(old: _Raw | None, action: Action, _: RawItem) -> dict[str, Any] | None:
    ((kind, given),) = _operand_of(action).value.items()
    if old is None:
        return {kind: given}
    if kind in _SETS:
        there = _distinct(kind, old[kind])
        return {kind: [*old[kind], *(one for one, as_is in _pairs(kind, given) if as_is not in there)]}
    return _stored_number(NUMBERS.add(_number(old), _number({"N": given})))


def _delete(old: _Raw | None, action: Action, _: RawItem) -> dict[str, Any] | None:
    ((kind, given),) = _operand_of(action).value.items()
    if old is None:
        return None
    gone = _distinct(kind, given)
    left = [one for one, as_is in _pairs(kind, old[kind]) if as_is not in gone]
    return {kind: left} if left else None


def _pairs(kind: str, elements: Any) -> Iterable[tuple[Any, Any]]:
    return zip(elements, _distinct(kind, elements), strict=True)


def _distinct(kind: str, elements: Any) -> list[Any]:
    """The elements of a set as they are compared: numbers however written."""
    return [NUMBERS.create_decimal(one) for one in elements] if kind == "NS" else list(elements)


_RESULTS: Mapping[type, Callable[[_Raw | None, Action, RawItem], dict[str, Any] | None]] = {
    SetAction: _set,
    RemoveAction: lambda *_: None,
    AddAction: _add,
    DeleteAction: _delete,
}
"""Class of an action -> a function of the old value, the action and the item, which gives the new value."""
