"""Answers besides JSON: chosen by ``Accept``, tagged by what is shown, and no larger than what their source carries."""

import csv
import io
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest
import yaml
from contract import ALICE, BOB, Caller, assert_problem, create_tables
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    DecimalAttribute,
    Delete,
    Envelope,
    Idempotency,
    InGroup,
    List,
    ModelResource,
    One,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.renderers import CSV, YAML, MessagePack

FORMATS: dict[str, Any] = {
    "text/csv": CSV(),
    "application/msgpack": MessagePack(),
    "application/yaml": YAML(),
}
ROOT = Path(__file__).parents[2]
HEADER = "owner,id,title,stars,price,done,more\r\n"


class Place(MapAttribute[str, Any]):
    town = UnicodeAttribute(null=True)


def notes_app(table: str, resource: dict[str, Any] | None = None, **settings: Any) -> PolyMicro:
    """An app of notes, each of its owner, with further members of the resource and settings of the app."""

    class Note(Model):
        class Meta:
            table_name = table

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        title = UnicodeAttribute()
        stars = NumberAttribute(null=True)
        price = DecimalAttribute(null=True)
        done = BooleanAttribute(default=False)
        more = JSONAttribute(null=True)

    class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Note
        route = "notes"
        permissions = (OwnedBy("owner"),)
        max_bulk = 10

        @action(detail=False, methods=("GET",))
        def numbers(self, req: Any, user: Any) -> Any:
            return [1, "=2"]

        @action(detail=False, methods=("GET",))
        def counts(self, req: Any, user: Any) -> Any:
            return {"open": 3, "by": {"alice": 3}}

    members = resource or {}
    pm = PolyMicro(**{"renderers": FORMATS, **settings})
    type("Notes", (Notes,), members)(pm)
    return pm


@pytest.fixture
def caller(dynamodb: None, table_name: str) -> Caller:
    return started(notes_app(table_name))


def started(pm: PolyMicro) -> Caller:
    caller = Caller(pm, user=ALICE)
    assert caller.handler
    create_tables(pm)
    return caller


ONE = {"id": "1", "title": "milk", "stars": 3, "price": "-2.50", "more": {"a": [1]}}
TWO = {"id": "2", "title": "=cmd|' /C calc'!A0", "done": True}


