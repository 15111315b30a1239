"""Composed keys of indexes and tables: made by every write, of parts that are read and pinned where it lacks some."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import combinations_with_replacement
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    every_form,
    meanwhile,
    names,
    stored,
)
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute, VersionAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    ComposedAttribute,
    Create,
    Delete,
    Idempotency,
    Key,
    List,
    Many,
    ModelResource,
    One,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Through,
    Update,
    action,
)
from polymicro_lambda.testing import assert_serializable

VERBS = (ModelResource, Create, List, Retrieve, Update, Delete)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def index(name: str, **keys: Any) -> Any:
    meta = type("Meta", (), {"index_name": name, "projection": AllProjection()})
    return type(name, (GlobalSecondaryIndex,), {"Meta": meta, **keys})()


def job_model(table: str, **members: Any) -> Any:
    said = {
        "Meta": type("Meta", (), {"table_name": table, "region": "us-east-1"}),
        "id": UnicodeAttribute(hash_key=True),
        "team": UnicodeAttribute(null=True),
        "status": UnicodeAttribute(default="open"),
        "likes": NumberAttribute(default=0),
        "deleted": UTCDateTimeAttribute(null=True),
        "updated": UTCDateTimeAttribute(null=True),
        "text": UnicodeAttribute(null=True),
        "by_state": index("by_state", state=ComposedAttribute("{team}#{status}", hash_key=True)),
        "state": ComposedAttribute("{team}#{status}"),
        "by_likes": index("by_likes", rank=ComposedAttribute("{status}#{likes}", hash_key=True)),
        "rank": ComposedAttribute("{status}#{likes}"),
        "trash": index("trash", bin=ComposedAttribute("{team}#{deleted}", hash_key=True)),
        "bin": ComposedAttribute("{team}#{deleted}"),
        "fresh": index("fresh", news=ComposedAttribute("{id}#{updated}", hash_key=True)),
        "news": ComposedAttribute("{id}#{updated}"),
    }
    return type("Job", (Model,), said | members)


class Jobs(*VERBS):  # type: ignore[misc]
    route = "jobs"
    permissions = AllowAny
    filters = {"id": ("eq",), "team": ("eq",), "status": ("eq",), "likes": ("eq",)}  # noqa: RUF012
    idempotent = ("create",)
    max_bulk = 5
    touch = {"updated": lambda: NOW}  # noqa: RUF012

    @action()
    def like(self, instance: Any) -> Any:
        return self.store.update(instance, {"likes": type(instance).likes + 1})

    @action(detail=False, methods=("POST",))
    def together(self, req: Any) -> Any:
        model = self.model
        with self.store.transaction() as write:
            write.create(model, {"id": "new", "team": "blue"})
            write.update(Key(model, "1"), {"status": "done"})
        return {}

    @action()
    def rename(self, instance: Any) -> Any:
        return self.store.update(instance, {"state": "x"})


def served(table: str, **members: Any) -> Any:
    pm = PolyMicro(cursor_secret="s", idempotency=Idempotency(table=f"{table}i"))
    type(
        "OfJobs",
        (members.pop("cls", Jobs),),
        {"model": members.pop("model", None) or job_model(table), **members},
    )(pm)
    handler = pm.compile()
    create_tables(pm)
    return Caller(handler, user=ALICE)


@pytest.fixture
def jobs(dynamodb: None, table_name: str) -> Caller:
    client: Caller = served(table_name)
    assert client.post("/jobs", json={"id": "1", "team": "red"}).status == 201
    return client


COMPOSED = ("state", "rank", "bin", "news")


def keys_of(table: str, identity: str = "1") -> tuple[str | None, ...]:
    """The composed keys of an item: those of team and status, of status and likes, of what is deleted and updated."""
    (item,) = (one for one in stored(table) if one["id"]["S"] == identity)
    return tuple(item.get(name, {}).get("S") for name in COMPOSED)


TOUCHED = "1#2026-01-01T00:00:00.000000+0000"


def test_a_new_item_has_its_keys(jobs: Caller, table_name: str) -> None:
    assert keys_of(table_name) == ("red#open", "open#0", None, TOUCHED)
    shown = jobs.get("/jobs/1").json
    assert set(shown) == {"id", "team", "status", "likes", "deleted", "updated", "text"}


@pytest.mark.parametrize(
    ("change", "state", "rank", "calls"),
    [
        ({"status": "done"}, "red#done", "done#0", ["GetItem", "UpdateItem"]),
        ({"team": None}, None, "open#0", ["GetItem", "UpdateItem"]),
        ({"team": "blue", "status": "done", "likes": 7}, "blue#done", "done#7", ["GetItem", "UpdateItem"]),
        ({"text": "x"}, "red#open", "open#0", ["UpdateItem"]),
        ({"likes": 1.5}, "red#open", "open#1.5", ["GetItem", "UpdateItem"]),
    ],
    ids=["status", "null", "all", "no part", "number"],
)
def test_an_update_makes_the_keys_anew(
    jobs: Caller, table_name: str, change: Any, state: Any, rank: Any, calls: Any
) -> None:
    """What it does not say is read; the key of an item that lacks a part is removed."""
    with counted() as made:
        assert jobs.patch("/jobs/1", json=change).status == 200
    assert names(made) == calls
    assert keys_of(table_name)[:2] == (state, rank)


def test_an_update_of_all_parts_reads_nothing(dynamodb: None, table_name: str) -> None:
    """The parts that stand in the item's key are known."""
    by_state = index("by_state", state=ComposedAttribute("{id}#{team}#{status}", hash_key=True))
    unused = dict.fromkeys(("by_likes", "rank", "trash", "bin", "fresh", "news"))
    state = ComposedAttribute("{id}#{team}#{status}")
    client = served(table_name, model=job_model(table_name, by_state=by_state, state=state, **unused))
    client.post("/jobs", json={"id": "1", "team": "red"})
    with counted() as made:
        assert client.patch("/jobs/1", json={"team": "blue", "status": "done"}).status == 200
    assert names(made) == ["UpdateItem"]
    (item,) = stored(table_name)
    assert item["state"] == {"S": "1#blue#done"}


