"""Lists of the app's own that wrap a page: rule, filters, order, fields, cursor and count hold as in any list."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, create_table, names
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Envelope,
    InGroup,
    List,
    ModelResource,
    One,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    action,
)
from polymicro_lambda.dispatch.responses import response_limits


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    rank = NumberAttribute(range_key=True)


class Note(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    rank = NumberAttribute()
    done = BooleanAttribute(default=False)
    text = UnicodeAttribute(default="")
    by_rank = ByRank()


class Even(Permission):
    """An opaque rule, by which the notes 0, 2, 4 … are there."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return int(instance.rank) % 2 == 0


Verb = Callable[..., Any]


def app(listed: Verb, **declared: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="secret")
    said = {
        "model": Note,
        "route": "notes",
        "permissions": OwnedBy("owner"),
        "filters": {"done": "eq", "rank": "lt"},
        "list": listed,
    }
    type("Notes", (ModelResource, List), said | declared)(pm)
    return pm


Api = Callable[..., Caller]


def client_of(listed: Verb, **declared: Any) -> Caller:
    return Caller(app(listed, **declared).compile(), user=ALICE)


@pytest.fixture
def api(dynamodb: None, table_name: str) -> Api:
    """Makes clients of a resource with a list of its own, and seven notes of alice's, ranked backwards."""
    create_table(Note, table_name)
    for number in range(7):
        Note("alice", str(number), rank=-number, done=number > 3).save()
    Note("bob", "9", rank=0).save()
    return client_of


# --- what a verb may return ------------------------------------------------------------------------------------


