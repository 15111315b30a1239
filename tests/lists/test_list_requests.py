"""Lists of a resource: what a query may ask for, which calls it costs, and what comes out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    names,
    resolved,
    watched,
)
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    ListAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
    LocalSecondaryIndex,
)
from pynamodb.models import Model
from pynamodb.signals import pre_dynamodb_send

from polymicro_lambda import (
    AllowAny,
    HasPermission,
    InGroup,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    User,
)
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.testing import FakeContext


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    tenant = UnicodeAttribute(hash_key=True, attr_name="pk")
    rank = NumberAttribute(range_key=True, attr_name="r")


class ByDue(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    tenant = UnicodeAttribute(hash_key=True, attr_name="pk")
    due = UTCDateTimeAttribute(range_key=True, attr_name="d")


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = IncludeProjection(["t"])

    status = UnicodeAttribute(hash_key=True, attr_name="st")
    rank = NumberAttribute(range_key=True, attr_name="r")


class ByText(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_text"
        projection = AllProjection()

    tenant = UnicodeAttribute(hash_key=True, attr_name="pk")
    text = UnicodeAttribute(range_key=True, attr_name="t")


class Task(Model):
    """Every attribute has another name in DynamoDB."""

    class Meta:
        table_name = ""

    tenant = UnicodeAttribute(hash_key=True, attr_name="pk")
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    text = UnicodeAttribute(default="a default of the model", attr_name="t")
    status = UnicodeAttribute(attr_name="st")
    rank = NumberAttribute(attr_name="r")
    due = UTCDateTimeAttribute(null=True, attr_name="d")
    done = BooleanAttribute(default=False, attr_name="dn")
    tags = UnicodeSetAttribute(null=True, attr_name="tg")
    steps: Any = ListAttribute(null=True, attr_name="sp")
    sizes = NumberSetAttribute(null=True, attr_name="sz")
    note = UnicodeAttribute(null=True, attr_name="n")
    secret = UnicodeAttribute(null=True, attr_name="sc")

    by_rank = ByRank()
    by_due = ByDue()
    by_status = ByStatus()
    by_text = ByText()


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


TASKS = [
    Task("alice", "a", status="open", rank=3, text="milk", sizes={1, 2}, note="é"),
    Task("alice", "b", status="open", rank=1, text="bread", due=day(3), tags={"x"}, steps=["one"]),
    Task("alice", "c", status="shut", rank=2, text="butter", due=day(1), done=True, secret="s"),
    Task("alice", "d", status="open", rank=10, text="beer", due=day(2), tags={"x", "y"}, sizes={2.5}),
    Task("alice", "e", status="shut", rank=-5, text="wine", done=True, steps=[1, "two"], note=""),
    Task("bob", "f", status="open", rank=4, text="milk", due=day(2)),
]
FILTERS = {
    "id": ("eq", "lt", "lte", "gt", "gte", "between", "begins_with", "in", "ne"),
    "text": ("eq", "ne", "contains", "begins_with", "in"),
    "status": ("eq", "in"),
    "rank": ("eq", "lt", "lte", "gt", "gte", "between", "in", "exists"),
    "due": ("eq", "lt", "gte", "gt", "between", "exists", "begins_with"),
    "done": ("eq", "ne"),
    "tags": ("contains", "exists"),
    "steps": ("contains",),
    "sizes": "contains",
    "note": ("eq", "contains", "begins_with", "in"),
}
Api = Callable[..., Caller]


def write(table: str, items: list[dict[str, Any]]) -> None:
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        dynamodb_call("batch_write_item", RequestItems={table: requests})


def made(model: type[Model], table: str) -> None:
    """The model's table under this name."""
    create_table(model, table)


def serve(model: type[Model], **declared: Any) -> Caller:
    """A client of a resource that lists the model."""
    pm = PolyMicro(cursor_secret="secret")
    mixins = (List,) if "list" not in declared else ()
    type("Items", (ModelResource, *mixins), {"model": model, "route": "items", **declared})(pm)
    return Caller(pm.compile(), user=ALICE)


@pytest.fixture
def api(dynamodb: None, table_name: str) -> Api:
    """Makes a client of a resource that lists the tasks."""
    made(Task, table_name)
    write(table_name, [task.serialize() for task in TASKS])
    return tableless


@pytest.fixture
def client(api: Api) -> Caller:
    return api()


def tableless(**declared: Any) -> Caller:
    """A client of the same resource where no table is needed."""
    return serve(
        Task, **{"permissions": OwnedBy("tenant"), "filters": FILTERS, "exclude": "secret"} | declared
    )


def ids(result: Any) -> str:
    """The ids of a page, in its order."""
    assert result.status == 200, result.json
    return "".join(item["id"] for item in result.json["items"])


def queries(calls: Any) -> list[tuple[str, Any, bool]]:
    """Of each call the operation, the index, and the direction."""
    return [(name, said.get("IndexName"), said.get("ScanIndexForward", True)) for name, said in calls]


# --- filters ------------------------------------------------------------------------------------------------


