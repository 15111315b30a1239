"""The rule algebra: what every combination says before and after the item is known."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

import polymicro_lambda
from polymicro_lambda import permissions
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http.users import User
from polymicro_lambda.permissions import (
    AllowAny,
    HasPermission,
    InGroup,
    IsAuthenticated,
    OwnedBy,
    Permission,
    ReadOnly,
)
from polymicro_lambda.rules import as_stored
from polymicro_lambda.rules.algebra import rule_from
from polymicro_lambda.rules.conditions.evaluation import holds
from polymicro_lambda.rules.context import Method, RuleContext
from polymicro_lambda.rules.verdicts import TextEquals


class Doc(Model):
    class Meta:
        table_name = "docs"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    number = NumberAttribute(null=True)
    token = BinaryAttribute(null=True, legacy_encoding=False)


ALICE = User("alice", frozenset({"write"}), frozenset({"staff"}), {"uuid": "alice", "tenant": 7})


def ask(user: Any = ALICE, verb: str = "update", http: str = "PATCH") -> RuleContext:
    return RuleContext(user, Method(verb, http), Doc)


def allowed(rule: Any, user: Any = ALICE, owner: str = "alice", http: str = "PATCH") -> bool:
    """What the rule says in the end about a document of this owner."""
    verdict = rule_from(rule).decide(ask(user, http=http))
    doc = Doc(owner)
    return verdict if isinstance(verdict, bool) else verdict.allows(doc, as_stored(doc))


class Yes(Permission):
    pass


class No(Permission):
    def has_permission(self, user: Any, method: Method) -> bool:
        return False


class Mine(Permission):
    def has_object_permission(self, user: Any, method: Method, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Own(Permission):
    def where(self, user: Any, method: Method, model: Any) -> Any:
        return model.owner == user.uuid


class NoThenMine(No, Mine):
    """A verb that nobody may use, on whatever object."""


class Forgot(Permission):
    def has_permission(self, user: Any, method: Method) -> Any:
        pass


class ForgotObject(Permission):
    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        pass


class ForgotWhere(Permission):
    def where(self, user: Any, method: Method, model: Any) -> Any:
        pass


class Truthy(Permission):
    def has_permission(self, user: Any, method: Method) -> Any:
        return "yes"

    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        return [1]


class Falsy(Permission):
    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        return 0


# Rule -> (for one's own document, for another's).
TRUTH: dict[str, tuple[Any, bool, bool]] = {
    "Yes": (Yes, True, True),
    "No": (No, False, False),
    "~Yes": (~Yes, False, False),
    "~No": (~No, True, True),
    "Mine": (Mine, True, False),
    "~Mine": (~Mine, False, True),
    "~~Mine": (~~Mine, True, False),
    "Own": (Own, True, False),
    "~Own": (~Own, False, True),
    "NoThenMine": (NoThenMine, False, False),
    "~NoThenMine": (~NoThenMine, True, True),
    "Mine & Yes": (Mine & Yes, True, False),
    "Mine & No": (Mine & No, False, False),
    "Mine | No": (Mine | No, True, False),
    "Mine | Yes": (Mine | Yes, True, True),
    "Own | ~Mine": (Own | ~Mine, True, True),
    "Own & ~Mine": (Own & ~Mine, False, False),
    "~(Mine & Yes)": (~(Mine & Yes), False, True),
    "~(Mine | No)": (~(Mine | No), False, True),
    "~(Mine | Yes)": (~(Mine | Yes), False, False),
    "~(Own & ~No)": (~(Own & ~No), False, True),
    "iterable": ([Yes, Mine()], True, False),
    "nested iterables": (((Yes,), [Mine | No]), True, False),
    "Yes & (iterable)": (Yes & (Mine, Own), True, False),
    "(iterable) | rule": ((No, Mine) | (No() | Own), True, False),
    "Forgot": (Forgot, False, False),
    "~Forgot": (~Forgot, False, False),
    "ForgotObject": (ForgotObject, False, False),
    "~ForgotObject": (~ForgotObject, False, False),
    "ForgotWhere": (ForgotWhere, False, False),
    "~ForgotWhere": (~ForgotWhere, False, False),
    "Forgot | Yes": (Forgot | Yes, True, True),
    "~(Forgot & Yes)": (~(Forgot & Yes), False, False),
    "Truthy": (Truthy, True, True),
    "~Truthy": (~Truthy, False, False),
    "Falsy": (Falsy, False, False),
    "~Falsy": (~Falsy, True, True),
}


@pytest.mark.parametrize(("rule", "own", "other"), TRUTH.values(), ids=TRUTH)
def test_truth(rule: Any, own: bool, other: bool) -> None:
    assert (allowed(rule, owner="alice"), allowed(rule, owner="bob")) == (own, other)


class Anyone(Permission):
    anonymous = True


# Rule -> what it says to nobody.
NOBODY: dict[str, tuple[Any, bool]] = {
    "AllowAny": (AllowAny, True),
    "IsAuthenticated": (IsAuthenticated, False),
    "~IsAuthenticated": (~IsAuthenticated, True),
    "Yes": (Yes, False),
    "~Yes": (~Yes, False),
    "~No": (~No, False),
    "Own": (Own, False),
    "~Own": (~Own, False),
    "~Mine": (~Mine, False),
    "Anyone": (Anyone, True),
    "~Anyone": (~Anyone, False),
    "Mine | AllowAny": (Mine | AllowAny, True),
    "~(Mine & AllowAny)": (~(Mine & AllowAny), False),
    "ReadOnly": (ReadOnly, False),
    "ReadOnly for all": (ReadOnly(anonymous=True), False),
    "HasPermission": (HasPermission("write"), False),
    "~HasPermission": (~HasPermission("write"), False),
    "~InGroup": (~InGroup("staff"), False),
    "OwnedBy": (OwnedBy("owner"), False),
    "~OwnedBy": (~OwnedBy("owner"), False),
}


@pytest.mark.parametrize(("rule", "expected"), NOBODY.values(), ids=NOBODY)
def test_nobody(rule: Any, expected: bool) -> None:
    """With no user a permission is not asked, and denies on both sides of ``~``."""
    assert allowed(rule, user=None) is expected


def test_a_permission_is_not_asked_about_nobody() -> None:
    """It may read ``user.permissions`` without a thought."""

    class Careless(Permission):
        def has_permission(self, user: Any, method: Method) -> bool:
            return "x" in user.permissions

    assert (allowed(Careless, user=None), allowed(~Careless, user=None)) == (False, False)


@pytest.mark.parametrize(
    ("rule", "http", "expected"),
    [
        pytest.param(ReadOnly, "GET", True, id="get"),
        pytest.param(ReadOnly, "PATCH", False, id="patch"),
        pytest.param(ReadOnly | Mine, "PATCH", True, id="read, or own"),
        pytest.param(HasPermission("write"), "PATCH", True, id="has"),
        pytest.param(HasPermission("writ"), "PATCH", False, id="a part of a name is no name"),
        pytest.param(InGroup("staff"), "PATCH", True, id="in"),
        pytest.param(InGroup("write"), "PATCH", False, id="a permission is no group"),
    ],
)
def test_the_permissions_of_the_package(rule: Any, http: str, expected: bool) -> None:
    assert allowed(rule, http=http) is expected


@pytest.mark.parametrize("user", ["alice", {"permissions": ["write"]}, 7], ids=["str", "dict", "int"])
def test_users_of_another_kind_have_no_permissions(user: Any) -> None:
    assert (allowed(HasPermission("write"), user), allowed(InGroup("staff"), user)) == (False, False)


@pytest.mark.parametrize(
    ("answer", "rule", "text"),
    [
        pytest.param("has_permission", Forgot, "Forgot.has_permission returned None", id="has_permission"),
        pytest.param("where", ForgotWhere, "ForgotWhere.where returned None", id="where"),
        pytest.param(
            "object", ~ForgotObject, "ForgotObject.has_object_permission returned None", id="object"
        ),
    ],
)
def test_a_forgotten_return_is_logged(
    answer: str, rule: Any, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert not allowed(rule)
    assert [r.getMessage() for r in caplog.records] == [f"{text}, which denies: return True or False"]


def test_a_raise_is_not_swallowed() -> None:
    """An error in one part is no denial that another part could outvote."""

    class Broken(Permission):
        def has_permission(self, user: Any, method: Method) -> bool:
            raise KeyError("secret")

    for rule in (Broken, ~Broken, Broken | Yes, Broken & Yes):
        with pytest.raises(KeyError):
            allowed(rule)


def test_no_more_is_asked_than_needed() -> None:
    asked = []

    class Noting(Permission):
        def __init__(self, name: str, answer: bool) -> None:
            self.name, self.answer = name, answer

        def has_permission(self, user: Any, method: Method) -> bool:
            asked.append(self.name)
            return self.answer

    allowed(Noting("a", False) & Noting("b", True))
    allowed(Noting("c", True) | Noting("d", True))
    assert asked == ["a", "c"]


def test_what_a_permission_is_asked_with() -> None:
    """The verb as a str that knows its HTTP verb, and the resource's model."""
    seen: list[Any] = []

    class Seeing(Permission):
        def has_permission(self, user: Any, method: Method) -> bool:
            seen.append((user, method, method.http, method.safe))
            return True

        def where(self, user: Any, method: Method, model: Any) -> Any:
            seen.append((user, method, model))
            return True

    rule_from(Seeing).decide(ask(verb="retrieve", http="GET"))
    assert seen == [(ALICE, "retrieve", "GET", True), (ALICE, "retrieve", Doc)]


