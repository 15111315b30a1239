"""Bodies as their schema loads them, a short way: for fields that are exactly ours, and bodies without a mistake."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from marshmallow import Schema, ValidationError, missing
from marshmallow import fields as theirs

from . import fields
from .attributes import ModelSchema

Take: TypeAlias = Callable[[Any], Any]
"""Gives what a field makes of a value other than null. Raises ``ValidationError``."""


@dataclass(frozen=True, slots=True)
class BodyLoader:
    """What loads the bodies of one schema."""

    takes: Mapping[str, Take]
    """The members that a body may have, in the schema's order."""
    nullable: frozenset[str]
    required: frozenset[str]

    @classmethod
    def of(cls, schema: Schema) -> "BodyLoader | None":
        """The loader of a schema that was made of a model, None for one that loads in a way of its own."""
        found = schema.load_fields
        if not isinstance(schema, ModelSchema) or any(map(_is_foreign, found.values())):
            return None
        return cls(
            {name: _take(field) for name, field in found.items()},
            frozenset(name for name, field in found.items() if field.allow_none),
            frozenset(name for name, field in found.items() if field.required),
        )

    def load(self, body: dict[str, Any], optional: Collection[str]) -> dict[str, Any] | None:
        """What the body gives, ``optional`` members being no more required; None where the schema has to say."""
        loaded: dict[str, Any] = {}
        for name, take in self.takes.items():
            if name not in body:
                if name in self.required and name not in optional:
                    return None
                continue
            value = body[name]
            if value is None and name not in self.nullable:
                return None
            try:
                loaded[name] = None if value is None else take(value)
            except ValidationError:
                return None
        return loaded if len(loaded) == len(body) else None


def _is_foreign(field: theirs.Field[Any]) -> bool:
    """Whether a field may have ways that are not known here."""
    renamed = field.data_key is not None or field.attribute is not None
    return type(field).__module__ != fields.__name__ or renamed or field.load_default is not missing


def _take(field: theirs.Field[Any]) -> Take:
    if field.validators:
        return field.deserialize
    plain = _PLAIN.get(type(field))
    # Null and validators, for which marshmallow looks before and after, are seen to.
    return cast("Take", field._deserialize) if plain is None else plain(field)


def _text(field: theirs.Field[Any]) -> Take:
    def take(value: Any) -> Any:
        return value if type(value) is str and value.isascii() else field.deserialize(value)

    return take


def _flag(field: theirs.Field[Any]) -> Take:
    def take(value: Any) -> Any:
        return value if type(value) is bool else field.deserialize(value)

    return take


_PLAIN: Mapping[type, Callable[[theirs.Field[Any]], Take]] = {
    fields.TextField: _text,
    fields.BooleanField: _flag,
}
"""The exact class of a field without validators -> what makes its way."""
