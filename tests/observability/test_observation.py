"""What the log says of requests and errors: whole lines, and never anybody's data."""

import io
import json
import logging
import re
from collections.abc import Iterator
from math import ceil
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from contract import dynamodb_call
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.exceptions import ServiceUnavailable
from polymicro_lambda.testing import Client, make_event

ID = "00000000-0000-4000-8000-000000000000"
TRACE = "1-67891233-abcdef012345678912345678"
CANARY = "canary"
ALICE = User("canary-alice")
KNOWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines(logging.Handler):
    """Keeps the records of a logger."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Message and extras of each, times left out."""
        return [(record.getMessage(), extras(record)) for record in self.records]


def extras(record: logging.LogRecord) -> dict[str, Any]:
    members = {name: value for name, value in vars(record).items() if name not in KNOWN}
    for name in ("duration_ms", "dynamodb_ms"):
        assert members.pop(name, 0.0) >= 0.0
    if "read_units" in members:
        members["read_units"] = ceil(members["read_units"])  # moto says 0.5 also of a consistent read
    if "phases" in members:
        assert all(spent >= 0.0 for spent in members["phases"].values())
        members["phases"] = list(members["phases"])
    return members


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def logger(lines: Lines) -> Iterator[logging.Logger]:
    made = logging.getLogger("test_observing")
    made.propagate = False
    made.setLevel(logging.DEBUG)
    made.addHandler(lines)
    yield made
    made.removeHandler(lines)