# --- OwnedBy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "user", "value"),
    [
        pytest.param(OwnedBy("owner"), ALICE, "alice", id="uuid"),
        pytest.param(OwnedBy("owner", "tenant"), ALICE, "7", id="a number for a text"),
        pytest.param(OwnedBy("owner", prefix="USER#"), ALICE, "USER#alice", id="prefix"),
        pytest.param(OwnedBy("number", "tenant"), ALICE, 7, id="number"),
        pytest.param(OwnedBy("number", "n"), User("a", claims={"n": "7"}), 7, id="digits for a number"),
        pytest.param(OwnedBy("number", "n"), User("a", claims={"n": "0"}), 0, id="zero"),
        pytest.param(OwnedBy("number"), User("7"), 7, id="an id of digits for a number"),
        pytest.param(OwnedBy("number"), User("7", claims={"uuid": "8"}), 7, id="the id before a claim"),
        pytest.param(OwnedBy("number", "n"), User("a", claims={"n": "seven"}), None, id="words for a number"),
        pytest.param(OwnedBy("number", "n"), User("a", claims={"n": "7.5"}), None, id="fraction"),
        pytest.param(
            OwnedBy("number", "n"),
            User("a", claims={"n": "\N{ARABIC-INDIC DIGIT SEVEN}"}),
            None,
            id="digits of another script",
        ),
        pytest.param(OwnedBy("number", "n"), User("a", claims={"n": True}), None, id="true is no number"),
        pytest.param(OwnedBy("owner", "n"), User("a", claims={"n": True}), None, id="true is no text"),
        pytest.param(OwnedBy("owner", "n"), ALICE, None, id="no claim"),
        pytest.param(OwnedBy("owner", "n"), User("a", claims={"n": None}), None, id="null claim"),
        pytest.param(OwnedBy("owner", "n"), User("a", claims={"n": ""}), None, id="empty claim"),
        pytest.param(
            OwnedBy("owner", "n", prefix="X#"), User("a", claims={"n": ""}), None, id="empty after prefix"
        ),
        pytest.param(OwnedBy("owner", "n"), User("a", claims={"n": ["b"]}), None, id="a list is no owner"),
        pytest.param(OwnedBy("owner", "permissions"), ALICE, None, id="a set is no owner"),
        pytest.param(OwnedBy("owner"), {"uuid": "carol"}, "carol", id="a dict as user"),
        pytest.param(OwnedBy("owner", "sub"), type("U", (), {"sub": "dan"})(), "dan", id="an object as user"),
        pytest.param(OwnedBy("token", "t"), User("a", claims={"t": b"\x01"}), b"\x01", id="bytes"),
    ],
)
def test_the_owner_of_a_user(rule: OwnedBy, user: Any, value: Any) -> None:
    found = rule.value(user, Doc)
    assert (found, type(found)) == (value, type(value))


