"""`polymicro routes --explain`: what it says of a request, and that the request then does just that."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from contract import counted, names
from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    Delete,
    Envelope,
    HasPermission,
    Idempotency,
    List,
    Many,
    ModelResource,
    One,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    SoftDelete,
    Through,
    Update,
    User,
    action,
)
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.exceptions import BadRequest, Unprocessable
from polymicro_lambda.testing import Client

ALICE = User("alice", frozenset({"therapist"}))


class Task(Model):
    class Meta:
        table_name = "tasks"

    class ByDue(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
        class Meta:
            index_name = "by_due"
            projection = AllProjection()

        owner = UnicodeAttribute(hash_key=True, attr_name="o")
        due = NumberAttribute(range_key=True, null=True)

    class ByState(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
        class Meta:
            index_name = "by_state"
            projection = KeysOnlyProjection()

        state = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True)
    due = NumberAttribute(null=True)
    done = BooleanAttribute(default=False)
    state = UnicodeAttribute(default="open")
    version = VersionAttribute()
    by_due = ByDue()
    by_state = ByState()


class Own(ModelResource, Create, List, Retrieve, Update, Delete):
    """A user's own tasks; every verb is the mixin's."""

    model = Task
    route = "own"
    permissions = OwnedBy("owner")
    filters = {"done": ("eq",), "due": ("gt", "lt", "gte", "lte"), "id": ("eq", "begins_with")}  # noqa: RUF012


class Open(Permission):
    def where(self, user: User, method: str, model: Any) -> Any:
        return model.state == "open"


class Opaque(Permission):
    def has_object_permission(self, user: User, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class OpenOnes(ModelResource, List, Update, Delete):
    """Tasks that are open, whoever owns them."""

    model = Task
    route = "open"
    permissions = (Open,)
    require_if_match = True


class Judged(ModelResource, Create, List, Retrieve, Update, Delete):
    """Tasks under a rule that only Python can judge; half of the verbs are its own."""

    model = Task
    route = "judged"
    permissions = (Opaque,)
    filters = {"owner": ("eq",), "done": ("eq",)}  # noqa: RUF012

    def list(self, user: User, pagination_key: Any = None, limit: int = 25) -> Any:
        return Task.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)

    def create(self, req: dict[str, Any], user: User) -> Any:
        return super().create(req, user)

    def delete(self, instance: Any, user: User) -> None:
        super().delete(instance, user)

    @action()
    def close(self, instance: Any) -> Any:
        return {"id": instance.id}

    @action(detail=False, methods=("GET",))
    def count(self) -> Any:
        return {"count": 0}


class Scanned(ModelResource, List):
    model = Task
    route = "scanned"
    permissions = HasPermission("therapist") & ~HasPermission("guest")
    filters = {"done": ("eq",)}  # noqa: RUF012
    scan = True


class Mixed(ModelResource, List):
    """Of a user's own tasks those that an opaque rule does not let pass."""

    model = Task
    route = "mixed"
    permissions = ~Opaque() & OwnedBy("owner")


RESOURCES: tuple[Callable[[PolyMicro], object], ...] = (Own, OpenOnes, Judged, Scanned, Mixed)


@pytest.fixture(scope="module")
def app() -> PolyMicro:
    pm = PolyMicro()
    for resource in RESOURCES:
        resource(pm)
    pm.compile()
    return pm


