"""Strict mode: on moto the same calls are refused as on Amazon's own engine (``--engine local``).

``GAPS`` are those that moto takes, or fails at, by itself: where it closes one, its row moves to ``ALIKE``.
"""

from contextlib import nullcontext
from typing import Any

import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from polymicro_lambda.project.isolation import moto
from polymicro_lambda.testing import strict

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
LONG = "1" * 39
REFUSED = "ValidationException"


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def put(**attributes: Any) -> tuple[str, dict[str, Any]]:
    return "PutItem", {"Item": {**KEY, **attributes}}


def condition(expression: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "PutItem", {"Item": KEY, "ConditionExpression": expression, **more}


def query(values: Any = None, **more: Any) -> tuple[str, dict[str, Any]]:
    said = {":p": {"S": "a"}, **(values or {})}
    return "Query", {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": said, **more}


def by_g(**more: Any) -> tuple[str, dict[str, Any]]:
    return query(**{"IndexName": "by_g", "KeyConditionExpression": "g = :p"} | more)


def scan(**more: Any) -> tuple[str, dict[str, Any]]:
    return "Scan", more


def keyed(operation: str, pk: str = "a", sk: str = "1", **more: Any) -> tuple[str, dict[str, Any]]:
    return operation, {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}, **more}


def numbered(count: int) -> dict[str, Any]:
    names = [f":v{number}" for number in range(count)]
    return {"text": f"n IN ({', '.join(names)})", "values": {name: {"N": name[2:]} for name in names}}


def joined(count: int, part: str = "n = :v") -> str:
    """So many comparisons and the ``OR`` between them, nested as PynamoDB nests them."""
    text = part
    for _ in range(count - 1):
        text = f"({text} OR {part})"
    return text


def between(kind: str, lower: Any, upper: Any) -> tuple[str, dict[str, Any]]:
    bounds = {":l": {kind: lower}, ":u": {kind: upper}}
    return query(bounds, FilterExpression="n BETWEEN :l AND :u")


def filtered(text: str) -> tuple[str, dict[str, Any]]:
    return query({":v": {"N": "1"}}, FilterExpression=text)


def batch_get(pk: str) -> tuple[str, dict[str, Any]]:
    return "BatchGetItem", {"RequestItems": {"T": {"Keys": [{"pk": {"S": pk}, "sk": {"S": "1"}}]}}}


def batch_write(*writes: Any) -> tuple[str, dict[str, Any]]:
    return "BatchWriteItem", {"RequestItems": {"T": list(writes)}}


def puts(count: int) -> list[Any]:
    return [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"S": str(n + 1)}}}} for n in range(count)]


def transaction(**more: Any) -> tuple[str, dict[str, Any]]:
    return "TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "T", "Item": KEY} | more}]}


