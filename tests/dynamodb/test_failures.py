"""What each failure of DynamoDB becomes: the answer, nothing of the cause in it, and the cause in the log.

Responses are put in below botocore's retries: the client parses, retries and raises as it would in AWS.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import GetError, PutError, QueryError, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite
from wire_failures import SECRET, Wire, failure

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.dynamodb.error_codes import (
    RETRY_SECONDS,
    http_error_of,
    retry_after,
    translating_errors,
)
from polymicro_lambda.dynamodb.transport.conflicts import CONFLICT_TRIES
from polymicro_lambda.exceptions import HTTPError, NotFound
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.testing import Client, Result

RETRIES = (str(seconds) for seconds in range(1, RETRY_SECONDS + 1))
WHEN = set(RETRIES)


class Doc(Model):
    class Meta:
        table_name = "secret-table"
        region = "us-east-1"
        aws_access_key_id = "local"
        aws_secret_access_key = "local"
        base_backoff_ms = 0

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)


class DocResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """The verbs as they come, so that the store meets the failures."""

    model = Doc
    route = "docs"
    permissions = AllowAny
    scan = True
    idempotent = "create"
    store: Any

    @action()
    def touch(self, instance: Any) -> Any:
        return self.store.update(instance, {"text": "touched"})


class OwnResource(ModelResource, Create, List):
    """Verbs that call PynamoDB themselves."""

    model = Doc
    route = "own"
    permissions = AllowAny

    def list(self, request: Any) -> Any:
        return OWN[request.query["call"][0]]()

    def create(self, req: dict[str, Any]) -> Any:
        Doc(**req).save()


OWN: dict[str, Callable[[], Any]] = {
    "query": lambda: Doc.query("a"),
    "query read at once": lambda: list(Doc.query("a")),
    "scan": lambda: Doc.scan(),
    "get": lambda: Doc.get("a"),
    "save": lambda: Doc("a").save(),
    "update": lambda: Doc("a").update(actions=[Doc.text.set("b")]),
    "delete": lambda: Doc("a").delete(),
    "batch_get": lambda: list(Doc.batch_get(["a"])),
    "count": lambda: Doc.count("a"),
}

idempotency = Idempotency(table="secret-markers")
for name in ("region", "aws_access_key_id", "aws_secret_access_key", "base_backoff_ms"):
    setattr(idempotency.model.Meta, name, getattr(Doc.Meta, name))
pm = PolyMicro(idempotency=idempotency, cursor_secret="secret")
DocResource(pm)
OwnResource(pm)
CLIENT = Client(pm, user=User("alice"))

BODY = {"text": "b"}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", "/docs", {"id": "a"}),
    "list": ("GET", "/docs", None),
    "retrieve": ("GET", "/docs/a", None),
    "update": ("PATCH", "/docs/a", BODY),
    "replace": ("PUT", "/docs/a", BODY),
    "delete": ("DELETE", "/docs/a", None),
    "action": ("POST", "/docs/a/touch", {}),
    "idempotent create": ("POST", "/docs", {"id": "a"}),
    **{f"own {call}": ("GET", f"/own?call={call.replace(' ', '%20')}", None) for call in OWN},
}


def send(name: str) -> Result:
    method, path, body = REQUESTS[name]
    headers = {"Idempotency-Key": '"k"'} if name == "idempotent create" else {}
    return CLIENT.request(method, path, headers=headers, **({} if body is None else {"json": body}))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """The network of the model's client, without waits between botocore's tries."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    Doc._connection = None
    _ = CLIENT.handler
    client = connect(Doc).client
    here = Wire()
    client.meta.events.register("before-send.dynamodb", here)
    yield here
    client.meta.events.unregister("before-send.dynamodb", here)
    Doc._connection = None


BUSY = "The database is busy: try again later."
AWAY = "The database does not answer: try again later."
FAULT = "This is our fault; the log says more under the request id in instance."
FULL = "No more items fit under this partition key (10 GB, the local secondary indexes included)."
RACED = "Somebody else is changing this item: try again."
LARGE = "The item is larger than the 400 KB that DynamoDB stores."

