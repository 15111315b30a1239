"""Several values of a partition key: one query for each, merged in order, under one exact cursor."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_table, dynamodb_call
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Envelope, List, ModelResource, Permission, PolyMicro, User
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.deploy import grants


class ByTeam(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_team"
        projection = AllProjection()

    team = UnicodeAttribute(hash_key=True, attr_name="t")
    rank = NumberAttribute(range_key=True)


class ByKind(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_kind"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)


class Post(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    team = UnicodeAttribute(attr_name="t")
    rank = NumberAttribute()
    kind = UnicodeAttribute(null=True)
    by_team, by_kind = ByTeam(), ByKind()


POSTS = [("a", 1), ("b", 1), ("c", 1), ("b", 2), ("a", 3), ("c", 3), ("a", 4), ("d", 2)]
"""Team and rank of the items, which are named like them: a1, b1 …"""


class OfMyGroups(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.team.is_in(*user.groups)


def served(**members: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="s")
    said = {"model": Post, "route": "posts", "permissions": AllowAny, **members}
    type("Posts", (ModelResource, List), said)(pm)
    pm.compile()
    return pm


FILTERS = {"team": "in", "rank": ("eq", "gt", "lt"), "kind": ("in", "ne")}


@pytest.fixture
def table(dynamodb: None, table_name: str) -> str:
    create_table(Post, table_name)
    for team, rank in POSTS:
        put(table_name, team, rank)
    return table_name


def put(table: str, team: str, rank: int, **more: Any) -> None:
    item = {"id": {"S": f"{team}{rank}"}, "t": {"S": team}, "rank": {"N": str(rank)}, **more}
    dynamodb_call("put_item", TableName=table, Item=item)


@pytest.fixture
def client(table: str) -> Caller:
    return Caller(served(filters=FILTERS), user=ALICE)


def ids(result: Any) -> list[str]:
    assert result.status == 200, result.text
    return [one["id"] for one in result.json["items"]]


def walk(client: Caller, between: Any = lambda: None, **query: Any) -> list[list[str]]:
    """The names of the items of each page."""
    found, key = [], {}
    for _ in range(50):
        result = client.get("/posts", query={**query, **key})
        found.append(ids(result))
        if result.json["pagination_key"] is None:
            return found
        key = {"pagination_key": result.json["pagination_key"]}
        between()
    raise AssertionError("no end")


def asked(calls: Any) -> list[Any]:
    """The index, the partition and the direction of each query."""
    return [
        (
            one["IndexName"],
            next(iter(one["ExpressionAttributeValues"].values()))["S"],
            one["ScanIndexForward"],
        )
        for name, one in calls
        if name == "Query"
    ]


ABC = ["a1", "b1", "c1", "b2", "a3", "c3", "a4"]


@pytest.mark.parametrize(
    ("query", "found", "queried"),
    [
        ("team__in=c,a,b", ABC, "abc"),
        ("team__in=c,a,b&sort=rank", ABC, "abc"),
        ("team__in=c,a,b&sort=-rank", ABC[::-1], "cba"),
        ("team__in=a,b,a,nobody,b", ["a1", "b1", "b2", "a3", "a4"], ["a", "b", "nobody"]),
        ("team__in=b", ["b1", "b2"], "b"),
        ("team__in=a,b,c&rank__gt=1&rank__lt=4", ["b2", "a3", "c3"], "abc"),
        ("team__in=a,b,c&rank=3", ["a3", "c3"], "abc"),
        ("team__in=a,b,c&sort=team", ["a1", "a3", "a4", "b1", "b2", "c1", "c3"], "abc"),
        ("team__in=a,b,c&sort=-team", ["c3", "c1", "b2", "b1", "a4", "a3", "a1"], "cba"),
        ("team__in=a,b,c&kind__ne=x", ABC, "abc"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_one_query_for_each_value(
    client: Caller, query: str, found: list[str], queried: Any, limit: int
) -> None:
    with counted() as calls:
        first = client.get(f"/posts?{query}")
    assert ids(first) == found
    forward = "-" not in query
    assert asked(calls) == [("by_team", team, forward) for team in queried]
    said = dict(part.split("=") for part in query.split("&"))
    pages = walk(client, limit=str(limit), **said)
    assert [name for page in pages for name in page] == found
    assert all(len(page) == limit for page in pages[:-1] if "team" not in query.rpartition("sort=")[2])


def test_it_is_the_same_from_every_event_source(client: Caller) -> None:
    assert ids(client.everywhere("GET", "/posts?team__in=a,b,c")) == ABC


def test_the_cursor_does_not_grow_with_the_values(client: Caller) -> None:
    few = client.get("/posts?team__in=a,b&limit=1").json["pagination_key"]
    many = client.get(f"/posts?team__in=a,b,{','.join(f'team{n}' for n in range(98))}&limit=1").json[
        "pagination_key"
    ]
    assert len(few) == len(many)


def test_a_cursor_is_good_for_its_own_values_alone(client: Caller) -> None:
    key = client.get("/posts?team__in=a,b&limit=1").json["pagination_key"]
    assert_problem(
        client.get("/posts", query={"team__in": "a,c", "limit": 1, "pagination_key": key}),
        400,
        "pagination_key",
    )


@pytest.mark.parametrize("sort", ["rank", "-rank"])
def test_more_values_than_the_read_budget(table: str, sort: str) -> None:
    """The first item is known when each partition was asked: a page takes a query for each, whatever the budget."""
    client = Caller(served(filters=FILTERS, read_budget=1), user=ALICE)
    with counted() as calls:
        pages = walk(client, team__in="a,b,c,d", sort=sort, limit="2")
    order = sorted(POSTS, key=lambda one: one[::-1], reverse=sort != "rank")
    assert [name for page in pages for name in page] == [f"{team}{rank}" for team, rank in order]
    assert (all(pages[:-1]), len(calls) <= 4 * len(pages)) == (True, True)


def test_rows_that_drop_out_take_no_more_than_the_budget(table: str) -> None:
    """A page that finds nothing in its first queries goes on after the least key that all of them have passed."""
    for rank in range(10, 60):
        put(table, "a", rank), put(table, "b", rank)
    put(table, "b", 60, kind={"S": "x"})
    client = Caller(served(filters={"team": "in", "kind": "begins_with"}, read_budget=3), user=ALICE)
    with counted() as calls:
        pages = walk(client, team__in="a,b", kind__begins_with="x", limit="1")
    assert [name for page in pages for name in page] == ["b60"]
    assert (len(pages) > 2, len(calls) <= 3 * len(pages)) == (True, True)


def test_items_come_and_go_between_pages(client: Caller, table: str) -> None:
    """At the very place of the cursor, too: those with its sort key in a later partition are still to come."""
    steps = iter(
        [
            lambda: (put(table, "c", 0), put(table, "a", 2)),
            lambda: dynamodb_call("delete_item", TableName=table, Key={"id": {"S": "b2"}}),
        ]
    )
    pages = walk(client, lambda: next(steps, lambda: None)(), team__in="a,b,c", limit="3")
    assert pages == [["a1", "b1", "c1"], ["a2", "b2", "a3"], ["c3", "a4"]]


def test_an_index_without_a_sort_key_gives_partition_after_partition(table: str) -> None:
    """As many queries as the budget serves; partitions without items are passed for good."""
    for number in range(6):
        put(table, "z", number, kind={"S": "xyz"[number % 3]})
    client = Caller(served(filters=FILTERS, read_budget=2), user=ALICE)
    kinds = "z,x," + ",".join(f"none{number}" for number in range(7))
    with counted() as calls:
        pages = walk(client, kind__in=kinds)
    assert [sorted(page) for page in pages if page] == [["z0", "z3"], ["z2", "z5"]]
    asked = [one["ExpressionAttributeValues"][":0"]["S"] for name, one in calls if name == "Query"]
    assert asked == sorted(kinds.split(","))
    assert len(calls) <= 2 * len(pages) + 2  # an index of keys alone is completed once


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c1", "a1", "b2"]),
        ("&sort=id", ["a1", "b2", "c1"]),
        ("&sort=-id", ["c1", "b2", "a1"]),
    ],
)
def test_whole_keys_are_read_at_once(table: str, query: str, found: list[str]) -> None:
    """Where the values name the items there is no query, in the order of the key either."""
    client = Caller(served(filters={"id": "in"}), user=ALICE)
    with counted() as calls:
        assert ids(client.get(f"/posts?id__in=c1,a1,b2,none{query}")) == found
    assert [name for name, _ in calls] == ["BatchGetItem"]
    first = client.get(f"/posts?id__in=c1,a1,b2&limit=1{query}").json
    rest = client.get(
        f"/posts?id__in=c1,a1,b2{query}&pagination_key={first['pagination_key']}",
    )
    assert ids(rest) == found[1:]


# --- a rule's own ``in`` --------------------------------------------------------------------------------------


def test_a_rule_gives_the_values(table: str) -> None:
    client = Caller(served(permissions=OfMyGroups, filters={"team": "in"}), user=None)
    many = User("alice", groups=frozenset({"a", "b", "c", *(f"group{number}" for number in range(120))}))
    assert ids(client.get("/posts", user=many)) == ABC
    assert ids(client.get("/posts?sort=-rank", user=User("bob", groups=frozenset("b")))) == ["b2", "b1"]
    with counted() as calls:
        assert ids(client.get("/posts", user=User("nobody"))) == []
        assert ids(client.get("/posts", user=User("bob", groups=frozenset({"", "x" * 2049})))) == []
        assert ids(client.get("/posts?team__in=c,d", user=User("bob", groups=frozenset("ab")))) == []
    assert calls == []
    assert ids(client.get("/posts", user=User("bob", groups=frozenset({"a", "b", ""})))) == [
        "a1",
        "b1",
        "b2",
        "a3",
        "a4",
    ]
    with counted() as calls:
        assert ids(client.get("/posts?team__in=a,d", user=User("bob", groups=frozenset("abc")))) == [
            "a1",
            "a3",
            "a4",
        ]
    assert asked(calls) == [("by_team", "a", True)]


def test_values_that_change_between_pages_lose_no_item(table: str) -> None:
    """A cursor is a place in the order: it stands where its own partition is no longer among the values, too."""
    client = Caller(served(permissions=OfMyGroups), user=None)
    first = client.get("/posts?limit=2", user=User("alice", groups=frozenset("ab")))
    query = {"limit": "9", "pagination_key": first.json["pagination_key"]}
    later = client.get("/posts", query=query, user=User("alice", groups=frozenset("acd")))
    assert (ids(first), ids(later)) == (["a1", "b1"], ["c1", "d2", "a3", "c3", "a4"])


class Recent(Permission):
    """The bounds of the rule move, as those of "since yesterday" do."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        low, high = int(user.claims["low"]), int(user.claims["high"])
        return model.team.is_in("a", "b", "c") & model.rank.between(low, high)


