"""The store under real engines: conditions, races, lists. Run on both: ``--engine moto`` and ``--engine local``."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import meanwhile
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update, User, dynamodb
from polymicro_lambda.dynamodb import client as inside
from polymicro_lambda.permissions import AllowAny, OwnedBy, Permission
from polymicro_lambda.testing import Client, FakeContext
from polymicro_lambda.writes.unique.unique_constraints import reservation_table

pytestmark = pytest.mark.usefixtures("dynamodb")

ALICE, BOB = User("alice"), User("bob")
GONE = "There is no such item, or you may not see it."


def table(model: type[Model], name: str) -> None:
    meta: Any = model.Meta
    meta.table_name = name
    model.create_table(wait=True, read_capacity_units=5, write_capacity_units=5)


def raw_put(model: type[Model], **item: Any) -> None:
    inside.execute(model, "PutItem", Item=item)


def raw_items(model: type[Model]) -> list[dict[str, Any]]:
    found = inside.execute(model, "Scan", ConsistentRead=True)["Items"]
    return sorted(found, key=repr)


class All(ModelResource, Create, List, Retrieve, Update, Delete):
    """A resource of every verb; the tests give it model and rule."""

    route = "x"
    permissions: ClassVar[Any] = AllowAny
    scan = True


def client(of: type[Model], *, user: User | None = ALICE, resource: type = All, **members: Any) -> Client:
    pm = PolyMicro()
    type("Resource", (resource,), {"model": of, **members})(pm)
    return Client(pm, user=user)


def replace_execute(monkeypatch: pytest.MonkeyPatch, execute: Any) -> None:
    """Let this make the calls, of the wing itself and of those who use its doorway."""
    for place in (dynamodb, inside):
        monkeypatch.setattr(place, "execute", execute)


def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which operations the store calls from now on."""
    made: list[str] = []
    execute = inside.execute

    def noting(model: Any, operation: str, **arguments: Any) -> Any:
        made.append(operation)
        return execute(model, operation, **arguments)

    replace_execute(monkeypatch, noting)
    return made


# --- one item -------------------------------------------------------------------------------------------


@pytest.fixture
def note(table_name: str) -> type[Model]:
    class Note(Model):
        class Meta:
            table_name = "unnamed"

        owner = UnicodeAttribute(hash_key=True, attr_name="o")
        id = UnicodeAttribute(range_key=True, attr_name="i")
        text = UnicodeAttribute(null=True, attr_name="t")
        done = BooleanAttribute(default=False)

    table(Note, table_name)
    return Note


def stored(owner: str = "alice", key: str = "1", **more: Any) -> dict[str, Any]:
    return {"o": {"S": owner}, "i": {"S": key}, "done": {"BOOL": False}, **more}


