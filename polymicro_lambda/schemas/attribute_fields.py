"""PynamoDB attribute → marshmallow field: the table ``FIELDS``, by the attribute's class and its parents.

For a new attribute class of PynamoDB, add a row; for one of another package, a row of ``PACKAGED``. An attribute class
of your own that no row fits, or that needs another field, names its field itself::

    class MoneyAttribute(Attribute[Money]):
        attr_type = "N"
        marshmallow_field = MoneyField  # a Field class, or a function without arguments that makes a field
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias

from marshmallow import Schema, fields, missing
from pynamodb import attributes as pynamo
from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ComposedAttribute, DecimalAttribute, has_default
from polymicro_lambda.exceptions import ConfigurationError

from . import fields as ours
from .carrying import Storable, check_carried, check_own_way, check_shown, sample_values
from .model_schemas import ModelSchema
from .values import CONTAINERS

Factory: TypeAlias = Callable[[Any, int], fields.Field[Any]]
"""(attribute, level) -> field; ``level`` is the number of maps and lists around the attribute in its item."""


@cache
def ordered_attributes(container: type) -> Mapping[str, Attribute[Any]]:
    """Python name -> attribute of a model or map, in the order of the source, parents first; none that is composed."""
    own: Mapping[str, Attribute[Any]] = container.get_attributes()  # type: ignore[attr-defined]
    attributes = {name: one for name, one in own.items() if not isinstance(one, ComposedAttribute)}
    known = attributes.keys()
    namespaces = (vars(cls) for cls in reversed(container.__mro__))
    names = [name for members in namespaces if not known.isdisjoint(members.keys()) for name in members]
    return {name: attributes[name] for name in names if name in known}


def default_of(attribute: Attribute[Any]) -> Any:
    """The default for a new item, callable or not; None if there is none."""
    new = attribute.default_for_new
    return attribute.default if new is None else new


def is_nullable(attribute: Attribute[Any]) -> bool:
    """Whether null can stand for the attribute, which is then absent from the item."""
    return attribute.null or isinstance(attribute, pynamo.NullAttribute)


def is_required(attribute: Attribute[Any]) -> bool:
    """Whether every item has the attribute, and the client alone can give its value."""
    given = default_of(attribute) is not None or isinstance(attribute, pynamo.DiscriminatorAttribute)
    return not is_nullable(attribute) and not given


def _always(make: Callable[[], fields.Field[Any]]) -> Factory:
    def factory(_: Attribute[Any], __: int) -> fields.Field[Any]:
        return make()

    return factory


def _of_attribute(make: Callable[[Any], fields.Field[Any]]) -> Factory:
    return lambda attribute, _: make(attribute)


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
        return ours.RawMapField(room=CONTAINERS - level)
    return ours.MapField(type(attribute), _map_schema(attribute, level))


def _dynamic_map(attribute: Any, level: int) -> fields.Field[Any]:
    return ours.DynamicMapField(type(attribute), _map_schema(attribute, level), room=CONTAINERS - level)


def _map_schema(attribute: Any, level: int) -> Schema:
    container: type = type(attribute)
    members = ordered_attributes(container)
    built = {name: member_field(member, level=level + 1) for name, member in members.items()}
    for name, member in members.items():
        # A map is replaced as a whole, so its members' defaults are part of what is loaded.
        default = default_of(member)
        built[name].load_default = missing if default is None else default
        built[name].allow_none = built[name].allow_none and not has_default(member)
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
    pynamo.DynamicMapAttribute: _dynamic_map,
    pynamo.ListAttribute: _list,
    pynamo.DiscriminatorAttribute: _of_attribute(ours.DiscriminatorField),
    pynamo.NullAttribute: _always(ours.NullField),
    DecimalAttribute: lambda attribute, _: ours.DecimalField(as_string=attribute.as_string),
}
"""Attribute class -> a function that makes its field. A subclass takes the row of its nearest parent."""


def _duration(**unit: int) -> Factory:
    return lambda attribute, _: ours.DurationField(attribute, timedelta(**unit))


def _enum(attribute: Any, _: int) -> fields.Field[Any]:
    return ours.EnumField(attribute.enum_type)


_timestamp, _stored_text = _of_attribute(ours.TimestampField), _of_attribute(ours.StoredTextField)


PACKAGED: Mapping[str, Factory] = {
    "pynamodb_attributes.FloatAttribute": _always(ours.NumberField),
    "pynamodb_attributes.IntegerAttribute": _always(ours.IntegerField),
    "pynamodb_attributes.IntegerDateAttribute": _always(ours.DateField),
    "pynamodb_attributes.IntegerEnumAttribute": _enum,
    "pynamodb_attributes.IntegerSetAttribute": _always(lambda: ours.SetField(ours.IntegerField())),
    "pynamodb_attributes.TimedeltaAttribute": _duration(seconds=1),
    "pynamodb_attributes.TimedeltaMsAttribute": _duration(milliseconds=1),
    "pynamodb_attributes.TimedeltaUsAttribute": _duration(microseconds=1),
    "pynamodb_attributes.TimestampAttribute": _timestamp,
    "pynamodb_attributes.TimestampMsAttribute": _timestamp,
    "pynamodb_attributes.TimestampUsAttribute": _timestamp,
    "pynamodb_attributes.UUIDAttribute": _always(ours.UUIDField),
    "pynamodb_attributes.UnicodeDatetimeAttribute": _timestamp,
    "pynamodb_attributes.UnicodeDelimitedTupleAttribute": _stored_text,
    "pynamodb_attributes.UnicodeEnumAttribute": _enum,
    "pynamodb_attributes.UnicodeProtobufEnumAttribute": _stored_text,
}
"""As ``FIELDS``, for classes of packages that are never imported here: by the names of package and class."""

_CONTAINERS = frozenset({pynamo.MapAttribute, pynamo.DynamicMapAttribute, pynamo.ListAttribute})


def field_for(attribute: Attribute[Any], *, level: int = 0) -> fields.Field[Any]:
    """A new field for an attribute that stands ``level`` maps and lists deep in its item.

    Raises ``ConfigurationError`` for an attribute class without a row in ``FIELDS`` or a ``marshmallow_field``, and
    for one whose values that field does not carry.
    """
    cls = type(attribute)
    own: Callable[[], fields.Field[Any]] | None = getattr(cls, "marshmallow_field", None)
    row, factory = _row(cls)
    if own is not None:
        return carrying(attribute, own())
    if row is None or factory is None:
        raise ConfigurationError(
            f"no field carries {cls.__name__}: give the class a marshmallow_field, or declare the attribute "
            "in fields of the resource"
        )
    field = factory(attribute, level)
    if row not in _CONTAINERS and (cls.serialize, cls.deserialize) != (row.serialize, row.deserialize):
        check_own_way(attribute, field, reads=cls.deserialize is not row.deserialize)
        field.validators = [*field.validators, Storable(attribute)]
    return field


def carrying(attribute: Attribute[Any], field: fields.Field[Any]) -> fields.Field[Any]:
    """A field of the app's own, which from now on refuses what the attribute does not store.

    Raises ``ConfigurationError`` where that is everything that it loads, or it shows nothing that the attribute gives.
    """
    if field.dump_only:
        check_shown(field, attribute, _values_of(attribute))
    else:
        check_carried(attribute, field)
    field.validators = [*field.validators, Storable(attribute)]
    return field


def _values_of(attribute: Attribute[Any]) -> Iterator[Any]:
    """Some values of an attribute, none where no made field carries it."""
    row, factory = _row(type(attribute))
    return iter(()) if row is None or factory is None else sample_values(factory(attribute, 0))


def _row(cls: type) -> tuple[Any, Factory | None]:
    """The nearest parent of an attribute class that a table knows, and what makes its field."""
    for parent in cls.__mro__:
        factory = FIELDS.get(parent) or PACKAGED.get(_package_name(parent))
        if factory is not None:
            return parent, factory
    return None, None


def _package_name(cls: type) -> str:
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


def member_field(attribute: Attribute[Any], *, level: int = 0) -> fields.Field[Any]:
    """The ``field_for`` an attribute of a model or map; it may be absent or null if the attribute may."""
    field = field_for(attribute, level=level)
    field.required, field.allow_none = is_required(attribute), is_nullable(attribute)
    return field


@cache
def unpredictable(model: type[Model]) -> frozenset[str]:
    """The attributes whose fields must be made at compilation: with a field of their own, or without any.

    The fields of all others are ours, without mistakes of a user's, and can wait for the first request.
    """
    return frozenset(name for name, one in model.get_attributes().items() if not _is_predictable(one))


_predictable: set[tuple[type, type | None]] = set()
"""Attribute and element classes that ``FIELDS`` is known to carry."""


def _is_predictable(attribute: Attribute[Any]) -> bool:
    classes = type(attribute), getattr(attribute, "element_type", None)
    if classes not in _predictable and not getattr(classes[0], "marshmallow_field", None):
        try:
            field_for(attribute)
        except ConfigurationError:
            return False
        if classes[0] not in FIELDS:
            return True  # what another attribute of the class carries may depend on how that was made
        _predictable.add(classes)
    return classes in _predictable
