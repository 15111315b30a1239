"""Writes that meet a transaction on the same items are sent again: each kind, a few times, never past the deadline."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract import ALICE, REQUEST_ID, WRITES, Caller, assert_problem, stored, watched
from contract import writes as written
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    ModelResource,
    PolyMicro,
    RateLimit,
    Update,
    action,
)
from polymicro_lambda.testing import FakeClock, FakeContext

ALONE = ClientError({"Error": {"Code": "TransactionConflictException", "Message": "canary"}}, "PutItem")
CANCELED = ClientError(
    {
        "Error": {"Code": "TransactionCanceledException", "Message": "canary"},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    },
    "TransactWriteItems",
)
HELD = {"id": "1", "text": "a"}
REQUESTS: dict[str, tuple[str, str, Any, int]] = {
    "create": ("POST", "/docs", {"id": "2"}, 201),
    "list": ("POST", "/docs", [{"id": "2"}, {"id": "3"}], 201),
    "update": ("PATCH", "/docs/1", {"text": "b"}, 200),
    "replace": ("PUT", "/docs/1", {"text": "b"}, 200),
    "delete": ("DELETE", "/docs/1", None, 204),
    "action": ("POST", "/docs/1/add", {}, 200),
    "override": ("PATCH", "/own/1", {"text": "b"}, 200),
}
each_request = pytest.mark.parametrize("name", REQUESTS)


class Adding:
    store: Any

    @action()
    def add(self, instance: Any) -> Any:
        return self.store.update(instance, {"count": instance.count + 1})


class Overriding(Update):
    def update(self, instance: Any, req: Any, user: Any) -> Any:
        return super().update(instance, req | {"count": instance.count + 1}, user)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, none of which is waited for."""
    noted: list[float] = []
    monkeypatch.setattr("time.sleep", noted.append)
    return noted


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Caller:
    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        count = NumberAttribute(default=0)

    Doc.Meta.table_name = table_name  # type: ignore[attr-defined]
    idempotency, rates = Idempotency(table=f"{table_name}_keys"), RateLimit("9/hour", table=f"{table_name}_r")
    pm = PolyMicro(idempotency=idempotency, rate_limit=rates, cursor_secret="s")
    said = {"model": Doc, "permissions": AllowAny, "max_bulk": 10}
    type("Docs", (Adding, ModelResource, Create, Update, Delete), {**said, "route": "docs"})(pm)
    type("Own", (Overriding, ModelResource), {"model": Doc, "permissions": AllowAny, "route": "own"})(pm)
    client = Caller(pm.compile(), user=ALICE)
    for one in dict.fromkeys(one for route in pm.routes for one in route.models):
        one.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    assert client.post("/docs", json=HELD).status == 201
    return client


def conflicting(table: str, times: int, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """The first writes to the table, or transactions, meet a transaction."""
    left = [None] * times

    def act(operation: str, parameters: Any, call: Any) -> Any:
        if operation not in WRITES or parameters.get("TableName", table) != table or not left:
            return call()
        left.pop()
        meanwhile()
        raise CANCELED if operation == "TransactWriteItems" else ALONE

    return watched(act)


def send(client: Caller, name: str, **options: Any) -> Any:
    method, path, body, _ = REQUESTS[name]
    return client.request(method, path, **({} if body is None else {"json": body}), **options)


@each_request
def test_a_conflict_that_ends(client: Caller, table_name: str, waits: list[float], name: str) -> None:
    with conflicting(table_name, 2):
        assert send(client, name).status == REQUESTS[name][3]
    assert len(waits) == 2
    assert 0 <= waits[0] < 0.05
    assert 0 <= waits[1] < 0.1


@each_request
def test_a_conflict_that_does_not_end(client: Caller, table_name: str, waits: list[float], name: str) -> None:
    before = stored(table_name)
    with conflicting(table_name, 9) as calls:
        result = send(client, name)
    assert_problem(result, 409)
    assert result.headers["retry-after"] in {"1", "2", "3"}
    assert (len(waits), len(written(calls))) == (2, 4)  # with one of the counter
    assert stored(table_name) == before


@each_request
def test_no_try_past_the_deadline(client: Caller, table_name: str, name: str) -> None:
    """With 2 s left a write is sent again, with 1 s left it is not."""
    clock = FakeClock()
    context = FakeContext(aws_request_id=REQUEST_ID, timeout=3.0, clock=clock)
    with conflicting(table_name, 9, lambda: clock.advance(1.0)) as calls:
        assert_problem(send(client, name, context=context), 409)
    assert len(written(calls)) == 3  # with one of the counter


@pytest.mark.parametrize("suffix", ["_keys", "_r"], ids=["record", "counter"])
def test_tables_of_the_apps_own(client: Caller, table_name: str, waits: list[float], suffix: str) -> None:
    headers = {"Idempotency-Key": "k1"}
    with conflicting(table_name + suffix, 2):
        assert client.post("/docs", json={"id": "2"}, headers=headers).status == 201
    assert len(waits) == 2
    with conflicting(table_name + suffix, 3):
        result = client.post("/docs", json={"id": "3"}, headers={"Idempotency-Key": "k2"})
    assert_problem(result, 409)
    assert "retry-after" in result.headers
