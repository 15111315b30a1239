"""Bodies besides JSON: chosen by ``Content-Type``, with JSON's limits and JSON's meaning."""

import logging
import tomllib
from decimal import Decimal
from time import process_time
from typing import Any

import msgpack
import pytest
import yaml
from contract import ALICE, Caller, assert_problem, create_tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields
from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    DecimalAttribute,
    HasPermission,
    Idempotency,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import BadRequest, ConfigurationError, Conflict, HTTPError
from polymicro_lambda.http import read_json
from polymicro_lambda.http.strict_json import as_read
from polymicro_lambda.renderers import CSV, YAML, MessagePack

PARSERS: dict[str, Any] = {
    "text/csv": CSV(),
    "application/msgpack": MessagePack(),
    "application/yaml": YAML(),
}


class Place(MapAttribute[str, Any]):
    town = UnicodeAttribute()
    floor = NumberAttribute(null=True)


class Amount(Schema):
    amount = fields.Integer(required=True)
    note = fields.String(allow_none=True)


def notes_app(table: str, **more: Any) -> PolyMicro:
    class Note(Model):
        class Meta:
            table_name = table

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        title = UnicodeAttribute()
        stars = NumberAttribute(null=True)
        price = DecimalAttribute(null=True)
        done = BooleanAttribute(default=False)
        due = UTCDateTimeAttribute(null=True)
        place = Place(null=True)
        tags: Any = ListAttribute(of=UnicodeAttribute, null=True)

    class Notes(ModelResource, Create, Retrieve, Update):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")
        max_bulk = 10

        @action(detail=False)
        def echo(self, req: Any, user: Any, request: Any) -> Any:
            return {"req": req, "json": request.json}

        @action(detail=False, schema=Amount)
        def pay(self, req: Any, user: Any) -> Any:
            return req

    pm = PolyMicro(**{"parsers": PARSERS, **more})
    Notes(pm)
    return pm


def started(pm: PolyMicro) -> Caller:
    caller = Caller(pm, user=ALICE)
    assert caller.handler
    create_tables(pm)
    return caller


@pytest.fixture
def caller(dynamodb: None, table_name: str) -> Caller:
    return started(notes_app(table_name))


def sent(media: str, body: bytes | str, **headers: str) -> dict[str, Any]:
    return {"body": body, "headers": {"Content-Type": media, **headers}}


CSV_HEADER = "id,title,stars,price,done,due,place,tags\r\n"
NEW = {
    "id": "1",
    "title": "=1+1",
    "stars": 3,
    "price": "-2.5",
    "done": True,
    "due": "2030-01-31T12:00:00+00:00",
    "place": {"town": "Bern", "floor": 2},
    "tags": ["a", "b"],
}
BODIES = {
    "text/csv": CSV_HEADER
    + '1,\'=1+1,3,-2.5,TRUE,2030-01-31T12:00:00+00:00,"{""town"":""Bern"",""floor"":2}","[""a"",""b""]"\r\n',
    "application/msgpack": msgpack.packb(NEW),
    "application/yaml": yaml.safe_dump(NEW),
}


@pytest.mark.parametrize("media", BODIES)
def test_an_item_in_each_format(caller: Caller, media: str) -> None:
    first = caller.post("/notes", **sent(media, BODIES[media]))
    assert (first.status, first.json) == (201, {"owner": "alice", **NEW})
    assert caller.everywhere("POST", "/notes", **sent(media, BODIES[media])).status == 409
    assert caller.everywhere("POST", "/notes", **sent(f"{media}; charset=utf-8", BODIES[media])).status == 409


