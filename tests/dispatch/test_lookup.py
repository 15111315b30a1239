"""`lookup`: items are addressed by a unique attribute, found by its reservation, and by no other item's."""

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
    names,
    stored,
    watched,
)
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    ConfigurationError,
    Create,
    Delete,
    Idempotency,
    IsAuthenticated,
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
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy.iam_policy import grants
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.testing import assert_serializable

VERBS = (ModelResource, Create, List, Retrieve, Update, Delete)


class World:
    """Profiles, and apps over them."""

    def __init__(self, table: str) -> None:
        class Profile(Model):
            class Meta:
                table_name = f"{table}p"

            id = UnicodeAttribute(hash_key=True)
            username = UnicodeAttribute()
            bio = UnicodeAttribute(null=True)
            owner = UnicodeAttribute(default="alice")

        self.table, self.profile = table, Profile

    def served(self, *, app: Any = None, **members: Any) -> Caller:
        """A client of alice's of ``/profiles/{username}``: ann and bea, whose keys are 1 and 2."""
        said = {"model": self.profile, "route": "profiles", "permissions": AllowAny, "scan": True}
        said |= {"unique": ("username",), "lookup": "username"}
        self.profiles = type("Profiles", VERBS, said | members)
        self.pm = PolyMicro(**(app or {}))
        self.profiles(self.pm)
        client = Caller(self.pm.compile(), user=ALICE)
        create_tables(self.pm)
        for number, name in enumerate(("ann", "bea"), 1):
            made = client.post("/profiles", json={"id": str(number), "username": name})
            assert made.status in (201, 409), made.text
        return client

    def items(self) -> dict[str, str]:
        """The profiles as they are stored: key -> bio."""
        return {one["id"]["S"]: one.get("bio", {}).get("S", "") for one in stored(f"{self.table}p")}

    def rename(self, id_: str, name: str) -> None:
        """Another writer gives a profile another name, as an app would: together with its reservations."""
        old = self.profile.get(id_, consistent_read=True)
        served = Caller(self.pm.compile(), user=ALICE)
        assert served.patch(f"/profiles/{old.username}", json={"username": name}).status == 200


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


ANN = {"id": "1", "username": "ann", "bio": None, "owner": "alice"}


def test_items_are_addressed_by_it(world: World) -> None:
    client = world.served()
    made = client.post("/profiles", json={"id": "3", "username": "cleo/ä"})
    assert (made.status, made.headers["location"]) == (201, "profiles/cleo%2F%C3%A4")
    with counted() as calls:
        shown = client.get("/profiles/ann")
    assert (names(calls), shown.json) == (["GetItem", "GetItem"], ANN)
    assert all(parameters["ConsistentRead"] for _, parameters in calls)
    assert client.get("/profiles/cleo%2F%C3%A4", source="url").json["id"] == "3"
    assert client.everywhere("GET", "/profiles/bea").json["id"] == "2"
    assert client.head("/profiles/ann").status == 200
    for path in ("/profiles/1", "/profiles/nobody", "/profiles/%00"):
        assert_problem(client.get(path), 404)


def test_every_verb_of_an_item(world: World) -> None:
    @action
    def shout(self: Any, instance: Any, req: Any) -> Any:
        return self.store.update(instance, {"bio": f"{instance.username}!"})

    @action(methods=("GET",))
    def others(self: Any, instance: Any) -> Any:
        return [one for one in self.model.scan() if one.id != instance.id]

    client = world.served(shout=shout, others=others)
    with counted() as calls:
        changed = client.patch("/profiles/ann", json={"bio": "x"})
    assert (names(calls), changed.json) == (["GetItem", "UpdateItem"], ANN | {"bio": "x"})
    assert client.get("/profiles/ann", headers={"if-none-match": changed.headers["etag"]}).status == 304
    tag = {"if-match": changed.headers["etag"]}
    assert client.put("/profiles/ann", json={"username": "ann"}, headers=tag).json == ANN
    assert client.patch("/profiles/ann", json={"bio": "y"}, headers=tag).status == 412
    assert client.patch("/profiles/ann", json={}).json == ANN
    assert client.post("/profiles/ann/shout").json["bio"] == "ann!"
    assert [one["id"] for one in client.get("/profiles/ann/others").json] == ["2"]
    assert client.delete("/profiles/ann").status == 204
    assert client.delete("/profiles/ann").status == 404
    assert world.items() == {"2": ""}


