"""Any JSON in any field of an event is answered below 500, and no error tells anything: through the whole handler.

``FUZZ_EXAMPLES`` says how many inputs each test tries (``make fuzz``: 20,000).
"""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from contract import CANARIES, FORMS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.dispatch.other_events import BATCH_MEMBERS
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.lists.cursors import Cursors
from polymicro_lambda.testing import FakeContext, make_event

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
tried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "a", "0", "\x00", "\ud800", "%", "%zz", "..", "/", "1e999", "alice", "2026-01-01"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = ["owner", "id", "size", "blob", "more", "any", "sizes", "things", "at", "version"]
BODY = {
    "id": "n1",
    "size": 1,
    "blob": "YQ==",
    "more": {"a": [1]},
    "any": {},
    "sizes": [1],
    "things": ["a"],
    "at": "2026-01-01T00:00:00Z",
}
ALICE = User("alice", frozenset({"write"}))
HEADERS = {
    "accept": "application/json",
    "content-type": "application/json",
    "if-match": '"1"',
    "cookie": "a=b",
    "idempotency-key": '"k"',
    "x-correlation-id": "c",
    "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
    "host": "api.example.com",
}


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    route = "todo"
    permissions = OwnedBy("owner")
    filters = {"id": ("eq", "begins_with", "between", "in"), "size": ("eq", "lt", "in"), "at": ("gte",)}  # noqa: RUF012
    idempotent = ("create", "update", "touch")

    @action()
    def touch(self, instance: Any, req: Any, user: Any) -> Any:
        return instance

    @action(detail=False)
    def echo(self, req: Any) -> Any:
        return {"said": req}


@pytest.fixture
def send(dynamodb: None, table_name: str) -> Callable[[Any], None]:
    """Hand an event to the app, and judge what comes back."""

    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        size = NumberAttribute(null=True)
        blob = BinaryAttribute(null=True, legacy_encoding=False)
        more: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
        any = JSONAttribute(null=True)
        sizes = NumberSetAttribute(null=True)
        things: Any = ListAttribute(null=True)
        at = UTCDateTimeAttribute(null=True)
        version = VersionAttribute()

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    idempotency = Idempotency(table=f"{table_name}m")
    pm = PolyMicro(cursor_secret="s" * 32, cors="*", docs=True, idempotency=idempotency)
    type("Notes", (Notes,), {"model": Note})(pm)
    handler = pm.compile()
    for model in (Note, idempotency.model):
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)

    def sending(event: Any) -> None:
        answer = handler(event, FakeContext())
        said = json.dumps(
            answer, ensure_ascii=False
        ).encode()  # as Lambda sends it: a lone surrogate cannot be
        status = answer["statusCode"]
        assert 200 <= status < 500, said
        headers = answer.get("headers") or {
            name: value for name, (value,) in answer.get("multiValueHeaders", {}).items()
        }
        for name, value in headers.items():
            assert re.fullmatch(r"[a-z0-9-]+", name)
            assert re.fullmatch(r"[\x20-\x7e]*", value)
        if status >= 400:
            assert headers["content-type"] == "application/problem+json"
            document = json.loads(answer["body"] or "{}")
            assert document.get("status", status) == status
            assert not CANARIES.search(re.sub(r'"[^"]*(canary)[^"]*"', "", said.decode())), said

    return sending


# --- anything in any field ------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2] / "events"


def made() -> Iterator[tuple[str, dict[str, Any]]]:
    """The repository's events, and of each source a request of each kind, with all that a request can have."""
    for path in sorted(ROOT.glob("*.json")):
        yield path.stem, json.loads(path.read_text())
    requests = {
        "create": ("POST", "/todo", BODY),
        "list": ("GET", "/todo?limit=2&id__begins_with=n&sort=-id&fields=id,size", None),
        "retrieve": ("GET", "/todo/n1", None),
        "update": ("PATCH", "/todo/n1", {"size": 2}),
        "replace": ("PUT", "/todo/n1", {"size": 2}),
        "touch": ("POST", "/todo/n1/touch", {}),
        "echo": ("POST", "/todo/echo", {"a": 1}),
        "options": ("OPTIONS", "/todo", None),
        "docs": ("GET", "/openapi.json", None),
    }
    for form, source in FORMS.items():
        for name, (method, path, body) in requests.items():
            said = {} if body is None else {"body": json.dumps(body)}
            headers = {
                name: value
                for name, value in HEADERS.items()
                if name != "if-match" or method in ("PATCH", "PUT")
            }
            yield f"{form} {name}", make_event(method, path, user=ALICE, headers=headers, **said, **source)