def test_put_sets_defaults_and_their_keys(jobs: Caller, table_name: str) -> None:
    jobs.patch("/jobs/1", json={"status": "done"})
    assert jobs.put("/jobs/1", json={"team": "blue"}).status == 200
    assert keys_of(table_name)[:2] == ("blue#open", "open#0")


def test_a_part_that_changes_meanwhile_is_read_again(jobs: Caller, table_name: str) -> None:
    """The other writer's team is in the key: the write that would have left the old one is sent anew."""
    with meanwhile(lambda: jobs.patch("/jobs/1", json={"team": "blue"})):
        assert jobs.patch("/jobs/1", json={"status": "done"}).status == 200
    assert keys_of(table_name)[:2] == ("blue#done", "done#0")


WRITERS: dict[str, Callable[[Caller], Any]] = {
    "status": lambda client: client.patch("/jobs/1", json={"status": "done"}),
    "team": lambda client: client.patch("/jobs/1", json={"team": "blue"}),
    "no team": lambda client: client.patch("/jobs/1", json={"team": None}),
    "both": lambda client: client.patch("/jobs/1", json={"team": "green", "status": "held"}),
    "put": lambda client: client.put("/jobs/1", json={"team": "grey"}),
    "action": lambda client: client.post("/jobs/1/like"),
    "transaction": lambda client: client.post("/jobs/together"),
    "delete": lambda client: client.delete("/jobs/1"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("soft", [None, "deleted"], ids=["deleted", "hidden"])
@pytest.mark.parametrize("pair", [*combinations_with_replacement(WRITERS, 2)], ids="+".join)
def test_two_writers_at_once(
    dynamodb: None, table_name: str, pair: tuple[str, str], soft: str | None
) -> None:
    """In every order of their calls keys and parts are as if one came after the other."""
    client = served(table_name, soft_delete=soft)
    client.post("/jobs", json={"id": "1", "team": "red"})
    one, two = (WRITERS[name] for name in pair)
    assert_serializable(client, lambda: one(client), lambda: two(client), ignore=("deleted", "bin"))


def test_who_is_never_quick_enough_is_told_so(jobs: Caller, table_name: str) -> None:
    teams = iter("abcdef")

    def other() -> None:
        key = {"id": {"S": "1"}}
        said = {":t": {"S": next(teams)}}
        dynamodb_call(
            "update_item", TableName=table_name, Key=key, UpdateExpression="SET team = :t",
            ExpressionAttributeValues=said,
        )  # fmt: skip

    with meanwhile(other, times=5):
        assert_problem(jobs.patch("/jobs/1", json={"status": "done"}), 409)


def test_what_dynamodb_computes_is_computed_here_and_pinned(jobs: Caller, table_name: str) -> None:
    with meanwhile(lambda: jobs.post("/jobs/1/like")):
        assert jobs.post("/jobs/1/like").status == 200
    assert keys_of(table_name)[:2] == ("red#open", "open#2")


def test_a_transaction_makes_the_keys(jobs: Caller, table_name: str) -> None:
    with counted() as made:
        assert jobs.post("/jobs/together").status == 200
    assert names(made) == ["GetItem", "TransactWriteItems"]
    assert keys_of(table_name)[:2] == ("red#done", "done#0")
    assert keys_of(table_name, "new")[:2] == ("blue#open", "open#0")
    with meanwhile(lambda: jobs.patch("/jobs/1", json={"team": "blue"})):
        assert jobs.post("/jobs/together").status == 409  # its new item is there already


def test_bulk_and_idempotent_creates_make_the_keys(jobs: Caller, table_name: str) -> None:
    headers = {"idempotency-key": "k1"}
    body = [{"id": "2", "team": "red"}, {"id": "3", "team": "a", "likes": 2}]
    first = jobs.post("/jobs", json=body, headers=headers)
    assert (first.status, jobs.post("/jobs", json=body, headers=headers).json) == (201, first.json)
    assert [keys_of(table_name, one)[1] for one in "23"] == ["open#0", "open#2"]
    refused = jobs.post("/jobs", json=[{"id": "4", "team": "a#b"}])
    assert_problem(refused, 422, "#/0/team")


def test_soft_deletion_makes_the_keys(dynamodb: None, table_name: str) -> None:
    client = served(table_name, soft_delete="deleted")
    client.post("/jobs", json={"id": "1", "team": "red"})
    with counted() as made:
        assert client.delete("/jobs/1").status == 204
    assert names(made) == ["GetItem", "UpdateItem"]
    assert (keys_of(table_name)[2] or "")[:4] == "red#"
    assert client.post("/jobs/1/restore").status == 200
    assert keys_of(table_name)[2] is None


def test_clean_and_version_and_if_match_work_beside(dynamodb: None, table_name: str) -> None:
    def clean(_: Any, values: Any, instance: Any, user: Any) -> Any:
        return {**values, "status": "cleaned"} if "status" in values else values

    client = served(table_name, model=job_model(table_name, version=VersionAttribute()), clean=clean)
    tag = client.post("/jobs", json={"id": "1", "team": "red"}).headers["etag"]
    done = client.patch("/jobs/1", json={"status": "x"}, headers={"if-match": tag})
    assert (done.status, keys_of(table_name)[:2]) == (200, ("red#cleaned", "cleaned#0"))
    assert client.patch("/jobs/1", json={"status": "x"}, headers={"if-match": tag}).status == 412


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("POST", "/jobs", {"id": "2", "team": "a#b"}, "#/team"),
        ("PATCH", "/jobs/1", {"team": "#"}, "#/team"),
        ("PATCH", "/jobs/1", {"status": "#x", "team": "y"}, "#/status"),
        ("PATCH", "/jobs/1", {"team": "t" * 2048}, "#/team"),
        ("POST", "/jobs", {"id": "2", "team": "t" * 2044}, "#/team"),
    ],
)
def test_what_makes_no_key_is_422(
    jobs: Caller, table_name: str, method: str, path: str, body: Any, pointer: str
) -> None:
    before = stored(table_name)
    assert_problem(jobs.request(method, path, json=body), 422, pointer)
    assert stored(table_name) == before


