"""Answers as large as their event source carries, and no larger: what Lambda's runtime would write is measured."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from contract import ALICE, FORMS, Caller, assert_problem, counted, dynamodb_call, every_form, names
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.dispatch import dispatcher
from polymicro_lambda.dispatch.responses import response_limits
from polymicro_lambda.dispatch.responses.response_limits import (
    BESIDES,
    CARRIERS,
    LAMBDA,
    SMALL,
    Carrier,
    body_room,
    fits,
    json_size,
)
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.http import source_of
from polymicro_lambda.http.responses import Response
from polymicro_lambda.testing import make_event

MB = 1_000_000
ITEMS = 12


class ByState(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_state"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute(range_key=True)


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    rank = NumberAttribute(range_key=True)


class Doc(Model):
    class Meta:
        table_name = "large-docs"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute(default="open")
    rank = NumberAttribute(null=True)
    text = UnicodeAttribute(null=True)
    data = BinaryAttribute(legacy_encoding=False, null=True)
    by_state = ByState()
    by_rank = ByRank()


def carries(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Have Lambda carry so many bytes."""
    monkeypatch.setattr(response_limits, "LAMBDA", Carrier("AWS Lambda", most))
    for one in (response_limits, dispatcher):
        monkeypatch.setattr(one, "SMALL", 0)


class Odd(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.rank % 2)


class Docs(ModelResource, Create, List, Retrieve, Update):
    model = Doc
    route = "docs"
    max_bulk = 5
    permissions = OwnedBy("owner")
    filters: ClassVar[Any] = {"state": ("eq", "begins_with"), "rank": ("eq", "gte"), "id": "in"}

    @action(detail=False)
    def report(self) -> Any:
        return {"text": "x" * 7 * MB}

    @action(detail=False, methods=("GET",))
    def all(self) -> Any:
        return ["x" * MB] * 7

    @action(detail=False)
    def refuse(self, req: Any) -> Any:
        raise Conflict("No.", members={"current": "x" * req["mb"] * MB})


class Judged(Docs):
    route = "judged"
    permissions = OwnedBy("owner") & Odd()


class Own(Docs):
    route = "own"

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return Doc.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)


class Keyed(Docs):
    """With keys of its own, which only it can read."""

    route = "keyed"

    def list(self, user: Any, pagination_key: Any = None) -> Any:
        return Doc.query(user.uuid), {}, 7


class Bare(Docs):
    route = "bare"
    envelope = False


@pytest.fixture
def api(dynamodb: None) -> Iterator[Caller]:
    Doc.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    pm = PolyMicro()
    for resource in (Docs, Judged, Own, Keyed, Bare):
        resource(pm)
    yield Caller(pm.compile(), user=ALICE)
    Doc.delete_table()


def put(number: int, **more: Any) -> None:
    """A document of alice's, past the API."""
    item = {"owner": {"S": "alice"}, "id": {"S": f"d{number:02}"}, "state": {"S": f"open-{number % 3}"}}
    dynamodb_call("put_item", TableName=Doc.Meta.table_name, Item=item | more)


LARGE = "é" * 190_000
"""380 KB, and over 1 MB as JSON in JSON. Not in the local index, as the two together may have no more than 400 KB."""


def outer(result: Any) -> int:
    """Bytes of the answer as Lambda's runtime writes it, by the Python that escapes most."""
    return len(json.dumps(result.response))


# --- lists ---------------------------------------------------------------------------------------------

LISTS = {
    "the table": "/docs?limit=100",
    "filtered": "/docs?limit=100&state__begins_with=open",
    "a global index, completed": "/docs?limit=100&sort=-state",
    "a local index, backwards": "/docs?limit=100&sort=-rank",
    "filtered by an index": "/docs?limit=100&rank__gte=0&sort=rank",
    "judged row by row": "/judged?limit=100",
    "picked by keys": "/docs?limit=100&id__in=" + ",".join(f"d{number:02}" for number in range(ITEMS)),
    "a query of the resource's own": "/own?limit=100",
    "without an envelope": "/bare?limit=100",
}