EVENTS = dict(made())


def places(value: Any, *place: Any) -> Iterator[tuple[Any, ...]]:
    yield place
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, *place, name)


def put(event: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = list(event) if isinstance(event, list) else dict(event)
    copy[place[0]] = put(event[place[0]], place[1:], value)
    return copy


PLACES = [(name, place) for name, event in EVENTS.items() for place in places(event)]
LACKING = [
    "multiValueHeaders", "headers", "queryStringParameters", "multiValueQueryStringParameters", "rawQueryString",
    "cookies", "body", "isBase64Encoded", "requestContext", "version", "httpMethod", "path", "rawPath",
    "pathParameters", "stageVariables", "resource",
]  # fmt: skip
CONTEXTS = ["authorizer", "identity", "elb", "http", "stage", "requestId", "path", "domainName", "protocol"]


@tried
@given(place=st.sampled_from(PLACES), value=JSON)
@example(place=("rest list", ("multiValueHeaders",)), value={"\ud800": 7})
@example(place=("rest create", ("isBase64Encoded",)), value=True)
def test_any_json_anywhere(send: Any, place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    send(put(EVENTS[place[0]], place[1], value))


@tried
@given(
    event=st.sampled_from(list(EVENTS.values())),
    members=st.dictionaries(st.sampled_from(LACKING), JSON, max_size=4),
    context=st.dictionaries(st.sampled_from(CONTEXTS), JSON, max_size=3),
)
def test_several_members_of_anything(send: Any, event: Any, members: Any, context: Any) -> None:
    """Also those that the source does not send."""
    send(event | {"requestContext": (event.get("requestContext") or {}) | context} | members)


@tried
@given(JSON)
def test_what_is_no_event(send: Any, event: Any) -> None:
    """But batches, which it does not lose: see `test_other_events`."""
    if not (isinstance(event, dict) and any(event.get(name) for name in BATCH_MEMBERS)):
        send(event)


# --- well-formed events of strange requests -------------------------------------------------------------

FORM = st.sampled_from(list(FORMS.values()))
LETTERS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@tried
@given(
    form=FORM,
    method=st.sampled_from(["POST", "PATCH", "PUT"]),
    body=st.dictionaries(st.sampled_from(NAMES) | TEXT, JSON, max_size=4),
)
@example(form=FORMS["rest"], method="POST", body={"id": "a", "size": 10**40})
@example(form=FORMS["rest"], method="PATCH", body={"at": "0001-01-01T00:00:00+14:00"})
def test_any_body(send: Any, form: Any, method: str, body: Any) -> None:
    path = "/todo" if method == "POST" else "/todo/n1"
    text = json.dumps(body)
    send(
        make_event(method, path, user=ALICE, headers={"content-type": "application/json"}, body=text, **form)
    )


@tried
@given(
    form=FORM,
    body=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
    encoded=st.booleans(),
    media=st.sampled_from(["application/json", "application/merge-patch+json", "text/plain"]) | LETTERS,
)
def test_any_bytes(send: Any, form: Any, body: bytes, encoded: bool, media: str) -> None:
    """As a body, in base64 or as what API Gateway makes of them as text."""
    event = make_event("POST", "/todo/echo", user=ALICE, headers={"content-type": media}, body="{}", **form)
    text = base64.b64encode(body).decode() if encoded else body.decode(errors="replace")
    send(event | {"body": text, "isBase64Encoded": encoded})


@tried
@given(
    form=FORM,
    headers=st.dictionaries(st.sampled_from(list(HEADERS)) | LETTERS, TEXT | LETTERS, max_size=4),
    method=st.sampled_from(["GET", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
)
def test_any_headers(send: Any, form: Any, headers: Any, method: str) -> None:
    event = make_event(
        method, "/todo/n1", user=ALICE, **({"body": "{}"} if method == "PATCH" else {}), **form
    )
    for member in {"headers", "multiValueHeaders"} & event.keys():
        many = member == "multiValueHeaders"
        event[member] = {name: [value, value] if many else value for name, value in headers.items()}
    send(event)


@tried
@given(
    form=FORM,
    query=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "limit",
                    "sort",
                    "fields",
                    "pagination_key",
                    *NAMES,
                    "size__lt",
                    "id__between",
                    "id__in",
                    "at__gte",
                ]
            )
            | TEXT,
            TEXT | LETTERS,
        ),
        max_size=4,
    ),
    raw=st.none() | st.text(max_size=20),
)
def test_any_query(send: Any, form: Any, query: Any, raw: Any) -> None:
    clean = [
        (name.encode("utf-8", "replace").decode(), text.encode("utf-8", "replace").decode())
        for name, text in query
    ]
    event = make_event("GET", "/todo", user=ALICE, query=clean, **form)
    send(event | ({} if raw is None or "rawQueryString" not in event else {"rawQueryString": raw}))


