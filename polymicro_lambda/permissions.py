"""The rule algebra: who may do what, decided before and after the item is read.

A rule is a permission, or permissions composed with ``&``, ``|`` and ``~``. For each request it is asked once
what is known of user and verb; what remains is a `Verdict`: True, False, or conditions that DynamoDB can check
and opaque checks that need the instance. A negation is pushed down to the permissions, so that one which was
not asked, or forgot to answer, denies on both sides of ``~``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

from pynamodb.constants import NUMBER
from pynamodb.expressions.condition import Condition

from .actions import Method
from .exceptions import ConfigurationError
from .verdicts import Ask, Checked, Opaque, Verdict, answered, joined

__all__ = [
    "AllowAny",
    "HasPermission",
    "InGroup",
    "IsAuthenticated",
    "OwnedBy",
    "Permission",
    "ReadOnly",
]

# --- the algebra ----------------------------------------------------------------------------------------


class Composable:
    """What ``&``, ``|`` and ``~`` work on."""

    def __and__(self, other: "Declared") -> "Rule":
        return AllOf((rule_from(self), rule_from(other)))

    def __rand__(self, other: "Declared") -> "Rule":
        return AllOf((rule_from(other), rule_from(self)))

    def __or__(self, other: "Declared") -> "Rule":
        return AnyOf((rule_from(self), rule_from(other)))

    def __ror__(self, other: "Declared") -> "Rule":
        return AnyOf((rule_from(other), rule_from(self)))

    def __invert__(self) -> "Rule":
        return NoneOf(rule_from(self))


class PermissionMeta(type):
    """Lets permission classes themselves be composed: ``Mine | ~Locked``."""

    def __and__(cls, other: "Declared") -> "Rule":
        return AllOf((rule_from(cls), rule_from(other)))

    def __or__(cls, other: "Declared") -> "Rule":  # type: ignore[override]
        return AnyOf((rule_from(cls), rule_from(other)))

    def __invert__(cls) -> "Rule":
        return NoneOf(rule_from(cls))


class Permission(Composable, metaclass=PermissionMeta):
    """One rule. Override ``has_permission``, and for objects ``has_object_permission`` or ``where``.

    An answer counts by its truth; None, a forgotten return, denies. With no user a permission is not asked and
    denies, unless its class says ``anonymous = True``.
    """

    anonymous: bool = False
    """Whether it is asked when there is no user; ``user`` is None then."""

    def has_permission(self, user: Any, method: Method) -> Any:
        """Whether the user may use this verb at all."""
        return True

    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        """Whether the user may do this to this instance; asked on each row of a list too."""
        return True

    def where(self, user: Any, method: Method, model: Any) -> Any:
        """The object rule as a PynamoDB condition on ``model``'s attributes, or True, or False.

        It is checked inside the write, and on reads on the item as stored.
        """
        return True

    def decide(self, ask: Ask, negated: bool = False) -> Verdict:
        """What this permission says before the item is known."""
        if ask.user is None and not self.anonymous:
            return False
        answer = self.has_permission(ask.user, ask.method)
        if not answered(answer, self, "has_permission"):
            return False
        if not answer:
            return negated
        return self._decide_object(ask, negated)

    def _decide_object(self, ask: Ask, negated: bool) -> Verdict:
        if type(self).has_object_permission is not Permission.has_object_permission:
            return Opaque(self, ask, negated)
        condition = self.where(ask.user, ask.method, ask.model)
        if isinstance(condition, Condition):
            return Checked(~condition if negated else condition)
        return answered(condition, self, "where") and bool(condition) is not negated

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of this rule: this one."""
        yield self

    def binding(self) -> Mapping[str, "OwnedBy"]:
        """The attributes whose value every caller must own, by name."""
        return {}

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class AllOf(Composable):
    """``A & B``."""

    parts: tuple["Rule", ...]

    def decide(self, ask: Ask, negated: bool = False) -> Verdict:
        """The conjunction of the parts."""
        return joined((part.decide(ask, negated) for part in self.parts), every=not negated)

    def leaves(self) -> Iterator[Permission]:
        """The permissions that it is made of."""
        return (leaf for part in self.parts for leaf in part.leaves())

    def binding(self) -> Mapping[str, "OwnedBy"]:
        """The attributes whose value every caller must own, by name."""
        return {name: owned for part in self.parts for name, owned in part.binding().items()}

    def __str__(self) -> str:
        return "(" + " & ".join(map(str, self.parts)) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf(Composable):
    """``A | B``."""

    parts: tuple["Rule", ...]

    def decide(self, ask: Ask, negated: bool = False) -> Verdict:
        """The disjunction of the parts."""
        return joined((part.decide(ask, negated) for part in self.parts), every=negated)

    def leaves(self) -> Iterator[Permission]:
        """The permissions that it is made of."""
        return (leaf for part in self.parts for leaf in part.leaves())

    def binding(self) -> Mapping[str, "OwnedBy"]:
        """None: no part must hold for every caller."""
        return {}

    def __str__(self) -> str:
        return "(" + " | ".join(map(str, self.parts)) + ")"


