"""`Wsgi` by werkzeug's WSGI client: a handler that tells what it got, in each source's own words."""

import base64
import json
import logging
from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from polymicro_lambda.dispatch import wording_of
from polymicro_lambda.http import source_of
from polymicro_lambda.http.users import User
from polymicro_lambda.local.wsgi import Wsgi

SOURCES = ("rest", "http", "url", "alb", "lattice")


def telling(event: Any, context: Any) -> dict[str, Any]:
    """Answer with the request as the library reads it."""
    request = source_of(event).to_request(event, context)
    user = request.user
    told = {
        "method": request.method,
        "segments": request.segments,
        "query": request.query,
        "type": request.headers.get("content-type"),
        "body": base64.b64encode(request.body).decode(),
        "user": user and {"uuid": user.uuid, "permissions": sorted(user.permissions)},
        "source": request.source,
        "prefix": request.prefix,
        "scheme": request.headers["x-forwarded-proto"],
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(told)}


def answering(**answer: Any) -> Client:
    return Client(Wsgi(lambda event, context: answer))


@pytest.mark.parametrize("source", SOURCES)
def test_request_reaches_the_handler_from_each_source(source: str) -> None:
    user = User("alice", frozenset({"administrator", "therapist"}))
    response = Client(Wsgi(telling, source=source, user=user)).post(
        "/todo/a%20b/?x=1&x=%C3%A4+b&e=", data="ä".encode(), content_type="application/json"
    )
    assert response.json == {
        "method": "POST",
        "segments": ["todo", "a b"],
        "query": {"x": ["1", "ä b"], "e": [""]},
        "type": "application/json",
        "body": base64.b64encode("ä".encode()).decode(),
        "user": {"uuid": "alice", "permissions": ["administrator", "therapist"]},
        "source": source,
        "prefix": "",
        "scheme": "http",
    }


@pytest.mark.parametrize("source", SOURCES)
def test_body_of_any_bytes_arrives(source: str) -> None:
    body = bytes(range(256))
    told = Client(Wsgi(telling, source=source)).put("/x", data=body).json
    assert base64.b64decode(told["body"]) == body


@pytest.mark.parametrize(
    ("environ", "segments"),
    [
        pytest.param({"RAW_URI": "/t/a%2Fb?q=1", "PATH_INFO": "/t/a/b"}, ["t", "a/b"], id="raw, as werkzeug"),
        pytest.param({"REQUEST_URI": "/t/a%2Fb", "PATH_INFO": "/t/a/b"}, ["t", "a/b"], id="raw, as others"),
        pytest.param({"RAW_URI": "/x/t", "PATH_INFO": "/rewritten"}, ["rewritten"], id="raw is another path"),
        pytest.param({"RAW_URI": "http://h/t/a", "PATH_INFO": "/t/a"}, ["t", "a"], id="absolute form"),
        pytest.param({"PATH_INFO": "/t/a%b?c#d"}, ["t", "a%b?c#d"], id="no raw path"),
        pytest.param({"PATH_INFO": "/t/\u00c3\u00a4"}, ["t", "ä"], id="WSGI's Latin-1"),
        pytest.param(
            {"RAW_URI": "/t/\u00c3\u00a4", "PATH_INFO": "/t/\u00c3\u00a4"}, ["t", "ä"], id="raw bytes"
        ),
        pytest.param({"PATH_INFO": ""}, [], id="root"),
    ],
)
def test_path_is_what_the_client_sent(environ: dict[str, str], segments: list[str]) -> None:
    blank = {"RAW_URI": "", "REQUEST_URI": ""}
    told = Client(Wsgi(telling)).get("/", environ_overrides=blank | environ).json
    assert told["segments"] == segments


@pytest.mark.parametrize("source", ["rest", "http"])
@pytest.mark.parametrize("mount", ["/api", "/api/v1"])
def test_mounted_under_a_prefix(mount: str, source: str) -> None:
    """The mount is what a stage is: not in the path, and in the prefix from which links are made."""
    app = DispatcherMiddleware(Wsgi(answering, source=source), {mount: Wsgi(telling, source=source)})
    told = Client(app).get(f"{mount}/todo/1%2F2" if source == "rest" else f"{mount}/todo/1").json
    segments = ["todo", "1/2"] if source == "rest" else ["todo", "1"]
    assert (told["segments"], told["prefix"]) == (segments, mount)


