"""A model, or a schema of the resource's own, compiled into what its verbs load and dump."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from ._declarations import Declaration, target
from ._pointers import field_errors
from ._switch import is_on
from .attributes import (
    declared,
    default_of,
    key_rules,
    nullable,
)
from .exceptions import BadRequest, Unprocessable
from .fields import TextField
from .loading import Loader

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
    model: type[Model] | None
    """The model whose attributes are the fields, None where a schema of the resource's own says them."""
    keys: Mapping[str, fields.Field[Any]]
    """The fields of the attributes that stand in paths and queries: the keys, and those that filters name."""
    texts: Mapping[str, int]
    """The keys that are plain texts, and how long they may be."""
    loaders: Mapping[Schema, Loader | None]
    """The short way of each form of body."""

    def load_create(self, body: object, optional: Collection[str] = ()) -> dict[str, Any]:
        """What the body gives, by Python name, nulls left out; ``optional`` ones may be absent though required.

        Raises ``BadRequest`` and ``Unprocessable``.
        """
        loaded = self._load(self.creating, body, optional)
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
        loaded = self._load(self.updating, body, kept)
        open_ = [target(field) for name, field in self.updating.load_fields.items() if name not in kept]
        for name in [name for name in open_ if name not in loaded]:
            attribute = self.attributes.get(name)
            default = default_of(attribute) if attribute else None
            if default is not None or (attribute and nullable(attribute)):
                loaded[name] = default() if callable(default) else default
        return loaded

    @property
    def members(self) -> frozenset[str]:
        """What a body can hold or an answer shows."""
        forms = (self.creating, self.updating)
        return frozenset(field.data_key or name for form in forms for name, field in form.fields.items())

    def load_merge(self, body: object) -> dict[str, Any]:
        """Only what the body gives, None for null (RFC 7396, at the top level). Raises as ``load_create``."""
        return self._load(self.updating, body, self.updating.load_fields)

    def _load(self, schema: Schema, body: object, optional: Collection[str]) -> dict[str, Any]:
        """What the body gives; ``optional`` are fields, by the names of members or attributes."""
        loader = self.loaders[schema]  # whose fields have one name alone
        loaded = loader.load(body, optional) if loader is not None and type(body) is dict else None
        return load(schema, body, _fields(schema, optional)) if loaded is None else loaded

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
    said = {
        "dump_only": _names(dump_only),
        "load_only": _names(load_only),
        "required": _names(required),
        "exclude": _names(exclude),
        "bound": bound,
        "fixed": fixed,
    }
    declaration = Declaration(
        resource, model, declared(model), schema, defer_required, rules=key_rules(model), **said
    )
    declaration.check(said)
    creating = declaration.form(frozenset())
    updating = declaration.form(frozenset(declaration.keys) | fixed)
    declaration.check_required(creating if creates else updating)
    names = tuple(field.data_key or name for name, field in creating.dump_fields.items())
    keys = {name: declaration.key_field(name) for name in (*declaration.keys, *addressed)}
    generated = model if schema is None else None
    rules = declaration.rules.items()
    texts = {
        name: rule.limit for name, rule in rules if name in keys and type(rule.attribute) is UnicodeAttribute
    }
    texts = {name: limit for name, limit in texts.items() if type(keys[name]) is TextField}
    loaders = {form: Loader.of(form) if generated and is_on() else None for form in (creating, updating)}
    return ItemSchema(names, creating, updating, declaration.attributes, generated, keys, texts, loaders)


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
        n for n, f in schema.load_fields.items() if not wanted.isdisjoint({n, f.data_key, target(f)})
    )


def load(schema: Schema, body: object, partial: tuple[str, ...] | None = None) -> dict[str, Any]:
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