class SavedJobs(Jobs):
    """Writes by PynamoDB itself, and reads keys of what it has not written."""

    route = "saved"

    def create(self, req: Any) -> Any:
        made = self.model(**req)
        made.save()
        return made

    @action()
    def save(self, instance: Any, req: Any) -> Any:
        instance.team = req["team"]
        instance.save()
        return instance

    @action()
    def batch(self, instance: Any, req: Any) -> Any:
        instance.team = req["team"]
        with self.model.batch_write() as batch:
            batch.save(instance)
        return instance

    @action()
    def read(self, instance: Any, req: Any) -> Any:
        instance.team = req["team"]
        return {"state": instance.state, "rank": instance.rank}


@every_form
@pytest.mark.parametrize("way", ["save", "batch"])
def test_what_pynamodb_writes_is_refused_as_what_the_store_writes(
    jobs: Caller, table_name: str, way: str, form: dict[str, Any]
) -> None:
    caller = served(table_name, cls=SavedJobs)
    before = stored(table_name)
    assert_problem(caller.post(f"/saved/1/{way}", json={"team": "a#b"}, **form), 422, "#/team")
    assert stored(table_name) == before
    assert caller.post(f"/saved/1/{way}", json={"team": "a"}).status == 200
    assert keys_of(table_name)[0] == "a#open"
    assert_problem(caller.post("/saved", json={"id": "2", "team": "a#b"}), 422, "#/team")
    assert_problem(caller.post("/saved", json=[{"id": "2", "team": "a#b"}]), 422, "#/0/team")