def test_what_a_permission_is_made_of() -> None:
    """Made here, not when this file is read: of each its defaults and its arguments count."""
    assert (allowed(ReadOnly(), None, http="GET"), allowed(ReadOnly(anonymous=True), None, http="GET")) == (
        False,
        True,
    )
    assert (allowed(HasPermission("write")), allowed(HasPermission("read"))) == (True, False)
    assert (allowed(InGroup("staff")), allowed(InGroup("crew"))) == (True, False)
    assert (allowed(OwnedBy("owner")), allowed(OwnedBy("owner"), owner="bob")) == (True, False)
    assert (allowed(OwnedBy("owner", prefix="a"), owner="aalice"), allowed(OwnedBy("owner", prefix="a"))) == (
        True,
        False,
    )
    assert OwnedBy("owner").value(ALICE, Doc) == "alice"
    assert OwnedBy("owner").value(User("alice", claims={"uuid": "mallory"}), Doc) == "alice"
    assert OwnedBy("owner", "n").value(User("alice", claims={"n": {"a": "b"}}), Doc) is None


def test_a_user_without_the_claim_owns_nothing() -> None:
    """Not even the items whose owner is empty or missing."""
    assert rule_from(OwnedBy("number", "n")).decide(ask()) is False


TEXT = {"n": "alice", "seven": "7", "t": b"\x01"}
# Rule -> (a document of the user whose claims are these, one of somebody else's).
OWNED: dict[str, tuple[Callable[[], Any], dict[str, Any], dict[str, Any]]] = {
    "text": (lambda: OwnedBy("owner", "n"), {"owner": "alice"}, {"owner": "bob"}),
    "not a text": (lambda: ~OwnedBy("owner", "n"), {"owner": "bob"}, {"owner": "alice"}),
    "not not a text": (lambda: ~~OwnedBy("owner", "n"), {"owner": "alice"}, {"owner": "bob"}),
    "number": (lambda: OwnedBy("number", "seven"), {"number": 7}, {"number": 8}),
    "no number": (lambda: OwnedBy("number", "seven"), {"number": 7}, {}),
    "not a number": (lambda: ~OwnedBy("number", "seven"), {"number": 8}, {"number": 7}),
    "bytes": (lambda: OwnedBy("token", "t"), {"token": b"\x01"}, {"token": b"\x02"}),
}