def test_body_without_length_is_read_where_the_server_ends_it() -> None:
    """As werkzeug does for `Transfer-Encoding: chunked`."""
    overrides = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    told = Client(Wsgi(telling)).post("/", data=b"abc", environ_overrides=overrides).json
    assert base64.b64decode(told["body"]) == b"abc"


@pytest.mark.parametrize(
    ("answer", "status", "headers", "body"),
    [
        pytest.param(
            {"statusCode": 201, "headers": {"location": "/1"}, "body": "ä"},
            "201 Created",
            [("location", "/1"), ("Content-Length", "2")],
            "ä".encode(),
            id="single headers",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"a": "0"}, "multiValueHeaders": {"A": ["1", "2"]}, "body": "x"},
            "200 OK",
            [("A", "1"), ("A", "2"), ("Content-Length", "1")],
            b"x",
            id="several values stand for the single one",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {}, "cookies": ["a=1; Secure", "b=2"], "body": ""},
            "200 OK",
            [("Set-Cookie", "a=1; Secure"), ("Set-Cookie", "b=2"), ("Content-Length", "0")],
            b"",
            id="cookies of payload 2.0",
        ),
        pytest.param(
            {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True},
            "200 OK",
            [("Content-Length", "2")],
            b"\xff\x00",
            id="base64",
        ),
        pytest.param({"statusCode": 204, "body": None}, "204 No Content", [], b"", id="no content"),
        pytest.param(
            {"statusCode": 200, "headers": {"content-length": "3"}, "body": "abc"},
            "200 OK",
            [("content-length", "3")],
            b"abc",
            id="its own length",
        ),
        pytest.param(
            {"statusCode": 299, "body": "x"}, "299 Unknown", [("Content-Length", "1")], b"x", id="own status"
        ),
    ],
)
def test_answer(answer: dict[str, Any], status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    response = answering(**answer).get("/")
    assert (response.status, list(response.headers), response.data) == (status, headers, body)


def test_head_has_the_headers_and_no_body() -> None:
    response = answering(statusCode=200, headers={"content-length": "3"}, body="abc").head("/")
    assert (response.status_code, list(response.headers), response.data) == (
        200,
        [("content-length", "3")],
        b"",
    )


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"statusCode": "x"}, {"statusCode": 200, "body": 7}],
    ids=["none", "empty", "status", "body"],
)
def test_answer_that_is_none_is_a_bad_gateway(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = Client(Wsgi(lambda event, context: answer)).get("/")
    assert (response.status_code, response.json) == (502, {"message": "Internal server error"})
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_handler_that_raises_is_a_bad_gateway_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Any, context: Any) -> dict[str, Any]:
        raise RuntimeError("secret")

    response = Client(Wsgi(broken)).get("/")
    assert (response.status_code, response.json) == (502, {"message": "Internal server error"})
    assert "RuntimeError: secret" in caplog.text


@pytest.mark.parametrize("source", SOURCES)
def test_requests_have_ids_of_their_own(source: str) -> None:
    seen = set()

    def noting(event: Any, context: Any) -> dict[str, Any]:
        seen.add(source_of(event).to_request(event, context).id)
        return {"statusCode": 204}

    client = Client(Wsgi(noting, source=source))
    client.get("/")
    client.get("/")
    assert len(seen) == 2


def test_no_identity_comes_from_a_header() -> None:
    told = Client(Wsgi(telling)).get("/", headers={"Authorization": "Bearer x", "X-User": "alice"}).json
    assert told["user"] is None


def test_a_refusal_in_the_apps_own_words() -> None:
    """As the template of a REST API has it; the handler is not called. An HTTP API takes no words."""
    wording = wording_of(lambda document: {"no": document["detail"], "code": document["status"]})
    response = Client(Wsgi(telling, authorizer=telling, problem=wording)).get("/todo")
    said = {"no": "This needs a user: send credentials that the authorizer accepts.", "code": 401}
    assert (response.status_code, response.json) == (401, said)
    assert response.headers["content-type"] == "application/json"
    plain = Client(Wsgi(telling, source="http", authorizer=telling, problem=wording)).get("/todo")
    assert (plain.status_code, plain.json) == (401, {"message": "Unauthorized"})


def test_a_refusal_whose_words_fail_is_the_usual_one() -> None:
    app = Wsgi(telling, authorizer=telling, problem=wording_of(lambda document: 1 / 0))
    response = Client(app).get("/todo")
    assert (response.status_code, response.json["title"]) == (401, "Unauthorized")
