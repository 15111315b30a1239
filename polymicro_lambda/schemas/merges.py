"""PATCH of maps (RFC 7396): schemas that demand no member of a map, and the ``Merge`` that they load."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from marshmallow import Schema, fields, missing
from pynamodb.attributes import SERIALIZE_CLASS_MAP, Attribute, JSONAttribute, MapAttribute

Validators: TypeAlias = Sequence[Callable[[Any], Any]]
Members: TypeAlias = Sequence[Sequence[str]]


class Merge(dict[str, Any]):
    """What a PATCH changes of a map: a value sets a member, None removes it, a ``Merge`` changes a map in it.

    Members that it does not name stay. A plain dict in its place replaces the map.
    """

    __slots__ = ("clears", "kept", "validators")

    def __init__(
        self,
        members: Mapping[str, Any],
        validators: Validators = (),
        kept: "Members | None" = None,
        *,
        clears: bool = False,
    ) -> None:
        """``validators`` judge the map that comes of it.

        With ``kept`` it replaces the map, or ``clears`` it, but for these members, each by its names from the outside.
        """
        super().__init__(members)
        self.validators = validators
        self.kept = kept
        self.clears = clears

    def __deepcopy__(self, memo: dict[int, Any]) -> "Merge":
        return Merge(deepcopy(dict(self), memo), self.validators, self.kept, clears=self.clears)


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


def replacing(
    attributes: Mapping[str, Attribute[Any]], loaded: dict[str, Any], members: Iterable[str]
) -> dict[str, Any]:
    """The loaded values of a PUT, by attribute: each map replaces what is there, but for these ``members`` of it."""
    kept: dict[str, list[Sequence[str]]] = {}
    for member in members:
        first, *rest = member.split(".")
        kept.setdefault(first, []).append(rest)
    for name, value in merges_of(attributes, loaded).items():
        if isinstance(value, Merge) or (name in kept and value is None):
            validators = value.validators if isinstance(value, Merge) else ()
            loaded[name] = Merge(value or {}, validators, tuple(kept.get(name, ())), clears=value is None)
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
