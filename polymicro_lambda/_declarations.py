"""What a resource declares of its schema, checked and made into the forms of a body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from marshmallow import INCLUDE, Schema, fields, missing
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from ._slips import asked
from .attributes import KeyRule, Shape, member_field, needed, nullable, readable
from .exceptions import ConfigurationError


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a resource says of its schema, all names as sets."""

    resource: str
    model: type[Model]
    attributes: Mapping[str, Attribute[Any]]
    schema: type[Schema] | None
    defer_required: bool
    dump_only: frozenset[str]
    load_only: frozenset[str]
    required: frozenset[str]
    exclude: frozenset[str]
    bound: frozenset[str]
    fixed: frozenset[str]
    rules: Mapping[str, KeyRule]

    @property
    def keys(self) -> tuple[str, ...]:
        """The table's key attributes."""
        return tuple(n for n, one in self.attributes.items() if one.is_hash_key or one.is_range_key)

    @property
    def server(self) -> frozenset[str]:
        """What no client ever sets."""
        kinds = pynamo.VersionAttribute | pynamo.DiscriminatorAttribute
        return self.bound | {name for name, one in self.attributes.items() if isinstance(one, kinds)}

    def fail(self, where: str, message: str) -> NoReturn:
        raise ConfigurationError(f"{self.resource}.{where}: {message}")

    def check(self, said: Mapping[str, frozenset[str]]) -> None:
        """Raise ``ConfigurationError`` for names that do not exist or contradict one another."""
        if self.schema and not (isinstance(self.schema, type) and issubclass(self.schema, Schema)):
            self.fail("schema", "must be a marshmallow Schema class")
        own = self.schema() if self.schema else None
        known = {*self.attributes, *(own.declared_fields if own else ())}
        for where, names in said.items():
            for name in sorted(names - known):
                self.fail(where, f"{self.model.__name__} has no attribute {name!r}{asked(name, known)}")
        for name in sorted(self.dump_only & self.load_only):
            self.fail("load_only", f"{name!r} is dump_only too: exclude it")
        if own is None:
            return
        if own.unknown == INCLUDE:
            self.fail("schema", "Meta.unknown = INCLUDE lets a client set any attribute")
        for name, field in own.load_fields.items():
            if name not in self.dump_only | self.exclude and target(field) in self.server:
                self.fail("schema", f"{name!r} must be dump_only: no client sets {target(field)!r}")

    def check_required(self, form: Schema) -> None:
        """Raise ``ConfigurationError`` for a required field that no body can hold."""
        for name in sorted(self.required - self.bound - set(form.load_fields)):
            self.fail("required", f"no body can set {name!r}")

    def form(self, closed: frozenset[str]) -> Schema:
        """The schema of one kind of body, in which what ``closed`` names is read-only too."""
        shape = readable(self.schema) if self.schema else self.generated()
        known = shape()
        closed |= self.dump_only | self.server
        form = shape(
            exclude=self.exclude & set(known.fields),
            load_only=self.load_only | known.load_only,
            dump_only=known.dump_only | {n for n, f in known.fields.items() if {n, target(f)} & closed},
        )
        for name, field in form.fields.items():
            if target(field) in self.attributes:
                self.fit(name, field)
            field.required |= name in self.required
        return form

    def fit(self, name: str, field: fields.Field[Any]) -> None:
        """Make the field demand what its attribute needs."""
        attribute = self.attributes[target(field)]
        field.allow_none = field.allow_none and nullable(attribute) and name not in self.required
        given = self.defer_required or target(field) in self.fixed or field.load_default is not missing
        field.required |= needed(attribute) and not given
        self.rule(field, target(field))

    def generated(self) -> type[Schema]:
        """The model's attributes as a schema."""
        members = {name: self.field(name) for name in self.attributes if name not in self.exclude}
        for field in members.values():
            field.required = False
        return Shape.from_dict(members)

    def field(self, name: str) -> fields.Field[Any]:
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
        # A new list: copies of a field share theirs.
        field.validators = [*field.validators, *(rule for key, rule in self.rules.items() if key == name)]


def target(field: fields.Field[Any]) -> str:
    """The attribute that a bound field reads and sets."""
    return field.attribute or field.name or ""
