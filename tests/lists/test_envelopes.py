"""Envelopes with names of the app's own, the number of all items, and the order where a request says none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract import ALICE, BOB, FORMS, Caller, assert_problem, counted, create_table, dynamodb_call, names
from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Delete,
    Envelope,
    InGroup,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    SoftDelete,
    User,
)
from polymicro_lambda.dispatch.responses import response_limits
from polymicro_lambda.openapi import openapi
from polymicro_lambda.testing import FakeContext

ARTICLES = Envelope(items="articles", key="next", count="total")


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    rank = NumberAttribute(range_key=True)


class Article(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    rank = NumberAttribute()
    open = BooleanAttribute(default=True)
    ends = TTLAttribute(null=True)
    gone = UTCDateTimeAttribute(null=True)
    by_rank = ByRank()


class Even(Permission):
    """An opaque rule."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return int(instance.rank) % 2 == 0


def resource(**declared: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="secret")
    said = {
        "model": Article,
        "route": "articles",
        "permissions": OwnedBy("owner"),
        "envelope": ARTICLES,
        "filters": {"open": "eq", "rank": ("gt", "in"), "id": "in"},
        "exclude": ("owner", "ends", "gone"),
    }
    mixins = (List, Delete) if "soft_delete" in declared else (List,)
    type("Articles", (ModelResource, *mixins), said | declared)(pm)
    return pm


def client_of(**declared: Any) -> Caller:
    return Caller(resource(**declared).compile(), user=ALICE)


@pytest.fixture
def api(dynamodb: None, table_name: str) -> Callable[..., Caller]:
    """Makes clients of a resource with the articles 0 to 6 of alice, ranked backwards, of which 1 and 4 are open."""
    create_table(Article, table_name)
    for number in range(7):
        Article("alice", str(number), rank=-number, open=number in (1, 4)).save()
    Article("bob", "9", rank=1).save()
    return client_of


def raw(name: str, **more: Any) -> None:
    item = {"owner": {"S": "alice"}, "id": {"S": name}, "rank": {"N": "50"}, "open": {"BOOL": True}}
    dynamodb_call("put_item", TableName=Article.Meta.table_name, Item=item | more)


def item(number: int) -> dict[str, Any]:
    return {"id": str(number), "rank": -number, "open": number in (1, 4)}


# --- names -----------------------------------------------------------------------------------------------------


def test_the_members_have_these_names(api: Callable[..., Caller]) -> None:
    client = api()
    first = client.get("/articles?limit=5")
    key = first.json["next"]
    assert first.json == {"articles": [item(n) for n in range(5)], "next": key}
    assert first.headers["link"] == f'<?limit=5&pagination_key={key}>; rel="next"'
    rest = client.get("/articles", query={"pagination_key": key})
    assert rest.json == {"articles": [item(5), item(6)], "next": None}
    assert client.everywhere("GET", "/articles?limit=9").json["next"] is None


def test_without_a_member_for_the_cursor_the_link_leads_on(api: Callable[..., Caller]) -> None:
    client = api(envelope=Envelope(items='a%b"c', key=None))
    first = client.everywhere("GET", "/articles?open=true&limit=7&fields=id")
    assert first.json == {'a%b"c': [{"id": "1"}, {"id": "4"}]}
    pages = [*client.pages("/articles?limit=4")]
    assert [[one["id"] for one in page.json['a%b"c']] for page in pages] == [[*"0123"], [*"456"]]
    assert [one["id"] for one in client.items("/articles?limit=4")] == [*"0123456"]


def test_an_own_list_has_the_envelope(api: Callable[..., Caller]) -> None:
    def listed(self: Any, user: Any) -> Any:
        return [{"id": 1}], {}, "further"

    result = api(list=listed).get("/articles")
    assert (result.json["articles"], [*result.json]) == ([{"id": 1}], ["articles", "next"])