@tried
@given(
    form=FORM,
    path=st.text(max_size=16)
    | st.lists(
        st.sampled_from(
            [
                "%",
                "2f",
                "%2F",
                "%00",
                "%25",
                "..",
                ".",
                "/",
                "//",
                "todo",
                "é",
                "%c3",
                "%C3%A9",
                "\ud800",
                "+",
                ";",
                "#",
                "?",
            ]
        ),
        max_size=8,
    ).map("".join),
    method=st.sampled_from(["GET", "DELETE", "PUT", "OPTIONS"]),
)
def test_any_path(send: Any, form: Any, path: str, method: str) -> None:
    event = make_event(method, "/todo/n1", user=ALICE, **form)
    for member in {"path", "rawPath"} & event.keys():
        event[member] = f"/todo/{path}"
    send(event)


@tried
@given(
    form=FORM,
    authorizer=JSON
    | st.dictionaries(
        st.sampled_from(
            [
                "claims",
                "jwt",
                "lambda",
                "iam",
                "scopes",
                "uuid",
                "sub",
                "principalId",
                "permissions",
                "groups",
            ]
        ),
        JSON | st.dictionaries(st.sampled_from(["claims", "sub", "uuid"]), JSON, max_size=2),
        max_size=3,
    ),
)
def test_any_authorizer(send: Any, form: Any, authorizer: Any) -> None:
    event = make_event("GET", "/todo/n1", **form)
    send(event | {"requestContext": {**(event.get("requestContext") or {}), "authorizer": authorizer}})


# --- cursors --------------------------------------------------------------------------------------------

cursors = Cursors(["secret", "older"])
KEY = {"o": {"S": "alice"}, "u": {"B": b"\x00"}}
SEALED = cursors.seal(KEY, ("alice", "/todo"))


@settings(max_examples=EXAMPLES * 5, deadline=None, database=None)
@given(
    st.text()
    | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode())
    | st.builds(
        lambda at, put, cut: SEALED[:at] + put + SEALED[at + cut :],
        st.integers(0, len(SEALED)),
        st.text(max_size=3),
        st.integers(0, 5),
    )
)
def test_any_cursor(text: str) -> None:
    """Is refused, or gives what was sealed: base64 passes over letters that are none of its own."""
    with suppress(BadRequest):
        assert cursors.open(text, ("alice", "/todo"), 10**6) == KEY
    assert cursors.open(SEALED, ("alice", "/todo"), 10**6) == KEY


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(
    JSON.filter(
        lambda value: (
            json.dumps(value).find("\\ud8") < 0
            and "Infinity" not in json.dumps(value)
            and "NaN" not in json.dumps(value)
        )
    ),
    st.lists(TEXT.filter(lambda text: text != "\ud800"), max_size=3),
)
def test_any_key_comes_back_to_its_own_scope(key: Any, scope: list[str]) -> None:
    cursor = cursors.seal(key, scope)
    assert cursors.open(cursor, scope, 60) == key
    with pytest.raises(BadRequest):
        cursors.open(cursor, [*scope, ""], 60)
