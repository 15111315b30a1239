"""A model, or a schema of the resource's own, compiled into what its verbs load and dump."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from marshmallow import INCLUDE, Schema, ValidationError, fields, missing
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute
from pynamodb.models import Model

from ._pointers import field_errors
from .attributes import (
    KeyRule,
    Shape,
    declared,
    default_of,
    key_rules,
    member_field,
    needed,
    nullable,
    readable,
)
from .exceptions import BadRequest, ConfigurationError, Unprocessable

READ_ONLY = "This field is read-only."


@dataclass(frozen=True, slots=True)
class ItemSchema:
    """What a resource takes and gives, built once; see ``compile_schema``.

    ``names`` are the members of every item that goes out, in the order of the model.
    """

    names: tuple[str, ...]
    creating: Schema
    """The fields of a create, as marshmallow has them."""
    updating: Schema
    """Those of PUT and PATCH."""
    attributes: Mapping[str, Attribute[Any]]
    keys: Mapping[str, fields.Field[Any]]
    """The fields of the attributes that stand in paths and queries: the keys, and those that filters name."""

    def load_create(self, body: object) -> dict[str, Any]:
        """What the body gives, by Python name, nulls left out. Raises ``BadRequest``, ``Unprocessable``."""
        loaded = _load(self.creating, body)
        return {name: value for name, value in loaded.items() if value is not None or self._kept(name)}

    def _kept(self, name: str) -> bool:
        # A null is dropped, but where the model would put its default for new items in its place.
        attribute = self.attributes.get(name)
        return attribute is None or attribute.default_for_new is not None

    def load_replace(self, body: object) -> dict[str, Any]:
        """Every writable attribute: as given, else its default, else None. Raises as ``load_create``."""
        loaded = _load(self.updating, body)
        for name in map(_target, self.updating.load_fields.values()):
            if name in self.attributes and name not in loaded:
                default = default_of(self.attributes[name])
                loaded[name] = default() if callable(default) else default
        return loaded

    def load_merge(self, body: object) -> dict[str, Any]:
        """Only what the body gives, None for null (RFC 7396, at the top level). Raises as ``load_create``."""
        return _load(self.updating, body, partial=tuple(self.updating.load_fields))

    def dump(self, instance: Model) -> dict[str, Any]:
        """The instance, JSON-ready: the same members for every item, null for what it lacks."""
        dumped: dict[str, Any] = self.creating.dump(instance, many=False)
        return dumped

    def parse_key(self, name: str, text: str) -> Any:
        """A decoded path segment as the key attribute's value. Raises ``ValueError`` if it can be none."""
        field = self.keys[name]
        try:
            return field.deserialize(getattr(field, "from_path", str)(text))
        except ValidationError as error:
            raise ValueError(f"not a value of {name}") from error

    def key_text(self, name: str, value: Any) -> str:
        """The path segment, not yet quoted, that ``parse_key`` turns into the value."""
        field = self.keys[name]
        shown = field.serialize(name, {name: value})
        return str(getattr(field, "to_path", str)(shown))


def compile_schema(
    model: type[Model],
    *,
    resource: str,
    schema: type[Schema] | None = None,
    dump_only: Iterable[str] = (),
    load_only: Iterable[str] = (),
    required: Iterable[str] = (),
    exclude: Iterable[str] = (),
    bound: frozenset[str] = frozenset(),
    fixed: frozenset[str] = frozenset(),
    addressed: Iterable[str] = (),
    creates: bool = True,
    defer_required: bool = False,
) -> ItemSchema:
    """The schema of a resource: its model's attributes, or those that a ``schema`` of its own declares.

    ``bound`` attributes are set by a rule or the route: never loaded, never required; ``fixed`` ones are loaded
    on create alone, as keys are; ``addressed`` ones stand in paths and queries. ``creates`` says whether there is
    a create at all. With ``defer_required`` only ``required`` is demanded of a body, since
    the verb may set the rest. Raises ``ConfigurationError`` naming the resource and the attribute.
    """
    said = {
        "dump_only": _names(dump_only),
        "load_only": _names(load_only),
        "required": _names(required),
        "exclude": _names(exclude),
        "bound": bound,
    }
    declaration = _Declaration(
        resource, model, declared(model), schema, defer_required, rules=key_rules(model), **said
    )
    declaration.check(said)
    creating = declaration.form(frozenset())
    updating = declaration.form(frozenset(declaration.keys) | fixed)
    declaration.check_required(creating if creates else updating)
    names = tuple(field.data_key or name for name, field in creating.dump_fields.items())
    keys = {name: declaration.key_field(name) for name in (*declaration.keys, *addressed)}
    return ItemSchema(names, creating, updating, declaration.attributes, keys)


@dataclass(frozen=True, slots=True)
class _Declaration:
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
                self.fail(where, f"{self.model.__name__} has no attribute {name!r}")
        for name in sorted(self.dump_only & self.load_only):
            self.fail("load_only", f"{name!r} is dump_only too: exclude it")
        if own is None:
            return
        if own.unknown == INCLUDE:
            self.fail("schema", "Meta.unknown = INCLUDE lets a client set any attribute")
        for name, field in own.load_fields.items():
            if name not in self.dump_only | self.exclude and _target(field) in self.server:
                self.fail("schema", f"{name!r} must be dump_only: no client sets {_target(field)!r}")

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
            dump_only=known.dump_only | {n for n, f in known.fields.items() if {n, _target(f)} & closed},
        )
        for name, field in form.fields.items():
            if _target(field) in self.attributes:
                self.fit(name, field)
            field.required |= name in self.required
        return form

    def fit(self, name: str, field: fields.Field[Any]) -> None:
        """Make the field demand what its attribute needs."""
        attribute = self.attributes[_target(field)]
        field.allow_none = field.allow_none and nullable(attribute) and name not in self.required
        field.required |= needed(attribute) and not self.defer_required and field.load_default is missing
        self.rule(field, _target(field))

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


def _names(names: Iterable[str]) -> frozenset[str]:
    # ("text") is a str: a comma forgotten, but no doubt what is meant.
    return frozenset({names} if isinstance(names, str) else names)


def _target(field: fields.Field[Any]) -> str:
    return field.attribute or field.name or ""


def _load(schema: Schema, body: object, partial: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
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
