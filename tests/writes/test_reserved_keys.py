"""No item is created whose path would lead to another route, or nowhere."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_tables, stored
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    action,
)


class Note(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, attr_name="i")
    text = UnicodeAttribute(null=True)


class Numbered(Model):
    class Meta:
        table_name = ""

    id = NumberAttribute(hash_key=True)


class Notes(ModelResource, Create, Retrieve, Delete):
    model = Note
    route = "notes"
    permissions = OwnedBy("owner")
    max_bulk = 5

    @action(detail=False, methods=("GET",))
    def count(self) -> dict[str, int]:
        return {"count": 1}

    @action(detail=False)
    def make(self, req: dict[str, Any], user: Any) -> Any:
        return self.store.create({"owner": user.uuid, **req})

    @action(detail=False)
    def together(self, req: dict[str, Any], user: Any) -> dict[str, Any]:
        with self.store.transaction() as write:
            write.create(Note, {"owner": user.uuid, **req})
        return {}


class Archive(ModelResource):
    """Another resource's path below the notes."""

    model = Note
    route = "notes/archive"
    permissions = OwnedBy("owner")

    @action(detail=False, methods=("GET",), path="")
    def whole(self) -> dict[str, Any]:
        return {"archive": True}


def served(table: str, *resources: type[Any]) -> Caller:
    for model in (Note, Numbered):
        model.Meta.table_name = f"{table}{model.__name__}"  # type: ignore[attr-defined]
    pm = PolyMicro()
    for one in resources:
        one(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


@pytest.fixture
def notes(dynamodb: None, table_name: str) -> Caller:
    return served(table_name, Notes, Archive)


@pytest.mark.parametrize("key", ["count", "make", "archive", ".", ".."])
@pytest.mark.parametrize("path", ["/notes", "/notes/make", "/notes/together"])
def test_a_key_that_is_another_path_is_refused(notes: Caller, table_name: str, path: str, key: str) -> None:
    assert_problem(notes.post(path, json={"id": key}), 422, "#/id")
    assert stored(f"{table_name}Note") == []


def test_in_a_list_of_items_as_well(notes: Caller, table_name: str) -> None:
    assert_problem(notes.post("/notes", json=[{"id": "1"}, {"id": "count"}]), 422, "#/1/id")
    assert stored(f"{table_name}Note") == []


@pytest.mark.parametrize("key", ["counts", "Count", "count ", "..."])
def test_any_other_key_is_taken_and_reached(notes: Caller, key: str) -> None:
    made = notes.post("/notes", json={"id": key})
    assert made.status == 201
    assert notes.get(f"/{made.headers['location']}").json == made.json


def test_a_key_of_several_segments_is_refused_where_all_of_them_are_another_path(
    dynamodb: None, table_name: str
) -> None:
    class Two(ModelResource, Create, Retrieve):
        model = Note
        route = "two"
        permissions = AllowAny

    class Report(ModelResource):
        model = Note
        route = "two/all/report"
        permissions = AllowAny

        @action(detail=False, methods=("GET",), path="")
        def made(self) -> dict[str, Any]:
            return {}

    client = served(table_name, Two, Report)
    taken = client.post("/two", json={"owner": "all", "id": "report"})
    assert_problem(taken, 422, "#/owner", "#/id")
    for key in ({"owner": "all", "id": "x"}, {"owner": "x", "id": "report"}):
        assert client.post("/two", json=key).status == 201
        assert client.get(f"/two/{key['owner']}/{key['id']}").status == 200


def test_what_an_action_of_items_would_meet_is_refused(dynamodb: None, table_name: str) -> None:
    """`/notes/archive/pin` is the archive's: the note `archive` could not be pinned."""

    class Pins(ModelResource, Create):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")

        @action()
        def pin(self, instance: Note) -> Note:
            return instance

    class Pages(ModelResource):
        model = Note
        route = "notes/archive"
        permissions = OwnedBy("owner")

        @action(detail=False, methods=("GET",))
        def pin(self) -> dict[str, Any]:
            return {}

    client = served(table_name, Pins, Pages)
    assert_problem(client.post("/notes", json={"id": "archive"}), 422, "#/id")
    assert client.post("/notes", json={"id": "pin"}).status == 201


MOVES: dict[str, Any] = {
    "PATCH": lambda client, name: client.patch("/people/ann", json={"name": name}),
    "PUT": lambda client, name: client.put("/people/ann", json={"name": name}),
    "an action": lambda client, name: client.post("/people/ann/rename", json={"name": name}),
    "a transaction": lambda client, name: client.post("/people/ann/together", json={"name": name}),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_nobody_moves_an_item_to_another_path(dynamodb: None, table_name: str, move: Any) -> None:
    """An update may change by what an item is looked up."""

    class Person(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True, default="1")
        name = UnicodeAttribute()

    class People(ModelResource, Create, Retrieve, Update):
        model = Person
        route = "people"
        permissions = AllowAny
        unique = lookup = "name"

        @action(detail=False, methods=("GET",))
        def count(self) -> dict[str, int]:
            return {"count": 1}

        @action()
        def rename(self, instance: Person, req: dict[str, Any], user: Any) -> Any:
            return self.update(instance, {"name": req["name"]}, user)

        @action()
        def together(self, instance: Person, req: dict[str, Any]) -> dict[str, Any]:
            with self.store.transaction() as write:
                write.update(instance, {"name": req["name"]})
            return {}

    Person.Meta.table_name = table_name
    pm = PolyMicro()
    People(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    client.post("/people", json={"name": "ann"}).raise_for_status()
    for name in ("count", ".", ""):
        assert_problem(move(client, name), 422, "#/name")
    assert client.get("/people/ann").json == {"id": "1", "name": "ann"}
    assert move(client, "counts").status == 200
    assert client.get("/people/counts").json == {"id": "1", "name": "counts"}


def test_without_a_path_of_items_every_key_is_free(dynamodb: None, table_name: str) -> None:
    class Inbox(ModelResource, Create):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")

    client = served(table_name, Inbox, Archive)
    assert client.post("/notes", json={"id": "archive"}).status == 201


def test_a_number_is_another_path_as_it_stands_there(dynamodb: None, table_name: str) -> None:
    class Numbers(ModelResource, Create, Retrieve, Update):
        model = Numbered
        route = "n"
        permissions = AllowAny

        @action(detail=False, methods=("GET",), path="404")
        def lost(self) -> dict[str, Any]:
            return {}

    client = served(table_name, Numbers)
    assert_problem(client.post("/n", json={"id": 404}), 422, "#/id")
    assert client.post("/n", json={"id": 40}).status == 201
