"""`ComposedAttribute`: a key that is made of other attributes of its item."""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb.indexes import indexes_of
from polymicro_lambda.exceptions import ConfigurationError

from .checks import check_indexes, check_part
from .keys import HASH_BYTES, RANGE_BYTES, ComposedKey, KeyPart, UnfitPart
from .templates import read_template

__all__ = ["ComposedAttribute"]


class ComposedAttribute(UnicodeAttribute):
    """A key that is made of other attributes: ``ComposedAttribute("{team}#{status}")``.

    It is a key of the table, with ``hash_key=True`` or ``range_key=True``, or of an index, whose class has it under the
    same name. Each write makes it of the attributes that the template names, and lists find items by these: nobody
    writes or filters by it itself, and no body holds it. An item that lacks one of them is not in the index: so it may
    be null where a part may, said or not, and ``null=False`` is a ``ConfigurationError`` then.
    """

    def __init__(
        self,
        template: str,
        *,
        hash_key: bool = False,
        range_key: bool = False,
        null: bool | None = None,
        attr_name: str | None = None,
    ) -> None:
        super().__init__(
            hash_key=hash_key, range_key=range_key, null=not (hash_key or range_key), attr_name=attr_name
        )
        self.template = template
        self.never_null = null is False

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Its value for an instance as that is now, None where a part is missing, or is one that no key can hold."""
        if not isinstance(instance, Model):
            return super().__get__(instance, owner)
        try:
            return _value(composed_keys_of(type(instance))[self.attr_name], instance)
        except UnfitPart:
            return None


def _value(key: ComposedKey, instance: Model) -> Any:
    """A key of an instance, None where a part is missing. Raises ``UnfitPart``."""
    values = {part.place: (part, getattr(instance, part.name)) for part in key.parts}
    raw = {
        place: {part.kind: part.attribute.serialize(value)}
        for place, (part, value) in values.items()
        if value is not None
    }
    made = key.value(raw)
    if made is None and key.of_table:  # it was read by an index that lacks the parts
        return instance.attribute_values.get(key.name)
    return None if made is None else made["S"]


def _checking(own: Callable[..., Any], *, of_table: bool) -> Callable[..., Any]:
    """A method of PynamoDB's models, which composes the instance's keys first; ``of_table`` those alone."""

    @wraps(own)
    def checked(self: Model, *arguments: Any, **named: Any) -> Any:
        for key in composed_keys_of(type(self)).values():
            if key.of_table or not of_table:
                _value(key, self)
        return own(self, *arguments, **named)

    return checked


def refuse_unfit_parts() -> None:
    """Let PynamoDB raise ``UnfitPart`` where it writes an instance, or names its item, by a key that is none.

    It would leave the key out of what it writes.
    """
    model: Any = Model
    model.serialize = _checking(Model.serialize, of_table=False)
    for name in ("_get_hash_range_key_serialized_values", "_get_serialized_keys"):
        setattr(model, name, _checking(getattr(Model, name), of_table=True))


@cache
def composed_keys_of(model: type[Model]) -> Mapping[str, ComposedKey]:
    """DynamoDB name -> composed key of a model. Raises ``ConfigurationError`` that names model and attribute."""
    attributes = model.get_attributes()
    composed = {name: one for name, one in attributes.items() if isinstance(one, ComposedAttribute)}
    check_indexes(model, attributes, composed)
    _check_maps(model, attributes)
    return {one.attr_name: _composed_key(model, name, one) for name, one in composed.items()}


def _check_maps(model: type[Model], attributes: Mapping[str, Attribute[Any]]) -> None:
    """Raise ``ConfigurationError`` for a member of a map that is composed: it can be no key."""
    for name, one in attributes.items():
        members = type(one).get_attributes() if isinstance(one, MapAttribute) else {}
        for member, inner in members.items():
            if isinstance(inner, ComposedAttribute):
                raise ConfigurationError(
                    f"{model.__name__}.{name}.{member} is composed, and can be no key in a map: say it of the model"
                )


def _composed_key(model: type[Model], name: str, attribute: ComposedAttribute) -> ComposedKey:
    where, attributes = f"{model.__name__}.{name}", model.get_attributes()
    try:
        names, literals = read_template(attribute.template)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    of_table = bool(attribute.is_hash_key or attribute.is_range_key)
    parts = []
    for place, part in enumerate(names):
        is_last, separator = place == len(names) - 1, literals[place + 1]
        check_part(where, model, part, "" if is_last else separator, of_table=of_table)
        if isinstance(attributes[part], ComposedAttribute):
            raise ConfigurationError(
                f"{where}: {part!r} is composed itself: name the attributes that it is made of"
            )
        parts.append(KeyPart(part, attributes[part], separator, is_last))
    nullable = [part.name for part in parts if part.attribute.null]
    if attribute.never_null and nullable:
        raise ConfigurationError(f"{where} has null=False, but is made of {nullable[0]!r}, which may be null")
    limit = min(_limits(model, attribute))
    return ComposedKey(name, attribute.attr_name, literals, parts, of_table=of_table, limit=limit)


def _limits(model: type[Model], attribute: ComposedAttribute) -> list[int]:
    """The most bytes of a value, in each of its roles."""
    of_indexes = [one for index in indexes_of(model).values() for one in index.Meta.attributes.values()]
    roles: list[Attribute[Any]] = [
        attribute,
        *(one for one in of_indexes if one.attr_name == attribute.attr_name),
    ]
    return [
        HASH_BYTES if one.is_hash_key else RANGE_BYTES for one in roles if one.is_hash_key or one.is_range_key
    ]
