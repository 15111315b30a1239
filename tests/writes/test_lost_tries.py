"""Transactions that botocore sends more than once: what an earlier try may have done, and what it cannot have done.

Faults are put in below botocore's own tries. A throttled try was refused, so that it is no lost answer; and what a
lost one did is told by every item of the transaction, not by the first.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from contract import ALICE, Caller, assert_problem, dynamodb_call, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from wire_failures import Raw, failure

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.dynamodb.client import client_of

KEY = {"Idempotency-Key": "k1"}
THROTTLED = failure("ThrottlingException")
CONFLICT = failure(
    "TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}, {"Code": "None"}]
)
FAULT = failure("InternalServerError", 500)


class Fault:
    """What a try is answered with in place of DynamoDB's answer; ``done`` says that DynamoDB carried it out."""

    def __init__(self, answer: tuple[int, bytes], *, done: bool = False) -> None:
        self.answer = answer
        self.done = done

    def __call__(self, request: Any) -> AWSResponse:
        if self.done:
            sent = json.loads(request.body)
            dynamodb_call("transact_write_items", TransactItems=sent["TransactItems"])
        status, content = self.answer
        return AWSResponse(request.url, status, {}, Raw(content))


@pytest.fixture
def model(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> type[Model]:
    """A model whose client has a budget of retries of its own, and does not wait."""
    monkeypatch.setattr("polymicro_lambda.dynamodb.client._clients", {})
    monkeypatch.setattr("time.sleep", lambda _: None)

    class Doc(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        slug = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    Doc.Meta.table_name = table_name  # type: ignore[attr-defined]
    return Doc


@pytest.fixture
def client(model: type[Model], table_name: str) -> Caller:
    """A client of ``/docs``, of which no two have the same slug."""
    pm = PolyMicro(idempotency=Idempotency(table=f"{table_name}_keys"), cursor_secret="s")
    said = {
        "model": model,
        "route": "docs",
        "permissions": OwnedBy("owner"),
        "unique": "slug",
        "max_bulk": 10,
    }
    type("Docs", (ModelResource, Create, Retrieve, Update, Delete), said)(pm)
    client = Caller(pm.compile(), user=ALICE)
    for one in dict.fromkeys(one for route in pm.routes for one in route.models):
        one.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return client


@contextmanager
def faulty(model: type[Model], *faults: Fault, meanwhile: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """The first tries of a transaction meet these faults; ``meanwhile`` others write, before the next try."""
    left = list(faults)

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if not left:
            return None
        response = left.pop(0)(request)
        if not left:
            meanwhile()
        return response

    events = client_of(model).meta.events
    events.register_first("before-send.dynamodb.TransactWriteItems", answer)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.TransactWriteItems", answer)
    assert left == []


def doc(number: str, slug: str | None = None, **more: str) -> dict[str, Any]:
    return {"id": number, **({} if slug is None else {"slug": slug}), **more}


def kept(table: str) -> list[str]:
    return [one["id"]["S"] for one in stored(table)]


REFUSED = {"throttled": THROTTLED, "a conflict": CONFLICT}
refused = pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
keyed = pytest.mark.parametrize("headers", [{}, KEY], ids=["plain", "idempotent"])


# --- refused tries ------------------------------------------------------------------------------------------------


@keyed
@refused
@pytest.mark.parametrize("there", ["1", "2"], ids=["the first is there", "the second is there"])
def test_a_list_of_which_one_is_there_already(
    client: Caller, model: type[Model], table_name: str, answer: Any, headers: Any, there: str
) -> None:
    """Nothing is written and nothing is told to be, although what is there looks as if it were of this request."""
    assert client.post("/docs", json=doc(there, text="a")).status == 201
    with faulty(model, Fault(answer)):
        result = client.post("/docs", json=[doc("1", text="a"), doc("2", text="a")], headers=headers)
    assert_problem(result, 409, f"#/{int(there) - 1}")
    assert kept(table_name) == [there]


@refused
def test_a_create_of_what_is_there_already(
    client: Caller, model: type[Model], table_name: str, answer: Any
) -> None:
    assert client.post("/docs", json=doc("1", "a")).status == 201
    with faulty(model, Fault(answer)):
        assert_problem(client.post("/docs", json=doc("1", "a")), 409)


@refused
def test_an_update_that_another_made_meanwhile(client: Caller, model: type[Model], answer: Any) -> None:
    """It lost the race, and is judged and written again; it is not taken for its own doing."""
    client.post("/docs", json=doc("1", "a", text="old"))

    def writes() -> None:
        key = {"owner": {"S": "alice"}, "id": {"S": "1"}}
        dynamodb_call(
            "put_item",
            TableName=model.Meta.table_name,
            Item=key | {"slug": {"S": "b"}, "text": {"S": "theirs"}},
        )

    with faulty(model, Fault(answer), meanwhile=writes):
        result = client.patch("/docs/1", json={"slug": "b"})
    assert (result.status, result.json["text"]) == (200, "theirs")
    assert [one["item"]["M"]["id"]["S"] for one in stored(f"{model.Meta.table_name}_unique")] == ["1"]


# --- lost tries ---------------------------------------------------------------------------------------------------


@keyed
@pytest.mark.parametrize("then", [(), (THROTTLED,), (CONFLICT,)], ids=["at once", "throttled", "a conflict"])
def test_a_list_that_the_lost_try_wrote(
    client: Caller, model: type[Model], table_name: str, then: Any, headers: Any
) -> None:
    """In memory a token is carried out twice, as DynamoDB does not: the next try finds the items of the first."""
    with faulty(model, Fault(FAULT, done=True), *map(Fault, then)):
        result = client.post("/docs", json=[doc("1", "a"), doc("2", "b")], headers=headers)
    assert (result.status, kept(table_name)) == (201, ["1", "2"])


@keyed
@pytest.mark.parametrize("there", ["1", "2"], ids=["the first is there", "the second is there"])
def test_a_list_that_the_lost_try_did_not_write(
    client: Caller, model: type[Model], table_name: str, there: str, headers: Any
) -> None:
    client.post("/docs", json=doc(there))
    with faulty(model, Fault(FAULT)):
        result = client.post("/docs", json=[doc("1"), doc("2")], headers=headers)
    assert_problem(result, 409, f"#/{int(there) - 1}")
    assert kept(table_name) == [there]


@pytest.mark.parametrize("there", ["1", "2"])
def test_a_list_whose_last_answer_is_lost(
    client: Caller, model: type[Model], table_name: str, there: str
) -> None:
    """It cannot be said to be written, as one item is missing; nor is it said that it was refused."""
    client.post("/docs", json=doc(there))
    with faulty(model, *[Fault(FAULT)] * 4):
        assert client.post("/docs", json=[doc("1"), doc("2")]).status == 503
    assert kept(table_name) == [there]


def test_a_create_whose_value_is_another_items(client: Caller, model: type[Model], table_name: str) -> None:
    """The item stands there as it should be written, put by code past this package: without its reservation."""
    client.post("/docs", json=doc("other", "a"))
    model(owner="alice", id="1", slug="a").save()
    with faulty(model, Fault(FAULT)):
        assert_problem(client.post("/docs", json=doc("1", "a")), 409)
    with faulty(model, *[Fault(FAULT)] * 4):
        assert client.post("/docs", json=doc("1", "a")).status == 503


@pytest.mark.parametrize("then", [(), (THROTTLED,), (CONFLICT,)], ids=["at once", "throttled", "a conflict"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_that_the_lost_try_wrote(
    client: Caller, model: type[Model], table_name: str, method: str, then: Any
) -> None:
    client.post("/docs", json=doc("1", "a"))
    sent = {"json": {"slug": "b"}} if method == "PATCH" else {}
    with faulty(model, Fault(FAULT, done=True), *map(Fault, then)):
        result = client.request(method, "/docs/1", **sent)
    assert result.status == (200 if method == "PATCH" else 204)
    assert len(stored(f"{table_name}_unique")) == (method == "PATCH")


def test_an_update_of_which_the_value_is_anothers(client: Caller, model: type[Model]) -> None:
    """The item has the value by now, from code past this package; its reservation is another item's still."""
    client.post("/docs", json=doc("other", "b"))
    client.post("/docs", json=doc("1", "a"))

    def writes() -> None:
        model(owner="alice", id="1", slug="b").save()

    with faulty(model, *[Fault(FAULT)] * 4, meanwhile=writes):
        assert client.patch("/docs/1", json={"slug": "b"}).status == 503
