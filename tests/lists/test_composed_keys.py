"""Lists by the parts of composed keys: which calls they take, and that they are as Python has them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_table, names, resolved
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ComposedAttribute,
    ConfigurationError,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.deploy.iam_policy import grants

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=day) for day in range(3)]


class ByState(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_state"
        projection = AllProjection()

    team_status = ComposedAttribute("{team}#{status}", hash_key=True)
    due_name = ComposedAttribute("{due}#{name}", range_key=True)


class ByTeam(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_team"
        projection = KeysOnlyProjection()

    team = UnicodeAttribute(hash_key=True)
    status_due = ComposedAttribute("{status}#{due}", range_key=True)


class Job(Model):
    class Meta:
        table_name = ""

    owner_key = ComposedAttribute("USER#{owner}", hash_key=True)
    job_key = ComposedAttribute("JOB#{project}#{name}", range_key=True)
    owner = UnicodeAttribute()
    project = UnicodeAttribute()
    name = UnicodeAttribute()
    team = UnicodeAttribute()
    status = UnicodeAttribute(null=True)
    due = UTCDateTimeAttribute(default=FIRST)
    by_state = ByState()
    team_status = ComposedAttribute("{team}#{status}")
    due_name = ComposedAttribute("{due}#{name}")
    by_team = ByTeam()
    status_due = ComposedAttribute("{status}#{due}")


FILTERS = {
    "owner": "eq",
    "project": ("eq", "begins_with"),
    "name": ("eq", "gt", "begins_with", "between"),
    "team": ("eq", "in"),
    "status": ("eq", "gte", "in"),
    "due": ("eq", "gte", "lt", "between"),
}


def served(permissions: Any = AllowAny, route: str = "jobs", **members: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="s")
    said = {"model": Job, "route": route, "permissions": permissions, "filters": FILTERS, **members}
    type("Jobs", (ModelResource, List), said)(pm)
    pm.compile()
    return pm


@pytest.fixture
def jobs(dynamodb: None, table_name: str) -> None:
    create_table(Job, table_name)
    for owner, name, status, day in [
        ("alice", "1", "open", 0),
        ("alice", "2", "open", 2),
        ("alice", "3", "done", 1),
        ("alice", "4", None, 1),
        ("bob", "5", "open", 1),
    ]:
        Job(owner=owner, project="p", name=name, team="red", status=status, due=DAYS[day]).save()


def got(result: Any) -> list[str]:
    assert result.status == 200, result.text
    return [item["name"] for item in result.json["items"]]


OPEN = "team=red&status=open"


@pytest.mark.parametrize(
    ("query", "expected", "calls"),
    [
        (OPEN, ["1", "5", "2"], ["Query"]),
        (f"{OPEN}&sort=-due", ["2", "5", "1"], ["Query"]),
        (f"{OPEN}&due__gte=2026-01-02T00:00:00Z", ["5", "2"], ["Query"]),
        (f"{OPEN}&due__lt=2026-01-02T00:00:00Z", ["1"], ["Query"]),
        (f"{OPEN}&due__between=2026-01-02T00:00:00Z,2026-01-03T00:00:00Z&sort=-due", ["2", "5"], ["Query"]),
        (
            f"{OPEN}&due__between=2026-01-02T00:00:00Z,2026-01-03T00:00:00Z&due__lt=2026-01-02T00:00:00Z",
            [],
            ["Query"],
        ),
        (
            f"{OPEN}&due__between=2026-01-02T00:00:00Z,2026-01-03T00:00:00Z&due__lt=2026-01-01T00:00:00Z",
            [],
            [],
        ),
        (f"{OPEN}&due=2026-01-02T00:00:00Z", ["5"], ["Query"]),
        (f"{OPEN}&due=2026-01-02T00:00:00Z&name__gt=5", [], ["Query"]),
        (f"{OPEN}&due=2026-01-02T00:00:00Z&sort=name", ["5"], ["Query"]),
        (f"{OPEN}&owner=alice&sort=-due", ["2", "1"], ["Query"]),
        ("team=red&status__gte=open&sort=team", ["1", "5", "2"], ["Query", "BatchGetItem"]),
        ("owner=alice", ["1", "2", "3", "4"], ["Query"]),
        ("owner=alice&project=p&sort=-name", ["4", "3", "2", "1"], ["Query"]),
        ("owner=alice&project=p&name__gt=2&sort=name", ["3", "4"], ["Query"]),
        ("owner=alice&project=p&name__begins_with=2", ["2"], ["Query"]),
        ("owner=alice&project__begins_with=p", ["1", "2", "3", "4"], ["Query"]),
        ("owner=alice&project=p&name=2", ["2"], ["Query"]),
        ("team=re%23d&status=open", [], []),
        ("team=re%23d&status=open&sort=due", [], []),
        (f"{OPEN}&due__gte=2026-01-03T00:00:00Z&due__lt=2026-01-01T00:00:00Z&sort=-due", [], []),
        ("owner=alice&project=p%23&sort=name", [], []),
        ("team=red&status__in=open,done&sort=due", ["1", "3", "5", "2"], ["Query", "Query"]),
        ("team=red&status__in=open,done&sort=-due&owner=alice", ["2", "3", "1"], ["Query", "Query"]),
        (
            "team__in=red,blue&status=open&due__gte=2026-01-02T00:00:00Z&sort=due",
            ["5", "2"],
            ["Query", "Query"],
        ),
        ("team__in=re%23d,red&status=open&sort=due", ["1", "5", "2"], ["Query"]),
        ("team__in=re%23d&status=open", [], []),
        ("owner=al%23ice", [], ["Query"]),
    ],
)
def test_which_calls_a_list_takes(jobs: None, query: str, expected: list[str], calls: list[str]) -> None:
    client = Caller(served(), user=ALICE)
    with counted() as made:
        assert got(client.get(f"/jobs?{query}")) == expected
    assert names(made) == calls


def test_what_the_key_says_is_no_filter(jobs: None) -> None:
    """The parts need not even be in the index. A range on a part that is not the last is a filter too."""
    client = Caller(served(), user=ALICE)
    with counted() as made:
        client.get(f"/jobs?{OPEN}&due__gte=2026-01-02T00:00:00Z")
        client.get("/jobs?owner=alice&project=p&name__gt=2")
    (_, by_state), (_, of_table) = made
    values = {**by_state["ExpressionAttributeValues"]}
    due = {"S": "2026-01-02T00:00:00.000000+0000"}
    assert [values[":0"], values[":1"], values[":2"]] == [{"S": "red#open"}, due, due]
    assert by_state["KeyConditionExpression"] == "(#0 = :0 AND #1 >= :1)"
    assert by_state["FilterExpression"].startswith("((#2 >= :2 AND")
    assert of_table["ExpressionAttributeValues"] == {
        ":0": {"S": "USER#alice"},
        ":1": {"S": "JOB#p#2"},
        ":2": {"S": "JOB#p$"},
    }
    assert of_table["KeyConditionExpression"] == "(#0 = :0 AND #1 BETWEEN :1 AND :2)"
    assert "FilterExpression" not in of_table


@pytest.mark.parametrize(
    ("query", "detail", "places"),
    [
        ("status=open", "No index serves this list: say which owner or team by a filter.", []),
        ("team=red&sort=due", "The list cannot be sorted by due: say which status by a filter.", ["sort"]),
        (
            "owner=alice&sort=name",
            "The list cannot be sorted by name: say which project or team and status and due by a filter.",
            ["sort"],
        ),
        ("owner=alice&sort=project", "The list cannot be sorted by project.", ["sort"]),
        ("team_status=red%23open", None, ["team_status"]),
        ("sort=team_status", None, ["sort"]),
        ("fields=team_status", None, ["fields"]),
    ],
)
def test_what_no_index_serves_is_told_by_the_parts(jobs: None, query: str, detail: Any, places: Any) -> None:
    result = Caller(served(), user=ALICE).get(f"/jobs?{query}")
    assert_problem(result, 400, *places)
    assert detail is None or result.json["detail"] == detail


def test_an_index_without_a_part_serves_no_list_that_loses_items(jobs: None) -> None:
    """Without a status a job is in neither index; sorted by it, or filtered on it, the list has none such."""
    client = Caller(served(), user=ALICE)
    told = client.get("/jobs?team=red").json["detail"]
    assert told == "No index has all of this list: sort it by status or filter on that."
    assert got(Caller(served(scan=True), user=ALICE).get("/jobs?team=red&sort=team")) == [
        "1",
        "2",
        "3",
        "4",
        "5",
    ]


def test_the_rule_and_the_path_bind_parts(jobs: None) -> None:
    own = Caller(served(OwnedBy("owner")), user=ALICE)
    with counted() as made:
        assert got(own.get("/jobs?project=p&sort=-name")) == ["4", "3", "2", "1"]
    (_, said), *_ = made
    assert said["KeyConditionExpression"] == "(#0 = :0 AND begins_with (#1, :1))"
    assert said["ExpressionAttributeValues"] == {":0": {"S": "USER#alice"}, ":1": {"S": "JOB#p#"}}
    assert "FilterExpression" not in said
    in_path = Caller(served(route="teams/{team}/states/{status}/jobs"), user=ALICE)
    assert got(in_path.get("/teams/red/states/open/jobs?sort=-due")) == ["2", "5", "1"]


def test_explain_tells_the_key(jobs: None) -> None:
    said = dict(explain(served(), f"GET /jobs?{OPEN}&due__gte=2026-01-02T00:00:00Z&sort=-due", ALICE))
    assert said["calls"] == "Query on the global index by_state, backwards"
    assert said["key"] == 'team_status = "red#open" AND due_name >= "2026-01-02T00:00:00.000000+0000"'


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"filters": {"team_status": "eq"}}, r"Jobs\.filters\['team_status'\] is made of team and status"),
        (
            {"filters": {"status": "eq"}},
            r"nothing binds the partition key 'owner' of the table, or 'team' of the index by_state, or 'team' of the"
            r" index by_team\. Bind one of these by OwnedBy",
        ),
        (
            {"default_sort": "-status_due"},
            r"Jobs\.default_sort: 'status_due' is made of status and due: sort by one",
        ),
        (
            {"default_sort": "-due", "filters": {"team": "eq", "owner": "eq"}},
            r"Jobs\.default_sort: no list can be sorted by 'due', as nothing binds status: add a filter on that",
        ),
        ({"dump_only": ("team_status",)}, r"Jobs\.dump_only: 'team_status' is made of team and status"),
    ],
)
def test_mistakes_are_told_by_the_parts(members: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        served(**members)


# --- as Python has it -----------------------------------------------------------------------------------------

ALPHABET = ["", " ", "!", "a", "a!", "ab", "b", "b~", "é"]
VALUES: dict[str, list[Any]] = {
    "a": ALPHABET,
    "b": [*ALPHABET, "#", "a#", "a#b"],
    "n": [-1, 2, 10],
    "t": DAYS,
    "f": [True, False],
    "x": [b"", b"\x00", b"\x00\xff", b"\x01"],
}
ATTRIBUTES: dict[str, Any] = {
    "a": UnicodeAttribute,
    "b": UnicodeAttribute,
    "n": NumberAttribute,
    "t": UTCDateTimeAttribute,
    "f": BooleanAttribute,
    "x": lambda: BinaryAttribute(legacy_encoding=False),
}
SHAPES = [
    ("A{a}", "B{b}"),
    ("{a}#{n}", "{t}#{b}"),
    ("K{f}", "{a}#{t}#{b}"),
    ("{n}", "{a}#{b}~"),
    ("{f}", "{x}#{n}"),
    ("{t}", "{f}#{a}"),
]
ORDERS = [["b"], ["t", "b"], ["t", "b"], [], [], ["f", "a"]]
"""For each shape the parts by whose values its index can sort, where those before are bound."""
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, said: value == said,
    "in": lambda value, said: value in said,
    "gt": lambda value, said: value > said,
    "gte": lambda value, said: value >= said,
    "lt": lambda value, said: value < said,
    "lte": lambda value, said: value <= said,
    "between": lambda value, said: said[0] <= value <= said[1],
    "begins_with": lambda value, said: value.startswith(said),
}
OPERATORS = {name: [*TESTS][: {"f": 1, "n": 7, "t": 7, "x": 7}.get(name, 8)] for name in VALUES}


def shaped(partition: str, sort: str, projection: Any) -> Any:
    meta = type("Meta", (), {"index_name": "by_key", "projection": projection})
    keys = {"p": ComposedAttribute(partition, hash_key=True), "s": ComposedAttribute(sort, range_key=True)}
    members = {
        "Meta": type("Meta", (), {"table_name": ""}),
        "id": UnicodeAttribute(hash_key=True),
        "by_key": type("ByKey", (GlobalSecondaryIndex,), {"Meta": meta, **keys})(),
        "p": ComposedAttribute(partition),
        "s": ComposedAttribute(sort),
        **{name: make() for name, make in ATTRIBUTES.items()},
    }
    return type("Shaped", (Model,), members)


def parts(template: str) -> list[str]:
    return [one[0] for one in template.split("{")[1:]]


rows_of = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(several) for name, several in VALUES.items()}), max_size=12
)


@st.composite
def filters_of(draw: st.DrawFn, shape: tuple[str, str]) -> list[tuple[str, str, Any]]:
    """Equality of the partition's parts, and anything of the others."""
    said: list[tuple[str, str, Any]] = [
        (name, "eq", draw(st.sampled_from(VALUES[name]))) for name in parts(shape[0])
    ]
    name, several = parts(shape[0])[0], draw(st.booleans())
    if several and name != "f":
        values = st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=3)
        said = [(name, "in", draw(values)), *said[1:]]
    for name in draw(
        st.lists(st.sampled_from(sorted({*VALUES} - {*parts(shape[0])})), max_size=3, unique=True)
    ):
        for operator in draw(st.lists(st.sampled_from(OPERATORS[name]), max_size=2, unique=True)):
            one = st.sampled_from([one for one in VALUES[name] if one or operator != "begins_with"])
            some = {"between": st.tuples(one, one).map(sorted), "in": st.lists(one, min_size=1, max_size=3)}
            value = draw(some.get(operator, one))
            said.append((name, operator, value))
    return said