@pytest.mark.parametrize(
    ("envelope", "member"),
    [(ARTICLES, "next"), (Envelope(key=None), None), (False, "pagination_key")],
    ids=["named", "none", "bare"],
)
def test_an_item_that_is_too_large_names_the_cursor_so(
    api: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch, envelope: Any, member: str | None
) -> None:
    for number in range(6):
        raw(f".{number}{'x' * 900}")
    monkeypatch.setattr(response_limits, "LAMBDA", response_limits.Carrier("AWS Lambda", 24_000))
    monkeypatch.setattr(response_limits, "SMALL", 1)
    result = api(envelope=envelope).get("/articles?limit=6")
    assert (result.status, "link" in result.headers) == (500, True)
    assert {"next", "pagination_key"} & result.json.keys() == ({member} if member else set())
    if member:
        assert result.json[member] in result.headers["link"]


MISTAKES: dict[str, tuple[Any, str]] = {
    "None": (None, r"Articles\.envelope must be True, False or an Envelope"),
    "a class": (Envelope, r"Articles\.envelope must be True, False or an Envelope"),
    "no name": (Envelope(items=""), r"Articles\.envelope: '' can be no member's name"),
    "no text": (Envelope(key=1), r"Articles\.envelope: 1 can be no member's name"),  # type: ignore[arg-type]
    "half a character": (Envelope(count="\ud800"), r"Articles\.envelope: .* can be no member's name"),
    "no items": (Envelope(items=None), r"Articles\.envelope: items, key and count must be names of"),  # type: ignore[arg-type]
    "one name twice": (Envelope(items="a", key="a"), r"Articles\.envelope: .* different members"),
    "the cursor's": (Envelope(count="pagination_key"), r"Articles\.envelope: .* different members"),
}


