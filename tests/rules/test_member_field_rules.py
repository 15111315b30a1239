"""Rules of members of maps: ``field_permissions = {"address.city": …}``."""

from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, create_tables, stored
from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    Idempotency,
    InGroup,
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

HR = User("hal", groups=frozenset({"hr"}))
STORED = {
    "street": {"S": "High St"},
    "c": {"S": "Ulm"},
    "geo": {"M": {"lat": {"N": "1"}, "long": {"N": "2"}}},
}
WHOLE = {"street": "High St", "city": "Ulm", "geo": {"lat": 1, "long": 2}}
LESS = {"street": "High St", "geo": {"long": 2}}


class Show(ModelResource):
    @action(methods=("GET",))
    def card(self, instance: Any) -> Any:
        return {"person": instance}


class World:
    def __init__(self, table: str) -> None:
        class Geo(MapAttribute[Any, Any]):
            lat = NumberAttribute(null=True)
            long = NumberAttribute(null=True)

        class Address(MapAttribute[Any, Any]):
            street = UnicodeAttribute()
            city = UnicodeAttribute(attr_name="c", null=True)
            country = UnicodeAttribute(default="DE")
            geo = Geo(null=True)

        class Person(Model):
            class Meta:
                table_name = table

            id = UnicodeAttribute(hash_key=True)
            owner = UnicodeAttribute(null=True)
            address = Address(null=True)
            free: Any = MapAttribute(null=True)

        self.person = Person

    def served(self, rules: Any = None, **members: Any) -> Caller:
        """A client of alice's, whose person 1 is."""
        hr = {"address.city": InGroup("hr"), "address.geo.lat": InGroup("hr"), "free.pay": InGroup("hr")}
        base = {
            "model": self.person,
            "route": "people",
            "permissions": AllowAny,
            "scan": True,
            "field_permissions": hr if rules is None else rules,
        }
        pm = PolyMicro(idempotency=members.pop("idempotency", None))
        type("People", (Show, Create, List, Retrieve, Update, Delete), base | members)(pm)
        self.pm, client = pm, Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        self.put()
        return client

    def put(self, **more: Any) -> None:
        said: Any = {"id": "1", "owner": "alice", "address": self.address(), "free": {"pay": 3, "age": 4}}
        self.person(**said | more).save()

    def address(self) -> dict[str, Any]:
        return {"street": "High St", "city": "Ulm", "geo": {"lat": 1, "long": 2}}

    def at(self, name: str = "address") -> Any:
        (item,) = stored(self.person.Meta.table_name)
        return item.get(name, {}).get("M")


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


def without_country(address: Any) -> Any:
    return {name: one for name, one in address.items() if name != "country"}


def test_every_answer_leaves_them_out(world: World) -> None:
    client = world.served()
    shown = [
        client.get("/people/1").json,
        client.get("/people").json["items"][0],
        client.get("/people/1?fields=address,free").json,
        client.get("/people/1/card").json["person"],
        client.patch("/people/1", json={"free": {"age": 4}}).json,
        client.put("/people/1", json={"address": {"street": "High St", "geo": {"long": 2}}}).json,
    ]
    for one in shown:
        assert without_country(one["address"]) == LESS
        assert one.get("free", {}) in ({"age": 4}, {})
    staff = client.get("/people/1", user=HR)
    assert without_country(staff.json["address"]) == WHOLE
    assert staff.headers["etag"] != client.get("/people/1").headers["etag"]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"address": {"street": "x", "city": "y"}}, "#/address/city"),
        ({"address": {"street": "x", "geo": {"lat": 7}}}, "#/address/geo/lat"),
        ({"free": {"pay": 9}}, "#/free/pay"),
        ({"free": {"pay": None}}, "#/free/pay"),
    ],
    ids=str,
)
def test_who_may_not_write_one_is_refused(world: World, method: str, body: Any, place: str) -> None:
    client = world.served()
    before = stored(world.person.Meta.table_name)
    path = "/people" if method == "POST" else "/people/1"
    said = {"id": "2", **body} if method == "POST" else body
    assert_problem(client.request(method, path, json=said), 422, place)
    assert stored(world.person.Meta.table_name) == before
    if body != {"free": {"pay": None}}:
        assert client.request(method, path, json=said, user=HR).status in (200, 201)


