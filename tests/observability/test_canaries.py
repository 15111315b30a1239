"""No log line holds anybody's data: canaries in every place of a request, through every verb and every failure.

All loggers there are, at every level down to DEBUG, what is written to stdout and stderr, and the trace. A user is a
keyed hash. ``POLYMICRO_DEBUG`` is not set, which is for one's own machine.
"""

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, ClassVar

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context
from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError
from contract import FORMS, dynamodb_call
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model
from wire_failures import Wire, failure

from polymicro_lambda import (
    CORS,
    Create,
    Delete,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.exceptions import BadRequest, ConfigurationError, ServiceUnavailable
from polymicro_lambda.testing import Client, FakeContext, make_event

pytestmark = pytest.mark.thorough

STEM = "cnry"
PLACES = """
    authorization body binary claim cookie correlation cursor etag forwarded group header idempotency item key
    media member message method origin parameter password path permission query row segment stage trace user
"""
C = {place: f"{STEM}{place}" for place in PLACES.split()}
"""A canary for each place, so that one that sings says where it sat."""
FOUND = re.compile(
    "|".join((f"{STEM}[a-z]*", *(base64.b64encode((" " * n + STEM).encode()).decode()[4:-2] for n in (2,)))),
    re.I,
)
ALICE = User(C["user"], frozenset({C["permission"]}), frozenset({C["group"]}), claims={"email": C["claim"]})
HEADERS = {
    "Authorization": f"Bearer {C['authorization']}",
    "Cookie": f"session={C['cookie']}",
    "X-Api-Key": C["key"],
    "X-Other": C["header"],
    "X-Forwarded-For": C["forwarded"],
    "X-Correlation-Id": f"{C['correlation']} is none",
    "X-Amzn-Trace-Id": f"Self={C['trace']}",
    "User-Agent": C["header"],
    "Origin": f"https://{C['origin']}.example",
    "Referer": f"https://{C['header']}.example/?token={C['authorization']}",
}
NAMED = {
    "id": C["key"],
    "text": C["body"],
    "blob": base64.b64encode(C["binary"].encode()).decode(),
    "more": {C["member"]: [C["body"]]},
}


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    route = "notes"
    permissions = OwnedBy("owner")
    filters: ClassVar[Any] = {"id": ("eq", "begins_with"), "text": ("eq", "contains"), "size": ("lt", "in")}
    idempotent = ("create", "update", "fail")

    def represent(self, data: Any, instance: Any, request: Any) -> Any:
        if "represent" in request.query.get("fields", ()):
            raise KeyError(data)
        return data

    @action(detail=False)
    def fail(self, req: Any) -> Any:
        raise KeyError(req, C["password"])

    @action(detail=False)
    def busy(self, req: Any) -> Any:
        raise ServiceUnavailable(req["text"]) from ValueError(req, C["password"])

    @action(detail=False)
    def refuse(self, req: Any) -> Any:
        raise BadRequest(req["text"], headers={"x-said": req["text"]})

    @action(detail=False)
    def odd(self, req: Any) -> Any:
        return {"text": req["text"], C["member"]: object()}

    @action()
    def spoil(self, instance: Any, req: Any, user: Any) -> Any:
        return self.update(instance, {"size": req["text"], C["member"]: req}, user)


class Leaky(Permission):
    """Breaks with all that it was given."""

    def has_permission(self, user: Any, method: str, request: Any) -> bool:
        raise LookupError(user, request.headers, request.body, C["password"])


class Said(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return f"owner = {user.uuid}"


def broken_user(request: Any) -> Any:
    raise PermissionError(request.headers["authorization"], C["password"])


@pytest.fixture
def model(dynamodb: None, table_name: str) -> Any:
    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)
        size = NumberAttribute(null=True)
        done = BooleanAttribute(null=True)
        blob = BinaryAttribute(null=True, legacy_encoding=False)
        more: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
        version = VersionAttribute()

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    Note.Meta.base_backoff_ms = 0  # type: ignore[attr-defined]
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    poison = {"owner": {"S": C["user"]}, "id": {"S": f"{C['row']}1"}, "size": {"S": C["row"]}}
    dynamodb_call("put_item", TableName=table_name, Item=poison)
    return Note


class Lines(logging.Handler):
    """All that a record holds: message, arguments, traceback with its causes, and what came with it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        values = {**vars(record), "exc": repr(record.exc_info and record.exc_info[1])}
        self.told.append(f"{logging.Formatter().format(record)} {values!r}")

    def __str__(self) -> str:
        return "\n".join(self.told)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Every line of every logger, at DEBUG, as a Lambda writes it whose log level is DEBUG."""
    root, here = logging.getLogger(), Lines()
    loggers = {logger: logger.level for logger in (root, *map(logging.getLogger, LIBRARIES))}
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.addHandler(here)
    yield here
    root.removeHandler(here)
    for logger, level in loggers.items():
        logger.setLevel(level)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a trace would send."""
    sent: list[str] = []
    monkeypatch.setattr(xray_recorder.emitter, "send_entity", lambda entity: sent.append(entity.serialize()))
    monkeypatch.delenv("POWERTOOLS_TRACE_DISABLED")
    xray_recorder.configure(context=Context(), sampling=False)
    global_sdk_config.set_sdk_enabled(True)
    Tracer._reset_config()
    xray_recorder.begin_segment("lambda")
    yield sent
    xray_recorder.end_segment()
    Tracer._reset_config()


STREAM = io.StringIO()
"""Powertools keeps a logger's stream for as long as the process lives."""


def observers(kind: str) -> dict[str, Any]:
    if kind == "off":
        return {}
    if kind == "standard":
        return {"logger": logging.getLogger("flock")}
    return {
        "logger": Logger(service="flock", stream=STREAM, level="DEBUG"),
        "metrics": Metrics(namespace="Flock", service="flock"),
        "tracer": Tracer(service="flock", disabled=False, auto_patch=False),
    }


class Flock:
    """An app over the notes, and how many requests it was sent."""

    def __init__(self, kind: str, model: Any, *, markers: bool = True, **declared: Any) -> None:
        settings = {name: declared.pop(name) for name in ("req_user_func", "user_id") if name in declared}
        idempotency = Idempotency(table=f"{model.Meta.table_name}m") if markers else None
        cors = CORS(origins=("https://app.example.com",), credentials=True)
        self.pm = PolyMicro(
            cursor_secret=C["password"] * 2,
            idempotency=idempotency,
            cors=cors,
            docs=True,
            **observers(kind),
            **settings,
        )
        type("Notes", (Notes,), {"model": model, **declared})(self.pm)
        self.client = Client(self.pm.compile(), user=ALICE)
        if idempotency and not idempotency.model.exists():
            idempotency.model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        self.statuses: list[int] = []

    def send(self, method: str, path: str, headers: Any = None, **options: Any) -> Any:
        result = self.client.request(method, path, headers=HEADERS | (headers or {}), **options)
        self.statuses.append(result.status)
        return result

    def hand(self, event: Any) -> None:
        self.statuses.append(self.client.handler(event, FakeContext())["statusCode"])


ITEM = f"/notes/{C['key']}"
KEY = {"Idempotency-Key": f'"{C["idempotency"]}"'}


def verbs(flock: Flock, **form: Any) -> None:
    """Every verb that succeeds and every way in which a client is refused."""
    tag = {"If-Match": f'"{C["etag"]}"'}
    made = flock.send("POST", "/notes", KEY, json=NAMED, **form)
    flock.send("POST", "/notes", KEY, json=NAMED, **form)
    flock.send("POST", "/notes", KEY, json=NAMED | {"text": C["message"]}, **form)
    flock.send("POST", "/notes", json=NAMED, **form)
    for number in range(3):
        flock.send("POST", "/notes", json=NAMED | {"id": f"{C['key']}{number}"}, **form)
    for method, path in product(("GET", "HEAD"), (ITEM, "/notes", f"/notes?fields=text,{C['parameter']}")):
        flock.send(method, path, **form)
    flock.send("GET", ITEM, {"If-None-Match": made.headers.get("etag", "*")}, **form)
    page = flock.send("GET", "/notes?limit=1", **form).json
    cursors = (page.get("pagination_key") or "x", C["cursor"], f"{page.get('pagination_key')}{C['cursor']}")
    queries: list[dict[str, str]] = [{"pagination_key": cursor} for cursor in cursors]
    queries += [
        {"text": C["query"]},
        {"text__contains": C["query"], "sort": "-id"},
        {"id__begins_with": C["query"]},
    ]
    queries += [
        {"limit": C["query"]},
        {"size__lt": C["query"]},
        {C["parameter"]: C["query"]},
        {"sort": C["query"]},
    ]
    for query in queries:
        flock.send("GET", "/notes", query=query, **form)
    bodies: tuple[Any, ...] = (
        {"text": C["message"]},
        {"size": C["body"]},
        {C["member"]: C["body"]},
        {"owner": C["body"]},
        {"more": {C["member"]: {"S": C["body"]}}},
        {"text": f"{C['body']}\x00"},
        {"text": C["body"] * 60_000},
        [C["body"]],
        C["body"],
    )
    for method, body in product(("PATCH", "PUT"), bodies):
        flock.send(method, ITEM, json=body, **form)
        flock.send(method, ITEM, tag, json=body, **form)
    raw = (
        f'{{"{C["body"]}',
        f'{{"{C["member"]}": NaN}}',
        f'{{"{C["member"]}": 1, "{C["member"]}": 2}}',
        C["body"],
    )
    for text, media in product(raw, ("application/json", f"text/{C['media']}")):
        flock.send("POST", "/notes", {"Content-Type": media}, body=text.encode(), **form)
    flock.send("GET", "/notes", {"Accept": f"text/{C['media']}"}, **form)
    for name in ("fail", "busy", "refuse", "odd", "nothing"):
        for keyed in ({}, KEY):
            flock.send("POST", f"/notes/{name}", keyed, json={"text": C["body"]}, **form)
    flock.send("POST", f"{ITEM}/spoil", json={"text": C["body"]}, **form)
    for path in (f"/notes/{C['row']}1", f"/notes/{C['path']}", f"/{C['segment']}/{C['path']}", ITEM):
        flock.send("GET", path, **form)
        flock.send("OPTIONS", path, {"Access-Control-Request-Method": C["method"]}, **form)
        flock.send(C["method"].upper(), path, **form)
    flock.send("GET", ITEM, user=None, **form)
    flock.send("GET", ITEM, user=User("bob"), **form)
    flock.send("DELETE", ITEM, tag, **form)
    for number in ("", *range(3)):
        flock.send("DELETE", f"{ITEM}{number}", **form)


def malformed(flock: Flock) -> None:
    """Events that no source sends, of each: a canary where something else should be."""
    for form in FORMS.values():
        event = make_event("POST", "/notes", headers=HEADERS, body=json.dumps(NAMED), user=ALICE, **form)
        for name in [*event, "cookies", "rawQueryString", "queryStringParameters"]:
            for value in (
                C["body"],
                {C["member"]: {C["member"]: [C["body"]]}},
                [C["body"]],
                f"%zz{C['path']}",
                "\ud800",
            ):
                flock.hand({**event, name: value})
        for name, value in (event.get("requestContext") or {}).items():
            for said in (
                f"{C['stage']} is no id",
                {C["claim"]: C["claim"]},
                {"claims": C["claim"], "lambda": C["claim"]},
                None,
            ):
                flock.hand({**event, "requestContext": {**event["requestContext"], name: said or value}})
        flock.hand({**event, "body": f"!{C['body']}", "isBase64Encoded": True})
    flock.hand({"httpMethod": C["method"]})
    for event in (None, [C["body"]], C["body"]):  # no requests: answered without a line of the log
        assert flock.client.handler(event, FakeContext())["statusCode"] == 200
    for name in ("body", "eventSource"):
        with pytest.raises(ConfigurationError) as refused:
            flock.hand({"Records": [{name: C["body"]}]})
        assert C["body"] not in str(refused.value)


KINDS = ("off", "standard", "powertools")
ENDS = ("off", "powertools")
LIBRARIES = ("botocore", "pynamodb")


def silent(lines: Lines, spans: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """All that was told, which no canary is in."""
    STREAM.seek(0)
    told = "\n".join((str(lines), STREAM.read(), *capfd.readouterr(), *spans))
    STREAM.seek(0)
    STREAM.truncate()
    sung = [told[max(0, match.start() - 300) : match.end() + 50] for match in FOUND.finditer(told)]
    assert sung[:3] == []
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_requests(
    kind: str, model: Any, lines: Lines, spans: list[str], capfd: pytest.CaptureFixture[str], engine: str
) -> None:
    """Of every verb, on the first and the last of the sources; and events of all that are none."""
    flock = Flock(kind, model)
    for form in ("rest", "alb-single")[: 1 + (kind == "powertools")]:
        verbs(flock, **FORMS[form])
    malformed(flock)
    told = silent(lines, spans, capfd)
    seen = set(flock.statuses)
    assert {200, 201, 204, 304, 400, 401, 404, 405, 406, 409, 412, 413, 415, 422, 500, 503} <= seen
    assert len(flock.statuses) > 600
    lined = len(re.findall(r'"message":"request"|^request ', told, re.MULTILINE))
    assert lined == (0 if kind == "off" else len(flock.statuses))


FAILURES: dict[str, Any] = {
    code: [failure(code, status, f"{C['message']} {C['key']}", Item={"text": {"S": C["item"]}})]
    for code, status in {
        "ProvisionedThroughputExceededException": 400,
        "InternalServerError": 500,
        "TransactionConflictException": 400,
        "ItemCollectionSizeLimitExceededException": 400,
        "ValidationException": 400,
        "ResourceNotFoundException": 400,
        "AccessDeniedException": 400,
        "SomethingNewException": 400,
        "ConditionalCheckFailedException": 400,
    }.items()
}
REASONS = [
    {"Code": code, "Message": C["message"], "Item": {"text": {"S": C["item"]}}}
    for code in ("ConditionalCheckFailed", "ValidationError", "ThrottlingError")
]
FAILURES |= {
    "cancelled": [failure("TransactionCanceledException", message=C["message"], CancellationReasons=REASONS)],
    "no JSON": [(200, f"<{C['message']}>".encode())],
    "a proxy": [(502, C["message"].encode())],
    "no item": [
        (200, json.dumps({"Item": {"size": {"S": C["item"]}}, "Items": [{"id": C["item"]}]}).encode())
    ],
    "read timeout": [ReadTimeoutError(endpoint_url=C["message"])],
    "closed": [ConnectionClosedError(endpoint_url=C["message"], request=C["body"])],
    "client": [HTTPClientError(error=C["message"])],
    "lost, then refused": [
        ReadTimeoutError(endpoint_url=C["message"]),
        *FAILURES["ConditionalCheckFailedException"],
    ],
}


@pytest.mark.parametrize("kind", ENDS)
def test_failures_of_dynamodb(
    kind: str,
    model: Any,
    lines: Lines,
    spans: list[str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each on every verb, below botocore's retries, whose own lines are held too."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    flock = Flock(kind, model)
    wire = Wire()
    for each in {each for route in flock.pm.routes for each in route.models}:
        connect(each).client.meta.events.register("before-send.dynamodb", wire)
    for name, answers in FAILURES.items():
        for method, path, more in (
            ("POST", "/notes", {"json": NAMED}),
            ("POST", "/notes", {"json": NAMED, "headers": KEY}),
            ("GET", "/notes", {}),
            ("GET", ITEM, {}),
            ("PATCH", ITEM, {"json": {"text": C["body"]}}),
            ("PUT", ITEM, {"json": {"text": C["body"]}, "headers": {"If-Match": '"1"'}}),
            ("DELETE", ITEM, {}),
            ("POST", f"{ITEM}/spoil", {"json": {"text": C["body"]}}),
        ):
            wire.answers = list(answers)
            assert flock.send(method, path, **more).status >= 400 or name == "no item"
    told = silent(lines, spans, capfd)
    assert len(flock.statuses) == 8 * len(FAILURES)
    assert {409, 500, 503, 507} <= set(flock.statuses)
    assert told.count("Request failed: ") >= sum(status >= 500 for status in flock.statuses)


BROKEN: dict[str, dict[str, Any]] = {
    "permission": {"permissions": Leaky},
    "where": {"permissions": Said},
    "req_user_func": {"req_user_func": broken_user},
    "req_user_func of no kind": {"req_user_func": lambda request: {C["user"]: request.headers}},
    "user_id": {"user_id": lambda user: {}[user.uuid]},
    "represent": {"represent": lambda self, data, instance, request: {}[str(data)]},
    "list": {"list": lambda self, user: [{C["member"]: object()}]},
    "create": {"create": lambda self, req, user: {}[str(req)]},
    "retrieve": {"retrieve": lambda self, instance, user: instance.size + C["body"]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_code_of_the_apps_that_breaks(
    kind: str, model: Any, lines: Lines, spans: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """With a request's data in what it raises."""
    failed = 0
    for name, broken in BROKEN.items():
        flock = Flock(kind, model, **({"idempotent": ("create",), "scan": True} | broken), markers=False)
        for method, path, more in (
            ("POST", "/notes", {"json": NAMED}),
            ("GET", "/notes?limit=1", {}),
            ("GET", ITEM, {}),
            ("PATCH", ITEM, {"json": {"text": C["body"]}}),
            ("DELETE", ITEM, {}),
        ):
            flock.send(method, path, **more)
        assert {403, 500} & set(flock.statuses), name
        failed += flock.statuses.count(500)
    assert silent(lines, spans, capfd).count("Request failed: ") >= failed > 15


def test_the_init_phase(model: Any, lines: Lines, spans: list[str], capfd: Any, monkeypatch: Any) -> None:
    """A client that cannot be made is told of without its reason, which may name what the environment holds."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setattr(
        "polymicro_lambda.dispatch.startup._connect",
        lambda *_, **__: {}[C["password"]],  # type: ignore[call-overload]
    )
    Flock("off", model, markers=False, idempotent=("create",))
    assert "Not all was made ready in the init phase" in silent(lines, spans, capfd)


LEVELS = (None, False, "WARNING"), (None, True, "DEBUG"), ("DEBUG", False, "DEBUG"), ("ERROR", False, "ERROR")


@pytest.mark.parametrize(("said", "debug", "level"), LEVELS)
def test_libraries_that_log_items_say_warnings_alone(
    said: str | None, debug: bool, level: str, model: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless they have a level of their own, or this is debugging."""
    loggers = [logging.getLogger(name) for name in LIBRARIES]
    for logger in loggers:
        logger.setLevel(said or "NOTSET")
    if debug:
        monkeypatch.setenv("POLYMICRO_DEBUG", "1")
    Flock("off", model)
    assert {logging.getLevelName(logger.getEffectiveLevel()) for logger in loggers} == {level}


def test_the_canaries_can_sing(
    model: Any,
    lines: Lines,
    spans: list[str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it is asked for: in debugging, and by a level of its own for a library that logs what it sends."""
    logging.getLogger("pynamodb").setLevel(logging.DEBUG)
    flock = Flock("off", model)
    flock.send("POST", "/notes", json=NAMED)
    assert {C["body"], C["key"], C["user"]} <= set(FOUND.findall(str(lines)))
    lines.told.clear()
    monkeypatch.setenv("POLYMICRO_DEBUG", "true")
    logging.getLogger("pynamodb").setLevel(logging.NOTSET)
    Flock("off", model).send("POST", "/notes/fail", json={"text": C["body"]})
    assert {C["body"], C["password"]} <= set(FOUND.findall(str(lines)))