def test_a_change_of_it_moves_the_address(world: World) -> None:
    client = world.served()
    moved = client.patch("/profiles/ann", json={"username": "anna"})
    assert (moved.status, moved.json) == (200, ANN | {"username": "anna"})
    assert (client.get("/profiles/ann").status, client.get("/profiles/anna").json) == (404, moved.json)
    assert client.patch("/profiles/anna", json={"username": "bea"}).status == 409
    assert client.post("/profiles", json={"id": "4", "username": "ann"}).status == 201
    assert client.get("/profiles/ann").json["id"] == "4"


class Odd(Permission):
    """Opaque: nobody is refused, but every item must be seen."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.username)


@pytest.mark.parametrize("rule", [AllowAny, OwnedBy("owner") | Odd, Odd])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/profiles/ann", None),
        ("PATCH", "/profiles/ann", {"bio": "late"}),
        ("PATCH", "/profiles/ann", {"username": "late"}),
        ("PUT", "/profiles/ann", {"username": "ann", "bio": "late"}),
        ("PATCH", "/profiles/ann", {}),
        ("DELETE", "/profiles/ann", None),
        ("POST", "/profiles/ann/shout", None),
        ("POST", "/profiles/ann/both", None),
    ],
)
@pytest.mark.parametrize("after", [1, 2])
def test_an_item_that_moved_meanwhile_is_not_met(
    world: World, rule: Any, swapped: bool, method: str, path: str, body: Any, after: int
) -> None:
    """Whatever happens between two calls, what is written or shown is the item with that name, or it is a 404."""

    @action
    def shout(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"bio": "late"})

    @action
    def both(self: Any, instance: Any) -> Any:
        with self.store.transaction() as write:
            write.update(instance, {"bio": "late"})
        return {"done": True}

    client = world.served(permissions=rule, shout=shout, both=both)
    made: list[str] = []

    def moving(operation: str, parameters: dict[str, Any], call: Any) -> Any:
        answer = call()
        if len(made) < after:
            made.append(operation)
            if len(made) == after:
                made.append("")
                world.rename("1", "anna")
                if swapped:
                    world.rename("2", "ann")
        return answer

    with watched(moving):
        result = client.request(method, path, json=body)
    assert world.items()["2"] == ""
    if after == 2:
        assert result.status in (200, 204, 404)
    else:
        assert_problem(result, 404)
        assert world.items() == {"1": "", "2": ""}
        assert {one["username"]["S"] for one in stored(f"{world.table}p")} == (
            {"anna", "ann"} if swapped else {"anna", "bea"}
        )


def test_what_an_override_writes_is_pinned_too(world: World) -> None:
    def update(self: Any, instance: Any, req: Any) -> Any:
        world.rename("1", "anna")
        return self.store.update(instance, req)

    client = world.served()
    world.profiles.update = update
    client = Caller(world.pm.compile(), user=ALICE)
    del world.profiles.update
    assert_problem(client.patch("/profiles/ann", json={"bio": "late"}), 404)
    assert world.items()["1"] == ""


def test_two_writes_of_one_verb_are_no_race(world: World) -> None:
    @action
    def twice(self: Any, instance: Any) -> Any:
        first = self.store.update(instance, {"username": "anna"})
        return self.store.update(first, {"bio": "moved"})

    client = world.served(twice=twice)
    assert client.post("/profiles/ann/twice").json == ANN | {"username": "anna", "bio": "moved"}


def test_the_rule_is_asked_as_ever(world: World) -> None:
    client = world.served(permissions=OwnedBy("owner"))
    assert client.get("/profiles/ann").status == 200
    for method, body in (("GET", None), ("PATCH", {"bio": "x"}), ("DELETE", None)):
        assert_problem(client.as_(BOB).request(method, "/profiles/ann", json=body), 404)
    with counted() as calls:
        assert_problem(client.as_(None).get("/profiles/ann"), 401)
    assert names(calls) == []


def test_who_is_no_member_is_told_so_first(world: World) -> None:
    class Member(Model):
        class Meta:
            table_name = f"{world.table}m"

        id = UnicodeAttribute(hash_key=True)

    Member.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Member("alice").save()
    client = world.served(permissions=Through(Member, {"id": Claim("uuid")}))
    for path in ("/profiles/ann", "/profiles/nobody"):
        assert_problem(client.as_(BOB).get(path), 403)
        assert_problem(client.as_(BOB).patch(path, json={"bio": "x"}), 403)
    assert client.patch("/profiles/ann", json={"bio": "x"}).json["bio"] == "x"
    assert_problem(client.get("/profiles/nobody"), 404)


def test_a_related_item_is_that_of_each_item_and_not_of_the_path(world: World) -> None:
    class Grant(Model):
        class Meta:
            table_name = f"{world.table}g"

        name = UnicodeAttribute(hash_key=True)
        user = UnicodeAttribute(range_key=True)

    @action(methods=("GET",))
    def everyone(self: Any, instance: Any) -> Any:
        return [*self.model.scan()]

    Grant.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for name in ("ann", "anna", "bea"):
        Grant(name, "alice").save()
    client = world.served(
        permissions=Through(Grant, {"name": "username", "user": Claim("uuid")}), everyone=everyone
    )
    Grant("bea", "alice").delete()
    assert client.get("/profiles/ann/everyone").json == [ANN]
    assert client.patch("/profiles/ann", json={"bio": "x"}).json["bio"] == "x"
    assert_problem(client.get("/profiles/bea"), 404)
    assert_problem(client.patch("/profiles/ann", json={"username": "eve"}), 403)
    assert client.patch("/profiles/ann", json={"username": "anna"}).json["username"] == "anna"


def test_a_repeated_request_that_moved_the_item_is_done_once(world: World) -> None:
    app = {"idempotency": Idempotency(table=f"{world.table}i"), "cursor_secret": "s"}
    client = world.served(app=app, idempotent=("create", "update"))
    key = {"idempotency-key": "1"}
    first = client.patch("/profiles/ann", json={"username": "anna"}, headers=key)
    again = client.patch("/profiles/ann", json={"username": "anna"}, headers=key)
    assert (first.status, again.status, again.body) == (200, 204, b"")
    assert again.headers["idempotency-replayed"] == "true"
    kept = {"idempotency-key": "2"}
    shown = [client.patch("/profiles/anna", json={"bio": "x"}, headers=kept) for _ in range(2)]
    assert shown[0].json == shown[1].json
    assert client.patch("/profiles/ann", json={"bio": "x"}, headers={"idempotency-key": "3"}).status == 404


def test_a_value_that_can_stand_in_no_path_is_refused(world: World) -> None:
    client = world.served()
    for value in ("", ".", "..", "a\nb", "x" * 2049):
        refused = client.post("/profiles", json={"id": "9", "username": value})
        assert_problem(refused, 422, "#/username")
        assert_problem(client.patch("/profiles/ann", json={"username": value}), 422, "#/username")


def test_what_was_there_before_unique_is_not_found(world: World) -> None:
    """`backfill.mark` reserves the values of such items."""
    client = world.served()
    item = {"id": {"S": "7"}, "username": {"S": "old"}}
    dynamodb_call("put_item", TableName=f"{world.table}p", Item=item)
    assert_problem(client.get("/profiles/old"), 404)


def test_a_reservation_that_its_item_left_behind_leads_nowhere(world: World) -> None:
    client = world.served()
    dynamodb_call("delete_item", TableName=f"{world.table}p", Key={"id": {"S": "1"}})
    assert_problem(client.get("/profiles/ann"), 404)
    assert_problem(client.patch("/profiles/ann", json={"bio": "x"}), 404)
    assert_problem(client.delete("/profiles/ann"), 404)


def test_together_with_what_the_route_binds(world: World) -> None:
    class User(Model):
        class Meta:
            table_name = f"{world.table}u"

        tenant = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        slug = NumberAttribute()
        name = UnicodeAttribute(null=True)
        version = VersionAttribute()

    said = {"unique": (("tenant", "slug"),), "lookup": "slug", "route": "tenants/{tenant}/users"}
    pm = PolyMicro()
    type("Users", VERBS, said | {"model": User, "permissions": AllowAny})(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    for tenant, id_ in (("1", "a"), ("2", "b")):
        made = client.post(f"/tenants/{tenant}/users", json={"id": id_, "slug": 7})
        assert (made.status, made.headers["location"]) == (201, "users/7")
    assert [client.get(f"/tenants/{one}/users/7").json["id"] for one in "12"] == ["a", "b"]
    assert client.patch("/tenants/2/users/7", json={"name": "x"}).json["name"] == "x"
    assert_problem(client.get("/tenants/3/users/7"), 404)
    assert_problem(client.get("/tenants/1/users/8"), 404)


def test_a_value_that_is_unique_everywhere_is_of_its_own_path_alone(world: World) -> None:
    class User(Model):
        class Meta:
            table_name = f"{world.table}u"

        tenant = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        slug = UnicodeAttribute()

    said = {"unique": ("slug",), "lookup": "slug", "route": "tenants/{tenant}/users"}
    pm = PolyMicro()
    type("Users", VERBS, said | {"model": User, "permissions": AllowAny})(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    assert client.post("/tenants/1/users", json={"id": "a", "slug": "s"}).status == 201
    assert client.get("/tenants/1/users/s").status == 200
    for method, body in (("GET", None), ("PATCH", {"slug": "t"}), ("DELETE", None)):
        assert_problem(client.request(method, "/tenants/2/users/s", json=body), 404)


@pytest.mark.parametrize("unique", [("slug",), (("owner", "slug"),)])
def test_an_owner_in_the_key_is_asked_of_what_was_found(world: World, unique: Any) -> None:
    class Note(Model):
        class Meta:
            table_name = f"{world.table}o"

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        slug = UnicodeAttribute()

    said = {"unique": unique, "lookup": "slug", "route": "notes"}
    pm = PolyMicro()
    type("Notes", VERBS, said | {"model": Note, "permissions": OwnedBy("owner")})(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    made = client.post("/notes", json={"id": "a", "slug": "s"})
    assert (made.status, made.headers["location"]) == (201, "notes/s")
    for method, body in (("GET", None), ("PATCH", {"slug": "t"}), ("DELETE", None)):
        assert_problem(client.as_(BOB).request(method, "/notes/s", json=body), 404)
    assert client.as_(BOB).post("/notes", json={"id": "b", "slug": "s"}).status == (
        409 if unique == ("slug",) else 201
    )
    assert client.get("/notes/s").json == {"owner": "alice", "id": "a", "slug": "s"}
    assert client.delete("/notes/s").status == 204


def test_what_is_deleted_softly_keeps_its_address(world: World) -> None:
    class Page(Model):
        class Meta:
            table_name = f"{world.table}d"

        id = UnicodeAttribute(hash_key=True)
        slug = UnicodeAttribute()
        deleted = UTCDateTimeAttribute(null=True)

    said = {"unique": "slug", "lookup": "slug", "route": "pages", "permissions": AllowAny}
    pm = PolyMicro()
    deletion = SoftDelete("deleted", seen_by=IsAuthenticated)
    type("Pages", VERBS, said | {"model": Page, "soft_delete": deletion, "scan": True})(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    for number, slug in enumerate(("s", "t"), 1):
        assert client.post("/pages", json={"id": str(number), "slug": slug}).status == 201
    assert client.delete("/pages/s").status == 204
    for method, body in (("GET", None), ("PATCH", {"slug": "x"}), ("PATCH", {}), ("DELETE", None)):
        assert_problem(client.request(method, "/pages/s", json=body), 404)
    assert client.get("/pages/s?deleted=true").json["id"] == "1"
    assert_problem(client.get("/pages/t?deleted=true"), 404)
    assert_problem(client.patch("/pages/t", json={"slug": "s"}), 409, "#/slug")
    assert client.post("/pages/s/restore").json == {"id": "1", "slug": "s", "deleted": None}
    assert_problem(client.post("/pages/s/restore"), 409)
    assert_problem(client.post("/pages/gone/restore"), 404)
    assert client.get("/pages/s").json["id"] == "1"


def test_url_for_and_embedded_items(world: World) -> None:
    class Note(Model):
        class Meta:
            table_name = f"{world.table}n"

        id = UnicodeAttribute(hash_key=True)
        by = UnicodeAttribute()

    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {"url": self.url_for(instance, request)}

    client = world.served(represent=represent)
    embed = {"writer": One(world.profiles, {"id": "by"}), "all": Many(world.profiles, {"id": "by"})}
    notes = {"model": Note, "route": "notes", "permissions": AllowAny, "scan": True, "embed": embed}
    type("Notes", VERBS, notes)(world.pm)
    client = Caller(world.pm.compile(), user=ALICE)
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    url = {"url": "https://api.example.com/profiles/ann"}
    shown = client.post("/notes?embed=writer,all", json={"id": "1", "by": "1"}).json
    assert (shown["writer"], shown["all"]) == (url, [url])


def test_no_order_of_calls_writes_another_item(world: World) -> None:
    client = world.served()
    assert_serializable(
        client,
        lambda one: one.patch("/profiles/ann", json={"bio": "late"}),
        lambda one: one.patch("/profiles/ann", json={"username": "anna"}),
    )


def test_it_is_told(world: World) -> None:
    world.served()
    table = {row.path + row.http: (row.access, row.calls) for row in rows(world.pm.routes)}
    assert table["/profiles/{username}GET"] == ("unique username", "GetItem (by username), GetItem")
    assert table["/profiles/{username}DELETE"][1].startswith("GetItem (by username), ")
    assert "(by" not in table["/profilesGET"][1]
    with counted() as calls:
        lines = dict(explain(world.pm, "PATCH /profiles/ann", ALICE))
        assert "key" in dict(explain(world.pm, "GET /profiles/ann", ALICE))
    assert calls == []
    assert lines["key"] == (
        'that of the item with username = "ann": 1 GetItem of its reservation, consistent, comes first'
    )
    assert 'username = "ann"' in lines["condition"]
    document = openapi(world.pm.routes)
    [said] = [
        one for one in document["paths"]["/profiles/{username}"]["get"]["parameters"] if one["in"] == "path"
    ]
    assert (said["name"], said["schema"]["minLength"], said["schema"]["type"]) == ("username", 1, "string")
    retrieve = next(one for one in world.pm.routes if one.verb == "retrieve")
    assert {(one.table.removeprefix(world.table), one.operation) for one in grants(retrieve)} == {
        ("p", "GetItem"),
        ("p_unique", "GetItem"),
    }
    assert [model.Meta.table_name for model in retrieve.models] == [
        f"{world.table}p",
        f"{world.table}p_unique",
    ]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"lookup": ("username",)}, "Profiles.lookup must name an attribute"),
        ({"lookup": "usernam"}, "Profile has no attribute 'usernam': is 'username' meant?"),
        ({"lookup": "id"}, "Profiles.lookup: 'id' is of the key"),
        ({"lookup": "bio", "unique": ("bio",)}, "Profiles.lookup: 'bio' may be null"),
        (
            {"unique": ()},
            "Profiles.lookup: 'username' may be that of several items: say unique = ('username',)",
        ),
        ({"unique": (("username", "owner"),)}, "Profiles.lookup: 'username' may be that of several items"),
        ({"lookup": "owner", "permissions": OwnedBy("owner")}, "Profiles.lookup: 'owner' is bound"),
        ({"route": "of/{username}/profiles"}, "Profiles.lookup: 'username' is bound"),
    ],
)
def test_what_can_be_no_lookup(world: World, members: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        world.served(**members)
    assert message in str(error.value)


def test_a_lookup_without_items(world: World) -> None:
    said = {"model": world.profile, "route": "p", "permissions": AllowAny}
    pm = PolyMicro()
    type("Made", (ModelResource, Create), said | {"unique": ("username",), "lookup": "username"})(pm)
    with pytest.raises(ConfigurationError, match="has no verb on an item"):
        pm.compile()