FOUND: dict[str, dict[str, str]] = {
    "nothing": {
        "": "abcde",
    },
    "done": {
        "done=true": "ce",
        "done__eq=false": "abd",
        "done__ne=true": "abd",
    },
    "text": {
        "text=milk": "a",
        "text__ne=milk": "bcde",
        "text__contains=e": "bcde",
        "text__begins_with=b": "dbc",
        "text__begins_with=": "abcde",
        "text__in=milk,beer,wine": "ade",
        "text__in=milk&text__in=bread": "ab",
    },
    "note": {
        "note=": "e",
        "note__contains=": "ae",
        "note__in=%C3%A9,": "ae",
        "note__begins_with=": "ae",
    },
    "status": {
        "status=open&done=false": "abd",
        "status__in=open&text__begins_with=b": "db",
    },
    "id": {
        "id=c": "c",
        "id__ne=c": "abde",
        "id__lt=c": "ab",
        "id__lte=c": "abc",
        "id__gt=c": "de",
        "id__gte=c": "cde",
        "id__between=b,d": "bcd",
        "id__between=b&id__between=d": "bcd",
        "id__between=b,b": "b",
        "id__begins_with=d": "d",
        "id__begins_with=": "abcde",
        "id__begins_with=" + "d" * 1025: "",
        "id__in=e,a": "ae",
        "id__gt=a&id__gte=b&id__lt=d": "bc",
        "id__gte=b&id__lte=d": "bcd",
        "id__gt=b&id__lte=d": "cd",
        "id__gte=b&id__lt=d": "bc",
        "id__gt=b&id__lt=d": "c",
        "id__gt=b&id__between=a,d": "cd",
        "id__in=a,b&id__gt=a": "b",
        "id=b&id__in=a,b": "b",
        "id__begins_with=b&id__gte=a": "b",
        "id__ne=b&id__lt=d": "ac",
    },
    "rank": {
        "rank=2": "c",
        "rank=2.0": "c",
        "rank=0.2e1": "c",
        "rank__lt=2": "eb",
        "rank__gte=2&rank__lt=10": "ca",
        "rank__between=-10,2": "ebc",
        "rank__in=1,10": "bd",
        "rank__exists=true": "abcde",
        "rank__exists=false": "",
    },
    "due": {
        "due__exists=false": "ae",
        "due__exists=true": "bcd",
        "due=2026-01-03T00:00:00Z": "b",
        "due=2026-01-03T01:00:00%2B01:00": "b",
        "due__gte=2026-01-02T00:00:00Z": "db",
        "due__gt=2026-01-02T00:00:00Z": "b",
        "due__lt=2026-01-03T00:00:00Z&done=false": "d",
        "due__between=2026-01-01T00:00:00Z,2026-01-02T00:00:00Z": "cd",
        "due__begins_with=2026-01-02": "d",
    },
    "tags": {
        "tags__contains=y": "d",
        "tags__contains=x&tags__exists=true": "bd",
        "tags__exists=false&done=true": "ce",
    },
    "steps": {
        "steps__contains=two": "e",
    },
    "sizes": {
        "sizes__contains=2": "a",
        "sizes__contains=2.5": "d",
    },
}
"""Attribute -> query -> the ids found, in the order of the index that serves it: by number, by date, else by id."""


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_filters(client: Caller, found: dict[str, str]) -> None:
    results = {query: client.get(f"/items?{query}") for query in found}
    assert {query: ids(result) for query, result in results.items()} == found
    assert {result.json["pagination_key"] for result in results.values()} == {None}


IN_101 = ",".join(map(str, range(101)))


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("rank=x", "rank"),
        ("rank=", "rank"),
        ("rank=1_0", "rank"),
        ("rank=NaN", "rank"),
        ("rank=1e999", "rank"),
        ("rank=" + "1" * 39, "rank"),
        ("done=1", "done"),
        ("done=True", "done"),
        ("done=true,false", "done"),
        ("due=2026-01-01", "due"),
        ("due__exists=yes", "due__exists"),
        ("due__exists=", "due__exists"),
        ("id=", "id"),
        ("id=" + "x" * 1025, "id"),
        ("id=a%00", "id"),
        ("id__between=a", "id__between"),
        ("id__between=a,b,c", "id__between"),
        ("id__between=b,a", "id__between"),
        ("rank__between=10,9", "rank__between"),
        ("id__between=a,", "id__between"),
        ("due__between=2026-01-02T00:00:00Z,2026-01-01T00:00:00Z", "due__between"),
        (f"rank__in={IN_101}", "rank__in"),
        ("rank__in=", "rank__in"),
        ("id__in=a,,b", "id__in"),
        ("done=true&done=true", "done"),
        ("done=true&done__eq=true", "done__eq"),
        ("done__gt=true", "done__gt"),
        ("sizes__contains=x", "sizes__contains"),
        ("nope=1", "nope"),
        ("pk=alice", "pk"),
        ("tenant=alice", "tenant"),
        ("secret=s", "secret"),
        ("text__=x", "text__"),
        ("text__eq__eq=x", "text__eq__eq"),
        ("sort=nope", "sort"),
        ("sort=secret", "sort"),
        ("sort=", "sort"),
        ("sort=-", "sort"),
        ("sort=--due", "sort"),
        ("sort=due,rank", "sort"),
        ("sort=d", "sort"),
        ("sort=due&sort=rank", "sort"),
        ("sort=status", "sort"),
        ("sort=done&done__ne=true", "sort"),
        ("fields=nope", "fields"),
        ("fields=secret", "fields"),
        ("fields=t", "fields"),
        ("fields=", "fields"),
        ("fields=id,", "fields"),
        ("fields=id&fields=nope", "fields"),
    ],
    ids=lambda value: value[:40],
)
def test_a_query_that_is_refused(query: str, place: str) -> None:
    with counted() as calls:
        assert_problem(tableless().get(f"/items?{query}"), 400, place)
    assert calls == []


