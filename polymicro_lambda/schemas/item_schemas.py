"""``ItemSchema``: a model, or a schema of the resource's own, compiled into all that verbs load and dump."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.lazy import lazy

from .attribute_fields import default_of, is_nullable
from .body_loader import BodyLoader, BodySchema, attribute_of_field, fields_named, member_of
from .declarations import SchemaDeclaration
from .declared_fields import attribute_at
from .fast_path import fast_path_is_on
from .fields import TextField
from .keys import key_rules, part_rules
from .merges import is_mergeable, merges_of, replacing, without_demands
from .url_values import value_of_text


@dataclass(frozen=True)
class ItemSchema:
    """The bodies, items and keys of a resource; see ``compile_schema``.

    Declarations are checked when it is made; fields are made when the first is needed.
    """

    declaration: SchemaDeclaration
    model: type[Model] | None
    """The model for whose attributes all fields are made, None where the resource has fields of its own."""

    @property
    def attributes(self) -> Mapping[str, Attribute[Any]]:
        """The model's attributes, in the order of the source."""
        return self.declaration.attributes

    def attribute(self, name: str) -> Attribute[Any]:
        """An attribute of the model's, or a member of a map by its name with dots."""
        return self.attributes[name] if "." not in name else attribute_at(self.declaration.model, name)

    @lazy
    def names(self) -> tuple[str, ...]:
        """The members of each item in an answer, in the order of the model."""
        declared = self.declaration
        if declared.is_predictable:
            return tuple(
                name for name in declared.attributes if name not in declared.exclude | declared.load_only
            )
        return tuple(field.data_key or name for name, field in self.creating.dump_fields.items())

    def member(self, attribute: str) -> str:
        """The member that shows an attribute, by its name; that name where none does."""
        return attribute if self.declaration.is_predictable else member_of(self.creating, attribute)

    @property
    def creating(self) -> Schema:
        """The marshmallow schema of a create."""
        return self._creating.schema

    @property
    def updating(self) -> Schema:
        """The marshmallow schema of PUT."""
        return self._updating.schema

    @property
    def merging(self) -> Schema:
        """The marshmallow schema of PATCH."""
        return self._merging.schema

    @lazy
    def _creating(self) -> BodySchema:
        return self._body_schema(self.declaration.body_schema(updating=False))

    @lazy
    def _updating(self) -> BodySchema:
        return self._body_schema(self.declaration.body_schema(updating=True))

    @lazy
    def _merging(self) -> BodySchema:
        if not any(map(is_mergeable, self.attributes.values())):
            return self._updating
        return self._body_schema(without_demands(self.declaration.body_schema(updating=True)))

    def _body_schema(self, schema: Schema) -> BodySchema:
        return BodySchema(schema, BodyLoader.of(schema) if self.model and fast_path_is_on() else None)

    @lazy
    def keys(self) -> Mapping[str, fields.Field[Any]]:
        """The fields of the attributes in paths and queries: the keys, and the attributes of filters."""
        declared = self.declaration
        return {name: declared.key_field(name) for name in (*declared.keys, *sorted(declared.addressed))}

    @lazy
    def texts(self) -> Mapping[str, int]:
        """Each key that is a plain text -> its longest value in bytes."""
        return {
            name: rule.limit
            for name, rule in key_rules(self.declaration.model).items()
            if type(rule.attribute) is UnicodeAttribute and type(self.keys.get(name)) is TextField
        }

    @lazy
    def parts(self) -> Mapping[str, Callable[[Any], None]]:
        """Each part of a composed key of the table -> a function that refuses values which would end it too early."""
        return part_rules(self.declaration.model)

    def load_create(self, body: object, optional: Collection[str] = ()) -> dict[str, Any]:
        """The values of a body by Python name, without nulls; ``optional`` fields may be absent though required.

        Raises ``BadRequest`` and ``Unprocessable``.
        """
        loaded = self._creating.load(body, optional)
        return {name: value for name, value in loaded.items() if value is not None or self.keeps_null(name)}

    def keeps_null(self, name: str) -> bool:
        """Whether a new item takes a null: without it the model would put a default in its place."""
        attribute = self.attributes.get(name)
        return attribute is None or attribute.default_for_new is not None

    def load_replace(self, body: object, kept: Iterable[str] = ()) -> dict[str, Any]:
        """Every writable attribute: as given, else its default, else None where that is allowed.

        Attributes in ``kept`` that are not given stay as they are: they are left out. Of members of maps,
        ``"address.city"``, the map is a ``Merge`` that keeps them. Raises as ``load_create``.
        """
        members = [name for name in kept if "." in name]
        kept = fields_named(self.updating, [name for name in kept if "." not in name])
        loaded = (self._merging if members else self._updating).load(body, kept)
        open_ = [
            attribute_of_field(field) for name, field in self.updating.load_fields.items() if name not in kept
        ]
        for name in [name for name in open_ if name not in loaded]:
            attribute = self.attributes.get(name)
            default = default_of(attribute) if attribute else None
            if default is not None or (attribute and is_nullable(attribute)):
                loaded[name] = default() if callable(default) else default
        return replacing(self.attributes, loaded, members) if members else loaded

    @lazy
    def members(self) -> frozenset[str]:
        """The members that a body can hold or an answer shows."""
        declared = self.declaration
        if declared.is_predictable:
            return frozenset(declared.attributes) - declared.exclude
        schemas = (self.creating, self.updating)
        return frozenset(field.data_key or name for one in schemas for name, field in one.fields.items())

    def setters(self, attributes: Collection[str]) -> tuple[str, ...]:
        """The members of a body that set one of these attributes: those of an update, else of a create."""
        declared = self.declaration
        if declared.is_predictable:
            bodies = [declared.settable(updating=updating) for updating in (True, False)]
            settable = [[name for name in body if name in attributes] for body in bodies]
        else:
            schemas = (self.updating, self.creating)
            settable = [
                [f.data_key or n for n, f in one.load_fields.items() if attribute_of_field(f) in attributes]
                for one in schemas
            ]
        return tuple(settable[0] or settable[1])

    def load_merge(self, body: object) -> dict[str, Any]:
        """The values of the body alone, None for null, a ``Merge`` for a map (RFC 7396). Raises as ``load_create``."""
        return merges_of(self.attributes, self._merging.load(body, self.merging.load_fields))

    def dump(self, instance: Model) -> dict[str, Any]:
        """The instance, JSON-ready: the same members for every item, null for an absent attribute."""
        dumped: dict[str, Any] = self.creating.dump(instance, many=False)
        return dumped

    def selected(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The members of an answer, out of all attributes of the model."""
        return {name: shown[name] for name in self.names}

    def parse_key(self, name: str, text: str) -> Any:
        """A decoded path segment as the attribute's value. Raises ``ValueError`` if it cannot be one."""
        limit, rule = self.texts.get(name, 0), self.parts.get(name)
        if 0 < len(text) <= limit and text.isascii() and text.isprintable() and text not in (".", ".."):
            value: Any = text  # the field would give the same, letter by letter
        else:
            value = value_of_text(self.keys[name], text, self.attributes[name].attr_type)
        if rule is not None:
            rule(value)
        return value

    def path_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The decoded segments of a path as their attributes' values; one that cannot be such a value stays a text."""
        values: dict[str, Any] = {}
        for name, text in texts.items():
            try:
                values[name] = self.parse_key(name, text)
            except ValueError:
                values[name] = text
        return values

    def parse_operand(self, name: str, text: str, *, element: bool = False) -> Any:
        """A decoded query value to compare the attribute, or an ``element`` of it, with. Raises ``ValueError``."""
        field, kind = self.keys[name], self.attribute(name).attr_type
        if element:
            field, kind = getattr(field, "inner", field), kind[0]  # the elements of an NS are of type N
        return value_of_text(field, text, kind)

    def key_text(self, name: str, value: Any) -> str:
        """The path segment of a value, not yet quoted: the inverse of ``parse_key``."""
        field = self.keys[name]
        shown = field.serialize(name, {name: value})
        if isinstance(shown, bool):
            return "true" if shown else "false"
        return str(getattr(field, "to_path", str)(shown))
