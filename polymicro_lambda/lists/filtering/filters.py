"""Filters of a list: ``?done=true&due_date_time__gte=…``, typed by the schema's fields and turned into conditions."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BinarySetAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import PrefixedAttribute, model_info, typed_value
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import bad_query, parameter_error
from polymicro_lambda.items import serialized
from polymicro_lambda.lazy import lazy
from polymicro_lambda.rules import shown_path
from polymicro_lambda.schemas import ItemSchema

from .filter_operators import FILTER_OPERATORS, SCALARS
from .filter_paths import attributes_along

_TRUTH = {"true": True, "false": False}
RESERVED_PARAMETERS = frozenset({"limit", "pagination_key", "sort", "fields"})
"""Other parameters of a list: an attribute of such a name has the filter ``limit__eq``."""

Filters: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The filters of a request: attribute -> operator -> typed value, e.g. ``{"done": {"eq": True}}``."""


@dataclass(frozen=True)
class DeclaredFilters:
    """The filters that a resource declares: parameter name -> attribute and operator."""

    parameters: Mapping[str, tuple[str, str]]

    @classmethod
    def of(
        cls, resource: str, model: type[Model], declared: Mapping[str, Sequence[str] | str]
    ) -> "DeclaredFilters":
        """Read ``filters = {"done": ("eq",)}``. Raises ``ConfigurationError`` naming resource and attribute."""
        if not isinstance(declared, Mapping):
            raise ConfigurationError(f'{resource}.filters must say operators, e.g. {{"done": ("eq",)}}')
        if not declared:
            return NO_FILTERS
        parameters: dict[str, tuple[str, str]] = {}
        for name, operators in declared.items():
            where = f"{resource}.filters[{name!r}]"
            _check_form(where, name, operators)
            made = model_info(model).parts_of(name)
            if made is not None:
                raise ConfigurationError(f"{where} is made of {made}: filter by these")
            try:
                attribute = attributes_along(model, name)[-1]
            except ConfigurationError as error:
                raise ConfigurationError(f"{where}: {error}") from error
            for operator in (operators,) if isinstance(operators, str) else operators:
                _check(where, attribute, operator)
                parameters[f"{name}__{operator}"] = (name, operator)
                if operator == "eq" and name not in RESERVED_PARAMETERS:
                    parameters[name] = (name, operator)
        return cls(parameters)

    @lazy
    def attributes(self) -> frozenset[str]:
        """The attributes, and members of maps, that can be filtered by."""
        return frozenset([name for name, _ in self.parameters.values()])

    @lazy
    def binding(self) -> frozenset[str]:
        """The attributes with an ``eq`` or ``in`` filter: a query can bind these to one value, or to some."""
        pairs = self.parameters.values()
        return frozenset([name for name, operator in pairs if operator in ("eq", "in") and "." not in name])

    def read(self, query: Mapping[str, Sequence[str]], schema: ItemSchema) -> dict[str, dict[str, Any]]:
        """The filters of a query, typed. Raises ``BadRequest`` for values that a field refuses."""
        filters: dict[str, dict[str, Any]] = {}
        errors: list[dict[str, str]] = []
        for parameter in [name for name in query if name in self.parameters]:
            name, operator = self.parameters[parameter]
            given = filters.setdefault(name, {})
            if operator in given:
                errors.append(parameter_error(parameter, "is given twice"))
                continue
            try:
                given[operator] = _operand(
                    operator,
                    query[parameter],
                    partial(_parsed, schema, name, operator),
                    schema.attribute(name),
                )
            except ValueError as error:
                errors.append(parameter_error(parameter, f"is not valid: {error}"))
        if errors:
            raise bad_query(errors)
        return filters


NO_FILTERS = DeclaredFilters({})
"""The filters of a resource that declares none."""


def _check_form(where: str, name: Any, operators: Any) -> None:
    """Raise ``ConfigurationError`` where it is no name of an attribute, or what it says are no names of operators."""
    if not isinstance(name, str):
        raise ConfigurationError(f"{where} must name an attribute, by a text")
    several = operators if isinstance(operators, Collection) else [operators]
    if any(not isinstance(one, str) for one in several):
        wrong = f'{where} must say operators, such as "eq" or ("eq", "in"), not {operators!r}'
        raise ConfigurationError(wrong)


