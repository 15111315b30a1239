"""``soft_delete``: a DELETE notes the time, the item counts as gone, and a restore brings it back."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import (
    ALICE,
    BOB,
    WRITES,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    failing,
    names,
    stored,
)
from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute, VersionAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    Delete,
    Idempotency,
    InGroup,
    IsAuthenticated,
    Key,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    SoftDelete,
    Through,
    Update,
    User,
    action,
    trusted,
)
from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.testing import assert_permission_matrix, assert_serializable

STAFF = User("alice", groups=frozenset({"staff"}))
SEEN = SoftDelete("deleted", seen_by=InGroup("staff"))
LONG_AGO = {"S": "2026-01-02T03:04:05.000000+0000"}
SHOWN = {"owner": "alice", "id": "1", "text": "a", "deleted": None}
FIVE = (ModelResource, Create, List, Retrieve, Update, Delete)


class World:
    """Notes of a table, and apps over them."""

    def __init__(self, table: str) -> None:
        class ByText(GlobalSecondaryIndex[Any]):
            class Meta:
                index_name = "by_text"
                projection = KeysOnlyProjection()

            text = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)

        class Note(Model):
            class Meta:
                table_name = table

            owner = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)
            text = UnicodeAttribute(default="a")
            deleted = UTCDateTimeAttribute(null=True)
            by_text = ByText()

        class Versioned(Note):
            version = VersionAttribute()

        self.table, self.note, self.versioned = table, Note, Versioned

    def app(self, *more: tuple[str, type[Model], Mapping[str, Any]], **members: Any) -> PolyMicro:
        """An app of ``/notes``, and of further resources: route, model and members of each."""
        base = {"model": self.note, "permissions": OwnedBy("owner"), "soft_delete": "deleted"}
        pm = PolyMicro(idempotency=members.pop("idempotency", None))
        for route, model, said in (*more, ("notes", self.note, members)):
            named = {"route": route, "model": model, "permissions": IsAuthenticated}
            type(
                route.title(), FIVE, (named if model is not self.note else {**base, **named, **base}) | said
            )(pm)
        pm.compile()
        create_tables(pm)
        return pm

    def served(self, *more: tuple[str, type[Model], Mapping[str, Any]], **members: Any) -> Caller:
        """A client of alice's."""
        return Caller(self.app(*more, **members).compile(), user=ALICE)

    def put(self, number: str = "1", *, owner: str = "alice", deleted: bool = False, **more: Any) -> None:
        """An item of another writer's."""
        item = {"owner": {"S": owner}, "id": {"S": number}, "text": {"S": "a"}, **more}
        dynamodb_call(
            "put_item", TableName=self.table, Item=item | ({"deleted": LONG_AGO} if deleted else {})
        )

    def item(self, number: str = "1") -> dict[str, Any]:
        """An item as it is stored."""
        [item] = [one for one in stored(self.table) if one["id"] == {"S": number}]
        return item


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


# --- what a DELETE does ------------------------------------------------------------------------------------------


