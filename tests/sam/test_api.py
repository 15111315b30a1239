"""The Todo API under ``sam local start-api``: authorizer, API and Amazon's engine, each in its place."""

import json
import shlex
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from handlers import authorizer
from handlers.todo import pm
from polymicro_lambda.cli.serving.curl_session import curl_session

from .conftest import JWT_SECRET, POLYMICRO, Served, output

Answer = tuple[int, Any]


class Caller:
    """Sends requests with a token of its own, or with none."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, self.headers, method=method)
        try:
            with urlopen(request, timeout=30) as response:
                return response.status, json.loads(response.read() or "null")
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or "null")


@pytest.fixture
def alice(served: Served, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(served.url, authorizer.token("alice", ["administrator"]))


@pytest.fixture
def bob(served: Served, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(served.url, authorizer.token("bob", ["therapist"]))


@pytest.fixture
def guest(served: Served, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Has a token, but neither role."""
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(served.url, authorizer.token("guest"))


def test_a_todo_lives_and_dies(alice: Caller) -> None:
    status, todo = alice("POST", "/todo", {"text": "Buy milk"})
    assert (status, todo["owner"], todo["text"], todo["done"]) == (201, "alice", "Buy milk", False)
    item = f"/todo/alice/{todo['uuid']}"
    status, page = alice("GET", "/todo?limit=100")
    assert status == 200
    assert todo in page["items"]
    assert alice("GET", item) == (200, todo)
    assert alice("PATCH", item, {"done": True}) == (200, todo | {"done": True})
    assert alice("PUT", item, {"text": "Buy tea"}) == (200, todo | {"text": "Buy tea"})
    assert alice("DELETE", item) == (204, None)
    assert alice("GET", item)[0] == 404


def test_the_session_that_the_readme_prints(served: Served) -> None:
    """As it is pasted into a shell: the list, the item, the item as it is changed, and nothing."""
    token = f"JWT_SECRET={shlex.quote(JWT_SECRET)} {POLYMICRO} token carol:administrator,therapist"
    pm.compile()
    lines = curl_session(pm.routes, served.url, token=token)
    page, item, changed, gone = output("bash", "-ec", "\n".join(lines)).split("\n")[:4]
    assert json.loads(page) == {"items": [json.loads(item)], "pagination_key": None}
    assert json.loads(changed) == json.loads(item) | {"done": True}
    assert gone == ""


def test_no_token_is_401(served: Served) -> None:
    for method, path in (("GET", "/todo"), ("POST", "/todo"), ("GET", "/todo/alice/none")):
        assert Caller(served.url, None)(method, path)[0] == 401


def test_a_bad_token_does_not_get_in(served: Served) -> None:
    """A REST API answers 401 to the authorizer's refusal, `sam local` 502; an HTTP API 403, as `sam local` does."""
    wanted = {"rest": 502, "http": 403}
    assert Caller(served.url, "bad")("GET", "/todo")[0] == wanted[served.api]


def test_a_user_without_the_role_is_403(guest: Caller) -> None:
    assert guest("GET", "/todo")[0] == 403
    assert guest("POST", "/todo", {"text": "Buy milk"})[0] == 403


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"done": True}), ("DELETE", None)])
def test_anothers_todo_is_as_a_missing_one(
    method: str, body: dict[str, bool] | None, alice: Caller, bob: Caller
) -> None:
    todo = alice("POST", "/todo", {"text": "Buy milk"})[1]
    status, problem = bob(method, f"/todo/alice/{todo['uuid']}", body)
    missing = bob(method, "/todo/bob/none", body)[1]
    assert status == 404
    assert problem | {"instance": ""} == missing | {"instance": ""}
    assert alice("GET", f"/todo/alice/{todo['uuid']}") == (200, todo)


def test_the_cached_answer_of_the_authorizer_is_for_every_path(alice: Caller) -> None:
    assert [alice("GET", path)[0] for path in ("/todo", "/todo/alice/none")] == [200, 404]


def test_what_the_app_does_not_serve_does_not_reach_it(alice: Caller) -> None:
    """API Gateway answers 404 to these, `sam local` 403."""
    refused = (403, {"message": "Missing Authentication Token"})
    assert [alice(*one) for one in (("GET", "/none"), ("OPTIONS", "/todo"), ("PUT", "/todo"))] == [
        refused
    ] * 3
