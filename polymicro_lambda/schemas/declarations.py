"""A resource's declarations of its schema: checked, and made into a marshmallow schema for each kind of body."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from marshmallow import INCLUDE, Schema, fields, missing
from marshmallow.decorators import POST_LOAD
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_default, model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lazy import lazy
from polymicro_lambda.spelling import did_you_mean

from .attribute_fields import carrying, is_nullable, is_required, ordered_attributes, unpredictable
from .body_loader import attribute_of_field
from .carrying import is_own
from .declared_fields import DeclaredFields
from .keys import address_rules
from .model_schemas import ModelSchema, with_raw_maps

NAME_LISTS = ("dump_only", "load_only", "required", "exclude", "bound", "fixed")
"""The members of a declaration that are names of attributes."""


@dataclass(frozen=True)
class SchemaDeclaration:
    """The schema options of a resource; see ``compile_schema`` for their meaning."""

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
    lookup: str | None
    own_fields: DeclaredFields

    @lazy
    def attributes(self) -> Mapping[str, Attribute[Any]]:
        """The model's attributes, in the order of the source."""
        return ordered_attributes(self.model)

    @lazy
    def keys(self) -> tuple[str, ...]:
        """The attributes that name an item: the table's keys, of a composed one its parts."""
        address = model_info(self.model).address
        return tuple(name for name in self.attributes if name in address)

    @property
    def server_set(self) -> frozenset[str]:
        """The attributes that no client ever sets."""
        kinds = pynamo.VersionAttribute | pynamo.DiscriminatorAttribute
        return self.bound | {name for name, one in self.attributes.items() if isinstance(one, kinds)}

    def fail(self, where: str, message: str) -> NoReturn:
        """Raise a ``ConfigurationError`` that names the resource and the option or attribute ``where``."""
        raise ConfigurationError(f"{self.resource}.{where}: {message}")

    @lazy
    def is_predictable(self) -> bool:
        """Whether the names of its members are known without making a field, so that fields can wait for a request."""
        if self.schema is not None or self.own_fields.replaced or not unpredictable(self.model):
            return self.schema is None and not self.own_fields.replaced
        addressed = {name.partition(".")[0] for name in self.addressed}
        used = {*self.attributes} - self.exclude | {*self.keys} | addressed
        return used.isdisjoint(unpredictable(self.model))

    def check(self) -> None:
        """Raise ``ConfigurationError`` for names that do not exist or contradict one another."""
        if self.schema and not (isinstance(self.schema, type) and issubclass(self.schema, Schema)):
            self.fail("schema", "must be a marshmallow Schema class")
        own = self.schema() if self.schema else None
        self._check_names({*self.attributes, *(own.declared_fields if own else ())})
        self._check_own_fields()
        for name in self.addressed if self.own_fields.replaced else ():
            self.key_field(name)
        if own is None:
            return
        if own.unknown == INCLUDE:
            self.fail("schema", "Meta.unknown = INCLUDE lets a client set any attribute")
        for name, field in own.load_fields.items():
            if name not in self.dump_only | self.exclude and attribute_of_field(field) in self.server_set:
                self.fail(
                    "schema", f"{name!r} must be dump_only: no client sets {attribute_of_field(field)!r}"
                )

    def _check_names(self, known: set[str]) -> None:
        for where in NAME_LISTS:
            names: frozenset[str] = getattr(self, where)
            for name in sorted(names - known) if names else ():
                self._check_not_composed(where, name)
                self.fail(
                    where, f"{self.model.__name__} has no attribute {name!r}{did_you_mean(name, known)}"
                )
        for name in sorted(self.dump_only & self.load_only):
            self.fail("load_only", f"{name!r} is dump_only too: exclude it")

    def _check_not_composed(self, where: str, name: str) -> None:
        made = model_info(self.model).parts_of(name)
        if made is not None:
            self.fail(where, f"{name!r} is made of {made}, and in no body: name these")

    def _check_own_fields(self) -> None:
        """Check ``fields`` and ``validators``."""
        own = self.own_fields
        if self.schema and (own.replaced or own.validators):
            self.fail("fields" if own.replaced else "validators", "say it in schema, which the resource has")
        if own.replaced or own.validators:
            settable = {*self.settable(updating=False), *self.settable(updating=True)}
            own.check(settable, self.exclude)

    def check_required(self, members: Collection[str]) -> None:
        """Raise ``ConfigurationError`` for a required field that is none of a body's ``members``."""
        for name in sorted(self.required - self.bound - set(members)):
            self.fail("required", f"no body can set {name!r}")

    def closed(self, *, updating: bool) -> frozenset[str]:
        """The attributes that a create, or an update, cannot set."""
        always = self.dump_only | self.server_set
        return always | self.fixed | {*self.keys} if updating else always

    def settable(self, *, updating: bool) -> list[str]:
        """The attributes that a create, or an update, can set; call it if ``is_predictable`` alone."""
        closed = self.closed(updating=updating) | self.exclude
        return [name for name in self.attributes if name not in closed]

    def body_schema(self, *, updating: bool) -> Schema:
        """The schema of the body of a create, or of an update."""
        closed = self.closed(updating=updating)
        made = self._of_schema(self.schema, closed) if self.schema else self._of_model(closed)
        for name, field in made.fields.items():
            if attribute_of_field(field) in self.attributes:
                self._fit(name, field)
                # It would spring back: an absent attribute with a default is shown with that.
                field.allow_none &= not (updating and has_default(self.attributes[attribute_of_field(field)]))
            field.required |= name in self.required
        if (
            self.schema and not made._hooks[POST_LOAD]
        ):  # these may make other values of what fields have loaded
            self._check_carried(made)
        return made

    def _check_carried(self, made: Schema) -> None:
        """Let the fields of a schema of the resource's own refuse what their attributes cannot store.

        Raises ``ConfigurationError`` where that is everything, or they show nothing that these give.
        """
        for name, field in made.fields.items():
            attribute = self.attributes.get(attribute_of_field(field))
            if attribute is None or is_own(field):
                continue
            try:
                carrying(attribute, field)
            except ConfigurationError as error:
                self.fail("schema", f"{name!r}: {error}")

    def _of_schema(self, schema: type[Schema], closed: frozenset[str]) -> Schema:
        readable = with_raw_maps(schema)
        known = readable()
        return readable(
            exclude=self.exclude & set(known.fields),
            load_only=self.load_only | known.load_only,
            dump_only=known.dump_only
            | {n for n, f in known.fields.items() if {n, attribute_of_field(f)} & closed},
        )

    def _of_model(self, closed: frozenset[str]) -> Schema:
        members = self._model_schema._declared_fields
        read_only = {name for name, field in members.items() if {name, field.attribute or name} & closed}
        return self._model_schema(load_only=self.load_only, dump_only=read_only)

    def _fit(self, name: str, field: fields.Field[Any]) -> None:
        """Make the field as strict as its attribute about null, absence and keys."""
        attribute = self.attributes[attribute_of_field(field)]
        field.allow_none = field.allow_none and is_nullable(attribute) and name not in self.required
        given = (
            self.defer_required
            or attribute_of_field(field) in self.fixed
            or field.load_default is not missing
        )
        field.required |= is_required(attribute) and not given
        self._add_key_rule(field, attribute_of_field(field))

    @lazy
    def _model_schema(self) -> type[Schema]:
        """The model's attributes as a schema, nothing required."""
        return ModelSchema.from_dict(
            self.own_fields.of_body(name for name in self.attributes if name not in self.exclude)
        )

    def key_field(self, name: str) -> fields.Field[Any]:
        """A new field for a path segment or a query."""
        if "." in name:
            return self.own_fields.member(name)
        field = self.own_fields.field(name)
        self._add_key_rule(field, name)
        return field

    def _add_key_rule(self, field: fields.Field[Any], name: str) -> None:
        """Let the field refuse values that a key cannot have, if the attribute is one."""
        # A new list: copies of a field share their list.
        rules = address_rules(self.model, self.lookup)
        field.validators = [*field.validators, *([rules[name]] if name in rules else [])]