OWNED = ("rule", "OwnedBy('owner', claim='uuid'): o = \"alice\"")
OR_ABSENT = '((attribute_not_exists ({0}) OR attribute_type ({0}, "NULL"))'
"""An attribute that an item lacks counts as its default."""
STATE_IS_OPEN = f'{OR_ABSENT.format("state")} OR state = "open")'
OPEN = ("rule", 'Open: state = "open"')
OPAQUE = ("rule", "Opaque: Opaque.has_object_permission")
MIXED = '(not Opaque.has_object_permission and o = "alice")'
ITEM = ("key", 'o = "alice", id = "1"')
SAID: dict[str, list[tuple[str, str]]] = {
    "GET /own": [
        ("verb", "Own.list"),
        OWNED,
        ("calls", "Query on the table"),
        ("key", 'o = "alice"'),
        ("pages", "1 Query for 25 items; more only where these exceed the 1 MB of one call"),
    ],
    "GET /own?done=true&sort=-due&limit=10": [
        ("verb", "Own.list"),
        OWNED,
        ("calls", "Query on the local index by_due, backwards"),
        ("key", 'o = "alice"'),
        ("filter", "done = true, by DynamoDB, after it has read (and billed) the items"),
        ("pages", "1 to 5 Query calls for 10 items: rows drop out; each may read 4 times the last"),
        ("beware", "items without due are not in this index, nor in a list by it"),
    ],
    "GET /own?due__gt=1&due__lte=5": [
        ("verb", "Own.list"),
        OWNED,
        ("calls", "Query on the local index by_due"),
        ("key", 'o = "alice" AND due BETWEEN 1 AND 5'),
        ("check", "due > 1, here, after the read"),
        ("pages", "1 to 5 Query calls for 25 items: rows drop out; each may read 4 times the last"),
    ],
    "GET /own?due__gte=5&due__lt=1": [
        ("verb", "Own.list"),
        OWNED,
        ("calls", "none: no item can meet all conditions, so that the list is empty"),
    ],
    "/own?id__begins_with=%22a&fields=done&pagination_key=x": [
        ("verb", "Own.list"),
        OWNED,
        ("calls", "Query on the table"),
        ("key", 'o = "alice" AND begins_with (id, "\\"a")'),
        ("reads", "done, id, o"),
        ("pages", "1 Query for 25 items; more only where these exceed the 1 MB of one call"),
    ],
    "GET /open": [
        ("verb", "OpenOnes.list"),
        OPEN,
        ("calls", "Query on the global index by_state"),
        ("key", 'state = "open"'),
        ("then", "BatchGetItem on the table, as the index lacks attributes; what it gives is checked again"),
        (
            "pages",
            "1 Query and 1 BatchGetItem for 25 items; more only where these exceed the 1 MB of one call",
        ),
    ],
    "GET /scanned?done=false": [
        ("verb", "Scanned.list"),
        (
            "rule",
            "(HasPermission('therapist') & ~HasPermission('guest')): holds for this user, whatever the item",
        ),
        ("calls", "Scan on the table"),
        (
            "filter",
            f"{OR_ABSENT.format('done')} OR done = false), by DynamoDB, after it has read (and billed) the items",
        ),
        ("pages", "1 to 5 Scan calls for 25 items: rows drop out; each may read 4 times the last"),
    ],
    "GET /mixed": [
        ("verb", "Mixed.list"),
        ("rule", f"(~Opaque & OwnedBy('owner', claim='uuid')): {MIXED}"),
        ("calls", "Query on the table"),
        ("key", 'o = "alice"'),
        ("judge", f"{MIXED}, here, row by row"),
        ("pages", "1 to 5 Query calls for 25 items: rows drop out; each may read 4 times the last"),
    ],
    "GET /judged?done=true": [
        ("verb", "Judged.list, which the resource defines itself"),
        OPAQUE,
        ("calls", "those of the verb: it queries by itself"),
        ("then", "filters and rule are checked here on every row that it returns"),
        ("pages", "at most 5 of a query or scan that it returns"),
    ],
    "POST /own": [
        ("verb", "Own.create"),
        OWNED,
        ("calls", "1 PutItem, on the condition that its key is free"),
        ("sets", 'o = "alice"'),
        ("first", "the rule is judged on the new item; where it does not hold, nothing is written (403)"),
    ],
    "POST /judged": [
        ("verb", "Judged.create, which the resource defines itself"),
        OPAQUE,
        (
            "calls",
            "those of the verb; its super().create() is 1 PutItem, on the condition that its key is free",
        ),
        ("first", "the rule is judged on the new item; where it does not hold, nothing is written (403)"),
    ],
    "HEAD /own/1": [
        ("verb", "Own.retrieve"),
        OWNED,
        ("calls", "1 GetItem, consistent"),
        ITEM,
        ("then", "the rule is judged on the item as read (404 where it does not hold)"),
    ],
    "PATCH /own/1": [
        ("verb", "Own.update"),
        OWNED,
        ("calls", "1 UpdateItem, on a condition"),
        ITEM,
        ("condition", 'the item exists AND o = "alice"'),
        ("If-Match", "part of the condition"),
    ],
    "PATCH /open/alice/1": [
        ("verb", "OpenOnes.update"),
        OPEN,
        ("calls", "1 UpdateItem, on a condition"),
        ITEM,
        ("condition", f"the item exists AND {STATE_IS_OPEN}"),
        ("If-Match", "part of the condition, and required (else 428)"),
        (
            "except",
            "a body that changes state, by which the rule must hold before and after: 1 GetItem comes first",
        ),
    ],
    "PUT /open/alice/1": [
        ("verb", "OpenOnes.update"),
        OPEN,
        ("calls", "1 GetItem, consistent, then 1 UpdateItem, on a condition"),
        ITEM,
        ("condition", f"the item exists AND {STATE_IS_OPEN} AND what the rule read is unchanged"),
        ("reads, as", "it changes state, by which the rule must hold before and after"),
        ("If-Match", "part of the condition, and required (else 428)"),
    ],
    "PATCH /judged/alice/1": [
        ("verb", "Judged.update"),
        OPAQUE,
        ("calls", "1 GetItem, consistent, then 1 UpdateItem, on a condition"),
        ITEM,
        ("condition", "the item exists AND what the rule read is unchanged"),
        ("reads, as", "only Python can judge Opaque.has_object_permission"),
        ("If-Match", "part of the condition"),
    ],
    "DELETE /own/1": [
        ("verb", "Own.delete"),
        OWNED,
        ("calls", "1 DeleteItem, on a condition"),
        ITEM,
        ("condition", 'the item exists AND o = "alice"'),
        ("If-Match", "part of the condition"),
    ],
    "DELETE /judged/alice/1": [
        ("verb", "Judged.delete, which the resource defines itself"),
        OPAQUE,
        (
            "calls",
            "1 GetItem, consistent, then those of the verb; its super().delete() is 1 DeleteItem, on a condition",
        ),
        ITEM,
        ("condition", "the item exists AND what the rule and the verb read is unchanged"),
        ("reads, as", "only Python can judge Opaque.has_object_permission"),
        ("If-Match", "part of the condition"),
    ],
    "POST /judged/alice/1/close": [
        ("verb", "Judged.close, which the resource defines itself"),
        OPAQUE,
        ("calls", "1 GetItem, consistent, for the instance; then those of the action"),
        ITEM,
        ("condition", "of its writes to the item: what the action read is unchanged (else 409)"),
    ],
    "GET /judged/count": [
        ("verb", "Judged.count, which the resource defines itself"),
        OPAQUE,
        ("calls", "those of the action"),
    ],
    "OPTIONS /own/1": [("calls", "none: 204 with Allow: DELETE, GET, HEAD, OPTIONS, PATCH, PUT")],
}