def test_a_key_that_cannot_be_composed_reads_as_none(jobs: Caller, table_name: str) -> None:
    caller = served(table_name, cls=SavedJobs)
    assert caller.post("/saved/1/read", json={"team": "a#b"}).json == {"state": None, "rank": "open#0"}
    assert caller.post("/saved/1/read", json={"team": "a"}).json == {"state": "a#open", "rank": "open#0"}


def test_who_may_not_see_the_item_learns_nothing_of_its_key(dynamodb: None, table_name: str) -> None:
    client = served(table_name, permissions=OwnedBy("text"))
    client.post("/jobs", json={"id": "1", "team": "red"})
    assert_problem(client.patch("/jobs/1", json={"status": "a#b"}, user=BOB), 404)
    assert_problem(client.patch("/jobs/1", json={"status": "a#b"}), 422, "#/status")


def test_an_item_that_is_older_than_the_template_can_be_changed(dynamodb: None, table_name: str) -> None:
    """It is in no index as long as its part holds the separator."""
    client = served(table_name, soft_delete="deleted")
    old = {"id": {"S": "1"}, "team": {"S": "a#b"}, "status": {"S": "open"}, "state": {"S": "a#b#open"}}
    dynamodb_call("put_item", TableName=table_name, Item=old)
    assert client.patch("/jobs/1", json={"status": "done"}).status == 200
    assert keys_of(table_name)[:2] == (None, "done#0")
    assert client.delete("/jobs/1").status == 204
    assert client.post("/jobs/1/restore").status == 200
    assert client.patch("/jobs/1", json={"team": "a"}).status == 200
    assert keys_of(table_name)[0] == "a#done"


def test_nobody_writes_a_composed_key_itself(jobs: Caller, caplog: pytest.LogCaptureFixture) -> None:
    assert_problem(jobs.post("/jobs", json={"id": "2", "state": "x"}), 422, "#/state")
    assert_problem(jobs.post("/jobs/1/rename"), 500)
    assert "Job.state is made of team and status" in caplog.text


# --- keys of tables ---------------------------------------------------------------------------------------------


def thing_model(table: str) -> Any:
    members = {
        "Meta": type("Meta", (), {"table_name": table, "region": "us-east-1"}),
        "pk": ComposedAttribute("{tenant}#{project}", hash_key=True),
        "sk": ComposedAttribute("THING#{number}", range_key=True),
        "tenant": UnicodeAttribute(),
        "project": UnicodeAttribute(),
        "number": NumberAttribute(),
        "text": UnicodeAttribute(null=True),
        "boss": UnicodeAttribute(null=True),
        "of": UnicodeAttribute(null=True),
        "at": NumberAttribute(null=True),
    }
    return type("Thing", (Model,), members)


class Things(*VERBS):  # type: ignore[misc]
    route = "things"
    permissions = AllowAny
    filters = {"tenant": ("eq",), "project": ("eq",)}  # noqa: RUF012
    idempotent = ("update",)

    @action()
    def move(self, instance: Any) -> Any:
        return self.store.update(instance, {"project": "elsewhere", "text": "x"})

    @action()
    def stay(self, instance: Any) -> Any:
        return self.store.update(instance, {"project": instance.project, "text": "stays"})

    @action(detail=False, methods=("POST",))
    def by_key(self, req: Any) -> Any:
        model = self.model
        with self.store.transaction() as write:
            write.update(Key(model, tenant="t", project="p", number=1), {"text": "a"})
            write.check(Key(model, "t", "p", 2), model.text == "two")
        return self.store.read({"tenant": "t", "project": "p", "number": 1})


def things_of(table: str, **members: Any) -> tuple[PolyMicro, Any]:
    pm = PolyMicro(cursor_secret="s", idempotency=Idempotency(table=f"{table}i"))
    resource = type("OfThings", (Things,), {"model": thing_model(table), **members})
    resource(pm)
    return pm, resource