def test_a_patch_merges_in_each_format(caller: Caller) -> None:
    caller.post("/notes", json=NEW).raise_for_status()
    change = {"stars": None, "place": {"floor": None}}
    bodies = {
        "application/msgpack": msgpack.packb(change),
        "application/yaml": "stars: ~\nplace: {floor: null}",
        "text/csv": 'stars,place\n,"{""floor"":null}"\n',
    }
    for media, body in bodies.items():
        caller.patch("/notes/1", json={"stars": 3, "place": {"floor": 2}}).raise_for_status()
        found = caller.everywhere("PATCH", "/notes/1", **sent(media, body)).json
        assert found == {"owner": "alice", **NEW, "stars": None, "place": {"town": "Bern", "floor": None}}


def test_empty_cells(caller: Caller) -> None:
    """Null; where that may not be an empty text, or as if the column were not there."""
    caller.post("/notes", **sent("text/csv", CSV_HEADER + "1,,,,,,,\r\n")).raise_for_status()
    item = dict.fromkeys(("stars", "price", "due", "place", "tags"))
    assert caller.get("/notes/1").json == {"owner": "alice", "id": "1", "title": "", "done": False, **item}


class Drawn(Schema):
    colour = fields.String(load_default="red")
    name = fields.String()


def test_empty_cells_of_texts_with_a_default(dynamodb: None, table_name: str) -> None:
    """As if their column were not there, keys and what the rule gives included; an empty text where there is none."""
    cards = f"{table_name}-cards"

    class Card(Model):
        class Meta:
            table_name = cards

        id = UnicodeAttribute(hash_key=True, default_for_new=lambda: "made")
        part = UnicodeAttribute(range_key=True, default="first")
        owner = UnicodeAttribute()
        colour = UnicodeAttribute(default="white")
        title = UnicodeAttribute()

    class Cards(ModelResource, Create, Retrieve, Update):
        model = Card
        route = "cards"
        permissions = OwnedBy("owner") | HasPermission("staff")
        max_bulk = 10

        @action(detail=False, schema=Drawn)
        def draw(self, req: Any) -> Any:
            return req

    pm = PolyMicro(parsers=PARSERS)
    Cards(pm)
    caller = started(pm)
    made = {"id": "made", "part": "first", "owner": "alice", "colour": "white", "title": ""}
    answer = caller.post("/cards", **sent("text/csv", "id,part,owner,colour,title\n,,,,\n,b,,red,x\n"))
    assert (answer.status, answer.json) == (201, [made, {**made, "part": "b", "colour": "red", "title": "x"}])
    caller.patch("/cards/made/b", **sent("text/csv", "colour,title\n,\n")).raise_for_status()
    assert caller.get("/cards/made/b").json == {**made, "part": "b", "colour": "red"}
    drawn = caller.everywhere("POST", "/cards/draw", **sent("text/csv", "colour,name\n,\n"))
    assert drawn.json == {"colour": "red", "name": ""}


def test_many_rows_are_a_list(caller: Caller) -> None:
    text = "\ufeffid,title\n1,one\n2,two\n\n"
    found = caller.post("/notes", **sent("text/csv", text))
    assert (found.status, [one["title"] for one in found.json]) == (201, ["one", "two"])
    wrong = caller.post("/notes", **sent("text/csv", "id,title,stars\n3,x,4\n4,y,many\n5,z,\n"))
    assert_problem(wrong, 422, "#/1/stars")
    too_many = "id,title\n" + "".join(f"{number},x\n" for number in range(20, 31))
    assert caller.post("/notes", **sent("text/csv", too_many)).status == 413
    assert_problem(caller.patch("/notes/1", **sent("text/csv", "title\na\nb\n")), 400)


def test_a_table_of_our_own_comes_back_as_it_was(dynamodb: None, table_name: str) -> None:
    caller = started(notes_app(table_name, renderers=PARSERS))
    items = [NEW, {**NEW, "id": "2", "title": "'@x", "stars": None, "done": False}]
    stored = caller.post("/notes", json=items).json
    text = caller.post(
        "/notes", json=[{**one, "id": f"{one['id']}0"} for one in items], headers={"Accept": "text/csv"}
    ).text
    bare = "\r\n".join(line.partition(",")[2] for line in text.splitlines())
    again = caller.post("/notes", **sent("text/csv", bare.replace("10,", "11,").replace("20,", "21,")))
    assert [{**one, "id": ""} for one in again.json] == [{**one, "id": ""} for one in stored]


