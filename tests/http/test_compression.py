"""Answers by gzip: to whom, of what, and how their tags go on naming the same item."""

import base64
import gzip
import json
from typing import Any

import pytest
from contract import FORMS, counted, create_table, every_form
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    List,
    ModelResource,
    PolyMicro,
    Resource,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.http.compression import COMPRESSED_FROM, accepts_gzip
from polymicro_lambda.testing import Client, FakeContext, make_event

GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}
LONG = "milk " * 500


class Said(Resource):
    """Says what the test wants."""

    route = ""
    permissions = AllowAny

    @action(methods=("GET", "POST"), path="said")
    def said(self) -> Any:
        return self.answer

    def __init__(self, pm: PolyMicro, answer: Any = None) -> None:
        super().__init__(pm)
        self.answer = answer or {"text": LONG}


def client(answer: Any = None) -> Client:
    pm = PolyMicro()
    Said(pm, answer)
    return Client(pm)


@every_form
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_long_answer_goes_out_by_gzip(form: dict[str, Any], method: str) -> None:
    if method == "HEAD" and form.get("source", "rest") == "rest":
        return  # there is nothing that the gateway could compress
    result = client().request(method, "/said", headers=GZIP, **form)
    assert (result.status, result.headers["content-encoding"]) == (200, "gzip")
    assert result.headers["vary"] == "Accept-Encoding"
    if method == "GET":
        assert len(result.body) < 100
        assert gzip.decompress(result.body) == result.content
        assert result.json == {"text": LONG}


@pytest.mark.parametrize("form", [form for name, form in FORMS.items() if name != "rest"], ids=str)
def test_lambda_gets_the_bytes_in_base64(form: dict[str, Any]) -> None:
    answer = client().handler(make_event("GET", "/said", headers=GZIP, **form), FakeContext())
    assert answer["isBase64Encoded"] is True
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"]))) == {"text": LONG}


def test_a_rest_api_compresses_by_itself() -> None:
    """It would send base64 as it is, unless all media types were binary to it."""
    answer = client().handler(make_event("GET", "/said", headers=GZIP), FakeContext())
    assert (answer["isBase64Encoded"], "content-encoding" in answer["headers"]) == (False, False)
    assert json.loads(answer["body"]) == {"text": LONG}


