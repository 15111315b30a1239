"""PynamoDB attribute → marshmallow field, as a table over the attribute's class and its parents.

An attribute class of your own that no row fits, or one that wants another field, says so itself::

    class MoneyAttribute(Attribute[Money]):
        attr_type = "N"
        marshmallow_field = MoneyField  # a Field class, or a function without arguments that makes a field
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeAlias
from unicodedata import category

from marshmallow import Schema, ValidationError, fields, missing
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of
from polymicro_lambda.exceptions import ConfigurationError

from . import fields as ours
from .values import CONTAINERS, as_json, load_text, refuse

HASH_BYTES, RANGE_BYTES = 2048, 1024
"""The longest partition and sort key (DynamoDB Developer Guide, "Quotas")."""

Factory: TypeAlias = Callable[[Any, int], fields.Field[Any]]
"""(attribute, level) -> field, in an item ``level`` maps and lists deep."""


@cache
def ordered_attributes(container: type) -> Mapping[str, Attribute[Any]]:
    """Python name -> attribute of a model or map, in the order of the source, parents first."""
    attributes: Mapping[str, Attribute[Any]] = container.get_attributes()  # type: ignore[attr-defined]
    known = attributes.keys()
    own = (vars(cls) for cls in reversed(container.__mro__))
    names = [name for said in own if not known.isdisjoint(said.keys()) for name in said]
    return {name: attributes[name] for name in names if name in known}


def default_of(attribute: Attribute[Any]) -> Any:
    """The default for a new item, callable or not; None if there is none."""
    new = attribute.default_for_new
    return attribute.default if new is None else new


def is_nullable(attribute: Attribute[Any]) -> bool:
    """Whether null can stand for the attribute, which is then absent from the item."""
    return attribute.null or isinstance(attribute, pynamo.NullAttribute)


def is_required(attribute: Attribute[Any]) -> bool:
    """Whether an item cannot be without it and nothing but the client says it."""
    given = default_of(attribute) is not None or isinstance(attribute, pynamo.DiscriminatorAttribute)
    return not is_nullable(attribute) and not given


@dataclass(frozen=True, slots=True)
class Serializable:
    """A validator for attributes with a ``serialize`` of their own: it must take the value."""

    attribute: Attribute[Any]

    def __call__(self, value: Any) -> None:
        """Raise ``ValidationError`` where it does not."""
        try:
            self.attribute.serialize(value)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValidationError("Not a valid value.") from error


def field_for(attribute: Attribute[Any], *, level: int = 0) -> fields.Field[Any]:
    """A new field for an attribute that stands ``level`` maps and lists deep.

    Raises ``ConfigurationError`` for an attribute class that the table does not know.
    """
    cls = type(attribute)
    row = next((parent for parent in cls.__mro__ if parent in FIELDS), None)
    own: Callable[[], fields.Field[Any]] | None = getattr(cls, "marshmallow_field", None)
    if own is None and row is None:
        raise ConfigurationError(
            f"no field carries {cls.__name__}: give the class a marshmallow_field, or declare the attribute "
            "in a schema of the resource"
        )
    field = own() if own else FIELDS[row](attribute, level)  # type: ignore[index]
    if row not in _CONTAINERS and (row is None or cls.serialize is not row.serialize):  # type: ignore[attr-defined]
        field.validators = [*field.validators, Serializable(attribute)]
    return field


@cache
def unpredictable(model: type[Model]) -> frozenset[str]:
    """The attributes whose fields have to be made to know what they say of themselves, or that none carries them."""
    attributes = model.get_attributes()
    if _foreseen.issuperset([_classes(one) for one in attributes.values()]):
        return frozenset()
    return frozenset(name for name, one in attributes.items() if not _is_foreseen(one))


_foreseen: set[tuple[type, type | None]] = set()


def _is_foreseen(attribute: Attribute[Any]) -> bool:
    """Whether the table makes its field, of nothing but the classes of attribute and elements."""
    classes = _classes(attribute)
    if classes not in _foreseen and not getattr(classes[0], "marshmallow_field", None):
        try:
            field_for(attribute)
        except ConfigurationError:
            return False
        _foreseen.add(classes)
    return classes in _foreseen


def _classes(attribute: Attribute[Any]) -> tuple[type, type | None]:
    return type(attribute), getattr(attribute, "element_type", None)


def member_field(attribute: Attribute[Any], *, level: int = 0) -> fields.Field[Any]:
    """The ``field_for`` an attribute of a model or map, which may be absent or null as the attribute may."""
    field = field_for(attribute, level=level)
    field.required, field.allow_none = is_required(attribute), is_nullable(attribute)
    return field


@dataclass(frozen=True, slots=True)
class KeyRule:
    """A validator: what DynamoDB, and for the table's own keys a path, takes as a key."""

    attribute: Attribute[Any]
    limit: int
    """The longest value, in bytes as stored."""
    address: bool
    """A key of the table, so a part of the item's path."""

    def __call__(self, value: Any) -> None:
        """Raise ``ValidationError`` if the value can be no key."""
        stored = self.attribute.serialize(value)
        if not isinstance(stored, str | bytes):
            return
        if not stored or value == "":  # the text behind a prefix may be
            refuse("A key may not be empty.")
        if len(load_text(stored).encode() if isinstance(stored, str) else stored) > self.limit:
            refuse(f"A key here has at most {self.limit} bytes.")
        if self.address and isinstance(stored, str) and any(category(one) == "Cc" for one in stored):
            refuse("A key may hold no control characters.")
        if self.address and value in (".", ".."):
            refuse("A key may not be . or .., which in a path mean something else.")