def between(low: int, high: int) -> User:
    return User("alice", claims={"low": str(low), "high": str(high)})


@pytest.mark.parametrize(
    ("sort", "ranks", "rest"),
    [
        ("rank", (1, 4), ["c1", "b2", "a3", "c3", "a4"]),
        ("rank", (2, 3), ["b2", "a3", "c3"]),
        ("rank", (0, 0), []),
        ("-rank", (1, 2), ["b2", "c1", "b1", "a1"]),
        ("-rank", (4, 9), []),
    ],
)
def test_bounds_that_move_leave_the_cursor_behind(table: str, sort: str, ranks: Any, rest: list[str]) -> None:
    client = Caller(served(permissions=Recent), user=None)
    first = client.get(f"/posts?limit=2&sort={sort}", user=between(1, 4))
    query = {"limit": "9", "sort": sort, "pagination_key": first.json["pagination_key"]}
    later = client.get("/posts", query=query, user=between(*ranks))
    assert (ids(first), ids(later)) == (["a1", "b1"] if sort == "rank" else ["a4", "c3"], rest)


# --- what it is told by -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        (
            "team__in=a,b,c&sort=-rank",
            {
                "calls": "3 queries on the global index by_team, merged by rank, backwards",
                "key": 't IN ("c", "b", "a")',
                "pages": "3 Query calls for 25 items; more only where these exceed the 1 MB of one call",
            },
        ),
        (
            "team__in=a,b,c,d,e,f&kind__ne=x",
            {
                "calls": "6 queries on the global index by_team, merged by rank",
                "pages": "6 to 6 Query calls for 25 items: rows drop out",
            },
        ),
        (
            "kind__in=x,y",
            {
                "calls": "2 queries on the global index by_kind, one after the other",
                "pages": "1 to 5 Query and BatchGetItem calls for 25 items: as many of the queries as these take",
            },
        ),
        ("team__in=a", {"calls": "Query on the global index by_team", "key": 't = "a"'}),
    ],
)
def test_explain(query: str, lines: dict[str, str]) -> None:
    told = dict(explain(served(filters=FILTERS), f"GET /posts?{query}", ALICE))
    assert {name: told[name] for name in lines} == lines