def test_a_hundred_operands(client: Caller) -> None:
    query = ",".join(map(str, range(100)))
    assert ids(client.get(f"/items?rank__in={query}")) == "abcd"


def test_every_wrong_parameter_is_named() -> None:
    assert_problem(tableless().get("/items?rank=x&done=y&id__between=a"), 400, "rank", "done", "id__between")


def test_every_source_filters_alike(client: Caller) -> None:
    assert ids(client.everywhere("GET", "/items?text__in=milk,bread&done=false")) == "ab"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("id__gt=c&id__lt=b", id="bounds that cross"),
        pytest.param("id=a&id__gt=b", id="value and bound"),
        pytest.param("id=a&id__in=b,c", id="value and values"),
        pytest.param("id=a&id__ne=a", id="value and its opposite"),
        pytest.param("done=true&done__ne=true", id="no key"),
        pytest.param("rank=1&rank__gt=1", id="key of an index"),
        pytest.param("due=2026-01-01T00:00:00Z&due__exists=false", id="absent and there"),
    ],
)
def test_what_excludes_itself_costs_no_call(query: str) -> None:
    with counted() as calls:
        result = tableless().get(f"/items?{query}")
    assert (result.json, calls) == ({"items": [], "pagination_key": None}, [])


def test_a_rule_and_a_filter_that_exclude_each_other(api: Api) -> None:
    client = api(filters={"tenant": ("eq",), "id": ("gt",)})
    with counted() as calls:
        result = client.get("/items?tenant=bob")
    assert (result.json, calls) == ({"items": [], "pagination_key": None}, [])
    assert ids(client.get("/items?tenant=alice&id__gt=c")) == "de"


def test_a_field_that_the_user_may_not_read_is_no_parameter(api: Api) -> None:
    """Neither to filter nor to sort by, nor to show: each would tell something of it."""
    client = api(field_permissions={"rank": InGroup("staff")})
    for query, place in (("rank=1", "rank"), ("sort=-rank", "sort"), ("fields=id,rank", "fields")):
        assert_problem(client.get(f"/items?{query}"), 400, place)
        staff = User("alice", groups=frozenset({"staff"}))
        assert client.get(f"/items?{query}", user=staff).status == 200
    assert "rank" not in client.get("/items").json["items"][0]


# --- order --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected", "read"),
    [
        ("sort=id", "abcde", ("Query", None, True)),
        ("sort=-id", "edcba", ("Query", None, False)),
        ("sort=rank", "ebcad", ("Query", "by_rank", True)),
        ("sort=-rank", "dacbe", ("Query", "by_rank", False)),
        ("sort=-rank&done=false", "dab", ("Query", "by_rank", False)),
        ("sort=rank&id__gt=b", "ecd", ("Query", "by_rank", True)),
        ("sort=id&rank__gt=1", "acd", ("Query", None, True)),
        ("sort=id&rank=2", "c", ("Query", None, True)),
        ("sort=rank&rank=2", "c", ("Query", "by_rank", True)),
        ("sort=tenant", "abcde", ("Query", None, True)),
        ("sort=-done&done=true", "ec", ("Query", None, False)),
        ("sort=text&text__ne=milk", "dbce", ("Query", "by_text", True)),
        ("sort=due&fields=id,due", "cdb", ("Query", "by_due", True)),
    ],
)
def test_an_order(client: Caller, query: str, expected: str, read: Any) -> None:
    """By any attribute that is a sort key under the bound partition; an index lacks items without that."""
    with counted() as calls:
        result = client.get(f"/items?{query}")
    assert (ids(result), queries(calls)) == (expected, [read])


def test_an_order_that_no_index_gives() -> None:
    result = tableless().get("/items?sort=-status")
    assert result.json["errors"] == [
        {
            "parameter": "sort",
            "detail": "The list cannot be sorted by status.",
        }
    ]


def test_what_no_index_serves() -> None:
    client = tableless(permissions=AllowAny)
    with counted() as calls:
        result = client.get("/items?done=true")
    assert_problem(result, 400)
    assert calls == []
    assert result.json["detail"] == ("No index serves this list: say which status by a filter.")
    assert client.get("/items").json["detail"] == ("No index serves this list: say which status by a filter.")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        pytest.param("", None, id="table"),
        pytest.param("id__gt=a", None, id="table by its sort key"),
        pytest.param("rank__gt=0", "by_rank", id="LSI by its sort key"),
        pytest.param("rank__gt=0&id__gt=a", None, id="two sort keys: the table"),
        pytest.param("rank=1&id__gt=a", "by_rank", id="one value before a range"),
        pytest.param("rank=1&id=b", None, id="two values: the table"),
        pytest.param("text__begins_with=b", "by_text", id="GSI by its sort key"),
        pytest.param("due__exists=true", None, id="what an index cannot say"),
        pytest.param("status=open", None, id="no second read"),
    ],
)
def test_the_cheapest_path(client: Caller, query: str, index: str | None) -> None:
    with counted() as calls:
        client.get(f"/items?{query}")
    assert queries(calls) == [("Query", index, True)]


