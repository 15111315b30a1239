"""``unique`` and ``lookup`` beside composed keys: of a part, and of an item whose key is composed."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_tables, every_form, meanwhile, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ComposedAttribute,
    Create,
    Delete,
    Idempotency,
    Key,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.backfill import Duplicate, mark
from polymicro_lambda.testing import assert_serializable


class ByState(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_state"
        projection = AllProjection()

    state = ComposedAttribute("{team}#{status}", hash_key=True)


class Tickets(ModelResource, Create, List, Retrieve, Update, Delete):
    route = "tickets"
    permissions = AllowAny
    scan = True
    unique = "team"
    idempotent = ("create",)
    max_bulk = 5

    @action()
    def join(self, instance: Any, req: Any) -> Any:
        return self.store.update(instance, {"team": req["team"]})

    @action(detail=False, methods=("POST",))
    def swap(self, req: Any) -> Any:
        one, two = (Key(self.model, tenant="t", project="p", id=name) for name in "12")
        with self.store.transaction() as write:
            write.update(one, {"team": req["one"]})
            write.update(two, {"team": req["two"]})
        return {}


def ticket_model(table: str, *, null: bool = True) -> type[Model]:
    class Ticket(Model):
        class Meta:
            table_name = table

        pk = ComposedAttribute("{tenant}#{project}", hash_key=True)
        sk = ComposedAttribute("TICKET#{id}", range_key=True)
        tenant = UnicodeAttribute()
        project = UnicodeAttribute()
        id = UnicodeAttribute()
        team = UnicodeAttribute(null=null)
        status = UnicodeAttribute(default="open")
        by_state = ByState()
        state = ComposedAttribute("{team}#{status}")

    return Ticket


class World:
    def __init__(self, table: str) -> None:
        self.table, self.model = table, ticket_model(table)

    def by_team(self, **members: Any) -> Caller:
        """A client of tickets that have their team in the path."""
        self.model = ticket_model(self.table, null=False)
        return self.served(**{"lookup": "team", "unique": ("team",), **members})

    def served(self, **members: Any) -> Caller:
        self.pm = PolyMicro(cursor_secret="s", idempotency=Idempotency(table=f"{self.table}i"))
        type("OfTickets", (Tickets,), {"model": self.model, **members})(self.pm)
        client = Caller(self.pm.compile(), user=ALICE)
        create_tables(self.pm)
        return client

    def states(self) -> dict[str, str | None]:
        """The key of the index of each ticket."""
        return {one["sk"]["S"][-1]: one.get("state", {}).get("S") for one in stored(self.table)}

    def reserved(self) -> list[str]:
        """The tickets that have reservations, each as often as it has some."""
        found = [one["item"]["M"] for one in stored(f"{self.table}_unique")]
        assert all(set(one) == {"pk", "sk"} for one in found)
        return sorted(one["sk"]["S"][-1] for one in found)


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


def post(client: Caller, number: str, **more: Any) -> Any:
    said = {name: more.pop(name) for name in ("team", "status") if name in more}
    return client.post("/tickets", json={"tenant": "t", "project": "p", "id": number, **said}, **more)


# --- a part -----------------------------------------------------------------------------------------------------


@every_form
def test_a_taken_part_is_a_conflict(world: World, form: dict[str, Any]) -> None:
    client = world.served()
    assert post(client, "1", team="red", **form).status == 201
    assert_problem(post(client, "2", team="red"), 409, "#/team")
    bulk = [{"tenant": "t", "project": "p", "id": name, "team": "red"} for name in "23"]
    assert_problem(client.post("/tickets", json=bulk[:1]), 409, "#/0/team")
    assert (world.states(), world.reserved()) == ({"1": "red#open"}, ["1"])


def test_key_and_reservation_follow_the_part(world: World) -> None:
    client = world.served()
    one, two = "/tickets/t/p/1", "/tickets/t/p/2"
    post(client, "1", team="red"), post(client, "2")
    assert_problem(client.patch(two, json={"team": "red"}), 409, "#/team")
    assert client.patch(two, json={"team": "blue", "status": "done"}).status == 200
    assert world.states() == {"1": "red#open", "2": "blue#done"}
    assert client.patch(one, json={"status": "held"}).status == 200
    assert_problem(client.post(f"{one}/join", json={"team": "blue"}), 409, "#/team")
    assert client.post(f"{one}/join", json={"team": "green"}).status == 200
    assert (world.states(), world.reserved()) == ({"1": "green#held", "2": "blue#done"}, ["1", "2"])
    assert client.put(one, json={"status": "open"}).json["team"] is None
    assert (world.states(), world.reserved()) == ({"1": None, "2": "blue#done"}, ["2"])
    assert client.put(one, json={"team": "red"}).status == 200
    assert client.delete(two).status == 204
    assert (world.states(), world.reserved()) == ({"1": "red#open"}, ["1"])
    assert post(client, "3", team="blue").status == 201


def test_a_part_that_fits_no_key_reserves_nothing(world: World) -> None:
    client = world.served()
    post(client, "1", team="red")
    for refused in (
        post(client, "2", team="a#b"),
        client.patch("/tickets/t/p/1", json={"team": "a#b"}),
        client.post("/tickets/t/p/1/join", json={"team": "a#b"}),
    ):
        assert_problem(refused, 422, "#/team")
    assert (world.states(), world.reserved()) == ({"1": "red#open"}, ["1"])


def test_a_transaction_of_both(world: World) -> None:
    client = world.served()
    post(client, "1", team="red"), post(client, "2", team="blue")
    assert client.post("/tickets/swap", json={"one": "x", "two": "y"}).status == 200
    assert (world.states(), world.reserved()) == ({"1": "x#open", "2": "y#open"}, ["1", "2"])
    assert_problem(client.post("/tickets/swap", json={"one": "z", "two": "z"}), 409, "#/team")
    assert_problem(client.post("/tickets/swap", json={"one": "z", "two": "a#b"}), 422, "#/team")
    assert world.states() == {"1": "x#open", "2": "y#open"}


def test_a_status_that_changes_meanwhile_is_in_the_key(world: World) -> None:
    client = world.served()
    post(client, "1", team="red")
    with meanwhile(lambda: client.patch("/tickets/t/p/1", json={"status": "done"})):
        assert client.patch("/tickets/t/p/1", json={"team": "blue"}).status == 200
    assert (world.states(), world.reserved()) == ({"1": "blue#done"}, ["1"])


def test_a_repeated_create_is_answered_again(world: World) -> None:
    client = world.served()
    key = {"idempotency-key": "k"}
    first = post(client, "1", team="red", headers=key)
    assert (first.status, post(client, "1", team="red", headers=key).json) == (201, first.json)
    assert world.reserved() == ["1"]


def test_a_part_of_the_tables_key(world: World) -> None:
    """No two items of the table have the same, whatever their other parts are."""
    client = world.served(unique="project")
    assert post(client, "1").status == 201
    assert_problem(post(client, "2"), 409, "#/project")
    assert client.delete("/tickets/t/p/1").status == 204
    assert post(client, "2").status == 201


def test_older_items_are_reserved(world: World) -> None:
    client = world.served(unique=())
    post(client, "1", team="red"), post(client, "2", team="red")
    world.served()
    (left,) = mark(world.pm)
    one, two = ({"pk": {"S": "t#p"}, "sk": {"S": f"TICKET#{name}"}} for name in "12")
    assert left == Duplicate(world.model, ("team",), two, one)
    assert world.reserved() == ["1"]
    assert mark(world.pm) == [left]


@pytest.mark.thorough
def test_no_order_of_calls_divides_key_and_reservation(world: World) -> None:
    client = world.served()
    post(client, "1", team="red"), post(client, "2")
    path = "/tickets/t/p/1"
    assert_serializable(
        client,
        lambda: client.patch(path, json={"team": "blue"}),
        lambda: client.patch(path, json={"status": "done"}),
    )
    assert_serializable(
        client,
        lambda: client.patch(path, json={"team": "blue"}),
        lambda: client.patch("/tickets/t/p/2", json={"team": "blue"}),
    )


# --- a lookup ---------------------------------------------------------------------------------------------------


def test_a_part_is_the_address(world: World) -> None:
    client = world.by_team()
    made = post(client, "1", team="red/ä")
    assert (made.status, made.headers["location"]) == (201, "tickets/red%2F%C3%A4")
    assert client.get("/tickets/red%2F%C3%A4", source="url").json["id"] == "1"
    assert post(client, "2", team="blue").status == 201
    assert client.everywhere("GET", "/tickets/blue").json["id"] == "2"
    assert client.patch("/tickets/blue", json={"status": "done"}).json["status"] == "done"
    assert client.post("/tickets/blue/join", json={"team": "green"}).json["team"] == "green"
    assert_problem(client.get("/tickets/blue"), 404)
    assert world.states() == {"1": "red/ä#open", "2": "green#done"}
    for path in ("/tickets/a%23b", "/tickets/t/p/1", "/tickets/nobody"):
        assert_problem(client.get(path), 404)
    assert client.put("/tickets/green", json={"team": "grey"}).status == 200
    assert client.delete("/tickets/grey").status == 204
    assert world.reserved() == ["1"]


def test_an_item_that_moves_meanwhile_is_not_met(world: World) -> None:
    client = world.by_team()
    post(client, "1", team="red"), post(client, "2", team="blue")

    def move() -> None:
        assert client.patch("/tickets/red", json={"team": "grey"}).status == 200
        assert client.patch("/tickets/blue", json={"team": "red"}).status == 200

    with meanwhile(move):
        result = client.patch("/tickets/red", json={"status": "done"})
    assert_problem(result, 404)
    assert world.states() == {"1": "grey#open", "2": "red#open"}


def test_a_lookup_within_what_the_route_binds(world: World) -> None:
    client = world.by_team(route="{tenant}/tickets", unique=(("tenant", "team"),))
    made = client.post("/t/tickets", json={"project": "p", "id": "1", "team": "red"})
    assert (made.status, made.headers["location"]) == (201, "tickets/red")
    assert client.post("/u/tickets", json={"project": "p", "id": "1", "team": "red"}).status == 201
    assert client.get("/u/tickets/red").json["project"] == "p"
    assert client.patch("/u/tickets/red", json={"status": "done"}).status == 200
    assert sorted(one["state"]["S"] for one in stored(world.table)) == ["red#done", "red#open"]