def wrapping(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    page = List.list(self, user, pagination_key, limit)
    return page.wrapped({"notes": page})


def naming(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    page = List.list(self, user, pagination_key, limit)
    return page.wrapped({"notes": [{"id": note.id} for note in page]})


def lazily(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    page = List.list(self, user, pagination_key, limit)
    return page.wrapped({"notes": ({"id": note.id} for note in page)})


def deeply(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    page = List.list(self, user, pagination_key, limit)
    assert [note.id for note in page] == [note.id for note in page]
    return page.wrapped({"of": user.uuid, "notes": page, "also": [{"first": (page,)}]})


def planned(self: Any, pagination_key: Any, limit: int) -> Any:
    page = self.store.rows(self.planner.plan(), pagination_key=pagination_key, limit=limit)
    return page.wrapped({"notes": page})


def without_arguments(self: Any, user: Any) -> Any:
    page = List.list(self, user)
    return page.wrapped({"notes": page})


def with_all_arguments(self: Any, user: Any, pagination_key: Any, limit: int, filters: Any, sort: Any) -> Any:
    page = List.list(self, user, pagination_key, limit, filters, sort)
    return page.wrapped({"notes": page})


WRAPPED = [wrapping, naming, lazily, deeply, planned, without_arguments, with_all_arguments]
every_form_of_wrapping = pytest.mark.parametrize("listed", WRAPPED, ids=[one.__name__ for one in WRAPPED])


def ids(result: Any) -> str:
    assert result.status == 200, result.text
    return "".join(note["id"] for note in result.json["notes"])


QUERIES = {
    "": "0123456",
    "done=true": "456",
    "done=false&rank__lt=-1": "32",
    "sort=rank": "6543210",
    "sort=-rank&done=true": "456",
    "fields=id": "0123456",
}


@every_form_of_wrapping
@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_holds_on_every_page(api: Api, listed: Verb, query: str) -> None:
    client = api(listed)
    assert ids(client.everywhere("GET", f"/notes?{query}")) == QUERIES[query]
    for limit in (1, 2, 5):
        pages = [*client.pages(f"/notes?limit={limit}&{query}")]
        assert "".join(map(ids, pages)) == QUERIES[query]
        assert {len(page.json["notes"]) <= limit for page in pages} == {True}
        assert [page.json["pagination_key"] is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert ids(client.get("/notes", user=BOB)) == "9"


@every_form_of_wrapping
def test_the_rule_holds(api: Api, listed: Verb) -> None:
    client = api(listed, permissions=OwnedBy("owner") & Even())
    assert ids(client.get("/notes?done=true")) == "46"
    assert "".join(map(ids, client.pages("/notes?limit=1"))) == "0246"


@every_form_of_wrapping
def test_nothing_is_read_twice(api: Api, listed: Verb) -> None:
    with counted() as calls:
        api(listed).get("/notes?limit=3")
    assert names(calls) == ["Query"]


@every_form_of_wrapping
def test_another_query_does_not_take_its_cursor(api: Api, listed: Verb) -> None:
    client = api(listed, envelope=Envelope(count="total"))
    key = client.get("/notes?limit=2&count=true").json["pagination_key"]
    assert ids(client.get("/notes", query={"pagination_key": key})) == "23456"
    for other in ({"done": "true"}, {"sort": "rank"}):
        assert_problem(client.get("/notes", query={"pagination_key": key, **other}), 400, "pagination_key")
    assert_problem(client.get("/notes", query={"pagination_key": key}, user=BOB), 400, "pagination_key")
    elsewhere = client_of(listed, route="others")
    assert_problem(elsewhere.get("/others", query={"pagination_key": key}), 400, "pagination_key")


# --- the answer ------------------------------------------------------------------------------------------------


def test_the_page_stands_in_it_as_in_any_list(api: Api) -> None:
    """Hooks, fields and field rules included."""

    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {**data, "seen": request.state["seen"]}

    def prepare(self: Any, instances: Any, request: Any) -> None:
        request.state["seen"] = len(instances)

    said = {"represent": represent, "prepare": prepare, "field_permissions": {"text": InGroup("staff")}}
    plain, wrapped = api(List.list, **said), api(wrapping, **said)
    for query in ("", "?limit=3", "?fields=id,rank", "?sort=-rank"):
        there, here = plain.get(f"/notes{query}"), wrapped.get(f"/notes{query}")
        assert here.json["notes"] == there.json["items"]
        assert [*here.json] == ["notes", "pagination_key"]
        assert ("link" in here.headers, here.headers["etag"][:2]) == ("link" in there.headers, "W/")
    assert here.json["notes"][0]["seen"] == 7


def test_whole_answers(api: Api) -> None:
    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        page = List.list(self, user, pagination_key, limit)
        return page.wrapped({"notes": page, "n": page.count()}), 203, {"X-More": "1"}

    client = api(listed, exclude=("owner", "text", "done"))
    result = client.everywhere("GET", "/notes?limit=9")
    notes = [{"id": str(n), "rank": -n} for n in range(7)]
    assert (result.status, result.json) == (203, {"notes": notes, "n": 7, "pagination_key": None})
    assert (result.headers["x-more"], "link" in result.headers) == ("1", False)
    first = client.get("/notes")
    assert (first.json["notes"], first.json["n"]) == (notes[:2], 7)
    assert first.headers["link"] == f'<?limit=2&pagination_key={first.json["pagination_key"]}>; rel="next"'


BODIES: dict[str, tuple[Any, Any, str]] = {
    "a dict": ({"n": 1}, True, '{"n":1,"pagination_key":null}'),
    "nothing": ({}, True, '{"pagination_key":null}'),
    "with a cursor of its own": ({"pagination_key": 7}, True, '{"pagination_key":7}'),
    "another name": ({"n": 1}, Envelope(key="next"), '{"n":1,"next":null}'),
    "no name": ({"n": 1}, Envelope(key=None), '{"n":1}'),
    "no envelope": ({"n": 1}, False, '{"n":1}'),
    "no object": ([1, "{}"], True, '[1,"{}"]'),
    "text": ("{}", True, '"{}"'),
}


@pytest.mark.parametrize(("body", "envelope", "text"), BODIES.values(), ids=BODIES)
def test_the_cursor_stands_in_an_object(api: Api, body: Any, envelope: Any, text: str) -> None:
    client = api(
        lambda self, user, limit=25: List.list(self, user, None, limit).wrapped(body), envelope=envelope
    )
    assert client.everywhere("GET", "/notes").text == text
    assert "link" in client.get("/notes?limit=1").headers


def test_the_page_alone_is_an_array(api: Api) -> None:
    def listed(self: Any, user: Any) -> Any:
        page = List.list(self, user)
        return page.wrapped(page)

    result = api(listed).get("/notes?fields=id&limit=2")
    assert (result.json, "link" in result.headers) == ([{"id": "0"}, {"id": "1"}], True)


def test_its_tag_is_of_all_that_it_says(api: Api) -> None:
    said = {"n": 1}

    def listed(self: Any, user: Any, limit: int = 2) -> Any:
        page = List.list(self, user, None, limit)
        return page.wrapped({**said, "notes": page})

    client = api(listed)
    first = client.get("/notes")
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get("/notes", headers=known).status == 304
    said["n"] = 2
    assert client.get("/notes", headers=known).status == 200


def test_counts(api: Api) -> None:
    client = api(wrapping, envelope=Envelope(key="next", count="notesCount"))
    page = client.everywhere("GET", "/notes?done=true&limit=9&count=true").json
    assert ([*page], page["notesCount"]) == (["notes", "notesCount", "next"], 3)
    assert client.get("/notes?limit=2&count=true").json["notesCount"] == 7
    assert "notesCount" not in client.get("/notes").json

    def telling(self: Any, user: Any) -> Any:
        return List.list(self, user).wrapped({"notesCount": "many"})

    with counted() as calls:
        own = api(telling, envelope=Envelope(count="notesCount")).get("/notes?count=true&limit=1")
    assert (own.json["notesCount"], names(calls)) == ("many", ["Query"])


def test_iterating_gives_the_rows_of_the_page(api: Api) -> None:
    """Its budget is that of the page too."""
    seen = []

    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 3) -> Any:
        page = List.list(self, user, pagination_key, limit)
        seen.append("".join(note.id for note in page))
        return page

    client = api(listed)
    assert [len(page.json["items"]) for page in client.pages("/notes")] == [3, 3, 1]
    assert seen == ["012", "345", "6"]
    with counted() as calls:
        rare = api(listed, permissions=OwnedBy("owner") & Even(), read_budget=1).get("/notes?limit=2")
    assert (len(rare.json["items"]), len(calls), rare.json["pagination_key"] is None) == (1, 1, False)
    assert seen[-1] == "0"


@pytest.mark.parametrize("made", [list, iter], ids=["a list", "an iterator"])
def test_what_is_made_of_a_page_goes_on_behind_it(api: Api, made: Callable[[Any], Any]) -> None:
    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        return made(note for note in List.list(self, user, pagination_key, limit) if note.id != "1")

    client = api(listed, envelope=Envelope(count="total"))
    pages = [page.json for page in client.pages("/notes?count=true")]
    assert ["".join(note["id"] for note in page["items"]) for page in pages] == ["0", "23", "45", "6"]
    assert [page["total"] for page in pages] == [None] * 4


def test_other_json_that_is_made_of_a_page_has_its_link(api: Api) -> None:
    """The body is the verb's own; ``Link`` leads on, as it does from a list that is made of a page."""

    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        page = List.list(self, user, pagination_key, limit)
        return {"notes": [{"id": note.id} for note in page]}, 203, {"X-Of": "alice"}

    client = api(listed)
    pages = [*client.pages("/notes?done=true&sort=-id&limit=2")]
    assert [page.json for page in pages] == [{"notes": [{"id": "6"}, {"id": "5"}]}, {"notes": [{"id": "4"}]}]
    assert ["link" in page.headers for page in pages] == [True, False]
    assert ([page.status for page in pages], pages[0].headers["x-of"]) == ([203, 203], "alice")
    again = client.get("/notes?limit=2", user=BOB)
    assert (again.json, "link" in again.headers) == ({"notes": [{"id": "9"}]}, False)


def test_other_json_of_several_pages_has_no_link(api: Api) -> None:
    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        pages = [[*List.list(self, user, None, limit, {"done": {"eq": one}})] for one in (True, False)]
        return {"done": len(pages[0]), "open": len(pages[1])}

    result = api(listed).get("/notes")
    assert (result.json, "link" in result.headers) == ({"done": 2, "open": 2}, False)


def test_a_key_beside_other_json_is_in_its_link(api: Api) -> None:
    def listed(self: Any, pagination_key: Any = None, limit: int = 2) -> Any:
        start = pagination_key or 0
        return {"numbers": [start, start + 1]}, {}, start + 2 if start < 2 else None

    pages = [*api(listed).pages("/notes")]
    assert [page.json["numbers"] for page in pages] == [[0, 1], [2, 3]]


def test_what_its_items_embed(api: Api) -> None:
    def listed(self: Any, user: Any) -> Any:
        page = List.list(self, user)
        return page.wrapped({"notes": page})

    pm = PolyMicro()
    said = {"model": Note, "route": "notes", "permissions": OwnedBy("owner"), "list": listed}
    others = type("Others", (ModelResource, Retrieve), {"model": Note, "route": "o", "permissions": AllowAny})
    said["embed"] = {"twin": One(others, {"owner": "owner", "id": "id"}, fields=("rank",))}
    others(pm), type("Notes", (ModelResource, List), said)(pm)  # type: ignore[operator]
    client = Caller(pm.compile(), user=ALICE)
    with counted() as calls:
        page = client.get("/notes?embed=twin&fields=id&limit=2").json
    assert page["notes"] == [{"id": str(n), "twin": {"rank": -n}} for n in (0, 1)]
    assert names(calls) == ["Query", "BatchGetItem"]


# --- what is too large -----------------------------------------------------------------------------------------


def carries(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(response_limits, "LAMBDA", response_limits.Carrier("AWS Lambda", most))
    monkeypatch.setattr(response_limits, "SMALL", 1)


@pytest.mark.parametrize("listed", [wrapping, deeply], ids=["once", "twice"])
def test_a_page_that_is_too_large_is_cut(api: Api, monkeypatch: pytest.MonkeyPatch, listed: Verb) -> None:
    for number in range(7):
        Note("alice", str(number), rank=-number, text="x" * 8_000).save()
    carries(monkeypatch, 75_000)
    pages = [*api(listed).pages("/notes")]
    assert ("".join(map(ids, pages)), len(pages) > 1) == ("0123456", True)


def test_what_is_made_of_a_page_is_not_cut(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(self: Any, user: Any) -> Any:
        page = List.list(self, user)
        return page.wrapped({"texts": [note.text + "x" * 8_000 for note in page]})

    carries(monkeypatch, 75_000)
    client = api(listed)
    result = client.get("/notes")
    assert_problem(result, 500)
    assert result.json["detail"].startswith("What this list makes of its page is larger than what AWS Lambda")
    assert client.get("/notes?limit=3").status == 200


# --- what nobody applies ---------------------------------------------------------------------------------------


def aside(rows: Callable[[], Any]) -> Verb:
    def listed(self: Any, user: Any) -> Any:
        return rows()

    return listed


def queried() -> Iterable[Note]:
    return Note.query("alice")


def generated() -> Any:
    yield from (note.id for note in queried())


NOT_APPLIED: dict[str, Callable[[], Any]] = {
    "a dict": lambda: {"notes": [note.id for note in queried()]},
    "a dict of instances": lambda: {"notes": [*queried()]},
    "a status too": lambda: ({"notes": [note.id for note in queried()]}, 203),
    "ids": lambda: [note.id for note in queried()],
    "a generator of ids": generated,
    "an instance": lambda: next(iter(queried())),
}


@pytest.mark.parametrize("rows", NOT_APPLIED.values(), ids=NOT_APPLIED)
def test_a_filter_that_nothing_applies_is_no_answer(
    api: Api, rows: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = api(aside(rows))
    assert client.get("/notes").status in (200, 203)
    with caplog.at_level(logging.ERROR):
        assert_problem(client.everywhere("GET", "/notes?done=true"), 500)
    [cause] = {str(record.exc_info and record.exc_info[1]) for record in caplog.records}
    assert cause.startswith(
        "Notes.list gave a list without the filters of the request. Let it ask for filters"
    )
    assert_problem(client.get("/notes?sort=rank&"), 400, "sort")


def around(body: Callable[[Any], Any], **asked: Any) -> Verb:
    """A list that wraps a page in the body that is made of it, and may make nothing of it."""

    def listed(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        page = List.list(self, user, pagination_key, limit, **asked)
        return page.wrapped(body(page))

    return listed


UNUSED: dict[str, Callable[[Any], Any]] = {
    "a query": lambda _: {"notes": queried()},
    "instances": lambda _: {"notes": [*queried()]},
    "ids": lambda _: [note.id for note in queried()],
    "a number": lambda _: {"number": Note.count("alice")},
}


@pytest.mark.parametrize("body", UNUSED.values(), ids=UNUSED)
def test_a_body_that_holds_nothing_of_its_page_is_no_answer_to_a_filter(
    api: Api, body: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = api(around(body))
    assert client.get("/notes").status == 200
    assert_problem(client.everywhere("GET", "/notes?done=true"), 500)
    assert "Notes.list gave a list without the filters of the request" in caplog.text
    assert_problem(client.get("/notes?sort=rank"), 400, "sort")
    assert_problem(api(around(body), default_sort="rank").get("/notes"), 500)
    assert api(around(body, sort="id"), default_sort="rank").get("/notes").status == 200


USED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "its number": (lambda page: {"number": page.count()}, '{"number":3,"pagination_key":null}'),
    "its ids": (
        lambda page: {"ids": [one.id for one in page]},
        '{"ids":["4","5","6"],"pagination_key":null}',
    ),
    "its ids, later": (
        lambda page: {"ids": (one.id for one in page)},
        '{"ids":["4","5","6"],"pagination_key":null}',
    ),
    "others beside it": (lambda page: [[one.id for one in page], Note.count("alice")], '[["4","5","6"],7]'),
}


@pytest.mark.parametrize(("body", "text"), USED.values(), ids=USED)
def test_a_body_that_is_made_of_its_page_has_its_filters(
    api: Api, body: Callable[[Any], Any], text: str
) -> None:
    assert api(around(body)).everywhere("GET", "/notes?done=true").text == text


APPLIED: dict[str, Callable[[], Any]] = {
    "a query": queried,
    "instances": lambda: [*queried()],
    "a generator": lambda: (note for note in queried()),
}


@pytest.mark.parametrize("rows", APPLIED.values(), ids=APPLIED)
def test_a_filter_is_checked_on_instances(api: Api, rows: Callable[[], Any]) -> None:
    result = api(aside(rows)).everywhere("GET", "/notes?done=true&fields=id")
    assert result.json["items"] == [{"id": one} for one in "456"]


def test_an_order_of_the_resource_that_nothing_applies_is_no_answer(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(aside(queried), default_sort="-rank")
    assert_problem(client.get("/notes"), 500)
    assert "Notes.list gave a list that is not sorted by default_sort" in caplog.text
    assert "".join(note["id"] for note in api(generating, default_sort="rank").items("/notes")) == "6543210"
    empty = api(aside(list), default_sort="-rank")
    assert empty.get("/notes?done=true").json == {"items": [], "pagination_key": None}
    assert_problem(empty.get("/notes?sort=rank"), 400, "sort")


def generating(self: Any, user: Any) -> Any:
    yield from List.list(self, user)


def test_a_verb_says_an_order_of_its_own(api: Api) -> None:
    def listed(self: Any, user: Any) -> Any:
        return List.list(self, user, sort="rank")

    client = api(listed, default_sort="-rank")
    assert "".join(note["id"] for note in client.get("/notes").json["items"]) == "6543210"
    assert_problem(client.get("/notes?sort=id"), 400, "sort")


def test_a_parameter_of_the_verbs_own(api: Api) -> None:
    """A verb that asks for the request may read ``sort`` by itself; what it plans is sorted by it."""

    def listed(self: Any, request: Any, user: Any) -> Any:
        return [] if request.query.get("sort") == ("mine",) else List.list(self, user)

    client = api(listed)
    assert client.get("/notes?sort=mine").json["items"] == []
    assert client.get("/notes?sort=rank").json["items"][0]["id"] == "6"
    assert_problem(client.get("/notes?sort=other"), 400, "sort")


def test_a_page_in_other_json_is_to_be_wrapped(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    def listed(self: Any, user: Any) -> Any:
        return {"notes": List.list(self, user)}

    assert_problem(api(listed).get("/notes"), 500)
    assert "return page.wrapped({…})" in caplog.text


def test_filters_come_to_those_of_the_verb(api: Api) -> None:
    def listed(self: Any, user: Any) -> Any:
        page = List.list(self, user, filters={"rank": {"lt": -4}})
        return page.wrapped({"notes": page})

    assert [ids(api(listed).get(f"/notes{query}")) for query in ("", "?done=true", "?done=false")] == [
        "65",
        "65",
        "",
    ]


# --- actions ---------------------------------------------------------------------------------------------------


def test_an_action_lists_all_that_it_reads(api: Api) -> None:
    """It has no pages, and no filters but its own."""

    class Boxes(ModelResource, List):
        model = Note
        route = "boxes"
        permissions = OwnedBy("owner")
        filters: ClassVar[Any] = {"done": "eq"}
        read_budget = 1

        def rows(self, limit: int = 4) -> Any:
            return self.store.rows(self.planner.plan(sort="rank"), pagination_key=None, limit=limit)

        @action(detail=False, methods=("GET",))
        def latest(self) -> Any:
            page = self.rows()
            return page.wrapped(
                {"latest": page, "ids": [note.id for note in self.rows(2)], "n": page.count()}
            )

        @action(detail=False, methods=("GET",))
        def plain(self) -> Any:
            return {"latest": self.rows(1)}, 203

        @action(detail=False, methods=("GET",))
        def bare(self) -> Any:
            return self.rows(2)

    pm = PolyMicro()
    Boxes(pm)
    client = Caller(pm.compile(), user=ALICE)
    latest = client.everywhere("GET", "/boxes/latest").json
    assert [note["id"] for note in latest.pop("latest")] == [*"6543"]
    assert latest == {"ids": ["6", "5"], "n": 7}
    plain = client.get("/boxes/plain")
    assert (plain.status, [note["id"] for note in plain.json["latest"]]) == (203, ["6"])
    assert [note["id"] for note in client.get("/boxes/bare").json] == ["6", "5"]