LONGEST = " OR ".join([f"n = :{'v' * 250}"] * 15 + [f"n = :{'w' * 206}"])
"""4,096 bytes, by names of 251 at most."""
SHORTER_VALUES, LONG_VALUES = (
    {f":{'v' * 250}": {"N": "1"}, f":{'w' * width}": {"N": "1"}} for width in (206, 207)
)
TOO_MANY, MANY = numbered(101), numbered(100)
OTHER = {"pk": {"S": "b"}, "sk": {"S": "1"}}
GAPS: dict[str, tuple[str, dict[str, Any]]] = {
    "cursor of another partition": query(ExclusiveStartKey=OTHER),
    "cursor with more": query(ExclusiveStartKey={**KEY, "x": {"S": "1"}}),
    "cursor with less": query(ExclusiveStartKey={"pk": {"S": "a"}}),
    "cursor of another type": query(ExclusiveStartKey={"pk": {"S": "a"}, "sk": {"N": "1"}}),
    "cursor of a scan with more": scan(ExclusiveStartKey={**KEY, "x": {"S": "1"}}),
    "cursor of a scan with less": scan(ExclusiveStartKey={"pk": {"S": "a"}}),
    "cursor of an index without the table's key": by_g(ExclusiveStartKey={"g": {"S": "a"}}),
    "cursor of an index's other partition": by_g(ExclusiveStartKey={"g": {"S": "b"}, **KEY}),
    "limit of a query below 1": query(Limit=-1),
    "limit of a scan below 1": scan(Limit=-1),
    "39 digits": put(n={"N": LONG}),
    "39 digits in a list": put(n={"L": [{"N": LONG}]}),
    "39 digits in a set": put(n={"NS": [LONG]}),
    "39 digits in a condition": condition("n = :v", ExpressionAttributeValues={":v": {"N": LONG}}),
    "39 digits in a filter": query({":v": {"N": LONG}}, FilterExpression="n = :v"),
    "39 digits in a batch": batch_write({"PutRequest": {"Item": {**KEY, "n": {"N": LONG}}}}),
    "39 digits in a transaction": transaction(Item={**KEY, "n": {"N": LONG}}),
    "a number too large": put(n={"N": "1E126"}),
    "a number with an underscore": put(n={"N": "1_0"}),
    "33 levels": put(n=nested(32)),
    "get by 2049 bytes": keyed("GetItem", pk="a" * 2049),
    "get by 1025 bytes": keyed("GetItem", sk="1" * 1025),
    "get by 2050 bytes of 1025 characters": keyed("GetItem", pk="ä" * 1025),
    "delete by 2049 bytes": keyed("DeleteItem", pk="a" * 2049),
    "update by an empty key": keyed("UpdateItem", sk=""),
    "batch get by an empty key": batch_get(""),
    "batch get by 2049 bytes": batch_get("a" * 2049),
    "an index's key of another type": put(g={"N": "1"}),
    "filter on the partition key": query({":v": {"S": "a"}}, FilterExpression="pk = :v"),
    "filter on the sort key": query(FilterExpression="attribute_exists(sk)"),
    "filter on a named key": query(
        {":v": {"S": "a"}}, FilterExpression="n = :v OR #s = :v", ExpressionAttributeNames={"#s": "sk"}
    ),
    "filter on an index's key": by_g(FilterExpression="attribute_exists(g)"),
    "101 operands": query(TOO_MANY["values"], FilterExpression=TOO_MANY["text"]),
    "101 operands in a scan": scan(
        FilterExpression=TOO_MANY["text"], ExpressionAttributeValues=TOO_MANY["values"]
    ),
    "101 operands in a condition": condition(
        f"{TOO_MANY['text']} OR n = :v0", ExpressionAttributeValues=TOO_MANY["values"]
    ),
    "4097 bytes": query(LONG_VALUES, FilterExpression=LONGEST + "w"),
    "4097 bytes in a condition": condition(LONGEST + "w", ExpressionAttributeValues=LONG_VALUES),
    "4097 bytes in a transaction": transaction(
        ConditionExpression=LONGEST + "w", ExpressionAttributeValues=LONG_VALUES
    ),
    "301 operators": filtered(joined(151)),
    "301 operators, two of them NOT": filtered(f"(NOT (NOT {joined(150)}))"),
    "301 operators, one of them a size": filtered(f"(NOT ({joined(149)} OR size(g) = :v))"),
    "301 operators in a condition": condition(joined(151), ExpressionAttributeValues={":v": {"N": "1"}}),
    "numbers that cross": between("N", "10", "9"),
    "texts that cross by UTF-8": between("S", "\U00010000", "\uff5e"),
    "bytes that cross": between("B", b"\x80", b"\x7f"),
    "bounds that cross in a condition": condition(
        "n BETWEEN :l AND :u OR attribute_exists(pk)",
        ExpressionAttributeValues={":l": {"N": "2"}, ":u": {"N": "1"}},
    ),
    "bounds of two types": query(
        {":l": {"N": "1"}, ":u": {"S": "2"}}, FilterExpression="n BETWEEN :l AND :u"
    ),
    "an empty set of binaries": put(s={"BS": []}),
    "an empty set in a list": put(s={"L": [{"SS": []}]}),
    "an empty set in an update": keyed(
        "UpdateItem", UpdateExpression="SET s = :v", ExpressionAttributeValues={":v": {"SS": []}}
    ),
    "a text twice in a set": put(s={"SS": ["a", "a"]}),
    "a number twice in a set": put(s={"NS": ["1", "1.0"]}),
    "a value unused": query({":v": {"S": "a"}}),
    "a value unused by a put": condition(
        "attribute_not_exists(zz)", ExpressionAttributeValues={":v": {"S": "a"}}
    ),
    "a value unused in a transaction": transaction(
        ConditionExpression="attribute_not_exists(zz)", ExpressionAttributeValues={":v": {"S": "a"}}
    ),
    "a value undefined": query(FilterExpression="n = :z"),
    "a value undefined in a put": condition("zz = :q"),
    "a name undefined": query(FilterExpression="#z = :p"),
    "a name undefined in a get": keyed("GetItem", ProjectionExpression="#pk"),
    "values without an expression": (
        "PutItem",
        {"Item": KEY, "ExpressionAttributeValues": {":v": {"S": "a"}}},
    ),
    "an empty expression": condition(""),
    "a key twice in a batch": batch_write({"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}),
    "26 writes": batch_write(*puts(26)),
}
ALIKE: dict[str, tuple[tuple[str, dict[str, Any]], str]] = {
    "a cursor": (query(ExclusiveStartKey=KEY), "ok"),
    "an index's cursor": (by_g(ExclusiveStartKey={"g": {"S": "a"}, **KEY}), "ok"),
    "38 digits": (put(n={"N": "-0.0" + "1" * 38}), "ok"),
    "38 digits and noughts": (put(n={"N": "1" * 38 + "000"}), "ok"),
    "the largest number": (put(n={"N": "9." + "9" * 37 + "E125"}), "ok"),
    "nought": (put(n={"N": "0"}), "ok"),
    "32 levels": (put(n=nested(31)), "ok"),
    "a key of 2048 bytes": (keyed("GetItem", pk="a" * 2048, sk="1" * 1024), "ok"),
    "100 operands": (query(MANY["values"], FilterExpression=MANY["text"]), "ok"),
    "4096 bytes": (query(SHORTER_VALUES, FilterExpression=LONGEST), "ok"),
    "300 operators": (filtered(f"(NOT {joined(150)})"), "ok"),
    "300 operators, one of them a size": (filtered(f"({joined(149)} OR size(g) = :v)"), "ok"),
    "bounds that are the same": (between("N", "1", "1.0"), "ok"),
    "numbers in order, no texts": (between("N", "9", "10"), "ok"),
    "no operand": (filtered("n = :v OR n IN ()"), REFUSED),
    "a filter of a scan on a key": (scan(FilterExpression="attribute_exists(pk)"), "ok"),
    "a filter within an attribute": (query(FilterExpression="x.pk = :p"), "ok"),
    "a filter of an index on the table's key": (by_g(FilterExpression="attribute_exists(pk)"), "ok"),
    "a set with an empty text": (put(s={"SS": [""]}), "ok"),
    "an empty set": (put(s={"SS": []}), REFUSED),
    "an empty key": (keyed("GetItem", pk=""), REFUSED),
    "an item above 400 KB": (put(t={"S": "a" * 409_600}), REFUSED),
    "a name unused": (query(ExpressionAttributeNames={"#x": "x"}), REFUSED),
    "25 writes": (batch_write(*puts(25)), "ok"),
    "a failed condition": (condition("attribute_not_exists(pk)"), "ConditionalCheckFailedException"),
}


@pytest.fixture
def in_memory() -> Any:
    """Without strict mode, which is what is tested."""
    return lambda _: moto()


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Any:
    """A client that checks nothing itself, as PynamoDB's does not; the table ``table_name`` has one item."""
    made = get_session().create_client("dynamodb", config=Config(parameter_validation=False))
    made.create_table(
        TableName=table_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "g")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    made.put_item(TableName=table_name, Item={**KEY, "g": {"S": "a"}, "n": {"N": "1"}})
    return made


@pytest.fixture
def mode(engine: str) -> Any:
    """Strict mode on moto; Amazon's engine needs none."""
    return strict() if engine == "moto" else nullcontext()


def named(value: Any, table: str) -> Any:
    """A call with the table's name where it says ``T``."""
    if isinstance(value, dict):
        return {
            table if name == "T" else name: table if name == "TableName" else named(inner, table)
            for name, inner in value.items()
        }
    return [named(inner, table) for inner in value] if isinstance(value, list) else value


def outcome(client: Any, table: str, operation: str, call: dict[str, Any]) -> str:
    whole = {} if operation.startswith(("Batch", "Transact")) else {"TableName": table}
    try:
        client._make_api_call(operation, whole | named(call, table))
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except (KeyError, TypeError, AttributeError):  # moto's own failures
        return "failed"
    return "ok"


@pytest.mark.parametrize("call", GAPS.values(), ids=GAPS)
def test_what_dynamodb_refuses_is_refused(client: Any, mode: Any, table_name: str, call: Any) -> None:
    with mode:
        assert outcome(client, table_name, *call) == REFUSED


@pytest.mark.thorough(but=("39 digits*", "cursor with*"))
@pytest.mark.parametrize("call", GAPS.values(), ids=GAPS)
def test_moto_by_itself_is_kinder(client: Any, engine: str, table_name: str, call: Any) -> None:
    if engine == "moto":
        assert outcome(client, table_name, *call) != REFUSED


@pytest.mark.parametrize(("call", "expected"), ALIKE.values(), ids=ALIKE)
def test_what_dynamodb_takes_is_taken(
    client: Any, mode: Any, table_name: str, call: Any, expected: str
) -> None:
    with mode:
        assert outcome(client, table_name, *call) == expected


LAST: dict[str, tuple[tuple[str, dict[str, Any]], set[str] | None]] = {
    "query at the limit": (query(Limit=1), {"pk", "sk"}),
    "query below the limit": (query(Limit=2), None),
    "query without": (query(), None),
    "of an index": (by_g(Limit=1), {"g", "pk", "sk"}),
    "filtered out": (query(Limit=1, FilterExpression="attribute_not_exists(n)"), {"pk", "sk"}),
    "some fields": (query(Limit=1, ProjectionExpression="n"), {"pk", "sk"}),
    "counted": (query(Limit=1, Select="COUNT"), {"pk", "sk"}),
    "scan at the limit": (scan(Limit=1), {"pk", "sk"}),
    "scan below the limit": (scan(Limit=2), None),
}


@pytest.mark.parametrize(("call", "names"), LAST.values(), ids=LAST)
def test_a_page_that_ends_at_the_limit_has_a_cursor(
    client: Any, mode: Any, table_name: str, call: Any, names: set[str] | None
) -> None:
    operation, parameters = call
    with mode:
        cursor = client._make_api_call(operation, {"TableName": table_name, **parameters}).get(
            "LastEvaluatedKey"
        )
    assert cursor == (names and {name: {"S": "1" if name == "sk" else "a"} for name in names})


def test_moto_by_itself_gives_no_cursor(client: Any, engine: str, table_name: str) -> None:
    operation, parameters = query(Limit=1)
    if engine == "moto":
        assert "LastEvaluatedKey" not in client._make_api_call(
            operation, {"TableName": table_name, **parameters}
        )


def added(client: Any, table: str, by: int = 1) -> None:
    update = {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": str(by)}},
    }
    client.transact_write_items(ClientRequestToken=f"token-{table}"[:36], TransactItems=[{"Update": update}])


def test_a_repeated_token_writes_once(client: Any, mode: Any, table_name: str) -> None:
    with mode:
        added(client, table_name)
        added(client, table_name)
        with pytest.raises(ClientError) as caught:
            added(client, table_name, by=2)
    assert caught.value.response["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert client.get_item(TableName=table_name, Key=KEY)["Item"]["n"] == {"N": "2"}


def test_moto_by_itself_writes_twice(client: Any, engine: str, table_name: str) -> None:
    if engine == "moto":
        added(client, table_name)
        added(client, table_name)
        assert client.get_item(TableName=table_name, Key=KEY)["Item"]["n"] == {"N": "3"}


def test_a_table_that_is_not_there_is_the_engines_to_tell(client: Any, mode: Any) -> None:
    with mode:
        assert outcome(client, "nowhere", *put()) == "ResourceNotFoundException"
