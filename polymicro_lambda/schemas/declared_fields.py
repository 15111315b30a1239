"""``fields`` and ``validators`` of a resource: fields in place of made ones, validators beside them.

Both are said of attributes by name, and of members of maps, and of maps in lists, with dots: ``lines.quantity``.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any, TypeAlias

from marshmallow import ValidationError, fields, missing
from marshmallow.validate import And
from marshmallow.validate import Validator as MarshmallowValidator
from pynamodb.attributes import Attribute, ListAttribute, MapAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean

from .attribute_fields import (
    carrying,
    default_of,
    is_nullable,
    is_required,
    member_field,
    ordered_attributes,
)
from .carrying import sample_values
from .fields import MapField

Names: TypeAlias = tuple[str, ...]
"""The name of an attribute, then those of members below it."""
Validator: TypeAlias = Callable[[Any], Any]


class DeclaredFields:
    """The fields of one resource: as it declares them, else made for its model's attributes."""

    def __init__(
        self, resource: str, model: type[Model], table: Any, validators: Any, dump_only: frozenset[str]
    ) -> None:
        """Read both tables; ``dump_only`` attributes are shown alone. Raises ``ConfigurationError``."""
        self.resource, self.model, self.dump_only = resource, model, dump_only
        self.replaced: Mapping[Names, fields.Field[Any]] = {}
        self.validators: Mapping[Names, list[Validator]] = {}
        if table != {}:
            with self._naming("fields"):
                self.replaced = _read(table, _checked_field, 'must name fields: {"price": fields.Decimal()}')
        if validators != {}:
            with self._naming("validators"):
                self.validators = _read(
                    validators, _checked_validators, 'must name validators: {"stock": Range(min=0)}'
                )

    def check(self, settable: Collection[str], exclude: Collection[str]) -> None:
        """Raise ``ConfigurationError`` for what is said of no attribute, or of one that no client meets.

        And for fields that attributes cannot carry, and validators that fail at every value.
        """
        for names in self.replaced:
            with self._naming(_where("fields", names)):
                attribute_at(self.model, names)
                if names[0] in exclude:
                    raise ConfigurationError(f"{names[0]!r} is in exclude")
            self.field(names[0])
        for names, validators in self.validators.items():
            with self._naming(_where("validators", names)):
                attribute_at(self.model, names)
                if names[0] not in settable:
                    raise ConfigurationError(f"no body can set {names[0]!r}")
                field = _field_at(self.field(names[0]), names[1:])
                for validator in validators:
                    _check_validator(field, validator)

    def field(self, name: str) -> fields.Field[Any]:
        """A new field of an attribute. Raises ``ConfigurationError`` where none carries it."""
        attribute, declared = ordered_attributes(self.model)[name], self.replaced.get((name,))
        with self._naming(name if declared is None else _where("fields", (name,))):
            field = (
                member_field(attribute)
                if declared is None
                else _replaced(attribute, declared, dump_only=name in self.dump_only)
            )
        for names, member in self.replaced.items():
            if names[0] == name and len(names) > 1:
                with self._naming(_where("fields", names)):
                    _replace_member(field, names[1:], attribute_at(self.model, names), member)
        return field

    def member(self, name: str) -> fields.Field[Any]:
        """A new field of a member of a map, by its name with dots. Raises ``ConfigurationError``."""
        first, *below = name.split(".")
        field = self.field(first)
        with self._naming(f"filters[{name!r}]"):
            return _field_at(field, below)

    def of_body(self, names: Iterable[str]) -> dict[str, fields.Field[Any]]:
        """New fields of these attributes for a body, with their validators, nothing required but by its own field."""
        made = {name: self.field(name) for name in names}
        for name, field in made.items():
            declared = self.replaced.get((name,))
            field.required = declared is not None and declared.required
        for path, validators in self.validators.items():
            field = _field_at(made[path[0]], path[1:])
            field.validators = [*field.validators, *validators]
        return made

    @contextmanager
    def _naming(self, where: str) -> Iterator[None]:
        """Put the resource and ``where`` before the text of a ``ConfigurationError``, unless it has them."""
        try:
            yield
        except ConfigurationError as error:
            if str(error).startswith(f"{self.resource}."):
                raise
            raise ConfigurationError(f"{self.resource}.{where}: {error}") from error


def _where(table: str, names: Names) -> str:
    return f"{table}[{'.'.join(names)!r}]"


def _read(table: Any, checked: Callable[[str, Any], Any], wanted: str) -> dict[Names, Any]:
    if not isinstance(table, Mapping) or not all(isinstance(name, str) for name in table):
        raise ConfigurationError(wanted)
    return {tuple(name.split(".")): checked(name, one) for name, one in table.items()}


