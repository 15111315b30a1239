"""Random atomic changes of random items: what is computed here is what Amazon's own engine stores."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, DeleteAction, RemoveAction, SetAction

from polymicro_lambda.dynamodb.expressions import update_expression
from polymicro_lambda.items import same_item
from polymicro_lambda.writes.changes.atomic_changes import AtomicChange, NoResult

pytestmark = pytest.mark.real_engine

NUMBERS = ["0", "1", "-1", "2.50", "0.1", "1e2", "3E+100", "1E-100", "9" * 38, "-" + "9" * 38]
NAMES = ["a", "b", "c"]

number = st.sampled_from(NUMBERS).map(lambda text: {"N": text})
listed = st.lists(number | st.just({"S": "x"}), max_size=3).map(lambda value: {"L": value})
number_set = st.lists(
    st.sampled_from(["0", "1", "2.0", "2", "10"]), min_size=1, max_size=3, unique_by=float
).map(lambda value: {"NS": value})
text_set = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True).map(
    lambda value: {"SS": value}
)
binary_set = st.lists(st.sampled_from([b"x", b"y"]), min_size=1, unique=True).map(lambda value: {"BS": value})
sets = number_set | text_set | binary_set
values = st.one_of(number, number, listed, sets, st.just({"S": "text"}))
items = st.dictionaries(
    st.sampled_from(NAMES), values | values.map(lambda one: {"M": {"inner": one}}), max_size=3
)
paths = st.sampled_from([["a"], ["b"], ["c"], ["a", "inner"], ["a[0]"], ["b", "inner"]]).map(Path)


def _binary(operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(operands, operands)

    def kind(pair: tuple[Any, Any], sign: str) -> Any:
        one, other = pair
        try:
            return one + other if sign == "+" else one - other if sign == "-" else one.append(other)
        except (ValueError, TypeError, AttributeError):
            return one

    return st.tuples(pairs, st.sampled_from(["+", "-", "append"])).map(lambda drawn: kind(*drawn))


plain = paths | values.map(Value)
defaulted = st.tuples(paths, plain).map(lambda pair: pair[0] | pair[1])
operands = st.one_of(plain, defaulted, _binary(plain | defaulted), _binary(plain))
actions = st.one_of(
    st.tuples(st.sampled_from(NAMES), operands).map(lambda pair: SetAction(Path([pair[0]]), pair[1])),
    st.tuples(st.sampled_from(NAMES), number | sets).map(
        lambda pair: AddAction(Path([pair[0]]), Value(pair[1]))
    ),
    st.tuples(st.sampled_from(NAMES), sets).map(lambda pair: DeleteAction(Path([pair[0]]), Value(pair[1]))),
    st.sampled_from(NAMES).map(lambda name: RemoveAction(Path([name]))),
)


class Table:
    """A table of one item, which the engine changes."""

    def __init__(self, client: BaseClient, name: str) -> None:
        self.client, self.name = client, name
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def changed(self, item: Mapping[str, Any], action: Action) -> dict[str, Any] | None:
        """The item as the engine leaves it, None where the engine refuses the change."""
        key = {"key": {"S": "it"}}
        self.client.put_item(TableName=self.name, Item={**key, **item})
        names: dict[str, str] = {}
        raw: dict[str, Any] = {}
        expression = update_expression([action], names, raw)
        given = {
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()},
            "ExpressionAttributeValues": raw,
        }
        try:
            answer = self.client.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression=expression,
                ReturnValues="ALL_NEW",
                **{name: value for name, value in given.items() if value},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            return None
        return {name: value for name, value in answer["Attributes"].items() if name != "key"}


@pytest.fixture
def table(dynamodb: None, table_name: str) -> Iterator[Table]:
    client = get_session().create_client("dynamodb")
    yield Table(client, table_name)
    client.close()


@settings(
    max_examples=800,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(item=items, action=actions)
def test_a_change_is_computed_as_the_engine_computes_it(
    table: Table, item: dict[str, Any], action: Action
) -> None:
    change = AtomicChange(action.values[0].path[0], action, frozenset())
    there = table.changed(item, action)
    try:
        value = change.result(item)
    except NoResult:
        assert there is None
        return
    here = {**item, change.name: value}
    assert there is not None
    assert same_item(there, {name: one for name, one in here.items() if one is not None})
