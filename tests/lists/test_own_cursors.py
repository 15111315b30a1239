"""Cursors of lists that a developer writes: good for the very query that gave them out, else 400, never 500."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from contract import Caller, assert_problem, counted, every_form
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import IsAuthenticated, List, ModelResource, PolyMicro, User

OTHER_QUERY = "pagination_key belongs to another query: start again from the first page."


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    team = NumberAttribute(hash_key=True, attr_name="t")
    rank = NumberAttribute(range_key=True, attr_name="r")


class Note(Model):
    class Meta:
        table_name = ""

    team = NumberAttribute(hash_key=True, attr_name="t")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    rank = NumberAttribute(attr_name="r")
    by_rank = ByRank()


@pytest.fixture
def notes(dynamodb: None, table_name: str) -> type[Note]:
    """Five notes of team 1 and five of team 2, ranked backward."""
    Note.Meta.table_name = table_name
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for team in (1, 2):
        for number in range(5):
            Note(team, str(number), rank=-number).save()
    return Note


def caller(listed: Callable[..., Any], model: type[Model] = Note) -> Caller:
    """A client of one resource whose list this is."""
    pm = PolyMicro()
    said = {"model": model, "route": "notes", "permissions": IsAuthenticated, "list": listed}
    type("Notes", (ModelResource, List), said)(pm)
    return Caller(pm.compile(), user=member())


def member(**claims: Any) -> User:
    return User("alice", claims=claims)


def key_of(client: Caller, **options: Any) -> str:
    result = client.get("/notes", **options)
    assert (result.status, len(result.json["items"])) == (200, 2), result.text
    return str(result.json["pagination_key"])


# --- parameters that a list reads from the request


def team_of(request: Any) -> int:
    return int(request.query.get("team", ("1",))[0])


def queried(self: Any, request: Any, pagination_key: Any = None, limit: int = 2) -> Any:
    return Note.query(team_of(request), last_evaluated_key=pagination_key, limit=limit)


def counted_on(self: Any, request: Any, pagination_key: Any = None, limit: int = 2) -> Any:
    start = pagination_key or 0
    return list(Note.query(team_of(request)))[start : start + limit], {}, start + limit


def named_anyhow(self: Any, limit: int = 2, **asked: Any) -> Any:
    return Note.query(team_of(asked["request"]), last_evaluated_key=asked["pagination_key"], limit=limit)


OWN = pytest.mark.parametrize("listed", [queried, counted_on, named_anyhow])


@OWN
@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"team": "2"}, id="another value"),
        pytest.param({}, id="none"),
        pytest.param({"team": ["1", "2"]}, id="one more value"),
        pytest.param({"team": "1", "sort": "rank"}, id="sort, which the list reads itself"),
        pytest.param({"team": "1", "deep": ""}, id="one more parameter"),
    ],
)
def test_a_cursor_is_bound_to_parameters_of_the_lists_own(
    notes: None, listed: Callable[..., Any], query: dict[str, Any]
) -> None:
    client = caller(listed)
    key = key_of(client, query={"team": "1"})
    with counted() as calls:
        assert_problem(client.get("/notes", query={**query, "pagination_key": key}), 400, "pagination_key")
    assert calls == []


@OWN
def test_the_same_parameters_go_on(notes: None, listed: Callable[..., Any]) -> None:
    """In any order, and whatever ``limit`` and ``fields`` say."""
    client = caller(listed)
    key = key_of(client, query={"team": "2", "deep": "1"})
    again = {"pagination_key": key, "deep": "1", "fields": "id", "limit": "3", "team": "2"}
    assert client.get("/notes", query=again).json["items"] == [{"id": "2"}, {"id": "3"}, {"id": "4"}]


@every_form
def test_the_link_leads_on_from_every_source(notes: None, form: dict[str, Any]) -> None:
    client = caller(queried)
    link = client.get("/notes?team=2&x=a%20b&x=%2C", **form).headers["link"]
    following = client.get("/notes" + link.partition(">")[0].removeprefix("<"), **form)
    assert [note["id"] for note in following.json["items"]] == ["2", "3"]


# --- what a cursor is not bound to: claims, headers, the time


def returned(team: int, request: Any, key: Any, limit: int) -> Any:
    return Note.query(team, last_evaluated_key=key, limit=limit)


def read_by_itself(team: int, request: Any, key: Any, limit: int) -> Any:
    return list(Note.query(team, last_evaluated_key=key, limit=limit)), {}, {"t": {"N": "1"}, "i": {"S": "1"}}


def of_an_index(team: int, request: Any, key: Any, limit: int) -> Any:
    if "rank" in request.user.claims:
        return Note.by_rank.query(team, last_evaluated_key=key, limit=limit)
    return Note.query(team, last_evaluated_key=key, limit=limit)


def within_bounds(team: int, request: Any, key: Any, limit: int) -> Any:
    least = request.user.claims.get("least", "0")
    return Note.query(team, Note.id >= least, last_evaluated_key=key, limit=limit)


def scanned(team: int, request: Any, key: Any, limit: int) -> Any:
    index = Note.by_rank if "rank" in request.user.claims else Note
    return index.scan(last_evaluated_key=key, limit=limit)


MOVED: Mapping[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "another partition": (returned, {"team": 2}),
    "another partition, read by the verb itself": (read_by_itself, {"team": 2}),
    "an index": (of_an_index, {"rank": 1}),
    "bounds": (within_bounds, {"least": "3"}),
    "a scan of an index": (scanned, {"rank": 1}),
}


def by_claims(query: Callable[..., Any]) -> Caller:
    """A client of a list whose partition is a claim."""

    def listed(self: Any, request: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        return query(int(request.user.claims.get("team", 1)), request, pagination_key, limit)

    return caller(listed)


@pytest.mark.parametrize(("query", "claims"), MOVED.values(), ids=MOVED)
def test_a_key_that_the_query_does_not_take_is_400(
    notes: None, query: Callable[..., Any], claims: dict[str, Any]
) -> None:
    """DynamoDB would refuse it, and the fault is the client's."""
    client = by_claims(query)
    key = key_of(client)
    result = client.get("/notes", query={"pagination_key": key}, user=member(**claims))
    assert_problem(result, 400, "pagination_key")
    assert result.json["errors"] == [{"parameter": "pagination_key", "detail": OTHER_QUERY}]