def test_a_filter_by_in_alone_makes_a_list(table: str) -> None:
    """It needs no other, is granted, and is what a refused request is told to say."""
    pm = served(filters={"team": "in"})
    [route] = [one for one in pm.routes if one.verb == "list"]
    assert {(one.index, one.operation) for one in grants(route)} == {("by_team", "Query")}
    refused = Caller(pm, user=ALICE).get("/posts")
    assert_problem(refused, 400)
    assert refused.json["detail"] == "No index serves this list: say which team by a filter."


COUNTED = [
    pytest.param(5, "team__in=a,b,c&limit=2", 7, id="a call for each value"),
    pytest.param(5, "team__in=a,b,c,d,e&limit=2", 8, id="as many as the budget"),
    pytest.param(2, "team__in=a,b,c&limit=2", None, id="more values than the budget"),
    pytest.param(5, "team__in=a,b,c&rank__gt=1&limit=2", 4, id="of a range"),
    pytest.param(5, "team__in=a,b,c&kind__ne=x&limit=2", 7, id="with a filter"),
]


@pytest.mark.parametrize(("budget", "query", "number"), COUNTED)
def test_all_partitions_are_counted(table: str, budget: int, query: str, number: int | None) -> None:
    said = {"filters": FILTERS, "read_budget": budget, "envelope": Envelope(count="total")}
    client = Caller(served(**said), user=ALICE)
    first = client.get(f"/posts?{query}&count=true").json
    assert (len(first["items"]), first["total"]) == (2, number)
