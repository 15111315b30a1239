"""What a resource's ``clean`` makes of the values of a write, checked: a mistake of its is told under its name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from marshmallow import ValidationError
from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.rules import current_guard
from polymicro_lambda.schemas import Merge, Storable
from polymicro_lambda.spelling import did_you_mean

from .changes.atomic_changes import is_expression

Clean: TypeAlias = Callable[[dict[str, Any], Any, Any], Any]
"""From values, the instance that is updated (None for a create) and the user to the values that are written."""


def cleaned(
    clean: Clean, model: type[Model], values: Mapping[str, Any], instance: Model | None
) -> Mapping[str, Any]:
    """The values that are written. Raises ``ConfigurationError`` naming class and attribute for what can be none.

    Neither can those that move an item away from the path of its request.
    """
    given = dict(values)
    made = clean(given, instance, current_guard().user)
    made = given if made is None else made
    if not isinstance(made, Mapping):
        raise ConfigurationError(
            f"{_name(clean)} must return the values to write, or None for those it was given"
        )
    for name, value in made.items():
        if name not in values or values[name] is not value:
            _check(f"{_name(clean)} gives", model, name, value, is_new=instance is None)
    fixed = _fixed(model, values) if instance is None else _key(model, made, instance)
    for name, value in fixed.items():
        if made.get(name) != value:
            raise ConfigurationError(
                f"{_name(clean)} changes {model.__name__}.{name}, of the key that the request names: leave it as it is"
            )
    return made


def _name(clean: Clean) -> str:
    owner = getattr(clean, "__self__", None)
    return getattr(clean, "__qualname__", "clean") if owner is None else f"{type(owner).__name__}.clean"


def _fixed(model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parts of a new item's key that path and rule say, where the verb has them from there."""
    guard, keys = current_guard(), model_info(model).address
    if not guard.covers(model):
        return {}
    return {name: one for name, one in guard.bound.items() if name in keys and values.get(name) == one}


def _key(model: type[Model], made: Mapping[str, Any], instance: Model) -> Mapping[str, Any]:
    """The parts of an item's key that are said again."""
    return {name: getattr(instance, name) for name in model_info(model).address if name in made}


def _check(gives: str, model: type[Model], name: str, value: Any, *, is_new: bool) -> None:
    """Raise ``ConfigurationError`` for a value of an unknown attribute, and one that the attribute does not store."""
    attribute = model.get_attributes().get(name)
    if attribute is None:  # a name that a client sent is not logged, unless it is close to a known one
        near = did_you_mean(str(name), model.get_attributes())
        said = (
            f"{name!r}{near}"
            if near
            else f"an attribute that it lacks: it has {', '.join(model.get_attributes())}"
        )
        raise ConfigurationError(f"{gives} {model.__name__} {said}")
    what = f"{gives} {model.__name__}.{name} a {type(value).__name__}"
    if is_expression(value):
        if is_new:
            raise ConfigurationError(f"{what}, which a new item has nothing to compute of: give its value")
        return
    if value is None or isinstance(value, Merge):
        return
    try:
        Storable(attribute)(value)
    except ValidationError as error:
        if not isinstance(
            error.__cause__, AttributeNullError
        ):  # a map that lacks members is told to the client
            raise ConfigurationError(f"{what}, which {type(attribute).__name__} does not store") from error