def test_actions_take_them_too(caller: Caller) -> None:
    paid = caller.everywhere("POST", "/notes/pay", **sent("text/csv", "amount,note\n3,\n"))
    assert paid.json == {"amount": 3, "note": None}
    one = caller.post("/notes/echo", **sent("text/csv", "a\n1\n"))
    assert one.json == {"req": {"a": "1"}, "json": {"a": "1"}}
    found = caller.everywhere("POST", "/notes/echo", **sent("text/csv", "a,b\n1,x\n2,\n"))
    rows = [{"a": "1", "b": "x"}, {"a": "2", "b": ""}]
    assert found.json == {"req": rows, "json": rows}
    binary = caller.everywhere(
        "POST", "/notes/echo", **sent("application/msgpack", msgpack.packb([b"\xff", 2**64 - 1]))
    )
    assert binary.json["req"] == ["/w==", 2**64 - 1]


def test_an_idempotency_key_stands_for_the_values(dynamodb: None, table_name: str) -> None:
    caller = started(notes_app(table_name, idempotency=Idempotency(table=f"{table_name}-keys")))
    key = {"Idempotency-Key": "k"}
    first = caller.post("/notes", json=NEW, headers=key)
    again = caller.post("/notes", **sent("application/yaml", BODIES["application/yaml"], **key))
    assert (again.json, again.headers["idempotency-replayed"]) == (first.json, "true")


def test_another_type_says_what_there_is(caller: Caller) -> None:
    there = "application/json, text/csv, application/msgpack, application/yaml"
    refused = caller.everywhere("POST", "/notes", **sent("text/plain", "x"))
    assert_problem(refused, 415)
    assert refused.json["detail"] == f"Send the body as {there} in UTF-8."
    patched = caller.everywhere("PATCH", "/notes/1", **sent("text/csv; charset=latin-1", "x"))
    assert_problem(patched, 415)
    merge = "application/json, application/merge-patch+json, text/csv, application/msgpack, application/yaml"
    assert patched.headers["accept-patch"] == merge