def test_create(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    made = calls(monkeypatch)
    result = client(note).post("/x", json={"owner": "alice", "id": "1", "text": "a"})
    assert (result.status, made) == (201, ["PutItem"])
    assert result.json == {"owner": "alice", "id": "1", "text": "a", "done": False}
    assert raw_items(note) == [stored(t={"S": "a"})]


def test_create_never_overwrites(note: type[Model]) -> None:
    raw_put(note, **stored(t={"S": "old"}))
    result = client(note).post("/x", json={"owner": "alice", "id": "1", "text": "new"})
    assert (result.status, result.json["detail"]) == (409, "There is an item with this key already.")
    assert raw_items(note) == [stored(t={"S": "old"})]


def test_update_touches_only_what_is_given(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Attributes that the model does not declare stay; one round trip."""
    raw_put(note, **stored(t={"S": "a"}, other={"M": {"x": {"N": "1"}}}))
    api, made = client(note), calls(monkeypatch)
    result = api.patch("/x/alice/1", json={"done": True})
    assert (result.status, made) == (200, ["UpdateItem"])
    assert result.json == {"owner": "alice", "id": "1", "text": "a", "done": True}
    assert raw_items(note) == [
        stored(t={"S": "a"}, other={"M": {"x": {"N": "1"}}}) | {"done": {"BOOL": True}}
    ]


def test_a_verb_may_say_the_key_again(note: type[Model]) -> None:
    """As it is: then it is no change."""

    class Saying(All):
        def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
            return super().update(instance, req | {"owner": instance.owner, "id": instance.id}, user)

    raw_put(note, **stored())
    assert client(note, resource=Saying).patch("/x/alice/1", json={"text": "a"}).status == 200
    assert raw_items(note) == [stored(t={"S": "a"})]


def test_null_removes(note: type[Model]) -> None:
    raw_put(note, **stored(t={"S": "a"}))
    assert client(note).patch("/x/alice/1", json={"text": None}).json["text"] is None
    assert raw_items(note) == [stored()]


def test_replace(note: type[Model]) -> None:
    """Declared attributes take what is given, their default or nothing; the others stay."""
    raw_put(note, **stored(t={"S": "a"}, other={"S": "kept"}) | {"done": {"BOOL": True}})
    assert client(note).put("/x/alice/1", json={}).status == 200
    assert raw_items(note) == [stored(other={"S": "kept"})]


def test_an_empty_patch_writes_nothing(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    raw_put(note, **stored())
    api, made = client(note), calls(monkeypatch)
    assert api.patch("/x/alice/1", json={}).status == 200
    assert made == ["GetItem"]


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {}), ("PATCH", {"text": "a"}), ("PUT", {"text": "a"}), ("DELETE", None)],
    ids=["retrieve", "empty patch", "patch", "put", "delete"],
)
def test_a_missing_item(note: type[Model], method: str, body: Any) -> None:
    """Nothing is resurrected, and nothing succeeds."""
    sent = {} if body is None else {"json": body}
    result = client(note).request(method, "/x/alice/1", **sent)
    assert (result.status, result.json["detail"], raw_items(note)) == (404, GONE, [])


def test_delete(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    raw_put(note, **stored())
    api, made = client(note), calls(monkeypatch)
    assert (api.delete("/x/alice/1").status, made) == (204, ["DeleteItem"])
    assert raw_items(note) == []
    assert api.delete("/x/alice/1").status == 404


def test_a_verb_may_not_leave_an_item_incomplete(table_name: str) -> None:
    """What is still missing before the write is a 422, on create as on update."""

    class Strict(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute()

    class Careless(All):
        def create(self, req: dict[str, Any], user: Any) -> Any:
            del req["text"]
            return super().create(req, user)

        def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
            req["text"] = None
            return super().update(instance, req, user)

    table(Strict, table_name)
    raw_put(Strict, id={"S": "1"}, text={"S": "a"})
    api = client(Strict, resource=Careless)
    errors = [{"pointer": "#/text", "detail": "Missing data for required field."}]
    for result in (api.post("/x", json={"id": "2", "text": "b"}), api.patch("/x/1", json={"text": "b"})):
        assert (result.status, result.json["errors"]) == (422, errors)
    assert raw_items(Strict) == [{"id": {"S": "1"}, "text": {"S": "a"}}]


@pytest.mark.parametrize("seconds", [1.4, 0.0], ids=["too little", "none"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/x"), ("PATCH", "/x/alice/1"), ("DELETE", "/x/alice/1")]
)
def test_no_write_starts_too_late(note: type[Model], method: str, path: str, seconds: float) -> None:
    raw_put(note, **stored())
    body = (
        {}
        if method == "DELETE"
        else {"json": {"text": "b"} | ({"owner": "a", "id": "2"} if path == "/x" else {})}
    )
    result = client(note).request(method, path, context=FakeContext(timeout=seconds), **body)
    assert (result.status, "retry-after" in result.headers, raw_items(note)) == (503, True, [stored()])


# --- keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "value", "segment", "raw"),
    [
        pytest.param(
            lambda: UnicodeAttribute(hash_key=True), "é /?", "%C3%A9%20%2F%3F", {"S": "é /?"}, id="text"
        ),
        pytest.param(lambda: NumberAttribute(hash_key=True), 42, "42", {"N": "42"}, id="number"),
        pytest.param(lambda: NumberAttribute(hash_key=True), -1.5, "-1.5", {"N": "-1.5"}, id="fraction"),
        pytest.param(lambda: NumberAttribute(hash_key=True), 0, "0", {"N": "0"}, id="zero"),
        pytest.param(
            lambda: BinaryAttribute(hash_key=True, legacy_encoding=False),
            "+/8=",
            "-_8",
            {"B": b"\xfb\xff"},
            id="binary",
        ),
    ],
)
def test_kinds_of_keys(
    attribute: Callable[[], Any], value: Any, segment: str, raw: Any, table_name: str
) -> None:
    class Keyed(Model):
        class Meta:
            table_name = "unnamed"

        key = attribute()
        text = UnicodeAttribute(null=True)

    table(Keyed, table_name)
    api = client(Keyed)
    created = api.post("/x", json={"key": value})
    assert (created.status, created.headers["location"]) == (201, f"x/{segment}")
    assert raw_items(Keyed) == [{"key": raw}]
    assert api.get(f"/x/{segment}").json == {"key": value, "text": None}
    assert api.patch(f"/x/{segment}", json={"text": "a"}).json == {"key": value, "text": "a"}
    assert [row["key"] for row in api.get("/x").json["items"]] == [value]
    assert (api.delete(f"/x/{segment}").status, raw_items(Keyed)) == (204, [])


@pytest.mark.parametrize("segment", ["x", "1e999", "+1", "%20", "1_0", "NaN"])
def test_no_key_costs_no_call(segment: str, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbered(Model):
        class Meta:
            table_name = "unnamed"

        key = NumberAttribute(hash_key=True)

    table(Numbered, table_name)
    api, made = client(Numbered), calls(monkeypatch)
    assert (api.get(f"/x/{segment}").status, api.delete(f"/x/{segment}").status, made) == (404, 404, [])


# --- version, TTL, kinds --------------------------------------------------------------------------------


@pytest.fixture
def versioned(table_name: str) -> type[Model]:
    class Versioned(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        version = VersionAttribute(attr_name="v")

    table(Versioned, table_name)
    return Versioned


@pytest.mark.usefixtures("versions_from_1")
def test_the_version_counts_writes(versioned: type[Model]) -> None:
    api = client(versioned)
    seen = [
        api.post("/x", json={"id": "1"}).json["version"],
        api.patch("/x/1", json={"text": "a"}).json["version"],
        api.put("/x/1", json={"text": "b"}).json["version"],
        api.patch("/x/1", json={}).json["version"],
    ]
    assert (seen, raw_items(versioned)[0]["v"]) == ([1, 2, 3, 3], {"N": "3"})


def test_an_item_from_before_there_were_versions(versioned: type[Model]) -> None:
    raw_put(versioned, id={"S": "1"})
    assert client(versioned).patch("/x/1", json={"text": "a"}).json["version"] == 1


class Seen(Permission):
    """An opaque rule that relies on the key alone."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.id)


class Young(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.version < 3


class YoungInPython(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.version < 3)


@pytest.mark.usefixtures("versions_from_1")
@pytest.mark.parametrize("members", [{}, {"unique": ("text",)}], ids=["plain", "unique"])
@pytest.mark.parametrize(
    "rule", [Young, YoungInPython, (Seen, Young), Young | ~Seen()], ids=["where", "opaque", "&", "|"]
)
def test_a_rule_may_be_about_the_version(versioned: type[Model], rule: Any, members: Any) -> None:
    """It holds for the new state, too: of a new item version 1, of an update the version that it counts up to."""
    api = client(versioned, permissions=rule, **members)
    if members:
        reservation_table(versioned).create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    assert api.post("/x", json={"id": "1"}).status == 201
    assert [api.patch("/x/1", json={"text": text}).status for text in "abc"] == [200, 403, 403]
    assert (raw_items(versioned)[0]["v"], api.patch("/x/1", json={}).status) == ({"N": "2"}, 200)
    assert api.delete("/x/1").status == 204


@pytest.mark.parametrize("rule", [Young, YoungInPython], ids=["where", "opaque"])
def test_the_version_that_a_rule_lets_pass_is_the_one_that_is_written(
    versioned: type[Model], rule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer has counted it up meanwhile: the rule is asked again."""
    raw_put(versioned, id={"S": "1"}, v={"N": "1"})
    api = client(versioned, permissions=rule)
    race(versioned, monkeypatch, iter([{"id": {"S": "1"}, "v": {"N": "2"}}]))
    assert (api.patch("/x/1", json={"text": "a"}).status, raw_items(versioned)[0]["v"]) == (403, {"N": "2"})


@pytest.mark.parametrize("body", [{"id": "1", "version": 7}, {"id": "1", "v": 7}], ids=["name", "attr_name"])
def test_no_client_sets_the_version(versioned: type[Model], body: Any) -> None:
    assert (client(versioned).post("/x", json=body).status, raw_items(versioned)) == (422, [])


@pytest.fixture
def session(table_name: str) -> type[Model]:
    class Session(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        expires = TTLAttribute(null=True, attr_name="ttl")

    table(Session, table_name)
    return Session


def ttl(minutes: int) -> dict[str, str]:
    return {"N": str(int((datetime.now(UTC) + timedelta(minutes=minutes)).timestamp()))}


@pytest.mark.parametrize(
    ("item", "alive"),
    [
        pytest.param({"ttl": ttl(60)}, True, id="in an hour"),
        pytest.param({}, True, id="never"),
        pytest.param({"ttl": ttl(-1)}, False, id="a minute ago"),
        pytest.param({"ttl": {"N": "0"}}, False, id="1970"),
    ],
)
def test_an_expired_item_is_gone(session: type[Model], item: dict[str, Any], alive: bool) -> None:
    """For every verb, although DynamoDB has not removed it yet."""
    raw_put(session, id={"S": "1"}, text={"S": "old"}, **item)
    api = client(session)
    statuses = {
        "list": len(api.get("/x").json["items"]),
        "get": api.get("/x/1").status,
        "patch": api.patch("/x/1", json={"text": "b"}).status,
        "delete": api.delete("/x/1").status,
    }
    expected = (1, 200, 200, 204) if alive else (0, 404, 404, 404)
    assert statuses == dict(zip(("list", "get", "patch", "delete"), expected, strict=True))


def test_an_expired_items_key_is_free(session: type[Model]) -> None:
    raw_put(session, id={"S": "1"}, text={"S": "old"}, ttl=ttl(-5))
    assert client(session).post("/x", json={"id": "1"}).status == 201
    assert raw_items(session) == [{"id": {"S": "1"}}]


def test_kinds_share_a_table(table_name: str) -> None:
    """An item of another kind is not there for any verb, but its key is taken."""

    class Animal(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(null=True)
        kind = DiscriminatorAttribute(attr_name="k")

    class Cat(Animal, discriminator="Cat"):
        pass

    class Dog(Animal, discriminator="Dog"):
        pass

    class Puppy(Dog, discriminator="Puppy"):
        pass

    table(Animal, table_name)
    for kind in ("Cat", "Dog", "Puppy"):
        raw_put(Animal, id={"S": kind.lower()}, k={"S": kind})
    raw_put(Animal, id={"S": "rock"})
    api = client(Dog)
    assert {i["id"] for i in api.get("/x").json["items"]} == {"dog", "puppy"}
    for id_, status in {"dog": 200, "puppy": 200, "cat": 404, "rock": 404, "none": 404}.items():
        assert (id_, api.get(f"/x/{id_}").status) == (id_, status)
        assert (id_, api.patch(f"/x/{id_}", json={"name": "a"}).status) == (id_, status)
    assert api.delete("/x/cat").status == 404
    assert api.post("/x", json={"id": "cat"}).status == 409
    assert api.post("/x", json={"id": "new"}).json == {"id": "new", "name": None, "kind": "Dog"}
    kinds = {item["id"]["S"]: item.get("k") for item in raw_items(Animal)}
    assert kinds == {
        "cat": {"S": "Cat"},
        "dog": {"S": "Dog"},
        "new": {"S": "Dog"},
        "puppy": {"S": "Puppy"},
        "rock": None,
    }


# --- rules ----------------------------------------------------------------------------------------------


class Mine(Permission):
    """An opaque rule."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Open(Permission):
    """An opaque rule on what changes: only what is not done may be touched."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return not instance.done


class OwnRows(Permission):
    """The same rule as ``Mine``, as a condition."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


RULES = {"opaque": Mine, "condition": OwnRows, "OwnedBy or nothing": OwnedBy("owner") | ~AllowAny()}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {"text": "b"}), ("PATCH", {}), ("PUT", {"text": "b"}), ("DELETE", None)],
    ids=["get", "patch", "empty patch", "put", "delete"],
)
def test_a_hidden_item_is_a_missing_one(note: type[Model], rule: Any, method: str, body: Any) -> None:
    """Byte for byte."""
    raw_put(note, **stored("bob"))
    sent = {} if body is None else {"json": body}
    api = client(note, permissions=rule)
    hidden, missing = (api.request(method, f"/x/bob/{id_}", **sent) for id_ in "12")
    assert (hidden.status, hidden.body, hidden.headers) == (404, missing.body, missing.headers)
    assert raw_items(note) == [stored("bob")]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_rule_holds_for_the_new_item(note: type[Model], rule: Any) -> None:
    api = client(note, permissions=rule)
    assert api.post("/x", json={"owner": "bob", "id": "1"}).status == 403
    assert api.post("/x", json={"owner": "alice", "id": "1"}).status == 201
    assert raw_items(note) == [stored()]


def test_the_rule_holds_for_the_result_of_an_update(note: type[Model]) -> None:
    raw_put(note, **stored())
    api = client(note, permissions=Open)
    assert (api.patch("/x/alice/1", json={"done": True}).status, raw_items(note)) == (403, [stored()])
    assert api.patch("/x/alice/1", json={"text": "a"}).status == 200


def test_nobody_gives_an_item_away(table_name: str) -> None:
    """A verb of the resource may say what a client cannot: the owner. The rule holds of the result all the same."""

    class Task(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(attr_name="o")
        text = UnicodeAttribute(null=True)

    class Giving(All):
        def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
            return super().update(instance, req | {"owner": req["text"]}, user)

    table(Task, table_name)
    item = {"id": {"S": "1"}, "o": {"S": "alice"}}
    raw_put(Task, **item)
    api = client(Task, resource=Giving, permissions=OwnedBy("owner"))
    result = api.patch("/x/1", json={"text": "bob"})
    assert (result.status, raw_items(Task)) == (403, [item])
    assert api.patch("/x/1", json={"text": "alice"}).status == 200
    assert raw_items(Task) == [item | {"text": {"S": "alice"}}]


def test_a_condition_is_judged_before_and_after_an_update(note: type[Model]) -> None:
    class NotDone(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.done == False  # noqa: E712 - a condition

    raw_put(note, **stored())
    raw_put(note, **stored(key="2") | {"done": {"BOOL": True}})
    api, before = client(note, permissions=NotDone), raw_items(note)
    assert api.patch("/x/alice/1", json={"done": True}).status == 403
    assert api.patch("/x/alice/2", json={"done": False}).status == 404
    assert raw_items(note) == before


def test_a_denied_item_that_may_be_seen(note: type[Model]) -> None:
    """403 where the user may retrieve it, and that is said of no other."""

    class SeeAll(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return method == "retrieve" or instance.owner == user.uuid

    raw_put(note, **stored("bob"))
    api = client(note, permissions=SeeAll)
    assert [api.get("/x/bob/1").status, api.delete("/x/bob/1").status, api.delete("/x/bob/2").status] == [
        200,
        403,
        404,
    ]


@pytest.mark.parametrize(
    ("rule", "operations"),
    [
        pytest.param(OwnRows, ["UpdateItem"], id="a condition goes with the write"),
        pytest.param(Mine, ["GetItem", "UpdateItem"], id="an opaque rule reads first"),
    ],
)
def test_round_trips(
    note: type[Model], rule: Any, operations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_put(note, **stored())
    api, made = client(note, permissions=rule), calls(monkeypatch)
    assert (api.patch("/x/alice/1", json={"text": "b"}).status, made) == (200, operations)


# --- races ----------------------------------------------------------------------------------------------


def race(model: type[Model], monkeypatch: pytest.MonkeyPatch, moves: Iterator[dict[str, Any]]) -> list[str]:
    """Before each write of the store another writer does the next of ``moves``, while there are any."""
    made: list[str] = []
    execute = inside.execute

    def racing(of: Any, operation: str, **arguments: Any) -> Any:
        made.append(operation)
        if operation in ("UpdateItem", "DeleteItem") and (move := next(moves, None)) is not None:
            if move:
                execute(of, "PutItem", Item=move)
            else:
                execute(of, "DeleteItem", Key=arguments["Key"])
        return execute(of, operation, **arguments)

    replace_execute(monkeypatch, racing)
    return made


class Counted(Permission):
    """An opaque rule that relies on owner and text."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid and instance.text != "locked")


def texts(*values: str) -> Iterator[dict[str, Any]]:
    """Writes of another."""
    return iter([stored(t={"S": value}) for value in values])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("moves", "ok", "writes"),
    [
        pytest.param((), True, 1, id="nobody else"),
        pytest.param(("b",), True, 2, id="once"),
        pytest.param(("b", "c"), True, 3, id="twice"),
        pytest.param(("b", "c", "d"), False, 3, id="three times"),
    ],
)
def test_a_lost_race_is_tried_again(
    note: type[Model],
    method: str,
    moves: tuple[str, ...],
    ok: bool,
    writes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the read, twice; then it is a conflict and nothing is written."""
    raw_put(note, **stored(t={"S": "a"}))
    api, made = client(note, permissions=Counted), race(note, monkeypatch, texts(*moves))
    sent: dict[str, Any] = {"json": {"done": True}} if method == "PATCH" else {}
    result = api.request(method, "/x/alice/1", **sent)
    assert sum(operation != "GetItem" for operation in made) == writes
    last = stored(t={"S": moves[-1] if moves else "a"})
    done = {"PATCH": [last | {"done": {"BOOL": True}}], "DELETE": []}[method]
    assert raw_items(note) == (done if ok else [last])
    assert (result.status, "retry-after" in result.headers) == (
        {"PATCH": 200, "DELETE": 204}[method] if ok else 409,
        not ok,
    )
    assert ok or result.json["detail"] == "Somebody else keeps changing this item: try again."


class Never(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return False


class Unlocked(Permission):
    """As a condition, but one that no write can carry beside an opaque rule."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.text != "locked"


@pytest.mark.parametrize("rule", [Counted, Never | Unlocked()], ids=["opaque", "opaque or a condition"])
@pytest.mark.parametrize("body", [{"done": True}, {"text": "b"}, None], ids=["patch", "patch text", "delete"])
@pytest.mark.parametrize(
    ("move", "left"),
    [
        pytest.param(stored(t={"S": "locked"}), [stored(t={"S": "locked"})], id="the rule stops holding"),
        pytest.param({}, [], id="the item is gone"),
    ],
)
def test_a_race_that_denies(
    note: type[Model], rule: Any, body: Any, move: dict[str, Any], left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is asked again about what is there now; nothing is written, nothing resurrected."""
    raw_put(note, **stored(t={"S": "a"}))
    api = client(note, permissions=rule)
    race(note, monkeypatch, iter([move]))
    result = api.delete("/x/alice/1") if body is None else api.patch("/x/alice/1", json=body)
    assert (result.status, raw_items(note)) == (404, left)


def test_what_is_gone_is_not_made_again(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a rule that asks nothing of the item either."""

    class Careless(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return True

    raw_put(note, **stored())
    api = client(note, permissions=Careless)
    race(note, monkeypatch, iter([{}]))
    assert (api.patch("/x/alice/1", json={"text": "a"}).status, raw_items(note)) == (404, [])


def test_a_race_about_the_result(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the item as it would be made the rule look at is relied on too."""

    class NotBoth(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return not (instance.done and instance.text == "locked")

    raw_put(note, **stored(t={"S": "a"}))
    api = client(note, permissions=NotBoth)
    race(note, monkeypatch, texts("locked"))
    assert api.patch("/x/alice/1", json={"done": True}).status == 403
    assert raw_items(note) == [stored(t={"S": "locked"})]


def test_the_version_may_change_where_none_was_asked_for(
    versioned: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_put(versioned, id={"S": "1"}, v={"N": "1"})
    api = client(versioned, permissions=Seen)
    made = race(versioned, monkeypatch, iter([{"id": {"S": "1"}, "v": {"N": "5"}}]))
    assert api.patch("/x/1", json={"text": "b"}).json == {"id": "1", "text": "b", "version": 6}
    assert made == ["GetItem", "UpdateItem"]


def test_what_the_rule_did_not_read_may_change(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was relied on is a condition of the write."""
    raw_put(note, **stored(t={"S": "a"}))
    api, made = client(note, permissions=Mine), race(note, monkeypatch, texts("b"))
    assert (api.patch("/x/alice/1", json={"done": True}).status, made) == (200, ["GetItem", "UpdateItem"])
    assert raw_items(note) == [stored(t={"S": "b"}) | {"done": {"BOOL": True}}]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda i: i.text, id="attribute"),
        pytest.param(lambda i: i.attribute_values["text"], id="attribute_values[]"),
        pytest.param(lambda i: dict(i.attribute_values)["text"], id="dict()"),
        pytest.param(lambda i: {**i.attribute_values}["text"], id="**"),
        pytest.param(lambda i: list(i.attribute_values.values())[-1], id="values()"),
        pytest.param(lambda i: [v for k, v in i.attribute_values.items() if k == "text"], id="items()"),
        pytest.param(lambda i: i.attribute_values.copy()["text"], id="copy()"),
        pytest.param(lambda i: "text" in i.attribute_values, id="in"),
        pytest.param(lambda i: i.serialize()["t"], id="serialize"),
        pytest.param(lambda i: i.to_simple_dict()["t"], id="to_simple_dict"),
        pytest.param(lambda i: i.to_dynamodb_dict()["t"], id="to_dynamodb_dict"),
        pytest.param(lambda i: list(i.attribute_values.keys()), id="keys()"),
        pytest.param(lambda i: [name for name in i.attribute_values if name == "text"], id="for"),
    ],
)
def test_every_way_to_read_is_noted(
    note: type[Model], read: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a rule looks at an attribute, a write waits for nobody who changed it."""

    class Looks(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return bool(read(instance)) or True

    raw_put(note, **stored(t={"S": "a"}))
    api, made = client(note, permissions=Looks), race(note, monkeypatch, texts("b"))
    assert api.delete("/x/alice/1").status == 204
    assert made.count("DeleteItem") == 2


# --- writes whose answer was lost -----------------------------------------------------------------------


def lose(monkeypatch: pytest.MonkeyPatch, *, done: bool, then: Any = None) -> None:
    """Let the next write get no answer, though it was ``done``; ``then`` another writer puts this item."""
    execute = inside.execute
    lost: list[str] = []

    def losing(of: Any, operation: str, **arguments: Any) -> Any:
        if operation == "GetItem" or lost:
            return execute(of, operation, **arguments)
        lost.append(operation)
        if done:
            execute(of, operation, **arguments)
        if then is not None:
            execute(of, "PutItem", Item=then)
        raise ReadTimeoutError(endpoint_url="https://hidden.example.com")

    replace_execute(monkeypatch, losing)


OTHERS = {"id": {"S": "1"}, "text": {"S": "theirs"}, "v": {"N": "9"}}


@pytest.mark.parametrize(
    ("method", "done", "then", "status"),
    [
        pytest.param("POST", True, None, 201, id="created"),
        pytest.param("POST", False, None, 503, id="not created"),
        pytest.param("POST", False, OTHERS, 503, id="created by another"),
        pytest.param("PATCH", True, None, 200, id="updated"),
        pytest.param("PATCH", True, OTHERS, 503, id="updated, then by another"),
        pytest.param("PATCH", False, None, 503, id="not updated"),
        pytest.param("PUT", True, None, 200, id="replaced"),
        pytest.param("DELETE", True, None, 204, id="deleted"),
        pytest.param("DELETE", False, None, 503, id="not deleted"),
        pytest.param("DELETE", True, OTHERS, 503, id="deleted, then made by another"),
    ],
)
def test_a_lost_answer(
    versioned: type[Model], method: str, done: bool, then: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item is read again: what is there is our write, or the answer is 503 with ``Retry-After``."""
    if method != "POST":
        raw_put(versioned, id={"S": "1"}, v={"N": "1"})
    api = client(versioned)
    bodies = {"POST": {"id": "1", "text": "mine"}, "PATCH": {"text": "mine"}, "PUT": {"text": "mine"}}
    lose(monkeypatch, done=done, then=then)
    sent: dict[str, Any] = {"json": bodies[method]} if method in bodies else {}
    result = api.request(method, "/x" if method == "POST" else "/x/1", **sent)
    assert (result.status, "retry-after" in result.headers, "hidden" in result.text) == (
        status,
        status == 503,
        False,
    )


@pytest.mark.parametrize(
    ("tag", "then", "status"),
    [
        pytest.param('"1"', None, 200, id="ours"),
        pytest.param('"1"', {"v": {"N": "9"}}, 503, id="of a later version"),
        pytest.param('"1"', {}, 503, id="of no version"),
        pytest.param("*", {"v": {"N": "9"}}, 200, id="any version is right"),
        pytest.param(None, {"v": {"N": "9"}}, 200, id="none was asked for"),
    ],
)
def test_a_lost_answer_where_another_wrote_the_same(
    versioned: type[Model], tag: str | None, then: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what follows the version that the request named is its own doing."""
    raw_put(versioned, id={"S": "1"}, v={"N": "1"})
    api = client(versioned, permissions=Seen)
    others = None if then is None else {"id": {"S": "1"}, "text": {"S": "mine"}, **then}
    lose(monkeypatch, done=True, then=others)
    headers = {} if tag is None else {"If-Match": tag}
    assert api.patch("/x/1", json={"text": "mine"}, headers=headers).status == status


# --- preconditions and unique values --------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"text": "b"}, {}, None], ids=["patch", "empty patch", "delete"])
@pytest.mark.parametrize("kind", ["versioned", "session"], ids=["version", "digest"])
def test_a_precondition(kind: str, body: Any, request: pytest.FixtureRequest) -> None:
    """Of what has changed nothing is written, and the answer shows it as it is; else the write goes."""
    model = request.getfixturevalue(kind)
    api = client(model)
    old = api.post("/x", json={"id": "1"}).headers["etag"]
    new = api.patch("/x/1", json={"text": "a"}).headers["etag"]
    before = raw_items(model)

    def asked(tag: str) -> Any:
        headers = {"If-Match": tag}
        return (
            api.delete("/x/1", headers=headers)
            if body is None
            else api.patch("/x/1", json=body, headers=headers)
        )

    late = asked(old)
    assert (late.status, late.json["current"]["text"], late.headers["etag"]) == (412, "a", new)
    assert raw_items(model) == before
    assert asked(new).status == (204 if body is None else 200)


@pytest.mark.parametrize("tag", ['"1"', '"x"', '"1", "x"'])
@pytest.mark.parametrize("kind", ["versioned", "session"], ids=["version", "digest"])
def test_a_tag_of_no_item(kind: str, tag: str, request: pytest.FixtureRequest) -> None:
    """Whether it looks like a version or not."""
    model = request.getfixturevalue(kind)
    api = client(model)
    api.post("/x", json={"id": "1"})
    api.patch("/x/1", json={"text": "a"})
    before = raw_items(model)
    assert api.patch("/x/1", json={"text": "b"}, headers={"If-Match": tag}).status == 412
    assert raw_items(model) == before


def test_a_version_asked_for_costs_no_read(versioned: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    api = client(versioned)
    tag = api.post("/x", json={"id": "1"}).headers["etag"]
    made = calls(monkeypatch)
    assert api.patch("/x/1", json={"text": "a"}, headers={"If-Match": tag}).status == 200
    assert made == ["UpdateItem"]


@pytest.fixture(params=["plain", "versioned"])
def member(request: pytest.FixtureRequest, table_name: str) -> type[Model]:
    class Member(Model):
        class Meta:
            table_name = "unnamed"

        id = UnicodeAttribute(hash_key=True)
        email = UnicodeAttribute(null=True, attr_name="e")
        text = UnicodeAttribute(null=True)

    class Versioned(Member):
        class Meta:
            table_name = "unnamed"

        version = VersionAttribute()

    model = Versioned if request.param == "versioned" else Member
    table(model, table_name)
    table(reservation_table(model), f"{table_name}_unique")
    return model


def test_a_taken_value(member: type[Model]) -> None:
    """By create and update; it is free again when its item is gone or has another."""
    api = client(member, unique="email")
    posts = [api.post("/x", json={"id": id_, "email": email}).status for id_, email in ("1a", "2a", "2b")]
    assert posts == [201, 409, 201]
    assert api.patch("/x/2", json={"email": "a"}).status == 409
    assert [api.delete("/x/1").status, api.patch("/x/2", json={"email": "a"}).status] == [204, 200]
    assert len(raw_items(reservation_table(member))) == 1
    assert api.post("/x", json={"id": "3", "email": "b"}).status == 201


@pytest.mark.usefixtures("versions_from_1")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        pytest.param({"text": "theirs"}, {"email": "b"}, id="something else"),
        pytest.param({"email": "c"}, {"email": "b"}, id="the value"),
        pytest.param({"email": "c"}, {"email": "a"}, id="the value, that was to stay"),
    ],
)
def test_a_unique_value_in_a_race(member: type[Model], theirs: Any, ours: Any) -> None:
    """What is answered is what is stored, and the value that it shows is taken, no other."""
    api = client(member, unique="email")
    api.post("/x", json={"id": "1", "email": "a", "text": "old"})
    with meanwhile(lambda: api.patch("/x/1", json=theirs)):
        result = api.patch("/x/1", json=ours)
    assert result.json == {"id": "1", "text": "old"} | theirs | ours | (
        {"version": 3} if "version" in result.json else {}
    )
    assert api.get("/x/1").json == result.json
    statuses = [api.post("/x", json={"id": email, "email": email}).status for email in "abc"]
    assert statuses == [409 if email == result.json["email"] else 201 for email in "abc"]


def test_what_has_nothing_to_do_with_a_unique_value_costs_no_read(
    member: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = client(member, unique="email")
    api.post("/x", json={"id": "1", "email": "a"})
    made = calls(monkeypatch)
    assert (api.patch("/x/1", json={"text": "b"}).status, made) == (200, ["UpdateItem"])


def test_a_value_set_while_its_item_is_deleted(member: type[Model]) -> None:
    """No reservation stays for an item that is gone."""
    api = client(member, unique="email")
    api.post("/x", json={"id": "1"})
    with meanwhile(lambda: api.patch("/x/1", json={"email": "a"})):
        assert api.delete("/x/1").status == 204
    assert raw_items(reservation_table(member)) == []


def test_a_rule_beside_a_unique_value(member: type[Model]) -> None:
    """Whoever writes past this package, and so counts no version, is noticed by what the rule relied on."""
    api = client(member, unique="email", permissions=Never | Unlocked())
    api.post("/x", json={"id": "1", "email": "a"})
    locked = raw_items(member)[0] | {"text": {"S": "locked"}}
    with meanwhile(lambda: raw_put(member, **locked)):
        assert api.patch("/x/1", json={"email": "b"}).status == 404
    assert raw_items(member) == [locked]


# --- lists ----------------------------------------------------------------------------------------------


class Lister(ModelResource, List):
    """Lists the partition in the path."""

    route = "{owner}"
    permissions: ClassVar[Any] = AllowAny


def pages(api: Client, path: str = "/alice", **query: Any) -> list[list[str]]:
    """The ids of every page, to the end."""
    found: list[list[str]] = []
    while len(found) < 50:
        result = api.get(path, query=query)
        assert result.status == 200, result.text
        found.append([row["id"] for row in result.json["items"]])
        query["pagination_key"] = result.json["pagination_key"]
        if query["pagination_key"] is None:
            return found
    raise AssertionError("no end")


def flat(found: list[list[str]]) -> list[str]:
    return [id_ for page in found for id_ in page]


def fill(model: type[Model], count: int, **more: Any) -> list[str]:
    ids = [f"{number:03}" for number in range(count)]
    for id_ in ids:
        raw_put(model, **stored(key=id_, **more))
    return ids


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_join(note: type[Model], limit: int) -> None:
    """No row twice, none left out, in order, whatever the size."""
    ids = fill(note, 7)
    raw_put(note, **stored("bob"))
    found = pages(client(note, resource=Lister), limit=limit)
    assert flat(found) == ids
    assert all(len(page) == limit for page in found[: 7 // limit])


class Even(Permission):
    """An opaque rule that hides every other row."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(int(instance.id) % 2 == 0)


def test_a_judged_page_is_refilled(note: type[Model]) -> None:
    ids = fill(note, 9)
    found = pages(client(note, resource=Lister, permissions=Even), limit=2)
    assert (flat(found), len(found[0]), len(found[1])) == (ids[::2], 2, 2)


def test_the_read_budget_ends_a_page(note: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that nobody may see cost no more than the budget for each request; the next goes on exactly there."""
    fill(note, 6)
    api = client(note, resource=Lister, permissions=Even, read_budget=1)
    assert flat(pages(api, limit=1)) == ["000", "002", "004"]
    denied = client(note, resource=Lister, permissions=Never, read_budget=2)
    first = denied.get("/alice", query={"limit": 1}).json
    assert (first["items"], first["pagination_key"] is None) == ([], False)


def test_time_left_ends_a_page(note: type[Model]) -> None:
    fill(note, 6)
    api = client(note, resource=Lister, permissions=Never, read_budget=100)
    first = api.get("/alice", query={"limit": 1}, context=FakeContext(timeout=1.0)).json
    assert (first["items"], first["pagination_key"] is None) == ([], False)


def test_a_poison_row(note: type[Model], caplog: pytest.LogCaptureFixture) -> None:
    """500 on retrieve; left out of a list, which says so in the log with a hash of its key, not the key."""
    fill(note, 3)
    raw_put(note, **stored(key="001") | {"done": {"S": "text, no boolean"}})
    api = client(note)
    with caplog.at_level(logging.ERROR):
        assert flat(pages(client(note, resource=Lister))) == ["000", "002"]
    (record,) = caplog.records
    digest = vars(record).get("key_sha256", "")
    assert (record.levelno, len(digest), "001" in record.getMessage()) == (logging.ERROR, 16, False)
    broken, hidden = api.get("/x/alice/001"), client(note, permissions=Mine).delete("/x/alice/001")
    assert (broken.status, "boolean" in broken.text) == (500, False)
    assert hidden.status == 404  # the rule is in Python, which cannot be asked about such a row


def test_a_poison_row_at_the_end_of_a_page(note: type[Model]) -> None:
    """It takes no place: the page is refilled, and the cursor passes it."""
    fill(note, 5)
    for id_ in ("001", "004"):
        raw_put(note, **stored(key=id_) | {"done": {"S": "x"}})
    assert flat(pages(client(note, resource=Lister), limit=2)) == ["000", "002", "003"]


class Iterating(ModelResource, List):
    """A list of its own that returns what ``how`` makes of the query."""

    route = "mine"
    permissions: ClassVar[Any] = AllowAny
    how: ClassVar[Any] = None

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        query = self.model.query("alice", last_evaluated_key=pagination_key, limit=limit)
        return type(self).how(query)


def _ate(query: Any) -> Any:
    next(query)
    return query


def _ate_all(query: Any) -> Any:
    list(query)
    return query


@pytest.mark.parametrize(
    ("how", "limit", "expected"),
    [
        pytest.param(lambda query: query, 2, ["000", "001", "002", "003", "004"], id="untouched"),
        pytest.param(
            lambda query: (query, 200, {"x": "y"}), 2, ["000", "001", "002", "003", "004"], id="with status"
        ),
        pytest.param(_ate, 2, ["001", "003"], id="begun: one of each page taken out"),
        pytest.param(_ate, 3, ["001", "002", "004"], id="begun, pages of three"),
        pytest.param(_ate_all, 2, [], id="read to its limit: nothing more is read for it"),
    ],
)
def test_a_result_iterator(note: type[Model], how: Any, limit: int, expected: list[str]) -> None:
    """Its own key goes on after what it gave, whoever took it."""
    fill(note, 5)

    def careful(query: Any) -> Any:
        try:
            return how(query)
        except StopIteration:
            return query

    api = client(note, resource=Iterating, how=staticmethod(careful))
    assert flat(pages(api, "/mine", limit=limit)) == expected


def test_a_projection_without_keys(note: type[Model]) -> None:
    """The cursor comes from DynamoDB, not from rows that lack their keys."""

    class Projected(Iterating):
        def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
            return self.model.query(
                "alice", last_evaluated_key=pagination_key, limit=limit, attributes_to_get=["t"]
            )

    fill(note, 4, t={"S": "a"})
    api = client(note, resource=Projected)
    first = api.get("/mine", query={"limit": 2}).json
    second = api.get("/mine", query={"limit": 2, "pagination_key": first["pagination_key"]})
    assert (second.status, [row["text"] for row in second.json["items"]]) == (200, ["a", "a"])


def test_a_binary_cursor(table_name: str) -> None:
    class Blob(Model):
        class Meta:
            table_name = "unnamed"

        owner = UnicodeAttribute(hash_key=True)
        id = BinaryAttribute(range_key=True, legacy_encoding=False)

    table(Blob, table_name)
    for number in range(5):
        raw_put(Blob, owner={"S": "alice"}, id={"B": bytes([number, 255])})
    assert flat(pages(client(Blob, resource=Lister), limit=2)) == ["AP8=", "Af8=", "Av8=", "A/8=", "BP8="]


# --- PynamoDB in a verb ---------------------------------------------------------------------------------


def test_a_verb_that_gets_what_is_not_there(note: type[Model]) -> None:
    """``DoesNotExist`` is a 404, with the words of any other."""

    class Getting(ModelResource, List):
        route = "mine"
        permissions = AllowAny

        def list(self) -> Any:
            return self.model.get("alice", "none")

    result = client(note, resource=Getting).get("/mine")
    assert (result.status, result.json["detail"]) == (404, GONE)


def test_a_verbs_own_failed_condition(note: type[Model]) -> None:
    class Saving(ModelResource, List):
        route = "mine"
        permissions = AllowAny

        def list(self) -> Any:
            model: Any = self.model
            model("alice", "1").save(model.owner.does_not_exist())

    raw_put(note, **stored())
    assert client(note, resource=Saving).get("/mine").status == 409


def test_a_raising_rule_writes_nothing(note: type[Model], caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            raise KeyError(instance.text)

    raw_put(note, **stored(t={"S": "hidden"}))
    api = client(note, permissions=Broken)
    for result in (
        api.post("/x", json={"owner": "alice", "id": "2"}),
        api.patch("/x/alice/1", json={"done": True}),
        api.delete("/x/alice/1"),
        api.get("/x/alice/1"),
        api.get("/x"),
    ):
        assert (result.status, "hidden" in result.text) == (500, False)
    assert raw_items(note) == [stored(t={"S": "hidden"})]
    assert [str(r.exc_info[0]) for r in caplog.records if r.exc_info] == ["<class 'KeyError'>"] * 5
