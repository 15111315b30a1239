"""Verdicts: joined, judged on instances, and as conditions that DynamoDB can check."""

from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from polymicro_lambda.permissions import Permission
from polymicro_lambda.rules import as_stored
from polymicro_lambda.rules.conditions.evaluation import holds
from polymicro_lambda.rules.context import Method, RuleContext
from polymicro_lambda.rules.verdict_comparison import rest_of_verdict, same_verdict
from polymicro_lambda.rules.verdicts import (
    AllHold,
    AnyHolds,
    ConditionCheck,
    OpaqueCheck,
    TextEquals,
    Verdict,
    attributes_of_verdict,
    condition_of,
    is_opaque,
    join_verdicts,
)


class Row(Model):
    class Meta:
        table_name = "rows"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(default=0)
    done = BooleanAttribute(default=False)


class Answering(Permission):
    """Says what it is told to say; a second time is an error."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def opaque(answer: Any, negated: bool = False) -> OpaqueCheck:
    return OpaqueCheck(Answering(answer), RuleContext("u", Method("update", "PUT"), Row), negated)


OWN = ConditionCheck(Row.owner == "a")
HIGH = ConditionCheck(Row.rank > 5)
YES, NO, BOOM = opaque(True), opaque(False), opaque(ZeroDivisionError())
ITEM = Row("a", rank=1)
RAW = as_stored(ITEM)


@pytest.mark.parametrize(
    ("parts", "every", "some"),
    [
        pytest.param([], True, False, id="nothing"),
        pytest.param([True], True, True, id="true"),
        pytest.param([False], False, False, id="false"),
        pytest.param([True, False], False, True, id="both"),
        pytest.param([OWN], OWN, OWN, id="one"),
        pytest.param([True, OWN], OWN, True, id="true and one"),
        pytest.param([OWN, False], False, OWN, id="one and false"),
        pytest.param([OWN, YES], AllHold((OWN, YES)), AnyHolds((OWN, YES)), id="two"),
        pytest.param([True, OWN, YES], AllHold((OWN, YES)), True, id="true and two"),
    ],
)
def test_joined(parts: list[Verdict], every: Verdict, some: Verdict) -> None:
    """Residues are compared by identity: PynamoDB's conditions have no truth value."""
    assert repr((join_verdicts(parts, every=True), join_verdicts(parts, every=False))) == repr((every, some))


def test_joined_asks_for_no_more_than_it_needs() -> None:
    def verdicts(decisive: bool) -> Iterator[Verdict]:
        yield OWN
        yield decisive
        raise AssertionError("asked for more")

    assert join_verdicts(verdicts(False), every=True) is False
    assert join_verdicts(verdicts(True), every=False) is True


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        pytest.param(OWN, True, id="condition holds"),
        pytest.param(HIGH, False, id="condition does not"),
        pytest.param(YES, True, id="opaque yes"),
        pytest.param(NO, False, id="opaque no"),
        pytest.param(opaque(True, negated=True), False, id="negated yes"),
        pytest.param(opaque(False, negated=True), True, id="negated no"),
        pytest.param(opaque(None), False, id="forgotten"),
        pytest.param(opaque(None, negated=True), False, id="negated forgotten"),
        pytest.param(AllHold((OWN, YES)), True, id="every"),
        pytest.param(AllHold((OWN, NO)), False, id="not every"),
        pytest.param(AllHold((BOOM, HIGH)), False, id="conditions go before opaque checks"),
        pytest.param(AnyHolds((HIGH, YES)), True, id="some"),
        pytest.param(AnyHolds((HIGH, NO)), False, id="none"),
        pytest.param(AnyHolds((AllHold((OWN, NO)), AllHold((OWN, YES)))), True, id="nested"),
    ],
)
def test_judged(verdict: Any, expected: bool) -> None:
    assert verdict.allows(ITEM, RAW) is expected


def test_an_opaque_check_that_raises() -> None:
    """It is no denial, whatever stands beside it."""
    for verdict in (BOOM, AllHold((OWN, BOOM)), AnyHolds((HIGH, BOOM))):
        with pytest.raises(ZeroDivisionError):
            verdict.allows(ITEM, RAW)