@pytest.fixture
def filled(caller: Caller) -> Caller:
    for body in (ONE, TWO):
        caller.post("/notes", json=body).raise_for_status()
    return caller


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        pytest.param(None, "application/json", id="none"),
        pytest.param("*/*", "application/json", id="any"),
        pytest.param("application/*", "application/json", id="JSON before others of its kind"),
        pytest.param("text/csv", "text/csv; charset=utf-8", id="exact"),
        pytest.param("TEXT/CSV", "text/csv; charset=utf-8", id="case"),
        pytest.param("text/*", "text/csv; charset=utf-8", id="a range"),
        pytest.param("text/csv; charset=utf-8", "text/csv; charset=utf-8", id="charset"),
        pytest.param('text/csv; charset="UTF-8"; q=0.2', "text/csv; charset=utf-8", id="quoted"),
        pytest.param("text/csv;header=present", "text/csv; charset=utf-8", id="with a header"),
        pytest.param("text/csv;header=absent", "text/csv; charset=utf-8; header=absent", id="without"),
        pytest.param(
            "text/csv;header=absent, text/csv;q=0.9", "text/csv; charset=utf-8; header=absent", id="own"
        ),
        pytest.param("text/csv;header=absent;q=0, text/csv", "text/csv; charset=utf-8", id="not without"),
        pytest.param("text/csv, application/json", "application/json", id="a tie"),
        pytest.param("text/csv, application/json;q=0.9", "text/csv; charset=utf-8", id="weights"),
        pytest.param("text/csv;q=0.5, */*", "application/json", id="the rest weighs more"),
        pytest.param("application/yaml, application/msgpack", "application/msgpack", id="declared first"),
        pytest.param("application/json;q=0, */*;q=0.1", "text/csv; charset=utf-8", id="no JSON"),
        pytest.param(
            "application/json;q=0, text/*;q=0, */*", "application/msgpack", id="the specific decides"
        ),
        pytest.param("text/html, application/yaml;q=0.001", "application/yaml", id="last choice"),
        pytest.param("text/csv;q=nan, application/yaml;q=0.1", "application/yaml", id="no number"),
        pytest.param("text/csv;q=0", None, id="refused"),
        pytest.param("text/csv;charset=latin-1", None, id="another charset"),
        pytest.param("text/html", None, id="unknown"),
        pytest.param(",;", None, id="rubbish"),
    ],
)
def test_accept_chooses(filled: Caller, accept: str | None, given: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    found = filled.everywhere("GET", "/notes/1", headers=headers)
    assert found.headers["vary"] == "Accept"
    if given is not None:
        assert (found.status, found.headers["content-type"]) == (200, given)
        return
    assert_problem(found, 406)
    there = "application/json, text/csv, application/msgpack, application/yaml"
    assert (
        found.json["detail"]
        == f"This API answers with {there}: accept one of these, or send no Accept header."
    )


def test_a_list_in_each_format(filled: Caller) -> None:
    page = filled.get("/notes").json
    rows = 'alice,1,milk,3,-2.5,false,"{""a"":[1]}"\r\nalice,2,\'=cmd|\' /C calc\'!A0,,,true,\r\n'
    found = filled.everywhere("GET", "/notes", headers={"Accept": "text/csv"})
    assert found.text == HEADER + rows
    assert filled.everywhere("GET", "/notes", headers={"Accept": "text/csv; header=absent"}).text == rows
    packed = filled.everywhere("GET", "/notes", headers={"Accept": "application/msgpack"})
    assert msgpack.unpackb(packed.content) == page
    assert packed.response["isBase64Encoded"]
    found = filled.everywhere("GET", "/notes", headers={"Accept": "application/yaml"})
    assert yaml.safe_load(found.text) == page
    assert not found.response["isBase64Encoded"]


def test_an_item_a_selection_and_nothing_in_csv(filled: Caller) -> None:
    csv_of = {"Accept": "text/csv"}
    assert (
        filled.get("/notes/1", headers=csv_of).text == HEADER + 'alice,1,milk,3,-2.5,false,"{""a"":[1]}"\r\n'
    )
    assert filled.get("/notes?fields=title,id", headers=csv_of).text.startswith("id,title\r\n1,milk\r\n")
    assert filled.get("/notes/2?fields=stars", headers=csv_of).text == 'stars\r\n""\r\n'
    assert Caller(filled.handler, user=BOB).get("/notes", headers=csv_of).text == HEADER
    assert (
        filled.everywhere("GET", "/notes/counts", headers=csv_of).text == 'open,by\r\n3,"{""alice"":3}"\r\n'
    )
    assert filled.everywhere("GET", "/notes/numbers", headers=csv_of).text == "value\r\n1\r\n'=2\r\n"


def test_writes_answer_in_the_format_too(caller: Caller) -> None:
    headers = {"Accept": "text/csv"}
    new = caller.post("/notes", json=ONE, headers=headers)
    assert (new.status, new.headers["location"]) == (201, "notes/1")
    assert new.text == HEADER + 'alice,1,milk,3,-2.5,false,"{""a"":[1]}"\r\n'
    changed = caller.patch("/notes/1", json={"stars": None, "price": None, "more": None}, headers=headers)
    assert changed.text == HEADER + "alice,1,milk,,,false,\r\n"
    many = caller.post("/notes", json=[TWO, {"id": "3", "title": "x"}], headers=headers)
    assert [row["id"] for row in csv.DictReader(io.StringIO(many.text))] == ["2", "3"]
    lenient = {**headers, "Prefer": "handling=lenient"}
    mixed = caller.post("/notes", json=[TWO, {"id": "4", "title": "y"}], headers=lenient)
    assert mixed.status == 207
    assert [row["status"] for row in csv.DictReader(io.StringIO(mixed.text))] == ["409", "201"]
    gone = caller.delete("/notes/1", headers=headers)
    assert (gone.status, gone.body, "content-type" in gone.headers) == (204, b"", False)


def test_each_format_has_a_tag_of_its_own(filled: Caller) -> None:
    """``If-None-Match`` is about what is shown, ``If-Match`` about the stored item, whoever showed it."""
    accepts = (
        "application/json",
        "text/csv",
        "text/csv;header=absent",
        "application/msgpack",
        "application/yaml",
    )
    for path in ("/notes/1", "/notes"):
        tags = {one: filled.get(path, headers={"Accept": one}).headers["etag"] for one in accepts}
        assert len(set(tags.values())) == len(accepts)
        for accept in accepts:
            for asked, tag in tags.items():
                headers = {"Accept": accept, "If-None-Match": tag}
                found = filled.everywhere("GET", path, headers=headers)
                assert found.status == (304 if asked == accept else 200)
                if found.status == 304:
                    assert (found.body, found.headers["etag"], found.headers["vary"]) == (b"", tag, "Accept")
                    assert "content-type" not in found.headers
    tag = filled.get("/notes/1", headers={"Accept": "text/csv"}).headers["etag"]
    headers = {"If-Match": tag, "Accept": "application/msgpack"}
    changed = filled.patch("/notes/1", json={"title": "bread"}, headers=headers)
    assert changed.status == 200
    assert filled.patch("/notes/1", json={"title": "x"}, headers={"If-Match": tag}).status == 412
    again = filled.delete("/notes/1", headers={"If-Match": changed.headers["etag"]})
    assert again.status == 204


def test_a_write_that_must_not_meet_what_is_shown(filled: Caller) -> None:
    headers = {"Accept": "text/csv"}
    tag = filled.get("/notes/1", headers=headers).headers["etag"]
    refused = filled.patch("/notes/1", json={"title": "x"}, headers={**headers, "If-None-Match": tag})
    assert_problem(refused, 412)
    assert filled.patch("/notes/1", json={"title": "x"}, headers={"If-None-Match": tag}).status == 200


def test_head_has_the_headers_of_get(filled: Caller) -> None:
    for accept in ("text/csv", "application/msgpack"):
        got, head = (
            filled.everywhere(one, "/notes/1", headers={"Accept": accept}) for one in ("GET", "HEAD")
        )
        assert (dict(head.headers), head.body) == (dict(got.headers), b"")


def test_the_next_page_is_in_the_link(filled: Caller) -> None:
    pages = list(filled.pages("/notes?limit=1", headers={"Accept": "text/csv; header=absent"}))
    assert [page.text[:7] for page in pages[:2]] == ["alice,1", "alice,2"]
    assert 'rel="next"' in pages[0].headers["link"]


def test_field_rules_leave_no_column(dynamodb: None, table_name: str) -> None:
    rules = {"field_permissions": {"price": InGroup("staff")}}
    caller = started(notes_app(table_name, rules))
    caller.post("/notes", json={"id": "1", "title": "x"})
    assert caller.get("/notes", headers={"Accept": "text/csv"}).text == (
        "owner,id,title,stars,done,more\r\nalice,1,x,,false,\r\n"
    )


def test_represent_says_the_columns(dynamodb: None, table_name: str) -> None:
    def represent(self: Any, data: dict[str, Any], instance: Any, request: Any) -> Any:
        return {"name": data["title"], "@url": "here"}

    caller = started(notes_app(table_name, {"represent": represent}))
    caller.post("/notes", json={"id": "1", "title": "x"})
    assert caller.get("/notes", headers={"Accept": "text/csv"}).text == "name,'@url\r\nx,here\r\n"


def test_a_verb_of_ones_own_says_the_columns(dynamodb: None, table_name: str) -> None:
    """What is no item has its own members, also where one is named as a field."""

    def retrieve(self: Any, instance: Any, user: Any) -> Any:
        return {"title": instance.title, "words": 1}

    def create(self: Any, req: Any, user: Any) -> Any:
        return {"items": "none"}, 207

    caller = started(notes_app(table_name, {"retrieve": retrieve, "create": create}))
    started(notes_app(table_name)).post("/notes", json={"id": "1", "title": "x"})
    assert caller.get("/notes/1", headers={"Accept": "text/csv"}).text == "title,words\r\nx,1\r\n"
    found = caller.post("/notes", json={"id": "1", "title": "x"}, headers={"Accept": "text/csv"})
    assert (found.status, found.text) == (207, "items\r\nnone\r\n")


def test_a_wrapped_page_is_the_table(dynamodb: None, table_name: str) -> None:
    """Where it does not stand in the body itself, the body is what is rendered."""
    made: dict[str, Any] = {
        "page": lambda page: {"notes": page, "first": [page]},
        "ids": lambda page: {"ids": [note.id for note in page]},
    }

    def listed(self: Any, request: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        page = List.list(self, user, pagination_key, limit)
        return page.wrapped(made[request.query["of"][0]](page))

    caller = started(notes_app(table_name, {"list": listed, "envelope": Envelope(count="total")}))
    for body in (ONE, TWO):
        caller.post("/notes", json=body).raise_for_status()
    accept = {"Accept": "text/csv"}
    page = caller.get("/notes?of=page&fields=id,stars&limit=1&count=true", headers=accept)
    assert (page.text, "link" in page.headers) == ("id,stars\r\n1,3\r\n", True)
    assert caller.get("/notes?of=page", headers=accept, user=BOB).text == HEADER
    assert caller.get("/notes?of=ids", headers=accept).text == 'ids\r\n"[""1"",""2""]"\r\n'
    assert caller.get("/notes?of=page", headers={"Accept": "application/yaml"}).text.startswith("notes:")


def test_what_is_embedded_has_a_column(dynamodb: None, table_name: str) -> None:
    words = f"{table_name}w"

    class Word(Model):
        class Meta:
            table_name = words

        id = UnicodeAttribute(hash_key=True)
        length = NumberAttribute()

    class Words(ModelResource, Create, Retrieve):
        model = Word
        route = "words"

    pm = notes_app(table_name, {"embed": {"word": One(Words, {"id": "title"}, fields=("length",))}})
    Words(pm)
    caller = started(pm)
    caller.post("/words", json={"id": "x", "length": 1}).raise_for_status()
    for number, title in ((1, "x"), (2, "y")):
        caller.post("/notes", json={"id": str(number), "title": title}).raise_for_status()
    found = caller.get("/notes?embed=word&fields=id,title", headers={"Accept": "text/csv"})
    assert found.text == 'id,title,word\r\n1,x,"{""length"":1}"\r\n2,y,\r\n'
    assert caller.get("/notes?embed=word", user=BOB, headers={"Accept": "text/csv"}).text == (
        HEADER.replace("\r\n", ",word\r\n")
    )


def test_a_repeated_request_is_answered_as_it_is_accepted_now(dynamodb: None, table_name: str) -> None:
    caller = started(notes_app(table_name, idempotency=Idempotency(table=f"{table_name}-keys")))
    key = {"Idempotency-Key": "k1"}
    first = caller.post("/notes", json={"id": "1", "title": "x"}, headers={**key, "Accept": "text/csv"})
    again = caller.post(
        "/notes", json={"id": "1", "title": "x"}, headers={**key, "Accept": "application/yaml"}
    )
    assert first.text == HEADER + "alice,1,x,,,false,\r\n"
    assert yaml.safe_load(again.text)["title"] == "x"
    assert again.headers["idempotency-replayed"] == "true"
    third = caller.post("/notes", json={"id": "1", "title": "x"}, headers={**key, "Accept": "text/csv"})
    assert (third.text, third.headers["etag"]) == (first.text, first.headers["etag"])


def test_a_page_ends_where_its_format_is_too_large(
    dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a renderer makes of an item may be larger than its JSON."""
    wide = {
        "text/plain": lambda value: (
            str([one["id"] for one in value["items"]]) + "." * 400_000 * len(value["items"])
        )
    }
    caller = started(notes_app(table_name, renderers=wide))
    for number in range(5):
        caller.post("/notes", json={"id": str(number), "title": "x"})
    found = list(caller.pages("/notes", source="alb", headers={"Accept": "text/plain"}))
    assert [one.text.strip(".") for one in found] == ["['0', '1']", "['2', '3']", "['4']"]


class Tables:
    """Gives a value of this kind for a table, and a text for other values."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def render(self, _: Any) -> str:
        return "no table"

    def table(self, rows: Any, columns: Any) -> Any:
        return self.given


@pytest.mark.parametrize(
    ("render", "cause"),
    [
        pytest.param(lambda _: 1 / 0, "ZeroDivisionError", id="raises"),
        pytest.param(lambda _: None, "TypeError", id="gives nothing"),
        pytest.param(lambda _: "\ud800", "UnicodeEncodeError", id="no UTF-8"),
        pytest.param(Tables(5), "TypeError", id="a table is a number"),
        pytest.param(Tables([60, 62]), "TypeError", id="a table is a list"),
        pytest.param(Tables(None), "TypeError", id="a table is nothing"),
    ],
)
def test_a_renderer_that_fails(
    dynamodb: None, table_name: str, caplog: pytest.LogCaptureFixture, render: Any, cause: str
) -> None:
    caller = started(notes_app(table_name, renderers={"text/x-canary": render}))
    headers = {"Accept": "text/x-canary"}
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        new = caller.post("/notes", json={"id": "1", "title": "x"}, headers=headers)
    assert_problem(new, 500)
    assert new.json["detail"] == "This was done, but its answer could not be made."
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("Request failed: text/x-canary by ")
    assert said.endswith(f": {cause}")
    assert_problem(caller.everywhere("GET", "/notes/1", headers=headers), 500)
    assert_problem(caller.get("/notes", headers=headers), 500)
    assert caller.get("/notes/1").status == 200


def test_a_resource_adds_changes_and_removes(dynamodb: None, table_name: str) -> None:
    own = {"text/csv": CSV(delimiter=";", defuse=False), "application/yaml": None, "Text/Plain": str}
    caller = started(notes_app(table_name, {"renderers": own}))
    caller.post("/notes", json={"id": "1", "title": "=1"})
    assert caller.get("/notes", headers={"Accept": "text/csv"}).text.splitlines()[1] == "alice;1;=1;;;false;"
    assert caller.get("/notes/numbers", headers={"Accept": "text/plain"}).text == "[1, '=2']"
    assert caller.get("/notes", headers={"Accept": "application/yaml"}).status == 406


def test_nothing_is_imported_that_is_not_declared(dynamodb: None) -> None:
    program = (
        "import sys; from handlers.todo import handler;"
        " print(*({'msgpack', 'yaml', 'polymicro_lambda.renderers'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("\n", 0), done.stderr


def test_vary_is_joined_to_that_of_cors(dynamodb: None, table_name: str) -> None:
    from polymicro_lambda import CORS

    caller = started(notes_app(table_name, cors=CORS(origins=("https://a.example",))))
    assert caller.get("/notes").headers["vary"] == "Accept, Origin"


def test_without_renderers_nothing_varies(dynamodb: None, table_name: str) -> None:
    caller = started(notes_app(table_name, renderers=None))
    assert "vary" not in caller.get("/notes").headers
    detail = caller.get("/notes", headers={"Accept": "text/csv"}).json["detail"]
    assert detail == "This API answers with application/json: accept that, or send no Accept header."


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param([CSV()], 'must be a dict by media types, such as {"text/csv": CSV()}', id="no dict"),
        pytest.param({"csv": CSV()}, ": 'csv' is no media type, such as \"text/csv\"", id="no type"),
        pytest.param({"text/*": CSV()}, ": 'text/*' is no media type, such as \"text/csv\"", id="a range"),
        pytest.param({3: CSV()}, ': 3 is no media type, such as "text/csv"', id="no text"),
        pytest.param(
            {"application/json": str}, "['application/json']: JSON is always served: leave it out", id="JSON"
        ),
        pytest.param({"a/b": str, "A/B": str}, "['A/B']: it is there twice: leave it out", id="twice"),
        pytest.param({"text/csv": CSV}, "['text/csv'] is a class: write CSV()", id="a class"),
        pytest.param(
            {"text/html": lambda value, request: ""},
            "['text/html'] must take one argument, the JSON value",
            id="two arguments",
        ),
        pytest.param(
            {"text/csv": 3}, "['text/csv'] must be a function, or have a method 'render', not 3", id="neither"
        ),
        pytest.param({"text/x": None}, "['text/x'] is None, and there is nothing to remove", id="nothing"),
    ],
)
def test_declarations_that_cannot_be(said: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as of_app:
        notes_app("t", renderers=said).compile()
    with pytest.raises(ConfigurationError) as of_resource:
        notes_app("t", {"renderers": said}, renderers={}).compile()
    between = "" if message[0] in "[:" else " "
    assert str(of_app.value) == f"PolyMicro.renderers{between}{message}"
    assert str(of_resource.value) == f"Notes.renderers{between}{message}"


@pytest.mark.parametrize(("renderer", "library"), [(MessagePack, "msgpack"), (YAML, "yaml")])
def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch, renderer: Any, library: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(ConfigurationError) as caught:
        notes_app("t", renderers={"a/b": renderer()}).compile()
    assert str(caught.value) == (
        f"PolyMicro.renderers['a/b']: it needs a library: add \"polymicro-lambda[{library}]\" to the dependencies"
    )