@pytest.mark.parametrize(("rule", "own", "other"), OWNED.values(), ids=OWNED)
def test_an_owner_of_each_type(rule: Callable[[], Any], own: dict[str, Any], other: dict[str, Any]) -> None:
    """Python and DynamoDB's condition say the same of a document; the rule is made here, as above."""
    verdict: Any = rule_from(rule()).decide(ask(User("u", claims=TEXT)))
    docs = [Doc(**{"owner": "u"} | values) for values in (own, other)]
    assert [verdict.allows(doc, as_stored(doc)) for doc in docs] == [True, False]
    assert [holds(verdict.condition, as_stored(doc)) for doc in docs] == [True, False]


def test_an_owner_that_is_a_text_takes_no_condition_to_see() -> None:
    """What is asked most often is the quickest: a text is compared as it stands, by its name in DynamoDB."""
    verdict = rule_from(OwnedBy("owner", prefix="USER#")).decide(ask())
    assert isinstance(verdict, TextEquals)
    assert (verdict.name, verdict.value) == ("o", {"S": "USER#alice"})


def test_a_user_without_a_text_owns_nothing() -> None:
    """Nor does a negation open anything more than what is not theirs."""
    assert rule_from(OwnedBy("owner", "n")).decide(ask()) is False
    assert rule_from(~OwnedBy("owner", "n")).decide(ask()) is True


