"""What the tests of the contract share: every event source, a client that searches errors, writers by the side."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partialmethod
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from botocore.client import BaseClient
from botocore.session import get_session
from pynamodb.attributes import VersionAttribute

from polymicro_lambda import PolyMicro
from polymicro_lambda.http.users import User
from polymicro_lambda.testing import Client, FakeContext, Result

FORMS: dict[str, dict[str, Any]] = {
    "rest": {"source": "rest"},
    "http-2.0": {"source": "http"},
    "http-1.0": {"source": "http", "payload": "1.0"},
    "url": {"source": "url"},
    "alb-multi": {"source": "alb"},
    "alb-single": {"source": "alb", "multi_value": False},
    "lattice-2.0": {"source": "lattice"},
    "lattice-1.0": {"source": "lattice", "payload": "1.0"},
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)

ALICE = User("alice", frozenset({"therapist"}))
BOB = User("bob", frozenset({"therapist"}))
REQUEST_ID = "r-1"
CANARIES = re.compile(r"t[0-9a-f]{32}|traceback|botocore|boto3|pynamodb|\barn:|canary", re.IGNORECASE)
"""What never leaves: names of tables (each test's is ``t`` and 32 hexadecimal digits), libraries, ARNs."""
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Caller(Client):
    """A client whose requests have one id on every source, and which searches each error for canaries."""

    def request(self, method: str, path: str, **options: Any) -> Result:
        context = FakeContext(aws_request_id=REQUEST_ID)
        said: dict[str, Any] = {"request_id": REQUEST_ID, "context": context} | options
        result = super().request(method, path, **said)
        if result.status >= 400:
            answer = f"{dict(result.headers)} {result.text}"
            assert not CANARIES.search(answer), answer
        return result

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")
    head = partialmethod(request, "HEAD")
    options = partialmethod(request, "OPTIONS")

    def everywhere(self, method: str, path: str, **options: Any) -> Result:
        """The one answer that every event source gives: fails where two of them differ."""
        results = {name: self.request(method, path, **options, **form) for name, form in FORMS.items()}
        answers = {name: (each.status, dict(each.headers), each.body) for name, each in results.items()}
        assert answers == dict.fromkeys(FORMS, answers["rest"])
        return results["rest"]


def assert_problem(result: Result, status: int, *places: str) -> None:
    """The whole problem document; ``places`` are the pointers or parameters that it names, in any order."""
    document = result.json
    expected = {
        "type": "about:blank",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "instance": REQUEST_ID,
    }
    said = {name: value for name, value in document.items() if name not in {"detail", "errors"}}
    assert (result.status, result.headers["content-type"], said) == (
        status,
        "application/problem+json",
        expected,
    ), document
    assert document["detail"]
    errors = document.get("errors", [])
    assert sorted(error.get("pointer") or error["parameter"] for error in errors) == sorted(places)
    assert all(error["detail"] for error in errors)


def allow(result: Result) -> set[str]:
    """The verbs that ``Allow`` names."""
    return set(re.split(r",\s*", result.headers["allow"]))


def resolved(result: Result, path: str, header: str = "location") -> str:
    """The path and query to which a header's reference leads from the request's own URL."""
    target = result.headers[header]
    found = re.fullmatch(r"<(.*)>; rel=\"next\"", target)
    url = urlsplit(urljoin(f"https://api.example.com{path}", found[1] if found else target))
    assert (url.scheme, url.netloc) == ("https", "api.example.com")
    return f"{url.path}?{url.query}" if url.query else url.path


@cache
def raw_client() -> Any:
    """One client for all tests: making one takes longer than most of them."""
    return get_session().create_client("dynamodb")


def dynamodb_call(operation: str, **parameters: Any) -> dict[str, Any]:
    """Call DynamoDB past every library of ours, e.g. ``dynamodb_call("put_item", TableName=…)``."""
    answer: dict[str, Any] = getattr(raw_client(), operation)(**parameters)
    return answer


def create_table(model: Any, name: str) -> None:
    """Create the model's table under a name, that of this test."""
    model.Meta.table_name = name
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def versioned(model: Any) -> Any:
    """The same model with a version attribute, ``version``."""
    return type("Versioned", (model,), {"Meta": type("Meta", (), {}), "version": VersionAttribute()})


def create_tables(pm: PolyMicro) -> None:
    """Create the tables of a compiled app, those that are not there yet."""
    for model in dict.fromkeys(model for route in pm.routes for model in route.models):
        if not model.exists():
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def stored(table: str) -> list[dict[str, Any]]:
    """Every item of a table as DynamoDB keeps it."""
    items: list[dict[str, Any]] = dynamodb_call("scan", TableName=table, ConsistentRead=True)["Items"]
    return sorted(items, key=repr)


Call = tuple[str, dict[str, Any]]


@contextmanager
def watched(act: Callable[[str, dict[str, Any], Callable[[], Any]], Any]) -> Iterator[list[Call]]:
    """Every DynamoDB call made inside, and ``act(operation, parameters, call)`` in place of each."""
    calls: list[Call] = []
    real = BaseClient._make_api_call

    def acting(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        calls.append((operation, parameters))
        return act(operation, parameters, lambda: real(client, operation, parameters))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", acting)
        yield calls


def counted() -> Any:
    """Note the DynamoDB calls made inside."""
    return watched(lambda operation, parameters, call: call())


def meanwhile(writer: Callable[[], Any], times: int = 1) -> Any:
    """Let another writer act just before each of the first ``times`` writes made inside."""
    left = [writer] * times
    acting = False

    def racing(operation: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        nonlocal acting
        if operation in WRITES and left and not acting:  # the other writer's own calls come through here too
            acting = True
            left.pop()()
            acting = False
        return call()

    return watched(racing)


def failing(error: Exception, *, late: bool = False, on: frozenset[str] | None = None) -> Any:
    """Let calls fail: before they reach DynamoDB, or ``late``, once, after it did what they asked for."""
    left = [error]

    def broken(operation: str, parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        if on is not None and operation not in on:
            return call()
        if late and left:
            call()
            raise left.pop()
        if late:
            return call()
        raise error

    return watched(broken)


def names(calls: list[Call]) -> list[str]:
    """The operations that were called."""
    return [operation for operation, _ in calls]


def writes(calls: list[Call]) -> list[str]:
    """The writing operations that were called."""
    return [operation for operation in names(calls) if operation in WRITES]


def text_item(owner: str, uuid: str, text: str = "milk", **more: Mapping[str, Any]) -> dict[str, Any]:
    """A todo as DynamoDB keeps it."""
    return {
        "owner": {"S": owner},
        "uuid": {"S": uuid},
        "creation_date_time": {"S": "2026-01-02T03:04:05.000000+0000"},
        "text": {"S": text},
        "done": {"BOOL": False},
        **more,
    }