def _checked_field(name: str, field: Any) -> fields.Field[Any]:
    if not isinstance(field, fields.Field):
        hint = f": write {field.__name__}()" if isinstance(field, type) else ""
        raise ConfigurationError(f"{name!r} must be a marshmallow field, not {field!r}{hint}")
    if field.attribute is not None:
        raise ConfigurationError(f"{name!r}: leave out attribute={field.attribute!r} of the field")
    return field


def _checked_validators(name: str, some: Any) -> list[Validator]:
    several = list(some) if isinstance(some, list | tuple) else [some]
    for one in several:
        if isinstance(one, type) or not callable(one):
            hint = f": write {one.__name__}(…)" if isinstance(one, type) else ""
            raise ConfigurationError(f"{name!r} must be a validator or several, not {one!r}{hint}")
    return [*map(_refusing, several)]


def _refusing(validator: Validator) -> Validator:
    """A validator whose False refuses the value, as it did in marshmallow 3; 4 asks for an error."""
    if type(validator) is And:
        return And(*map(_refusing, validator.validators))
    # Those of marshmallow's raise, and the documents tell their class.
    return validator if isinstance(validator, MarshmallowValidator) else partial(_call, validator)


def _call(validator: Validator, value: Any) -> None:
    """Raise ``ValidationError`` where the validator does, or gives False."""
    if validator(value) is False:
        raise ValidationError("Invalid value.")


def attribute_at(model: type[Model], names: Names | str) -> Attribute[Any]:
    """The attribute of these names. Raises ``ConfigurationError`` where there is none."""
    names = tuple(names.split(".")) if isinstance(names, str) else names
    if made := model_info(model).parts_of(names[0]):
        raise ConfigurationError(f"it is made of {made}, and in no body: name these")
    container: type | None = model
    attribute: Attribute[Any] | None = None
    for name in names:
        if container is None:
            raise ConfigurationError(f"a {type(attribute).__name__} has no member {name!r} that is known")
        known = ordered_attributes(container)
        if name not in known:
            near = did_you_mean(name, known)
            raise ConfigurationError(f"{container.__name__} has no attribute {name!r}{near}")
        attribute = known[name]
        container = _map_in(attribute)
    assert attribute is not None  # nosec B101 # noqa: S101 - there is a first name
    return attribute


def _map_in(attribute: Attribute[Any]) -> type | None:
    """The class of maps that an attribute holds, alone or in a list; None where none is declared."""
    kind = attribute.element_type if isinstance(attribute, ListAttribute) else type(attribute)
    is_map = kind is not None and issubclass(kind, MapAttribute) and bool(kind.get_attributes())
    return kind if is_map else None


def _replaced(
    attribute: Attribute[Any], declared: fields.Field[Any], dump_only: bool = False
) -> fields.Field[Any]:
    """A copy of a declared field, null and absence as the attribute has them. Raises ``ConfigurationError``."""
    field = copy(declared)
    field.dump_only |= dump_only
    carrying(attribute, field)
    field.required |= is_required(attribute) and field.load_default is missing
    field.allow_none = is_nullable(attribute)
    return field


def _replace_member(made: fields.Field[Any], names: Names, attribute: Attribute[Any], declared: Any) -> None:
    """Put a declared field in the place of the one of these ``names`` below a made field.

    Raises ``ConfigurationError``.
    """
    field = _replaced(attribute, declared)
    default = default_of(attribute)
    if field.load_default is missing and default is not None:
        field.load_default = default  # as in every map: it is replaced as a whole
    *above, last = names
    _members(_field_at(made, above))[last] = field


def _field_at(made: fields.Field[Any], names: list[str] | Names) -> fields.Field[Any]:
    """The field of these ``names`` below a made field. Raises ``ConfigurationError`` where one has no such fields."""
    for name in names:
        made = _members(made)[name]
    return made


def _members(field: fields.Field[Any]) -> dict[str, fields.Field[Any]]:
    """The fields of the members of maps, before the first body is loaded."""
    while isinstance(field, fields.List):
        field = field.inner
    if not isinstance(field, MapField):
        raise ConfigurationError(f"a field {type(field).__name__} stands in its place: say it there")
    declared: dict[str, fields.Field[Any]] = field.nested.declared_fields  # type: ignore[union-attr]
    return declared


def _check_validator(field: fields.Field[Any], validator: Validator) -> None:
    """Raise ``ConfigurationError`` where a validator of marshmallow's fails at every value of the field.

    One of the app's own is not called: it may do anything.
    """
    if type(validator).__module__ != "marshmallow.validate":
        return
    trouble = None
    for value in sample_values(field):
        try:
            validator(value)
        except (TypeError, AttributeError) as error:
            trouble = error
        except ValidationError:
            return
        else:
            return
    if trouble is not None:
        raise ConfigurationError(f"{validator!r} cannot judge such a value: {trouble}") from trouble