def conditions(model: Any, said: list[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    filters: dict[str, dict[str, Any]] = {}
    for name, operator, value in said:
        filters.setdefault(name, {})[operator] = value
    return filters


def walk(resource: Any, filters: Any, sort: str | None, limit: int, budget: int = 100) -> Iterator[Any]:
    """All items of a list, page by page."""
    key = None
    while True:
        plan = resource.planner.plan(filters, sort)
        page = resource.store.rows(plan, pagination_key=key, limit=limit).page(limit, budget)
        yield from page.items
        key = page.key
        if key is None:
            return


@pytest.mark.thorough(but=("all-A{a} B{b}",))
@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[" ".join(one) for one in SHAPES])
@pytest.mark.parametrize("projection", [AllProjection(), KeysOnlyProjection()], ids=["all", "keys"])
def test_lists_are_as_python_has_them(dynamodb: None, table_name: str, projection: Any, number: int) -> None:
    shape = SHAPES[number]
    model = shaped(*shape, projection)
    create_table(model, table_name)
    pm = PolyMicro(cursor_secret="s")
    said = {"model": model, "route": "rows", "permissions": AllowAny, "filters": OPERATORS}
    resource: Any = type("Rows", (ModelResource, List), said)(pm)
    pm.compile()

    @settings(
        max_examples=42,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(rows=rows_of, asked=filters_of(shape), data=st.data())
    def check(rows: list[dict[str, Any]], asked: list[tuple[str, str, Any]], data: st.DataObject) -> None:
        with model.batch_write() as batch:
            for old in model.scan():
                batch.delete(old)
        with model.batch_write() as batch:
            for place, row in enumerate(rows):
                batch.save(model(id=str(place), **row))
        wanted = [
            str(place)
            for place, row in enumerate(rows)
            if all(TESTS[operator](row[name], value) for name, operator, value in asked)
        ]
        bound = {name for name, operator, value in asked if operator == "eq"}
        before = [*parts(shape[1])]
        while before and before[0] in bound:
            before.pop(0)
        sorts = [*bound, *(one for one in before[:1] if one in ORDERS[number])]
        sort = data.draw(st.sampled_from([None, *sorted(sorts)]))
        sign = data.draw(st.sampled_from(["", "-"]))
        found = [
            *walk(resource, conditions(model, asked), sort and sign + sort, data.draw(st.integers(1, 4)))
        ]
        assert sorted(one.id for one in found) == sorted(wanted)
        if sort is not None:
            values = [getattr(one, sort) for one in found]
            assert values == sorted(values, reverse=sign == "-")

    check()


ONE_OF = {
    "a partition's part": ("team=red&status__in=open", OPEN),
    "a part that is named twice": ("team__in=red,red&status__in=open&sort=-due", f"{OPEN}&sort=-due"),
    "a part beside one of several values": (
        "team__in=red,blue&status__in=open&sort=due",
        "team__in=red,blue&status=open&sort=due",
    ),
    "a sort key's part": ("owner=alice&project__in=p&name__gt=1", "owner=alice&project=p&name__gt=1"),
    "a part that the order needs": (
        "owner=alice&project__in=p&sort=-name",
        "owner=alice&project=p&sort=-name",
    ),
}


@pytest.mark.parametrize(("one_of", "equal"), ONE_OF.values(), ids=ONE_OF)
def test_one_value_of_in_is_equality(jobs: None, one_of: str, equal: str) -> None:
    client = Caller(served(filters=FILTERS | {"project": ("eq", "in")}), user=ALICE)
    with counted() as expected_calls:
        expected = client.get(f"/jobs?{equal}").json["items"]
    with counted() as calls:
        assert client.get(f"/jobs?{one_of}").json["items"] == expected
    assert ("Query", expected) == (calls[0][0], client.everywhere("GET", f"/jobs?{one_of}").json["items"])
    assert calls == expected_calls


class ByBoth(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_both"
        projection = AllProjection()

    team_status = ComposedAttribute("{team}#{status}", hash_key=True)


class Task(Model):
    class Meta:
        table_name = "tasks"

    id = UnicodeAttribute(hash_key=True)
    team = UnicodeAttribute()
    status = UnicodeAttribute()
    team_status = ComposedAttribute("{team}#{status}")
    by_both = ByBoth()


def test_the_policy_has_the_index_that_values_of_in_lead_to() -> None:
    pm = served(model=Task, filters={"team": "in", "status": "in"})
    said = dict(explain(pm, "GET /jobs?team__in=red&status__in=open", ALICE))
    assert said["calls"] == "Query on the global index by_both"
    [route] = pm.routes
    assert ("by_both", "Query") in {(one.index, one.operation) for one in grants(route)}


def test_a_walk_by_a_composed_key_while_others_write(jobs: None) -> None:
    """Each job that was there all along is given once, in order, forwards and backwards."""
    for number in range(60):
        Job(
            owner="alice", project="p", name=f"n{number:03}", team="blue", status="open", due=DAYS[number % 3]
        ).save()
    client = Caller(served(), user=ALICE)
    for sign in ("", "-"):
        path, given_, fresh = f"/jobs?team=blue&status=open&sort={sign}due&limit=7", [], 0
        while path:
            result = client.get(path)
            given_ += result.json["items"]
            Job(
                owner="bob", project="p", name=f"new{sign}{fresh}", team="blue", status="open", due=DAYS[1]
            ).save()
            fresh += 1
            path = resolved(result, path, "link") if "link" in result.headers else ""
        seen = [one["name"] for one in given_]
        assert len(seen) == len(set(seen))
        assert {f"n{number:03}" for number in range(60)} <= set(seen)
        assert [one["due"] for one in given_] == sorted((one["due"] for one in given_), reverse=sign == "-")


def test_the_order_of_the_resource_may_be_that_of_a_part(jobs: None) -> None:
    client = Caller(served(default_sort="-due"), user=ALICE)
    assert got(client.everywhere("GET", f"/jobs?{OPEN}")) == ["2", "5", "1"]
    refused = client.everywhere("GET", "/jobs?owner=alice")
    assert_problem(refused, 400)
    assert (
        refused.json["detail"] == "The list cannot be sorted by due: say which team and status by a filter."
    )
    assert_problem(client.get("/jobs?owner=alice&sort=-due"), 400, "sort")
