"""Random conditions on random items: ``holds`` and Amazon's own engine give one answer.

The pools are small on purpose, so that equal values, equal names and near misses meet often.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.constants import ATTRIBUTE_TYPES
from pynamodb.expressions import condition as c
from pynamodb.expressions.operand import Path, Value
from test_conditions import ITEM, REFUSED, REWRITTEN, ROWS

from polymicro_lambda.rules.conditions.evaluation import holds
from polymicro_lambda.rules.conditions.rewriting import sendable

pytestmark = pytest.mark.real_engine

TEXTS = ["", "a", "ab", "b", "é", "e\u0301", "\uff5e", "😀", "a😀", "SS"]
BYTES = [b"", b"a", b"ab", b"\x7f", b"\x80", b"\x80\x01"]
NUMBERS = ["0", "-0.0", "1", "1.00", "2", "10", "-1", "0.1", "1e0", "3E+100", "9" * 38, "9" * 37 + "8"]
COMPARED = ["=", "<>", "<", "<=", ">", ">="]
NAMES = ["a", "b", "c", "size", "with.dot", "with space"]

text = st.sampled_from([{"S": value} for value in TEXTS])
number = st.sampled_from([{"N": value} for value in NUMBERS])
binary = st.sampled_from([{"B": value} for value in BYTES])


def some(pool: list[Any], kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True).map(
        lambda value: {kind: value}
    )


scalars = st.one_of(
    text,
    number,
    binary,
    st.sampled_from([{"BOOL": True}, {"BOOL": False}, {"NULL": True}]),
    some(TEXTS, "SS"),
    some(["0", "1", "2.0", "10", "-1"], "NS"),
    some(BYTES, "BS"),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda value: {"L": value}),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3).map(lambda value: {"M": value}),
    ),
    max_leaves=6,
)
items = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)

segments = st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "", "", "[0]", "[1]", "[0][0]"])).map(
    "".join
)
paths = st.lists(segments, min_size=1, max_size=3)

Found: TypeAlias = list[tuple[list[str], Mapping[str, Any]]]
"""Every path that leads somewhere in an item, with what it leads to."""


def inside(raw: Mapping[str, Any], path: list[str]) -> Found:
    found = [(path, raw)]
    for name, inner in raw.get("M", {}).items():
        found += inside(inner, [*path, name])
    for index, inner in enumerate(raw.get("L", ())):
        found += inside(inner, [*path[:-1], f"{path[-1]}[{index}]"])
    return found


def elements(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a list or a set holds."""
    return [{kind: one} for kind in "SNB" for one in raw.get(f"{kind}S", ())] + list(raw.get("L", ()))


