"""What a verb may return, form by form, and how it becomes JSON."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from contract import FORMS, Caller, assert_problem
from pynamodb.attributes import MapAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, action
from polymicro_lambda.dispatch.responses.verb_results import (
    VerbResult,
    is_collection,
    json_default,
    result_of,
)
from polymicro_lambda.exceptions import ConfigurationError, Conflict
from polymicro_lambda.http.strict_json import json_bytes
from polymicro_lambda.lists.cursors import NO_KEY
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.testing import Client


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


A, B = Note("a"), Note("b")
LEK = {"id": {"S": "a"}}
HEADERS = {"x-a": "1"}
PAGE = {"items": [{"id": "a"}], "pagination_key": None}


class Pair(NamedTuple):
    left: Any
    right: Any


ANY_VERB: dict[str, tuple[Any, VerbResult]] = {
    "an instance": (A, VerbResult(A)),
    "nothing": (None, VerbResult(None)),
    "a list": ([A, B], VerbResult([A, B])),
    "a JSON object": ({"a": 1}, VerbResult({"a": 1})),
    "an empty tuple": ((), VerbResult(())),
    "a tuple of one": ((A,), VerbResult((A,))),
    "a tuple of two instances": ((A, B), VerbResult((A, B))),
    "a tuple of three instances": ((A, B, A), VerbResult((A, B, A))),
    "a tuple of two texts": (("a", "b"), VerbResult(("a", "b"))),
    "a status": ((A, 202), VerbResult(A, 202)),
    "a status of the enum": ((A, HTTPStatus.ACCEPTED), VerbResult(A, 202)),
    "headers": ((A, HEADERS), VerbResult(A, None, HEADERS)),
    "no headers": ((A, {}), VerbResult(A, None, {})),
    "status and headers": ((A, 202, HEADERS), VerbResult(A, 202, HEADERS)),
    "nothing with a status": ((None, 205), VerbResult(None, 205)),
    "a bool is no status": ((A, True), VerbResult((A, True))),
    "a float is no status": ((A, 200.0), VerbResult((A, 200.0))),
    "None is neither": ((A, None), VerbResult((A, None))),
    "an instance, then what looks like a status": ((A, B, 200), VerbResult((A, B, 200))),
    "a tuple as the body": (((A, B), 202), VerbResult((A, B), 202)),
}

LIST_ONLY: dict[str, tuple[Any, VerbResult]] = {
    "status and key": (([A], 200, "k"), VerbResult([A], 200, {}, "k")),
    "headers and key": (([A], HEADERS, "k"), VerbResult([A], None, HEADERS, "k")),
    "all four": (([A], 200, HEADERS, LEK), VerbResult([A], 200, HEADERS, LEK)),
    "a last_evaluated_key alone": (([A], LEK), VerbResult([A], None, {}, LEK)),
    "a key that is an object": (([A], 200, {"page": 2}), VerbResult([A], 200, {}, {"page": 2})),
    "a key of None": (([A], 200, None), VerbResult([A], 200, {}, None)),
    "a key of 0": (([A], 200, 0), VerbResult([A], 200, {}, 0)),
    "a key of ''": (([A], 200, ""), VerbResult([A], 200, {}, "")),
    "a key of False": (([A], 200, False), VerbResult([A], 200, {}, False)),
    "a text is no key without status or headers": (([A], "k"), VerbResult(([A], "k"))),
    "headers of numbers, then a key": (([A], {"x-a": 2}, "k"), VerbResult([A], None, {"x-a": "2"}, "k")),
    "two numbers are status and key": (([A], 200, 7), VerbResult([A], 200, {}, 7)),
    "str headers, then a key of str": (
        ([A], HEADERS, {"next": "b"}),
        VerbResult([A], None, HEADERS, {"next": "b"}),
    ),
}


@pytest.mark.parametrize("is_list", [False, True], ids=["item", "list"])
@pytest.mark.parametrize(("returned", "result"), ANY_VERB.values(), ids=ANY_VERB)
def test_forms_of_any_verb(returned: Any, result: VerbResult, is_list: bool) -> None:
    assert result_of(returned, is_list=is_list) == result


@pytest.mark.parametrize(("returned", "result"), LIST_ONLY.values(), ids=LIST_ONLY)
def test_forms_of_list(returned: Any, result: VerbResult) -> None:
    assert result_of(returned, is_list=True) == result


def test_headers_of_numbers() -> None:
    """As a list's last value they are a pagination key, as any object but one of texts is."""
    said = {"X-A": 2, "x-b": 0.5}
    assert result_of((A, said), is_list=False) == VerbResult(A, None, {"x-a": "2", "x-b": "0.5"})
    assert result_of(([A], said), is_list=True) == VerbResult([A], None, {}, said)


def logging_in(headers: Any) -> Caller:
    def login(self: Any) -> Any:
        return {"ok": True}, headers

    made = {"model": Note, "route": "notes", "permissions": AllowAny, "login": action(detail=False)(login)}
    type("Notes", (ModelResource, Retrieve), made)(pm := PolyMicro())
    return Caller(pm.compile())


