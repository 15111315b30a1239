"""A write whose answer got lost: what happened is found out, nobody is told what is not so, nothing is done twice.

Tries are broken below botocore's own, on both engines alike; on DynamoDB Local also by a proxy that drops connections.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from contract import ALICE, Caller, assert_problem, create_table, dynamodb_call, stored
from counted_items import OLD, Plain, Versioned
from local_engine import local

from polymicro_lambda import AllowAny, Create, Delete, ModelResource, PolyMicro, Retrieve, Update, action
from polymicro_lambda.project.isolation import FAKE_AWS, forget_connections, strict_moto
from soak.proxy import Proxy

pytestmark = pytest.mark.usefixtures("versions_from_1")
MODELS: dict[str, Any] = {"versioned": Versioned, "plain": Plain}


class Verbs(Create, Retrieve, Update, Delete):
    store: Any

    @action()
    def add(self, instance: Any) -> Any:
        return self.store.update(instance, {"count": instance.count + 1})


THEIRS: dict[str, Any] = OLD | {"text": {"S": "theirs"}, "count": {"N": "7"}, "version": {"N": "9"}}
Item = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, the item before it, and what it makes of it."""

    method: str
    path: str
    body: Any
    status: int
    leaves: Callable[[Any], Item]
    pinned: bool = False
    """It says by If-Match which version it means."""


def sets(**values: Any) -> Callable[[Any], Item]:
    """An update: the item with these, of the next version."""
    return lambda item: item | values | {"version": {"N": str(int(item["version"]["N"]) + 1)}}


NEW = {"text": {"S": "new"}}
ASKS: dict[str, Ask] = {
    "create": Ask("POST", "/docs", {"id": "1", "text": "new"}, 201, lambda _: OLD | NEW),
    "merge": Ask("PATCH", "/docs/1", {"text": "new"}, 200, sets(**NEW)),
    "merge If-Match": Ask("PATCH", "/docs/1", {"text": "new"}, 200, sets(**NEW), pinned=True),
    "replace": Ask("PUT", "/docs/1", {"text": "new"}, 200, sets(**NEW)),
    "delete": Ask("DELETE", "/docs/1", None, 204, lambda _: None),
    "delete If-Match": Ask("DELETE", "/docs/1", None, 204, lambda _: None, pinned=True),
    "action": Ask("POST", "/docs/1/add", None, 200, sets(count={"N": "1"})),
}
every_ask = pytest.mark.parametrize("name", ASKS)
CLOSED = ConnectionClosedError(endpoint_url="canary")
TIMED_OUT = ReadTimeoutError(endpoint_url="canary")
BROKEN = (500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}')
every_loss = pytest.mark.parametrize(
    "how", [CLOSED, TIMED_OUT, BROKEN], ids=["connection closed", "read timeout", "500"]
)


@dataclass(slots=True)
class Network:
    """Lets tries through, but for the first write, and what else it is told to lose."""

    how: Any
    arrives: bool
    """Whether DynamoDB gets the write that is lost."""
    then: Callable[[], Any] = lambda: None
    """What happens right after that."""
    looks: bool = True
    """Whether it can be found out what happened."""
    again: bool = True
    """Whether a second write gets through."""
    before_again: Callable[[], Any] = lambda: None
    broken: bool = True
    """Whether anything is lost."""
    tries: list[str] = field(default_factory=list)

    @contextmanager
    def between(self) -> Iterator[list[str]]:
        """The operation of each try that is made inside."""
        real = Endpoint._do_get_response

        def tried(endpoint: Any, request: Any, model: Any, context: Any) -> Any:
            return self._tried(model.name, lambda: real(endpoint, request, model, context))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", lambda _: None)
            patch.setattr(Endpoint, "_do_get_response", tried)
            yield self.tries

    def _tried(self, operation: str, send: Callable[[], Any]) -> Any:
        if "acting" in self.tries or not self.broken:
            return send()
        self.tries.append(operation)
        writes = len(self.tries) - self.tries.count("GetItem")
        if operation == "GetItem":
            return (None, TIMED_OUT) if not self.looks and writes else send()
        if writes > 1:
            self._act(self.before_again)
            return send() if self.again else (None, TIMED_OUT)
        if self.arrives:
            send()
        self._act(self.then)
        return (None, self.how) if isinstance(self.how, Exception) else _said(*self.how)

    def _act(self, writer: Callable[[], Any]) -> None:
        self.tries.append("acting")
        writer()
        self.tries.remove("acting")