@pytest.fixture
def things(dynamodb: None, table_name: str) -> Caller:
    pm, _ = things_of(table_name)
    handler = pm.compile()
    create_tables(pm)
    return Caller(handler, user=ALICE)


THING: dict[str, Any] = {
    "tenant": "t",
    "project": "p",
    "number": 1,
    "text": "one",
    "boss": None,
    "of": None,
    "at": None,
}


@pytest.mark.parametrize("call", ["save", "refresh", "delete", "update"])
def test_pynamodb_names_no_item_by_what_is_no_key(dynamodb: None, table_name: str, call: str) -> None:
    def renamed(_: Any, instance: Any) -> Any:
        instance.tenant = "a#b"
        assert (instance.pk, instance.sk) == (None, "THING#1")
        said = {"actions": [type(instance).text.set("x")]} if call == "update" else {}
        return getattr(instance, call)(**said)

    pm, _ = things_of(table_name, renamed=action()(renamed))
    caller = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    caller.post("/things", json={"tenant": "t", "project": "p", "number": 1})
    before = stored(table_name)
    assert_problem(caller.post("/things/t/p/1/renamed"), 422, "#/tenant")
    assert stored(table_name) == before


@every_form
def test_an_item_has_its_parts_in_the_path(things: Caller, table_name: str, form: dict[str, Any]) -> None:
    made = things.post("/things", json={"tenant": "t", "project": "p", "number": 1, "text": "one"}, **form)
    assert (made.status, made.json, made.headers["location"]) == (201, THING, "things/t/p/1")
    assert stored(table_name)[0]["pk"] == {"S": "t#p"}
    assert stored(table_name)[0]["sk"] == {"S": "THING#1"}
    path = "/things/t/p/1"
    assert things.get(path, **form).json == THING
    assert things.post("/things", json=THING, **form).status == 409
    tag = things.get(path, **form).headers["etag"]
    changed = things.patch(path, json={"text": "two"}, headers={"if-match": tag}, **form)
    assert (changed.status, changed.json["text"]) == (200, "two")
    assert things.patch(path, json={"text": "x"}, headers={"if-match": tag}, **form).status == 412
    assert things.put(path, json={"text": "three"}, **form).json["text"] == "three"
    assert_problem(things.patch(path, json={"project": "q"}, **form), 422, "#/project")
    assert [one["number"] for one in things.get("/things?tenant=t&project=p", **form).json["items"]] == [1]
    assert things.delete(path, **form).status == 204
    assert_problem(things.get(path, **form), 404)


def test_the_last_part_may_hold_anything_and_pairs_stay_apart(things: Caller) -> None:
    for project in ("p#q", "#", "p", "q#"):
        assert things.post("/things", json={"tenant": "t", "project": project, "number": 1}).status == 201
    assert things.get("/things/t/p%23q/1").json["project"] == "p#q"
    assert_problem(
        things.post("/things", json={"tenant": "t#p", "project": "q", "number": 1}), 422, "#/tenant"
    )
    with counted() as made:
        assert_problem(things.get("/things/t%23p/q/1"), 404)
        assert_problem(things.get(f"/things/t/{'p' * 2047}/1"), 404)
        assert_problem(things.patch("/things/t%23p/q/1", json={"text": "x"}), 404)
        assert_problem(things.delete("/things/t%23p/q/1"), 404)
        assert_problem(things.get("/things/t/p/one"), 404)
    assert made == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tenant": "", "project": "p", "number": 1}, "#/tenant"),
        ({"tenant": "a\x00", "project": "p", "number": 1}, "#/tenant"),
        ({"tenant": "t", "project": ".", "number": 1}, "#/project"),
        ({"tenant": "t", "project": "p" * 2047, "number": 1}, "#/project"),
        ({"tenant": "t", "number": 1}, "#/project"),
    ],
    ids=["empty", "NUL", "dot", "too long together", "missing"],
)
def test_parts_are_refused_as_keys_are(things: Caller, body: Any, pointer: str) -> None:
    assert_problem(things.post("/things", json=body), 422, pointer)


def test_a_key_never_changes(things: Caller, table_name: str, caplog: pytest.LogCaptureFixture) -> None:
    things.post("/things", json=THING)
    assert_problem(things.post("/things/t/p/1/move"), 500)
    assert "Thing.project is of the key, which no update changes" in caplog.text
    assert things.post("/things/t/p/1/stay").json["text"] == "stays"