# --- calls --------------------------------------------------------------------------------------------------


@contextmanager
def signalled() -> Iterator[list[str]]:
    """The DynamoDB operations that PynamoDB announces."""
    said: list[str] = []

    def note(_: Any, operation_name: str, **__: Any) -> None:
        said.append(operation_name)

    with pre_dynamodb_send.connected_to(note):
        yield said


@pytest.mark.parametrize("query", ["", "sort=rank", "sort=-text", "id__gte=a", "fields=text"])
def test_one_call_a_page(client: Caller, query: str) -> None:
    """Of the table and of indexes with all attributes, under OwnedBy."""
    path = f"/items?limit=2&{query}"
    with signalled() as said:
        result = client.get(path)
    assert (len(result.json["items"]), said) == (2, ["Query"])
    with signalled() as said:
        result = client.get(resolved(result, path, "link"))
    assert said == ["Query"]


def test_fields_are_projected_in_dynamodb(client: Caller) -> None:
    with counted() as calls:
        result = client.get("/items?fields=text,done&limit=1")
    assert result.json["items"] == [{"text": "milk", "done": False}]
    [(_, said)] = calls
    placeholders = said["ExpressionAttributeNames"]
    projected = {placeholders[name.strip()] for name in said["ProjectionExpression"].split(",")}
    assert projected == {"t", "dn", "pk", "sk"}
    assert client.get("/items?fields=text&fields=done&limit=1").json["items"] == result.json["items"]


class Kept(Permission):
    """Reads what the answer does not show."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.rank > 1


class Seen(Permission):
    """Can only be asked in Python."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.rank > 1 and instance.text != "a default of the model")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(Kept, [True, False, False]), (Seen, [False, True, False])],
    ids=["where", "opaque"],
)
def test_fields_never_drop_what_the_rule_or_the_cursor_needs(
    api: Api, rule: Any, expected: list[bool]
) -> None:
    client = api(permissions=(OwnedBy("tenant"), rule))
    pages = list(walk(client, "/items?fields=done&limit=1"))
    assert [page["items"] for page in pages if page["items"]] == [[{"done": done}] for done in expected]


def walk(client: Caller, path: str) -> Iterator[Any]:
    """The pages of a list, by its links."""
    while path:
        result = client.get(path)
        assert result.status == 200, result.json
        yield result.json
        path = resolved(result, path, "link") if "link" in result.headers else ""


def walked(client: Caller, path: str) -> str:
    return "".join(item["id"] for page in walk(client, path) for item in page["items"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcde"),
        ("sort=-id", "edcba"),
        ("sort=rank", "ebcad"),
        ("sort=-rank", "dacbe"),
        ("sort=due", "cdb"),
        ("sort=-due", "bdc"),
        ("sort=text", "dbcae"),
        ("done=true", "ce"),
        ("id__gt=a&id__lt=e", "bcd"),
        ("sort=-id&id__gt=a&id__lt=e", "dcb"),
    ],
)
def test_pages_are_exact(client: Caller, query: str, expected: str) -> None:
    for limit in (1, 2, 3):
        pages = list(walk(client, f"/items?limit={limit}&{query}"))
        assert "".join(item["id"] for page in pages for item in page["items"]) == expected
        assert all(len(page["items"]) <= limit for page in pages)


def test_a_bound_that_excludes_refills_the_page(client: Caller) -> None:
    """``a`` is read, as BETWEEN includes it, and dropped: the page has its two items all the same."""
    assert ids(client.get("/items?id__gt=a&id__lt=e&limit=2")) == "bc"


def test_an_opaque_rule_refills_the_page(api: Api) -> None:
    client = api(permissions=(OwnedBy("tenant"), Seen))
    with counted() as calls:
        assert ids(client.get("/items?limit=2")) == "ac"
    assert [said["Limit"] for _, said in calls] == [2, 8]


# --- indexes that lack attributes ---------------------------------------------------------------------------


@pytest.fixture
def by_status(api: Api) -> Caller:
    return api(permissions=AllowAny)


def test_what_an_index_lacks_is_read_from_the_table(by_status: Caller) -> None:
    """Never a default of the model: ``b`` has tags and steps, which the index does not."""
    with counted() as calls:
        result = by_status.get("/items?status=open&rank=1")
    assert names(calls) == ["Query", "BatchGetItem"]
    assert result.json["items"] == [
        {
            "tenant": "alice",
            "id": "b",
            "text": "bread",
            "status": "open",
            "rank": 1,
            "due": "2026-01-03T00:00:00+00:00",
            "done": False,
            "tags": ["x"],
            "steps": ["one"],
            "sizes": None,
            "note": None,
        }
    ]


def test_what_an_index_has_is_not_read_again(by_status: Caller) -> None:
    with counted() as calls:
        result = by_status.get("/items?status=open&fields=text,rank&sort=-rank&limit=1")
    assert (names(calls), result.json["items"]) == (["Query"], [{"text": "beer", "rank": 10}])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "bafd"),
        ("sort=-rank", "dfab"),
        ("text=milk", "af"),
        ("done=false&tags__exists=true", "bd"),
        ("id__gt=b&rank__lt=10", "f"),
        ("due__exists=false", "a"),
    ],
)
def test_an_index_that_lacks_attributes_filters(by_status: Caller, query: str, expected: str) -> None:
    assert walked(by_status, f"/items?status=open&limit=1&{query}") == expected