DEEP = 300
BAD: list[Any] = [
    pytest.param("text/csv", b'id,title\n1,"x', "quote", id="csv: quotes that do not end"),
    pytest.param("text/csv", b'id,title\n1,"x"y\n', "quote", id="csv: text behind a quote"),
    pytest.param(
        "text/csv",
        b"id,title\n1,x,y\n",
        "Line 2 of the CSV has 3 cells, and its header 2",
        id="csv: a longer row",
    ),
    pytest.param("text/csv", b"id,title\n1\n", "Line 2 of the CSV has 1 cells", id="csv: a shorter row"),
    pytest.param(
        "text/csv",
        b'id,title\r\n\r\n1,"a\r\nb"\r\n2\r\n',
        "Line 5 of the CSV has 1 cells",
        id="csv: a shorter row below a blank line and a cell of two lines",
    ),
    pytest.param(
        "text/csv", b'id,title\n1,x\n2,"y\n3,z\n', "at line 3: ", id="csv: the line where a quote begins"
    ),
    pytest.param("text/csv", b"id,id\n1,2\n", 'names "id" twice', id="csv: a column twice"),
    pytest.param("text/csv", b"id,\n1,2\n", "must name a field", id="csv: a column without name"),
    pytest.param("text/csv", b"id,title\n", "no row", id="csv: a header alone"),
    pytest.param("text/csv", b"\r\n", "must name a field", id="csv: blank"),
    pytest.param("text/csv", b"", "sent as text/csv, and nothing is in it", id="csv: nothing"),
    pytest.param("text/csv", b"id\n\xff", "not UTF-8", id="csv: no UTF-8"),
    pytest.param("text/csv", b"id\n" + b"x" * 500_000, "a cell", id="csv: a large cell"),
    pytest.param("application/msgpack", b"\xdd\xff\xff\xff\xff", "ends too early", id="msgpack: a long list"),
    pytest.param("application/msgpack", b"\xdf\x7f\xff\xff\xff", "ends too early", id="msgpack: a long map"),
    pytest.param(
        "application/msgpack", b"\xdb\x00\x00\x00\x09x", "ends too early", id="msgpack: a long text"
    ),
    pytest.param(
        "application/msgpack",
        b"\xdd\x00\x00\xff\xff" * 20_000,
        "nested too deep",
        id="msgpack: long lists in lists",
    ),
    pytest.param(
        "application/msgpack", b"\x81\xa2id\xd6\x05abcd", "extension type", id="msgpack: an extension"
    ),
    pytest.param(
        "application/msgpack", b"\x81\xa2id\xd6\xff\0\0\0\1", "timestamp", id="msgpack: a timestamp"
    ),
    pytest.param(
        "application/msgpack", b"\x81\x01\x02", "something else than a text", id="msgpack: a number as a name"
    ),
    pytest.param(
        "application/msgpack", b"\x81\xc4\x01a\x02", "something else than a text", id="msgpack: a binary name"
    ),
    pytest.param(
        "application/msgpack", b"\x82\xa1a\x01\xa1a\x02", 'names "a" twice', id="msgpack: a name twice"
    ),
    pytest.param("application/msgpack", b"\x81\xa1a\xa1\xff", "cannot be read", id="msgpack: no UTF-8"),
    pytest.param("application/msgpack", b"\x80\x80", "follows", id="msgpack: two values"),
    pytest.param("application/msgpack", b"\xc1", "cannot be read", id="msgpack: what it never uses"),
    pytest.param("application/msgpack", b"\x81\xa1a\xcb\x7f\xf8" + bytes(6), "NaN", id="msgpack: NaN"),
    pytest.param("application/msgpack", b"\x91" * DEEP + b"\xc0", "nested too deep", id="msgpack: deep"),
    pytest.param("application/yaml", b"title: &a [x]\nid: *a", "anchor or alias", id="yaml: an alias"),
    pytest.param("application/yaml", b"a: &a x", "anchor or alias", id="yaml: an anchor"),
    pytest.param("application/yaml", b"a: *b", "anchor or alias", id="yaml: an alias of nothing"),
    pytest.param("application/yaml", b"!!python/object/apply:os.getcwd []", "tag", id="yaml: a tag"),
    pytest.param("application/yaml", b"a: !!str 3", "tag", id="yaml: a usual tag"),
    pytest.param("application/yaml", b"a: 1\na: 2", 'names "a" twice', id="yaml: a name twice"),
    pytest.param("application/yaml", b"a: 1\n---\na: 2", "more than one document", id="yaml: two documents"),
    pytest.param(
        "application/yaml", b"? [a]\n: 1", "something else than a text", id="yaml: a list as a name"
    ),
    pytest.param("application/yaml", b"a: .nan", "JSON does not have", id="yaml: NaN"),
    pytest.param("application/yaml", b"a: -.INF", "JSON does not have", id="yaml: an infinity"),
    pytest.param("application/yaml", b"a: 1e999999", "no parser can carry", id="yaml: a huge number"),
    pytest.param("application/yaml", b"a: " + b"9" * 4301, "more than 4300 digits", id="yaml: a long number"),
    pytest.param(
        "application/yaml", b"a: 0x" + b"f" * 3600, "more than 4300 digits", id="yaml: long and hex"
    ),
    pytest.param("application/yaml", b"a: [1", "not YAML at line", id="yaml: unfinished"),
    pytest.param("application/yaml", b"\xff", "not UTF-8", id="yaml: no UTF-8"),
    pytest.param("application/yaml", b"a: \x07", "not YAML", id="yaml: a control character"),
    pytest.param("application/yaml", b"[" * DEEP + b"]" * DEEP, "nested too deep", id="yaml: deep"),
]


