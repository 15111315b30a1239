"""The Todo API under ``sam local start-api``: authorizer, API and Amazon's engine, each in its place."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from handlers import authorizer

from .conftest import JWT_SECRET

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
def alice(url: str, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(url, authorizer.token("alice", ["administrator"]))


@pytest.fixture
def bob(url: str, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(url, authorizer.token("bob", ["therapist"]))


@pytest.fixture
def guest(url: str, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Has a token, but neither role."""
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    return Caller(url, authorizer.token("guest"))


def test_a_todo_lives_and_dies(alice: Caller) -> None:
    status, todo = alice("POST", "/todo", {"text": "Buy milk"})
    assert (status, todo["owner"], todo["text"], todo["done"]) == (201, "alice", "Buy milk", False)
    item = f"/todo/alice/{todo['uuid']}"
    status, page = alice("GET", "/todo?limit=100")
    assert status == 200
    assert todo in page["items"]
    assert alice("GET", item) == (200, todo)
    assert alice("PATCH", item, {"done": True}) == (200, todo | {"done": True})
    assert alice("DELETE", item) == (204, None)
    assert alice("GET", item)[0] == 404


def test_no_token_is_401(url: str) -> None:
    assert Caller(url, None)("GET", "/todo")[0] == 401


def test_a_bad_token_does_not_get_in(url: str) -> None:
    """API Gateway answers 401 to the authorizer's refusal, `sam local` 502."""
    assert Caller(url, "bad")("GET", "/todo")[0] in {401, 502}


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
    assert [alice("GET", path)[0] for path in ("/todo", "/todo/alice/none", "/none")] == [200, 404, 404]