def during(operation: str, act: Callable[[], Any]) -> Any:
    """Act just before each call of this operation."""

    def acting(name: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        if name == operation:
            act()
        return call()

    return watched(acting)


def test_an_item_deleted_between_index_and_table_drops_out(by_status: Caller, table_name: str) -> None:
    key = {"pk": {"S": "alice"}, "sk": {"S": "a"}}
    with during("BatchGetItem", lambda: dynamodb_call("delete_item", TableName=table_name, Key=key)):
        assert ids(by_status.get("/items?status=open")) == "bfd"


def test_an_item_changed_between_index_and_table_is_judged_as_it_is(
    by_status: Caller, table_name: str
) -> None:
    changed = {"pk": {"S": "alice"}, "sk": {"S": "a"}, "st": {"S": "shut"}, "r": {"N": "3"}, "t": {"S": "x"}}
    with during("BatchGetItem", lambda: dynamodb_call("put_item", TableName=table_name, Item=changed)):
        assert ids(by_status.get("/items?status=open")) == "bfd"


def test_an_opaque_rule_sees_items_whole(api: Api) -> None:
    """The index by due has keys alone, and the rule reads rank and text."""
    client = api(permissions=(OwnedBy("tenant"), Seen))
    assert ids(client.get("/items?sort=due&fields=id")) == "cd"


def test_keys_that_stay_unprocessed_are_asked_for_again(by_status: Caller, engine: str) -> None:
    left = [True]

    def partly(operation: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        if operation != "BatchGetItem" or not left:
            return call()
        left.pop()
        [(table, asked)] = parameters["RequestItems"].items()
        rest = {table: asked | {"Keys": asked["Keys"][1:]}}
        asked["Keys"] = asked["Keys"][:1]
        return call() | {"UnprocessedKeys": rest}

    with watched(partly) as calls:
        assert ids(by_status.get("/items?status=open")) == "bafd"
    assert names(calls) == ["Query", "BatchGetItem", "BatchGetItem"]


def test_keys_that_are_never_processed_are_503(by_status: Caller) -> None:
    def never(operation: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        if operation != "BatchGetItem":
            return call()
        return {"Responses": {}, "UnprocessedKeys": parameters["RequestItems"]}

    with watched(never) as calls:
        result = by_status.get("/items?status=open")
    assert_problem(result, 503)
    assert int(result.headers["retry-after"]) > 0
    assert names(calls) == ["Query"] + ["BatchGetItem"] * 5


# --- scans --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected", "operation"),
    [
        ("", "abcdef", "Scan"),
        ("done=true", "ce", "Scan"),
        ("id__between=b,d", "bcd", "Scan"),
        ("rank__in=1,4", "bf", "Scan"),
        ("done=true&sort=done", "ce", "Scan"),
        ("status=shut&fields=id", "ce", "Query"),
    ],
)
def test_a_scan_where_the_resource_says_so(api: Api, query: str, expected: str, operation: str) -> None:
    client = api(permissions=AllowAny, scan=True)
    with counted() as calls:
        assert sorted(ids(client.get(f"/items?{query}"))) == sorted(expected)
    assert names(calls) == [operation]
    assert sorted(walked(client, f"/items?limit=2&{query}")) == sorted(expected)


def test_a_scan_has_no_order() -> None:
    client = tableless(permissions=AllowAny, scan=True)
    with counted() as calls:
        assert_problem(client.get("/items?sort=rank"), 400)
    assert calls == []


def test_a_list_that_could_never_be_served() -> None:
    with pytest.raises(ConfigurationError, match=r"Items\.list could serve no request.*'tenant'"):
        serve(Task, permissions=AllowAny, filters={"rank": ("eq",), "tenant": ("gt",)})
    serve(Task, permissions=AllowAny, filters={"status": ("eq",)})


def test_a_list_of_ones_own_that_staff_may_ask_for_by_a_filter(api: Api) -> None:
    """Under ``|`` the owner's partition is read; who is no owner alone says which by a filter, if there is one."""
    rule = OwnedBy("tenant") | HasPermission("staff")
    staff = User("sue", frozenset({"staff"}))
    assert ids(api(permissions=rule, filters={}).get("/items")) == "abcde"
    refused = tableless(permissions=rule, filters={}).get("/items", user=staff)
    assert_problem(refused, 400)
    assert refused.json["detail"] == "No index serves this list."


# --- where a page ends --------------------------------------------------------------------------------------


def test_a_page_ends_by_the_read_budget(api: Api) -> None:
    """Empty, with a cursor: that is a valid page."""
    client = api(read_budget=1)
    with counted() as calls:
        first = client.get("/items?limit=1&text__contains=tter")
    assert (first.json["items"], len(calls)) == ([], 1)
    assert first.json["pagination_key"]
    assert walked(client, "/items?limit=1&text__contains=tter") == "c"


@pytest.mark.parametrize("query", ["", "sort=due", "text__contains=tter"])
def test_a_page_ends_by_the_time_left(client: Caller, query: str) -> None:
    with counted() as calls:
        page = client.get(f"/items?limit=1&{query}", context=FakeContext(timeout=1.0))
    assert [name for name, _ in calls].count("Query") == 1
    assert page.json["pagination_key"]
    rest = walked(client, f"/items?limit=1&{query}&pagination_key={page.json['pagination_key']}")
    assert "".join(item["id"] for item in page.json["items"]) + rest == walked(client, f"/items?{query}")


def test_each_page_asked_for_may_be_four_times_as_large(api: Api) -> None:
    client = api(read_budget=2)
    with counted() as calls:
        client.get("/items?limit=1&text__contains=nowhere")
    assert [said["Limit"] for _, said in calls] == [1, 4]


# --- cursors ------------------------------------------------------------------------------------------------


def key_of(client: Caller, path: str, **options: Any) -> str:
    key = client.get(path, **options).json["pagination_key"]
    assert key
    return str(key)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/items?limit=1", id="another order"),
        pytest.param("/items?limit=1&sort=-rank", id="another direction"),
        pytest.param("/items?limit=1&sort=rank&done=true", id="another filter"),
        pytest.param("/items?limit=1&sort=rank&done=false&id__gt=a", id="one more filter"),
    ],
)
def test_a_cursor_of_another_query(client: Caller, path: str) -> None:
    key = key_of(client, "/items?limit=1&sort=rank&done=false")
    with counted() as calls:
        assert_problem(client.get(f"{path}&pagination_key={key}"), 400, "pagination_key")
        own = f"/items?limit=1&sort=rank&done=false&pagination_key={key}"
        assert_problem(client.get(own, user=BOB), 400, "pagination_key")
    assert calls == []
    assert ids(client.get(own)) == "a"