# Failure -> what the wire gives, tries made by botocore, status, detail.
ROWS: dict[str, tuple[Any, int, int, str]] = {
    "throughput": (failure("ProvisionedThroughputExceededException"), 4, 503, BUSY),
    "throttling": (failure("ThrottlingException"), 4, 503, BUSY),
    "request limit": (failure("RequestLimitExceeded"), 4, 503, BUSY),
    "internal": (failure("InternalServerError", 500), 4, 503, AWAY),
    "unavailable": (failure("ServiceUnavailable", 503), 4, 503, AWAY),
    "a bare 500": ((500, b""), 4, 503, AWAY),
    "a bare 503": ((503, b""), 4, 503, AWAY),
    "a proxy's 502": ((502, b"<html>Bad Gateway</html>"), 4, 503, AWAY),
    "a proxy's 504": ((504, b""), 4, 503, AWAY),
    "transaction conflict": (failure("TransactionConflictException"), 1, 409, RACED),
    "collection full": (failure("ItemCollectionSizeLimitExceededException"), 1, 507, FULL),
    "validation": (failure("ValidationException"), 1, 500, FAULT),
    "item too large": (
        failure("ValidationException", message="Item size has exceeded the maximum allowed size"),
        1,
        413,
        LARGE,
    ),
    "item too large to update": (
        failure("ValidationException", message="Item size to update has exceeded the maximum allowed size"),
        1,
        413,
        LARGE,
    ),
    "no table": (failure("ResourceNotFoundException"), 1, 500, FAULT),
    "access denied": (failure("AccessDeniedException"), 1, 500, FAULT),
    "expired token": (failure("ExpiredTokenException"), 1, 500, FAULT),
    "unknown key": (failure("UnrecognizedClientException"), 1, 500, FAULT),
    "a code that nobody knows": (failure("SomethingNewException"), 1, 500, FAULT),
    "connect timeout": (ConnectTimeoutError(endpoint_url=SECRET), 4, 503, AWAY),
    "no endpoint": (EndpointConnectionError(endpoint_url=SECRET), 4, 503, AWAY),
    "no credentials": (NoCredentialsError(), 1, 500, FAULT),
    "half the credentials": (PartialCredentialsError(provider="env", cred_var=SECRET), 1, 500, FAULT),
}
LOST: dict[str, tuple[Any, int, int, str]] = {
    "read timeout": (ReadTimeoutError(endpoint_url=SECRET), 4, 503, AWAY),
    "connection closed": (ConnectionClosedError(endpoint_url=SECRET), 4, 503, AWAY),
    "http client": (HTTPClientError(error=SECRET), 4, 503, AWAY),
    "no JSON": ((200, b"<html>Sign in</html>"), 4, 503, AWAY),
    "cut off": ((200, b'{"Item": {"id": {"S": "a"}'), 4, 503, AWAY),
    "nothing": ((200, b""), 4, 503, AWAY),
    "tls": (SSLError(endpoint_url=SECRET, error="bad"), 4, 503, AWAY),
}
WRITES = ("create", "update", "replace", "delete", "action", "idempotent create")
WELL = {"action": ["GetItem"], "idempotent create": ["PutItem"]}
"""The calls before the write that is to fail: an action reads its item, a key is claimed."""
READS = tuple(name for name in REQUESTS if name not in WRITES)


