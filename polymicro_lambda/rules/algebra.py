"""The rule algebra: who may do what, decided before and after the item is read.

A rule is a permission, or permissions composed with ``&``, ``|`` and ``~``. For each request a rule is decided once
from user and verb. The result is a `Verdict`: True, False, or conditions that DynamoDB can check and opaque checks
that need the instance. A negation is pushed down to the permissions: one that was not asked, or forgot to answer,
denies on both sides of ``~``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from polymicro_lambda.exceptions import ConfigurationError

from .context import RuleContext
from .verdicts import Verdict, join_verdicts

if TYPE_CHECKING:
    from .permission import Permission


MOST_LEVELS = 100
"""How deep rules may nest: each level is a call of Python's, whose stack has 1,000 (sys.getrecursionlimit)."""


class Owner(Protocol):
    """A permission that binds an attribute to a value of the user's."""

    def value(self, user: Any, model: Any) -> Any:
        """The attribute's value for this user, None where the user owns nothing."""

    def is_same(self, other: "Owner") -> bool:
        """Whether another one binds to the same value for every user."""


def _refuse_truth(_: object) -> bool:
    """Python's ``and``, ``or`` and ``not`` ask for a truth: ``A and B`` would be B, and A forgotten."""
    raise ConfigurationError("Permissions are joined by &, | and ~: Python's and, or and not would lose one")


class Rule:
    """A permission, or a composition of permissions."""

    __bool__ = _refuse_truth
    levels: int = 0
    """How deep the rules in this one are nested."""

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The verdict before the item is known; of the rule's negation where ``negated``."""
        raise NotImplementedError

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of this rule."""
        raise NotImplementedError

    def binding(self) -> Mapping[str, Owner]:
        """The attributes whose value every caller must own, by name."""
        return {}

    def __and__(self, other: "DeclaredRule") -> "Rule":
        return _joined(AllOf, self, other)

    def __rand__(self, other: "DeclaredRule") -> "Rule":
        return _joined(AllOf, other, self)

    def __or__(self, other: "DeclaredRule") -> "Rule":
        return _joined(AnyOf, self, other)

    def __ror__(self, other: "DeclaredRule") -> "Rule":
        return _joined(AnyOf, other, self)

    def __invert__(self) -> "Rule":
        return Not(rule_from(self))


def _nest(rule: Rule, parts: Iterable[Rule]) -> None:
    """Note how deep a rule's parts are nested. Raises ``ConfigurationError`` where that is too deep to decide."""
    levels = 1 + max((part.levels for part in parts), default=0)
    if levels > MOST_LEVELS:
        raise ConfigurationError(f"permissions is nested more than {MOST_LEVELS} levels deep: join fewer")
    object.__setattr__(rule, "levels", levels)


class PermissionMeta(type):
    """Lets permission classes themselves be composed: ``Mine | ~Locked``."""

    def __and__(cls, other: "DeclaredRule") -> Rule:
        return _joined(AllOf, cls, other)

    def __or__(cls, other: "DeclaredRule") -> Rule:  # type: ignore[override]
        return _joined(AnyOf, cls, other)

    def __invert__(cls) -> Rule:
        return Not(rule_from(cls))

    __bool__ = _refuse_truth


@dataclass(frozen=True, slots=True)
class Junction(Rule):
    """Rules that decide together."""

    parts: tuple[Rule, ...]
    every: ClassVar[bool]
    """Whether all parts must hold; else one is enough."""
    sign: ClassVar[str]

    def __post_init__(self) -> None:
        _nest(self, self.parts)

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The verdicts of the parts, joined; no part is asked after the decision is clear."""
        every = self.every is not negated
        left = []
        for part in self.parts:
            verdict = part.decide(context, negated)
            if verdict is (not every):
                return verdict
            if verdict is not every:
                left.append(verdict)
        return join_verdicts(left, every=every) if len(left) > 1 else left[0] if left else every

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of all parts."""
        return (leaf for part in self.parts for leaf in part.leaves())

    def binding(self) -> Mapping[str, Owner]:
        """The attributes whose value every caller must own, by name: none where one part is enough."""
        parts = self.parts if self.every else ()
        return {name: owner for part in parts for name, owner in part.binding().items()}

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
class Not(Rule):
    """``~A``; it binds nothing, whatever the part binds."""

    part: Rule

    def __post_init__(self) -> None:
        _nest(self, (self.part,))

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The negation of the part's verdict."""
        return self.part.decide(context, not negated)

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of the part."""
        return self.part.leaves()

    def __invert__(self) -> Rule:
        # Twice negated is not the rule itself, as it binds nothing; three times is once.
        return self.part if isinstance(self.part, Not) else Not(self)

    def __str__(self) -> str:
        return f"~{self.part}"


def _joined(kind: type[Junction], *declared: Any) -> Junction:
    """The rules joined side by side: ``A | B | C`` has three parts, whatever its length it is one level."""
    rules = [rule_from(each) for each in declared]
    return kind(tuple(part for rule in rules for part in (rule.parts if type(rule) is kind else (rule,))))


DeclaredRule: TypeAlias = "Rule | PermissionMeta | Iterable[Any]"
"""A resource's ``permissions`` as a developer writes them."""


def rule_from(declared: Any) -> Rule:
    """The rule of a declaration: a class, an instance, a composition, or an iterable of these (meaning ``&``).

    Raises ``ConfigurationError`` for anything else, and for an empty iterable: no reader could see what it grants.
    """
    if isinstance(declared, Rule):
        return declared
    if isinstance(declared, PermissionMeta):
        return _instantiate(declared)
    if isinstance(declared, Iterable) and not isinstance(declared, str | type):
        rules = tuple(map(rule_from, declared))
        if rules:
            return rules[0] if len(rules) == 1 else AllOf(rules)
        raise ConfigurationError("permissions is empty: say (AllowAny,) for a public resource")
    raise ConfigurationError(f"permissions holds {declared!r}, which is no Permission")


def _instantiate(permission: Callable[[], Rule]) -> Rule:
    try:
        return permission()
    except TypeError as error:
        raise ConfigurationError(
            f"permissions holds the class {permission!r}, which needs arguments: {error}"
        ) from None
