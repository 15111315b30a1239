"""What a resource's permissions are asked, and whether they can answer."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import OwnedBy, Permission, Through
from polymicro_lambda.rules import SIDES, Rule, rule_from, takes_request
from polymicro_lambda.spelling import did_you_mean

# What each question of a permission is asked with.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "has_permission": ("user", "method"),
    "has_object_permission": ("user", "method", "instance"),
    "where": ("user", "method", "model"),
}


def read_rule(where: str, permissions: Any) -> Rule:
    """The rule that permissions make, each of them checked. Raises ``ConfigurationError``; ``where`` they stand."""
    try:
        rule = rule_from(permissions)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    for leaf in rule.leaves():
        _check_permission(where, leaf)
    return rule


def check_attributes(
    where: str,
    model: type[Model],
    leaves: Iterable[Permission],
    in_path: Iterable[str],
    methods: Collection[str],
) -> None:
    """Raise ``ConfigurationError`` for an owner that no attribute of the model holds.

    And for a related item whose key neither the path nor an item can say, or a slip in one of its ``methods``.
    """
    attributes = model.get_attributes()
    for leaf in leaves:
        if isinstance(leaf, Through):
            leaf.check(where, attributes, frozenset(in_path), methods)
        if isinstance(leaf, OwnedBy) and leaf.attribute not in attributes:
            near = did_you_mean(leaf.attribute, attributes)
            raise ConfigurationError(f"{where}: {leaf} names no attribute of {model.__name__}{near}")
        made = model_info(model).parts_of(leaf.attribute) if isinstance(leaf, OwnedBy) else None
        if made is not None:
            raise ConfigurationError(f"{where}: {leaf} names what is made of {made}: name one of these")


def check_field_permissions(
    name: str,
    model: type[Model],
    leaves: Sequence[Permission],
    in_path: Iterable[str],
    methods: Collection[str],
) -> None:
    """Raise ``ConfigurationError`` for permissions of fields that cannot be asked."""
    where = f"{name}.field_permissions"
    check_attributes(where, model, leaves, in_path, methods)
    for leaf in leaves:
        _check_permission(where, leaf)


def _check_permission(where: str, leaf: Permission) -> None:
    kind = type(leaf)
    if leaf.judges not in SIDES:
        raise ConfigurationError(
            f"{where}: {kind.__name__}.judges must be one of {', '.join(SIDES)}, not {leaf.judges!r}"
        )
    methods = (kind.has_permission, kind.has_object_permission, kind.where)
    if not (leaf.anonymous or methods != _NEVER) or not (
        _ASKED.keys().isdisjoint(vars(leaf)) and _is_sound(*methods)
    ):
        _check_questions(where, leaf)


_NEVER: tuple[Callable[..., Any], ...] = (
    Permission.has_permission,
    Permission.has_object_permission,
    Permission.where,
)


@lru_cache(1024)
def _is_sound(*methods: Callable[..., Any]) -> bool:
    """Whether functions of a class, which many permissions may share, can be asked."""
    if set(map(type, methods)) != {FunctionType} or (
        _NEVER[1] is not methods[1] and _NEVER[2] is not methods[2]
    ):
        return False
    try:
        for method, arguments in zip(methods, _ASKED.values(), strict=True):
            _bind(method, ("self", *arguments))
    except TypeError:
        return False
    return True


def _bind(question: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    """Raise ``TypeError`` for what does not take these arguments."""
    also = {"request": None} if takes_request(question) else {}
    inspect.signature(question).bind(*arguments, **also)


def _check_questions(where: str, leaf: Permission) -> None:
    def overrides(method: Callable[..., Any]) -> bool:
        return getattr(type(leaf), method.__name__) is not method

    for method, arguments in _ASKED.items():
        try:
            _bind(getattr(leaf, method), arguments)
        except TypeError as error:
            raise ConfigurationError(
                f"{where}: {type(leaf).__name__}.{method} must take (self, {', '.join(arguments)}): {error}"
            ) from None
    if not leaf.anonymous and not any(map(overrides, _NEVER)):
        raise ConfigurationError(
            f"{where}: {type(leaf).__name__} has none of has_permission, where and"
            " has_object_permission, and would let every user in: write one, or say IsAuthenticated"
        )
    if overrides(Permission.where) and overrides(Permission.has_object_permission):
        raise ConfigurationError(
            f"{where}: {type(leaf).__name__} has both where and has_object_permission;"
            " where is the one source of an object rule"
        )
