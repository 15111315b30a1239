"""The verdict of a rule before the item is known: True, False, or checks that need the item."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_, or_
from typing import Any, NamedTuple, Protocol, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.lazy import lazy
from polymicro_lambda.types import RawItem

from .conditions.evaluation import evaluator, is_refused
from .conditions.paths import attributes_of
from .conditions.rewriting import NEVER
from .context import Method, RuleContext, ask_permission, has_answered
from .related import RelatedCheck


class ObjectRule(Protocol):
    """A permission with an object rule in Python."""

    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        """Whether the user may do this to this instance."""


@dataclass
class ConditionCheck:
    """Holds where this condition holds on the stored item."""

    condition: Condition

    @lazy
    def holds(self) -> Callable[[RawItem], bool]:
        """The condition as a function of the stored item."""
        return evaluator(self.condition)

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether the condition holds on the item as DynamoDB stores it."""
        return self.holds(raw)


class TextEquals(ConditionCheck):
    """Holds where an attribute of the item is this text; it is compared without a condition.

    ``name`` is the attribute's in DynamoDB, ``value`` the text as it stands there: ``{"S": "alice"}``.
    """

    def __init__(self, name: str, value: dict[str, Any]) -> None:
        self.name = name
        self.value = value

    @lazy
    def condition(self) -> Condition:
        """The comparison as a condition for DynamoDB."""
        condition: Condition = Path([self.name]) == Value(self.value)
        return condition

    @lazy
    def holds(self) -> Callable[[RawItem], bool]:
        """The comparison as a function of the stored item."""
        name, value = self.name, self.value
        return lambda raw: raw.get(name) == value

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether the item has the text."""
        return raw.get(self.name) == self.value


@dataclass(frozen=True, slots=True)
class OpaqueCheck:
    """Holds where the permission's ``has_object_permission`` says so."""

    permission: "ObjectRule"
    context: RuleContext
    negated: bool

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether the permission, asked about the instance, lets it pass."""
        answer = ask_permission(self.permission.has_object_permission, self.context, instance)
        return (
            has_answered(answer, self.permission, "has_object_permission")
            and bool(answer) is not self.negated
        )


@dataclass(frozen=True, slots=True)
class AllHold:
    """Holds where all parts do."""

    parts: tuple["ItemCheck", ...]

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether every part holds; the conditions are tried before the opaque checks."""
        return all(part.allows(instance, raw) for part in sorted(self.parts, key=is_opaque))


@dataclass(frozen=True, slots=True)
class AnyHolds:
    """Holds where one part does."""

    parts: tuple["ItemCheck", ...]

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether one part holds."""
        return any(part.allows(instance, raw) for part in self.parts)


class SidedCheck(NamedTuple):
    """A check of a permission that judges an update on one side (``judges``); elsewhere it is that check."""

    check: "ConditionCheck | OpaqueCheck | RelatedCheck"
    side: str
    """``BEFORE``: on the item as it was; ``AFTER``: on the item as it would be."""

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether the check lets the item pass."""
        return self.check.allows(instance, raw)


BOTH, BEFORE, AFTER = SIDES = ("both", "before", "after")
"""The values of ``Permission.judges``."""
ItemCheck: TypeAlias = ConditionCheck | OpaqueCheck | AllHold | AnyHolds | SidedCheck | RelatedCheck
Verdict: TypeAlias = "bool | ItemCheck"
"""True, False, or the check that decides on the item."""


def predicate_of(check: ItemCheck) -> Callable[[RawItem], bool]:
    """The check as a function of the stored item alone; for checks that need no instance."""
    return check.holds if isinstance(check, ConditionCheck) else partial(check.allows, None)


def certainly_allows(verdict: Verdict, raw: RawItem) -> bool:
    """Whether it is certain from the stored item alone that the verdict lets it pass."""
    if verdict is True or (isinstance(verdict, ConditionCheck) and verdict.allows(None, raw)):
        return True
    return isinstance(verdict, SidedCheck) and verdict.side == BEFORE and certainly_allows(verdict.check, raw)


def certainly_allows_by_parts(verdict: Verdict, raw: RawItem) -> bool:
    """The same of each part of a verdict, which takes longer; a check that needs an instance is never certain."""
    if isinstance(verdict, AllHold):
        return all(certainly_allows_by_parts(part, raw) for part in verdict.parts)
    if isinstance(verdict, AnyHolds):
        return any(certainly_allows_by_parts(part, raw) for part in verdict.parts)
    return certainly_allows(verdict, raw)


def is_opaque(verdict: Verdict) -> bool:
    """Whether Python must see the instance to decide."""
    if isinstance(verdict, bool | ConditionCheck):
        return False
    if isinstance(verdict, SidedCheck):
        return is_opaque(verdict.check)
    return isinstance(verdict, OpaqueCheck | RelatedCheck) or any(map(is_opaque, verdict.parts))


def condition_of(verdict: Verdict) -> Condition | None:
    """The strongest DynamoDB condition that the verdict implies, None where it implies none.

    For a verdict without opaque checks it is the verdict itself.
    """
    if isinstance(verdict, ConditionCheck):
        return verdict.condition
    if isinstance(verdict, SidedCheck):
        return condition_of(verdict.check)
    if isinstance(verdict, AllHold):
        return _folded(and_, verdict.parts)
    return _folded(or_, verdict.parts) if isinstance(verdict, AnyHolds) and not is_opaque(verdict) else None


def _folded(operator: Callable[[Any, Any], Any], parts: Iterable[ItemCheck]) -> Condition | None:
    conditions = [condition for condition in map(_condition_of_part, parts) if condition is not None]
    return reduce(operator, conditions) if conditions else None


def _condition_of_part(part: ItemCheck) -> Condition | None:
    """A condition that DynamoDB refuses holds for nothing, but must not take those beside it along."""
    check = part.check if isinstance(part, SidedCheck) else part
    refused = isinstance(check, ConditionCheck) and is_refused(check.condition)
    return NEVER if refused else condition_of(check)


def attributes_of_verdict(verdict: Verdict) -> frozenset[str]:
    """The names in DynamoDB of the attributes that the verdict's conditions read."""
    return attributes_but(verdict, "")


def attributes_but(verdict: Verdict, skipped: str) -> frozenset[str]:
    """The attributes of the conditions of a verdict, but for those of the checks on one side."""
    if isinstance(verdict, TextEquals):
        return frozenset({verdict.name})
    if isinstance(verdict, AllHold | AnyHolds):
        return frozenset[str]().union(*[attributes_but(part, skipped) for part in verdict.parts])
    if isinstance(verdict, SidedCheck):
        return frozenset() if verdict.side == skipped else attributes_but(verdict.check, skipped)
    if isinstance(verdict, RelatedCheck):
        sources = (*verdict.sources.values(), *verdict.own_sources.values())
        return frozenset(source.attribute.attr_name for source in sources)
    return attributes_of(verdict.condition) if isinstance(verdict, ConditionCheck) else frozenset()


def join_verdicts(verdicts: Iterable[Verdict], *, every: bool) -> Verdict:
    """The conjunction (or disjunction) of verdicts; asks for no more of them than it needs."""
    parts: list[ItemCheck] = []
    kind = AllHold if every else AnyHolds
    for verdict in verdicts:
        if verdict is (not every):
            return verdict
        if not isinstance(verdict, bool):
            parts += verdict.parts if isinstance(verdict, kind) else (verdict,)
    if len(parts) < 2:
        return parts[0] if parts else every
    return kind(tuple(parts))