@pytest.mark.parametrize(
    ("verdict", "blind", "attributes"),
    [
        pytest.param(True, False, set(), id="true"),
        pytest.param(OWN, False, {"o"}, id="condition"),
        pytest.param(YES, True, set(), id="opaque"),
        pytest.param(AllHold((OWN, HIGH)), False, {"o", "rank"}, id="every"),
        pytest.param(AnyHolds((OWN, AllHold((HIGH, YES)))), True, {"o", "rank"}, id="nested"),
    ],
)
def test_what_a_verdict_reads(verdict: Verdict, blind: bool, attributes: set[str]) -> None:
    """Conditions by their attributes' names in DynamoDB; an opaque check has to be tried."""
    assert (is_opaque(verdict), set(attributes_of_verdict(verdict))) == (blind, attributes)


@pytest.mark.parametrize(
    "verdict",
    [True, False, YES, AnyHolds((OWN, YES)), AllHold((YES, NO))],
    ids=["true", "false", "opaque", "some", "every"],
)
def test_no_condition_is_implied(verdict: Verdict) -> None:
    """A disjunction with an opaque part implies nothing that DynamoDB could check."""
    assert condition_of(verdict) is None


DONE = ConditionCheck(Row.done == True)  # noqa: E712 - a condition


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(OWN, id="one"),
        pytest.param(AllHold((OWN, HIGH, DONE)), id="every"),
        pytest.param(AnyHolds((OWN, HIGH, DONE)), id="some"),
        pytest.param(AnyHolds((AllHold((OWN, HIGH)), DONE)), id="some of every"),
        pytest.param(AllHold((AnyHolds((OWN, HIGH)), DONE)), id="every of some"),
    ],
)
def test_a_condition_is_the_verdict(verdict: Any) -> None:
    """Without opaque checks the condition holds on exactly the items that the verdict allows."""
    condition = condition_of(verdict)
    assert isinstance(condition, Condition)
    rows = [Row(o, rank=r, done=d) for o in "ab" for r in (1, 9) for d in (True, False)]
    raws = [as_stored(row) for row in rows]
    assert [holds(condition, raw) for raw in raws] == [
        verdict.allows(row, raw) for row, raw in zip(rows, raws, strict=True)
    ]


def test_a_conjunction_with_opaque_parts_implies_its_conditions() -> None:
    condition = condition_of(AllHold((OWN, YES, AnyHolds((HIGH, NO)))))
    assert condition is not None
    assert [holds(condition, as_stored(Row(owner))) for owner in "ab"] == [True, False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (True, True, True),
        (True, False, False),
        (True, TextEquals("a", {"S": "1"}), False),
        (TextEquals("a", {"S": "1"}), TextEquals("a", {"S": "1"}), True),
        (TextEquals("a", {"S": "1"}), TextEquals("a", {"S": "2"}), False),
        (ConditionCheck(Path(["a"]) > 1), ConditionCheck(Path(["a"]) > 1), True),
        (ConditionCheck(Path(["a"]) > 1), ConditionCheck(Path(["b"]) > 1), False),
        (ConditionCheck(Path(["a"]) > 1), ConditionCheck(Path(["a"]) > 2), False),
    ],
)
def test_the_same_verdict(one: Any, other: Any, same: bool) -> None:
    """Alone, and as a part of others."""
    assert same_verdict(one, other) is same
    if not isinstance(one, bool) and not isinstance(other, bool):
        more = ConditionCheck(Path(["c"]).exists())
        both = [join_verdicts([verdict, more], every=True) for verdict in (one, other)]
        assert same_verdict(*both) is same
        assert not same_verdict(join_verdicts([one, more], every=False), both[1])


def test_the_rest_of_a_verdict() -> None:
    """What is known to hold is left out; a check in Python is not known to answer alike for another verb."""
    one, other = TextEquals("a", {"S": "1"}), ConditionCheck(Path(["b"]) > 1)
    opaque = OpaqueCheck(Answering(True), RuleContext(None, Method("update", "PATCH"), Row), negated=False)
    assert rest_of_verdict(one, one) is True
    assert rest_of_verdict(AllHold((one, opaque)), AllHold((opaque, one))) is opaque
    assert rest_of_verdict(AllHold((one, other)), one) is other
    assert (rest_of_verdict(True, one), rest_of_verdict(False, one), rest_of_verdict(False, True)) == (
        True,
        False,
        False,
    )
    assert rest_of_verdict(one, AnyHolds((one, other))) is one