def expect(name: str, row: tuple[Any, int, int, str], wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Send, and judge answer, tries and log."""
    sent, tries, status, detail = row
    wire.answers, wire.well = [sent], list(WELL.get(name, ()))
    with caplog.at_level(logging.ERROR, "polymicro_lambda"):
        result = send(name)
    problem = result.json
    assert (result.status, problem["status"], problem.get("detail")) == (status, status, detail)
    assert ("retry-after" in result.headers) == (status in (503, 409))
    assert result.headers.get("retry-after", "1") in WHEN
    assert result.headers["content-type"] == "application/problem+json"
    told = result.text + str(result.headers)
    for hidden in ("secret", "arn:", "Exception", "Traceback", "pynamodb", "botocore", "aws"):
        assert hidden not in told
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == (1 if status >= 500 else 0)
    for record in logged:
        assert (record.levelno, vars(record)["status"]) == (logging.ERROR, status)
        assert (vars(record)["request_id"], record.message.split(":")[0]) == (
            problem["instance"],
            "Request failed",
        )
    assert wire.well == []
    if row is ROWS["transaction conflict"] and name in WRITES:
        assert len(wire.calls) >= CONFLICT_TRIES
    elif tries == 1 and name != "idempotent create":
        assert len(wire.calls) == 1


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("name", REQUESTS)
def test_failures(
    name: str, row: tuple[Any, int, int, str], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """Every failure that DynamoDB answers with, met by the store and by verbs that call PynamoDB themselves."""
    expect(name, row, wire, caplog)


@pytest.mark.parametrize("row", LOST.values(), ids=LOST)
@pytest.mark.parametrize("name", READS)
def test_lost_answers_of_reads(
    name: str, row: tuple[Any, int, int, str], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    expect(name, row, wire, caplog)


@pytest.mark.parametrize("row", LOST.values(), ids=LOST)
@pytest.mark.parametrize("name", WRITES)
def test_lost_answers_of_writes(
    name: str, row: tuple[Any, int, int, str], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it cannot be found out either what happened: nothing is claimed, and nothing is written again."""
    expect(name, row, wire, caplog)
    if name != "idempotent create" and row is not LOST["tls"]:
        assert [one for one in wire.calls if one != "GetItem"] == [wire.calls[0]]


@pytest.mark.parametrize("row", (ROWS | LOST).values(), ids=ROWS | LOST)
def test_tries(row: tuple[Any, int, int, str], new_clients: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often botocore tries."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(Doc, "_connection", None)
    wire = Wire()
    wire.answers = [row[0]]
    connect(Doc).client.meta.events.register("before-send.dynamodb", wire)
    send("retrieve")
    assert len(wire.calls) == row[1]


def test_the_log_says_what_the_client_must_not_know(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """The kind of the exception, DynamoDB's code and where it was, and the request id that the client was told."""
    wire.answers = [failure("ResourceNotFoundException")]
    result = send("retrieve")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert vars(record)["request_id"] == result.json["instance"]
    said = vars(record)
    assert (said["phase"], said["route"], said["status"]) == ("fetch", "/docs/{id}", 500)
    text = logging.Formatter().format(record)
    assert "ResourceNotFoundException in GetItem" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("reasons", "status", "retry"),
    [
        pytest.param(["ConditionalCheckFailed"], 409, False, id="condition"),
        pytest.param(["None", "ConditionalCheckFailed"], 409, False, id="condition of the second"),
        pytest.param(["TransactionConflict"], 409, True, id="conflict"),
        pytest.param(["ThrottlingError"], 503, True, id="throttled"),
        pytest.param(["ProvisionedThroughputExceeded"], 503, True, id="throughput"),
        pytest.param(["RequestLimitExceeded"], 503, True, id="request limit"),
        pytest.param(["ItemCollectionSizeLimitExceeded"], 507, False, id="collection full"),
        pytest.param(["ValidationError"], 500, False, id="validation"),
        pytest.param(
            ["ConditionalCheckFailed", "TransactionConflict"], 409, False, id="both: again is no use"
        ),
        pytest.param(["ConditionalCheckFailed", "ThrottlingError"], 409, False, id="a condition decides"),
        pytest.param(["ThrottlingError", "ValidationError"], 500, False, id="a fault above all"),
        pytest.param([], 500, False, id="no reason"),
    ],
)
def test_transactions(
    reasons: list[str], status: int, retry: bool, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled transaction is answered by its reasons."""
    wire.answers = [
        failure("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in reasons])
    ]

    def write() -> None:
        with TransactWrite(connection=connect(Doc)) as transaction:
            transaction.save(Doc("a"))

    monkeypatch.setitem(OWN, "query", write)
    result = send("own query")
    assert (result.status, "retry-after" in result.headers) == (status, retry)


# --- without a client -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(Doc.DoesNotExist(), 404, id="DoesNotExist"),
        pytest.param(QueryError("x"), 500, id="no cause"),
        pytest.param(
            PutError("Failed to batch write items: max_retry_attempts exceeded"), 500, id="batch write"
        ),
        pytest.param(GetError("x", ReadTimeoutError(endpoint_url="x")), 503, id="a cause without a code"),
        pytest.param(TransactWriteError("x"), 500, id="transaction without cause"),
    ],
)
def test_translated(error: Exception, status: int) -> None:
    answer = http_error_of(error)
    assert answer is not None
    assert (answer.status, SECRET in str(answer)) == (status, False)


@pytest.mark.parametrize(
    "error", [KeyError("a"), ValueError("b"), NotFound(), ConnectionError(), TimeoutError()], ids=repr
)
def test_errors_of_others_are_theirs(error: Exception) -> None:
    """What did not come from DynamoDB's client passes as it is."""
    with pytest.raises(type(error)) as caught, translating_errors():
        raise error
    assert (caught.value is error, http_error_of(error)) == (True, None)


def test_an_answer_remembers_its_cause() -> None:
    cause = QueryError("x")
    with pytest.raises(HTTPError) as caught, translating_errors():
        raise cause
    assert caught.value.__cause__ is cause


def test_retry_after_has_jitter() -> None:
    """So that clients that were refused together do not come back together."""
    assert {retry_after()["retry-after"] for _ in range(200)} == WHEN
