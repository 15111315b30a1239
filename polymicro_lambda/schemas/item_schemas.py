"""A model, or a schema of the resource's own, compiled into what its verbs load and dump."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import BadRequest, Unprocessable
from polymicro_lambda.lazy import compute_lazy, lazy

from .attributes import default_of, is_nullable, key_rules
from .body_loader import BodyLoader
from .declarations import SchemaDeclaration, attribute_of_field
from .error_pointers import field_errors
from .fast_path import fast_path_is_on
from .fields import TextField

READ_ONLY = "This field is read-only."


@dataclass(frozen=True, slots=True)
class BodySchema:
    """One kind of body."""

    schema: Schema
    loader: BodyLoader | None
    """The short way, None where there is none."""

    def load(self, body: object, optional: Collection[str]) -> dict[str, Any]:
        """What a body gives, without the ``optional`` fields if need be, by the names of members or attributes.

        Raises ``BadRequest`` and ``Unprocessable``.
        """
        loader = self.loader  # whose fields have one name alone
        loaded = loader.load(body, optional) if loader is not None and type(body) is dict else None
        return load_body(self.schema, body, _fields(self.schema, optional)) if loaded is None else loaded


@dataclass(frozen=True)
class ItemSchema:
    """What a resource takes and gives; see ``compile_schema``.

    Declarations are checked when it is made; fields are made when one is asked for.
    """

    declaration: SchemaDeclaration
    model: type[Model] | None
    """The model whose attributes are the fields, None where a schema of the resource's own says them."""

    @property
    def attributes(self) -> Mapping[str, Attribute[Any]]:
        """Those of the model, in the order of the source."""
        return self.declaration.attributes

    @lazy
    def names(self) -> tuple[str, ...]:
        """The members of every item that goes out, in the order of the model."""
        said = self.declaration
        if said.is_foreseen:
            return tuple(name for name in said.attributes if name not in said.exclude | said.load_only)
        return tuple(field.data_key or name for name, field in self.creating.dump_fields.items())

    @property
    def creating(self) -> Schema:
        """The fields of a create, as marshmallow has them."""
        return self._creating.schema

    @property
    def updating(self) -> Schema:
        """Those of PUT and PATCH."""
        return self._updating.schema

    @lazy
    def _creating(self) -> BodySchema:
        return self._form(self.declaration.form(updating=False))

    @lazy
    def _updating(self) -> BodySchema:
        return self._form(self.declaration.form(updating=True))

    def _form(self, schema: Schema) -> BodySchema:
        return BodySchema(schema, BodyLoader.of(schema) if self.model and fast_path_is_on() else None)

    @lazy
    def keys(self) -> Mapping[str, fields.Field[Any]]:
        """The fields of the attributes that stand in paths and queries: the keys, and those that filters name."""
        said = self.declaration
        return {name: said.key_field(name) for name in (*said.keys, *sorted(said.addressed))}

    @lazy
    def texts(self) -> Mapping[str, int]:
        """The keys that are plain texts, and how long they may be."""
        return {
            name: rule.limit
            for name, rule in key_rules(self.declaration.model).items()
            if type(rule.attribute) is UnicodeAttribute and type(self.keys.get(name)) is TextField
        }

    def load_create(self, body: object, optional: Collection[str] = ()) -> dict[str, Any]:
        """What the body gives, by Python name, nulls left out; ``optional`` ones may be absent though required.

        Raises ``BadRequest`` and ``Unprocessable``.
        """
        loaded = self._creating.load(body, optional)
        return {name: value for name, value in loaded.items() if value is not None or self._kept(name)}

    def _kept(self, name: str) -> bool:
        # A null is dropped, but where the model would put its default for new items in its place.
        attribute = self.attributes.get(name)
        return attribute is None or attribute.default_for_new is not None

    def load_replace(self, body: object, closed: Iterable[str] = ()) -> dict[str, Any]:
        """Every writable attribute: as given, else its default, else None where that is allowed.

        What stands in ``closed`` is not asked for and stays as it is. Raises as ``load_create``.
        """
        kept = _fields(self.updating, closed)
        loaded = self._updating.load(body, kept)
        open_ = [
            attribute_of_field(field) for name, field in self.updating.load_fields.items() if name not in kept
        ]
        for name in [name for name in open_ if name not in loaded]:
            attribute = self.attributes.get(name)
            default = default_of(attribute) if attribute else None
            if default is not None or (attribute and is_nullable(attribute)):
                loaded[name] = default() if callable(default) else default
        return loaded

    @lazy
    def members(self) -> frozenset[str]:
        """What a body can hold or an answer shows."""
        said = self.declaration
        if said.is_foreseen:
            return frozenset(said.attributes) - said.exclude
        forms = (self.creating, self.updating)
        return frozenset(field.data_key or name for form in forms for name, field in form.fields.items())

    def setters(self, attributes: Collection[str]) -> tuple[str, ...]:
        """The members of a body that set one of these attributes: those of an update, else of a create."""
        said = self.declaration
        if said.is_foreseen:
            forms = [said.settable(updating=updating) for updating in (True, False)]
            settable = [[name for name in form if name in attributes] for form in forms]
        else:
            fields = [form.load_fields.items() for form in (self.updating, self.creating)]
            settable = [
                [f.data_key or n for n, f in form if attribute_of_field(f) in attributes] for form in fields
            ]
        return tuple(settable[0] or settable[1])

    def load_merge(self, body: object) -> dict[str, Any]:
        """Only what the body gives, None for null (RFC 7396, at the top level). Raises as ``load_create``."""
        return self._updating.load(body, self.updating.load_fields)

    def dump(self, instance: Model) -> dict[str, Any]:
        """The instance, JSON-ready: the same members for every item, null for what it lacks."""
        dumped: dict[str, Any] = self.creating.dump(instance, many=False)
        return dumped

    def selected(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The members of an item that goes out, of all attributes of its model."""
        return {name: shown[name] for name in self.names}

    def parse_key(self, name: str, text: str) -> Any:
        """A decoded path segment as the attribute's value. Raises ``ValueError`` if it can be none."""
        limit = self.texts.get(name, 0)
        if 0 < len(text) <= limit and text.isascii() and text.isprintable() and text not in (".", ".."):
            return text  # as the field finds too, a letter at a time
        return _parsed(self.keys[name], text)

    def parse_operand(self, name: str, text: str, *, element: bool = False) -> Any:
        """A decoded query value to compare the attribute, or an ``element`` of it, with. Raises ``ValueError``."""
        field = self.keys[name]
        return _parsed(getattr(field, "inner", field) if element else field, text)

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
    declaration = SchemaDeclaration(
        resource,
        model,
        schema,
        defer_required,
        _names(dump_only),
        _names(load_only),
        _names(required),
        _names(exclude),
        bound,
        fixed,
        frozenset(addressed),
    )
    declaration.check()
    found = ItemSchema(declaration, model if schema is None else None)
    if not declaration.is_foreseen:
        compute_lazy(found)  # which raises where no field carries an attribute
        declaration.check_required((found.creating if creates else found.updating).load_fields)
    elif declaration.required:
        declaration.check_required(declaration.settable(updating=not creates))
    return found


def _parsed(field: fields.Field[Any], text: str) -> Any:
    try:
        return field.deserialize(getattr(field, "from_path", str)(text))
    except ValidationError as error:
        raise ValueError("; ".join(map(str, error.messages))) from error


def _names(names: Iterable[str]) -> frozenset[str]:
    # ("text") is a str: a comma forgotten, but no doubt what is meant.
    return frozenset({names} if isinstance(names, str) else names)


def _fields(schema: Schema, names: Iterable[str]) -> tuple[str, ...]:
    """The fields that go by these names, be it as members of a body or as attributes."""
    wanted = frozenset(names)
    return tuple(
        n
        for n, f in schema.load_fields.items()
        if not wanted.isdisjoint({n, f.data_key, attribute_of_field(f)})
    )


def load_body(schema: Schema, body: object, partial: tuple[str, ...] | None = None) -> dict[str, Any]:
    """What a body gives, ``partial`` fields being optional. Raises ``BadRequest`` and ``Unprocessable``."""
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