class Forgot(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return None


@pytest.fixture
def note(dynamodb: None, table_name: str) -> Any:
    name = table_name

    class Note(Model):
        class Meta:
            table_name = name

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        done = BooleanAttribute(null=True)
        size = NumberAttribute(null=True)

    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return Note


def app(note: Any, *, rule: Any = AllowAny, **settings: Any) -> PolyMicro:
    class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
        model = note
        route = "notes"
        permissions = (rule,)
        scan = True

        @action(methods=("POST",), detail=False)
        def fail(self, req: Any) -> Any:
            raise KeyError(req["text"])

        @action(methods=("POST",), detail=False)
        def busy(self, req: Any) -> Any:
            raise ServiceUnavailable(req["text"]) from ValueError(req["text"])

    pm = PolyMicro(**{"cursor_secret": "s"} | settings)
    Notes(pm)
    return pm


def line(**more: Any) -> tuple[str, dict[str, Any]]:
    return "request", {
        "method": "GET",
        "route": "/notes",
        "verb": "list",
        "status": 200,
        "request_id": ID,
        "correlation_id": None,
        "cold_start": False,
        "user": None,
        "source": "rest",
        "calls": 1,
        "read_units": 1,
        "write_units": 0.0,
        "retries": 0,
        "throttles": 0,
        "phases": ["read", "route", "permit", "load", "verb", "dump"],
    } | more


NO_CALL = {"calls": 0, "read_units": 0.0}


def test_one_line_for_each_request(note: Any, logger: logging.Logger, lines: Lines) -> None:
    client = Client(app(note, logger=logger))
    client.post("/notes", json={"id": "a", "text": CANARY})
    client.get("/notes/a", headers={"X-Correlation-Id": "c-1"}, source="http")
    client.get("/notes", headers={"X-Amzn-Trace-Id": f"Root={TRACE};Sampled=1"})
    client.request("POST", "/notes/a")
    client.request("BREW", "/elsewhere")
    client.options("/notes")
    item = ["read", "route", "permit", "load", "fetch", "verb", "dump"]
    writing = {"method": "POST", "verb": "create", "status": 201, "write_units": 1.0, "read_units": 0.0}
    lost: dict[str, Any] = NO_CALL | {"verb": None, "phases": ["read", "route"]}
    assert lines.messages() == [
        line(**writing, cold_start=True),
        line(route="/notes/{id}", verb="retrieve", correlation_id="c-1", source="http", phases=item),
        line(correlation_id=TRACE),
        line(**lost, method="POST", route="/notes/{id}", status=405),
        line(**lost, method="OTHER", route=None, status=404),
        line(**lost, method="OPTIONS", status=204),
    ]


def test_a_user_is_a_keyed_hash(note: Any, logger: logging.Logger, lines: Lines) -> None:
    """The same for one user of one app, another for another user or another secret."""
    for secret, user in (("s", "alice"), ("s", "alice"), ("s", "bob"), ("t", "alice")):
        Client(app(note, logger=logger, cursor_secret=secret), user=User(user)).get("/nothing")
    one, again, other, elsewhere = (members["user"] for _, members in lines.messages())
    assert (len(one), one == again, len({one, other, elsewhere})) == (16, True, 3)


@pytest.mark.parametrize("given", ["a b", "x" * 129, "ä", "a\nb", ""], ids=repr)
def test_a_correlation_id_that_is_none(note: Any, logger: logging.Logger, lines: Lines, given: str) -> None:
    Client(app(note, logger=logger)).get("/nothing", headers={"X-Correlation-Id": given})
    assert lines.messages()[0][1]["correlation_id"] is None


def test_a_start_before_any_request(
    note: Any, logger: logging.Logger, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")
    Client(app(note, logger=logger)).get("/nothing")
    assert lines.messages()[0][1]["cold_start"] is False


def test_an_error_is_logged_with_cause_and_phase(note: Any, logger: logging.Logger, lines: Lines) -> None:
    Client(app(note, logger=logger)).post(
        "/notes/fail", json={"text": CANARY}, headers={"X-Correlation-Id": "c-1"}
    )
    error, request = lines.records
    place = {"request_id": ID, "correlation_id": "c-1", "route": "/notes/fail", "phase": "verb"}
    assert (error.levelname, error.getMessage(), extras(error)) == (
        "ERROR",
        "Request failed: KeyError",
        place | {"status": 500},
    )
    text = logging.Formatter().format(error)
    assert text.splitlines()[-1] == "KeyError"
    assert 'raise KeyError(req["text"])' in text
    assert extras(request)["status"] == 500


def test_a_long_chain_of_causes(note: Any, logger: logging.Logger, lines: Lines) -> None:
    """It is logged as far as is of use, and answered."""

    def deep(left: int) -> None:
        try:
            if left:
                deep(left - 1)
            json.loads(CANARY)
        except (LookupError, ValueError) as error:
            raise LookupError(CANARY) from error

    def rule(self: Any, user: Any, method: str) -> None:
        deep(600)

    broken = type("Deep", (Permission,), {"anonymous": True, "has_permission": rule})
    assert Client(app(note, logger=logger, rule=broken)).get("/notes").status == 500
    error, _ = lines.records
    text = logging.Formatter().format(error)
    assert (len(re.findall("^LookupError$", text, re.MULTILINE)), "canary" in text) == (50, False)


def test_a_logger_that_raises_is_not_the_clients_concern(
    note: Any, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise LookupError(CANARY)

    logger.addFilter(broken := Broken())
    client = Client(app(note, logger=logger))
    answers = [client.get("/notes").status, client.post("/notes/fail", json={"text": "x"}).status]
    logger.removeFilter(broken)
    assert answers == [200, 500]
    assert capsys.readouterr().err == "polymicro_lambda: the logger raised LookupError\n" * 3


@pytest.mark.parametrize(("value", "timed"), [("true", True), ("LOG", False)])
def test_debugging_tells_the_text(
    value: str, timed: bool, note: Any, logger: logging.Logger, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYMICRO_DEBUG", value)
    answer = Client(app(note, logger=logger)).post("/notes/fail", json={"text": "why"})
    assert "KeyError: 'why'" in logging.Formatter().format(lines.records[0])
    assert ("server-timing" in answer.headers) is timed


def test_debugging_sends_server_timing(note: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "server-timing" not in Client(app(note)).get("/notes").headers
    monkeypatch.setenv("POLYMICRO_DEBUG", "true")
    timing = Client(app(note)).get("/notes").headers["server-timing"]
    names = [each.partition(";dur=")[0] for each in timing.split(", ")]
    assert names == ["read", "route", "permit", "load", "verb", "dump", "dynamodb", "total"]
    spent = [float(each.partition(";dur=")[2]) for each in timing.split(", ")]
    assert 0 < spent[-2] < spent[-1]
    assert sum(spent[:-2]) == pytest.approx(spent[-1], abs=0.01)


def test_a_forgotten_return_and_a_poison_row_reach_the_apps_logger(
    note: Any, logger: logging.Logger, lines: Lines
) -> None:
    dynamodb_call(
        "put_item", TableName=note.Meta.table_name, Item={"id": {"S": CANARY}, "done": {"S": CANARY}}
    )
    Client(app(note, logger=logger)).get("/notes")
    Client(app(note, logger=logger, rule=Forgot), user=ALICE).get("/notes")
    place = {"request_id": ID, "correlation_id": None, "route": "/notes"}
    (poison, members), _, (forgot, place_of_it), _ = lines.messages()
    assert poison == "A row of Note cannot be read and was left out of a list"
    assert {name: value for name, value in members.items() if name != "key_sha256"} == place | {
        "phase": "verb"
    }
    assert forgot == "Forgot.has_permission returned None, which denies: return True or False"
    assert place_of_it == place | {"phase": "permit"}


def asked(client: Client) -> None:
    """Requests of every kind, with a canary wherever a client can put one."""
    hidden = {
        "Authorization": "Bearer canary",
        "User-Agent": CANARY,
        "Idempotency-Key": CANARY,
        "X-Other": CANARY,
        "X-Correlation-Id": "canary canary",
    }
    body: Any
    for body in (
        {"id": "canary-1", "text": CANARY},
        {"id": "canary-1", "text": CANARY},
        {"id": CANARY, CANARY: 1},
        {"id": CANARY, "size": CANARY},
    ):
        client.post("/notes", json=body, headers=hidden)
    for path in ("fail", "busy"):
        client.post(f"/notes/{path}", json={"text": CANARY}, headers=hidden)
    client.post("/notes", body=b'{"canary', headers=hidden | {"Content-Type": "application/json"})
    client.post("/notes", body=b"canary", headers=hidden | {"Content-Type": "text/canary"})
    client.get("/notes", query={"pagination_key": CANARY}, headers=hidden)
    client.get("/notes", query={CANARY: CANARY}, headers=hidden)
    client.get("/notes", query={"limit": CANARY}, headers=hidden)
    client.get("/notes", headers=hidden | {"Accept": "text/canary"})
    for path in ("/notes/canary-1", "/notes/canary-gone", "/canary", "/notes/canary-poison", "/notes"):
        client.get(path, headers=hidden)
    client.patch("/notes/canary-1", json={"text": "canary 2"}, headers=hidden)
    client.delete("/notes/canary-1", headers=hidden | {"If-Match": '"canary"'})
    client.handler(make_event("GET", "/canary%zz", headers=hidden), None)
    client.get("/notes", request_id="a canary")


@pytest.mark.parametrize("kind", ["standard", "powertools"])
def test_no_line_holds_anybodys_data(
    kind: str, note: Any, logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level: neither body, token, key, header nor query; also where a table is gone. The canary can sing."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Everything())
    # One of Powertools' keeps its stream for as long as the process lives.
    given: Any = logger if kind == "standard" else Logger(service="canaries", stream=stream, level="DEBUG")
    logger.addHandler(handler)
    ours = logging.getLogger("polymicro_lambda")
    ours.addHandler(handler)
    poison = {"id": {"S": "canary-poison"}, "done": {"S": CANARY}}
    dynamodb_call("put_item", TableName=note.Meta.table_name, Item=poison)
    client = Client(app(note, logger=given), user=ALICE)
    try:
        with caplog.at_level(logging.DEBUG, "polymicro_lambda"):
            asked(client)
            note.delete_table()
            client.get("/notes/canary-1")
    finally:
        ours.removeHandler(handler)
        logger.removeHandler(handler)
    logged = stream.getvalue()
    assert logged.count("request_id") >= 20
    assert CANARY not in logged
    assert note.Meta.table_name not in logged
    logger.addHandler(handler)
    given.error(CANARY)
    logger.removeHandler(handler)
    assert CANARY in stream.getvalue()


class Everything(logging.Formatter):
    """The line, its traceback, and all that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + repr({n: v for n, v in vars(record).items() if n not in KNOWN})


def test_powertools_logger_writes_keys(note: Any) -> None:
    stream = io.StringIO()
    logger = Logger(service="notes", stream=stream, level="INFO")
    Client(app(note, logger=logger)).get("/nothing")
    logged = json.loads(stream.getvalue())
    assert (
        logged["service"],
        logged["message"],
        logged["method"],
        logged["status"],
        list(logged["phases"]),
    ) == (
        "notes",
        "request",
        "GET",
        404,
        ["read", "route"],
    )
