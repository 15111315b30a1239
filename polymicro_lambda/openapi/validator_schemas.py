"""marshmallow's validators as keywords of JSON Schema; of others nothing is known."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import reduce
from types import MappingProxyType
from typing import Any

from marshmallow import validate
from marshmallow.fields import Field

from polymicro_lambda.schemas import as_json

from .field_schemas import JSONSchema, types_of

Keywords = JSONSchema


def validator_keywords(field: Field[Any], schema: JSONSchema) -> Keywords:
    """What the validators of a field add to its ``schema``."""
    return reduce(_narrowed, (_keywords(field, one, schema) for one in field.validators), {})


def _keywords(field: Field[Any], validator: Any, schema: JSONSchema) -> Keywords:
    if isinstance(validator, validate.And):
        return reduce(_narrowed, (_keywords(field, one, schema) for one in validator.validators), {})
    make = next((VALIDATORS[kind] for kind in type(validator).__mro__ if kind in VALIDATORS), None)
    return {} if make is None else make(validator, field, schema)


def _narrowed(one: Keywords, other: Keywords) -> Keywords:
    """Both at once, as far as a schema says it."""
    return {
        **one,
        **{name: NARROWER.get(name, _second)(one.get(name, value), value) for name, value in other.items()},
    }


def _second(_: Any, second: Any) -> Any:
    return second


def _common(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    others = list(other)
    return [value for value in one if value in others]


NARROWER: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
        **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
        "enum": _common,
    }
)
"""Keyword -> of two values the one that takes less."""


def _range(one: validate.Range, field: Field[Any], schema: JSONSchema) -> Keywords:
    if types_of(schema).isdisjoint(("number", "integer")):
        return {}  # of texts, such as dates and decimals, JSON Schema knows no order
    lower = "minimum" if one.min_inclusive else "exclusiveMinimum"
    upper = "maximum" if one.max_inclusive else "exclusiveMaximum"
    bounds = {lower: one.min, upper: one.max}
    return {name: number for name, bound in bounds.items() for number in _numbers(field, bound)}


def _numbers(field: Field[Any], bound: Any) -> list[int | float]:
    """A bound as a JSON number, in a list; none where it is no such number."""
    shown = [as_json(bound)] if isinstance(bound, int | float | Decimal) else _values(field, [bound])
    return [number for number in shown if isinstance(number, int | float)]


_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


def _length(one: validate.Length, _: Field[Any], schema: JSONSchema) -> Keywords:
    what = next((_LENGTHS[kind] for kind in types_of(schema) if kind in _LENGTHS), None)
    if what is None or "contentEncoding" in schema:  # there it counts bytes
        return {}
    bounds = {f"min{what}": one.min, f"max{what}": one.max}
    if one.equal is not None:
        bounds = dict.fromkeys(bounds, one.equal)
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _values(field: Field[Any], values: Iterable[Any]) -> list[Any]:
    """Values as the field shows them; of those that it cannot show nothing is said."""
    shown = []
    for value in values:
        try:
            shown.append(as_json(field._serialize(value, "", {})))
        except (TypeError, ValueError, AttributeError):
            continue
    return shown


def _elements(field: Field[Any], schema: JSONSchema, keywords: Callable[[Field[Any]], Keywords]) -> Keywords:
    inner = getattr(field, "inner", None)
    return {} if inner is None else {"items": {**schema.get("items", {}), **keywords(inner)}}


VALIDATORS: Mapping[type, Callable[[Any, Field[Any], JSONSchema], Keywords]] = MappingProxyType(
    {
        validate.Range: _range,
        validate.Length: _length,
        validate.OneOf: lambda one, field, _: {"enum": _values(field, one.choices)},
        validate.Equal: lambda one, field, _: {"enum": _values(field, [one.comparable])},
        validate.NoneOf: lambda one, field, _: {"not": {"enum": _values(field, one.iterable)}},
        validate.ContainsOnly: lambda one, field, schema: _elements(
            field, schema, lambda inner: {"enum": _values(inner, one.choices)}
        ),
        validate.ContainsNoneOf: lambda one, field, schema: _elements(
            field, schema, lambda inner: {"not": {"enum": _values(inner, one.iterable)}}
        ),
        validate.Email: lambda *_: {"format": "email"},
        validate.URL: lambda *_: {"format": "uri"},
        validate.Regexp: lambda one, *_: {"pattern": one.regex.pattern},
    }
)
"""Class of a validator -> what it adds to the schema of a field."""
