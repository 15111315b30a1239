"""Rules of fields that look at the item: a field is the owner's to read, or to write while the item is open."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, create_tables, meanwhile, names, stored
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    Delete,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Through,
    Update,
    User,
    action,
)
from polymicro_lambda.testing import assert_serializable

HR = User("hal", frozenset({"therapist"}), groups=frozenset({"hr"}))


class Open(Permission):
    """Items that are not locked."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.locked == False  # noqa: E712 - a condition


class OwnByPython(Permission):
    """`OwnedBy("owner")`, in Python."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Extra:
    store: Any

    @action(methods=("GET",))
    def card(self, instance: Any) -> Any:
        return {"member": instance}

    @action(detail=False, methods=("GET",))
    def every(self) -> Any:
        return [self.store.read({"team": "t", "id": one}) for one in ("a", "b")]


class World:
    """Members of teams; alice's is ``a``, and bob's ``b``."""

    def __init__(self, table: str) -> None:
        class ByPay(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
            class Meta:
                index_name = "by_pay"
                projection = AllProjection()

            team = UnicodeAttribute(hash_key=True)
            pay = NumberAttribute(range_key=True)

        class Member(Model):
            class Meta:
                table_name = table

            team = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)
            owner = UnicodeAttribute(null=True)
            name = UnicodeAttribute(null=True)
            pay = NumberAttribute(default=1)
            locked = BooleanAttribute(default=False)
            version = VersionAttribute()
            by_pay = ByPay()

        class Boss(Model):
            class Meta:
                table_name = f"{table}b"

            of = UnicodeAttribute(hash_key=True)
            user = UnicodeAttribute(range_key=True)

        self.member, self.boss = Member, Boss

    def served(self, rule: Any, permissions: Any = IsAuthenticated, **members: Any) -> Caller:
        pm = PolyMicro()
        base = {
            "model": self.member,
            "route": "teams/{team}",
            "permissions": permissions,
            "field_permissions": {"pay": rule},
            "filters": {"pay": ("eq", "lt"), "name": "eq"},
        }
        type("Members", (ModelResource, Create, List, Retrieve, Update, Delete, Extra), base | members)(pm)
        client = Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        if not self.boss.exists():
            self.boss.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        for owner in ("alice", "bob"):
            if not stored(f"{self.member.Meta.table_name}")[1:]:
                self.member("t", owner[0], owner=owner, name=owner, pay=5000).save()
        return client

    def pays(self) -> dict[str, str | None]:
        items = stored(self.member.Meta.table_name)
        return {one["id"]["S"]: one.get("pay", {}).get("N") for one in items}


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


OWN: dict[str, Callable[[World], Any]] = {
    "a condition": lambda world: OwnedBy("owner"),
    "in Python": lambda world: OwnByPython,
    "composed": lambda world: InGroup("hr") | (OwnedBy("owner") & IsAuthenticated),
    "a related item": lambda world: Through(world.boss, {"of": "owner", "user": Claim("uuid")}),
}


@pytest.fixture(params=OWN.values(), ids=OWN)
def own(request: pytest.FixtureRequest, world: World) -> Any:
    """A rule that lets in the owner of an item."""
    if not world.boss.exists():
        world.boss.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for user in ("alice", "bob"):
        world.boss(user, user).save()
    return request.param(world)


def shows(item: dict[str, Any]) -> tuple[str, bool]:
    """The item's name and whether its pay is shown."""
    return item["id"], "pay" in item


def test_an_item_hides_a_field_in_every_answer(world: World, own: Any) -> None:
    client = world.served(own)
    for name, shown in (("a", True), ("b", False)):
        path, expected = f"/teams/t/{name}", (name, shown)
        answers = {
            "retrieve": client.everywhere("GET", path).json,
            "merge": client.patch(path, json={"name": "x"}).json,
            "nothing": client.patch(path, json={}).json,
            "replace": client.put(path, json={"name": "x", "owner": "alice" if shown else "bob"}).json,
            "inside a value": client.get(f"{path}/card").json["member"],
            "412": client.patch(path, json={"name": "x"}, headers={"If-Match": '"x"'}).json["current"],
        }
        assert {way: shows(item) for way, item in answers.items()} == dict.fromkeys(answers, expected)
    assert [shows(one) for one in client.get("/teams/t").json["items"]] == [("a", True), ("b", False)]
    assert [shows(one) for one in client.get("/teams/t/every").json] == [("a", True), ("b", False)]
    assert world.pays() == {"a": "5000", "b": "5000"}


