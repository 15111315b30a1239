"""Rules, conditions and stored values in words, for people at their own machine."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.items import serialized
from polymicro_lambda.permissions import (
    AllowAny,
    Claim,
    HasPermission,
    InGroup,
    IsAuthenticated,
    OwnedBy,
    ReadOnly,
    Through,
)
from polymicro_lambda.rules import (
    EVERY,
    AllHold,
    AllOf,
    AnyOf,
    ConditionCheck,
    Not,
    OpaqueCheck,
    RelatedCheck,
    Rule,
    SidedCheck,
    Verdict,
    condition_text,
    stored_text,
)

Line: TypeAlias = tuple[str, str]
"""A line of an explanation: its subject, and the text."""


def of_rule(rule: Rule) -> str:
    """A rule as the resource declares it; a permission of the app's own by its name."""
    words = RULES.get(type(rule))
    return str(rule) if words is None else words(rule)


def _part(rule: Rule, within: type | None = None) -> str:
    """A part of a rule, in brackets where it and the rule around it are joined by different words."""
    bracketed = isinstance(rule, AllOf | AnyOf) and type(rule) is not within
    return f"({of_rule(rule)})" if bracketed else of_rule(rule)


def _joined(rule: AllOf | AnyOf, word: str) -> str:
    return f" {word} ".join(_part(part, type(rule)) for part in rule.parts)


def _through(rule: Through) -> str:
    """A related item: where its key comes from, and what must hold on it, for all methods or for each."""
    sources = [f"the user's {one.name}" if isinstance(one, Claim) else one for one in rule.key.values()]
    said = {method: condition_text(one) for method, one in rule.where_by_method.items() if one is not None}
    if len(said) == len(rule.where_by_method) == 1 and EVERY in said:
        where = f" where {said[EVERY]}"
    else:
        where = "".join(f", to {method} where {one}" for method, one in said.items())
    return f"a {rule.model.__name__} by {' and '.join(sources)}{where}"


RULES: Mapping[type, Callable[[Any], str]] = {
    AllOf: lambda rule: _joined(rule, "and"),
    AnyOf: lambda rule: _joined(rule, "or"),
    Not: lambda rule: f"not {_part(rule.part)}",
    AllowAny: lambda _: "anybody",
    IsAuthenticated: lambda _: "any user",
    ReadOnly: lambda rule: f"{'anybody' if rule.anonymous else 'any user'}, to read",
    HasPermission: lambda rule: f"permission {rule.name}",
    InGroup: lambda rule: f"group {rule.name}",
    OwnedBy: lambda rule: f"{rule.attribute} is the user's {rule.claim}",
    Through: _through,
}
"""Class of a rule -> its words."""


def of_verdict(verdict: Verdict) -> str:
    """A verdict: its conditions as DynamoDB has them, and the names of the checks that only Python can make."""
    if isinstance(verdict, bool):
        return "holds for this user, whatever the item" if verdict else "does not hold"
    if isinstance(verdict, ConditionCheck):
        return condition_text(verdict.condition)
    if isinstance(verdict, RelatedCheck):
        where = "" if verdict.condition is None else f" where {condition_text(verdict.condition)}"
        return f"{'no ' if verdict.negated else ''}{verdict.model.__name__} by its key{where}"
    if isinstance(verdict, SidedCheck):
        return f"{of_verdict(verdict.check)} {verdict.side} the write"
    if isinstance(verdict, OpaqueCheck):
        return f"{'not ' if verdict.negated else ''}{verdict.permission}.has_object_permission"
    return f"({(' and ' if isinstance(verdict, AllHold) else ' or ').join(map(of_verdict, verdict.parts))})"


def of_all(conditions: Iterable[Condition]) -> str:
    """Conditions that must all hold."""
    return " AND ".join(map(condition_text, conditions))


def of_values(model: type[Model], values: Mapping[str, Any]) -> str:
    """Values by the Python names of their attributes."""
    attributes = model.get_attributes()
    raw = {attributes[name].attr_name: serialized(attributes[name], value) for name, value in values.items()}
    return ", ".join(f"{name} = {stored_text(value or {})}" for name, value in raw.items())