@pytest.mark.parametrize(("asked", "said"), SAID.items(), ids=SAID)
def test_what_it_says(app: PolyMicro, asked: str, said: list[tuple[str, str]]) -> None:
    with counted() as calls:
        assert explain(app, asked, ALICE) == said
    assert calls == []


BODIES: dict[str, Any] = {
    "POST /own": {"id": "new"},
    "POST /judged": {"id": "new", "owner": "alice"},
    "PATCH /own/1": {"done": True},
    "PATCH /open/alice/1": {"done": True},
    "PUT /open/alice/1": {"state": "open"},
    "PATCH /judged/alice/1": {"done": True},
}
THE_VERBS_OWN = {"GET /judged?done=true": ["Query"]}


@pytest.mark.parametrize(
    ("required", "end"), [(False, ""), (True, ", and required (else 400)")], ids=["may", "must"]
)
def test_what_an_idempotency_key_adds(required: bool, end: str) -> None:
    pm = PolyMicro(idempotency=Idempotency())
    type("Keyed", (Own,), {"require_idempotency_key": required})(pm)
    pm.compile()
    said = explain(pm, "POST /own", User("alice"))
    assert said[-1] == (
        "with a key",
        f"PutItem and UpdateItem for its record, and a create is a TransactWriteItems{end}",
    )
    assert "with a key" not in dict(explain(pm, "DELETE /own/1", User("alice")))