class Author:
    """Draws conditions, most of them about paths and values that the item really has."""

    def __init__(self, draw: st.DrawFn, item: Mapping[str, Any]) -> None:
        self.draw = draw
        self.found = [pair for name, raw in item.items() for pair in inside(raw, [name])]

    def one(self, *options: Callable[[], Any]) -> Any:
        return self.draw(st.sampled_from(options))()

    def known(self) -> tuple[list[str], Mapping[str, Any]]:
        return self.draw(st.sampled_from(self.found or [(["a"], {"S": "a"})]))

    def path(self) -> Path:
        return self.one(*[lambda: Path(self.known()[0])] * 3, lambda: Path(self.draw(paths)))

    def value(self) -> Value:
        return Value(self.one(lambda: self.known()[1], lambda: self.draw(values), self.element))

    def element(self) -> Mapping[str, Any]:
        inner = elements(self.known()[1])
        return self.draw(st.sampled_from(inner) if inner else scalars)

    def sized(self) -> Any:
        return c.size(self.path())

    def operand(self) -> Any:
        return self.one(self.path, self.value, self.value, self.sized)

    def subject(self) -> Any:
        return self.one(self.path, self.path, self.path, self.value, self.sized)

    def bounds(self) -> tuple[Any, Any]:
        one_kind = st.sampled_from([text, binary, number])
        pair = self.draw(one_kind.flatmap(lambda pool: st.tuples(pool, pool)))
        return self.one(*[lambda: tuple(map(Value, pair))] * 2, lambda: (self.operand(), self.operand()))

    def leaf(self) -> c.Condition:
        return self.one(
            *[lambda: c.Comparison(self.draw(st.sampled_from(COMPARED)), self.subject(), self.operand())] * 3,
            lambda: c.Between(self.subject(), *self.bounds()),
            lambda: c.In(self.subject(), *[self.operand() for _ in range(self.draw(st.integers(1, 4)))]),
            lambda: c.Exists(self.path()),
            lambda: c.NotExists(self.path()),
            lambda: c.IsType(self.subject(), Value(self.draw(st.sampled_from([*ATTRIBUTE_TYPES, "Q"])))),
            lambda: c.BeginsWith(self.subject(), self.operand()),
            lambda: c.BeginsWith(self.path(), Value(self.draw(text | binary))),
            *[lambda: c.Contains(self.subject(), self.operand())] * 2,
        )

    def condition(self, depth: int = 3) -> c.Condition:
        if not depth:
            return self.leaf()
        inner = partial(self.condition, depth - 1)
        return self.one(
            *[self.leaf] * 3,
            lambda: c.And(inner(), inner()),
            lambda: c.Or(inner(), inner()),
            lambda: c.Not(inner()),
        )


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[c.Condition]]:
    item = draw(items)
    author = Author(draw, item)
    return item, [author.condition() for _ in range(4)]


class Table:
    """A table of one item, which the engine judges."""

    def __init__(self, client: BaseClient, name: str) -> None:
        self.client, self.name = client, name
        client.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, item: Mapping[str, Any]) -> None:
        self.client.put_item(TableName=self.name, Item={"key": {"S": "it"}, **item})

    def verdict(self, condition: c.Condition, *, rewritten: bool = False) -> str:
        """Let an update of nothing be judged: "holds", "fails" or "refused"; ``rewritten`` as it is sent."""
        sent = sendable(condition) if rewritten else condition
        if isinstance(sent, bool):
            return "holds" if sent else "fails"
        names: dict[str, str] = {}
        raw: dict[str, Any] = {}
        expression = sent.serialize(names, raw)
        given = {
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()},
            "ExpressionAttributeValues": raw,
        }
        try:
            self.client.update_item(
                TableName=self.name,
                Key={"key": {"S": "it"}},
                ConditionExpression=expression,
                **{name: value for name, value in given.items() if value},
            )
        except ClientError as error:
            codes = {"ConditionalCheckFailedException": "fails", "ValidationException": "refused"}
            return codes[error.response["Error"]["Code"]]
        return "holds"


@pytest.fixture
def table(dynamodb: None, table_name: str) -> Iterator[Table]:
    client = get_session().create_client("dynamodb")
    yield Table(client, table_name)
    client.close()


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(case=cases())
def test_the_engine_and_holds_agree(table: Table, case: tuple[dict[str, Any], list[c.Condition]]) -> None:
    """What DynamoDB refuses holds for nothing."""
    item, asked = case
    table.put(item)
    theirs = [table.verdict(condition, rewritten=True) == "holds" for condition in asked]
    assert [holds(condition, {"key": {"S": "it"}, **item}) for condition in asked] == theirs


def test_every_row_of_the_table_is_true_of_the_engine(table: Table) -> None:
    table.put(ITEM)
    expected = {name: "holds" if answer else "fails" for name, (_, answer) in ROWS.items()}
    expected |= dict.fromkeys([*REFUSED, *REWRITTEN], "refused")
    asked = {name: condition for name, (condition, _) in ROWS.items()} | REFUSED | REWRITTEN
    assert {name: table.verdict(condition) for name, condition in asked.items()} == expected