def test_a_page_reads_related_items_once(world: World) -> None:
    client = world.served(Through(world.boss, {"of": "owner", "user": Claim("uuid")}))
    with counted() as calls:
        assert len(client.get("/teams/t").json["items"]) == 2
    assert names(calls) == ["Query", "BatchGetItem"]


def test_it_can_be_asked_for_and_is_shown_where_the_item_shows_it(world: World, own: Any) -> None:
    client = world.served(own)
    assert client.get("/teams/t/a?fields=id,pay").json == {"id": "a", "pay": 5000}
    assert client.get("/teams/t/b?fields=id,pay").json == {"id": "b"}
    found = client.get("/teams/t?fields=id,pay").json["items"]
    assert found == [{"id": "a", "pay": 5000}, {"id": "b"}]


def test_a_filter_on_it_finds_no_item_that_hides_it(world: World, own: Any) -> None:
    """Else what a list finds would tell the value."""
    client = world.served(own)
    for query in ("pay=5000", "pay__lt=6000"):
        assert [one["id"] for one in client.get(f"/teams/t?{query}").json["items"]] == ["a"]
    assert [one["id"] for one in client.get("/teams/t?name=bob").json["items"]] == ["b"]


def test_a_list_is_not_sorted_by_it(world: World, own: Any) -> None:
    """The order of items would tell the value; who may read it of all items may sort by it."""
    client = world.served(own)
    with counted() as calls:
        assert_problem(client.get("/teams/t?sort=pay"), 400, "sort")
    assert calls == []
    free = world.served(OwnedBy("owner") | InGroup("hr"))
    assert free.get("/teams/t?sort=pay", user=HR).status == 200


def test_the_tag_tells_what_the_item_shows(world: World, own: Any) -> None:
    client = world.served(own)
    alices, bobs = (client.get("/teams/t/a", user=user) for user in (ALICE, BOB))
    assert alices.headers["etag"] != bobs.headers["etag"]
    tag = {"If-None-Match": bobs.headers["etag"]}
    assert client.get("/teams/t/a", user=BOB, headers=tag).status == 304
    assert client.get("/teams/t/a", headers=tag).status == 200


def test_a_field_is_written_where_the_item_lets_it(world: World, own: Any) -> None:
    client = world.served(own)
    assert client.patch("/teams/t/a", json={"pay": 7}).json["pay"] == 7
    assert_problem(client.patch("/teams/t/b", json={"pay": 7, "name": "x"}), 422, "#/pay")
    assert_problem(client.put("/teams/t/b", json={"pay": 7}), 422, "#/pay")
    assert client.patch("/teams/t/b", json={"name": "new"}).status == 200
    assert world.pays() == {"a": "7", "b": "5000"}
    assert_problem(client.patch("/teams/t/none", json={"pay": 7}), 404)


def test_whom_the_rule_of_the_resource_refuses_is_told_no_more(world: World, own: Any) -> None:
    client = world.served(own, OwnedBy("owner"))
    assert_problem(client.patch("/teams/t/b", json={"pay": 7}), 404)
    public = world.served(own, {"retrieve": AllowAny, "*": OwnedBy("owner")})
    assert_problem(public.patch("/teams/t/b", json={"pay": 7}), 403)


def test_an_override_tells_no_more_of_what_the_rule_hides(world: World, own: Any) -> None:
    """It reads the item first: 422 would tell that there is one."""

    def update(self: Any, instance: Any, req: Any, user: Any) -> Any:
        return Update.update(self, instance, req, user)

    client = world.served(own, OwnedBy("owner"), update=update)
    hidden, missing = (client.patch(f"/teams/t/{one}", json={"pay": 7}) for one in ("b", "none"))
    assert (hidden.status, hidden.body) == (404, missing.body)
    public = world.served(own, {"retrieve": AllowAny, "*": OwnedBy("owner")}, update=update)
    assert_problem(public.patch("/teams/t/b", json={"pay": 7}), 403)
    assert world.pays()["b"] == "5000"


