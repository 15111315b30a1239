"""What the move into wings must leave as it is: documents, templates, answers, and calls of DynamoDB.

They stand in ``tests/unchanged`` and are compared byte for byte. ``RECORD=1`` writes them anew: a change of one is a
change of behaviour. Of the package nothing is imported but what is public, so that its files can be moved about. All
that a clock or chance decides is frozen in the standard library, or in the apps' own modules, while a session runs.

A session is a list of requests to both example apps (the tracker over many tables and over one) and to a third app,
below, which turns on what these do without. It is the same with the compiled path and without (``--compiled off``).
"""

import base64
import copy
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import tracker.app
import tracker.models
import tracker.single
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.session import get_session
from marshmallow import Schema, fields, validate
from moto import mock_aws
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

import handlers.todo
from polymicro_lambda import (
    CORS,
    HSTS,
    AllowAny,
    Create,
    Delete,
    HasPermission,
    Idempotency,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    RateLimit,
    ReadOnly,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.exceptions import Conflict, Unprocessable
from polymicro_lambda.testing import Client, FakeClock, FakeContext, strict

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "unchanged"
RECORDING = os.environ.get("RECORD") == "1"
PROJECTS = {"todo": ROOT, "tracker": ROOT / "examples" / "tracker"}
FORMS: dict[str, dict[str, Any]] = {
    "rest": {"source": "rest"},
    "rest under a stage": {"source": "rest", "stage": "prod"},
    "http 1.0": {"source": "http", "payload": "1.0"},
    "http 2.0": {"source": "http"},
    "url": {"source": "url"},
    "alb multi": {"source": "alb"},
    "alb single": {"source": "alb", "multi_value": False},
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "unchanged",
    "AWS_SECRET_ACCESS_KEY": "unchanged",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POLYMICRO_CURSOR_SECRET": "what signs the cursors of this session",
}
SHOWN = 200
"""Characters of a text that a failure shows, from shortly before the first that differs."""
LEAST = 200
"""Requests that a session has."""


# --- documents and templates -----------------------------------------------------------------------------


@pytest.mark.parametrize("app", PROJECTS)
def test_the_openapi_document_is_as_it_was(app: str) -> None:
    same(f"{app}.openapi.json", polymicro(app, "openapi"))


@pytest.mark.parametrize("app", PROJECTS)
def test_the_template_is_as_it_was(app: str, tmp_path: Path) -> None:
    out = tmp_path / "template.yaml"
    polymicro(app, "template", "--out", str(out))
    same(f"{app}.template.yaml", out.read_text(encoding="utf-8"))


def polymicro(app: str, *arguments: str) -> str:
    """What the command prints in a project, run by what ``pyproject.toml`` says that it is."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, function = scripts["polymicro"].split(":")
    command = [sys.executable, "-c", f"from {module} import {function} as main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=PROJECTS[app], env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- comparing -------------------------------------------------------------------------------------------


def same(name: str, text: str) -> None:
    """The text is that of the golden file, or becomes it; fails with the first difference in words."""
    file = GOLDEN / name
    if RECORDING:
        file.write_bytes(text.encode())
        return
    known = file.read_bytes().decode()
    if known != text:
        pytest.fail(f"{file.relative_to(ROOT)}: {difference(known, text)}", pytrace=False)


def difference(known: str, text: str) -> str:
    """The first line in which two texts differ."""
    pairs = zip_longest(known.splitlines(), text.splitlines())
    for number, (before, now) in enumerate(pairs, 1):
        if before != now:
            return f"line {number} was {shown(before)} and is {shown(now)}"
    return "they differ in how lines end"


def shown(line: str | None) -> str:
    return "not there" if line is None else repr(line)


def different(known: Any, now: Any, place: str = "") -> str:
    """The first place at which two JSON values differ, empty where there is none."""
    if isinstance(known, dict) and isinstance(now, dict):
        if list(known) != list(now):
            return f"{place} had the members {list(known)} and has {list(now)}"
        found = (different(known[name], now[name], f"{place}.{name}") for name in known)
        return next(filter(None, found), "")
    if isinstance(known, list) and isinstance(now, list):
        found = (
            different(*pair, f"{place}[{number}]") for number, pair in enumerate(zip_longest(known, now))
        )
        return next(filter(None, found), "")
    if (type(known), known) == (type(now), now):
        return ""
    start = 0
    if isinstance(known, str) and isinstance(now, str):
        pairs = enumerate(zip_longest(known, now))
        start = max(0, next(number for number, (before, after) in pairs if before != after) - 40)
        known, now = (text[start : start + SHOWN] for text in (known, now))
    return f"{place} was {known!r} and is {now!r}" + f", from character {start} on" * bool(start)


def the_same_session(entries: list[dict[str, Any]]) -> None:
    """As `same`, with the request in which the first difference is."""
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    file = GOLDEN / "session.json"
    if not RECORDING and file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))
        for number, (before, now) in enumerate(zip_longest(known, json.loads(text)), 1):
            if found := different(before, now):
                asked = (before or now)["ask"]
                pytest.fail(f"Request {number}, {asked!r}: its entry{found}", pytrace=False)
    same(file.name, text)


# --- what a clock or chance decides ----------------------------------------------------------------------


@dataclass
class Still:
    """A clock that stands still while a request is served, and what is random elsewhere, the same in each session.

    Each kind is counted by itself: the compiled path makes fewer defaults, and must not change what a cursor holds.
    """

    now: float = 1_790_000_000.25
    request: int = 0
    drawn: Counter[str] = field(default_factory=Counter)

    def next(self) -> None:
        """Go on to the next request."""
        self.request, self.now = self.request + 1, self.now + 1.5
        self.drawn.clear()

    def draw(self, kind: str, size: int) -> bytes:
        self.drawn[kind] += 1
        return hashlib.shake_256(f"{self.request} {kind} {self.drawn[kind]}".encode()).digest(size)

    def time(self) -> float:
        return self.now

    def time_ns(self) -> int:
        """Each is later than the one before, as it is where ids are made of it."""
        self.drawn["time"] += 1
        return int(self.now * 1000) * 1_000_000 + self.drawn["time"] * 1000

    def datetime(self, zone: Any = None) -> datetime:
        return datetime.fromtimestamp(self.now, zone)

    def bytes(self, size: int | None = None) -> bytes:
        return self.draw("bytes", size or 32)

    def hex(self, size: int | None = None) -> str:
        return self.draw("hex", size or 32).hex()

    def urlsafe(self, size: int | None = None) -> str:
        return base64.urlsafe_b64encode(self.draw("urlsafe", size or 32)).rstrip(b"=").decode()

    def below(self, limit: int) -> int:
        return int.from_bytes(self.draw("below", 8)) % limit

    def uuid(self) -> UUID:
        return UUID(bytes=self.draw("uuid", 16), version=4)


STILL = Still()
"""That of the session that runs; the third app's defaults ask it too."""


def freeze(patch: pytest.MonkeyPatch) -> None:
    """Let the standard library, and what the example apps have taken of it, ask ``STILL``."""
    vars(STILL).update(vars(Still()))
    patch.setattr("time.time", STILL.time)
    patch.setattr("time.time_ns", STILL.time_ns)
    patch.setattr("time.sleep", lambda _: None)
    patch.setattr("secrets.token_bytes", STILL.bytes)
    patch.setattr("secrets.token_hex", STILL.hex)
    patch.setattr("secrets.token_urlsafe", STILL.urlsafe)
    patch.setattr("secrets.randbelow", STILL.below)
    for module in (handlers.todo, tracker.models):
        patch.setattr(module, "uuid4", STILL.uuid)
        patch.setattr(module, "datetime", SimpleNamespace(now=STILL.datetime))
    patch.setattr(tracker.models, "token_hex", STILL.hex)


def forget_connections() -> None:
    """Each PynamoDB model keeps a client, of the engine that was there at its first call."""
    models: list[Any] = [Model]
    for model in models:
        model._connection = None
        models += model.__subclasses__()


# --- recording -------------------------------------------------------------------------------------------


@dataclass
class Session:
    """The requests of a session, and what each led to."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """How each of the next calls fails, by ``REFUSALS``, or ``lost`` when all is done; empty for not at all."""

    def asker(self, name: str, app: Any, **options: Any) -> "Asker":
        return Asker(self, name, Client(app, **options))

    def note(self, client: Any, operation: str, parameters: Any, real: Callable[..., Any]) -> Any:
        """Make a call of DynamoDB, and note it as botocore's client gets it."""
        said = without_chance(operation, plain(copy.deepcopy(parameters)))
        self.calls.append({"operation": operation, "parameters": said})
        fault = self.faults.pop(0) if self.faults else ""
        if fault in REFUSALS:
            raise ClientError({"Error": {"Code": REFUSALS[fault], "Message": "No."}}, operation)
        answer = real(client, operation, parameters)
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com/")
        if "LastEvaluatedKey" in answer:  # strict mode makes some of a set
            answer["LastEvaluatedKey"] = dict(sorted(answer["LastEvaluatedKey"].items()))
        return answer


@dataclass
class Asker:
    """Asks one app, by a client of its own."""

    session: Session
    name: str
    client: Client

    def __call__(self, line: str, *, faults: tuple[str, ...] = (), **options: Any) -> Any:
        """Send a request such as ``GET /todo``, and note the answer as the event's source gets it."""
        STILL.next()
        self.session.calls, self.session.faults = [], list(faults)
        method, _, path = line.partition(" ")
        context = FakeContext(clock=FakeClock())
        result = self.client.request(method, path, context=context, **options)
        said = {**options, **({"faults": faults} if faults else {})}
        entry = {"ask": f"{self.name}: {line}", "with": plain(said), "answer": answer_of(result.response)}
        self.session.entries.append({**entry, "calls": self.session.calls})
        self.session.calls = []  # what is called between two requests is none of theirs
        return result

    def walk(self, line: str, **options: Any) -> list[Any]:
        """All pages of a list, by the ``Link`` of each to the next."""
        pages = [self(line, **options)]
        path = line.partition("?")[0]
        while link := re.search(r'<([^>]*)>; rel="next"', pages[-1].headers.get("link", "")):
            pages.append(self(path, **{**options, "query": urlsplit(link[1]).query}))
        return pages

    def everywhere(self, line: str, **options: Any) -> None:
        """The same request by each source of events."""
        for form in FORMS.values():
            self(line, **options, **form)


REFUSALS = {
    "throttled": "ProvisionedThroughputExceededException",
    "full": "ItemCollectionSizeLimitExceededException",
    "missing": "ResourceNotFoundException",
}
"""How a call fails before anything is done -> DynamoDB's code for that."""


def without_chance(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """PynamoDB's own ``batch_get``, which the tracker calls, makes a set of the keys: they come in any order."""
    if operation == "BatchGetItem":
        for table, asked in parameters["RequestItems"].items():
            if table.startswith("tracker"):
                asked["Keys"].sort(key=json.dumps)
    return parameters


def answer_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer, its headers in their order, its body as it is."""
    return {name: plain(value, ordered=True) for name, value in response.items()}


def plain(value: Any, *, ordered: bool = False) -> Any:
    """A value as JSON can say it: bytes as base64, sets sorted; what has no order is sorted unless it is kept."""
    if isinstance(value, User):
        return {**plain(vars_of(value)), "uuid": value.uuid}
    if isinstance(value, Mapping):
        pairs = value.items() if ordered else sorted(value.items())
        return {name: elements(name, plain(one, ordered=ordered)) for name, one in pairs}
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    return [plain(one, ordered=ordered) for one in value] if isinstance(value, list | tuple) else value


def elements(name: str, value: Any) -> Any:
    """The elements of a set of DynamoDB's, which come in any order."""
    return sorted(value, key=str) if name in ("SS", "NS", "BS") and isinstance(value, list) else value


def vars_of(user: User) -> dict[str, Any]:
    return {"permissions": user.permissions, "groups": user.groups, "claims": dict(user.claims)}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session over an empty DynamoDB in memory, which is as strict as the real one."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    freeze(monkeypatch)
    with mock_aws(), strict(), recorded() as session:
        forget_connections()
        yield session
    forget_connections()


@contextmanager
def recorded() -> Iterator[Session]:
    """A session that notes the calls of all clients."""
    session, real = Session(), BaseClient._make_api_call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", lambda *said: session.note(*said, real))
        yield session


def create_tables(*models: Any) -> None:
    """A table for each name among these models."""
    for model in {each.Meta.table_name: each for each in reversed(models)}.values():
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def create_single_table() -> None:
    """The one table of ``tracker.single``, with the indexes of all of its models."""
    keys = dict.fromkeys(("pk", "sk", "status", "due", "assignee"), "S")
    client = get_session().create_client("dynamodb")
    client.create_table(
        TableName="tracker",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
        KeySchema=key_schema("pk", "sk"),
        LocalSecondaryIndexes=[index("by_status", "pk", "status"), index("by_due", "pk", "due")],
        GlobalSecondaryIndexes=[index("inverted", "sk", "pk"), index("by_assignee", "assignee", "due")],
    )
    client.close()


def key_schema(partition: str, place: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": place, "KeyType": "RANGE"},
    ]


def index(name: str, *key: str) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": key_schema(*key), "Projection": {"ProjectionType": "ALL"}}


# --- the third app ---------------------------------------------------------------------------------------


class ByDue(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_due"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    due = UTCDateTimeAttribute(range_key=True)


class ByState(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_state"
        projection = KeysOnlyProjection()

    state = UnicodeAttribute(hash_key=True)
    pages = NumberAttribute(range_key=True)


class Place(MapAttribute[Any, Any]):
    city = UnicodeAttribute()
    number = NumberAttribute(null=True)


class Paper(Model):
    """A paper, with an attribute of nearly each kind."""

    class Meta:
        table_name = "unchanged-papers"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, default=lambda: str(STILL.uuid()))
    title = UnicodeAttribute(attr_name="t")
    slug = UnicodeAttribute(null=True)
    series = UnicodeAttribute(null=True)
    volume = NumberAttribute(null=True)
    state = UnicodeAttribute(default="draft")
    pages = NumberAttribute(default=1)
    fee = NumberAttribute(null=True)
    pin = UnicodeAttribute(null=True)
    public = BooleanAttribute(default=False)
    due = UTCDateTimeAttribute(null=True)
    made = UTCDateTimeAttribute(default=lambda: STILL.datetime(UTC))
    expires = TTLAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    lots = NumberSetAttribute(null=True)
    raw = BinaryAttribute(null=True, legacy_encoding=False)
    extra = JSONAttribute(null=True)
    place = Place(null=True)
    marks = ListAttribute(null=True, of=NumberAttribute)
    version = VersionAttribute()
    by_due = ByDue()
    by_state = ByState()


class Stamp(Schema):
    """The body of an action."""

    text = fields.String(required=True, validate=validate.Length(1, 20))
    times = fields.Integer(load_default=1, strict=True)


class Papers(ModelResource, Create, List, Retrieve, Update, Delete):
    """Each owner's own: lists, values that nobody else has, keys for repetitions, many at once."""

    model = Paper
    route = "papers"
    permissions = OwnedBy("owner")
    dump_only = ("made",)
    load_only = ("pin",)
    exclude = ("series", "volume")
    field_permissions: ClassVar = {
        "fee": {"read": InGroup("hr") | HasPermission("boss"), "write": InGroup("hr")}
    }
    filters: ClassVar = {
        "id": ("eq", "in", "begins_with"),
        "title": ("eq", "begins_with", "contains"),
        "state": ("eq", "ne", "in"),
        "pages": ("eq", "lt", "lte", "gt", "gte", "between"),
        "public": ("eq",),
        "due": ("lt", "gte", "between", "exists"),
        "tags": ("contains", "exists"),
    }
    unique = ("slug",)
    max_bulk = 10
    max_limit = 20
    read_budget = 3
    idempotent = ("create", "update", "stamp")

    @action(schema=Stamp)
    def stamp(self, instance: Any, req: Any, user: Any) -> Any:
        return self.update(instance, {"title": f"{instance.title} {req['text'] * req['times']}"}, user)

    @action(detail=False, methods=("GET",), path="numbers")
    def count(self, user: Any) -> Any:
        return {"papers": self.model.count(user.uuid)}

    @action
    def drop(self, instance: Any, user: Any) -> None:
        self.delete(instance, user)

    @action(detail=False, status=202)
    def echo(self, req: Any, request: Any) -> Any:
        return {"req": req, "source": request.source, "query": request.query, "id": request.id}


class States(ModelResource, List):
    """All papers of a state, by how long they are."""

    model = Paper
    route = "states"
    permissions = IsAuthenticated
    filters: ClassVar = {"state": "eq", "pages": ("gte", "lt"), "public": "eq"}
    envelope = False


class Volumes(ModelResource, Create, List, Retrieve, Update, Delete):
    """Their owner's or an editor's, in the partition of the path."""

    model = Paper
    route = "owners/{owner}/volumes"
    permissions = OwnedBy("owner") | HasPermission("editor")
    unique = ("slug",)
    filters: ClassVar = {"series": "eq"}
    dump_only = ("made", "expires")

    def represent(self, data: Any, instance: Any, request: Any) -> Any:
        return {**data, "url": self.url_for(instance, request)}

    def fields_for(self, user: Any, method: Any) -> Any:
        known = ("owner", "id", "title", "slug", "series", "volume", "version")
        return None if "editor" in user.permissions else (known, known[:-1])


class Letter(Model):
    class Meta:
        table_name = "unchanged-letters"

    box = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    sender = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    closed = BooleanAttribute(null=True)


class NotTooLong(Permission):
    """What only Python can decide."""

    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return len(instance.text or "") <= 20


class Open(Permission):
    """A condition of the write itself."""

    def where(self, user: Any, method: Any, model: Any) -> Any:
        return True if method.safe else model.closed != True  # noqa: E712 - a condition


class LetterSchema(Schema):
    """A schema of its own."""

    box = fields.String(required=True, validate=validate.Length(1, 10))
    number = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1000))
    sender = fields.String(dump_only=True)
    text = fields.String(allow_none=True, validate=validate.Length(max=100))
    closed = fields.Boolean(allow_none=True)


class Letters(ModelResource, Create, List, Retrieve, Update, Delete):
    """Verbs of its own, under a rule that reads items; a scan; changes only of what was read."""

    model = Letter
    route = "letters"
    permissions = (IsAuthenticated, NotTooLong, Open)
    schema = LetterSchema
    scan = True
    filters: ClassVar = {"closed": "eq", "number": ("gte", "between"), "box": "eq"}
    require_if_match = True

    def create(self, req: Any, user: Any) -> Any:
        if req["box"] == "full":
            raise Conflict("The box is full.", headers={"Retry-After": "60"}, members={"box": "full"})
        if req["box"] == "odd":
            error = {"pointer": "#/box", "detail": "Odd."}
            raise Unprocessable("No such box.", errors=[error])
        if req["box"] == "bug":
            raise ZeroDivisionError("a bug of the app's")
        return super().create({**req, "sender": user.uuid}, user), 201, {"X-Box": req["box"]}

    def update(self, instance: Any, req: Any, user: Any) -> Any:
        if instance.number == 13:
            return {"detail": "Not this one."}, 409
        return super().update(instance, {**req, "text": (req.get("text") or "").strip() or None}, user)

    def retrieve(self, instance: Any, request: Any) -> Any:
        return instance, 200, {"X-Lang": request.query.get("lang", ("en",))[0]}


class Plain(ModelResource, List, Retrieve, Delete):
    """A list of its own; whatever reads is everybody's."""

    model = Letter
    route = "boxes/{box}/letters"
    permissions = ReadOnly(anonymous=True) | InGroup("hr")
    filters: ClassVar = {"closed": "eq"}

    def list(self, request: Any, pagination_key: Any = None, limit: int = 3) -> Any:
        box = request.path_params["box"]
        return Letter.query(box, last_evaluated_key=pagination_key, limit=limit, scan_index_forward=False)


class Scrap(Model):
    class Meta:
        table_name = "unchanged-scraps"

    kind = DiscriminatorAttribute()
    shelf = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Note(Scrap, discriminator="note"):
    text = UnicodeAttribute()


class Sketch(Scrap, discriminator="sketch"):
    lines = NumberAttribute(default=0)


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    """One kind of a table's items."""

    model = Note
    route = "shelves/{shelf}/notes"
    permissions = AllowAny
    rate_limit: ClassVar = {"delete": "2/minute", "list": None}


class Sketches(ModelResource, Create, List, Retrieve):
    """The other kind, of which a user gets few."""

    model = Sketch
    route = "shelves/{shelf}/sketches"
    permissions = AllowAny
    rate_limit = "4/minute"
    require_idempotency_key = True


class Word(Model):
    class Meta:
        table_name = "unchanged-words"

    id = UnicodeAttribute(hash_key=True)
    length = NumberAttribute(default=1)


class Words(ModelResource, Create, List, Retrieve):
    """A key of one attribute.

    A page that ends within one of DynamoDB's has a cursor whose members come as in a set: more than one of them, and
    cursor and tag are other ones in each process.
    """

    model = Word
    route = "words"
    filters: ClassVar = {"id": "in", "length": ("eq", "gte")}
    scan = True
    max_bulk = 20


IDEMPOTENCY = Idempotency(table="unchanged-idempotency", expires_after=600)
RATES = RateLimit("5000/hour", table="unchanged-rates", clock=lambda: time.time())
THIRD = PolyMicro(
    cors=CORS(origins=("https://app.example.com",), credentials=True, max_age=60),
    hsts=HSTS(include_subdomains=True),
    max_body=2000,
    docs=InGroup("hr"),
    idempotency=IDEMPOTENCY,
    rate_limit=RATES,
    title="Papers",
    version="3.1",
)
for _resource in (Papers, States, Volumes, Letters, Plain, Notes, Sketches, Words):
    _resource(THIRD)


# --- the session: todo -----------------------------------------------------------------------------------

ALICE = User("alice", frozenset({"therapist"}))
BOB = User("bob", frozenset({"administrator"}))
CAROL = User("carol")


def todo_verbs(ask: Asker) -> None:
    made = ask("POST /todo", json={"text": "milk", "due_date_time": "2030-01-02T03:04:05+01:00"})
    item, tag = f"/todo/alice/{made.json['uuid']}", {"If-Match": made.headers["etag"]}
    ask(f"GET {item}")
    ask(f"HEAD {item}")
    ask(f"GET {item}/")
    ask(f"OPTIONS {item}")
    ask("OPTIONS /todo")
    ask(f"GET {item}", headers={"If-None-Match": made.headers["etag"]})
    ask(f"GET {item}", headers={"If-None-Match": 'W/"other", *'})
    changed = ask(f"PATCH {item}", json={"done": True}, headers=tag)
    ask(f"PATCH {item}", json={"done": False}, headers=tag)
    ask(f"PATCH {item}", json={"text": "bread"}, headers={"If-Match": changed.headers["etag"]})
    ask(f"PATCH {item}", json={"due_date_time": None})
    ask(f"PATCH {item}", json={})
    merge = {"Content-Type": "application/merge-patch+json"}
    ask(f"PATCH {item}", body='{"done": true}', headers=merge)
    ask(f"PUT {item}", json={"text": "cheese é 😀"})
    ask(f"PUT {item}", body='{"text": "x"}', headers=merge)
    ask(f"GET {item}?fields=text,uuid")
    ask(f"DELETE {item}", headers=tag)
    ask(f"DELETE {item}", headers={"If-Match": "*"})
    ask(f"DELETE {item}")
    ask(f"PUT {item}", json={"text": "gone"})


def todo_errors(ask: Asker) -> None:
    item = f"/todo/alice/{ask('POST /todo', json={'text': 'wine'}).json['uuid']}"
    for user in (None, CAROL, BOB):
        ask(f"GET {item}", user=user)
        ask(f"PATCH {item}", user=user, json={"done": True})
        ask(f"DELETE {item}", user=user)
        ask("GET /todo", user=user)
    for line in ("GET /nothing", "GET /", "GET /todo/alice", "PUT /todo", f"POST {item}", "TRACE /todo"):
        ask(line)
    for accept in ("text/html", "application/*;q=0.1", "application/json;q=0", "*/*"):
        ask(f"GET {item}", headers={"Accept": accept})
    for query in ("limit=0", "limit=x", "limit=101", "sort=text", "text=x", "limit=1&limit=2", "fields=none"):
        ask(f"GET /todo?{query}")
    ask("GET /todo?pagination_key=made-up")
    ask(f"GET {item}?lang=de")
    ask(f"PATCH {item}", json={"done": True}, headers={"If-Match": "no tag"})


BODIES = (
    "",
    "{",
    "[]",
    "null",
    '{"text": "a", "text": "b"}',
    '{"text": 1}',
    '{"text": "a", "uuid": "mine"}',
    '{"text": "a", "owner": "bob"}',
    '{"text": "a", "nothing": 1, "done": "yes", "due_date_time": "soon"}',
    '{"text": null}',
    '{"text": "a", "due_date_time": "2030-01-02T03:04:05"}',
    '{"text": ""}',
    '{"text": "\\ud800"}',
    '{"text": "a", "done": NaN}',
)


def todo_bodies(ask: Asker) -> None:
    said = {"Content-Type": "application/json"}
    for body in BODIES:
        ask("POST /todo", body=body, headers=said)
    for kind in ("text/plain", "application/json; charset=latin-1", "application/json;charset=UTF-8", ""):
        ask("POST /todo", body='{"text": "typed"}', headers={"Content-Type": kind})
    ask("POST /todo", body=b'{"text": "\xff"}', headers=said)
    ask("POST /todo", json={"text": "ignored"}, headers={"Idempotency-Key": "ignored"})


def todo_pages(ask: Asker) -> None:
    for number in range(7):
        ask("POST /todo", user=BOB, json={"text": f"number {number}"})
    pages = ask.walk("GET /todo?limit=3", user=BOB)
    ask.walk("GET /todo?limit=4&fields=text", user=BOB)
    key = pages[0].json["pagination_key"]
    ask("GET /todo", user=ALICE, query={"pagination_key": key})
    ask("GET /todo", user=BOB, query={"pagination_key": key[:-1] + "A"})
    ask("GET /todo?limit=2", user=BOB, headers={"If-None-Match": pages[0].headers.get("etag", "*")})
    ask("GET /todo?limit=3", user=BOB, headers={"If-None-Match": pages[0].headers.get("etag", "*")})
    ask("HEAD /todo?limit=3", user=BOB)
    STILL.now += 90_000
    ask("GET /todo", user=BOB, query={"pagination_key": key})


def todo_sources(ask: Asker) -> None:
    item = f"/todo/alice/{ask('POST /todo', json={'text': 'everywhere'}).json['uuid']}"
    ask.everywhere("POST /todo", json={"text": "made"}, headers={"X-One": "1"})
    ask.everywhere(f"GET {item}")
    ask.everywhere("GET /todo?limit=2")
    ask.everywhere(f"PATCH {item}", json={"done": True})
    ask.everywhere("GET /todo/alice/a%2Fb%20c%C3%A9")
    ask.everywhere(f"DELETE {item}", user=None)
    ask.everywhere("POST /todo", body=b"\xff\xfe", headers={"Content-Type": "application/json"})


def todo_faults(ask: Asker) -> None:
    item = f"/todo/alice/{ask('POST /todo', json={'text': 'faults'}).json['uuid']}"
    for fault in ("throttled", "lost", "full", "missing"):
        ask(f"GET {item}", faults=(fault,))
        ask("GET /todo?limit=1", faults=(fault,))
        ask("POST /todo", json={"text": fault}, faults=(fault,))
        ask(f"PATCH {item}", json={"text": fault}, faults=("", fault))
        ask(f"DELETE {item}", faults=("", fault))


# --- the session: the tracker, over many tables or one ---------------------------------------------------


def member(name: str, tenant: str) -> User:
    return User(name, claims={"tenant": tenant})


ANN, MAX, VIC, CAT, EVE = (
    member("ann", "acme"),
    member("max", "acme"),
    member("vic", "acme"),
    member("cat", "acme"),
    member("eve", "evil"),
)
"""An admin, a member and a viewer of the project, a colleague, and somebody of another tenant."""


def tracker_session(ask: Asker) -> None:
    project = f"/projects/{tracker_projects(ask)}"
    tracker_members(ask, project)
    tracker_tasks(ask, project)
    tracker_lists(ask, project)
    tracker_comments(ask, project)
    tracker_invitations(ask, project)
    ask.everywhere(f"GET {project}", user=MAX)


def tracker_projects(ask: Asker) -> str:
    ask("GET /tenant")
    ask("GET /tenant", user=None)
    ask("GET /tenant", user=User("nameless"))
    made = ask("POST /projects", json={"name": "Moon", "budget": 12.5})
    url = f"/projects/{made.json['project']}"
    for number in range(4):
        ask("POST /projects", json={"name": f"Mars {number}"})
    ask("POST /projects", json={"name": "Moon", "tenant": "evil"})
    ask("POST /projects", json={"budget": "much"})
    ask.walk("GET /projects?limit=2")
    ask("GET /projects?sort=name")
    for user in (ANN, CAT, EVE, None):
        ask(f"GET {url}", user=user)
    first = made.headers["etag"]
    ask(f"PATCH {url}", json={"budget": 3}, headers={"If-Match": first})
    ask(f"PATCH {url}", json={"budget": 4}, headers={"If-Match": first})
    ask(f"PATCH {url}", json={"name": "Lune"}, user=CAT)
    ask(f"PUT {url}", json={"name": "Luna"})
    ask(f"GET {url}", headers={"If-None-Match": '"3"'})
    ask(f"POST {url}/archive")
    ask(f"POST {url}/archive", user=VIC)
    ask(f"GET {url}/archive")
    ask(f"DELETE {url}")
    return str(made.json["project"])


def tracker_members(ask: Asker, project: str) -> None:
    members = f"{project}/members"
    ask(f"POST {members}", json={"user": "max", "role": "member"})
    ask(f"POST {members}", json={"user": "vic", "role": "viewer"})
    ask(f"POST {members}", json={"user": "vic", "role": "viewer"})
    ask(f"POST {members}", json={"user": "cat", "role": "king"})
    ask(f"POST {members}", json={"user": "cat", "role": "viewer"}, user=MAX)
    ask(f"GET {members}", user=VIC)
    ask(f"GET {members}", user=CAT)
    ask(f"GET {members}/max", user=VIC)
    ask(f"PATCH {members}/vic", json={"role": "member"})
    ask(f"PATCH {members}/vic", json={"role": "viewer", "user": "max"})
    ask(f"PUT {members}/vic", json={"role": "viewer"})
    ask(f"PATCH {members}/ann", json={"role": "viewer"})
    ask(f"DELETE {members}/ann")
    ask(f"DELETE {members}/nobody")


def tracker_tasks(ask: Asker, project: str) -> None:
    tasks = f"{project}/tasks"
    body = {"title": "Land", "estimate": 3, "labels": ["b", "a", "c"], "due": "2030-01-01T00:00:00Z"}
    made = ask(f"POST {tasks}", user=MAX, json=body)
    task = f"{tasks}/{made.json['task']}"
    ask(f"POST {tasks}", user=VIC, json=body)
    ask(f"POST {tasks}", user=MAX, json={"title": "Land", "status": "open"})
    ask(f"GET {task}", user=VIC)
    ask(f"GET {task}", user=MAX)
    ask(f"PATCH {task}", user=MAX, json={"labels": ["z"], "estimate": None})
    ask(f"PATCH {task}", user=MAX, json={"labels": []}, headers={"If-Match": '"1", "2"'})
    ask(f"PUT {task}", user=MAX, json={"title": "Land softly"})
    ask(f"POST {task}/assign", user=MAX, json={"assignee": "vic"})
    ask(f"POST {task}/assign", user=MAX, json={"assignee": "cat"})
    ask(f"POST {task}/assign", user=MAX, json={})
    ask(f"POST {task}/assign", user=MAX, body="{", headers={"Content-Type": "application/json"})
    ask(f"POST {task}/assign", user=VIC, json={"assignee": None})
    ask(f"POST {task}/close", user=MAX)
    ask(f"POST {task}/close", user=MAX)
    ask(f"GET {tasks}/count", user=VIC)
    ask(f"POST {task}/reopen", user=MAX)
    ask(f"DELETE {task}", user=MAX)
    ask(f"DELETE {task}", faults=("", "lost"))
    ask(f"DELETE {task}")


def tracker_lists(ask: Asker, project: str) -> None:
    tasks = f"{project}/tasks"
    for number in range(9):
        due = f"2030-01-{number + 1:02}T00:00:00Z"
        made = ask(
            f"POST {tasks}", json={"title": f"Task {number}", "due": due, "labels": [f"l{number % 2}"]}
        )
        task = f"{tasks}/{made.json['task']}"
        if number % 3 == 0:
            ask(f"POST {task}/assign", json={"assignee": "vic"})
        if number % 4 == 0:
            ask(f"POST {task}/close")
    for query in TASKS:
        ask.walk(f"GET {tasks}?{query}", user=VIC)
    for query in ("", "?status=open", "?due__gte=2030-01-04T00:00:00Z&limit=1", "?sort=-due", "?sort=title"):
        ask.walk(f"GET /me/tasks{query}", user=VIC)
    ask(f"GET {tasks}?status=open", user=EVE)


TASKS = (
    "limit=4",
    "sort=due&limit=5",
    "sort=-due&fields=title,due",
    "status=open&limit=3",
    "status=closed&labels__contains=l0",
    "assignee=vic",
    "due__lt=2030-01-04T00:00:00Z",
    "due__gte=2030-01-03T00:00:00Z&due__lt=2030-01-06T00:00:00Z",
    "due__between=2030-01-02T00:00:00Z,2030-01-03T00:00:00Z",
    "due__between=2030-01-02T00:00:00Z",
    "due__gt=2030-01-02T00:00:00Z",
    "due__lt=soon",
    "sort=estimate",
    "title=x",
    "fields=title&sort=status",
)


def tracker_comments(ask: Asker, project: str) -> None:
    task = ask(f"POST {project}/tasks", json={"title": "Talk"}).json["task"]
    comments = f"{project}/tasks/{task}/comments"
    made = ask(f"POST {comments}", user=MAX, json={"text": "How?"})
    url = f"{comments}/{made.json['comment']}"
    ask(f"POST {project}/tasks/none/comments", user=MAX, json={"text": "How?"})
    ask(f"POST {comments}", user=VIC, json={"text": "How?"})
    ask(f"PATCH {url}", user=MAX, json={"text": "Why?"})
    ask(f"PATCH {url}", user=VIC, json={"text": "No."})
    ask(f"PATCH {url}", json={"text": "Because."})
    ask(f"GET {comments}", user=VIC)
    ask(f"GET {url}", user=EVE)
    ask(f"DELETE {url}", user=MAX)


def tracker_invitations(ask: Asker, project: str) -> None:
    invitations = f"{project}/invitations"
    ask(f"POST {invitations}", json={"user": "cat", "role": "viewer"})
    ask(f"POST {invitations}", user=MAX, json={"user": "cat", "role": "viewer"})
    ask(f"POST {invitations}", json={"user": "eve", "role": "viewer"})
    ask(f"GET {invitations}")
    ask("GET /invitations", user=CAT)
    ask("GET /invitations", user=EVE)
    name = project.rpartition("/")[2]
    ask(f"GET /invitations/{name}", user=CAT)
    ask(f"POST /invitations/{name}/accept", user=CAT)
    ask(f"POST /invitations/{name}/accept", user=CAT)
    ask(f"GET {project}", user=CAT)
    STILL.now += 8 * 86_400
    ask(f"GET {invitations}/eve")
    ask(f"GET {invitations}")
    ask(f"DELETE {invitations}/eve")


# --- the session: the third app --------------------------------------------------------------------------

HR = User("helen", frozenset({"boss"}), frozenset({"hr"}))
ED = User("ed", frozenset({"editor"}))
WHOLE = {
    "id": "whole",
    "title": "All of it",
    "slug": "all",
    "pages": 12.5,
    "pin": "0000",
    "public": True,
    "due": "2031-05-06T07:08:09.123456+02:00",
    "expires": "2040-01-01T00:00:00Z",
    "tags": ["y", "x", "z"],
    "lots": [3, 1, 2.5],
    "raw": "AP+A",
    "extra": {"deep": [1, None, {"a": "b"}]},
    "place": {"city": "Ulm", "number": 1},
    "marks": [1, 2, 3],
}


def papers_verbs(ask: Asker) -> None:
    made = ask("POST /papers", json=WHOLE)
    ask("POST /papers", json={**WHOLE, "slug": "other"})
    ask("POST /papers", json={**WHOLE, "id": "second"})
    ask("POST /papers", json={"title": "Short", "slug": "all"}, user=BOB)
    ask("POST /papers", json={"title": "Short"})
    ask("GET /papers/whole")
    ask("GET /papers/whole", user=BOB)
    ask("GET /papers/whole", headers={"If-None-Match": made.headers["etag"]})
    ask("PATCH /papers/whole", json={"slug": "new", "tags": ["q"], "place": {"city": "Bonn"}})
    ask("PATCH /papers/whole", json={"slug": "newer"}, headers={"If-Match": made.headers["etag"]})
    ask("PATCH /papers/whole", json={"lots": [], "extra": None, "raw": "_w"})
    ask("PATCH /papers/whole", json={"fee": 5})
    ask(
        "PATCH /papers/whole",
        json={"marks": ["a"], "place": {"town": "Ulm"}, "pages": 10**40, "tags": ["a", "a"]},
    )
    ask("PUT /papers/whole", json={"title": "Less of it", "slug": "new"})
    ask("POST /papers", user=HR, json={"title": "Paid", "id": "paid", "fee": 3})
    ask("PATCH /papers/paid", user=HR, json={"fee": 4})
    ask("GET /papers/paid", user=User("helen"))
    ask("POST /papers", json={"title": "Gone", "id": "gone", "expires": "2001-01-01T00:00:00Z"})
    ask("GET /papers/gone")
    ask("PATCH /papers/gone", json={"title": "Back"})
    ask("POST /papers", json={"title": "Again", "id": "gone"})
    ask("DELETE /papers/whole", headers={"If-Match": '"1"'})
    ask("DELETE /papers/whole")
    ask("POST /papers", json={"title": "Free again", "slug": "new"}, user=BOB)


def papers_actions(ask: Asker) -> None:
    ask("POST /papers", json={"id": "stamped", "title": "Stamped"})
    ask("POST /papers/stamped/stamp", json={"text": "ok", "times": 2})
    ask("POST /papers/stamped/stamp", json={"times": "2"})
    ask("POST /papers/stamped/stamp", json={"text": "ok"}, user=BOB)
    ask("POST /papers/stamped/stamp", headers={"If-Match": '"9"'}, json={"text": "ok"})
    ask("GET /papers/numbers")
    ask("HEAD /papers/numbers")
    ask("OPTIONS /papers/numbers")
    ask("POST /papers/echo?a=1&a=2&b=", json=[1, {"x": None}])
    ask("POST /papers/echo")
    ask("POST /papers/stamped/drop")
    ask("POST /papers/stamped/drop")
    ask.everywhere("POST /papers/echo?a=%20%2B&b=%C3%A9", json={"said": "é"})


def papers_repeated(ask: Asker) -> None:
    key = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
    for body, user in (("one", ALICE), ("one", ALICE), ("two", ALICE), ("one", BOB)):
        ask(
            "POST /papers",
            json={"id": "once", "title": body, "slug": f"once-{user.uuid}"},
            headers=key,
            user=user,
        )
    ask("PATCH /papers/once", json={"title": "1"}, headers=key)
    ask("PATCH /papers/once", json={"title": "1"}, headers=key)
    ask("POST /papers/once/stamp", json={"text": "!"}, headers=key)
    ask("POST /papers/once/stamp", json={"text": "!"}, headers=key)
    ask("POST /papers/once/drop", headers=key)
    ask("POST /papers", json={"title": 1}, headers={"Idempotency-Key": "bare"})
    ask("POST /papers", json={"title": "1", "id": "bare"}, headers={"Idempotency-Key": "bare"})
    ask("POST /papers", json={"title": "1", "id": "bare"}, headers={"Idempotency-Key": "bare"})
    ask("POST /papers", json={"title": "1"}, headers={"Idempotency-Key": "a, b"})
    ask(
        "POST /papers",
        json={"title": "1", "id": "lost"},
        headers={"Idempotency-Key": "l"},
        faults=("", "lost"),
    )
    ask("POST /papers", json={"title": "1", "id": "lost"}, headers={"Idempotency-Key": "l"})
    STILL.now += 700
    ask("POST /papers", json={"title": "1", "id": "later"}, headers={"Idempotency-Key": "bare"})
    ask("POST /letters", json={"box": "k", "number": 1}, headers={"Idempotency-Key": "letter"})
    ask("POST /letters", json={"box": "k", "number": 1}, headers={"Idempotency-Key": "letter"})


def papers_bulk(ask: Asker) -> None:
    lenient = {"Prefer": "handling=lenient"}
    ask("POST /papers", json=[{"id": "b1", "title": "1", "slug": "s1"}, {"id": "b2", "title": "2"}])
    ask("POST /papers", json=[{"id": "b3", "title": "3"}, {"id": "b4"}, {"id": "b5", "title": 5}])
    ask("POST /papers", json=[{"id": "b3", "title": "3"}, {"id": "b4", "title": "4", "slug": "s1"}])
    ask("POST /papers", json=[{"id": "b3", "title": "3"}, {"id": "b1", "title": "1"}])
    ask("POST /papers", json=[{"id": "b3", "title": "3"}, {"id": "b3", "title": "3"}])
    ask("POST /papers", json=[{"title": "3"}] * 11)
    ask("POST /papers", json=[])
    ask("POST /papers", json=[1, "2"])
    body = [{"id": "b6", "title": "6"}, {"id": "b1", "title": "1"}, {"title": 7}, {"id": "b7", "title": "7"}]
    ask("POST /papers", json=body, headers=lenient)
    ask("POST /papers", json=[{"id": "b8", "title": "8"}], headers={**lenient, "Idempotency-Key": "many"})
    ask("POST /papers", json=[{"id": "b8", "title": "8"}], headers={**lenient, "Idempotency-Key": "many"})
    ask("POST /papers", json=[{"id": "b9", "title": "9"}], headers={"Idempotency-Key": "whole"})
    ask("POST /papers", json=[{"id": "b9", "title": "9"}], headers={"Idempotency-Key": "whole"})
    ask("POST /letters", json=[{"box": "a", "number": 1}])


QUERIES = (
    "limit=5",
    "limit=3&sort=-id&fields=id",
    "sort=due&limit=4&fields=id,due",
    "sort=-due",
    "id=p03",
    "id__in=p05,p01,none,p03",
    "id__in=p05,p01,p02,p07&limit=3",
    "id__begins_with=p0&limit=6&fields=id,title",
    "title__begins_with=Paper%201",
    "title__contains=per%200&state=draft",
    "state__ne=draft",
    "state__in=draft,done",
    "state=done&sort=-pages",
    "pages__gte=3&pages__lt=6",
    "pages__between=2,4&public=true",
    "pages=0x10",
    "public=yes",
    "due__exists=false",
    "due__gte=2031-01-03T00:00:00Z&due__lt=2031-01-07T00:00:00%2B01:00",
    "due__between=2031-01-02T00:00:00Z,2031-01-05T00:00:00Z&sort=-due",
    "tags__contains=t1",
    "tags__exists=true&fields=id,tags",
    "tags__exists=maybe",
    "limit=21",
    "fee=1",
    "fields=id,fee",
    "fields=id&fields=title&limit=1",
)


def papers_lists(ask: Asker) -> None:
    many = User("mia")
    for number in range(12):
        body: dict[str, Any] = {"id": f"p{number:02}", "title": f"Paper {number}", "pages": number}
        body |= {"public": number % 2 == 0, "state": "done" if number % 3 == 0 else "draft"}
        body |= {"due": f"2031-01-{number + 1:02}T00:00:00Z"} if number % 4 else {}
        body |= {"tags": [f"t{number % 2}", "all"]} if number % 5 else {}
        ask("POST /papers", user=many, json=body)
    for query in QUERIES:
        ask.walk(f"GET /papers?{query}", user=many)
    for query in (
        "state=done&limit=2",
        "state=draft&pages__gte=4&sort=-pages",
        "public=true",
        "state=done&public=true",
    ):
        ask.walk(f"GET /states?{query}")
    page = ask("GET /papers?limit=2", user=many)
    ask("GET /papers?limit=2", user=many, headers={"If-None-Match": page.headers["etag"]})
    ask(
        "GET /papers?limit=3", user=many, query={"pagination_key": page.json["pagination_key"], "sort": "due"}
    )
    ask.everywhere("GET /papers?limit=1&id__in=p01,p02", user=many)


def volumes(ask: Asker) -> None:
    url = "/owners/alice/volumes"
    ask(f"POST {url}", json={"title": "One", "id": "v/1 é", "series": "s", "volume": 1})
    ask(f"POST {url}", json={"title": "Two", "id": "v2", "pages": 3})
    ask(f"POST {url}", json={"title": "Two", "id": "v2", "pages": 3}, user=ED)
    ask(f"POST {url}", json={"title": "Two", "id": "v3"}, user=BOB)
    ask(f"GET {url}/v%2F1%20%C3%A9")
    ask(f"GET {url}/v2", user=ED)
    ask(f"GET {url}/v2", user=BOB)
    ask.walk(f"GET {url}?limit=2", user=ED)
    ask(f"GET {url}?series=s")
    ask(f"GET {url}", user=BOB)
    ask(f"PATCH {url}/v2", json={"series": "s"}, user=ED)
    ask(f"PATCH {url}/v2", json={"pages": 4})
    ask(f"PUT {url}/v2", json={"title": "2"}, user=ED)
    ask(f"DELETE {url}/v2", user=BOB)
    ask(f"DELETE {url}/v2", user=ED)
    ask.everywhere(
        f"GET {url}/v%2F1%20%C3%A9", headers={"X-Forwarded-Proto": "http", "Host": "other.example"}
    )


def letters(ask: Asker) -> None:
    made = ask("POST /letters", json={"box": "a", "number": 1, "text": "hello"})
    tag = {"If-Match": made.headers["etag"]}
    for box in ("full", "odd", "bug", "much too long a name"):
        ask("POST /letters", json={"box": box, "number": 2})
    ask("POST /letters", json={"box": "a", "number": 1.5, "sender": "me"})
    ask("POST /letters", json={"box": "a", "number": 2, "text": "far too long for the rule of it"})
    ask("GET /letters/a/1?lang=de")
    ask("GET /letters/a/one")
    ask("PATCH /letters/a/1", json={"text": " hi "})
    ask("PATCH /letters/a/1", json={"text": " hi "}, headers={"If-Match": '"other"'})
    changed = ask("PATCH /letters/a/1", json={"text": " hi "}, headers=tag)
    ask("PATCH /letters/a/1", json={"text": "far too long for the rule of it"}, headers={"If-Match": "*"})
    ask("PATCH /letters/a/1", json={"closed": True}, headers={"If-Match": "*"})
    ask("PUT /letters/a/1", json={"text": "new"}, headers={"If-Match": changed.headers["etag"]})
    ask("DELETE /letters/a/1")
    ask("DELETE /letters/a/1", headers={"If-Match": "*"})
    ask("POST /letters", json={"box": "a", "number": 13})
    ask("PATCH /letters/a/13", json={"text": "x"}, headers={"If-Match": "*"})
    for number in range(20, 27):
        ask("POST /letters", json={"box": "a", "number": number})
    for number in (31, 32, 33):
        Letter("a", number, closed=True, text="by other hands").save()
    letters_lists(ask)


def letters_lists(ask: Asker) -> None:
    ask.walk("GET /letters?limit=4")
    ask.walk("GET /letters?closed=true&limit=2")
    ask.walk("GET /letters?box=a&number__between=20,23")
    ask("GET /letters?sort=number")
    ask("GET /letters?box=a&sort=-number&limit=2")
    ask.walk("GET /boxes/a/letters", user=None)
    ask.walk("GET /boxes/a/letters?closed=false&limit=2", user=BOB)
    ask("DELETE /boxes/a/letters/20", user=None)
    ask("DELETE /boxes/a/letters/20")
    ask("DELETE /boxes/a/letters/20", user=HR)
    ask("GET /boxes/a/letters/21", user=None)
    ask("GET /boxes/a/letters/99", user=None)


def scraps(ask: Asker) -> None:
    notes, sketches = "/shelves/top/notes", "/shelves/top/sketches"
    ask(f"POST {notes}", json={"id": "1", "text": "a"})
    ask(f"POST {notes}", json={"id": "2", "text": "b", "kind": "sketch"})
    ask(f"POST {sketches}", json={"id": "3"})
    for key in ("k1", "k1", "k2"):
        ask(f"POST {sketches}", json={"id": "3", "lines": 4}, headers={"Idempotency-Key": key})
    ask(f"GET {sketches}", user=None)
    for _ in range(5):
        ask(f"GET {sketches}")
    ask(f"GET {sketches}/3")
    ask.walk(f"GET {notes}?limit=1")
    ask(f"GET {notes}/3")
    ask(f"PATCH {notes}/3", json={"text": "c"})
    ask(f"PUT {notes}/1", json={"text": "c"})
    for _ in range(3):
        ask(f"DELETE {notes}/1", user=None, source_ip="2001:db8::1")
    ask(f"DELETE {notes}/1", user=None, source_ip="192.0.2.7")
    STILL.now += 3600
    ask(f"DELETE {notes}/1", user=None, source_ip="2001:db8::1")
    ask.everywhere(f"GET {notes}/3", user=None)


def words(ask: Asker) -> None:
    ask("POST /words", json=[{"id": f"w{number:02}", "length": number % 3} for number in range(14)])
    for query in (
        "limit=5",
        "length=1&limit=2",
        "length__gte=1&limit=4&fields=id",
        "id__in=w05,w02,w02&limit=1",
    ):
        pages = ask.walk(f"GET /words?{query}")
        ask(f"GET /words?{query}", headers={"If-None-Match": pages[0].headers["etag"]})
    ask("GET /words?sort=length")
    ask("GET /words", user=None)


def third_wire(ask: Asker) -> None:
    """Cross-origin requests, sizes, documentation, negotiation, faults."""
    ours, theirs = ({"Origin": f"https://{name}.example.com"} for name in ("app", "bad"))
    asks = {"Access-Control-Request-Method": "PATCH"}
    for headers in (ours, theirs, {}):
        ask("OPTIONS /papers/x", user=None, headers={**headers, **asks})
        ask("GET /papers?limit=1", headers=headers)
        ask("GET /papers", headers=headers, user=None)
    ask.everywhere("OPTIONS /papers", user=None, headers={**ours, **asks})
    ask("POST /papers", json={"title": "x" * 3000})
    ask("POST /papers", json=[{"title": "x" * 150}] * 20)
    ask("GET /openapi.json", user=HR)
    for user in (None, ALICE):
        ask("GET /openapi.json", user=user)
    ask("PUT /openapi.json", user=HR)
    ask("GET /papers?limit=1", headers={"Accept": "text/html"})
    ask("GET /papers?limit=1", headers={"Accept": "application/json;q=0.5, text/html"})
    for faults in (("throttled",), ("", "throttled"), ("", "lost"), ("", "lost", "throttled"), ("lost",)):
        ask("POST /papers", json={"title": "f", "id": f"f-{'-'.join(faults)}"}, faults=faults)
        ask("POST /papers", json=[{"title": "f"}], faults=faults)
        ask("POST /shelves/s/notes", json={"text": "f", "id": "-".join(faults)}, faults=faults)


# --- the session -----------------------------------------------------------------------------------------


def todo_session(ask: Asker) -> None:
    for part in (todo_verbs, todo_errors, todo_bodies, todo_pages, todo_sources, todo_faults):
        part(ask)


def third_session(ask: Asker) -> None:
    parts = (papers_verbs, papers_actions, papers_repeated, papers_bulk, papers_lists)
    for part in (*parts, volumes, letters, scraps, words, third_wire):
        part(ask)


def test_answers_and_calls_are_as_they_were(session: Session) -> None:
    todo, third = (
        session.asker("todo", handlers.todo.pm, user=ALICE),
        session.asker("third", THIRD, user=ALICE),
    )
    create_tables(handlers.todo.Todo)
    todo_session(todo)
    tracked(session)
    create_tables(IDEMPOTENCY.model, RATES.model, Scrap, *models_of(third))
    third_session(third)
    assert len(session.entries) >= LEAST
    the_same_session(session.entries)


def tracked(session: Session) -> None:
    """The tracker over many tables, then over one."""
    names = ("Tenant", "Project", "Member", "Invitation", "Task", "Comment")
    create_tables(*(getattr(tracker.models, name) for name in names))
    create_single_table()
    tracker.models.Tenant("acme", name="Acme").save()
    tracker.single.Tenant("acme", "acme", name="Acme").save()
    for name, module in (("tracker", tracker.app), ("tracker.single", tracker.single)):
        tracker_session(session.asker(name, module.pm, user=ANN))


def models_of(asker: Asker) -> list[Any]:
    """The models of an app, with those that keep its unique values."""
    asker.client.handler  # noqa: B018 - it is compiled here
    return [model for route in asker.client.app.routes for model in route.models]