@pytest.mark.parametrize("body", [{"address": None}, {"address": {"geo": None}}, {"free": None}], ids=str)
def test_a_patch_clears_no_map_around_one(world: World, body: Any) -> None:
    client = world.served()
    before = stored(world.person.Meta.table_name)
    assert client.patch("/people/1", json=body).status == 422
    assert stored(world.person.Meta.table_name) == before
    assert client.patch("/people/1", json=body, user=HR).status == 200


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ({"street": "x"}, {"street": {"S": "x"}, "geo": {"M": {"lat": {"N": "1"}}}}),
        (
            {"street": "x", "country": "FR", "geo": {"long": 5}},
            {
                "street": {"S": "x"},
                "country": {"S": "FR"},
                "geo": {"M": {"lat": {"N": "1"}, "long": {"N": "5"}}},
            },
        ),
    ],
    ids=str,
)
def test_a_put_leaves_them_alone(world: World, address: Any, left: Any) -> None:
    client = world.served()
    assert client.put("/people/1", json={"address": address, "free": {"new": 1}}).status == 200
    assert world.at() == {"country": {"S": "DE"}, "c": {"S": "Ulm"}, **left}
    assert world.at("free") == {"pay": {"N": "3"}, "new": {"N": "1"}}
    assert client.put("/people/1", json={"address": address}, user=HR).status == 200
    assert "c" not in world.at()
    assert world.at("free") is None


def test_a_put_that_clears_the_map(world: World) -> None:
    """What is left would lack a member that the map needs; a free map needs none."""
    client = world.served()
    assert_problem(client.put("/people/1", json={}), 422, "#/address/street")
    address = {"street": "x"}
    assert client.put("/people/1", json={"address": address}).status == 200
    assert world.at("free") == {"pay": {"N": "3"}}
    world.put(address={"street": "x"}, free={"age": 1})
    assert client.put("/people/1", json={}).json["address"] is None
    assert (world.at(), world.at("free")) == (None, None)


def test_rules_that_look_at_the_item(world: World) -> None:
    client = world.served({"address.city": OwnedBy("owner")})
    assert without_country(client.get("/people/1").json["address"]) == WHOLE
    bobs = client.get("/people/1", user=BOB).json["address"]
    assert "city" not in bobs
    assert bobs["geo"] == WHOLE["geo"]
    assert client.patch("/people/1", json={"address": {"city": "Bonn"}}).json["address"]["city"] == "Bonn"
    assert_problem(
        client.patch("/people/1", json={"address": {"city": "x"}}, user=BOB), 422, "#/address/city"
    )
    assert_problem(client.patch("/people/1", json={"address": None}, user=BOB), 422, "#/address/city")
    assert (
        client.put("/people/1", json={"owner": "alice", "address": {"street": "y"}}, user=BOB).status == 200
    )
    assert world.at()["c"] == {"S": "Bonn"}


def test_read_and_write_apart(world: World) -> None:
    """Who may write one without reading it sets it, and a PUT that does not name it leaves it."""

    class Nobody(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return False

    client = world.served({"address.city": {"read": Nobody}})
    shown = client.put("/people/1", json={"address": {"street": "x", "city": "Bonn"}}).json["address"]
    assert "city" not in shown
    assert world.at()["c"] == {"S": "Bonn"}
    assert client.put("/people/1", json={"address": {"street": "z"}}).status == 200
    assert world.at()["c"] == {"S": "Bonn"}


def test_in_an_upsert_and_with_an_idempotency_key(world: World, table_name: str) -> None:
    client = world.served(
        put="upsert", idempotent=("update",), idempotency=Idempotency(table=f"{table_name}i")
    )
    for number, path in enumerate(("/people/1", "/people/2", "/people/2")):
        said = {"address": {"street": "x"}, "free": {"a": 1}}
        result = client.put(path, json=said, headers={"Idempotency-Key": f"k{number}"})
        assert result.status == (201 if number == 1 else 200)
    assert client.put("/people/3", json={}).status == 201
    assert_problem(client.put("/people/4", json={"free": {"pay": 1}}), 422, "#/free/pay")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("address.town", "Address has no attribute 'town'"),
        ("owner.name", "there is no such member of a map"),
        ("nothing.name", "there is no such member of a map"),
    ],
)
def test_mistakes(world: World, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        world.served({name: AllowAny})