@pytest.mark.parametrize("asked", LISTS.values(), ids=LISTS)
def test_a_list_goes_on_after_the_last_item_that_was_sent(
    api: Caller, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever each item's size: every item comes, once, in order, and no page is larger than it may be."""
    for number in range(ITEMS):
        put(number, rank={"N": str(number)}, text={"S": "é" * (1 + number * 431 % 4000)})
    whole = ids(api.get(asked))
    most = 75_000
    carries(monkeypatch, most)
    pages = list(api.pages(asked))
    assert all(outer(page) <= most for page in pages)
    assert [one for page in pages for one in ids(page)] == whole
    assert (len(pages) > 1, len(whole)) == (True, ITEMS // 2 if "judged" in asked else ITEMS)
    assert len({page.headers["etag"] for page in pages}) == len(pages)


def ids(page: Any) -> list[str]:
    found = page.json if isinstance(page.json, list) else page.json["items"]
    return [item["id"] for item in found]


@pytest.mark.thorough(but=("rest", "alb-multi"))
@every_form
def test_each_source_has_its_own_bound(api: Caller, form: dict[str, Any]) -> None:
    """By real sizes: 1 MB behind a load balancer, 6 MB elsewhere. Text of quotes is four times as long outside."""
    for number in range(6):
        put(number, text={"S": '"' * 150_000})
    most = MB if form["source"] == "alb" else 6 * MB
    pages = list(api.pages("/docs", **form))
    assert [len(ids(page)) for page in pages] == ([1] * 6 if form["source"] == "alb" else [6])
    assert all(outer(page) <= most for page in pages)


def test_no_call_is_made_twice_for_a_shorter_page(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        put(number, text={"S": "x" * 10_000})
    carries(monkeypatch, 60_000)
    with counted() as calls:
        assert len(ids(api.get("/docs?sort=state"))) == 2
    assert names(calls) == ["Query", "BatchGetItem"]


def test_an_item_too_large_for_a_list_can_be_passed(api: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """It is not left out in silence: the page is an error, which says where to go on."""
    for number in range(3):
        put(number, **({"text": {"S": LARGE}} if number == 1 else {}))
    first = api.get("/docs", source="alb")
    assert ids(first) == ["d00"]
    stuck = api.get("/docs", query={"pagination_key": first.json["pagination_key"]}, source="alb")
    assert (stuck.status, stuck.json["detail"]) == (
        500,
        "The first item of this page is larger than what a load balancer carries (1 MB): ask for less of it,"
        " e.g. by fields.",
    )
    assert "pagination_key" in stuck.headers["link"]
    last = api.get("/docs", query={"pagination_key": stuck.json["pagination_key"]}, source="alb")
    assert (ids(last), last.json["pagination_key"]) == (["d02"], None)
    assert ids(api.get("/docs?fields=id", source="alb")) == ["d00", "d01", "d02"]
    assert [record.getMessage() for record in caplog.records] == ["Request failed: AnswerTooLarge"]


def test_a_page_that_nobody_can_cut_is_an_error(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is the resource's own, and stands behind all of it."""
    put(1, text={"S": "x" * 50_000})
    assert api.get("/keyed").status == 200
    carries(monkeypatch, 60_000)
    assert api.get("/keyed").status == 500


# --- items ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [FORMS["alb-multi"], FORMS["alb-single"]], ids=["multi", "single"])
def test_an_item_that_is_too_large_is_said_so(
    api: Caller, form: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    put(1, text={"S": LARGE})
    result = api.get("/docs/d01", **form)
    assert_problem(result, 500)
    assert result.json["detail"] == (
        "The answer is larger than what a load balancer carries (1 MB): ask for less of it, e.g. by fields."
    )
    assert [record.getMessage() for record in caplog.records] == ["Request failed: AnswerTooLarge"]
    assert api.get("/docs/d01?fields=id", **form).json == {"id": "d01"}
    assert api.get("/docs/d01", source="rest").status == 200
    assert api.head("/docs/d01", **form).status == 500


def test_a_write_that_cannot_be_shown_is_still_told_of(api: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """What was done must not look undone: the client would do it again."""
    made = api.post("/docs", json={"id": "new", "text": LARGE}, source="alb")
    said = made.headers
    assert (made.status, made.body, said["location"], "content-type" in said) == (201, b"", "docs/new", False)
    changed = api.patch("/docs/new", json={"state": "done"}, source="alb")
    assert (changed.status, changed.body, "etag" in changed.headers) == (204, b"", True)
    assert api.get("/docs/new?fields=state").json == {"state": "done"}
    assert [record.getMessage() for record in caplog.records] == [
        "The answer to a write was too large, and went out without its body: create",
        "The answer to a write was too large, and went out without its body: update",
    ]


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        (
            "POST",
            "/docs/report",
            "This was done, but the answer is larger than what AWS Lambda carries (6 MB)",
        ),
        ("GET", "/docs/all", "The answer is larger than what AWS Lambda carries (6 MB)"),
    ],
)
def test_an_action_may_not_give_more_either(api: Caller, method: str, path: str, said: str) -> None:
    result = api.request(method, path)
    assert_problem(result, 500)
    assert result.json["detail"].startswith(said)


def test_each_of_many_is_told_of(api: Caller) -> None:
    """If no more than its status: the client must know what is there."""
    items = [{"id": str(number), "text": "é" * 100_000} for number in range(2)]
    lenient = {"Prefer": "handling=lenient"}
    result = api.post("/docs", json=[*items, {"rank": "x"}], headers=lenient, source="alb")
    expected = {"failed": 1, "items": [{"status": 201}, {"status": 201}, {"status": 422}]}
    assert (result.status, result.json) == (207, expected)
    again = [{**one, "id": f"{one['id']}b"} for one in items]
    whole = api.post("/docs", json=again, source="alb")
    assert (whole.status, whole.body) == (201, b"")
    assert ids(api.get("/docs?fields=id")) == ["0", "0b", "1", "1b"]


class Partly(Docs):
    route = "partly"

    def create(self) -> Any:
        return [{"status": 409, "detail": "x" * MB}] * 7, 207


def test_what_has_failed_in_part_does_not_look_done(api: Caller) -> None:
    """Its body says which part: without it the status would hide that."""
    pm = PolyMicro()
    Partly(pm)
    result = Caller(pm.compile(), user=ALICE).post("/partly", json={"id": "1"})
    assert_problem(result, 500)
    assert result.json["detail"].startswith("This was done, but the answer is larger")


@pytest.mark.parametrize(("form", "mb"), [("rest", 7), ("alb-multi", 2)])
def test_an_error_sheds_what_makes_it_large(api: Caller, form: str, mb: int) -> None:
    result = api.post("/docs/refuse", json={"mb": mb}, **FORMS[form])
    assert_problem(result, 409)
    assert result.json["detail"] == "No."


# --- measured ------------------------------------------------------------------------------------------


@given(
    body=st.text(max_size=300).map(str.encode) | st.binary(max_size=300), form=st.sampled_from(list(FORMS))
)
@settings(max_examples=50, deadline=None)
def test_no_answer_is_larger_than_it_is_counted(body: bytes, form: str) -> None:
    event = make_event("GET", "/docs", **FORMS[form])
    headers = {"x-a": '"' * 4000, "x-b": "\\" * 4000, **{f"x-{n}": "1" for n in range(20)}}
    answer = source_of(event).to_response(Response(200, headers, body), event)
    assert len(json.dumps(answer)) <= json_size(body) + BESIDES
    assert json_size(body) <= len(body) * 6 + 2


def test_the_bound_itself() -> None:
    """A body of plain letters, to the byte; two are its quotes."""
    for source, carrier in {"rest": LAMBDA, **CARRIERS}.items():
        most = carrier.bytes - BESIDES - 2
        assert body_room(source) == most + 2
        assert json_size(b"\0" * SMALL) <= body_room(source)
        assert (fits(b"x" * most, source), fits(b"x" * (most + 1), source)) == (True, False)
    assert (LAMBDA.bytes, CARRIERS["alb"].bytes) == (6_291_456, 1_000_000)
