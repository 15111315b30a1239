"""Conditions as DynamoDB takes them: what it refuses though the meaning is plain holds as it reads."""

from functools import reduce
from operator import and_, or_
from typing import Any

import pytest
from pynamodb.expressions.condition import BeginsWith, Condition, size
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ExpressionTooLarge, condition_expression, fits
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import Permission
from polymicro_lambda.rules import Method, Rule, RuleContext, attributes_of, equality_of, holds
from polymicro_lambda.rules.conditions.rewriting import sendable
from polymicro_lambda.rules.verdicts import (
    AllHold,
    AnyHolds,
    ConditionCheck,
    attributes_of_verdict,
    condition_of,
    is_opaque,
)

n, s = Path("n"), Path("s")
ITEM: dict[str, Any] = {"n": {"N": "5"}, "s": {"S": "x"}}
TRUE, FALSE = n == 5, n == 6
NOTHING, CROSSED = n.is_in(), n.between(7, 3)

PLAIN: dict[str, tuple[Condition, bool]] = {
    "in nothing": (NOTHING, False),
    "not in nothing": (~NOTHING, True),
    "bounds cross": (CROSSED, False),
    "texts cross by UTF-8": (s.between("\U00010000", "\uff5e"), False),
    "bounds of two types": (n.between(1, "7"), False),
    "sizes cross": (size("s").between(2, 1), False),
    "not crossed": (~CROSSED, True),
    "beside what holds": (TRUE | NOTHING, True),
    "beside what does not": (FALSE | CROSSED, False),
    "with what holds": (TRUE & NOTHING, False),
    "negated with what holds": (TRUE & ~CROSSED, True),
    "all the same": ((NOTHING | CROSSED) | ~(NOTHING | CROSSED), True),
    "deep": (FALSE | (TRUE & ~(NOTHING | (FALSE & CROSSED))), True),
    "101 operands": (n.is_in(*range(-95, 6)), True),
    "101 other operands": (n.is_in(*range(10, 111)), False),
    "not 250 operands": (~n.is_in(*range(10, 260)), True),
}


@pytest.mark.parametrize(("condition", "answer"), PLAIN.values(), ids=PLAIN)
def test_what_has_a_plain_meaning(condition: Condition, answer: bool) -> None:
    sent = sendable(condition)
    assert holds(condition, ITEM) is answer
    assert (sent if isinstance(sent, bool) else holds(sent, ITEM)) is answer


@pytest.mark.parametrize(("condition", "_"), PLAIN.values(), ids=PLAIN)
def test_nothing_that_dynamodb_refuses_is_left(condition: Condition, _: bool) -> None:
    values: dict[str, Any] = {}
    sent = sendable(condition)
    text = "" if isinstance(sent, bool) else condition_expression(sent, {}, values)
    assert "()" not in text
    assert "BETWEEN" not in text
    assert all(part.count(",") < 100 for part in text.split("OR"))


@pytest.mark.parametrize(
    "condition",
    [TRUE, TRUE & FALSE, ~(TRUE | n.between(1, 2)), n.is_in(1, 2), n.between(1, 1), n.between(s, 1)],
    ids=str,
)
def test_what_dynamodb_takes_stays_as_it_is(condition: Condition) -> None:
    assert sendable(condition) is condition


@pytest.mark.parametrize("refused", [BeginsWith(s, Value(1)), n < True, n == {"N": "1" * 39}], ids=str)
def test_what_is_refused_holds_for_nothing(refused: Condition) -> None:
    """There is no other way to write it."""
    assert [sendable(each) for each in (refused, ~refused, TRUE | refused)] == [False] * 3


def test_one_of_two_permissions_may_be_refused() -> None:
    """The other one decides, here and in DynamoDB."""
    refused, good = ConditionCheck(n < True), ConditionCheck(TRUE)
    for verdict, answer in (AnyHolds((refused, good)), True), (AllHold((refused, good)), False):
        condition = condition_of(verdict)
        assert condition is not None
        sent = sendable(condition)
        assert verdict.allows(None, ITEM) is answer
        assert (sent if isinstance(sent, bool) else holds(sent, ITEM)) is answer


DEEP = 3000


def nested(count: int) -> Condition:
    """Alternately joined, so that no two levels are alike."""
    condition = TRUE
    for number in range(count):
        condition = [condition & (s == "x"), condition | (s == "y"), ~~condition][number % 3]
    return condition


@pytest.mark.parametrize(
    "deep",
    [
        reduce(or_, [FALSE] * DEEP + [TRUE]),
        reduce(lambda one, other: other | one, [TRUE] + [FALSE] * DEEP),
        reduce(and_, [TRUE] * DEEP),
        nested(DEEP),
        nested(DEEP) | n.is_in(),
    ],
    ids=["left", "right", "and", "mixed", "rewritten"],
)
def test_no_depth_is_too_deep(deep: Condition) -> None:
    sent = sendable(deep)
    assert not isinstance(sent, bool)
    assert [holds(deep, ITEM), holds(sent, ITEM)] == [True, True]
    assert attributes_of(deep) <= {"n", "s"}
    assert set(equality_of(deep)) <= {"n", "s"}
    assert not fits([deep])
    with pytest.raises(ExpressionTooLarge, match="operators"):
        condition_expression(sent, {}, {})


LIMITS: dict[str, tuple[list[Condition], bool]] = {
    "299 operators": ([TRUE] * 150, True),
    "302 operators": ([TRUE] * 149 + [n.is_in(1) & ~FALSE], False),
    "300 operators, one of them a size": ([TRUE] * 149 + [size("s") == 1], True),
    "301 operators, two of them sizes": ([TRUE] * 149 + [size("s") == size("n")], False),
    "100 operands": ([n.is_in(*range(100)) for _ in range(6)], True),
    "600 operands": ([n.is_in(*range(100)) for _ in range(7)], False),
}


@pytest.mark.parametrize(("conditions", "answer"), LIMITS.values(), ids=LIMITS)
def test_what_is_too_large(conditions: list[Condition], answer: bool) -> None:
    """4,096 bytes and 300 operators."""
    assert fits(conditions) is answer


MANY = 2000


class Ranked(Permission):
    """Holds where ``n`` is a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def where(self, user: Any, method: Method, model: Any) -> Any:
        return n == self.number


@pytest.mark.parametrize(
    "rule",
    [
        reduce(or_, map(Ranked, range(MANY))),
        reduce(lambda one, other: other | one, map(Ranked, range(MANY))),
        reduce(lambda rule, _: ~rule, range(MANY), Ranked(5) | Ranked(6)),
    ],
    ids=["left", "right", "negated"],
)
def test_a_rule_of_many_parts(rule: Rule) -> None:
    verdict = rule.decide(RuleContext("u", Method("update", "PATCH"), Model))
    assert not isinstance(verdict, bool)
    assert [verdict.allows(None, raw) for raw in (ITEM, {})] == [True, False]
    assert (attributes_of_verdict(verdict), is_opaque(verdict)) == ({"n"}, False)
    condition = condition_of(verdict)
    assert condition is not None
    assert holds(condition, ITEM)
    assert len({*rule.leaves()}) in (2, MANY)
    assert str(rule)


def test_a_rule_that_is_nested_too_deep_is_a_mistake() -> None:
    """`&` and `|` in turn make a level each; what is joined by one of them alone makes none."""
    with pytest.raises(ConfigurationError, match="nested more than 100 levels deep"):
        reduce(
            lambda rule, n: rule & Ranked(n) if n % 2 else rule | Ranked(n),
            range(MANY),
            Ranked(0) | Ranked(1),
        )
