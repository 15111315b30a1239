"""PATCH of maps (RFC 7396): schemas that demand no member of a map, and the ``Merge`` that they load."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from marshmallow import Schema, fields, missing
from pynamodb.attributes import SERIALIZE_CLASS_MAP, Attribute, JSONAttribute, MapAttribute

Validators: TypeAlias = Sequence[Callable[[Any], Any]]


class Merge(dict[str, Any]):
    """What a PATCH changes of a map: a value sets a member, None removes it, a ``Merge`` changes a map in it.

    Members that it does not name stay. A plain dict in its place replaces the map.
    """

    __slots__ = ("validators",)

    def __init__(self, members: Mapping[str, Any], validators: Validators = ()) -> None:
        """``validators`` judge the map that comes of it."""
        super().__init__(members)
        self.validators = validators

    def __deepcopy__(self, memo: dict[int, Any]) -> "Merge":
        return Merge(deepcopy(dict(self), memo), self.validators)


# A verb that copies one into a dict of its own replaces the map: in what that holds, a Merge is a dict like any other.
SERIALIZE_CLASS_MAP[Merge] = SERIALIZE_CLASS_MAP[dict]  # type: ignore[index]


def is_mergeable(attribute: Attribute[Any]) -> bool:
    """Whether a PATCH changes members of the attribute, and does not replace its value."""
    return isinstance(attribute, MapAttribute | JSONAttribute)


def merge_of(attribute: Attribute[Any] | None, value: Any) -> Any:
    """A loaded object as the change of the map that the attribute holds; any other value as it is.

    Without an attribute it is in a map whose members nobody has declared.
    """
    if type(value) is not dict or not (attribute is None or is_mergeable(attribute)):
        return value
    declared = attribute.get_attributes() if isinstance(attribute, MapAttribute) else {}
    return Merge({name: merge_of(declared.get(name), one) for name, one in value.items()})


def merges_of(attributes: Mapping[str, Attribute[Any]], loaded: dict[str, Any]) -> dict[str, Any]:
    """The loaded values of a PATCH, by attribute, with a ``Merge`` for each map."""
    for name, value in loaded.items():
        if type(value) is dict and name in attributes:
            loaded[name] = merge_of(attributes[name], value)
    return loaded


def without_demands(schema: Schema) -> Schema:
    """The same schema, of which no map demands or fills in a member, at any depth; lists are replaced whole."""
    for field in schema.fields.values():
        _let_field_merge(field, frozenset())
    return schema


def _let_field_merge(field: fields.Field[Any], around: frozenset[type]) -> None:
    """``around`` are the schemas in which it is nested, one of which it may nest again."""
    if hasattr(field, "merged"):
        field.merged, field.validators = field.validators, []
    if not isinstance(field, fields.Nested) or isinstance(field, fields.Pluck) or field.many:
        return
    if isinstance(field.nested, Schema):
        field.nested = deepcopy(field.nested)  # other schemas have the same one
    field._schema = None
    nested = field.schema
    if nested.many or type(nested) in around:
        return
    nested.partial = True
    for member in nested.fields.values():
        member.required, member.load_default = False, missing
        _let_field_merge(member, around | {type(nested)})
