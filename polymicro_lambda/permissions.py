"""The permissions that come with the package, and `Permission` to write others.

They compose with ``&``, ``|`` and ``~``; see `rules` for how a composition is decided.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.constants import NUMBER, STRING
from pynamodb.expressions.operand import Path, Value

from .exceptions import ConfigurationError
from .rules import (
    BOTH,
    PERMISSION_METHODS,
    Claim,
    Method,
    Owner,
    Permission,
    RuleContext,
    TextEquals,
    Through,
    Verdict,
    default_at,
)

__all__ = [
    "AllowAny",
    "Claim",
    "HasPermission",
    "InGroup",
    "IsAuthenticated",
    "OwnedBy",
    "Permission",
    "ReadOnly",
    "Through",
]


class AllowAny(Permission):
    """Everybody, with or without a user."""

    anonymous = True


class IsAuthenticated(Permission):
    """Every user whom the authorizer identified."""

    anonymous = True

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether there is a user."""
        return user is not None


class ReadOnly(Permission):
    """Any user, for verbs that change nothing; with ``anonymous=True`` also a request without a user."""

    def __init__(self, *, anonymous: bool = False) -> None:
        self.anonymous = anonymous

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether the verb only reads."""
        return method.safe


def _checked_name(permission: Permission, given: Any) -> str:
    """The name for a permission. Raises ``ConfigurationError`` for another type, e.g. an attribute itself."""
    if not isinstance(given, str):
        raise ConfigurationError(
            f"{type(permission).__name__} takes one name, as a text, not a {type(given).__name__}"
        )
    return given


class _Named(Permission):
    """Users who have a name in one of their sets of names."""

    kind: ClassVar[str]
    """The user's attribute that holds the set: ``permissions`` or ``groups``."""

    def __init__(self, name: str) -> None:
        self.name = _checked_name(self, name)

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether the user has the name."""
        return self.name in getattr(user, self.kind, ())

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The verdict of ``has_permission``, in less time where no subclass overrides a method."""
        if context.user is None or type(self) not in _NAMED:
            return super().decide(context, negated)
        return (self.name in getattr(context.user, self.kind, ())) is not negated

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class HasPermission(_Named):
    """Users who have the named permission: it stands in ``user.permissions``."""

    kind = "permissions"


class InGroup(_Named):
    """Users who are in the named group: it stands in ``user.groups``."""

    kind = "groups"


_NAMED = frozenset({HasPermission, InGroup})

_DIGITS = 38
"""Digits of a number at the most (DynamoDB Developer Guide, "Supported data types")."""
_NO_OWNER_TYPES = (bool, Mapping, list, set, frozenset, tuple)
"""Types of claims that never identify an owner."""


class OwnedBy(Permission):
    """Items whose attribute holds the user's claim, e.g. ``OwnedBy("owner", claim="uuid")``.

    Where every caller must satisfy it (alone or under ``&``) the attribute is set from the user on create,
    cannot be sent by a client, and is bound in the item's path when it is a key. ``prefix`` stands before the
    claim in the attribute: ``OwnedBy("pk", prefix="USER#")``. A user without the claim owns nothing.
    """

    def __init__(self, attribute: str, claim: str = "uuid", *, prefix: str = "") -> None:
        self.attribute = _checked_name(self, attribute)
        self.claim = claim
        self.prefix = prefix

    def value(self, user: Any, model: Any) -> Any:
        """The attribute's value for this user, None where the user has no such claim.

        API Gateway's sources render claims differently: text for a number attribute becomes an int, a number
        for a text attribute becomes text.
        """
        identity = getattr(user, self.claim, None)
        path = _path(model, self.attribute)
        if type(identity) is str and identity and path.attr_type != NUMBER:
            return self.prefix + identity
        claims = getattr(user, "claims", user)
        if identity is None and isinstance(claims, Mapping):
            identity = claims.get(self.claim)
        if identity is None or isinstance(identity, _NO_OWNER_TYPES) or identity == "":
            return None
        if path.attr_type == NUMBER:
            return _number(identity)
        return identity if isinstance(identity, bytes) else f"{self.prefix}{identity}"

    def is_same(self, other: Any) -> bool:
        """Whether another one binds the same attribute to the same value for every user."""
        return type(other) is type(self) and vars(other) == vars(self)

    def where(self, user: Any, method: Method, model: Any) -> Any:
        """The condition that the attribute equals the claim."""
        value = self.value(user, model)
        if value is None:
            return False
        path = _path(model, self.attribute)
        return path == Value({path.attr_type: path.attribute.serialize(value)})

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The verdict of ``where``, in less time for a plain text."""
        if not negated and context.user is not None and self.judges == BOTH:
            name = _text_name(type(self), context.model, self.attribute)
            if name is not None and type(value := self.value(context.user, context.model)) is str:
                return TextEquals(name, {STRING: value})
        return super().decide(context, negated)

    def binding(self) -> Mapping[str, Owner]:
        """The attribute, bound to this permission."""
        return {self.attribute: self}

    def __str__(self) -> str:
        return f"OwnedBy({self.attribute!r}, claim={self.claim!r})"


@cache
def _text_name(kind: type[OwnedBy], model: Any, attribute: str) -> str | None:
    """The attribute's name in DynamoDB, where it is a plain text without default, and no method is overridden."""
    path = _path(model, attribute)
    plain = (
        type(path.attribute) is UnicodeAttribute
        and len(path.path) == 1
        and "[" not in path.path[0]
        and default_at(path) is None
    )
    overridden = any(getattr(kind, name) is not getattr(OwnedBy, name) for name in PERMISSION_METHODS)
    return path.path[0] if plain and not overridden else None


def _number(identity: Any) -> int | None:
    """The number of a claim, None where it is none or has more digits than DynamoDB's numbers."""
    if isinstance(identity, int):
        return identity if abs(identity) < 10**_DIGITS else None
    return int(identity) if re.fullmatch(f"[0-9]{{1,{_DIGITS}}}", str(identity)) else None


@cache
def _path(model: Any, name: str) -> Any:
    """An attribute of a model as the operand of a condition; it is made once."""
    return Path(getattr(model, name))
