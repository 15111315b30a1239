"""What a user of few rights can send: nothing of another user's is read, told from absence, written or taken."""

import base64
import json
import time
import zlib
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, counted, dynamodb_call, names, resolved, stored, writes
from marshmallow import Schema, fields
from pynamodb.attributes import (
    DiscriminatorAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    Create,
    Delete,
    HasPermission,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Update,
    User,
    action,
)

SECRET = "s" * 32
ADMIN = User("root", frozenset({"admin"}))
Send = tuple[str, str, dict[str, Any]]


class Where(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Foreign(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner != user.uuid


RULES = {
    "OwnedBy": OwnedBy("owner"),
    "where": Where,
    "opaque": Opaque,
    "A | B": OwnedBy("owner") | HasPermission("admin"),
    "opaque A | B": Opaque | HasPermission("admin"),
    "~P": ~Foreign,
}


class ByTeam(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_team"
        projection = KeysOnlyProjection()

    team = UnicodeAttribute(hash_key=True)
    pay = NumberAttribute(range_key=True, attr_name="p")


class Verbs(ModelResource, Create, List, Retrieve, Update, Delete):
    route = "notes"


Made = tuple[str, Callable[[User | None], Caller]]
Make = Callable[..., Made]


@pytest.fixture
def make(dynamodb: None, table_name: str) -> Make:
    """An app over one table of notes: its table's name, and a caller for each user."""

    def build(permissions: Any, *resources: Any, app: Any = None, **declared: Any) -> Made:
        class Note(Model):
            class Meta:
                pass

            uuid = UnicodeAttribute(hash_key=True)
            owner = UnicodeAttribute(attr_name="o")
            team = UnicodeAttribute(default="red")
            pay = NumberAttribute(default=1000, attr_name="p")
            text = UnicodeAttribute(null=True)
            more: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
            codes = NumberSetAttribute(null=True)
            by_team = ByTeam()

        Note.Meta.table_name = table_name  # type: ignore[attr-defined]
        said = {"filters": {"team": ("eq",)}, **declared, "model": Note, "permissions": permissions}
        return run(type("Notes", (*resources, Verbs), said), app=app)

    return build


def run(*resources: Any, app: Any = None) -> Made:
    """Compile, create the table, and give what ``make`` gives."""
    pm = app or PolyMicro(cursor_secret=SECRET)
    for resource in resources:
        resource(pm)
    handler = pm.compile()
    model = resources[0].model
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return model.Meta.table_name, lambda user: Caller(handler, user=user)


def note(uuid: str, owner: str, **more: Any) -> dict[str, Any]:
    """A note as DynamoDB keeps it."""
    return {"uuid": {"S": uuid}, "o": {"S": owner}, "team": {"S": "red"}, "p": {"N": "1000"}, **more}


def put(table: str, *items: dict[str, Any]) -> None:
    for item in items:
        dynamodb_call("put_item", TableName=table, Item=item)


# --- another user's item --------------------------------------------------------------------------------

AT_ITEM: dict[str, Send] = {
    "get": ("GET", "", {}),
    "head": ("HEAD", "", {}),
    "known tag": ("GET", "", {"headers": {"if-none-match": "*"}}),
    "merge": ("PATCH", "", {"json": {"text": "mine"}}),
    "merge nothing": ("PATCH", "", {"json": {}}),
    "merge if any": ("PATCH", "", {"json": {"text": "mine"}, "headers": {"if-match": "*"}}),
    "merge if tag": ("PATCH", "", {"json": {"text": "mine"}, "headers": {"if-match": '"1"'}}),
    "replace": ("PUT", "", {"json": {"text": "mine"}}),
    "delete": ("DELETE", "", {}),
    "delete if weak": ("DELETE", "", {"headers": {"if-match": 'W/"1"'}}),
    "action": ("POST", "/touch", {"json": {}}),
}


class Touch:
    @action()
    def touch(self, instance: Any, user: Any) -> Any:
        return self.update(instance, {"text": "touched"}, user)  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_foreign_item_is_a_missing_one(make: Make, rule: Any) -> None:
    """Byte for byte, and call for call: no request tells it from none, none changes it."""
    closed = {"dump_only": ("owner",)} if rule is not RULES["A | B"] else {}
    table, client = make(rule, Touch, **closed)
    put(table, note("n1", "alice", text={"S": "canary"}))
    before = stored(table)
    for said, (method, more, options) in AT_ITEM.items():
        answers = []
        for uuid in ("n1", "n2"):
            with counted() as calls:
                result = client(BOB).request(method, f"/notes/{uuid}{more}", **options)
            answers.append((result.status, dict(result.headers), result.body, names(calls)))
        assert answers[0] == answers[1], said
        assert (answers[0][0], stored(table)) == (404, before), said


@pytest.mark.thorough(but=("OwnedBy", "opaque A | B"))
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_list_tells_nothing_of_foreign_items(make: Make, rule: Any) -> None:
    """Nor do 60 of them take more calls than the read budget: a page then ends where it stands."""
    table, client = make(rule, dump_only=() if rule is RULES["A | B"] else ("owner",), read_budget=3)
    put(table, *(note(f"n{number}", "alice") for number in range(60)), note("b", "bob"))
    mine: list[Any] = []
    key = ""
    for _ in range(62):
        with counted() as calls:
            page = client(BOB).get(f"/notes?team=red&limit=1{key}")
        assert page.status == 200
        assert len(names(calls)) <= 3
        mine += page.json["items"]
        if page.json["pagination_key"] is None:
            break
        key = f"&pagination_key={page.json['pagination_key']}"
    assert [(item["uuid"], item["owner"]) for item in mine] == [("b", "bob")]


@pytest.mark.parametrize("rule", ["OwnedBy", "where", "~P"])
def test_a_foreign_item_that_cannot_be_read_is_missing_too(make: Make, rule: str) -> None:
    """A row that another writer spoilt is a 500 for its owner alone."""
    table, client = make(RULES[rule], dump_only=("owner",))
    put(table, note("n1", "alice", codes={"S": "no set"}))
    before = stored(table)
    for method, options in ("GET", {}), ("PATCH", {"json": {"text": "mine"}}), ("DELETE", {}):
        gone, spoilt = (client(BOB).request(method, f"/notes/{uuid}", **options) for uuid in ("n2", "n1"))
        assert (spoilt.status, spoilt.body) == (404, gone.body), method
    assert (client(ALICE).get("/notes/n1").status, stored(table)) == (500, before)


GIVEN_AWAY: dict[str, Any] = {
    "its name": {"owner": "alice"},
    "name in DynamoDB": {"o": "alice"},
    "other case": {"Owner": "alice"},
    "PynamoDB's own": {"attribute_values": {"owner": "alice"}},
    "PynamoDB's flag": {"_user_instantiated": False},
    "dotted": {"more.owner": "alice"},
    "pointer": {"/owner": "alice"},
    "twice": '{"text": "x", "owner": "bob", "owner": "alice"}',
    "escaped": '{"\\u006fwner": "alice"}',
    "null": {"owner": None},
    "typed": {"owner": {"S": "alice"}},
}


@pytest.mark.parametrize("rule", ["OwnedBy", "A | B"])
def test_nobody_writes_in_another_name(make: Make, rule: str) -> None:
    """Neither a new item nor one's own becomes another user's, whatever the owner is called."""
    table, client = make(RULES[rule])
    put(table, note("b", "bob"))
    before, bob = stored(table), client(BOB)
    requests = ("POST", "/notes"), ("PATCH", "/notes/b"), ("PUT", "/notes/b")
    for (method, path), (said, body) in product(requests, GIVEN_AWAY.items()):
        text = (
            body
            if isinstance(body, str)
            else json.dumps({"uuid": "new", **body} if method == "POST" else body)
        )
        result = bob.request(method, path, body=text, headers={"content-type": "application/json"})
        assert result.status in (400, 403, 422), (method, said)
        assert stored(table) == before, (method, said)


@pytest.mark.parametrize("rule", ["where", "opaque", "~P", "opaque A | B"])
def test_an_owner_that_can_be_sent_is_judged(make: Make, rule: str) -> None:
    """A rule without OwnedBy leaves the owner loadable: it must hold on the item as it would be."""
    table, client = make(RULES[rule])
    put(table, note("b", "bob"))
    before, bob = stored(table), client(BOB)
    for method, path, more in (
        ("POST", "/notes", {"uuid": "new"}),
        ("PATCH", "/notes/b", {}),
        ("PUT", "/notes/b", {"text": "x"}),
    ):
        assert bob.request(method, path, json={"owner": "alice", **more}).status == 403
        assert stored(table) == before


def test_a_taken_key_is_not_overwritten(make: Make) -> None:
    table, client = make(OwnedBy("owner"))
    put(table, note("n1", "alice"))
    before = stored(table)
    result = client(BOB).post(
        "/notes", json={"uuid": "n1"}, headers={"if-match": "*", "if-none-match": '"x"'}
    )
    assert (result.status, "alice" in result.text, stored(table)) == (409, False, before)


# --- who is who -----------------------------------------------------------------------------------------

ALMOST = ["alice2", "alic", "ALICE", "alice ", "USER#alice", "alice#n1", "\u0430lice", "alice\x00", "%61lice"]


@pytest.fixture
def single(dynamodb: None, table_name: str) -> Made:
    """A single table: users' partitions are USER#… , their notes NOTE#… ."""

    class Entry(Model):
        class Meta:
            pass

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)

    Entry.Meta.table_name = table_name  # type: ignore[attr-defined]
    said = {"model": Entry, "permissions": OwnedBy("pk", prefix="USER#"), "filters": {"sk": ("begins_with",)}}
    return run(type("Entries", (Verbs,), said))


def test_a_user_of_nearly_the_same_id(single: Made) -> None:
    table, client = single
    put(table, {"pk": {"S": "USER#alice"}, "sk": {"S": "n1"}, "text": {"S": "canary"}})
    before = stored(table)
    assert [item["sk"] for item in client(ALICE).get("/notes").json["items"]] == ["n1"]
    for other in map(client, map(User, ALMOST)):
        assert other.get("/notes?sk__begins_with=").json == {"items": [], "pagination_key": None}
        statuses = [
            other.get("/notes/n1").status,
            other.patch("/notes/n1", json={"text": "mine"}).status,
            other.put("/notes/n1", json={"text": "mine"}).status,
            other.delete("/notes/n1").status,
        ]
        assert (statuses, stored(table)) == ([404] * 4, before), other.user


@pytest.mark.parametrize("claims", [{}, {"org": ""}], ids=repr)
def test_a_user_without_the_claim_owns_nothing(make: Make, claims: dict[str, Any]) -> None:
    table, client = make(OwnedBy("team", claim="org"))
    put(table, note("n1", "alice"), note("n2", "alice", team={"S": "None"}))
    before, caller = stored(table), client(User("bob", claims=claims))
    for method, path in product(("GET", "PATCH", "DELETE"), ("/notes/n1", "/notes/n2")):
        options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        assert caller.request(method, path, **options).status == 403
    assert caller.get("/notes").status == caller.post("/notes", json={"uuid": "x"}).status == 403
    assert stored(table) == before


def test_no_header_says_who_one_is(make: Make) -> None:
    headers = {
        **dict.fromkeys(("x-forwarded-user", "x-user", "x-amzn-oidc-identity"), "alice"),
        **dict.fromkeys(("authorizer", "x-amzn-request-context"), '{"principalId": "alice"}'),
        "authorization": "Basic YWxpY2U6YWxpY2U=",
    }
    table, client = make(OwnedBy("owner"))
    put(table, note("n1", "alice"))
    assert client(None).get("/notes/n1", headers=headers).status == 401
    assert client(BOB).get("/notes/n1", headers=headers).status == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_an_owner_in_the_path_is_oneself(make: Make, method: str) -> None:
    """Under a path that names the owner, another's is nobody's: one's own item is not served there instead."""
    table, client = make(OwnedBy("owner"), route="users/{owner}/notes")
    put(table, note("n1", "alice"), note("b", "bob"))
    before, bob = stored(table), client(BOB)
    options = {"json": {"text": "mine"} | ({"uuid": "x"} if method == "POST" else {})}
    paths = ["/users/alice/notes"] if method == "POST" else ["/users/alice/notes/n1", "/users/alice/notes/b"]
    with counted() as calls:
        statuses = [
            bob.request(method, path, **({} if method == "GET" else options)).status for path in paths
        ]
    assert (statuses, calls, stored(table)) == ([404] * len(paths), [], before)
    assert bob.get("/users/alice/notes?team=red").status == 404
    assert bob.get("/users/bob/notes/b").json["owner"] == "bob"


# --- verbs and paths ------------------------------------------------------------------------------------

OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


def test_a_reader_writes_by_no_other_verb(make: Make) -> None:
    table, client = make(ReadOnly, Touch)
    put(table, note("n1", "alice"))
    before = stored(table)
    methods = ("GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "")
    for method, path in product(methods, ("/notes/n1", "/notes", "/notes/n1/touch")):
        headers = dict.fromkeys(OVERRIDES, "POST" if "touch" in path else "DELETE")
        with counted() as calls:
            result = client(BOB).request(
                method, f"{path}?_method=DELETE", headers=headers, body='{"text": "mine"}'
            )
        assert result.status in (200, 204, 400, 405), (method, path)
        assert (writes(calls), stored(table)) == ([], before), (method, path)
    writing = ("POST", "/notes"), ("PATCH", "/notes/n1"), ("PUT", "/notes/n1"), ("DELETE", "/notes/n1")
    for method, path in (*writing, ("POST", "/notes/n1/touch")):
        with counted() as calls:
            result = client(BOB).request(
                method, path, json={"uuid": "n2"} if path == "/notes" else {"text": "mine"}
            )
        assert (result.status, calls, stored(table)) == (403, [], before), (method, path)


PATHS = {
    "//notes/n1": 404,
    "/notes//n1": 404,
    "/notes/n1//": 404,
    "/notes/./n1": 404,
    "/notes/x/../n1": 404,
    "/notes/%2e%2e/n1": 404,
    "/notes/%2E": 404,
    "/notes%2Fn1": 404,
    "/notes/%2Fn1": 404,
    "/notes/n1%00": 404,
    "/notes/n1%0d%0ax:y": 404,
    "/notes/%256e1": 404,
    "/NOTES/n1": 404,
    "/notes/n1;x=1": 404,
    "/notes/n1%20": 404,
    "/notes/%c3%28": 400,
    "/notes/%zz": 400,
    "/prod/notes/n1": 404,
    "/notes/n1/touch/": 405,
    "/notes/touch": 404,
}


def test_a_path_is_one_thing_only(make: Make) -> None:
    """Not even the owner reaches an item by another spelling of its path."""
    table, client = make(OwnedBy("owner"), Touch)
    put(table, note("n1", "alice"))
    assert {path: client(ALICE).get(path).status for path in PATHS} == PATHS
    assert client(ALICE).get("/notes/n1/").status == 200


def test_no_key_that_no_path_can_say(make: Make) -> None:
    table, client = make(OwnedBy("owner"))
    for key in (".", "..", "a\r\nb", "\x00", "\x7f", "", "x" * 2049):
        result = client(BOB).post("/notes", json={"uuid": key})
        assert (result.status, result.json["errors"][0]["pointer"]) == (422, "#/uuid"), ascii(key)
    assert stored(table) == []


def test_location_leads_to_the_item_alone(make: Make) -> None:
    _, client = make(OwnedBy("owner"), Touch)
    for key in ("a/b", "//evil.example", "x:y", "a?b#c", "%2e%2e", "\u202e", "touch", "a\u0300"):
        created = client(BOB).post("/notes", json={"uuid": key})
        path = resolved(created, "/notes")
        assert path.startswith("/notes/")
        assert path.isascii()
        assert client(BOB).get(path).json == created.json
        assert client(ALICE).get(path).status == 404


# --- fields ---------------------------------------------------------------------------------------------

SIDEWAYS = {
    "filter": "pay=1000",
    "range": "pay__gt=1",
    "by operator": "pay__eq=1000",
    "name in DynamoDB": "p=1000",
    "sort": "sort=pay",
    "sort back": "sort=-pay",
    "fields": "fields=uuid,pay",
    "fields only": "fields=pay",
    "excluded": "text=canary",
    "excluded field": "fields=text",
    "excluded sort": "sort=text",
}
HIDING: dict[str, Any] = {
    "filters": {"team": ("eq",), "pay": ("eq", "gt"), "text": ("eq",)},
    "field_permissions": {"pay": InGroup("hr")},
    "exclude": ("text",),
}


def test_a_hidden_field_is_not_asked_about(make: Make) -> None:
    """Whether a guess is right or wrong, the answer is the same 400, and no call is made."""
    table, client = make(IsAuthenticated, **HIDING)
    put(table, note("n1", "alice", text={"S": "canary"}))
    for said, query in SIDEWAYS.items():
        answers = []
        for guess in (query, query.replace("1000", "999").replace("=canary", "=other")):
            with counted() as calls:
                result = client(BOB).get(f"/notes?team=red&{guess}")
            answers.append((result.status, result.body, calls))
        assert answers[0] == answers[1], said
        assert (answers[0][0], answers[0][2]) == (400, []), said


def test_a_hidden_field_stands_in_no_answer(make: Make) -> None:
    table, client = make(IsAuthenticated, **HIDING)
    put(table, note("n1", "alice", text={"S": "canary"}))
    bob = client(BOB)
    failed = bob.patch("/notes/n1", json={"team": "x"}, headers={"if-match": '"old"'})
    assert failed.status == 412
    seen = [
        bob.get("/notes/n1").json,
        bob.get("/notes?team=red").json["items"][0],
        failed.json["current"],
        bob.patch("/notes/n1", json={"team": "red"}).json,
        bob.put("/notes/n1", json={"owner": "alice"}).json,
        bob.post("/notes", json={"uuid": "n2", "owner": "bob"}).json,
    ]
    assert [sorted(item) for item in seen] == [["codes", "more", "owner", "team", "uuid"]] * 6


def test_a_closed_field_is_not_written(make: Make) -> None:
    table, client = make(IsAuthenticated, **HIDING)
    put(table, note("n1", "alice"))
    before, bob = stored(table), client(BOB)
    requests: tuple[Send, ...] = (
        ("POST", "/notes", {"uuid": "x", "owner": "bob"}),
        ("PATCH", "/notes/n1", {}),
        ("PUT", "/notes/n1", {"owner": "alice"}),
    )
    for (method, path, more), name in product(requests, ("pay", "p", "text", "PAY", "pay.x")):
        assert bob.request(method, path, json={name: 1, **more}).status == 422, (method, name)
        assert stored(table) == before, (method, name)


class Renamed(Schema):
    uuid = fields.String()
    owner = fields.String(data_key="who", dump_only=True)
    words = fields.String(attribute="text", data_key="says")


def test_an_own_schema_opens_no_other_name(make: Make) -> None:
    table, client = make(OwnedBy("owner"), schema=Renamed)
    put(table, note("b", "bob"))
    before, bob = stored(table), client(BOB)
    for name in ("who", "owner", "o", "words", "text", "pay", "version"):
        assert bob.post("/notes", json={"uuid": "x", name: "alice"}).status == 422, name
        assert bob.patch("/notes/b", json={name: "alice"}).status == 422, name
        assert bob.put("/notes/b", json={name: "alice"}).status == 422, name
    assert stored(table) == before


# --- kinds, versions, expiry ----------------------------------------------------------------------------


@pytest.fixture
def kinds(dynamodb: None, table_name: str) -> Made:
    """Two kinds in one table, with versions and expiry; the API is of one of them."""

    class Thing(Model):
        class Meta:
            pass

        uuid = UnicodeAttribute(hash_key=True)
        cls = DiscriminatorAttribute()
        owner = UnicodeAttribute()
        text = UnicodeAttribute(null=True)
        version = VersionAttribute()
        expires = TTLAttribute(null=True)

    Thing.Meta.table_name = table_name  # type: ignore[attr-defined]

    class Open(Thing, discriminator="open"):
        pass

    class Secret(Thing, discriminator="secret"):
        pass

    said = {"model": Open, "permissions": OwnedBy("owner")}
    return run(type("Opens", (Verbs,), said | {"scan": True}))


def thing(owner: str, kind: str = "open", **more: Any) -> dict[str, Any]:
    return {"uuid": {"S": "t1"}, "owner": {"S": owner}, "cls": {"S": kind}, "version": {"N": "1"}, **more}


PAST, FUTURE = {"N": str(int(time.time()) - 60)}, {"N": str(int(time.time()) + 3600)}
OUT_OF_REACH = {
    "another kind": thing("bob", "secret"),
    "no kind": {name: value for name, value in thing("bob").items() if name != "cls"},
    "expired": thing("bob", expires=PAST),
    "foreign": thing("alice", expires=FUTURE),
}


@pytest.mark.parametrize("item", OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_what_is_not_of_this_api_is_missing(kinds: Made, item: dict[str, Any]) -> None:
    table, client = kinds
    put(table, item)
    bob = client(BOB)
    for method, headers in product(("GET", "PATCH", "DELETE"), ({}, {"if-match": '"1"'}, {"if-match": "*"})):
        options = {"json": {"text": "mine"}} if method == "PATCH" else {}
        answers = [
            (result.status, dict(result.headers), result.body)
            for result in (
                bob.request(method, f"/notes/{u}", headers=headers, **options) for u in ("t1", "t2")
            )
        ]
        assert (answers[0], answers[0][0]) == (answers[1], 404)
    assert (bob.get("/notes").json["items"], stored(table)) == ([], [item])


@pytest.mark.parametrize("item", [thing("alice"), thing("alice", "secret"), thing("alice", expires=FUTURE)])
def test_a_live_item_is_not_created_over(kinds: Made, item: dict[str, Any]) -> None:
    table, client = kinds
    put(table, item)
    assert client(BOB).post("/notes", json={"uuid": "t1"}).status == 409
    assert stored(table) == [item]


@pytest.mark.parametrize("name", ["cls", "version", "owner"])
def test_what_the_server_sets_is_not_sent(kinds: Made, name: str) -> None:
    table, client = kinds
    put(table, thing("bob"))
    for value in ("secret", 7, None):
        assert client(BOB).patch("/notes/t1", json={name: value}).status == 422
        assert client(BOB).put("/notes/t1", json={name: value}).status == 422
        assert client(BOB).post("/notes", json={"uuid": "new", name: value}).status == 422
    assert stored(table) == [thing("bob")]


def test_a_tag_that_only_looks_right(kinds: Made) -> None:
    table, client = kinds
    put(table, thing("bob"))
    nines = f'"{"9" * 38}"'
    for tags in ('"0"', '"01"', '"1.0"', '"1e0"', 'W/"1"', '"-1"', "", ",", '"9", "8"', nines):
        headers = {"if-match": tags}
        assert client(BOB).patch("/notes/t1", json={"text": "x"}, headers=headers).status == 412, tags
        assert client(BOB).delete("/notes/t1", headers=headers).status == 412, tags
    assert stored(table) == [thing("bob")]


def test_tags_tell_numbers_of_38_digits_apart(make: Make) -> None:
    """Else a write over what somebody else wrote meanwhile would pass as seen."""
    _, client = make(OwnedBy("owner"))
    bob = client(BOB)
    old = bob.post("/notes", json={"uuid": "n", "pay": 10**37 + 1}).headers["etag"]
    assert bob.patch("/notes/n", json={"pay": 10**37 + 2}).headers["etag"] != old
    assert bob.patch("/notes/n", json={"pay": 0}, headers={"if-match": old}).status == 412
    assert bob.get("/notes/n").json["pay"] == 10**37 + 2


# --- cursors --------------------------------------------------------------------------------------------

REPLAYED = {
    "another user": (ALICE, "/notes?team=red"),
    "an administrator": (ADMIN, "/notes?team=red"),
    "another filter": (BOB, "/notes?team=blue"),
    "one more filter": (BOB, "/notes?team=red&pay__gt=1"),
    "another order": (BOB, "/notes?team=red&sort=-pay"),
    "another route": (BOB, "/others?team=red"),
}


@pytest.fixture
def paged(make: Make) -> tuple[Callable[[User | None], Caller], str]:
    """Callers, and Bob's cursor of his list of the red team."""
    app = PolyMicro(cursor_secret=SECRET)
    filters = {"team": ("eq",), "pay": ("gt",)}
    table, _ = make(IsAuthenticated, app=app, filters=filters)
    model = app.routes[0].model
    type("Others", (Verbs,), {"model": model, "route": "others", "filters": filters})(app)
    handler = app.compile()
    put(table, *(note(f"n{number}", "alice") for number in range(3)))
    first = Caller(handler, user=BOB).get("/notes?team=red&limit=1")
    return (lambda user: Caller(handler, user=user)), str(first.json["pagination_key"])


@pytest.mark.parametrize(("user", "path"), REPLAYED.values(), ids=REPLAYED)
def test_a_cursor_is_good_for_its_own_request(paged: Any, user: User, path: str) -> None:
    client, cursor = paged
    with counted() as calls:
        result = client(user).get(f"{path}&pagination_key={cursor}")
    assert (result.status, calls) == (400, [])
    assert len(client(BOB).get(f"/notes?team=red&limit=1&pagination_key={cursor}").json["items"]) == 1


def test_a_cursor_tells_nothing(paged: Any) -> None:
    """It can stand at an item, or hold a field, that its user may not see."""
    _, cursor = paged
    packed, _, _ = cursor.removeprefix(".").rsplit(".", 2)[-3:]
    content = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    content = zlib.decompress(content) if cursor.startswith(".") else content
    assert not [name for name in (b"uuid", b"red", b"1000", b"key") if name in content]


FORGED: dict[str, Callable[[str], str]] = {
    "raw key": lambda _: '{"uuid":{"S":"n1"}}',
    "no signature": lambda cursor: cursor.rsplit(".", 1)[0],
    "another time": lambda cursor: ".".join([cursor.rsplit(".", 2)[0], "zzzzzz", cursor.rsplit(".", 1)[1]]),
    "said compressed": lambda cursor: f".{cursor}",
    "cut": lambda cursor: cursor[3:],
    "of another secret": lambda cursor: cursor.swapcase(),
    "nothing": lambda _: "",
    "a megabyte": lambda cursor: "A" * 500_000 + cursor,
    "dots": lambda _: "." * 500_000,
}


def test_a_forged_cursor(paged: Any) -> None:
    client, cursor = paged
    for said, forge in FORGED.items():
        started = time.process_time()
        with counted() as calls:
            result = client(BOB).get("/notes", query={"team": "red", "pagination_key": forge(cursor)})
        assert (result.status, calls) == (400, []), said
        assert time.process_time() - started < BEARABLE, said


# --- too much -------------------------------------------------------------------------------------------

BEARABLE = 5.0
"""Seconds of this process for one request: far more than each needs, traced or not; what is sought takes minutes."""
MERSENNE = 2**61 - 1


def _body(text: str | bytes) -> Callable[[Caller], Any]:
    return lambda client: client.post("/notes", body=text, headers={"content-type": "application/json"})


def _with(member: str) -> Callable[[Caller], Any]:
    return _body(f'{{"uuid": "n", {member}}}')


def _match(tags: str) -> Callable[[Caller], Any]:
    return lambda client: client.patch("/notes/n", json={"text": "x"}, headers={"if-match": tags})


def _accept(ranges: str) -> Callable[[Caller], Any]:
    return lambda client: client.get("/notes/n", headers={"accept": ranges})


def _query(*pairs: tuple[str, str]) -> Callable[[Caller], Any]:
    return lambda client: client.get("/notes", query=[("team", "red"), *pairs])


HEAVY: dict[str, tuple[int, Callable[[Caller], Any]]] = {
    "lists in lists": (400, _with('"more": ' + "[" * 500_000 + "]" * 500_000)),
    "objects in objects": (400, _with('"more": ' + '{"a":' * 150_000 + "1" + "}" * 150_000)),
    "60 levels": (422, _with('"more": ' + '{"a":' * 60 + "1" + "}" * 60)),
    "a long integer": (422, _with('"pay": ' + "9" * 1_000_000)),
    "a long fraction": (422, _with('"pay": 1.' + "3" * 1_000_000)),
    "a huge exponent": (400, _with('"pay": 1e999999999')),
    "a tiny number": (400, _with('"pay": 1e-999999999')),
    "unknown fields": (422, _body(json.dumps({f"a{number}": 0 for number in range(60_000)}))),
    "long names": (422, _body(json.dumps({"é" * 2000 + str(number): 0 for number in range(60)}))),
    "deep names": (422, _with('"more": {' + '"é":{' * 28 + '"x": "\\ud800"' + "}" * 29)),
    "bad elements": (422, _with('"codes": [' + ",".join(["true"] * 150_000) + "]")),
    "numbers of one hash": (
        422,
        _with(f'"codes": [{",".join(str(MERSENNE * i) for i in range(1, 40_000))}]'),
    ),
    "duplicates": (422, _with('"codes": [' + ",".join(["1"] * 300_000) + "]")),
    "a name twice": (400, _body("{" + ",".join(['"a": 1'] * 100_000) + "}")),
    "over the limit": (413, _with('"text": "' + "x" * 1_048_576 + '"')),
    "blanks over the limit": (413, _body('{"uuid": "n"}' + " " * 1_048_576)),
    "not UTF-8": (400, _body(b'{"text": "\xff"}')),
    "tags": (404, _match(",".join(f'"{number}"' for number in range(100_000)))),
    "an open tag": (400, _match('"' + " " * 500_000 + "\x01")),
    "blanks in tags": (400, _match("," + "\t" * 500_000 + "x")),
    "media ranges": (406, _accept(",".join(["a/b;q=1"] * 100_000))),
    "media parameters": (406, _accept("a/b" + ";q=1" * 200_000)),
    "unknown parameters": (400, _query(*((f"a{number}", "1") for number in range(20_000)))),
    "one parameter": (400, _query(*[("limit", "1")] * 20_000)),
    "operands": (400, _query(("team__in", "a," * 200_000))),
    "long operand": (400, _query(("pay", "9" * 500_000))),
    "far operand": (400, _query(("pay", "1e9999"))),
    "limit": (400, _query(("limit", "9" * 500_000))),
    "limit in other digits": (400, _query(("limit", "\u0661"))),
    "sort": (400, _query(("sort", "-" * 200_000))),
    "segments": (404, lambda client: client.get("/notes" + "/a" * 200_000)),
    "long segment": (404, lambda client: client.get("/notes/" + "a" * 500_000)),
}


@pytest.mark.thorough
def test_heavy_requests_are_refused_soon(make: Make) -> None:
    """In bounded time, with an answer of bounded size, and nothing written."""
    table, client = make(OwnedBy("owner"), filters={"team": ("eq", "in"), "pay": ("eq",)})
    bob = client(BOB)
    for said, (status, send) in HEAVY.items():
        started = time.process_time()
        result = send(bob)
        assert time.process_time() - started < BEARABLE, said
        assert (result.status, len(result.body) < 10_000) == (status, True), said
    assert stored(table) == []


# --- what is broken denies ------------------------------------------------------------------------------


def raised(_: str) -> Any:
    raise LookupError("canary")


BROKEN: dict[str, Callable[[str], Any]] = {
    "raises": raised,
    "None": lambda _: None,
    "False": lambda _: False,
}


@pytest.mark.thorough(but=("raises-*",))
@pytest.mark.parametrize("question", ["has_permission", "has_object_permission", "where"])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_permission_that_looks_at_the_request_and_breaks_denies(
    make: Make, question: str, answer: Callable[[str], Any]
) -> None:
    def asked(self: Any, user: Any, method: str, *about: Any, request: Any) -> Any:
        return answer(request.path)

    rule = type("Broken", (Permission,), {question: asked})
    create = ("POST", "/notes", {"json": {"uuid": "2", "owner": "bob"}})
    for permissions in (rule, rule | HasPermission("none"), rule & Where):
        table, client = make(permissions, Touch, scan=True)
        put(table, note("1", "bob"))
        before = stored(table)
        at_item = [(method, f"/notes/1{path}", said) for method, path, said in AT_ITEM.values()]
        for method, path, said in (*at_item, create):
            result = client(BOB).request(method, path, **said)
            assert (result.status >= 400, '"red"' in result.text) == (True, False)
        assert '"red"' not in client(BOB).get("/notes").text
        assert stored(table) == before
        dynamodb_call("delete_table", TableName=table)


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_so_does_one_of_the_documentation(make: Make, answer: Callable[[str], Any]) -> None:
    """For page, files and document, however the path is written; and the Host of a request is nowhere."""

    class Broken(Permission):
        anonymous = True

        def has_permission(self, user: Any, method: str, request: Any) -> Any:
            return "open" in request.query or answer(request.path)

    _, client = make(AllowAny, app=PolyMicro(cursor_secret=SECRET, docs=Broken))
    files = ("docs.js", "swagger-ui.css", "swagger-ui-bundle.js")
    paths = ("/docs", "/docs/", "/openapi.json", *(f"/docs/{name}" for name in files))
    odd = (
        "//docs",
        "/docs//",
        "/docs/..",
        "/docs/%2e%2e/",
        "/docs/../openapi.json",
        "/docs%2fdocs.js",
        "/DOCS",
    )
    host = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    for source, user in product(("rest", "http", "url", "alb", "lattice"), (None, BOB)):
        for method, path in product(("GET", "HEAD"), (*paths, *odd)):
            result = client(user).request(method, path, source=source, headers=host)
            assert result.status in ((401, 403, 500) if path in paths else (401, 403, 404, 500))
        shown = client(user).get("/openapi.json?open=1", source=source, headers=host)
        assert (shown.status, "evil" in f"{shown.text} {dict(shown.headers)}") == (200, False)


# --- the browser ----------------------------------------------------------------------------------------

ORIGINS = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://APP.example.com",
    "https://app.example.com, https://evil.example",
    "https://app.example.com\r\nx-injected: 1",
    "null",
    "*",
    "",
]


def test_no_other_origin_is_let_in(make: Make) -> None:
    app = PolyMicro(cursor_secret=SECRET, cors=CORS(origins=("https://app.example.com",), credentials=True))
    _, client = make(AllowAny, app=app)
    requests = ("GET", "/notes?team=red"), ("OPTIONS", "/notes"), ("GET", "/nowhere"), ("POST", "/notes")
    for origin, (method, path) in product(ORIGINS, requests):
        headers = {"origin": origin, "access-control-request-method": "DELETE"}
        result = client(None).request(method, path, headers=headers)
        assert not {f"access-control-allow-{name}" for name in ("origin", "credentials")} & set(
            result.headers
        )
        assert ("Origin" in result.headers["vary"], result.headers["cache-control"]) == (True, "no-store")
        assert "evil" not in str(dict(result.headers))


def test_no_header_of_the_request_makes_one_of_the_answer(make: Make) -> None:
    _, client = make(OwnedBy("owner"))
    named = ("x-amzn-trace-id", "host", "x-forwarded-proto", "x-forwarded-host")
    for number, (name, source) in enumerate(product(named, ("alb", "rest", "http", "url"))):
        headers = {name: "evil.example\r\nset-cookie: a=b"}
        result = client(BOB).post("/notes", json={"uuid": f"n{number}"}, headers=headers, source=source)
        assert result.status == 201
        assert "evil" not in str(dict(result.headers))
        assert "set-cookie" not in result.headers