@pytest.fixture
def client(app: PolyMicro, dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(Task.Meta, "table_name", table_name)
    Task.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Task("alice", "1", due=3).save()
    return Client(app, user=ALICE)


@pytest.mark.parametrize("asked", [asked for asked in SAID if "pagination_key" not in asked])
def test_what_it_says_is_what_happens(client: Client, asked: str) -> None:
    """The operations that it names are those that reach DynamoDB, in that order."""
    said = " ".join(text for name, text in explain(client.app, asked, ALICE) if name in ("calls", "then"))  # type: ignore[arg-type]
    method, path = asked.split()
    more = {"json": BODIES[asked]} if asked in BODIES else {}
    with counted() as calls:
        result = client.request(method, path, headers={"If-Match": "*"}, **more)
    assert result.status < 300, result.text
    assert names(calls) == THE_VERBS_OWN.get(asked, re.findall(r"(?:[A-Z][a-z]+)+Item|Query|Scan", said))


@pytest.mark.parametrize(
    ("asked", "user", "output"),
    [
        pytest.param(
            "GET /notes?sort=text",
            "alice",
            "Error: 400 Bad Request: The list cannot be sorted by text. An index with partition key owner"
            " and sort key text would have this order.\n",
            id="no index",
        ),
        pytest.param(
            "GET /notes?x=1",
            "alice",
            "Error: 400 Bad Request: The query is not valid: x is not a parameter here; there are fields, limit,"
            " pagination_key, sort.\n",
            id="no parameter",
        ),
        pytest.param(
            "GET /notes",
            None,
            "Error: 401 Unauthorized: This needs a user: send credentials that the authorizer accepts."
            " Here --as NAME[:PERMISSION,…] says who makes the request.\n",
            id="nobody",
        ),
        pytest.param(
            "DELETE /notes",
            "alice",
            "Error: 405 Method Not Allowed: This path serves GET, HEAD, OPTIONS.\n",
            id="no such verb",
        ),
        pytest.param(
            "GET /else",
            "alice",
            "Error: 404 Not Found: There is nothing at this path. Without --explain the paths are printed.\n",
            id="no such path",
        ),
        pytest.param(
            "/notes",
            ":x",
            "Error: ':x' names nobody. Write NAME or NAME:PERMISSION,PERMISSION,CLAIM=VALUE.\n",
            id="no name",
        ),
    ],
)
def test_refused(project: Path, asked: str, user: str | None, output: str) -> None:
    """Exit code 1, with what the request would be answered."""
    result = run("routes", "--explain", asked, *(("--as", user) if user else ()))
    assert (result.exit_code, result.output) == (1, output)


def test_lines_are_in_columns(project: Path) -> None:
    result = run("routes", "--explain", "/notes?limit=1", "--as", "alice:guest")
    assert (result.exit_code, result.output.splitlines()) == (
        0,
        [
            "verb   NoteResource.list",
            "rule   OwnedBy('owner', claim='uuid'): owner = \"alice\"",
            "calls  Query on the table",
            'key    owner = "alice"',
            "pages  1 Query for 1 items; more only where these exceed the 1 MB of one call",
        ],
    )


def test_a_rule_that_raises_shows_where(project: Path) -> None:
    result = run("routes", "--explain", "GET /broken", "--as", "alice")
    assert result.exit_code == 1
    assert result.output.startswith("Error: The request fails:\n")
    assert "ZeroDivisionError" in result.output


NOTES = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda import List, ModelResource, OwnedBy, Permission, PolyMicro

pm = PolyMicro()

class Note(Model):
    class Meta:
        table_name = "notes"
    owner = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute()

class NoteResource(ModelResource, List):
    model = Note
    route = "notes"
    permissions = OwnedBy("owner")

class Broken(Permission):
    def has_permission(self, user, method):
        return 1 / 0

class BrokenResource(ModelResource, List):
    model = Note
    route = "broken"
    permissions = (Broken,)
    scan = True

NoteResource(pm)
BrokenResource(pm)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project in the current directory, whose module is forgotten afterwards."""
    (tmp_path / "pyproject.toml").write_text('[tool.polymicro]\napp = "explained_notes:pm"\n')
    (tmp_path / "explained_notes.py").write_text(NOTES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield tmp_path
    sys.modules.pop("explained_notes", None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(polymicro, arguments)


def test_what_a_verb_requires_is_told(dynamodb: None) -> None:
    def close(self: Any, instance: Any) -> None:
        self.store.update(instance, {"state": "closed"})

    is_open = Task.state == "open"
    pm = PolyMicro()
    members = {
        "model": Task,
        "route": "tasks",
        "permissions": OwnedBy("owner"),
        "requires": {"update": is_open},
        "close": action(requires=is_open, otherwise="It is closed.", attempts=3)(close),
    }
    type("Tasks", (ModelResource, Retrieve, Update), members)(pm)
    pm.compile()
    table = {row.verb: row.calls for row in rows(pm.routes)}
    assert table["update"] == 'UpdateItem, on state = "open"'
    assert table["close"] == 'GetItem, on state = "open", its own'
    lines = dict(explain(pm, "PATCH /tasks/1", ALICE))
    assert lines["condition"].endswith('state = "open"')
    assert lines["requires"].startswith('state = "open", part of every write of the item (else 409: ')
    lines = dict(explain(pm, "POST /tasks/1/close", ALICE))
    assert lines["condition"] == "of its writes to the item: what the action read is unchanged (else 409)"
    assert lines["requires"].endswith("(else 409: It is closed.)")
    assert lines["attempts"].startswith("3, ")


def test_what_an_answer_embeds_is_told(dynamodb: None) -> None:
    class Person(Model):
        class Meta:
            table_name = "people"

        id = UnicodeAttribute(hash_key=True)
        boss = UnicodeAttribute(null=True)

    class People(ModelResource, Retrieve, List):
        model = Person
        route = "people"
        permissions = AllowAny
        scan = True
        read_budget = 3

    People.embed = {
        "head": One(People, {"id": "boss"}),
        "same": One(People, {"id": "id"}, always=True),
        "others": Many(People, {"id": "boss"}, limit=4),
    }
    pm = PolyMicro()
    People(pm)
    pm.compile()
    with counted() as made:
        lines = dict(explain(pm, "GET /people/1?embed=head,others", ALICE))
        page = dict(explain(pm, "GET /people?limit=60&embed=head", ALICE))
    assert made == []
    embedded = {name: text for name, text in lines.items() if name.startswith("embeds")}
    one = ", in 1 BatchGetItem for all that the answer shows; null where it is gone or hidden: AllowAny for retrieve"
    assert embedded == {
        "embeds head": f"People by id from boss{one}",
        "embeds same": f"People by id from id{one}",
        "embeds others": "People by id from boss, by 1 Query of the first 4, without what is hidden: AllowAny for list",
    }
    assert {"embeds head", "embeds same"} <= page.keys()
    with pytest.raises(BadRequest):
        explain(pm, "GET /people?embed=others", ALICE)


class Archived(Model):
    class Meta:
        table_name = "archived"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)
    gone = UTCDateTimeAttribute(null=True)


class Enrolled(Permission):
    """Reads by itself, and takes a failure for a no."""

    calls: ClassVar[Any] = {Archived: "GetItem"}

    def has_permission(self, user: Any, method: Any) -> bool:
        try:
            return Archived.get(user.uuid).text == "ann"
        except Exception:  # noqa: BLE001
            return False


@pytest.mark.parametrize(
    ("declared", "asked"),
    [
        ({"permissions": Enrolled}, "GET /archive"),
        ({"permissions": Enrolled}, "POST /archive"),
        ({"permissions": Enrolled}, "GET /archive/1"),
        ({"permissions": ~Enrolled()}, "PATCH /archive/1"),
        ({"field_permissions": {"text": Enrolled()}}, "GET /archive"),
        ({"field_permissions": {"text": Enrolled()}}, "PATCH /archive/1"),
        ({"soft_delete": SoftDelete("gone", seen_by=Enrolled())}, "GET /archive?deleted=true"),
    ],
)
def test_a_permission_that_reads_is_told_and_reads_nothing(
    dynamodb: None, declared: dict[str, Any], asked: str
) -> None:
    said = {"model": Archived, "route": "archive", "permissions": AllowAny, "scan": True, **declared}
    pm = PolyMicro()
    type("Archive", (ModelResource, Create, List, Retrieve, Update, Delete), said)(pm)
    pm.compile()
    with counted() as made:
        lines = explain(pm, asked, ALICE)
    assert made == []
    assert [text for subject, text in lines if subject == "beware"] == [
        "Enrolled reads DynamoDB by itself: what it decides is not known here, and taken for yes"
    ]


def test_an_app_that_reads_before_the_rule_is_explained_no_further(project: Path) -> None:
    (project / "explained_notes.py").write_text(
        NOTES.replace("PolyMicro()", "PolyMicro(req_user_func=lambda request: Note.get('a', 'b'))")
    )
    result = run("routes", "--explain", "GET /notes", "--as", "alice")
    assert (result.exit_code, result.output) == (
        1,
        "Error: The app calls DynamoDB (GetItem) before the rule is asked, e.g. in req_user_func."
        " Here nothing is called.\n",
    )


def test_words_without_the_types_of_dynamodb() -> None:
    rule = Through(Archived, {"id": Claim("uuid")}, where=Archived.text == "admin")
    assert str(rule) == "Through(Archived, {'id': Claim('uuid')}, where=text = \"admin\")"
    said = {"model": Archived, "route": "archive", "permissions": AllowAny, "soft_delete": "gone"}
    pm = PolyMicro()
    type("Archive", (ModelResource, Delete), said)(pm)
    pm.compile()
    assert [row.calls for row in rows(pm.routes) if row.verb == "restore"] == [
        "UpdateItem, on gone being set"
    ]


def test_a_422_without_a_detail_has_the_usual_one() -> None:
    assert Unprocessable(errors=[{"pointer": "#/text", "detail": "Too long."}]).detail == (
        "The body does not fit the schema."
    )


class Even(Permission):
    """A rule that Python alone can judge."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return True


COUNTS: dict[str, tuple[Any, str, str]] = {
    "there": (
        OwnedBy("owner"),
        "/counted?count=true",
        "1 to 5 Query calls with Select=COUNT, which read all of the list, 1 MB each",
    ),
    "here": (
        OwnedBy("owner") & Even(),
        "/counted?count=true",
        "1 to 5 Query calls over all of the list, whose items are judged here",
    ),
    "an index": (
        AllowAny,
        "/counted?state=open&count=true",
        "1 to 5 Query and BatchGetItem calls over all of the list, whose items are judged here",
    ),
    "keys": (
        OwnedBy("owner"),
        "/counted?id__in=1,2&count=true",
        "1 to 5 BatchGetItem calls over all of the list, whose items are judged here",
    ),
    "not asked for": (OwnedBy("owner"), "/counted", ""),
}


@pytest.mark.parametrize(("rule", "asked", "said"), COUNTS.values(), ids=COUNTS)
def test_what_a_count_costs_is_told(rule: Any, asked: str, said: str) -> None:
    pm = PolyMicro()
    filters = {"state": "eq", "id": "in", "owner": "eq"}
    declared = {"model": Task, "route": "counted", "permissions": rule, "filters": filters}
    type("Counted", (ModelResource, List), {**declared, "envelope": Envelope(count="total")})(pm)
    pm.compile()
    lines = dict(explain(pm, f"GET {asked}", ALICE))
    always = "; null where that is not enough, and no call where the first page is all"
    assert lines.get("count") == (f"{said}{always}" if said else None)
    assert rows(pm.routes)[0].calls.endswith("(?count=true)")