@pytest.mark.parametrize(("envelope", "text"), MISTAKES.values(), ids=MISTAKES)
def test_names_that_cannot_be(envelope: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        resource(envelope=envelope).compile()


def test_the_parameter_of_the_count_is_no_filter() -> None:
    class Counted(Article):
        class Meta:
            table_name = "counted"

        count = NumberAttribute(null=True)

    declared = {"model": Counted, "filters": {"count": ("eq", "lt")}}
    with pytest.raises(ConfigurationError, match=r"Articles\.envelope: \?count= asks for the number"):
        resource(**declared).compile()
    resource(**declared, envelope=True).compile()
    resource(**declared | {"filters": {"count": "lt"}}).compile()


# --- the number of all items -----------------------------------------------------------------------------------

COUNTED = {
    "all": ("", {}, 7, ["Query", "Query"]),
    "filtered by DynamoDB": ("open=true&", {}, 2, ["Query", "Query", "Query"]),
    "by an index": ("rank__gt=-4&", {}, 4, ["Query", "BatchGetItem", "Query", "BatchGetItem"]),
    "by keys": ("id__in=0,3,8&", {}, 2, ["BatchGetItem", "BatchGetItem"]),
    "sorted": ("sort=-id&fields=id&", {}, 7, ["Query", "Query"]),
    "judged by Python": ("", {"permissions": OwnedBy("owner") & Even()}, 4, ["Query", "Query"]),
    "scanned": ("", {"permissions": AllowAny, "scan": True}, 8, ["Scan", "Scan"]),
}


@pytest.mark.parametrize(("query", "declared", "total", "calls"), COUNTED.values(), ids=COUNTED)
def test_every_page_tells_the_number_of_all_items(
    api: Callable[..., Caller], query: str, declared: Any, total: int, calls: list[str]
) -> None:
    client = api(**declared)
    with counted() as made:
        first = client.get(f"/articles?{query}limit=1&count=true")
    assert (first.json["total"], names(made)) == (total, calls)
    assert [*first.json] == ["articles", "next", "total"]
    pages = [*client.pages(f"/articles?{query}limit=1&count=true")]
    assert {page.json["total"] for page in pages} == {total}
    assert len([one for page in pages for one in page.json["articles"]]) == total
    key = first.json["next"]  # is good with and without
    assert "total" not in client.get(f"/articles?{query}limit=1&pagination_key={key}").json


def test_what_has_expired_or_is_deleted_does_not_count(api: Callable[..., Caller]) -> None:
    past, coming = (datetime.now(UTC) + timedelta(hours=n) for n in (-1, 1))
    raw("a", ends={"N": str(int(past.timestamp()))})
    raw("b", ends={"N": str(int(coming.timestamp()))})
    raw("c", gone={"S": past.strftime("%Y-%m-%dT%H:%M:%S.%f%z")})
    client = api(soft_delete=SoftDelete("gone", seen_by=AllowAny))
    assert client.everywhere("GET", "/articles?count=true&limit=2&fields=id&pagination_key=").status == 400
    assert client.get("/articles?count=true&limit=2").json["total"] == 8
    assert client.get("/articles?count=true&deleted=true").json["total"] == 1


def test_a_page_that_is_the_whole_list_is_counted_without_a_call(api: Callable[..., Caller]) -> None:
    client = api()
    with counted() as calls:
        result = client.everywhere("GET", "/articles?count=true")
    assert (result.json["total"], set(names(calls)), len(calls)) == (7, {"Query"}, len(FORMS))
    nobody = client.get("/articles?count=true", user=BOB)
    assert nobody.json == {"articles": [{"id": "9", "rank": 1, "open": True}], "next": None, "total": 1}


def test_dynamodb_counts_where_it_alone_decides(api: Callable[..., Caller]) -> None:
    with counted() as calls:
        api().get("/articles?open=true&limit=1&count=true&fields=id")
    [said] = [said for _, said in calls if "Select" in said]
    assert (said["Select"], "Limit" in said, "ProjectionExpression" in said) == ("COUNT", False, False)


@pytest.mark.parametrize("permissions", [OwnedBy("owner"), OwnedBy("owner") & Even()], ids=["there", "here"])
def test_a_list_that_is_too_long_is_not_counted(api: Callable[..., Caller], permissions: Any) -> None:
    for number in range(7):
        raw(f"x{number}", text={"S": "x" * 380_000})
    client = api(permissions=permissions, read_budget=2)
    result = client.get("/articles?limit=1&count=true")
    assert (result.status, result.json["total"]) == (200, None)
    assert api(permissions=permissions, read_budget=4).get("/articles?limit=1&count=true").json["total"] in (
        14,
        11,
    )


def test_without_time_left_there_is_no_number(api: Callable[..., Caller]) -> None:
    client = api(permissions=OwnedBy("owner") & Even(), read_budget=9)
    for number in range(7):
        raw(f"x{number}", text={"S": "x" * 380_000})
    late = client.get("/articles?limit=1&count=true", context=FakeContext(timeout=1.9))
    assert (late.status, late.json["total"]) == (200, None)


def test_the_parameter_is_as_strict_as_any(api: Callable[..., Caller]) -> None:
    client = api()
    assert_problem(client.get("/articles?count=maybe"), 400, "count")
    assert_problem(client.get("/articles?count=true&count=true"), 400, "count")
    assert "total" not in client.get("/articles?count=false").json
    for envelope in (True, False, Envelope(items="articles")):
        assert_problem(api(envelope=envelope).get("/articles?count=true"), 400, "count")


def test_the_tag_tells_of_the_number(api: Callable[..., Caller]) -> None:
    client = api()
    first = client.get("/articles?limit=1&count=true")
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/articles?limit=1&count=true", headers=tag).status == 304
    assert client.get("/articles?limit=1", headers=tag).status == 200
    raw("z")
    assert client.get("/articles?limit=1&count=true", headers=tag).json["total"] == 8


def own_list(rows: Callable[[], Any]) -> Callable[..., Any]:
    def listed(self: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return rows()

    return listed


def test_of_an_own_list_what_can_be_known(api: Callable[..., Caller]) -> None:
    known = own_list(lambda: [{"id": n} for n in range(3)])
    assert api(list=known).get("/articles?count=true").json["total"] == 3
    unknown = own_list(lambda: ([{"id": 1}], {}, "further"))
    client = api(list=unknown)
    page = client.get("/articles?count=true").json
    assert page["total"] is None
    assert (
        client.get("/articles", query={"count": "true", "pagination_key": page["next"]}).json["total"] is None
    )


QUERIES: dict[str, tuple[Callable[[Any, int], Any], str, Any]] = {
    "a query": (lambda key, limit: Article.query("alice", last_evaluated_key=key, limit=limit), "", 7),
    "filtered here": (lambda key, _: Article.query("alice", last_evaluated_key=key), "open=true&", 2),
    "an index": (lambda key, _: Article.by_rank.query("alice", last_evaluated_key=key, limit=1), "", 7),
    "some attributes": (
        lambda key, _: Article.query("alice", last_evaluated_key=key, attributes_to_get=["id", "owner"]),
        "open=true&",
        2,
    ),
    "its own condition": (
        lambda key, _: Article.query("alice", Article.id > "2", Article.open == True, last_evaluated_key=key),  # noqa: E712
        "",
        1,
    ),
    "a scan": (lambda key, limit: Article.scan(last_evaluated_key=key, limit=limit), "", 7),
}


@pytest.mark.parametrize(("made", "query", "total"), QUERIES.values(), ids=QUERIES)
def test_of_a_query_of_ones_own_all_is_counted(
    api: Callable[..., Caller], made: Callable[[Any, int], Any], query: str, total: int
) -> None:
    """On each of its pages, under rule and filters."""

    def listed(self: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return made(pagination_key, limit)

    client = api(list=listed)
    pages = [*client.pages(f"/articles?{query}limit=1&count=true")]
    assert {page.json["total"] for page in pages} == {total}
    assert len([one for page in pages for one in page.json["articles"]]) == total


def test_a_query_that_starts_elsewhere_is_not_counted(api: Callable[..., Caller]) -> None:
    start = {"owner": {"S": "alice"}, "id": {"S": "3"}}
    begun: list[Any] = []

    def elsewhere(self: Any) -> Any:
        return Article.query("alice", last_evaluated_key=start)

    def half(self: Any) -> Any:
        rows = Article.query("alice")
        begun.append(next(rows).id)
        return rows

    for listed in (elsewhere, half):
        assert api(list=listed).get("/articles?limit=1&count=true").json["total"] is None
    assert begun == ["0"]


# --- the order -------------------------------------------------------------------------------------------------


def test_a_list_has_the_order_of_the_resource(api: Callable[..., Caller]) -> None:
    client = api(default_sort="rank")
    assert [one["id"] for one in client.items("/articles?limit=2")] == [*"6543210"]
    assert [one["id"] for one in client.items("/articles?limit=2&sort=-rank")] == [*"0123456"]
    assert [one["id"] for one in api(default_sort="-id").items("/articles")] == [*"6543210"]


def test_a_cursor_is_bound_to_the_order_of_the_resource(api: Callable[..., Caller]) -> None:
    client = api(default_sort="rank")
    key = client.get("/articles?limit=2").json["next"]
    said = client.get("/articles", query={"limit": 2, "sort": "rank", "pagination_key": key})
    assert [one["id"] for one in said.json["articles"]] == ["4", "3"]
    other = client.get("/articles", query={"sort": "id", "pagination_key": key})
    assert_problem(other, 400, "pagination_key")
    assert_problem(api().get("/articles", query={"pagination_key": key}), 400, "pagination_key")


def test_the_order_tells_nothing_of_a_field_that_the_user_may_not_read(api: Callable[..., Caller]) -> None:
    """Who may read it has the order; for others the list is in that of the table, and its cursors are."""

    def fields_for(_: Any, user: Any, method: Any) -> Any:
        return None if "staff" in user.groups else ("id",)

    client = api(default_sort="rank", fields_for=fields_for)
    staff = User(ALICE.uuid, groups=frozenset({"staff"}))
    for query in ("", "?limit=2"):
        assert [one["id"] for one in client.items(f"/articles{query}")] == [*"0123456"]
        assert [one["id"] for one in client.items(f"/articles{query}", user=staff)] == [*"6543210"]
    assert_problem(client.get("/articles?sort=rank"), 400, "sort")
    key = client.get("/articles?limit=2", user=staff).json["next"]
    assert_problem(client.get("/articles", query={"pagination_key": key}), 400, "pagination_key")


def test_a_rule_for_writing_hides_nothing_of_the_order(api: Callable[..., Caller]) -> None:
    client = api(default_sort="rank", field_permissions={"rank": {"write": InGroup("staff")}})
    assert [one["id"] for one in client.items("/articles")] == [*"6543210"]


def test_an_override_is_given_the_order(api: Callable[..., Caller]) -> None:
    def listed(self: Any, sort: Any) -> Any:
        return {"sort": sort}

    client = api(default_sort="-rank", list=listed)
    assert client.get("/articles").json == {"sort": "-rank"}
    assert client.get("/articles?sort=id").json == {"sort": "id"}


WRONG_ORDERS: dict[str, tuple[Any, str]] = {
    "no text": (1, r'Articles\.default_sort must be an attribute such as "-created", not 1'),
    "none of the model": ("-rnak", r"Articles\.default_sort: Article has no attribute 'rnak'.*'rank'"),
    "no sort key": ("open", r"Articles\.default_sort: no list can be sorted by 'open'"),
    "a field that some may not read": (
        {"default_sort": "-rank", "field_permissions": {"rank": InGroup("staff")}},
        r"Articles\.default_sort: Articles\.field_permissions hides 'rank'",
    ),
    "nothing": ("", r"Articles\.default_sort: Article has no attribute ''"),
}


@pytest.mark.parametrize(("order", "text"), WRONG_ORDERS.values(), ids=WRONG_ORDERS)
def test_orders_that_cannot_be(order: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        resource(**order if isinstance(order, dict) else {"default_sort": order}).compile()


def test_a_partition_must_be_bound_for_the_order() -> None:
    with pytest.raises(ConfigurationError, match=r"Articles\.default_sort: no list can be sorted by 'rank'"):
        resource(permissions=AllowAny, scan=True, default_sort="rank").compile()


def test_an_order_is_of_a_list() -> None:
    pm = PolyMicro()
    said = {"model": Article, "route": "articles", "permissions": AllowAny, "default_sort": "rank"}
    type("Articles", (ModelResource, Retrieve), said)(pm)
    with pytest.raises(
        ConfigurationError, match=r"Articles\.default_sort: the resource has no list: add List"
    ):
        pm.compile()


# --- the document ----------------------------------------------------------------------------------------------


def test_the_document_tells_of_them() -> None:
    pm = resource(default_sort="-rank")
    pm.compile()
    document = openapi(pm.routes)
    operation = document["paths"]["/articles"]["get"]
    by_name = {one["name"]: one for one in operation["parameters"]}
    assert by_name["count"]["schema"] == {"type": "boolean", "default": False}
    assert by_name["sort"]["schema"]["default"] == "-rank"
    page = document["components"]["schemas"][page_name(document)]
    assert page["required"] == ["articles", "next"]
    assert [*page["properties"]] == ["articles", "next", "total"]
    assert page["properties"]["total"]["type"] == ["integer", "null"]
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert [*example] == ["articles", "next"]


def page_name(document: Any) -> str:
    [name] = [one for one in document["components"]["schemas"] if one.endswith("Page")]
    return str(name)


def test_the_document_of_plain_lists_has_no_count() -> None:
    pm = resource(envelope=Envelope(items="articles", key=None))
    pm.compile()
    document = openapi(pm.routes)
    assert "count" not in {one["name"] for one in document["paths"]["/articles"]["get"]["parameters"]}
    assert [*document["components"]["schemas"][page_name(document)]["properties"]] == ["articles"]