@dataclass(frozen=True, slots=True)
class NoneOf(Composable):
    """``~A``."""

    part: "Rule"

    def decide(self, ask: Ask, negated: bool = False) -> Verdict:
        """The negation of the part."""
        return self.part.decide(ask, not negated)

    def leaves(self) -> Iterator[Permission]:
        """The permissions that it is made of."""
        return self.part.leaves()

    def binding(self) -> Mapping[str, "OwnedBy"]:
        """None: a negated owner binds nothing."""
        return {}

    def __str__(self) -> str:
        return f"~{self.part}"


Rule: TypeAlias = Union[Permission, AllOf, AnyOf, NoneOf]  # noqa: UP007 - "|" of permissions makes a rule
Declared: TypeAlias = "Rule | type[Permission] | Composable | Iterable[Any]"
"""What a resource may say in ``permissions``."""


def rule_from(declared: Any) -> Rule:
    """The rule of a declaration: a class, an instance, a composition, or an iterable of these (meaning ``&``).

    Raises ``ConfigurationError`` for anything else; an empty iterable is an error too, as it grants nothing
    that a reader could see.
    """
    if isinstance(declared, (Permission, AllOf, AnyOf, NoneOf)):
        return declared
    if isinstance(declared, type) and issubclass(declared, Permission):
        return _made(declared)
    if isinstance(declared, Iterable) and not isinstance(declared, str | type):
        rules = tuple(map(rule_from, declared))
        if rules:
            return rules[0] if len(rules) == 1 else AllOf(rules)
        raise ConfigurationError("permissions is empty: say (AllowAny,) for a public resource")
    raise ConfigurationError(f"permissions holds {declared!r}, which is no Permission")


def _made(permission: Callable[[], Permission]) -> Permission:
    try:
        return permission()
    except TypeError as error:
        raise ConfigurationError(
            f"permissions holds the class {permission!r}, which needs arguments: {error}"
        ) from None


# --- the permissions that come with the package ---------------------------------------------------------


class AllowAny(Permission):
    """Everybody, with or without a user."""

    anonymous = True


class IsAuthenticated(Permission):
    """Whoever the authorizer knows."""

    anonymous = True

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether there is a user."""
        return user is not None


class ReadOnly(Permission):
    """Any user, for verbs that change nothing; with ``anonymous=True`` also nobody in particular."""

    def __init__(self, *, anonymous: bool = False) -> None:
        self.anonymous = anonymous

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether the verb only reads."""
        return method.safe


class HasPermission(Permission):
    """Users who have the named permission."""

    def __init__(self, name: str) -> None:
        self.name = name

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether the name stands in ``user.permissions``."""
        return self.name in getattr(user, "permissions", ())

    def __str__(self) -> str:
        return f"HasPermission({self.name!r})"


class InGroup(Permission):
    """Users who are in the named group."""

    def __init__(self, name: str) -> None:
        self.name = name

    def has_permission(self, user: Any, method: Method) -> bool:
        """Whether the name stands in ``user.groups``."""
        return self.name in getattr(user, "groups", ())

    def __str__(self) -> str:
        return f"InGroup({self.name!r})"


_NO_IDS = (bool, Mapping, list, set, frozenset, tuple)
"""What a claim may be, but an owner never."""


class OwnedBy(Permission):
    """Items whose attribute holds the user's claim, e.g. ``OwnedBy("owner", claim="uuid")``.

    Where every caller must satisfy it (alone or under ``&``) the attribute is set from the user on create,
    cannot be sent by a client, and is bound in the item's path when it is a key. ``prefix`` stands before the
    claim in the attribute: ``OwnedBy("pk", prefix="USER#")``. A user without the claim owns nothing.
    """

    def __init__(self, attribute: str, claim: str = "uuid", *, prefix: str = "") -> None:
        self.attribute = attribute
        self.claim = claim
        self.prefix = prefix

    def value(self, user: Any, model: Any) -> Any:
        """What the attribute must hold for this user, None where the user has no such claim.

        API Gateway's sources render claims differently: text for a number attribute becomes an int, a number
        for a text attribute becomes text.
        """
        claims = getattr(user, "claims", user)
        found = getattr(user, self.claim, None)
        if found is None and isinstance(claims, Mapping):
            found = claims.get(self.claim)
        if found is None or isinstance(found, _NO_IDS) or found == "":
            return None
        if getattr(model, self.attribute).attr_type == NUMBER:
            return int(found) if isinstance(found, int) or re.fullmatch("[0-9]+", str(found)) else None
        return found if isinstance(found, bytes) else f"{self.prefix}{found}"

    def where(self, user: Any, method: Method, model: Any) -> Any:
        """The condition that the attribute equals the claim."""
        value = self.value(user, model)
        return value is not None and getattr(model, self.attribute) == value

    def binding(self) -> Mapping[str, "OwnedBy"]:
        """Its attribute."""
        return {self.attribute: self}

    def __str__(self) -> str:
        return f"OwnedBy({self.attribute!r}, claim={self.claim!r})"
