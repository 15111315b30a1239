"""Rules and filters that DynamoDB refuses as they are written: every verb decides alike, whatever the user's groups."""

import re
from functools import partial, reduce
from operator import or_
from typing import Any, ClassVar

import pytest
from contract import counted, dynamodb_call, meanwhile, stored
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.operand import Path
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.permissions import Permission
from polymicro_lambda.testing import Client

pytestmark = pytest.mark.usefixtures("dynamodb")

NOBODY = User("n")


def member(count: int, *more: str) -> User:
    return User("m", groups=frozenset([*(f"group-{number}" for number in range(count)), *more]))


class ByGroup(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_group"
        projection = AllProjection()

    group = UnicodeAttribute(hash_key=True)
    rank = NumberAttribute(range_key=True)


class Doc(Model):
    class Meta:
        table_name = "docs"

    id = UnicodeAttribute(hash_key=True)
    group = UnicodeAttribute(null=True)
    rank = NumberAttribute(null=True)
    readers = UnicodeSetAttribute(null=True)
    text = UnicodeAttribute(null=True)
    by_group = ByGroup()


class All(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Doc
    route = "d"
    scan = True
    permissions: ClassVar[Any] = AllowAny

    @action(methods=("POST",))
    def touch(self, instance: Any, user: Any) -> Any:
        return self.update(instance, {"text": "touched"}, user)


def served(rule: Any, table: str, **members: Any) -> Client:
    Doc.Meta.table_name = table
    Doc._connection = None
    pm = PolyMicro()
    type("Docs", (All,), {"permissions": rule, **members})(pm)
    client = Client(pm.compile(), user=NOBODY)
    Doc.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Doc("1", group="x", rank=5, readers={"x"}).save()
    return client


class OfMyGroups(Permission):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return model.group.is_in(*user.groups)


class NotOfMyGroups(Permission):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return ~model.group.is_in(*user.groups)


class Ranked(Permission):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return model.rank.between(7, 3)


class Shared(Permission):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return reduce(or_, [model.readers.contains(one) for one in sorted(user.groups)])


class SharedToWrite(Shared):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return True if method.safe else super().where(user, method, model)


class MineToWrite(OfMyGroups):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return True if method.safe else super().where(user, method, model)


def decisions(client: Client, user: User) -> list[Any]:
    """Get, list, patch, replace, an action, delete: the list by its length."""
    one = client.as_(user)
    listed = one.get("/d")
    assert listed.status == 200, listed.text
    body = {"text": "t", "group": "x", "rank": 5, "readers": ["x"]}
    return [
        one.get("/d/1").status,
        len(listed.json["items"]),
        one.patch("/d/1", json={"text": "t"}).status,
        one.put("/d/1", json=body).status,
        one.post("/d/1/touch").status,
        one.delete("/d/1").status,
    ]


YES, NO, SEEN = [200, 1, 200, 200, 200, 204], [404, 0, 404, 404, 404, 404], [200, 1, 403, 403, 403, 403]
CASES: dict[str, tuple[Any, User, list[Any]]] = {
    "in no group": (OfMyGroups, NOBODY, NO),
    "outside of no group": (NotOfMyGroups, NOBODY, YES),
    "in no group, to write": (MineToWrite, NOBODY, SEEN),
    "in 121 groups": (OfMyGroups, member(120, "x"), YES),
    "in 121 other groups": (OfMyGroups, member(121), NO),
    "in 121 groups, one of them left out": (NotOfMyGroups, member(120, "x"), NO),
    "in 2,000 groups": (OfMyGroups, member(2000, "x"), YES),
    "in 2,000 other groups": (OfMyGroups, member(2000), NO),
    "bounds that cross": (Ranked, NOBODY, NO),
    "bounds that cross, negated": (~Ranked, NOBODY, YES),
    "200 parts": (Shared, member(200, "x"), YES),
    "600 parts": (Shared, member(600, "x"), YES),
    "600 other parts": (Shared, member(600), NO),
    "600 other parts, to write": (SharedToWrite, member(600), SEEN),
    "3,000 parts": (Shared, member(3000, "x"), YES),
}


@pytest.mark.parametrize(("rule", "user", "expected"), CASES.values(), ids=CASES)
def test_every_verb_decides_alike(table_name: str, rule: Any, user: User, expected: list[Any]) -> None:
    assert decisions(served(rule, table_name), user) == expected


class Reads(Permission):
    def __init__(self, reader: str) -> None:
        self.reader = reader

    def where(self, user: Any, method: Any, model: Any) -> Any:
        return model.readers.contains(self.reader)


class Nested(Permission):
    """No two levels are joined alike, so that none can be flattened."""

    def where(self, user: Any, method: Any, model: Any) -> Any:
        condition = model.group == "x"
        for number in range(1000):
            condition = (condition & (model.rank >= number % 5)) | (model.text == str(number))
        return condition


class Wide(Permission):
    """Reads more attributes than one expression can pin."""

    def where(self, user: Any, method: Any, model: Any) -> Any:
        return reduce(or_, [Path([f"a{number}"]) == "x" for number in range(200)], model.group == "x")


def test_what_a_judged_rule_has_read_is_part_of_the_write(table_name: str) -> None:
    """Somebody takes the item away between read and write: the rule is judged again, and nothing is written."""
    client = served(Shared, table_name).as_(member(600, "x"))
    taken = partial(dynamodb_call, "put_item", TableName=table_name, Item={"id": {"S": "1"}})
    with meanwhile(taken):
        assert client.patch("/d/1", json={"text": "t"}).status == 404
    assert stored(table_name) == [{"id": {"S": "1"}}]


def test_what_a_judged_rule_has_not_read_may_change(table_name: str) -> None:
    client = served(Shared, table_name).as_(member(600, "x"))
    other = partial(
        dynamodb_call,
        "update_item",
        TableName=table_name,
        Key={"id": {"S": "1"}},
        UpdateExpression="SET #r = :r",
        ExpressionAttributeNames={"#r": "rank"},
        ExpressionAttributeValues={":r": {"N": "6"}},
    )
    with meanwhile(other), counted() as calls:
        result = client.patch("/d/1", json={"text": "t"})
    assert (result.status, result.json["rank"], result.json["text"]) == (200, 6, "t")
    assert [call for call, _ in calls] == ["GetItem", "UpdateItem", "UpdateItem"]


def test_a_rule_too_large_holds_for_the_new_state_too(table_name: str) -> None:
    client = served(Shared, table_name).as_(member(600, "x"))
    assert client.patch("/d/1", json={"readers": ["else"]}).status == 403
    assert client.patch("/d/1", json={"readers": ["group-3"]}).status == 200


def test_a_rule_that_cannot_be_pinned_is_an_error_that_says_so(
    table_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = served(Wide, table_name)
    assert [client.get("/d/1").status, client.get("/d").status] == [200, 200]
    assert [client.patch("/d/1", json={"text": "t"}).status, client.delete("/d/1").status] == [500, 500]
    message = (
        r"its condition is too large for DynamoDB: an expression of \d+ operators, of which it takes 300"
    )
    assert re.search(message, caplog.text)
    assert len(stored(table_name)) == 1


def test_a_page_under_a_rule_too_large_is_filled(table_name: str) -> None:
    client = served(Shared, table_name).as_(member(600, "x"))
    for number in range(2, 9):
        Doc(str(number), readers={"x"} if number % 3 == 0 else {"y"}).save()
    assert len(client.get("/d?limit=3").json["items"]) == 3


def rows(client: Client, filters: Any) -> list[Any]:
    """A list verb that makes filters of its own."""

    class Own(All):
        route = "own"

        def list(self, pagination_key: Any, limit: int) -> Any:  # type: ignore[override]
            plan = self.planner.plan(filters, None)
            return self.store.rows(plan, pagination_key=pagination_key, limit=limit)

    pm = PolyMicro()
    Own(pm)
    result = Client(pm.compile(), user=NOBODY).get("/own")
    assert result.status == 200, result.text
    return [item["id"] for item in result.json["items"]]


MANY = [f"group-{number}" for number in range(900)]
FILTERS: dict[str, tuple[Any, list[str]]] = {
    "in none": ({"text": {"in": []}}, []),
    "in 121": ({"text": {"in": [*MANY[:120], "t"]}}, ["1"]),
    "in 901": ({"text": {"in": [*MANY, "t"]}}, ["1"]),
    "in 900 others": ({"text": {"in": MANY}}, []),
    "bounds that cross": ({"rank": {"between": [7, 3]}}, []),
    "bounds of an index that cross": ({"group": {"eq": "x"}, "rank": {"between": [7, 3]}}, []),
    "in 901 of an index": ({"group": {"eq": "x"}, "text": {"in": [*MANY, "t"]}}, ["1"]),
    "in no key": ({"group": {"in": []}}, []),
    "in 121 keys": ({"id": {"in": [*MANY[:120], "1"]}}, ["1"]),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS)
def test_filters_of_a_verb_of_ones_own(table_name: str, filters: Any, expected: list[str]) -> None:
    client = served(AllowAny, table_name)
    assert client.patch("/d/1", json={"text": "t"}).status == 200
    assert rows(client, filters) == expected


def test_a_list_of_nothing_takes_no_call(table_name: str) -> None:
    client = served(OfMyGroups, table_name)
    with counted() as calls:
        assert client.get("/d").json == {"items": [], "pagination_key": None}
    assert calls == []


def test_a_resource_of_many_rules(table_name: str) -> None:
    """Each part is a permission: side by side they are one level, and one condition that is judged here."""
    rule = reduce(or_, [Reads(f"group-{number}") for number in range(2000)]) | Reads("x")
    assert decisions(served(rule, table_name), NOBODY) == YES


def test_a_condition_nested_as_deep(table_name: str) -> None:
    assert decisions(served(Nested, table_name), NOBODY) == YES


def test_deep_rules_in_words(table_name: str) -> None:
    """`polymicro routes --explain` tells where they are judged."""
    pm = PolyMicro()
    type("Docs", (All,), {"permissions": Nested})(pm)
    pm.compile()
    assert "too large for a condition" in str(explain(pm, "PATCH /d/1", NOBODY))
