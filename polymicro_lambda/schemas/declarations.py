"""What a resource declares of its schema, checked and made into the forms of a body."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from marshmallow import INCLUDE, Schema, fields, missing
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lazy import lazy
from polymicro_lambda.spelling import did_you_mean

from .attributes import (
    ModelSchema,
    is_nullable,
    is_required,
    key_rules,
    member_field,
    ordered_attributes,
    unpredictable,
    with_raw_maps,
)

NAMING = ("dump_only", "load_only", "required", "exclude", "bound", "fixed")
"""What a declaration names attributes by."""


@dataclass(frozen=True)
class SchemaDeclaration:
    """What a resource says of its schema, all names as sets."""

    resource: str
    model: type[Model]
    schema: type[Schema] | None
    defer_required: bool
    dump_only: frozenset[str]
    load_only: frozenset[str]
    required: frozenset[str]
    exclude: frozenset[str]
    bound: frozenset[str]
    fixed: frozenset[str]
    addressed: frozenset[str]

    @lazy
    def attributes(self) -> Mapping[str, Attribute[Any]]:
        """The model's, in the order of the source."""
        return ordered_attributes(self.model)

    @lazy
    def keys(self) -> tuple[str, ...]:
        """The table's key attributes."""
        return tuple(n for n, one in self.attributes.items() if one.is_hash_key or one.is_range_key)

    @property
    def server(self) -> frozenset[str]:
        """What no client ever sets."""
        kinds = pynamo.VersionAttribute | pynamo.DiscriminatorAttribute
        return self.bound | {name for name, one in self.attributes.items() if isinstance(one, kinds)}

    def fail(self, where: str, message: str) -> NoReturn:
        """Raise ``ConfigurationError`` that names the resource and the place."""
        raise ConfigurationError(f"{self.resource}.{where}: {message}")

    @lazy
    def is_foreseen(self) -> bool:
        """Whether the names say what its forms are: none of its fields has to be made for that."""
        if self.schema is not None or not unpredictable(self.model):
            return self.schema is None
        used = {*self.attributes} - self.exclude | {*self.keys} | self.addressed
        return used.isdisjoint(unpredictable(self.model))

    def check(self) -> None:
        """Raise ``ConfigurationError`` for names that do not exist or contradict one another."""
        if self.schema and not (isinstance(self.schema, type) and issubclass(self.schema, Schema)):
            self.fail("schema", "must be a marshmallow Schema class")
        own = self.schema() if self.schema else None
        self._check_names({*self.model.get_attributes(), *(own.declared_fields if own else ())})
        if own is None:
            return
        if own.unknown == INCLUDE:
            self.fail("schema", "Meta.unknown = INCLUDE lets a client set any attribute")
        for name, field in own.load_fields.items():
            if name not in self.dump_only | self.exclude and attribute_of_field(field) in self.server:
                self.fail(
                    "schema", f"{name!r} must be dump_only: no client sets {attribute_of_field(field)!r}"
                )

    def _check_names(self, known: set[str]) -> None:
        for where in NAMING:
            said: frozenset[str] = getattr(self, where)
            for name in sorted(said - known) if said else ():
                self.fail(
                    where, f"{self.model.__name__} has no attribute {name!r}{did_you_mean(name, known)}"
                )
        for name in sorted(self.dump_only & self.load_only):
            self.fail("load_only", f"{name!r} is dump_only too: exclude it")

    def check_required(self, members: Collection[str]) -> None:
        """Raise ``ConfigurationError`` for a required field that no body can hold, which has these ``members``."""
        for name in sorted(self.required - self.bound - set(members)):
            self.fail("required", f"no body can set {name!r}")

    def closed(self, *, updating: bool) -> frozenset[str]:
        """The attributes that one kind of body cannot set."""
        apart = self.dump_only | self.server
        return apart | self.fixed | {*self.keys} if updating else apart

    def settable(self, *, updating: bool) -> list[str]:
        """The attributes that it can, where they are foreseen."""
        closed = self.closed(updating=updating) | self.exclude
        return [name for name in self.attributes if name not in closed]

    def form(self, *, updating: bool) -> Schema:
        """The schema of one kind of body."""
        closed = self.closed(updating=updating)
        form = self._of_schema(self.schema, closed) if self.schema else self._of_model(closed)
        for name, field in form.fields.items():
            if attribute_of_field(field) in self.attributes:
                self.fit(name, field)
            field.required |= name in self.required
        return form

    def _of_schema(self, schema: type[Schema], closed: frozenset[str]) -> Schema:
        shape = with_raw_maps(schema)
        known = shape()
        return shape(
            exclude=self.exclude & set(known.fields),
            load_only=self.load_only | known.load_only,
            dump_only=known.dump_only
            | {n for n, f in known.fields.items() if {n, attribute_of_field(f)} & closed},
        )

    def _of_model(self, closed: frozenset[str]) -> Schema:
        members = self._shape._declared_fields
        told = {name for name, field in members.items() if {name, field.attribute or name} & closed}
        return self._shape(load_only=self.load_only, dump_only=told)

    def fit(self, name: str, field: fields.Field[Any]) -> None:
        """Make the field demand what its attribute needs."""
        attribute = self.attributes[attribute_of_field(field)]
        field.allow_none = field.allow_none and is_nullable(attribute) and name not in self.required
        given = (
            self.defer_required
            or attribute_of_field(field) in self.fixed
            or field.load_default is not missing
        )
        field.required |= is_required(attribute) and not given
        self.rule(field, attribute_of_field(field))

    @lazy
    def _shape(self) -> type[Schema]:
        """The model's attributes as a schema."""
        members = {name: self.field(name) for name in self.attributes if name not in self.exclude}
        for field in members.values():
            field.required = False
        return ModelSchema.from_dict(members)

    def field(self, name: str) -> fields.Field[Any]:
        """A new field of an attribute. Raises ``ConfigurationError`` where none carries it."""
        try:
            return member_field(self.attributes[name])
        except ConfigurationError as error:
            self.fail(name, str(error))

    def key_field(self, name: str) -> fields.Field[Any]:
        """The field of a path segment."""
        field = self.field(name)
        self.rule(field, name)
        return field

    def rule(self, field: fields.Field[Any], name: str) -> None:
        """Let the field refuse values that the attribute, as a key, cannot have."""
        # A new list: copies of a field share theirs.
        rules = key_rules(self.model)
        field.validators = [*field.validators, *([rules[name]] if name in rules else [])]


def attribute_of_field(field: fields.Field[Any]) -> str:
    """The attribute that a bound field reads and sets."""
    return field.attribute or field.name or ""