def test_a_key_is_said_by_its_parts(things: Caller, table_name: str) -> None:
    for number, text in ((1, "one"), (2, "two")):
        things.post("/things", json={**THING, "number": number, "text": text})
    done = things.post("/things/by_key")
    assert (done.status, done.json["text"]) == (200, "a")
    assert repr(Key(thing_model("x"), "t", "p", 1)) == "Key(Thing, 't', 'p', 1)"
    assert Key(thing_model("x"), tenant="t#", project="p", number=1).stored() is None


def test_idempotent_requests_name_the_item_by_its_key(things: Caller) -> None:
    things.post("/things", json=THING)
    headers = {"idempotency-key": "k1"}
    first = things.patch("/things/t/p/1", json={"text": "new"}, headers=headers)
    again = things.patch("/things/t/p/1", json={"text": "new"}, headers=headers)
    assert (first.status, again.status, first.json) == (200, 200, again.json)
    assert again.headers["idempotency-replayed"] == "true"


def test_the_route_and_the_owner_bind_parts(dynamodb: None, table_name: str) -> None:
    pm, _ = things_of(table_name, route="projects/{project}/things", permissions=OwnedBy("tenant"))
    handler = pm.compile()
    create_tables(pm)
    client = Caller(handler, user=ALICE)
    made = client.post("/projects/p/things", json={"number": 1})
    assert (made.status, made.headers["location"], made.json["tenant"]) == (201, "things/1", "alice")
    assert stored(table_name)[0]["pk"] == {"S": "alice#p"}
    with counted() as calls:
        assert client.get("/projects/p/things/1").status == 200
        assert len(client.get("/projects/p/things").json["items"]) == 1
        assert client.patch("/projects/p/things/1", json={"text": "x"}).status == 200
    assert names(calls) == ["GetItem", "Query", "UpdateItem"]
    assert_problem(client.get("/projects/p/things/1", user=BOB), 404)
    assert client.delete("/projects/p/things/1").status == 204


def test_upsert_creates_at_the_path(dynamodb: None, table_name: str) -> None:
    pm, _ = things_of(table_name, put="upsert")
    handler = pm.compile()
    create_tables(pm)
    client = Caller(handler, user=ALICE)
    assert client.put("/things/t/p/1", json={"text": "a"}).status == 201
    assert client.put("/things/t/p/1", json={"text": "b"}).status == 200
    assert stored(table_name)[0]["pk"] == {"S": "t#p"}


def test_related_items_by_parts(dynamodb: None, table_name: str) -> None:
    """`One`, `Many`, `Through`, `unique` and `lookup` say and find composed keys by their parts."""
    model = type("Named", (thing_model(table_name),), {"text": UnicodeAttribute()})
    member = thing_model(f"{table_name}m")
    pm = PolyMicro(cursor_secret="s")
    members = type(
        "Members", VERBS, {"model": member, "route": "members", "permissions": AllowAny, "scan": True}
    )
    key = {"tenant": "tenant", "project": Claim("uuid"), "number": "number"}
    embed = {
        "leader": One(members, {"tenant": "tenant", "project": "boss", "number": "number"}, always=True),
        "team": Many(members, {"tenant": "tenant", "project": "project"}, always=True),
    }
    said = {"model": model, "permissions": Through(member, key), "unique": ("text",)}
    type(
        "Things",
        VERBS,
        {**said, "route": "things", "embed": embed, "filters": {"tenant": "eq", "project": "eq"}},
    )(pm)
    type("Named", (ModelResource, Retrieve), {**said, "route": "named", "lookup": "text"})(pm)
    members(pm)
    handler = pm.compile()
    create_tables(pm)
    client = Caller(handler, user=ALICE)
    client.post("/members", json={"tenant": "t", "project": "alice", "number": 1})
    client.post("/members", json={"tenant": "t", "project": "p", "number": 7})
    made = client.post(
        "/things", json={"tenant": "t", "project": "p", "number": 1, "text": "x", "boss": "alice"}
    )
    assert made.status == 201, made.text
    shown = client.get("/things/t/p/1").json
    assert (shown["leader"]["project"], [one["number"] for one in shown["team"]]) == ("alice", [7])
    assert client.get("/named/x").json["project"] == "p"
    assert_problem(client.get("/things/t/p/1", user=BOB), 403)
    assert_problem(
        client.post("/things", json={"tenant": "t", "project": "q", "number": 1, "text": "x"}), 409, "#/text"
    )
    assert client.patch("/things/t/p/1", json={"text": "y"}).status == 200
    assert client.delete("/things/t/p/1").status == 204