@pytest.mark.parametrize(
    "query", dict.fromkeys(query for query, _ in MOVED.values() if query is not read_by_itself)
)
@pytest.mark.parametrize("claims", [{}, {"rank": 1}], ids=["table", "index"])
def test_a_list_is_walked_to_its_end(notes: None, query: Callable[..., Any], claims: dict[str, Any]) -> None:
    client, seen = by_claims(query), 0
    parameters: dict[str, str] = {}
    for _ in range(8):
        page = client.get("/notes", query=parameters, user=member(**claims)).json
        seen += len(page["items"])
        if page["pagination_key"] is None:
            break
        parameters = {"pagination_key": page["pagination_key"]}
    assert seen == (10 if query is scanned else 5)


FOREIGN = {"t": {"N": "2"}, "i": {"S": "1"}}


@pytest.mark.parametrize("own", [returned, read_by_itself], ids=["returned", "read by itself"])
def test_a_key_of_the_verbs_own_is_the_developers_fault(notes: None, own: Callable[..., Any]) -> None:
    assert_problem(
        by_claims(lambda team, request, key, limit: own(team, request, FOREIGN, limit)).get("/notes"), 500
    )


def test_a_binary_partition(dynamodb: None, table_name: str) -> None:
    class Blob(Model):
        class Meta:
            table_name = ""

        key = BinaryAttribute(hash_key=True, legacy_encoding=False)
        id = UnicodeAttribute(range_key=True)

    Blob.Meta.table_name = table_name
    Blob.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for number in range(3):
        Blob(b"\xff", str(number)).save()

    def listed(self: Any, request: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        partition = bytes([int(request.user.claims.get("key", 255))])
        return Blob.query(partition, last_evaluated_key=pagination_key, limit=limit)

    client = caller(listed, Blob)
    query = {"pagination_key": key_of(client)}
    assert [blob["id"] for blob in client.get("/notes", query=query).json["items"]] == ["2"]
    assert_problem(client.get("/notes", query=query, user=member(key=1)), 400, "pagination_key")