def test_a_delete_is_one_update_that_notes_the_time(world: World) -> None:
    client = world.served(model=world.versioned)
    world.put(version={"N": "7"}, unknown={"S": "kept"})
    before = datetime.now(UTC)
    with counted() as calls:
        result = client.delete("/notes/1")
    assert (result.status, result.body, names(calls)) == (204, b"", ["UpdateItem"])
    item = world.item()
    when = datetime.strptime(item.pop("deleted")["S"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert before <= when <= datetime.now(UTC)
    assert item == {
        "owner": {"S": "alice"},
        "id": {"S": "1"},
        "text": {"S": "a"},
        "unknown": {"S": "kept"},
        "version": {"N": "8"},
    }
    assert_problem(client.delete("/notes/1"), 404)


@action()
def ping(self: Any, instance: Any, user: Any) -> Any:
    return {"id": instance.id}


GONE: Mapping[str, Callable[[Caller], Any]] = {
    "retrieve": lambda client: client.get("/notes/1"),
    "patch": lambda client: client.patch("/notes/1", json={"text": "b"}),
    "empty patch": lambda client: client.patch("/notes/1", json={}),
    "put": lambda client: client.put("/notes/1", json={"text": "b"}),
    "delete": lambda client: client.delete("/notes/1"),
    "action": lambda client: client.post("/notes/1/ping"),
    "of the path's tag": lambda client: client.patch(
        "/notes/1", json={"text": "b"}, headers={"if-match": "*"}
    ),
}


class Opaque(Permission):
    """A rule that only Python can judge, and which would let in for deleted items too."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


@pytest.mark.parametrize("rule", [OwnedBy("owner"), Opaque, AllowAny], ids=["owned", "opaque", "public"])
@pytest.mark.parametrize("request_", GONE.values(), ids=GONE)
def test_what_is_deleted_is_not_there(world: World, rule: Any, request_: Any) -> None:
    client = world.served(permissions=rule, route="notes/{owner}", ping=ping)
    world.put(deleted=True)
    world.put("missing-is-alike")
    before = world.item()
    moved = _Moved(client)
    assert_problem(request_(moved), 404)
    assert world.item() == before


class _Moved:
    """The client, whose ``/notes`` is at ``/notes/alice``."""

    def __init__(self, client: Caller) -> None:
        self.client = client

    def __getattr__(self, method: str) -> Any:
        return lambda path, **options: getattr(self.client, method)(
            path.replace("/notes", "/notes/alice"), **options
        )


def test_no_client_sets_the_time(world: World) -> None:
    client = world.served()
    world.put()
    time = "2026-01-01T00:00:00Z"
    assert_problem(client.post("/notes", json={"id": "2", "deleted": time}), 422, "#/deleted")
    assert_problem(client.patch("/notes/1", json={"deleted": time}), 422, "#/deleted")
    assert_problem(client.put("/notes/1", json={"deleted": time}), 422, "#/deleted")


def test_the_rule_of_a_delete_is_asked_of_the_item_as_it_was(world: World) -> None:
    class Fresh(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.deleted.does_not_exist()

    client = world.served(permissions=OwnedBy("owner") & Fresh())
    world.put()
    assert client.delete("/notes/1").status == 204


def test_a_key_is_taken_as_long_as_its_item_is_deleted(world: World) -> None:
    client = world.served()
    world.put(deleted=True)
    assert_problem(client.post("/notes", json={"id": "1"}), 409)


def test_a_delete_is_under_its_tag_and_what_it_requires(world: World) -> None:
    open_ = {"requires": {"delete": (world.note.text == "a", "It is closed.")}}
    client = world.served(model=world.versioned, **open_)
    world.put(version={"N": "7"})
    assert client.delete("/notes/1", headers={"if-match": '"6"'}).status == 412
    world.put(version={"N": "7"}, text={"S": "b"})
    refused = client.delete("/notes/1", headers={"if-match": '"7"'})
    assert (refused.status, refused.json["detail"]) == (409, "It is closed.")
    world.put(version={"N": "7"})
    with counted() as calls:
        assert client.delete("/notes/1", headers={"if-match": '"7"'}).status == 204
    assert names(calls) == ["UpdateItem"]


@pytest.mark.parametrize("path", ["/notes/1", "/notes/1/restore"])
def test_a_write_whose_answer_is_lost_is_found_out(world: World, path: str) -> None:
    client = world.served(model=world.versioned)
    world.put(version={"N": "7"}, deleted=path.endswith("restore"))
    method, status = ("POST", 200) if path.endswith("restore") else ("DELETE", 204)
    with failing(ReadTimeoutError(endpoint_url="canary"), late=True, on=WRITES) as calls:
        assert client.request(method, path).status == status
    assert (names(calls), world.item()["version"]) == (["UpdateItem", "GetItem"], {"N": "8"})


# --- lists -------------------------------------------------------------------------------------------------------


def own_list(self: Any, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
    return self.model.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)


LISTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "table": ("/notes?", {}),
    "index that lacks attributes": ("/notes?text=a&", {"filters": {"text": ("eq",)}}),
    "keys": ("/notes?id__in=1,2,3,4,5&", {"filters": {"id": ("in",)}}),
    "own query": ("/notes?", {"list": own_list}),
    "own instances": ("/notes?", {"list": lambda self, user: [*self.model.query(user.uuid)]}),
    "opaque": ("/notes?", {"permissions": OwnedBy("owner") & Opaque()}),
    "chosen fields": ("/notes?fields=id,deleted&", {}),
}


@pytest.mark.parametrize(("path", "members"), LISTS.values(), ids=LISTS)
def test_no_list_has_what_is_deleted_unless_those_ask_who_may_see_it(
    world: World, path: str, members: Mapping[str, Any]
) -> None:
    client = world.served(**{"soft_delete": SEEN, "scan": False, **members})
    for number in "12345":
        world.put(number, deleted=number in "24")
    ids = [
        [item["id"] for item in client.as_(STAFF).get(path + query).json["items"]]
        for query in ("", "deleted=true", "deleted=false")
    ]
    assert ids == [["1", "3", "5"], ["2", "4"], ["1", "3", "5"]]
    assert [one["id"] for one in client.get(path).json["items"]] == ["1", "3", "5"]


def test_pages_are_filled_and_their_cursors_belong_to_their_query(world: World) -> None:
    client = world.served(soft_delete=SEEN).as_(STAFF)
    for number in "123456":
        world.put(number, deleted=number in "124")
    found, key = [], None
    while True:
        more = {} if key is None else {"pagination_key": key}
        page = client.get("/notes", query={"limit": "1", "deleted": "true", **more}).json
        found += [one["id"] for one in page["items"]]
        key = page["pagination_key"]
        if key is None:
            break
        assert_problem(client.get("/notes", query={"pagination_key": key}), 400, "pagination_key")
    assert found == ["1", "2", "4"]


def test_who_may_not_see_deleted_items_is_told_so(world: World) -> None:
    client = world.served(soft_delete=SEEN)
    world.put(deleted=True)
    for path in ("/notes", "/notes/1", "/notes/9"):
        assert_problem(client.everywhere("GET", f"{path}?deleted=true"), 403)
        assert_problem(Caller(client.handler).get(f"{path}?deleted=true"), 401)
        assert_problem(client.as_(STAFF).get(f"{path}?deleted=yes"), 400, "deleted")
        assert_problem(client.as_(STAFF).get(f"{path}?deleted=true&deleted=true"), 400, "deleted")
    plain = world.served()
    for path in ("/notes", "/notes/1"):
        assert_problem(plain.as_(STAFF).get(f"{path}?deleted=true"), 400, "deleted")
    for method, path in (("DELETE", "/notes/1"), ("PATCH", "/notes/1"), ("POST", "/notes/1/restore")):
        assert client.as_(STAFF).request(method, f"{path}?deleted=true", json={}).status in (400, 404, 200)


def test_a_retrieve_shows_the_one_or_the_other(world: World) -> None:
    client = world.served(soft_delete=SEEN).as_(STAFF)
    world.put("1", deleted=True)
    world.put("2")
    shown = {**SHOWN, "deleted": "2026-01-02T03:04:05+00:00"}
    assert client.get("/notes/1?deleted=true").json == shown
    assert_problem(client.get("/notes/2?deleted=true"), 404)
    assert_problem(client.get("/notes/1?deleted=false"), 404)
    assert client.get("/notes/2?deleted=false").json == {**SHOWN, "id": "2"}
    assert_problem(client.as_(User("bob", groups=frozenset({"staff"}))).get("/notes/1?deleted=true"), 404)


# --- restore -----------------------------------------------------------------------------------------------------


def test_a_restore_brings_the_item_back_by_one_call(world: World) -> None:
    client = world.served(model=world.versioned)
    world.put(version={"N": "7"})
    assert client.delete("/notes/1").status == 204
    with counted() as calls:
        result = client.post("/notes/1/restore")
    assert (result.status, result.json, result.headers["etag"]) == (200, {**SHOWN, "version": 9}, '"9"')
    assert names(calls) == ["UpdateItem"]
    assert client.get("/notes/1").json == {**SHOWN, "version": 9}
    assert "deleted" not in world.item()


def test_what_cannot_be_restored(world: World) -> None:
    client = world.served(model=world.versioned)
    world.put("1", version={"N": "1"})
    world.put("2", deleted=True, version={"N": "1"})
    not_deleted = client.post("/notes/1/restore")
    assert_problem(not_deleted, 409)
    assert not_deleted.json["detail"] == "This is not deleted."
    assert_problem(client.post("/notes/9/restore"), 404)
    assert_problem(client.as_(BOB).post("/notes/2/restore"), 404)
    assert_problem(client.post("/notes/2/restore", headers={"if-match": '"9"'}), 412)
    assert_problem(Caller(client.handler).post("/notes/2/restore"), 401)
    assert_problem(client.get("/notes/2/restore"), 405)
    assert client.post("/notes/2/restore", headers={"if-match": '"1"'}).status == 200


class ByVerb(Permission):
    """Whom it lets restore depends on the verb and the item."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.text == "mine" if method == "restore" else True


def test_a_restore_is_under_the_rule_for_restore(world: World) -> None:
    client = world.served(permissions=ByVerb & InGroup("staff"), route="notes/{owner}", soft_delete="deleted")
    staff = client.as_(STAFF)
    world.put("1", deleted=True)
    world.put("2")
    world.put("3", deleted=True, text={"S": "mine"})
    assert_problem(client.post("/notes/alice/3/restore"), 403)  # the verb is not this user's
    assert_problem(staff.post("/notes/alice/1/restore"), 404)  # it is deleted, and nobody is told of it
    assert_problem(
        staff.post("/notes/alice/2/restore"), 403
    )  # who sees it is told that the verb is not theirs
    assert staff.post("/notes/alice/3/restore").status == 200
    seeing = world.served(permissions=ByVerb & InGroup("staff"), route="notes/{owner}", soft_delete=SEEN)
    assert_problem(seeing.as_(STAFF).post("/notes/alice/1/restore"), 403)  # as ?deleted=true tells of it


def test_whoever_may_not_retrieve_is_not_shown_what_is_restored(world: World) -> None:
    class Blind(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return method != "retrieve"

    client = world.served(permissions=OwnedBy("owner") & Blind())
    world.put(deleted=True)
    result = client.post("/notes/1/restore")
    assert (result.status, result.body) == (204, b"")


def test_a_restore_of_ones_own(world: World) -> None:
    seen: list[str] = []

    def restore(self: Any, instance: Any, user: Any) -> Any:
        seen.append(instance.text)
        return Delete.restore(self, instance, user, condition=world.note.text == "a", otherwise="Only a.")

    client = world.served(restore=restore)
    world.put("1", deleted=True)
    world.put("2")
    world.put("3", deleted=True, text={"S": "b"})
    assert client.post("/notes/1/restore").json == SHOWN
    assert_problem(client.post("/notes/2/restore"), 409)
    assert client.post("/notes/3/restore").json["detail"] == "Only a."
    assert seen == ["a", "b"]


def test_a_repeated_restore_is_answered_as_before(world: World) -> None:
    client = world.served(idempotent=("create", "restore"), idempotency=Idempotency(table=f"{world.table}i"))
    key = {"idempotency-key": "k-1"}
    created = client.post("/notes", json={"id": "1"}, headers=key)
    client.delete("/notes/1")
    again = client.post("/notes", json={"id": "1"}, headers=key)
    assert (again.status, again.json) == (201, created.json)  # as after a delete that leaves nothing
    key = {"idempotency-key": "k-2"}
    first, second = (client.post("/notes/1/restore", headers=key) for _ in range(2))
    assert (first.status, second.status, second.json) == (200, 200, first.json)


# --- verbs of one's own ------------------------------------------------------------------------------------------


def test_verbs_of_ones_own_meet_the_same(world: World) -> None:
    @action(detail=False)
    def look(self: Any, req: Any, user: Any) -> Any:
        try:
            return self.store.read({"owner": user.uuid, "id": req["id"]})
        except NotFound:
            return {"found": False}

    @action(detail=False)
    def raw(self: Any, req: Any, user: Any) -> Any:
        one = self.model.get(user.uuid, req["id"])
        return (trusted(one) if req.get("trusted") else one) if "list" not in req else {"all": [one]}

    @action()
    def drop(self: Any, instance: Any, user: Any) -> Any:
        self.delete(instance, user)
        return {"text": instance.text}

    client = world.served(look=look, raw=raw, drop=drop)
    world.put("1")
    world.put("2", deleted=True)
    assert client.post("/notes/look", json={"id": "1"}).json == SHOWN
    assert client.post("/notes/look", json={"id": "2"}).json == {"found": False}
    assert_problem(client.post("/notes/raw", json={"id": "2"}), 404)
    assert client.post("/notes/raw", json={"id": "2", "list": 1}).json == {"all": [None]}
    assert client.post("/notes/raw", json={"id": "2", "trusted": 1}).json["id"] == "2"
    assert client.post("/notes/1/drop").json == {"text": "a"}
    assert "deleted" in world.item("1")


def test_an_action_restores_under_its_own_rule(world: World) -> None:
    @action(detail=False)
    def undo(self: Any, req: Any, user: Any) -> Any:
        return self.restore(self.model.get(req["owner"], "1"), user)

    client = world.served(undo=undo, model=world.versioned)
    for owner in ("alice", "bob"):
        world.put(owner=owner, deleted=True, version={"N": "1"})
    assert client.post("/notes/undo", json={"owner": "alice"}).json == {**SHOWN, "version": 2}
    assert_problem(client.post("/notes/undo", json={"owner": "bob"}), 404)
    assert [(one["owner"], "deleted" in one) for one in stored(world.table)] == [
        ({"S": "alice"}, False),
        ({"S": "bob"}, True),
    ]


def test_code_outside_of_requests_meets_the_same(world: World) -> None:
    pm = world.app()
    resource: Any = pm.routes[0].resource
    world.put()
    with pm.transaction() as write:
        write.delete(Key(world.note, "alice", "1"))
    assert "deleted" in world.item()
    with pytest.raises(NotFound):
        resource.store.read({"owner": "alice", "id": "1"})
    assert resource.restore(world.note("alice", "1"), None).deleted is None
    assert resource.store.read({"owner": "alice", "id": "1"}).text == "a"


@pytest.mark.parametrize("by_key", [True, False], ids=["key", "instance"])
def test_a_transaction_deletes_softly_too(world: World, by_key: bool) -> None:
    @action()
    def drop(self: Any, instance: Any, user: Any) -> Any:
        with self.store.transaction() as write:
            write.delete(Key(self.model, user.uuid, instance.id) if by_key else instance)
            write.create(self.model, {"owner": user.uuid, "id": f"copy of {instance.id}"})

    @action(detail=False)
    def drop_again(self: Any, user: Any) -> Any:
        with self.store.transaction() as write:
            write.delete(Key(self.model, user.uuid, "1"))

    client = world.served(drop=drop, drop_again=drop_again)
    world.put("1")
    assert client.post("/notes/1/drop").status == 204
    assert ("deleted" in world.item("1"), world.item("copy of 1")["text"]) == (True, {"S": "a"})
    assert_problem(client.post("/notes/drop_again"), 404)


def test_other_resources_meet_no_deleted_item(world: World) -> None:
    """Another resource's store hides and deletes as it declares, whatever the route's model."""

    class Box(Model):
        class Meta:
            table_name = f"{world.table}b"

        id = UnicodeAttribute(hash_key=True)

    @action(detail=False)
    def look(self: Any, req: Any, user: Any) -> Any:
        notes = resources["notes"]
        plan = notes.planner.plan({"owner": {"eq": "alice"}}, None)
        listed = [one.id for one in notes.store.rows(plan, pagination_key=None, limit=9)]
        try:
            notes.store.update(self.read_note(), {"text": "b"})
        except NotFound:
            return {"listed": listed}
        return {"updated": True}

    @action(detail=False)
    def drop(self: Any, req: Any, user: Any) -> Any:
        with self.store.transaction() as write:
            write.delete(Key(world.note, "alice", req["id"]))

    def read_note(self: Any) -> Any:
        return world.note.get("alice", "2")

    pm = world.app(
        ("boxes", Box, {"look": look, "drop": drop, "read_note": read_note, "scan": True}),
        filters={"owner": ("eq",)},
        permissions=IsAuthenticated,
    )
    resources = {route.resource.route: route.resource for route in pm.routes}
    client = Caller(pm.compile(), user=ALICE)
    world.put("1")
    world.put("2", deleted=True)
    assert client.post("/boxes/look", json={}).json == {"listed": ["1"]}
    assert client.post("/boxes/drop", json={"id": "1"}).status == 204
    assert "deleted" in world.item("1")
    assert_problem(client.post("/boxes/drop", json={"id": "1"}), 409)


def test_another_resource_of_the_model_removes_for_good(world: World) -> None:
    class Purge(ModelResource, Delete, Retrieve):
        model = world.note
        route = "trash"
        permissions = InGroup("staff")

        @action()
        def shred(self, instance: Any, user: Any) -> None:
            with self.store.transaction() as write:
                write.delete(instance)

    pm = PolyMicro()
    type(
        "Notes",
        FIVE,
        {"model": world.note, "route": "notes", "permissions": OwnedBy("owner"), "soft_delete": "deleted"},
    )(pm)
    Purge(pm)
    handler = pm.compile()
    create_tables(pm)
    world.put("1", deleted=True)
    world.put("2", deleted=True)
    staff = Caller(handler, user=STAFF)
    assert staff.get("/trash/alice/1").json["id"] == "1"
    assert staff.delete("/trash/alice/1").status == 204
    assert staff.post("/trash/alice/2/shred").status == 204
    assert stored(world.table) == []


def test_a_deleted_membership_lets_nobody_in(world: World) -> None:
    class Doc(Model):
        class Meta:
            table_name = f"{world.table}d"

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    through = Through(world.note, {"owner": Claim("uuid"), "id": "owner"})
    client = world.served(("docs/{owner}", Doc, {"permissions": through}))
    dynamodb_call("put_item", TableName=f"{world.table}d", Item={"owner": {"S": "team"}, "id": {"S": "1"}})
    world.put("team")
    assert client.get("/docs/team/1").status == 200
    assert client.delete("/notes/team").status == 204
    assert_problem(client.get("/docs/team/1"), 403)
    assert_problem(client.delete("/docs/team/1"), 403)


# --- what goes with it -------------------------------------------------------------------------------------------


def test_a_unique_value_stays_taken(world: World) -> None:
    client = world.served(unique=("text",))
    client.post("/notes", json={"id": "1", "text": "x"})
    with counted() as calls:
        assert client.delete("/notes/1").status == 204
    assert names(calls) == ["UpdateItem"]
    assert_problem(client.post("/notes", json={"id": "2", "text": "x"}), 409, "#/text")
    with counted() as calls:
        assert client.post("/notes/1/restore").status == 200
    assert names(calls) == ["UpdateItem"]


def test_a_null_in_dynamodb_is_no_time(world: World) -> None:
    client = world.served()
    null = {"owner": {"S": "alice"}, "id": {"S": "1"}, "text": {"S": "a"}, "deleted": {"NULL": True}}
    dynamodb_call("put_item", TableName=world.table, Item=null)
    assert client.get("/notes/1").json == SHOWN
    assert_problem(client.post("/notes/1/restore"), 409)
    assert client.delete("/notes/1").status == 204


def test_the_matrix_of_permissions_knows_restores(world: World) -> None:
    pm = world.app(soft_delete=SEEN)
    deleted = world.note("alice", "1", deleted=datetime(2026, 1, 2, tzinfo=UTC))
    assert_permission_matrix(
        pm,
        {"alice": ALICE, "bob": BOB, "nobody": None},
        {"live": world.note("alice", "2"), "gone": deleted},
        """
        user    verb      live    gone
        alice   retrieve  allow   hidden
        alice   delete    allow   hidden
        alice   restore   409     allow
        bob     restore   hidden  hidden
        nobody  restore   deny    deny
        """,
    )


RACES: Mapping[str, tuple[bool, tuple[Callable[[Caller], Any], ...]]] = {
    "two deletes": (False, (GONE["delete"], GONE["delete"])),
    "delete and update": (False, (GONE["delete"], GONE["patch"])),
    "two restores": (True, (lambda c: c.post("/notes/1/restore"),) * 2),
    "restore and delete": (True, (lambda c: c.post("/notes/1/restore"), GONE["delete"])),
    "restore and update": (True, (lambda c: c.post("/notes/1/restore"), GONE["patch"])),
    "delete and list": (False, (GONE["delete"], lambda c: c.get("/notes"))),
    "delete and create": (False, (GONE["delete"], lambda c: c.post("/notes", json={"id": "1"}))),
}


@pytest.mark.parametrize("rule", [OwnedBy("owner"), OwnedBy("owner") & Opaque()], ids=["owned", "opaque"])
@pytest.mark.parametrize("model", ["note", "versioned"])
@pytest.mark.parametrize(("deleted", "requests"), RACES.values(), ids=RACES)
def test_requests_at_once_are_as_one_after_the_other(
    world: World, rule: Any, model: str, deleted: bool, requests: Any
) -> None:
    client = world.served(permissions=rule, model=getattr(world, model))
    world.put(deleted=deleted, **({"version": {"N": "1"}} if model == "versioned" else {}))
    assert_serializable(client, *requests, ignore=("deleted",))


def test_a_resource_that_reads_alone_hides_what_another_deletes(world: World) -> None:
    """By its own word on who sees deleted items; it has neither DELETE nor restore."""
    pm = world.app()
    said = {"model": world.note, "route": "read", "permissions": OwnedBy("owner"), "soft_delete": SEEN}
    type("Read", (ModelResource, List, Retrieve), said)(pm)
    alice = Caller(pm.compile(), user=ALICE)
    world.put("1", deleted=True)
    world.put("2")
    assert [alice.get(f"/read/{number}").status for number in ("1", "2")] == [404, 200]
    assert [note["id"] for note in alice.get("/read").json["items"]] == ["2"]
    assert [note["id"] for note in alice.get("/read?deleted=true", user=STAFF).json["items"]] == ["1"]
    assert alice.get("/read?deleted=true").status == 403
    assert [alice.delete("/read/2").status, alice.post("/read/1/restore").status] == [405, 404]
    assert alice.post("/notes/1/restore").status == 200