@pytest.mark.parametrize(("media", "body", "why"), BAD)
@pytest.mark.parametrize("path", ["/notes", "/notes/echo"])
def test_bodies_that_cannot_be(media: str, body: bytes, why: str, path: str, dynamodb: None) -> None:
    found = Caller(notes_app("t"), user=ALICE).everywhere("POST", path, **sent(media, body))
    if path == "/notes/echo" and not body:
        assert found.json == {"req": {}, "json": None}
        return
    assert_problem(found, 400)
    assert why in found.json["detail"]


MB = 1024 * 1024
HEAVY = {
    "msgpack: a long list": ("application/msgpack", b"\xdd\x00\x0f\xff\xfb" + b"\x90" * (MB - 5)),
    "msgpack: lists that say to be long": ("application/msgpack", b"\xdd\x00\x0f\xff\x00" * (MB // 5)),
    "yaml: a long list": ("application/yaml", b"[" + b"1," * (MB // 2 - 1)),
    "yaml: deep": ("application/yaml", b"[" * MB),
    "yaml: deep lines": ("application/yaml", b"- " * (MB // 2)),
    "yaml: a long number of base 16": ("application/yaml", b"a: 0x" + b"f" * (MB - 5)),
    "yaml: a long number of base 8": ("application/yaml", b"a: 0o" + b"7" * (MB - 5)),
    "csv: a wide table": ("text/csv", b",".join(b"%x" % number for number in range(MB // 8)) + b"\n1"),
    "csv: a tall table": ("text/csv", b"a\n" + b"1\n" * (MB // 2 - 1)),
}


@pytest.mark.parametrize(("media", "body"), HEAVY.values(), ids=HEAVY)
def test_a_heavy_body_is_answered_soon(media: str, body: bytes, dynamodb: None) -> None:
    """Of CPU time; JSON of the size takes a tenth of that. A table's header is not searched name by name."""
    caller = Caller(notes_app("t"), user=ALICE)
    assert caller.handler
    began = process_time()
    found = caller.post("/notes", **sent(media, body))
    assert process_time() - began < 10
    assert found.status in (400, 413, 422)


def test_a_list_where_one_item_is_taken(caller: Caller) -> None:
    for method, path in (("PATCH", "/notes/1"), ("POST", "/notes/pay")):
        refused = caller.everywhere(method, path, json=[{"amount": 1}])
        assert_problem(refused, 400)
        assert refused.json["detail"] == (
            "The body must be a JSON object, not a list: send each item by itself."
        )


def test_too_large_a_body(dynamodb: None) -> None:
    caller = Caller(notes_app("t", max_body=100), user=ALICE)
    for media in PARSERS:
        assert_problem(caller.everywhere("POST", "/notes", **sent(media, b"a" * 101)), 413)


@pytest.mark.parametrize(
    ("media", "body"),
    [("application/yaml", b'"\\ud800"'), ("application/yaml", b'a: "\\udfff"')],
)
def test_half_a_character(media: str, body: bytes, dynamodb: None) -> None:
    found = Caller(notes_app("t"), user=ALICE).everywhere("POST", "/notes/echo", **sent(media, body))
    assert found.status in (400, 422)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("True", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ("012", 12),
        ("0o14", 12),
        ("0xC", 12),
        ("-3", -3),
        ("+3", 3),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2030-01-31", "2030-01-31"),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("0.12345678901234567890123", Decimal("0.12345678901234567890123")),
        ("100000000000000000000000000", 10**26),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("{a: [1, {b: c}]}", {"a": [1, {"b": "c"}]}),
        ("# nothing\n", None),
        ("<<: 1", {"<<": 1}),
    ],
)
def test_yaml_is_that_of_1_2(text: str, value: Any) -> None:
    found = YAML().parse(text.encode())
    assert (found, type(found)) == (value, type(value))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029"])
def test_line_breaks_of_yaml_1_1_are_escaped(odd: str) -> None:
    """A reader of 1.2 has none of them as a break, and would keep the blanks behind it."""
    value = {"a": f"x{odd}y", f"b{odd}": [f"{odd} z"]}
    text = YAML().render(value)
    assert odd not in text
    assert YAML().parse(text.encode()) == yaml.safe_load(text) == value


@given(VALUES)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_values_come_back_as_they_were(value: Any) -> None:
    assert as_read(YAML().parse(YAML().render(value).encode())) == value
    assert yaml.safe_load(YAML().render(value)) == value
    packed = MessagePack().render(value)
    assert MessagePack().parse(packed) == msgpack.unpackb(packed)


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for parser in PARSERS.values():
        try:
            parser.parse(body)
        except BadRequest:
            continue


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.text(st.characters(exclude_categories=("Cs",)))),
        min_size=1,
    )
)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_texts_of_a_table_come_back_as_they_were(rows: list[dict[str, str]]) -> None:
    found = CSV().parse(CSV().table(rows, ["a", "b", "c"]).encode())
    assert found == [{name: row.get(name, "") for name in "abc"} for row in rows]


def test_parsers_of_ones_own(dynamodb: None, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(body: bytes) -> Any:
        raise Conflict("Not now.")

    own = {
        "application/toml": lambda body: tomllib.loads(body.decode()),
        "text/x-refused": refuse,
        "text/x-broken": lambda body: 1 / 0,
        "text/x-odd": lambda body: object(),
    }
    caller = Caller(notes_app("t", parsers=own), user=ALICE)

    def status(media: str, body: str) -> Any:
        found = caller.everywhere("POST", "/notes/echo", **sent(media, body))
        return found.json["req"] if found.status == 200 else (found.status, found.json.get("detail"))

    assert status("application/toml", "a = 1\nb = 2030-01-31") == {"a": 1, "b": "2030-01-31"}
    assert status("application/toml", "a = ") == (400, "The body is not application/toml.")
    too_long = "The body holds an integer of more than 4300 digits: send it as a text."
    assert status("application/toml", f"a = 0x{'f' * 3600}") == (400, too_long)
    assert status("text/x-refused", "x") == (409, "Not now.")
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        assert status("text/x-broken", "x")[0] == 500
        assert status("text/x-odd", "x")[0] == 500
    said = {record.getMessage().rpartition(": ")[2] for record in caplog.records}
    assert said == {"ZeroDivisionError", "TypeError"}
    assert all(record.getMessage().startswith("Request failed: text/x-") for record in caplog.records)


def test_parsers_that_cannot_be() -> None:
    for said, message in (
        ({"text/csv": CSV}, "PolyMicro.parsers['text/csv'] is a class: write CSV()"),
        ({"x": CSV()}, "PolyMicro.parsers: 'x' is no media type, such as \"text/csv\""),
        ({"text/x": lambda: 3}, "PolyMicro.parsers['text/x'] must take one argument, the body's bytes"),
        ({"text/x": 3}, "PolyMicro.parsers['text/x'] must be a function, or have a method 'parse', not 3"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            notes_app("t", parsers=said).compile()
        assert str(caught.value) == message
    with pytest.raises(ConfigurationError) as caught:
        CSV(delimiter="ab")
    assert str(caught.value) == "CSV.delimiter must be one character, such as ';', not 'ab'"


def test_every_error_is_one_of_http() -> None:
    for value in (float("nan"), {1: 2}, float("inf"), Decimal("1e9999999")):
        with pytest.raises(HTTPError):
            as_read(value)
    assert read_json(b"3") == as_read(3)