@every_form
@pytest.mark.parametrize(
    "accept", [None, "", "br", "gzip;q=0", "identity", "identity, gzip;q=0.5", "*;q=0", "gzipped"]
)
def test_who_does_not_take_gzip_gets_none(form: dict[str, Any], accept: str | None) -> None:
    headers = {} if accept is None else {"Accept-Encoding": accept}
    result = client().get("/said", headers=headers, **form)
    assert "content-encoding" not in result.headers
    assert (result.headers["vary"], json.loads(result.body)) == ("Accept-Encoding", {"text": LONG})


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br, gzip", True),
        ("gzip;q=1.0", True),
        ("gzip ; q=0.001 , br", True),
        ("*", True),
        ("br;q=1, *;q=0.1", True),
        ("gzip;q=0, *", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0, *", True),
        ("gzip;q=2", False),
        ("gzip;q=x", False),
        ("not-gzip", False),
        ("gzip" + ", x" * 1000, False),
        (", ".join(["gzip"] * 1000), False),
    ],
)
def test_what_accept_encoding_says(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@given(st.text(alphabet="gzip*;q=01., \t-xbr", max_size=60))
def test_no_accept_encoding_is_an_error(header: str) -> None:
    assert accepts_gzip(header) in (True, False)


@pytest.mark.parametrize(
    ("answer", "encoding"),
    [
        pytest.param({"text": "short"}, None, id="short"),
        pytest.param(({"text": LONG}, {"Content-Encoding": "br"}), "br", id="compressed by the verb"),
        pytest.param(({"text": LONG}, {"Content-Type": "image/png"}), None, id="picture"),
        pytest.param(({"text": LONG}, {"Content-Type": "image/svg+xml"}), "gzip", id="drawing"),
        pytest.param(({"text": LONG}, {"Content-Type": "application/zip"}), None, id="archive"),
        pytest.param(({"text": LONG}, {"Cache-Control": "no-transform"}), None, id="no transform"),
        pytest.param(({"text": LONG}, 400), "gzip", id="error of the verb's own"),
    ],
)
@every_form
def test_what_is_compressed(form: dict[str, Any], answer: Any, encoding: str | None) -> None:
    result = client(answer).get("/said", headers=GZIP, **form)
    assert result.headers.get("content-encoding") == encoding


def test_from_which_size_on() -> None:
    sizes = {}
    for more in (0, 1):
        text = "x" * (COMPRESSED_FROM - len('{"text":""}') - 1 + more)
        result = client({"text": text}).get("/said", headers=GZIP, source="http")
        sizes[len(result.content)] = result.headers.get("content-encoding")
    assert sizes == {COMPRESSED_FROM - 1: None, COMPRESSED_FROM: "gzip"}


def test_a_verbs_own_vary_stays() -> None:
    result = client(({"text": LONG}, {"Vary": "Accept-Language"})).get("/said", headers=GZIP, source="http")
    assert result.headers["vary"] == "Accept-Language, Accept-Encoding"


# --- tags -----------------------------------------------------------------------------------------------------


class Note(Model):
    class Meta:
        table_name = "compressed_notes"
        region = "us-east-1"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute()


class Versioned(Note):
    class Meta:
        table_name = "compressed_versioned_notes"
        region = "us-east-1"

    version = VersionAttribute()


def notes(of: type[Model], name: str) -> Client:
    create_table(of, name)

    class Notes(ModelResource, Create, List, Retrieve, Update):
        model = of
        route = "notes"
        permissions = AllowAny
        scan = True

    pm = PolyMicro()
    Notes(pm)
    return Client(pm)


@pytest.mark.parametrize("of", [Note, Versioned])
@every_form
def test_tags_of_compressed_answers_name_the_item(
    dynamodb: None, table_name: str, form: dict[str, Any], of: type[Model]
) -> None:
    api = notes(of, table_name)
    made = api.post("/notes", json={"id": "a", "text": LONG}, headers=GZIP, **form)
    plain = api.get("/notes/a", **form).headers["etag"]
    tag = api.get("/notes/a", headers=GZIP, **form).headers["etag"]
    assert made.headers["etag"] == tag
    assert tag == (plain if form.get("source", "rest") == "rest" else plain[:-1] + '+gzip"')
    for known in (plain, tag, f"W/{plain}", f"W/{tag}", f'"other", {tag}'):
        assert api.get("/notes/a", headers={"If-None-Match": known, **GZIP}, **form).status == 304
    changed = api.patch("/notes/a", json={"text": LONG + "!"}, headers={"If-Match": tag, **GZIP}, **form)
    assert (changed.status, changed.json["text"]) == (200, LONG + "!")
    refused = api.patch("/notes/a", json={"text": "x"}, headers={"If-Match": tag, **GZIP}, **form)
    assert refused.status == 412
    assert api.get("/notes", headers=GZIP, **form).headers["etag"].startswith('W/"')


@pytest.mark.parametrize("of", [Note, Versioned])
def test_a_weak_tag_is_refused_with_the_reason(dynamodb: None, table_name: str, of: type[Model]) -> None:
    api = notes(of, table_name)
    tag = api.post("/notes", json={"id": "a", "text": "x"}).headers["etag"]
    weak = api.patch("/notes/a", json={"text": "y"}, headers={"If-Match": f"W/{tag}"})
    assert (weak.status, weak.json["current"]["text"], weak.headers["etag"]) == (412, "x", tag)
    assert "W/" in weak.json["detail"]
    assert "compress" in weak.json["detail"]
    other = api.patch("/notes/a", json={"text": "y"}, headers={"If-Match": '"other"'})
    assert (other.status, other.json["detail"]) == (412, "The item has changed meanwhile.")
    assert api.patch("/notes/a", json={"text": "y"}, headers={"If-Match": tag}).status == 200


@pytest.mark.parametrize("tag", ["abc", "1", "'abc'", "W/abc", 'abc"'])
def test_a_tag_without_quotes_is_told_so(dynamodb: None, table_name: str, tag: str) -> None:
    api = notes(Note, table_name)
    api.post("/notes", json={"id": "a", "text": "x"}).raise_for_status()
    refused = api.patch("/notes/a", json={"text": "y"}, headers={"If-Match": tag})
    assert refused.status == 400
    assert 'A tag has its quotes: "abc".' in refused.json["detail"]


# --- bodies ---------------------------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize(
    "encoding", ["gzip", "GZIP", "br", "deflate, gzip", "identity, gzip", "x", "gzip;q=1"]
)
@pytest.mark.parametrize("path", ["/notes", "/said"])
def test_compressed_bodies_are_refused(form: dict[str, Any], encoding: str, path: str) -> None:
    class Notes(ModelResource, Create):
        model = Note
        route = "notes"
        permissions = AllowAny

    pm = PolyMicro()
    Notes(pm)
    Said(pm)
    sent = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    with counted() as calls:
        body = gzip.compress(b'{"id": "a", "text": "x"}')
        result = Client(pm).post(path, body=body, headers=sent, **form)
    assert (result.status, calls, result.headers["accept-encoding"]) == (415, [], "identity")
    assert "Content-Encoding" in result.json["detail"]


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_bodies_without_a_coding_may_say_so(encoding: str) -> None:
    assert client().post("/said", json={}, headers={"Content-Encoding": encoding}).status == 200