@cache
def key_rules(model: type[Model]) -> Mapping[str, KeyRule]:
    """Python name -> rule, for what is a key of the table or, by its DynamoDB name, of an index."""
    twins = [one for index in indexes_of(model).values() for one in index.Meta.attributes.values()]
    rules: dict[str, KeyRule] = {}
    for name, attribute in ordered_attributes(model).items():
        own = attribute.is_hash_key or attribute.is_range_key
        roles = [attribute, *(one for one in twins if one.attr_name == attribute.attr_name)]
        limits = [limit for one in roles for limit in _limits(one)]
        rules |= {name: KeyRule(attribute, min(limits), own)} if limits else {}
    return rules


def _limits(role: Attribute[Any]) -> list[int]:
    return [HASH_BYTES] * role.is_hash_key + [RANGE_BYTES] * role.is_range_key


class ModelSchema(Schema):
    """A schema made from a model or a map: values by Python name, None for what is absent."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The value, of an instance or of a dict."""
        return obj.get(attr) if isinstance(obj, Mapping) else getattr(obj, attr, None)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """What marshmallow's own gives for one object, without its hooks and defaults, which a shape never has."""
        if isinstance(obj, Mapping):
            return {key: write(obj.get(name), name, obj) for key, name, write in self._writers}
        return {key: write(getattr(obj, name, None), name, obj) for key, name, write in self._writers}

    @cached_property
    def _writers(self) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
        """Member, attribute, and what turns its value into JSON."""
        return tuple(
            (field.data_key or name, field.attribute or name, field._serialize)
            for name, field in self.dump_fields.items()
        )


def with_raw_maps(schema: type[Schema]) -> type[Schema]:
    """A schema of the user's own, such that raw maps reach its fields as dicts and JSON goes out."""

    class Readable(schema):  # type: ignore[misc, valid-type]
        class Meta(schema.Meta):  # type: ignore[name-defined, misc]
            register = False

        def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
            value = super().get_attribute(obj, attr, default)
            raw = isinstance(value, MapAttribute) and value.is_raw()  # type: ignore[no-untyped-call]
            return as_json(value) if raw else value

        def dump(self, obj: Any, *, many: bool | None = None) -> Any:
            return {name: as_json(value) for name, value in super().dump(obj, many=many).items()}

    return Readable


def _always(make: Callable[[], fields.Field[Any]]) -> Factory:
    def factory(_: Attribute[Any], __: int) -> fields.Field[Any]:
        return make()

    return factory


def _kind(attribute: Any, _: int) -> fields.Field[Any]:
    return ours.DiscriminatorField(attribute)


def _list(attribute: Any, level: int) -> fields.Field[Any]:
    of = attribute.element_type
    if of is None:
        return ours.RawListField(room=CONTAINERS - level)
    legacy = issubclass(of, pynamo.BinaryAttribute | pynamo.BinarySetAttribute)
    inner = field_for(of(legacy_encoding=False) if legacy else of(), level=level + 1)
    inner.allow_none = isinstance(inner, ours.NullField)
    return ours.ListField(inner)


def _map(attribute: Any, level: int) -> fields.Field[Any]:
    if type(attribute) is MapAttribute:
        return ours.RawMapField(room=CONTAINERS - level, lost=ours.LOST)
    return ours.MapField(type(attribute), _shape(attribute, level))


def _open_map(attribute: Any, level: int) -> fields.Field[Any]:
    return ours.DynamicMapField(type(attribute), _shape(attribute, level), room=CONTAINERS - level)


def _shape(attribute: Any, level: int) -> Schema:
    container: type = type(attribute)
    members = ordered_attributes(container)
    built = {name: member_field(member, level=level + 1) for name, member in members.items()}
    for name, member in members.items():
        # A map is replaced as a whole, so its members' defaults are part of what is loaded.
        default = default_of(member)
        built[name].load_default = missing if default is None else default
    return ModelSchema.from_dict(built)()


FIELDS: Mapping[type, Factory] = {
    pynamo.UnicodeAttribute: _always(ours.TextField),
    pynamo.NumberAttribute: _always(ours.NumberField),
    pynamo.BooleanAttribute: _always(ours.BooleanField),
    pynamo.UTCDateTimeAttribute: _always(ours.DateTimeField),
    pynamo.TTLAttribute: _always(ours.ExpiryField),
    pynamo.VersionAttribute: _always(ours.IntegerField),
    pynamo.JSONAttribute: _always(ours.JSONField),
    pynamo.UnicodeSetAttribute: _always(lambda: ours.SetField(ours.TextField())),
    pynamo.NumberSetAttribute: _always(lambda: ours.SetField(ours.NumberField())),
    pynamo.BinaryAttribute: _always(ours.BinaryField),
    pynamo.BinarySetAttribute: _always(lambda: ours.SetField(ours.BinaryField())),
    pynamo.MapAttribute: _map,
    pynamo.DynamicMapAttribute: _open_map,
    pynamo.ListAttribute: _list,
    pynamo.DiscriminatorAttribute: _kind,
    pynamo.NullAttribute: _always(ours.NullField),
}
"""Attribute class -> field of an attribute, ``level`` maps and lists deep. Subclasses find their parent's."""

_CONTAINERS = frozenset({pynamo.MapAttribute, pynamo.DynamicMapAttribute, pynamo.ListAttribute})