def test_an_owner_of_ones_own_making_is_asked() -> None:
    """A subclass that says ``where`` itself is not passed over for the quick way."""

    class OwnedOrShared(OwnedBy):
        def where(self, user: Any, method: Method, model: Any) -> Any:
            return super().where(user, method, model) | (model.number == 1)

    rule, shared = rule_from(OwnedOrShared("owner")), Doc("bob", number=1)
    verdict: Any = rule.decide(ask())
    assert verdict.allows(shared, as_stored(shared))
    assert (allowed(rule), allowed(rule, owner="bob")) == (True, False)


@pytest.mark.parametrize(
    ("rule", "bound"),
    [
        pytest.param(OwnedBy("owner"), {"owner"}, id="alone"),
        pytest.param(OwnedBy("owner") & Yes, {"owner"}, id="under &"),
        pytest.param((Yes, OwnedBy("owner"), OwnedBy("number", "n")), {"owner", "number"}, id="iterable"),
        pytest.param(Yes & (Mine & OwnedBy("owner")), {"owner"}, id="deep under &"),
        pytest.param(OwnedBy("owner") | Yes, set(), id="under |"),
        pytest.param(~OwnedBy("owner"), set(), id="under ~"),
        pytest.param((OwnedBy("owner") | Yes) & OwnedBy("number", "n"), {"number"}, id="mixed"),
        pytest.param(Yes, set(), id="none"),
    ],
)
def test_what_every_caller_must_own(rule: Any, bound: set[str]) -> None:
    assert set(rule_from(rule).binding()) == bound


# --- declarations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        pytest.param((), "permissions is empty", id="empty"),
        pytest.param([()], "permissions is empty", id="empty inside"),
        pytest.param("AllowAny", "permissions holds 'AllowAny', which is no Permission", id="name"),
        pytest.param(("AllowAny",), "permissions holds 'AllowAny'", id="name inside"),
        pytest.param(User, "which is no Permission", id="other class"),
        pytest.param(None, "permissions holds None", id="None"),
        pytest.param(True, "permissions holds True", id="True"),
        pytest.param(lambda: True, "which is no Permission", id="function"),
        pytest.param(OwnedBy, "OwnedBy.*needs arguments", id="class that needs arguments"),
        pytest.param((Yes, HasPermission), "HasPermission.*needs arguments", id="the same inside"),
    ],
)
def test_no_rule(declared: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        rule_from(declared)


@pytest.mark.parametrize("kind", [HasPermission, InGroup, OwnedBy])
def test_what_is_no_name(kind: Any) -> None:
    """An attribute itself is the likeliest mistake; the error says which permission was given what."""
    with pytest.raises(ConfigurationError) as raised:
        kind(Doc.owner)
    assert str(raised.value) == f"{kind.__name__} takes one name, as a text, not a UnicodeAttribute"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param(Yes & ~Mine | No, "((Yes & ~Mine) | No)", id="operators"),
        pytest.param(rule_from([Yes, No]), "(Yes & No)", id="iterable"),
        pytest.param(rule_from([Yes]), "Yes", id="one"),
        pytest.param(
            HasPermission("a") | InGroup("b"), "(HasPermission('a') | InGroup('b'))", id="arguments"
        ),
        pytest.param(OwnedBy("owner"), "OwnedBy('owner', claim='uuid')", id="OwnedBy"),
    ],
)
def test_rules_as_text(rule: Any, text: str) -> None:
    """As they stand in documents and logs."""
    assert str(rule) == text


def test_leaves_in_order() -> None:
    rule = (Yes & ~No) | OwnedBy("owner")
    assert [str(leaf) for leaf in rule.leaves()] == ["Yes", "No", "OwnedBy('owner', claim='uuid')"]


def test_all_is_at_the_top_of_the_package() -> None:
    """The same names, the same objects."""
    names = permissions.__all__
    assert {name: getattr(polymicro_lambda, name) for name in names} == {
        name: getattr(permissions, name) for name in names
    }