def _said(status: int, body: bytes) -> Any:
    parsed = {
        "Error": {"Code": "InternalServerError", "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    response = type("Response", (), {"status_code": status, "headers": {}, "content": body})()
    return (response, parsed), None


@pytest.fixture(scope="module")
def clients(engine: str) -> Iterator[dict[str, Caller]]:
    """By kind of model, over tables that all tests share."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        with strict_moto(patch) if engine == "moto" else local(patch):
            forget_connections()
            for model in MODELS.values():
                create_table(model, f"t{uuid4().hex}")
            yield {kind: made(model) for kind, model in MODELS.items()}
        forget_connections()


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, clients: dict[str, Caller]) -> Any:
    return MODELS[request.param]


def made(model: Any) -> Caller:
    pm = PolyMicro()
    type("Docs", (ModelResource, Verbs), {"model": model, "route": "docs", "permissions": AllowAny})(pm)
    return Caller(pm.compile(), user=ALICE)


@pytest.fixture
def client(model: Any, clients: dict[str, Caller]) -> Caller:
    return clients["versioned" if model is Versioned else "plain"]


def shaped(model: Any, item: Item) -> Item:
    """The item as this model stores it."""
    if item is None or model is Versioned:
        return item
    return {name: value for name, value in item.items() if name != "version"}


def put(model: Any, item: Item) -> None:
    """Another writer's."""
    table = model.Meta.table_name
    if item is None:
        dynamodb_call("delete_item", TableName=table, Key={"id": {"S": "1"}})
    else:
        dynamodb_call("put_item", TableName=table, Item=shaped(model, item))


def asked(client: Caller, model: Any, name: str, network: Network) -> tuple[Any, Item, list[str]]:
    """What is answered, and what is stored then."""
    ask = ASKS[name]
    put(model, None if name == "create" else OLD)
    headers = {"If-Match": client.get("/docs/1").headers["etag"]} if ask.pinned else {}
    body = {} if ask.body is None else {"json": ask.body}
    with network.between() as tries:
        result = client.request(ask.method, ask.path, headers=headers, **body)
    rows = stored(model.Meta.table_name)
    return result, rows[0] if rows else None, tries


def before(name: str) -> Item:
    return None if name == "create" else OLD


def writes_of(tries: list[str]) -> int:
    return sum(one not in ("GetItem", "acting") for one in tries)


@every_loss
@every_ask
def test_the_answer_was_lost(client: Caller, model: Any, name: str, how: Any) -> None:
    """It was done: that is found, and answered as ever. Nothing is written twice."""
    result, left, tries = asked(client, model, name, Network(how, arrives=True))
    assert (result.status, left) == (ASKS[name].status, shaped(model, ASKS[name].leaves(before(name))))
    assert writes_of(tries) == 1


@every_loss
@every_ask
def test_the_request_was_lost(client: Caller, model: Any, name: str, how: Any) -> None:
    """It was not done. After a dead socket it is, by one more try; else 503, and nothing is written."""
    result, left, tries = asked(client, model, name, Network(how, arrives=False))
    if how is CLOSED:
        assert (result.status, left) == (ASKS[name].status, shaped(model, ASKS[name].leaves(before(name))))
        assert writes_of(tries) == 2
    else:
        assert_problem(result, 503)
        assert (int(result.headers["retry-after"]) > 0, left) == (True, shaped(model, before(name)))
        assert writes_of(tries) == 1


@pytest.mark.thorough(but=("versioned-*",))
@pytest.mark.parametrize("arrives", [True, False], ids=["done", "not done"])
@every_ask
def test_what_happened_cannot_be_found_out(client: Caller, model: Any, name: str, arrives: bool) -> None:
    """503, and no word on whether it was done."""
    result, left, tries = asked(client, model, name, Network(CLOSED, arrives=arrives, looks=False))
    assert_problem(result, 503)
    assert "retry-after" in result.headers
    leaves = ASKS[name].leaves(before(name)) if arrives else before(name)
    assert (left, writes_of(tries)) == (shaped(model, leaves), 1)


@pytest.mark.thorough(but=("versioned-*",))
@pytest.mark.parametrize(
    ("how", "arrives"), [(TIMED_OUT, True), (BROKEN, False)], ids=["read timeout, done", "500, not done"]
)
@every_ask
def test_another_has_written_meanwhile(
    client: Caller, model: Any, name: str, how: Any, arrives: bool
) -> None:
    """Nothing is claimed, and what the other wrote stays."""
    network = Network(how, arrives=arrives, then=lambda: put(model, THEIRS))
    result, left, tries = asked(client, model, name, network)
    assert_problem(result, 503)
    assert (left, writes_of(tries)) == (shaped(model, THEIRS), 1)


@every_loss
@every_ask
def test_another_has_deleted_meanwhile(client: Caller, model: Any, name: str, how: Any) -> None:
    """An update is 404, by what is there; a delete has come to what it wanted; a create is 503, or made once more."""
    network = Network(how, arrives=True, then=lambda: put(model, None))
    result, left, _ = asked(client, model, name, network)
    if ASKS[name].method == "DELETE":
        assert (result.status, left) == (204, None)
    elif name == "create" and how is CLOSED:
        assert (result.status, left) == (201, shaped(model, OLD | NEW))
    else:
        assert_problem(result, 503 if name == "create" else 404)
        assert left is None


@pytest.mark.parametrize("name", ["merge If-Match", "delete If-Match", "create"])
def test_a_second_try_does_not_undo_what_another_wrote(client: Caller, model: Any, name: str) -> None:
    """Its own condition refuses it; whether the first one was done before stays unknown."""
    network = Network(CLOSED, arrives=True, then=lambda: put(model, THEIRS))
    result, left, _ = asked(client, model, name, network)
    assert_problem(result, 503)
    assert left == shaped(model, THEIRS)


@every_ask
def test_the_second_try_is_lost_too(client: Caller, model: Any, name: str) -> None:
    """There is no third."""
    result, left, tries = asked(client, model, name, Network(CLOSED, arrives=False, again=False))
    assert_problem(result, 503)
    assert (left, writes_of(tries)) == (shaped(model, before(name)), 2)


@pytest.mark.parametrize("name", ["merge", "replace", "delete", "action"])
def test_the_second_try_is_for_the_item_that_was_found(client: Caller, model: Any, name: str) -> None:
    """Who writes between the look and the second try is not overwritten."""
    network = Network(CLOSED, arrives=False, before_again=lambda: put(model, THEIRS))
    result, left, _ = asked(client, model, name, network)
    assert_problem(result, 503)
    assert left == shaped(model, THEIRS)


@pytest.mark.real_engine
@pytest.mark.parametrize(
    ("fate", "status"),
    [
        ("answer lost", None),
        ("500, done", None),
        ("request lost", None),
        ("500, not done", 503),
        ("throttled", None),
    ],
)
@every_ask
def test_on_the_wire(
    model: Any, name: str, fate: str, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same through real connections: one that closes without an answer, one that says 500."""
    left = [fate]

    def decide(operation: str, body: bytes) -> str | None:
        return None if operation in ("GetItem", "DescribeTable") or not left else left.pop()

    address = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    put(model, before(name))
    with Proxy(address, decide).running() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        forget_connections()
        result, item, _ = asked(made(model), model, name, Network(None, arrives=True, broken=False))
    done = status is None
    assert result.status == (ASKS[name].status if done else status)
    leaves = ASKS[name].leaves(before(name)) if done else before(name)
    assert item == shaped(model, leaves)