def test_a_write_of_it_is_one_call_where_dynamodb_can_judge_it(world: World) -> None:
    client = world.served({"write": Open})
    with counted() as calls:
        assert client.patch("/teams/t/a", json={"pay": 7}).status == 200
    assert names(calls) == ["UpdateItem"]


def test_an_item_that_is_locked_meanwhile_refuses_it(world: World) -> None:
    client = world.served({"write": Open})
    key = {"team": {"S": "t"}, "id": {"S": "a"}}

    def lock() -> None:
        world.member.get("t", "a").update([world.member.locked.set(True)])

    with meanwhile(lock):
        assert_problem(client.patch("/teams/t/a", json={"pay": 7}), 422, "#/pay")
    assert world.pays()["a"] == "5000", key
    assert client.patch("/teams/t/a", json={"name": "x"}).status == 200


def test_the_new_item_is_judged_too(world: World) -> None:
    """Nobody writes a field and gives the item away by the same request."""
    client = world.served({"write": OwnedBy("owner")})
    assert_problem(client.patch("/teams/t/a", json={"pay": 7, "locked": True, "owner": "bob"}), 422, "#/pay")
    closing = world.served({"write": Open})
    assert_problem(closing.patch("/teams/t/a", json={"pay": 7, "locked": True}), 422, "#/pay")
    assert world.pays()["a"] == "5000"


def test_a_new_item_has_it_where_that_lets_it(world: World) -> None:
    client = world.served({"write": Open})
    assert client.post("/teams/t", json={"id": "c", "pay": 3}).json["pay"] == 3
    assert_problem(client.post("/teams/t", json={"id": "d", "pay": 3, "locked": True}), 422, "#/pay")
    assert client.post("/teams/t", json={"id": "e", "locked": True}).json["pay"] == 1


def test_replacing_leaves_it_where_the_body_does_not_name_it(world: World, own: Any) -> None:
    """Whether the user may write it is not known before the item is read."""
    client = world.served(own)
    for name, owner in (("a", "alice"), ("b", "bob")):
        assert client.put(f"/teams/t/{name}", json={"name": "n", "owner": owner}).status == 200
    assert world.pays() == {"a": "5000", "b": "5000"}


def test_an_override_carries_it(world: World) -> None:
    def update(self: Any, instance: Any, req: Any, user: Any) -> Any:
        other = self.store.read({"team": "t", "id": "b"})
        self.store.update(other, {"name": "seen"})
        return Update.update(self, instance, req, user)

    client = world.served({"write": OwnedBy("owner")}, update=update)
    assert client.patch("/teams/t/a", json={"pay": 7}).json["pay"] == 7
    assert_problem(client.patch("/teams/t/b", json={"pay": 7}), 422, "#/pay")
    assert world.pays() == {"a": "7", "b": "5000"}


def test_a_role_that_is_taken_away_refuses_a_field_under_way(world: World) -> None:
    client = world.served({"write": Through(world.boss, {"of": "team", "user": Claim("uuid")})})
    assert_problem(client.patch("/teams/t/a", json={"pay": 7}), 422, "#/pay")
    world.boss("t", "alice").save()
    with meanwhile(lambda: world.boss("t", "alice").delete()):
        assert client.patch("/teams/t/a", json={"pay": 7}).status in (403, 409)
    assert world.pays()["a"] == "5000"
    world.boss("t", "alice").save()
    assert client.patch("/teams/t/a", json={"pay": 7}).json["pay"] == 7


@pytest.mark.thorough
def test_no_schedule_writes_it_to_a_locked_item(world: World) -> None:
    client = world.served({"write": Open})
    assert_serializable(
        client,
        lambda one: one.patch("/teams/t/a", json={"pay": 7}),
        lambda one: one.patch("/teams/t/a", json={"locked": True}),
    )