def _check(where: str, attribute: Attribute[Any], operator: str) -> None:
    if operator not in FILTER_OPERATORS:
        raise ConfigurationError(
            f"{where}: {operator!r} is no operator; there are {', '.join(FILTER_OPERATORS)}"
        )
    if getattr(attribute, "legacy_encoding", False) and operator in _ORDERED:
        raise ConfigurationError(
            f"{where}: {operator!r} does not work with legacy_encoding=True: DynamoDB has its base64 there"
        )
    allowed = next(
        (names for kind, names in _FEWER_OPERATORS.items() if isinstance(attribute, kind)), FILTER_OPERATORS
    )
    element = _element(attribute)
    searchable = operator != "contains" or element is None or element.attr_type in SCALARS
    if (
        operator not in allowed
        or attribute.attr_type not in FILTER_OPERATORS[operator].types
        or not searchable
    ):
        raise ConfigurationError(f"{where}: {operator!r} does not work on {type(attribute).__name__}")


# Attributes that take fewer operators than their DynamoDB type: JSON is text in some spelling, a kind is a class, a
# prefix is hidden.
_FEWER_OPERATORS: Mapping[type, frozenset[str]] = {
    JSONAttribute: frozenset({"exists"}),
    DiscriminatorAttribute: frozenset({"eq", "ne", "in", "exists"}),
    PrefixedAttribute: frozenset(FILTER_OPERATORS) - {"begins_with", "contains"},
}


_ORDERED = frozenset({"lt", "lte", "gt", "gte", "between", "begins_with"})
"""The operators that go by the order, or the beginning, of what is stored."""


def _element(attribute: Attribute[Any]) -> Attribute[Any] | None:
    """The attribute of a list attribute's elements, None where it declares none: then ``contains`` looks for text."""
    of = getattr(attribute, "element_type", None)
    if of is None:
        return None
    binary = issubclass(of, BinaryAttribute | BinarySetAttribute)
    element: Attribute[Any] = of(legacy_encoding=False) if binary else of()
    return element


def _parsed(schema: ItemSchema, name: str, operator: str, text: str) -> Any:
    if operator == "exists":
        if text not in _TRUTH:
            raise ValueError("must be true or false")
        return _TRUTH[text]
    attribute = schema.attribute(name)
    if operator == "begins_with" and attribute.attr_type == "S":
        return text  # also of a datetime: the beginning of the stored text
    if operator == "contains" and attribute.attr_type == "L" and _element(attribute) is None:
        return text
    return schema.parse_operand(name, text, element=operator == "contains")


def _operand(
    operator: str, texts: Sequence[str], parse: Callable[[str], Any], attribute: Attribute[Any]
) -> Any:
    """The typed value of one parameter: a list where the operator takes several. Raises ``ValueError``."""
    counts = FILTER_OPERATORS[operator].operands
    if counts.stop == 2:
        if len(texts) > 1:
            raise ValueError("is given more than once")
        return parse(texts[0])
    values = [parse(text) for text in (texts if len(texts) > 1 else texts[0].split(","))]
    if len(values) not in counts:
        raise ValueError(
            f"takes {counts.start} to {counts.stop - 1} values" if len(counts) > 1 else "takes 2 values"
        )
    if operator == "between" and _as_ordered(attribute, values[0]) > _as_ordered(attribute, values[1]):
        raise ValueError("takes the lower value first")
    return values


def _as_ordered(attribute: Attribute[Any], value: Any) -> Any:
    """The value in DynamoDB's order, which may be another than Python's, or the only one."""
    return typed_value(serialized(attribute, value) or {}).value


def filter_conditions(model: type[Model], filters: Filters) -> Iterator[Condition]:
    """The filters as conditions on the stored item, one for each."""
    for name, wanted in filters.items():
        along = attributes_along(model, name)
        attribute = along[-1]
        for operator, value in wanted.items():
            values = value if isinstance(value, list) else [value]
            operands = values if operator == "exists" else [_raw(attribute, one, operator) for one in values]
            yield FILTER_OPERATORS[operator].condition(shown_path(*along), *operands)


# Type of a set in DynamoDB -> type of its elements.
_ELEMENT_TYPES = {"SS": "S", "NS": "N", "BS": "B"}


def _raw(attribute: Attribute[Any], value: Any, operator: str) -> Value:
    """A typed value as DynamoDB compares it with the attribute."""
    if operator == "begins_with" and isinstance(value, str):
        return Value({"S": value})
    if operator != "contains" or attribute.attr_type not in (*_ELEMENT_TYPES, "L"):
        return Value(serialized(attribute, value))
    if attribute.attr_type == "L":
        element = _element(attribute)
        return Value(value) if element is None else Value(serialized(element, value))
    (stored,) = (serialized(attribute, {value}) or {}).get(attribute.attr_type, [None])
    return Value({_ELEMENT_TYPES[attribute.attr_type]: stored})
