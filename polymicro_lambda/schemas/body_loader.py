"""Bodies loaded by their schema: at once by ``BodyLoader`` where that is possible, else by marshmallow.

``BodyLoader`` takes the package's own fields alone, and bodies without a mistake: it gives what marshmallow gives.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from marshmallow import Schema, ValidationError, missing
from marshmallow import fields as theirs

from polymicro_lambda.exceptions import BadRequest, Unprocessable

from . import fields
from .carrying import is_own
from .error_pointers import field_errors
from .model_schemas import ModelSchema

READ_ONLY = "This field is read-only."

ValueLoader: TypeAlias = Callable[[Any], Any]
"""A function that loads a value other than null. Raises ``ValidationError``."""


def load_body(schema: Schema, body: object, partial: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The values of a body by Python name; ``partial`` fields are optional.

    Raises ``BadRequest`` for a body that is no JSON object, ``Unprocessable`` for one that does not fit.
    """
    if not isinstance(body, dict):
        many = isinstance(body, list)
        raise BadRequest(f"The body must be a JSON object{', not a list: send each item by itself' * many}.")
    try:
        loaded = schema.load(body, many=False, partial=partial)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        closed = {field.data_key or name for name, field in schema.fields.items() if field.dump_only}
        messages |= dict.fromkeys(closed & set(messages) & set(body), READ_ONLY)
        raise Unprocessable("The body does not fit the schema.", errors=field_errors(messages)) from error
    if not isinstance(loaded, dict):
        raise TypeError(f"{type(schema).__name__} must load a dict, not {type(loaded).__name__}")
    return loaded


@dataclass(frozen=True, slots=True)
class BodySchema:
    """The schema of one kind of body, and its loader."""

    schema: Schema
    loader: "BodyLoader | None"
    """None where marshmallow loads all bodies."""

    def load(self, body: object, optional: Collection[str]) -> dict[str, Any]:
        """The values of a body by Python name; ``optional`` fields, by member or attribute, may be absent.

        Raises ``BadRequest`` and ``Unprocessable``.
        """
        loader = self.loader  # members and attributes have the same names there
        loaded = loader.load(body, optional) if loader is not None and type(body) is dict else None
        return load_body(self.schema, body, fields_named(self.schema, optional)) if loaded is None else loaded


def fields_named(schema: Schema, names: Iterable[str]) -> tuple[str, ...]:
    """The fields that have one of these names, as members of a body or as attributes."""
    wanted = frozenset(names)
    return tuple(
        n
        for n, f in schema.load_fields.items()
        if not wanted.isdisjoint({n, f.data_key, attribute_of_field(f)})
    )


def attribute_of_field(field: theirs.Field[Any]) -> str:
    """The attribute that a bound field reads and sets."""
    return field.attribute or field.name or ""


def member_of(schema: Schema, attribute: str) -> str:
    """The member by which a schema shows an attribute; the attribute's name where it shows none."""
    shown = (f.data_key or n for n, f in schema.dump_fields.items() if attribute_of_field(f) == attribute)
    return next(shown, attribute)


@dataclass(frozen=True, slots=True)
class BodyLoader:
    """Loads the bodies of one schema without marshmallow."""

    loaders: Mapping[str, ValueLoader]
    """The members that a body may have, in the schema's order."""
    nullable: frozenset[str]
    required: frozenset[str]

    @classmethod
    def of(cls, schema: Schema) -> "BodyLoader | None":
        """The loader of a schema made from a model; None for a user's schema, or one with a user's field."""
        members = schema.load_fields
        if not isinstance(schema, ModelSchema) or any(map(_is_foreign, members.values())):
            return None
        return cls(
            {name: _value_loader(field) for name, field in members.items()},
            frozenset(name for name, field in members.items() if field.allow_none),
            frozenset(name for name, field in members.items() if field.required),
        )

    def load(self, body: dict[str, Any], optional: Collection[str]) -> dict[str, Any] | None:
        """The values of a body, of which ``optional`` members may be absent; None where marshmallow has to load it."""
        loaded: dict[str, Any] = {}
        for name, load in self.loaders.items():
            if name not in body:
                if name in self.required and name not in optional:
                    return None
                continue
            value = body[name]
            if value is None and name not in self.nullable:
                return None
            try:
                loaded[name] = None if value is None else load(value)
            except ValidationError:
                return None
        return loaded if len(loaded) == len(body) else None


def _is_foreign(field: theirs.Field[Any]) -> bool:
    """Whether a field is not the package's own, has another name in a body, or fills in a default."""
    renamed = field.data_key is not None or field.attribute is not None
    return not is_own(field) or renamed or field.load_default is not missing


def _value_loader(field: theirs.Field[Any]) -> ValueLoader:
    if field.validators:
        return field.deserialize
    plain = _PLAIN.get(type(field))
    # `deserialize` would also look for null and run validators: there are none.
    return cast("ValueLoader", field._deserialize) if plain is None else plain(field)


def _text(field: theirs.Field[Any]) -> ValueLoader:
    def load(value: Any) -> Any:
        return value if type(value) is str and value.isascii() else field.deserialize(value)

    return load


def _boolean(field: theirs.Field[Any]) -> ValueLoader:
    def load(value: Any) -> Any:
        return value if type(value) is bool else field.deserialize(value)

    return load


_PLAIN: Mapping[type, Callable[[theirs.Field[Any]], ValueLoader]] = {
    fields.TextField: _text,
    fields.BooleanField: _boolean,
}
"""Exact class of a field without validators -> a function that makes its loader."""
