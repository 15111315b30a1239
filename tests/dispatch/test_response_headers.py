"""Headers of answers: whatever client or table say, none begins another, and all together are carried."""

import logging
import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from contract import ALICE, FORMS, Caller, every_form, resolved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import CORS, Create, IsAuthenticated, List, ModelResource, PolyMicro, Retrieve
from polymicro_lambda.dispatch.responses.response_limits import MOST_HEADERS, fitting_headers
from polymicro_lambda.http import source_of
from polymicro_lambda.http.responses import Response
from polymicro_lambda.testing import make_event

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
VALUE = re.compile(r"[\x20-\x7e]*")
APP = "https://app.example.com"


class Note(Model):
    class Meta:
        table_name = "header-notes"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)
    version = VersionAttribute()


class Notes(ModelResource, Create, List, Retrieve):
    model = Note
    route = "notes"
    permissions = IsAuthenticated
    scan = True
    filters: ClassVar[Any] = {"text": ("eq", "in")}

    def retrieve(self, instance: Any) -> Any:
        return instance, {"X-Text": instance.text or "", f"x-{instance.text or 'text'}": "1"}


@pytest.fixture
def api(dynamodb: None) -> Iterator[Caller]:
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    pm = PolyMicro(cors=CORS(origins=(APP,), credentials=True), hsts=True)
    Notes(pm)
    yield Caller(pm.compile(), user=ALICE)
    Note.delete_table()


def assert_clean(result: Any) -> None:
    """Each header is one line of visible ASCII, whose name no other has."""
    said = result.headers
    assert [name for name in said if not NAME.fullmatch(name)] == []
    assert {name: value for name, value in said.items() if not VALUE.fullmatch(value)} == {}
    assert "x-injected" not in said
    assert sum(len(name) + len(value) + 4 for name, value in said.items()) <= MOST_HEADERS


ANYTHING = st.text(max_size=300) | st.sampled_from(
    [
        "\r\nx-injected: 1",
        "a\nx-injected: 1",
        "a\rx-injected: 1",
        "\u010a\u010dx-injected: 1",
        "é" * 300,
        "\x00",
    ]
)


@every_form
@given(headers=st.dictionaries(ANYTHING, ANYTHING, max_size=5))
@settings(max_examples=60, deadline=None)
def test_no_header_of_a_verb_begins_another(form: dict[str, Any], headers: dict[str, str]) -> None:
    event = make_event("GET", "/notes", **form)
    written = source_of(event).to_response(Response(200, headers), event)
    said = written.get("headers") or {n: v for n, (v,) in written.get("multiValueHeaders", {}).items()}
    cookies = written.get("cookies", [])
    assert [name for name in said if not NAME.fullmatch(name)] == []
    assert [value for value in (*said.values(), *cookies) if not VALUE.fullmatch(value)] == []
    assert len(said) + len(cookies) <= len(headers)


@given(
    data=st.fixed_dictionaries(
        {"key": st.text(min_size=1, max_size=80), "text": ANYTHING, "origin": ANYTHING, "query": ANYTHING}
    ),
    form=st.sampled_from(list(FORMS)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_stored_or_asked_begins_a_header(api: Caller, data: Any, form: str) -> None:
    """``Location``, ``ETag``, ``Link`` and CORS, from keys, values, queries and headers; no answer is a 5xx."""
    sent = {"origin": data["origin"], "x-correlation-id": data["origin"], "x-amzn-trace-id": data["text"]}
    said: dict[str, Any] = {"headers": sent, **FORMS[form]}
    made = api.post("/notes", json={"id": data["key"], "text": data["text"]}, **said)
    assert made.status in (201, 409, 422)
    results = [made, api.get("/notes", query={"text__in": data["query"], "limit": 1}, **said)]
    if made.status == 201:
        path = resolved(made, "/notes")
        results.append(api.get(f"/notes/{quote(data['key'], safe='')}", **said))
        assert path == f"/notes/{quote(data['key'], safe='')}"
    for result in results:
        assert result.status < 500
        assert_clean(result)
        assert "access-control-allow-origin" not in result.headers or data["origin"] == APP


@every_form
def test_what_is_the_connections_is_not_an_answers(form: dict[str, Any]) -> None:
    event = make_event("GET", "/notes", **form)
    headers = {
        "Content-Length": "5",
        "Transfer-Encoding": "chunked",
        "Connection": "close",
        "\r\n": "x",
        "x-a": "1",
    }
    written = source_of(event).to_response(Response(200, headers, b"12"), event)
    assert written.get("headers", written.get("multiValueHeaders")) in ({"x-a": "1"}, {"x-a": ["1"]})


# --- too long ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("letters", "there"), [(990, True), (1020, False)])
def test_a_location_too_long_to_be_carried_is_left_out(api: Caller, letters: int, there: bool) -> None:
    """The item is in the body, and its key with it."""
    made = api.post("/notes", json={"id": "é" * letters})
    assert (made.status, made.json["id"], "location" in made.headers) == (201, "é" * letters, there)


def test_a_link_too_long_to_be_carried_is_left_out(api: Caller) -> None:
    for number in range(3):
        api.post("/notes", json={"id": str(number), "text": "a"})
    query = {"text__in": ",".join(["a" * 60] * 98 + ["a"]), "limit": 1}
    page = api.get("/notes", query=query)
    while page.json["pagination_key"] and not page.json["items"]:
        page = api.get("/notes", query={**query, "pagination_key": page.json["pagination_key"]})
    assert (page.status, "link" in page.headers, bool(page.json["pagination_key"])) == (200, False, True)
    assert_clean(page)


def test_a_bare_list_without_its_link_is_no_list(api: Caller) -> None:
    """It would look like the last page."""

    class Bare(Notes):
        route = "bare"
        envelope = False

    pm = PolyMicro()
    Bare(pm)
    bare = Caller(pm.compile(), user=ALICE)
    for number in range(3):
        api.post("/notes", json={"id": str(number), "text": "a"})
    assert "link" in bare.get("/bare", query={"text": "a", "limit": 1}).headers
    refused = bare.get("/bare", query={"text__in": ",".join(["a" * 60] * 98 + ["a"]), "limit": 1})
    assert (refused.status, "ask for less" in refused.json["detail"]) == (400, True)


def test_headers_that_are_too_large_are_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"x-large": "x" * 8000, "x-small": "1", "x-other": "y" * 500}
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        assert fitting_headers(headers) == {"x-small": "1", "x-other": "y" * 500}
    assert [record.getMessage() for record in caplog.records] == [
        "A header of an answer was too large, and was left out: 'x-large'"
    ]


def test_what_fits_stays_as_it_is() -> None:
    headers = {"a": "x" * (MOST_HEADERS - 5)}
    assert fitting_headers(headers) is headers
    assert fitting_headers({"a": "x" * (MOST_HEADERS - 4)}) == {}