def test_a_cursor_does_not_say_how_many_or_what_is_shown(client: Caller) -> None:
    key = key_of(client, "/items?limit=1")
    assert client.get(f"/items?limit=2&fields=id&pagination_key={key}").json["items"] == [
        {"id": "b"},
        {"id": "c"},
    ]


class Changing(Permission):
    """A rule whose condition is said from outside."""

    rule: Any = None

    def where(self, user: Any, method: str, model: Any) -> Any:
        return type(self).rule(model)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(lambda m: m.tenant == "bob", id="another partition"),
        pytest.param(lambda m: m.status == "open", id="another index"),
    ],
)
def test_a_cursor_when_the_rule_has_changed(
    api: Api, monkeypatch: pytest.MonkeyPatch, after: Callable[[Any], Any]
) -> None:
    client = api(permissions=Changing)
    monkeypatch.setattr(Changing, "rule", staticmethod(lambda m: m.tenant == "alice"))
    key = key_of(client, "/items?limit=1")
    monkeypatch.setattr(Changing, "rule", staticmethod(after))
    with counted() as calls:
        assert_problem(client.get(f"/items?limit=1&pagination_key={key}"), 400, "pagination_key")
    assert calls == []


@pytest.mark.parametrize(
    ("query", "bound", "expected"),
    [
        pytest.param("", lambda m: m.id >= "d", "de", id="lower bound moved past it"),
        pytest.param("", lambda m: m.id > "b", "cde", id="lower bound moved onto it"),
        pytest.param("", lambda m: m.id < "b", "", id="upper bound moved onto it"),
        pytest.param("", lambda m: m.id.between("c", "d"), "cd", id="range moved past it"),
        pytest.param("", lambda m: m.id.between("a", "a"), "", id="range moved before it"),
        pytest.param("", lambda m: m.id.startswith("e"), "e", id="prefix"),
        pytest.param("", lambda m: m.id == "a", "", id="one value"),
        pytest.param("", lambda m: m.id >= "a", "cde", id="not moved past it"),
        pytest.param("sort=-id", lambda m: m.id > "d", "", id="backward, lower bound"),
        pytest.param("sort=-id", lambda m: m.id < "c", "ba", id="backward, upper bound"),
        pytest.param("sort=-id", lambda m: m.id <= "d", "cba", id="backward, on it"),
    ],
)
def test_a_cursor_when_the_bounds_of_a_rule_have_moved(
    api: Api, monkeypatch: pytest.MonkeyPatch, query: str, bound: Any, expected: str
) -> None:
    """As those of "since yesterday" do: what is within them and after the cursor follows, and nothing fails."""
    client = api(permissions=(OwnedBy("tenant"), Changing))
    monkeypatch.setattr(Changing, "rule", staticmethod(lambda m: m.id >= "a"))
    path = f"/items?limit=2&{query}"
    key = key_of(client, path)
    monkeypatch.setattr(Changing, "rule", staticmethod(bound))
    assert walked(client, f"{path}&pagination_key={key}") == expected


class Bytes(Model):
    class Meta:
        table_name = ""

    key = BinaryAttribute(hash_key=True, legacy_encoding=False)
    part = BinaryAttribute(range_key=True, legacy_encoding=False)


class Numbers(Model):
    class Meta:
        table_name = ""

    key = NumberAttribute(hash_key=True)
    part = NumberAttribute(range_key=True)


