"""How often and how long DynamoDB is tried: as the invocation's time allows, and answered before that ends."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from wire_failures import Wire, failure

from polymicro_lambda import AllowAny, Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.project.isolation import FAKE_AWS
from polymicro_lambda.testing import Client, FakeClock, FakeContext


class Doc(Model):
    class Meta:
        table_name = "docs"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)


class Docs(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Doc
    route = "docs"
    permissions = AllowAny
    scan = True


@pytest.fixture
def client(new_clients: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client whose DynamoDB is wherever the environment says, with a budget of retries of its own."""
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    Doc._connection = None
    pm = PolyMicro()
    Docs(pm)
    yield Client(pm)
    Doc._connection = None


REQUESTS: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", "/docs", {"id": "1"}),
    "list": ("GET", "/docs", None),
    "retrieve": ("GET", "/docs/1", None),
    "update": ("PATCH", "/docs/1", {"text": "a"}),
    "delete": ("DELETE", "/docs/1", None),
}


def send(client: Client, name: str, context: FakeContext) -> Any:
    method, path, body = REQUESTS[name]
    return client.request(method, path, context=context, **({} if body is None else {"json": body}))


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize(
    ("left", "tries"),
    [(29.0, 4), (8.0, 4), (6.0, 3), (4.0, 2), (3.0, 1), (1.6, 1)],
    ids=["29 s", "8 s", "6 s", "4 s", "3 s", "1.6 s"],
)
def test_no_try_begins_that_the_time_does_not_allow(
    client: Client, name: str, left: float, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between tries are 2 s, after which 1.5 s must be left."""
    clock = FakeClock()
    monkeypatch.setattr("time.sleep", clock.advance)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 2.0)
    wire = Wire()
    wire.answers = [failure("ThrottlingException")]
    connect(Doc).client.meta.events.register("before-send.dynamodb", wire)
    context = FakeContext(timeout=left, clock=clock)
    assert send(client, name, context).status == 503
    assert len(wire.calls) == tries
    assert context.get_remaining_time_in_millis() > 0


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A DynamoDB that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


@pytest.mark.thorough(but=("retrieve-botocore", "update-quick"))
@pytest.mark.parametrize("transport", ["", "botocore"], ids=["quick", "botocore"])
@pytest.mark.parametrize("name", ["retrieve", "update"])
def test_silence_is_answered_before_the_invocation_ends(
    client: Client, silent: None, name: str, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock: 2 s are left, of which the answer needs some."""
    monkeypatch.setenv("POLYMICRO_TRANSPORT", transport)
    _ = client.handler, connect(Doc)
    context, began = FakeContext(timeout=2.0), time.monotonic()
    result = send(client, name, context)
    assert (result.status, "retry-after" in result.headers) == (503, True)
    assert time.monotonic() - began < 2.0


def test_a_connection_is_given_up_after_a_second_and_an_answer_after_three(client: Client) -> None:
    """Where the invocation has as much left, and outside of one."""
    _ = client.handler
    timeout = connect(Doc).client._endpoint.http_session._timeout.clone()
    assert (timeout.connect_timeout, timeout.read_timeout) == (1.0, 3.0)
