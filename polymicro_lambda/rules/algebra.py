"""The rule algebra: who may do what, decided before and after the item is read.

A rule is a permission, or permissions composed with ``&``, ``|`` and ``~``. For each request it is asked once
what is known of user and verb; what remains is a `Verdict`: True, False, or conditions that DynamoDB can check
and opaque checks that need the instance. A negation is pushed down to the permissions, so that one which was
not asked, or forgot to answer, denies on both sides of ``~``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, TypeAlias, Union

from pynamodb.expressions.condition import Condition

from polymicro_lambda.exceptions import ConfigurationError

from .methods import Method
from .verdicts import (
    ConditionCheck,
    OpaqueCheck,
    PermissionShape,
    RuleContext,
    Verdict,
    ask_permission,
    has_answered,
    join_verdicts,
    takes_request,
)


class Owner(Protocol):
    """A permission that says what an attribute must hold for a user."""

    def value(self, user: Any, model: Any) -> Any:
        """What the attribute must hold, None where this user owns nothing."""


def _undecided(_: object) -> bool:
    """Python's ``and``, ``or`` and ``not`` ask for a truth: ``A and B`` would be B, and A forgotten."""
    raise ConfigurationError("Permissions are joined by &, | and ~: Python's and, or and not would lose one")


class Composable:
    """What ``&``, ``|`` and ``~`` work on."""

    __bool__ = _undecided

    def __and__(self, other: "DeclaredRule") -> "Rule":
        return AllOf((rule_from(self), rule_from(other)))

    def __rand__(self, other: "DeclaredRule") -> "Rule":
        return AllOf((rule_from(other), rule_from(self)))

    def __or__(self, other: "DeclaredRule") -> "Rule":
        return AnyOf((rule_from(self), rule_from(other)))

    def __ror__(self, other: "DeclaredRule") -> "Rule":
        return AnyOf((rule_from(other), rule_from(self)))

    def __invert__(self) -> "Rule":
        return NoneOf(rule_from(self))


class PermissionMeta(type):
    """Lets permission classes themselves be composed: ``Mine | ~Locked``."""

    def __and__(cls, other: "DeclaredRule") -> "Rule":
        return AllOf((rule_from(cls), rule_from(other)))

    def __or__(cls, other: "DeclaredRule") -> "Rule":  # type: ignore[override]
        return AnyOf((rule_from(cls), rule_from(other)))

    def __invert__(cls) -> "Rule":
        return NoneOf(rule_from(cls))

    __bool__ = _undecided


PERMISSION_METHODS = ("has_permission", "has_object_permission", "where")
"""The methods in which a permission's class says what it grants."""


class Permission(Composable, metaclass=PermissionMeta):
    """One rule. Override ``has_permission``, and for objects ``has_object_permission`` or ``where``.

    An answer counts by its truth; None, a forgotten return, denies. With no user a permission is not asked and
    denies, unless its class says ``anonymous = True``. Each of the methods may also ask for ``request``.
    """

    anonymous: bool = False
    """Whether it is asked when there is no user; ``user`` is None then."""
    calls: Mapping[Any, Any] = {}
    """What its methods call in DynamoDB, for the policy; as ``ModelResource.calls``."""

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

    def decide(self, ask: RuleContext, negated: bool = False) -> Verdict:
        """What this permission says before the item is known."""
        if ask.user is None and not self.anonymous:
            return False
        if ask.request is None and self.asks_request:
            return False  # nobody can say yet: a template asks without a request
        shape = _shape(type(self))
        if shape.asks_user:
            answer = (
                ask_permission(self.has_permission, ask)
                if shape.takes_request
                else self.has_permission(ask.user, ask.method)
            )
            if answer is None:
                return has_answered(answer, self, "has_permission")
            if not answer:
                return negated
        if shape.asks_object:
            return OpaqueCheck(self, ask, negated)
        return self._decide_where(ask, negated) if shape.says_where else not negated

    @property
    def asks_request(self) -> bool:
        """Whether one of its methods asks for the request."""
        return any(takes_request(getattr(self, question)) for question in PERMISSION_METHODS)

    def _decide_where(self, ask: RuleContext, negated: bool) -> Verdict:
        condition = ask_permission(self.where, ask, ask.model)
        if isinstance(condition, Condition):
            return ConditionCheck(~condition if negated else condition)
        if not isinstance(condition, bool | None):
            # A tuple (one comma too many) or an attribute would count as true and open everything.
            raise ConfigurationError(
                f"{type(self).__name__}.where returned a {type(condition).__name__}: return a condition, True or False"
            )
        return has_answered(condition, self, "where") and condition is not negated

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of this rule: this one."""
        yield self

    def binding(self) -> Mapping[str, "Owner"]:
        """The attributes whose value every caller must own, by name."""
        return {}

    def __str__(self) -> str:
        return type(self).__name__


@cache
def _shape(kind: type[Permission]) -> PermissionShape:
    return PermissionShape(
        kind.has_permission is not Permission.has_permission,
        takes_request(kind.has_permission),
        kind.has_object_permission is not Permission.has_object_permission,
        kind.where is not Permission.where,
    )


@dataclass(frozen=True, slots=True)
class Junction(Composable):
    """Rules that decide together."""

    parts: tuple["Rule", ...]
    every: ClassVar[bool]
    """All of them must hold; else one is enough."""
    sign: ClassVar[str]

    def decide(self, ask: RuleContext, negated: bool = False) -> Verdict:
        """The verdicts of the parts, joined; no more are asked than it needs."""
        every = self.every is not negated
        left = []
        for part in self.parts:
            verdict = part.decide(ask, negated)
            if verdict is (not every):
                return verdict
            if verdict is not every:
                left.append(verdict)
        return join_verdicts(left, every=every) if len(left) > 1 else left[0] if left else every

    def leaves(self) -> Iterator[Permission]:
        """The permissions that it is made of."""
        return (leaf for part in self.parts for leaf in part.leaves())

    def binding(self) -> Mapping[str, "Owner"]:
        """The attributes whose value every caller must own, by name: none where one part is enough."""
        parts = self.parts if self.every else ()
        return {name: owned for part in parts for name, owned in part.binding().items()}

    def __str__(self) -> str:
        return f"({f' {self.sign} '.join(map(str, self.parts))})"


class AllOf(Junction):
    """``A & B``."""

    __slots__ = ()
    every = True
    sign = "&"


class AnyOf(Junction):
    """``A | B``."""

    __slots__ = ()
    every = False
    sign = "|"


@dataclass(frozen=True, slots=True)
class NoneOf(Composable):
    """``~A``."""

    part: "Rule"

    def decide(self, ask: RuleContext, negated: bool = False) -> Verdict:
        """The negation of the part."""
        return self.part.decide(ask, not negated)

    def leaves(self) -> Iterator[Permission]:
        """The permissions that it is made of."""
        return self.part.leaves()

    def binding(self) -> Mapping[str, "Owner"]:
        """None: a negated owner binds nothing."""
        return {}

    def __str__(self) -> str:
        return f"~{self.part}"


Rule: TypeAlias = Union[Permission, AllOf, AnyOf, NoneOf]  # noqa: UP007 - "|" of permissions makes a rule
DeclaredRule: TypeAlias = "Rule | type[Permission] | Composable | Iterable[Any]"
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