def test_headers_of_several_values() -> None:
    """Of cookies each is a header of its own, whatever the source; those of other headers are joined by commas."""
    cookies = ["session=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "csrf=2\r\nX-Evil: 1"]
    client = logging_in({"Set-Cookie": cookies, "X-Numbers": (1, 2), "X-None": [], "X-One": "1"})
    result = client.everywhere("POST", "/notes/login")
    shown = [cookies[0], "csrf=2 X-Evil: 1"]
    assert (result.headers["x-numbers"], result.headers["x-one"]) == ("1, 2", "1")
    assert "x-none" not in result.headers
    assert result.headers["set-cookie"] == ", ".join(shown)
    sent = {name: client.request("POST", "/notes/login", **form).response for name, form in FORMS.items()}
    assert sent["rest"]["multiValueHeaders"] == {"set-cookie": shown}
    assert sent["http-2.0"]["cookies"] == shown
    assert sent["alb-multi"]["multiValueHeaders"]["set-cookie"] == shown
    assert [
        value for name, value in sent["alb-single"]["headers"].items() if name.lower() == "set-cookie"
    ] == shown


@pytest.mark.parametrize(
    "rest", [({"Set-Cookie": "canary"}, 201), (201, {"Set-Cookie": "canary"}, 1), ({"X": "canary"}, {}, 201)]
)
def test_headers_in_another_place(rest: tuple[Any, ...], caplog: pytest.LogCaptureFixture) -> None:
    """They are no item of a collection: nothing of them goes out, and the log says the order."""

    class Notes(ModelResource, List):
        model = Note
        route = "notes"
        permissions = AllowAny
        scan = True

        def list(self) -> Any:
            return ([{"id": "ok"}], *rest, "more")

        @action(detail=False)
        def login(self) -> Any:
            return ({"ok": True}, *rest)

    Notes(pm := PolyMicro())
    client = Caller(pm)
    for result in (client.everywhere("POST", "/notes/login"), client.everywhere("GET", "/notes")):
        assert_problem(result, 500)
        assert ("ok" in result.text, "canary" in result.text) == (False, False)
        assert "set-cookie" not in result.headers
    kinds = ", ".join(type(one).__name__ for one in rest)
    after = "after the body comes the status, then the headers"
    assert f"Notes.login returned (dict, {kinds}): {after}\n" in caplog.text
    assert f"Notes.list returned (list, {kinds}, str): {after}, then the pagination key\n" in caplog.text


def test_no_text_in_an_error_begins_another_cookie() -> None:
    def login(self: Any) -> Any:
        raise Conflict("No.", headers={"Set-Cookie": "name=a\nsession=EVIL"})

    made = {"model": Note, "route": "notes", "permissions": AllowAny, "login": action(detail=False)(login)}
    type("Notes", (ModelResource, Retrieve), made)(pm := PolyMicro())
    result = Caller(pm.compile()).everywhere("POST", "/notes/login")
    assert (result.status, result.headers["set-cookie"]) == (409, "name=a session=EVIL")


@pytest.mark.parametrize("value", [{"a": "b"}, None, True, b"a", ["a", None], [["a"]]], ids=repr)
def test_what_no_header_can_hold(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it becomes a body; the log names verb and header, not the value."""
    result = logging_in({"X-Fine": "canary", "Set-Cookie": value}).post("/notes/login")
    assert (result.status, "ok" in result.json, "canary" in result.text) == (500, False, False)
    wrong = value[-1] if isinstance(value, list) else value
    message = f"Notes.login returned a {type(wrong).__name__} as the header 'Set-Cookie'"
    assert message in caplog.text


def test_no_key_is_not_a_key_of_none() -> None:
    """Without a key the iterator has it; None says that there is none."""
    assert (result_of([A], is_list=True).key, result_of(([A], 200), is_list=True).key) == (NO_KEY, NO_KEY)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param([A], True, id="list"),
        pytest.param((), True, id="tuple"),
        pytest.param({A}, True, id="set"),
        pytest.param(iter([A]), True, id="iterator"),
        pytest.param((a for a in [A]), True, id="generator"),
        pytest.param({"a": 1}, False, id="object"),
        pytest.param("text", False, id="text"),
        pytest.param(b"bytes", False, id="bytes"),
        pytest.param(A, False, id="instance"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_collections(body: Any, expected: bool) -> None:
    assert is_collection(body) is expected


class Place(MapAttribute[Any, Any]):
    city = UnicodeAttribute()


ROME: Any = Place(city="Rome")  # type: ignore[no-untyped-call]


def shown(note: Any) -> Any:
    return {"id": note.id}


def counted() -> Iterator[int]:
    yield from (1, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(A, '{"id":"a"}', id="instance"),
        pytest.param({"deep": [A]}, '{"deep":[{"id":"a"}]}', id="instance in a value"),
        pytest.param(ROME, '{"city":"Rome"}', id="map"),
        pytest.param(datetime(2030, 1, 2, 3, tzinfo=UTC), '"2030-01-02T03:00:00+00:00"', id="datetime"),
        pytest.param(date(2030, 1, 2), '"2030-01-02"', id="date"),
        pytest.param(Decimal("3.0"), "3", id="integral Decimal"),
        pytest.param(Decimal("2.5"), "2.5", id="Decimal"),
        pytest.param(Decimal(2**70 + 1), str(2**70 + 1), id="large Decimal"),
        pytest.param(UUID(int=1), '"00000000-0000-0000-0000-000000000001"', id="UUID"),
        pytest.param(b"\xff", '"/w=="', id="bytes"),
        pytest.param({2, 1}, "[1,2]", id="set, sorted"),
        pytest.param({"a", 1}, '[1,"a"]', id="set of two types"),
        pytest.param(counted(), "[1,2]", id="generator"),
        pytest.param("é", '"é"', id="text"),
    ],
)
def test_values_as_json(value: Any, text: str) -> None:
    assert json_bytes(value, json_default(shown)).decode() == text


def test_a_set_of_instances_inside_a_value() -> None:
    """Instances have no order, and need none."""
    document = json_bytes({"found": {A, B}}, json_default(shown)).decode()
    assert document in (
        '{"found":[{"id":"a"},{"id":"b"}]}',
        '{"found":[{"id":"b"},{"id":"a"}]}',
    )


@pytest.mark.parametrize(
    "value",
    [pytest.param(object(), id="object"), pytest.param(1j, id="complex"), pytest.param(len, id="function")],
)
def test_what_json_cannot_say(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="a verb returned a "):
        json_bytes(value, json_default(shown))


# --- as responses ---------------------------------------------------------------------------------------


def answer(verb: str, returned: Any) -> tuple[int, Any, dict[str, str]]:
    """What a resource answers whose verb returns this: status, body, own headers."""

    class NoteResource(ModelResource, Create, List, Retrieve, Delete):
        model = Note
        route = "notes"
        permissions = AllowAny

        def create(self) -> Any:
            return returned

        def list(self) -> Any:
            return returned

    pm = PolyMicro()
    NoteResource(pm)
    method = {"create": "POST", "list": "GET"}[verb]
    body = {"json": {"id": "a"}} if verb == "create" else {}
    result = Client(pm).request(method, "/notes", **body)
    own = {n: v for n, v in result.headers.items() if n in ("x-a", "location", "link")}
    return result.status, result.json if result.body else None, own


@pytest.mark.parametrize(
    ("verb", "returned", "expected"),
    [
        pytest.param("create", A, (201, {"id": "a"}, {"location": "notes/a"}), id="instance"),
        pytest.param("create", (A, 202), (202, {"id": "a"}, {"location": "notes/a"}), id="status"),
        pytest.param(
            "create", (A, HEADERS), (201, {"id": "a"}, {"location": "notes/a", "x-a": "1"}), id="headers"
        ),
        pytest.param(
            "create", (A, {"Location": "/x"}), (201, {"id": "a"}, {"location": "/x"}), id="own location"
        ),
        pytest.param("create", None, (204, None, {}), id="nothing"),
        pytest.param("create", {"any": A}, (201, {"any": {"id": "a"}}, {}), id="other JSON"),
        pytest.param("create", [A, B], (201, [{"id": "a"}, {"id": "b"}], {}), id="collection"),
        pytest.param("create", (A, B), (201, [{"id": "a"}, {"id": "b"}], {}), id="tuple of instances"),
        pytest.param("create", "text", (201, "text", {}), id="text"),
        pytest.param("create", 0, (201, 0, {}), id="zero"),
        pytest.param("create", False, (201, False, {}), id="false"),
        pytest.param("create", (A, 204), (204, None, {"location": "notes/a"}), id="204 has no body"),
        pytest.param("list", [A], (200, PAGE, {}), id="list"),
        pytest.param("list", (), (200, {"items": [], "pagination_key": None}, {}), id="empty tuple"),
        pytest.param("list", ([A], 206), (206, PAGE, {}), id="list, status"),
        pytest.param("list", {"total": 3}, (200, {"total": 3}, {}), id="list of other JSON"),
        pytest.param("list", ([A], 200, None), (200, PAGE, {}), id="no key"),
    ],
)
def test_answers(verb: str, returned: Any, expected: tuple[int, Any, dict[str, str]]) -> None:
    assert answer(verb, returned) == expected


@pytest.mark.parametrize("key", [0, "", False, [], {}, "é", {"page": 2}, LEK, [1, "a", None]], ids=repr)
def test_a_key_comes_back_unchanged(key: Any) -> None:
    """Whatever JSON value ``list`` gives as its key is the next call's ``pagination_key``."""
    seen: list[Any] = []

    class NoteResource(ModelResource, List):
        model = Note
        route = "notes"
        permissions = AllowAny

        def list(self, pagination_key: Any = None) -> Any:
            seen.append(pagination_key)
            return [A], 200, {"x-a": "1"}, key

    pm = PolyMicro()
    NoteResource(pm)
    client = Client(pm)
    first = client.get("/notes").json["pagination_key"]
    client.get("/notes", query={"pagination_key": first})
    assert seen == [None, key]
