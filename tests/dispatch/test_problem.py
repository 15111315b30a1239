"""Errors in an app's own words: ``PolyMicro(problem=…)``."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from contract import ALICE, REQUEST_ID, Caller, assert_problem, create_tables
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    Create,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    RateLimit,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import ConfigurationError, Conflict


def app_of(table: str, problem: Any, **settings: Any) -> PolyMicro:
    class Note(Model):
        class Meta:
            table_name = table

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        title = UnicodeAttribute()

    class Notes(ModelResource, Create, List, Retrieve, Update):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")
        max_bulk = 5

        @action(detail=False, permissions=AllowAny)
        def breaks(self, req: Any, user: Any) -> Any:
            raise RuntimeError("canary")

        @action(detail=False, permissions=AllowAny)
        def busy(self, req: Any, user: Any) -> Any:
            raise Conflict("Not now.", headers={"Retry-After": "3"}, members={"code": 7})

    pm = PolyMicro(problem=problem, **settings)
    Notes(pm)
    return pm


def started(pm: PolyMicro, user: Any = ALICE) -> Caller:
    caller = Caller(pm, user=user)
    assert caller.handler
    create_tables(pm)
    return caller


def by_field(document: Mapping[str, Any], request: Any) -> Any:
    """As RealWorld has it."""
    said: dict[str, list[str]] = {}
    for one in document.get("errors", ()):
        said.setdefault(one.get("pointer", one.get("parameter", "")).removeprefix("#/"), []).append(
            one["detail"]
        )
    return {"errors": said or {"body": [document.get("detail", document["title"])]}}


def test_every_error_is_worded(dynamodb: None, table_name: str) -> None:
    caller = started(app_of(table_name, by_field, cors=CORS(origins=("*",))))
    nobody = Caller(caller.handler)
    for client, method, path, options, status in (
        (caller, "GET", "/nothing", {}, 404),
        (caller, "DELETE", "/notes", {}, 405),
        (nobody, "GET", "/notes", {}, 401),
        (caller, "GET", "/notes/1", {}, 404),
        (caller, "GET", "/notes", {"headers": {"Accept": "text/html"}}, 406),
        (caller, "POST", "/notes", {"body": "x", "headers": {"Content-Type": "text/plain"}}, 415),
        (caller, "POST", "/notes", {"body": "{", "headers": {"Content-Type": "application/json"}}, 400),
        (caller, "POST", "/notes", {"json": {}}, 422),
        (caller, "POST", "/notes/breaks", {}, 500),
    ):
        found = client.everywhere(method, path, **options)
        assert (found.status, found.headers["content-type"], [*found.json]) == (
            status,
            "application/json",
            ["errors"],
        )
        assert found.headers["access-control-allow-origin"] == "*"
    assert caller.post("/notes", json={}).json == {
        "errors": {
            "id": ["Missing data for required field."],
            "title": ["Missing data for required field."],
        }
    }
    assert nobody.get("/notes").headers["www-authenticate"] == "Bearer"
    assert "allow" in caller.delete("/notes").headers


def test_429_and_events_that_are_no_requests(dynamodb: None, table_name: str) -> None:
    caller = started(
        app_of(table_name, by_field, rate_limit=RateLimit("1/hour", table=f"{table_name}-rates"))
    )
    caller.get("/notes").raise_for_status()
    limited = caller.get("/notes")
    assert (limited.status, [*limited.json]) == (429, ["errors"])
    assert "retry-after" in limited.headers
    answer = caller.handler({"httpMethod": 7}, None)
    assert (answer["statusCode"], [*json.loads(answer["body"])]) == (400, ["errors"])


def test_it_gets_document_and_request(dynamodb: None, table_name: str) -> None:
    seen: list[Any] = []

    def problem(document: dict[str, Any], request: Any) -> Any:
        seen.append((dict(document), request and (request.method, request.path)))
        document.clear()
        return {"no": document}

    caller = started(app_of(table_name, problem))
    assert caller.post("/notes/busy").json == {"no": {}}
    document = {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Not now.",
        "instance": REQUEST_ID,
        "code": 7,
    }
    assert seen == [(document, ("POST", "/notes/busy"))]
    caller.handler({"httpMethod": 7}, None)
    assert seen[1][1] is None


@pytest.mark.parametrize(
    ("problem", "body", "headers"),
    [
        pytest.param(
            lambda document: {**document, "code": "E1"},
            {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "Not now.", "code": "E1"},
            {"content-type": "application/problem+json", "retry-after": "3"},
            id="more members",
        ),
        pytest.param(
            lambda document: document["title"], "Conflict", {"content-type": "application/json"}, id="a text"
        ),
        pytest.param(
            lambda document, request: (
                [1],
                {"Content-Type": "application/vnd.e+json", "X-Code": 7, "Retry-After": "9"},
            ),
            [1],
            {"content-type": "application/vnd.e+json", "x-code": "7", "retry-after": "9"},
            id="headers",
        ),
        pytest.param(
            lambda document, *more, **others: False,
            False,
            {"content-type": "application/json"},
            id="any arguments",
        ),
    ],
)
def test_what_it_may_give(
    dynamodb: None, table_name: str, problem: Any, body: Any, headers: dict[str, str]
) -> None:
    caller = started(app_of(table_name, problem))
    found = caller.everywhere("POST", "/notes/busy")
    said = (
        {name: one for name, one in found.json.items() if name != "instance"}
        if isinstance(body, dict)
        else found.json
    )
    assert (found.status, said) == (409, body)
    assert headers.items() <= found.headers.items()


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        pytest.param(lambda _: 1 / 0, "ZeroDivisionError", id="raises"),
        pytest.param(lambda _: object(), "TypeError", id="no JSON"),
        pytest.param(lambda _: float("nan"), "ValueError", id="NaN"),
    ],
)
def test_one_that_fails(
    dynamodb: None, table_name: str, caplog: pytest.LogCaptureFixture, problem: Any, cause: str
) -> None:
    caller = started(app_of(table_name, problem))
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        assert_problem(caller.post("/notes/busy"), 500)
    assert [record.getMessage() for record in caplog.records] == [f"PolyMicro.problem failed: {cause}"]
    assert_problem(caller.everywhere("GET", "/nothing"), 500)


def test_what_is_too_large_is_said_in_fewer_words(dynamodb: None, table_name: str) -> None:
    """And where the function itself makes it so, plainly."""
    caller = started(app_of(table_name, lambda document: {**document, "more": "x" * 2_000_000}))
    found = caller.get("/nothing", source="alb")
    assert (found.status, "more" in found.json) == (404, False)


def test_items_of_a_list_that_fail_are_worded(dynamodb: None, table_name: str) -> None:
    caller = started(app_of(table_name, by_field))
    headers = {"Prefer": "handling=lenient"}
    items = [{"id": "1", "title": "x"}, {"id": "2"}]
    found = caller.post("/notes", json=items, headers=headers).json
    assert found["items"][1] == {
        "status": 422,
        "problem": {"errors": {"1/title": ["Missing data for required field."]}},
    }


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (3, "PolyMicro.problem must be a function of document and request, not 3"),
        (lambda: None, "PolyMicro.problem must take two arguments: def problem(document, request)"),
        (lambda a, b, c: None, "PolyMicro.problem must take two arguments: def problem(document, request)"),
    ],
)
def test_declarations_that_cannot_be(problem: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        app_of("t", problem).compile()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        pytest.param(lambda _: None, "nothing: return the body", id="no return"),
        pytest.param(
            lambda _: ({"canary": 1}, 418),
            "(dict, int): return (body, headers); the status stays",
            id="a status",
        ),
        pytest.param(
            lambda _: ("canary", 409, {}),
            "(str, int, dict): return (body, headers); the status stays",
            id="three values",
        ),
        pytest.param(
            lambda _: ({}, {"X": object()}),
            "a object as the header 'X': it must be a text, a number or a list of these",
            id="no header",
        ),
    ],
)
def test_one_that_returns_something_else(
    dynamodb: None, table_name: str, caplog: pytest.LogCaptureFixture, problem: Any, said: str
) -> None:
    """Nothing of it goes out, and the log says what to return."""
    caller = started(app_of(table_name, problem))
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        answer = caller.everywhere("POST", "/notes/busy")
    assert_problem(answer, 500)
    assert "canary" not in answer.text
    assert {record.getMessage() for record in caplog.records} == {f"PolyMicro.problem returned {said}"}
