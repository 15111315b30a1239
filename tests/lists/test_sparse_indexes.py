"""An index whose sort key may be null lacks items: no list loses them by it."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_table, dynamodb_call, names
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ConfigurationError, List, ModelResource, OwnedBy, PolyMicro
from polymicro_lambda.cli.explain import explain


class ByTeam(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_team"
        projection = AllProjection()

    team = UnicodeAttribute(hash_key=True)
    due = NumberAttribute(range_key=True, attr_name="d")


class Job(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    team = UnicodeAttribute(null=True)
    due = NumberAttribute(null=True, attr_name="d")
    by_team = ByTeam()


ITEMS: list[dict[str, Any]] = [
    {"id": {"S": "soon"}, "team": {"S": "alice"}, "d": {"N": "1"}},
    {"id": {"S": "later"}, "team": {"S": "alice"}, "d": {"N": "9"}},
    {"id": {"S": "some day"}, "team": {"S": "alice"}},
    {"id": {"S": "theirs"}, "team": {"S": "bob"}, "d": {"N": "2"}},
    {"id": {"S": "nobody's"}},
]
FILTERS = {"team": "eq", "due": ("gte", "ne", "exists")}


def made(model: type[Model] = Job, **members: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="s")
    said = {"model": model, "route": "jobs", "permissions": AllowAny, **members}
    type("Jobs", (ModelResource, List), said)(pm)
    pm.compile()
    return pm


def served(model: type[Model] = Job, **members: Any) -> Caller:
    return Caller(made(model, **members), user=ALICE)


@pytest.fixture
def jobs(dynamodb: None, table_name: str) -> Any:
    create_table(Job, table_name)
    for item in ITEMS:
        dynamodb_call("put_item", TableName=table_name, Item=item)
    return served


RULES = {
    "owned": ({"permissions": OwnedBy("team")}, ""),
    "filtered": ({"filters": {"team": "eq"}}, "team=alice"),
}
MINE = ["later", "soon", "some day"]
ASKED: dict[str, tuple[str, list[str] | None, list[str]]] = {
    "the whole": ("", None, MINE),
    "sorted by the key": ("sort=-due", ["later", "soon"], ["later", "soon"]),
    "filtered on the key": ("due__gte=2", ["later"], ["later"]),
    "filtered on what is there": ("due__exists=true", ["soon", "later"], ["later", "soon"]),
    "a filter that items without it meet": ("due__ne=1", None, ["later", "some day"]),
    "those without it": ("due__exists=false", None, ["some day"]),
}


@pytest.mark.parametrize("scan", [False, True], ids=["no scan", "scan"])
@pytest.mark.parametrize(("members", "query"), RULES.values(), ids=RULES)
@pytest.mark.parametrize(("asked", "by_index", "all_of_it"), ASKED.values(), ids=ASKED)
def test_a_list_is_whole_or_refused(
    jobs: Any, members: Any, query: str, scan: bool, asked: str, by_index: Any, all_of_it: Any
) -> None:
    members = {**members, "filters": {**FILTERS, **members.get("filters", {})}}
    client = jobs(**members, scan=scan)
    with counted() as calls:
        result = client.get(f"/jobs?{'&'.join(filter(None, (query, asked)))}")
    if by_index is None and not scan:
        assert_problem(result, 400)
        detail = "No index has all of this list: sort it by due or filter on that."
        assert (result.json["detail"], calls) == (detail, [])
        return
    found = [one["id"] for one in result.json["items"]]
    assert names(calls) == ["Scan" if by_index is None else "Query"]
    assert found == by_index if by_index is not None else sorted(found) == sorted(all_of_it)


def test_a_key_that_may_not_be_null_counts_as_whole(jobs: Any, table_name: str) -> None:
    class Strict(Job):
        class Meta:
            pass

        due = NumberAttribute(attr_name="d")

    Strict.Meta.table_name = table_name
    result = jobs(Strict, permissions=OwnedBy("team")).get("/jobs")
    assert [one["id"] for one in result.json["items"]] == ["soon", "later"]


HIDDEN = {"exclude": ("due",)}


@pytest.mark.parametrize(
    ("members", "goes"),
    [
        ({"permissions": OwnedBy("team")}, True),
        ({"permissions": OwnedBy("team"), **HIDDEN}, False),
        ({"permissions": OwnedBy("team"), "load_only": ("due",)}, False),
        ({"permissions": OwnedBy("team"), **HIDDEN, "scan": True}, True),
        ({"filters": {"team": "eq"}, **HIDDEN}, False),
        ({"filters": {"team": "eq", "due": "gte"}, "load_only": ("due",)}, True),
    ],
    ids=["shown", "excluded", "load only", "scan", "filter, excluded", "filter on it"],
)
def test_a_list_that_could_serve_no_request_is_refused(members: Any, goes: bool) -> None:
    if goes:
        served(**members)
        return
    with pytest.raises(ConfigurationError, match=r"Jobs\.list could serve no request: .* without due,"):
        served(**members)


def test_explain_says_why_it_is_a_scan() -> None:
    said = explain(made(filters={"team": "eq"}, scan=True), "GET /jobs?team=alice", ALICE)
    assert ("calls", "Scan on the table") in said
    assert said[-1] == (
        "why",
        "the index by_team lacks items without d: sort by it or filter on it to use that",
    )


@pytest.mark.parametrize(
    ("optional", "operations", "found"),
    [(True, ["Scan"], ["later", "nobody's", "soon"]), (False, ["Query"], ["later", "soon"])],
)
def test_an_item_that_lacks_the_partition_key_counts_by_its_default(
    jobs: None, table_name: str, optional: bool, operations: list[str], found: list[str]
) -> None:
    """Where the key may be null; one that may not be null counts as whole, as any index."""

    class Lasting(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        team = UnicodeAttribute(null=optional, default="alice")
        due = NumberAttribute(attr_name="d", default=0)
        by_team = ByTeam()

    Lasting.Meta.table_name = table_name  # type: ignore[attr-defined]
    dynamodb_call("delete_item", TableName=table_name, Key={"id": {"S": "some day"}})
    client = served(Lasting, filters=FILTERS, scan=True)
    with counted() as calls:
        listed = client.get("/jobs?team=alice").json["items"]
    assert (names(calls), sorted(one["id"] for one in listed)) == (operations, found)


@pytest.mark.parametrize("scan", [False, True], ids=["no scan", "scan"])
@pytest.mark.parametrize(("asked", "by_index", "all_of_it"), ASKED.values(), ids=ASKED)
def test_a_list_of_several_partitions_is_whole_or_refused(
    jobs: Any, scan: bool, asked: str, by_index: Any, all_of_it: Any
) -> None:
    """Merged queries lose no more than one does."""
    client = jobs(filters={**FILTERS, "team": "in"}, scan=scan)
    with counted() as calls:
        result = client.get(f"/jobs?team__in=alice,nobody&{asked}")
    if by_index is None and not scan:
        assert_problem(result, 400)
        detail = "No index has all of this list: sort it by due or filter on that."
        assert (result.json["detail"], calls) == (detail, [])
        return
    found = [one["id"] for one in result.json["items"]]
    assert names(calls) == (["Scan"] if by_index is None else ["Query", "Query"])
    assert found == by_index if by_index is not None else sorted(found) == sorted(all_of_it)


class ByOwner(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)


class Task(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(null=True, default="alice")
    by_owner = ByOwner()


@pytest.mark.parametrize(
    ("query", "found", "by_scan"),
    [
        ("owner=alice", ["hers", "old"], True),
        ("owner__in=alice,bob", ["hers", "his", "old"], True),
        ("owner__in=bob,eve", ["his"], False),
        ("owner__in=bob", ["his"], False),
    ],
)
def test_a_partition_that_a_default_stands_for(
    dynamodb: None, table_name: str, query: str, found: list[str], by_scan: bool
) -> None:
    """An item without the key is in no partition of the index: a list of that default is no list by it."""
    create_table(Task, table_name)
    for name, owner in (("hers", "alice"), ("his", "bob"), ("old", None)):
        key = {} if owner is None else {"owner": {"S": owner}}
        dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": name}, **key})
    declared = {"model": Task, "filters": {"owner": ("eq", "in")}}
    with counted() as calls:
        listed = served(**declared, scan=True).get(f"/jobs?{query}").json["items"]
    assert sorted(one["id"] for one in listed) == found
    assert set(names(calls)) == {"Scan" if by_scan else "Query"}
    said = explain(made(**declared, scan=True), f"GET /jobs?{query}", ALICE)
    why = ("why", "the index by_owner lacks items without owner, for which a default stands")
    assert (why in said) is by_scan
    refused = served(**declared).get(f"/jobs?{query}")
    assert refused.status == (400 if by_scan else 200)
    if by_scan:
        assert_problem(refused, 400)
        assert refused.json["detail"] == "No index has all of this list."
