"""A plan carried out: what DynamoDB is asked, from where, and how much of it."""

from typing import Any

import pytest
from contract import Call, counted, create_table, dynamodb_call, names, watched
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.dynamodb.result_pages import LARGEST_PAGE
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.lists.planning.access_paths import AccessPath, access_paths_of
from polymicro_lambda.lists.planning.plans import Plan
from polymicro_lambda.lists.reading.queries import rows_of


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(range_key=True, attr_name="r")


class Thing(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    rank = NumberAttribute(attr_name="r")

    by_rank = ByRank()


TABLE, LSI = access_paths_of(Thing)
THIN = AccessPath("by_rank", "o", "r", LSI.keys, LSI.keys)
ANN = {"S": "ann"}
i, r, x = Path(["i"]), Path(["r"]), Path(["x"])


@pytest.fixture
def things(dynamodb: None, table_name: str) -> str:
    """Four things of ann's, ranked backward; the name of their table."""
    create_table(Thing, table_name)
    for number in range(1, 5):
        item = {"o": ANN, "i": {"S": str(number)}, "r": {"N": str(-number)}, "x": {"S": "x" * number}}
        dynamodb_call("put_item", TableName=table_name, Item=item)
    return table_name


def found(plan: Plan, *, key: Any = None, limit: int = 25) -> str:
    """The ids of all rows of a plan."""
    return "".join(thing.id for thing in rows_of(Thing, plan, pagination_key=key, limit=limit))


def asked(calls: list[Call], table: str) -> dict[str, Any]:
    """The operation and arguments of the one call, placeholders as what they stand for."""
    [(operation, said)] = calls
    assert said["TableName"] == table
    expressions = {name: text for name, text in said.items() if name.endswith("Expression")}
    for placeholder, name in said.get("ExpressionAttributeNames", {}).items():
        expressions = {one: text.replace(placeholder, name) for one, text in expressions.items()}
    for placeholder, value in said.get("ExpressionAttributeValues", {}).items():
        [plain] = value.values()
        expressions = {one: text.replace(placeholder, str(plain)) for one, text in expressions.items()}
    plain_ones = ("IndexName", "ScanIndexForward", "Limit", "ExclusiveStartKey")
    return {"operation": operation} | expressions | {name: said[name] for name in plain_ones if name in said}


@pytest.mark.parametrize(
    ("plan", "call", "ids"),
    [
        pytest.param(
            Plan(TABLE, ANN),
            {
                "operation": "Query",
                "KeyConditionExpression": "o = ann",
                "ScanIndexForward": True,
                "Limit": 25,
            },
            "1234",
            id="partition",
        ),
        pytest.param(
            Plan(LSI, ANN, r < Value({"N": "-1"}), forward=False),
            {
                "operation": "Query",
                "IndexName": "by_rank",
                "KeyConditionExpression": "(o = ann AND r < -1)",
                "ScanIndexForward": False,
                "Limit": 25,
            },
            "234",
            id="index, backward",
        ),
        pytest.param(
            Plan(TABLE, ANN, i >= "2", (x != "xxx", x.exists())),
            {
                "operation": "Query",
                "KeyConditionExpression": "(o = ann AND i >= 2)",
                "FilterExpression": "(x <> xxx AND attribute_exists (x))",
                "ScanIndexForward": True,
                "Limit": 25,
            },
            "24",
            id="filters",
        ),
        pytest.param(
            Plan(TABLE, ANN, projection=frozenset("oi")),
            {
                "operation": "Query",
                "KeyConditionExpression": "o = ann",
                "ProjectionExpression": "i, o",
                "ScanIndexForward": True,
                "Limit": 25,
            },
            "1234",
            id="projection",
        ),
        pytest.param(Plan(TABLE, None), {"operation": "Scan", "Limit": 25}, "1234", id="scan"),
        pytest.param(
            Plan(TABLE, None, filters=(i == "2",), projection=frozenset("oi")),
            {
                "operation": "Scan",
                "FilterExpression": "i = 2",
                "ProjectionExpression": "i, o",
                "Limit": 25,
            },
            "2",
            id="scan, filtered by a key",
        ),
    ],
)
def test_what_dynamodb_is_asked(things: str, plan: Plan, call: dict[str, Any], ids: str) -> None:
    with counted() as calls:
        assert found(plan) == ids
    assert asked(calls, things) == call


@pytest.mark.parametrize(
    ("plan", "ids"),
    [
        (Plan(TABLE, ANN, i.between("1", "3"), checks=(i > "1", i < "3")), "2"),
        (Plan(THIN, ANN, completes=True), "4321"),
        (Plan(THIN, ANN, completes=True, checks=(x != "xx",)), "431"),
        (Plan(THIN, ANN, completes=True, forward=False), "1234"),
    ],
    ids=["checked here", "completed", "completed and checked", "completed, backward"],
)
def test_what_dynamodb_cannot_say(things: str, plan: Plan, ids: str) -> None:
    assert found(plan) == ids


def test_nothing_is_read_before_it_is_asked_for(things: str) -> None:
    with counted() as calls:
        rows = rows_of(Thing, Plan(TABLE, ANN), pagination_key=None, limit=1)
        assert calls == []
        assert [thing.id for thing in rows] == ["1"]
    assert names(calls) == ["Query"]


def test_an_empty_plan_reads_nothing(things: str) -> None:
    with counted() as calls:
        assert found(Plan(TABLE, ANN, empty=True)) == ""
    assert calls == []


def key(identity: str, *, owner: str = "ann", rank: int | None = None, index: str = "") -> dict[str, Any]:
    """A cursor's key."""
    ranked = {} if rank is None else {"r": {"N": str(rank)}}
    return {"o": {"S": owner}, "i": {"S": identity}, "": {"S": index}, **ranked}


@pytest.mark.parametrize(
    ("plan", "start"),
    [
        pytest.param(Plan(TABLE, ANN), 5, id="number"),
        pytest.param(Plan(TABLE, ANN), "2", id="text"),
        pytest.param(Plan(TABLE, ANN), ["o", "i"], id="list"),
        pytest.param(Plan(TABLE, ANN), {}, id="nothing"),
        pytest.param(Plan(TABLE, ANN), {"o": ANN, "i": {"S": "2"}}, id="of no index"),
        pytest.param(Plan(TABLE, ANN), key("2", rank=-2), id="of more attributes"),
        pytest.param(Plan(TABLE, ANN), key("2", index="by_rank"), id="of an index with these keys"),
        pytest.param(Plan(LSI, ANN), key("2"), id="of the table"),
        pytest.param(Plan(LSI, ANN), key("2", rank=-2), id="of the table, with the index's keys"),
        pytest.param(Plan(TABLE, ANN), key("2", owner="bob"), id="of another partition"),
        pytest.param(Plan(TABLE, {"N": "1"}), key("2"), id="of a partition of another type"),
    ],
)
def test_a_cursor_of_another_access_path(plan: Plan, start: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        found(plan, key=start)
    assert [error["parameter"] for error in caught.value.errors] == ["pagination_key"]


@pytest.mark.parametrize(
    ("plan", "start", "ids"),
    [
        pytest.param(Plan(TABLE, ANN), key("2"), "34", id="table"),
        pytest.param(Plan(TABLE, ANN, forward=False), key("2"), "1", id="backward"),
        pytest.param(Plan(LSI, ANN), key("2", rank=-2, index="by_rank"), "1", id="index"),
        pytest.param(Plan(TABLE, ANN), key("25"), "34", id="after an item that is gone"),
        pytest.param(Plan(TABLE, None), key("4"), "", id="scan"),
        pytest.param(Plan(TABLE, ANN, i >= "2"), key("1"), "234", id="before the bounds"),
        pytest.param(Plan(TABLE, ANN, i > "2"), key("2"), "34", id="on the open lower bound"),
        pytest.param(Plan(TABLE, ANN, i < "2"), key("2"), "", id="on the open upper bound"),
        pytest.param(Plan(TABLE, ANN, i <= "2"), key("3"), "", id="after the bounds"),
        pytest.param(Plan(TABLE, ANN, i.between("2", "3")), key("1"), "23", id="before the range"),
        pytest.param(Plan(TABLE, ANN, i.startswith("3")), key("2"), "3", id="before the prefix"),
        pytest.param(Plan(TABLE, ANN, i == "3"), key("4"), "", id="after the value"),
        pytest.param(Plan(TABLE, ANN, i <= "2", forward=False), key("3"), "21", id="backward, before"),
        pytest.param(Plan(TABLE, ANN, i >= "3", forward=False), key("2"), "", id="backward, after"),
    ],
)
def test_where_it_goes_on(things: str, plan: Plan, start: Any, ids: str) -> None:
    """The bounds of a rule may have moved past the cursor since: DynamoDB would refuse it then."""
    assert found(plan, key=start) == ids


def test_a_page_is_never_asked_for_more_than_it_can_hold(things: str) -> None:
    """DynamoDB's Limit is a 32-bit number, and would be passed after a dozen pages without a match."""

    def endless(operation: str, parameters: dict[str, Any], call: Any) -> Any:
        more = {"LastEvaluatedKey": {"o": ANN, "i": {"S": "1"}}} if len(calls) < 20 else {}
        return {"Items": [], "Count": 0, "ScannedCount": 0, **more}

    with watched(endless) as calls:
        assert found(Plan(TABLE, ANN, filters=(x == "y",))) == ""
    sizes = [said["Limit"] for _, said in calls]
    assert sizes == [25, 100, 400, 1600, 6400] + [LARGEST_PAGE] * 15