@pytest.mark.parametrize(
    ("model", "key", "parts", "query"),
    [
        pytest.param(
            Bytes, b"\xff\x00", [b"\x00", b"\x7f", b"\x80\xff", b"\xff"], "key=_wA", id="binary keys"
        ),
        pytest.param(
            Numbers, 12345678901234567890, [-10, -9.5, 0, 1e-9, 2, 10, 10**37], "key=12345678901234567890",
            id="number keys",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limit", [1, 2])
def test_keys_of_other_types(
    dynamodb: None, table_name: str, model: Any, key: Any, parts: list[Any], query: str, limit: int
) -> None:
    """A cursor carries them, and they are in the order of bytes and of numbers."""
    made(model, table_name)
    write(table_name, [model(key, part).serialize() for part in reversed(parts)])
    client = serve(model, permissions=AllowAny, filters={"key": ("eq",)})
    expected = [item["part"] for item in client.get(f"/items?{query}").json["items"]]
    assert len(expected) == len(parts)
    if model is Numbers:
        assert expected == parts
    found = [item["part"] for page in walk(client, f"/items?limit={limit}&{query}") for item in page["items"]]
    assert found == expected
    back = walk(client, f"/items?limit={limit}&sort=-part&{query}")
    assert [item["part"] for page in back for item in page["items"]] == expected[::-1]


# --- what a list verb may return ----------------------------------------------------------------------------


def queried(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    return Task.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)


def in_memory(self: Any) -> Any:
    return [task for task in TASKS if task.tenant == "alice"]


def own_super(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    return List.list(self, user, pagination_key, limit)


@pytest.mark.parametrize("verb", [queried, in_memory, own_super], ids=lambda verb: verb.__name__)
def test_filters_that_the_verb_does_not_ask_for_apply(api: Api, verb: Any) -> None:
    client = api(list=verb)
    assert ids(client.get("/items?done=true")) == "ce"
    assert ids(client.get("/items?text__begins_with=b&rank__gt=1&due__exists=true")) == "cd"
    assert walked(client, "/items?limit=1&id__in=a,e") == "ae"
    assert_problem(client.get("/items?rank=x"), 400, "rank")


@pytest.mark.parametrize("verb", [queried, in_memory], ids=lambda verb: verb.__name__)
def test_an_order_that_nothing_applies_is_refused(api: Api, verb: Any) -> None:
    assert_problem(api(list=verb).get("/items?sort=id"), 400, "sort")


def test_super_applies_an_order_that_the_verb_does_not_ask_for(api: Api) -> None:
    client = api(list=own_super)
    assert walked(client, "/items?sort=-rank&limit=2") == "dacbe"
    assert_problem(client.get("/items?sort=status"), 400, "sort")


@pytest.mark.parametrize("chosen", [None, ["pk", "sk"]], ids=["index", "attributes"])
def test_an_own_query_of_an_index_gives_items_whole(api: Api, chosen: Any) -> None:
    """Whatever attributes it says."""

    def verb(self: Any, limit: int = 25, pagination_key: Any = None) -> Any:
        return Task.by_status.query("open", limit=2, attributes_to_get=chosen)

    client = api(list=verb, permissions=AllowAny)
    with counted() as calls:
        items = client.get("/items?fields=id,tags").json["items"]
    assert (items, names(calls)) == (
        [{"id": "b", "tags": ["x"]}, {"id": "a", "tags": None}],
        ["Query", "BatchGetItem"],
    )


def test_what_the_verb_is_told(api: Api) -> None:
    """Typed filters, and the order as it was asked for."""
    told: list[Any] = []

    def verb(self: Any, filters: Any, sort: Any) -> Any:
        told.append((filters, sort))
        return []

    client = api(list=verb)
    client.get("/items?done=true&due__gte=2026-01-01T00:00:00Z&rank__in=1,2.5&id__between=a,b&sort=-due")
    client.get("/items")
    assert told == [
        (
            {
                "done": {"eq": True},
                "due": {"gte": day(1)},
                "rank": {"in": [1, 2.5]},
                "id": {"between": ["a", "b"]},
            },
            "-due",
        ),
        ({}, None),
    ]


def test_an_own_verb_that_asks_for_filters_has_them_applied_by_super(api: Api) -> None:
    def verb(self: Any, user: Any, filters: Any, sort: Any, limit: int, pagination_key: Any) -> Any:
        assert filters
        return List.list(self, user, pagination_key, limit, filters | {"rank": {"gt": 1}}, sort), 206

    client = api(list=verb)
    result = client.get("/items?done=false&sort=-rank")
    assert (result.status, [item["id"] for item in result.json["items"]]) == (206, ["d", "a"])


def test_without_an_envelope(api: Api) -> None:
    client = api(envelope=False)
    first = client.get("/items?limit=3&fields=id")
    assert first.json == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    rest = client.get(resolved(first, "/items?limit=3&fields=id", "link"))
    assert (rest.json, "link" in rest.headers) == ([{"id": "d"}, {"id": "e"}], False)


def test_the_link_is_a_query_alone(client: Caller) -> None:
    result = client.get("/items?done=false&text__in=milk&text__in=a%26b,c&limit=1&fields=id")
    key = result.json["pagination_key"]
    assert result.headers["link"] == (
        f'<?done=false&text__in=milk&text__in=a%26b%2Cc&limit=1&fields=id&pagination_key={key}>; rel="next"'
    )


def test_every_item_has_the_same_members(client: Caller) -> None:
    """An absent nullable attribute goes out as null."""
    items = client.get("/items").json["items"]
    assert {tuple(item) for item in items} == {
        ("tenant", "id", "text", "status", "rank", "due", "done", "tags", "steps", "sizes", "note")
    }
    assert items[0]["due"] is None


def test_a_poison_row_is_left_out(client: Caller, table_name: str, caplog: pytest.LogCaptureFixture) -> None:
    poison = TASKS[1].serialize() | {"sk": {"S": "bb"}, "d": {"S": "tomorrow"}}
    write(table_name, [poison])
    assert walked(client, "/items?limit=2") == "abcde"
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [len(record.__dict__["key_sha256"]) for record in records] == [16]
    assert "bb" not in "".join(record.getMessage() for record in records)


# --- models of special kinds --------------------------------------------------------------------------------


class Animal(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute(attr_name="k")


class Dog(Animal, discriminator="dog"):
    breed = UnicodeAttribute(default="mutt")


class Cat(Animal, discriminator="cat"):
    pass


@pytest.mark.parametrize(
    ("model", "query", "expected"),
    [
        (Animal, "", ["rex", "tom"]),
        (Dog, "", ["rex"]),
        (Cat, "", ["tom"]),
        (Animal, "kind=dog", ["rex"]),
        (Animal, "kind__ne=dog", ["tom"]),
        (Animal, "kind__in=dog,cat", ["rex", "tom"]),
        (Animal, "fields=name", ["rex", "tom"]),
        (Dog, "fields=name", ["rex"]),
        (Dog, "kind=cat", []),
    ],
)
def test_kinds(dynamodb: None, table_name: str, model: Any, query: str, expected: list[str]) -> None:
    """A list has the items of its model's kind, whatever else is in the table."""
    made(Animal, table_name)
    Dog.Meta.table_name = Cat.Meta.table_name = table_name
    stranger = {"owner": {"S": "alice"}, "name": {"S": "ufo"}, "k": {"S": "alien"}}
    write(table_name, [Dog("alice", "rex").serialize(), Cat("alice", "tom").serialize(), stranger])
    client = serve(model, permissions=OwnedBy("owner"), filters={"kind": ("eq", "ne", "in")})
    assert [item["name"] for item in client.get(f"/items?{query}").json["items"]] == expected


def test_a_kind_that_there_is_not(dynamodb: None) -> None:
    client = serve(Animal, permissions=OwnedBy("owner"), filters={"kind": ("eq",)})
    assert_problem(client.get("/items?kind=alien"), 400, "kind")


class Session(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    ends = TTLAttribute(null=True, attr_name="e")


@pytest.mark.parametrize("query", ["", "&fields=id"])
def test_what_has_expired_is_gone(dynamodb: None, table_name: str, query: str) -> None:
    """DynamoDB removes it within days only."""
    made(Session, table_name)
    hour = timedelta(hours=1)
    sessions = [Session("alice", "a", ends=-hour), Session("alice", "b", ends=hour), Session("alice", "c")]
    write(table_name, [session.serialize() for session in sessions])
    client = serve(Session, permissions=OwnedBy("owner"))
    assert walked(client, f"/items?limit=1{query}") == "bc"


class Limits(Model):
    """Named as the parameters of every list are."""

    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    limit = NumberAttribute(range_key=True)


def test_an_attribute_named_as_a_parameter(dynamodb: None, table_name: str) -> None:
    """``?limit=`` is the page's size, ``?limit__eq=`` the filter."""
    made(Limits, table_name)
    write(table_name, [Limits("alice", number).serialize() for number in range(3)])
    client = serve(Limits, permissions=OwnedBy("owner"), filters={"limit": ("eq", "gt")})

    def limits(query: str) -> list[int]:
        return [item["limit"] for item in client.get(f"/items?{query}").json["items"]]

    assert [limits("limit=1"), limits("limit__eq=1"), limits("limit=1&limit__gt=0")] == [[0], [1], [1]]


def test_a_user_without_the_claim_lists_nothing(api: Api) -> None:
    client = api(permissions=OwnedBy("tenant", claim="org"))
    with counted() as calls:
        assert_problem(client.get("/items"), 403)
        assert_problem(client.get("/items", user=User("x", claims={"org": ""})), 403)
    assert calls == []
    assert ids(client.get("/items", user=User("x", claims={"org": "bob"}))) == "f"


def test_a_claim_that_can_be_no_key_owns_nothing() -> None:
    client = tableless(permissions=OwnedBy("tenant", claim="org"))
    with counted() as calls:
        result = client.get("/items", user=User("x", claims={"org": "x" * 2049}))
    assert (result.json, calls) == ({"items": [], "pagination_key": None}, [])


def test_a_rule_of_alternatives_lists_what_either_allows(api: Api) -> None:
    """Under ``|`` no partition is bound: the filter must say it, and the rule still holds."""
    client = api(permissions=OwnedBy("tenant") | HasPermission("admin"), filters={"tenant": ("eq",)})
    admin = User("root", frozenset({"admin"}))
    assert ids(client.get("/items?tenant=bob", user=admin)) == "f"
    assert ids(client.get("/items?tenant=bob")) == ""
    assert ids(client.get("/items?tenant=alice")) == "abcde"
    assert ids(client.get("/items")) == "abcde"
    assert_problem(client.get("/items", user=admin), 400)
