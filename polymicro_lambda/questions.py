"""What a resource's permissions are asked, and whether they can answer."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pynamodb.models import Model

from ._slips import asked
from .exceptions import ConfigurationError
from .permissions import OwnedBy, Permission
from .rules import Rule, rule_from
from .verdicts import takes_request

# What each question of a permission is asked with.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "has_permission": ("user", "method"),
    "has_object_permission": ("user", "method", "instance"),
    "where": ("user", "method", "model"),
}


def checked_rule(name: str, model: type[Model], permissions: Any) -> Rule:
    """The rule of a resource, every permission of it checked. Raises ``ConfigurationError``."""
    try:
        rule = rule_from(permissions)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}.permissions: {error}") from error
    for leaf in rule.leaves():
        _check_permission(name, model, leaf)
    return rule


def _check_permission(name: str, model: type[Model], leaf: Permission) -> None:
    def overrides(method: Callable[..., Any]) -> bool:
        return getattr(type(leaf), method.__name__) is not method

    for method, arguments in _ASKED.items():
        try:
            question = getattr(leaf, method)
            also = {"request": None} if takes_request(question) else {}
            inspect.signature(question).bind(*arguments, **also)
        except TypeError as error:
            raise ConfigurationError(
                f"{name}.permissions: {type(leaf).__name__}.{method} must take"
                f" (self, {', '.join(arguments)}): {error}"
            ) from None
    if not leaf.anonymous and not any(overrides(getattr(Permission, method)) for method in _ASKED):
        raise ConfigurationError(
            f"{name}.permissions: {type(leaf).__name__} has none of has_permission, where and"
            " has_object_permission, and would let every user in: write one, or say IsAuthenticated"
        )
    if overrides(Permission.where) and overrides(Permission.has_object_permission):
        raise ConfigurationError(
            f"{name}.permissions: {type(leaf).__name__} has both where and has_object_permission;"
            " where is the one source of an object rule"
        )
    if isinstance(leaf, OwnedBy) and leaf.attribute not in model.get_attributes():
        near = asked(leaf.attribute, model.get_attributes())
        raise ConfigurationError(f"{name}.permissions: {leaf} names no attribute of {model.__name__}{near}")
