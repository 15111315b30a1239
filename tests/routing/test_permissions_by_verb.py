"""``permissions`` as a dict of verbs, and ``@action(permissions=…)``."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_tables, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.openapi import openapi

STAFF = User("sue", frozenset({"therapist"}), groups=frozenset({"staff"}))


class World:
    """Notes with an owner, whose partition key is their id, or the owner where ``keyed``."""

    def __init__(self, table: str, *, keyed: bool = False) -> None:
        class Note(Model):
            class Meta:
                table_name = table

            id = UnicodeAttribute(hash_key=not keyed, range_key=keyed)
            owner = UnicodeAttribute(hash_key=keyed)
            text = UnicodeAttribute(null=True)

        self.note = Note

    def app(self, permissions: Any, *verbs: type, default: Any = None, **members: Any) -> PolyMicro:
        """An app of ``/notes``."""
        pm = PolyMicro() if default is None else PolyMicro(default_permissions=default)
        verbs = verbs or (Create, List, Retrieve, Update, Delete)
        base = {"model": self.note, "route": "notes", "permissions": permissions, "scan": True}
        type("Notes", (ModelResource, *verbs), base | members)(pm)
        pm.compile()
        return pm

    def served(self, permissions: Any, *verbs: type, **members: Any) -> Caller:
        """A client of alice's of ``/notes``; alice and bob have a note each."""
        pm = self.app(permissions, *verbs, **members)
        create_tables(pm)
        for owner in ("alice", "bob"):
            self.note(id=f"of-{owner}", owner=owner, text="hello").save()
        return Caller(pm.compile(), user=ALICE)


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


PUBLIC_LIST = {"list": ReadOnly(anonymous=True), "*": OwnedBy("owner")}


def test_a_list_for_everybody_beside_items_for_their_owners(world: World) -> None:
    client = world.served(PUBLIC_LIST)
    everything = client.everywhere("GET", "/notes", user=None)
    assert (everything.status, len(everything.json["items"])) == (200, 2)
    assert_problem(client.get("/notes/of-alice", user=None), 401)
    assert client.get("/notes/of-alice").json["owner"] == "alice"
    assert_problem(client.get("/notes/of-bob"), 404)
    assert_problem(client.patch("/notes/of-bob", json={"text": "mine"}), 404)
    assert_problem(client.delete("/notes/of-bob"), 404)
    assert client.patch("/notes/of-alice", json={"text": "new"}).json["text"] == "new"


def test_who_creates_under_an_owner_is_the_owner(world: World) -> None:
    client = world.served(PUBLIC_LIST)
    created = client.post("/notes", json={"id": "1"})
    assert (created.status, created.json["owner"]) == (201, "alice")
    assert_problem(client.post("/notes", json={"id": "2", "owner": "bob"}), 422, "#/owner")


def test_an_owner_of_other_verbs_is_a_field_of_a_new_item(world: World) -> None:
    client = world.served({"create": InGroup("staff"), "*": OwnedBy("owner")})
    assert_problem(client.post("/notes", json={"id": "1", "owner": "alice"}), 403)
    created = client.post("/notes", json={"id": "1", "owner": "alice"}, user=STAFF)
    assert (created.status, created.json) == (201, {"id": "1", "owner": "alice", "text": None})
    assert_problem(client.post("/notes", json={"id": "2"}, user=STAFF), 422, "#/owner")
    assert_problem(client.patch("/notes/1", json={"owner": "bob"}), 422, "#/owner")


def test_whoever_may_see_an_item_is_told_why_they_may_not_change_it(world: World) -> None:
    client = world.served({"retrieve": AllowAny, "*": OwnedBy("owner")})
    assert client.get("/notes/of-bob").status == 200
    assert_problem(client.patch("/notes/of-bob", json={"text": "mine"}), 403)
    assert_problem(client.delete("/notes/of-bob"), 403)
    assert [one["id"] for one in client.get("/notes").json["items"]] == ["of-alice"]


def test_an_owner_that_is_a_key_is_left_out_of_paths_where_all_verbs_on_items_ask_for_it(
    dynamodb: None, table_name: str
) -> None:
    client = World(table_name, keyed=True).served(PUBLIC_LIST)
    created = client.post("/notes", json={"id": "1"})
    assert (created.status, created.headers["location"]) == (201, "notes/1")
    assert client.get("/notes/1").json["owner"] == "alice"
    assert_problem(client.get("/notes/of-bob"), 404)
    assert len(client.get("/notes", user=None).json["items"]) == 3


def test_an_owner_that_is_a_key_stands_in_paths_where_one_verb_on_items_does_not_ask_for_it(
    dynamodb: None,
    table_name: str,
) -> None:
    client = World(table_name, keyed=True).served(
        {"retrieve": ReadOnly(anonymous=True), "*": OwnedBy("owner")}
    )
    assert client.post("/notes", json={"id": "1"}).headers["location"] == "notes/alice/1"
    assert client.get("/notes/bob/of-bob", user=None).json["owner"] == "bob"
    assert_problem(client.patch("/notes/bob/of-bob", json={"text": "mine"}), 403)
    assert client.patch("/notes/alice/1", json={"text": "new"}).json["text"] == "new"


def test_owners_by_different_claims_are_not_left_out_of_paths(dynamodb: None, table_name: str) -> None:
    rules = {"delete": OwnedBy("owner", claim="boss"), "*": OwnedBy("owner")}
    client = World(table_name, keyed=True).served(rules)
    assert client.get("/notes/alice/of-alice").status == 200
    assert_problem(client.delete("/notes/alice/of-alice"), 403)
    boss = User("eve", frozenset(), claims={"boss": "alice"})
    assert client.delete("/notes/alice/of-alice", user=boss).status == 204


def test_an_update_of_an_item_that_its_rule_does_not_show_gives_none(world: World) -> None:
    client = world.served({"update": IsAuthenticated, "*": OwnedBy("owner")})
    answer = client.patch("/notes/of-bob", json={"text": "new"})
    assert (answer.status, answer.body) == (204, b"")
    assert client.patch("/notes/of-alice", json={"text": "new"}).status == 200


def test_where_neither_verb_nor_rule_says_retrieve_no_update_shows_an_item(world: World) -> None:
    client = world.served({"update": IsAuthenticated}, Update)
    assert client.patch("/notes/of-alice", json={"text": "new"}).status == 204
    shown = World(world.note.Meta.table_name).app({"update": IsAuthenticated, "retrieve": AllowAny}, Update)
    answer = Caller(shown.compile(), user=ALICE).patch("/notes/of-alice", json={"text": "newer"})
    assert (answer.status, answer.json["text"]) == (200, "newer")


def test_a_verb_without_a_user_costs_no_call(world: World) -> None:
    client = world.served(PUBLIC_LIST)
    with counted() as calls:
        assert_problem(client.delete("/notes/of-alice", user=None), 401)
        assert_problem(client.post("/notes", json={"id": "9"}, user=None), 401)
    assert calls == []


def test_the_dict_of_the_app_is_for_resources_that_say_nothing(world: World) -> None:
    default = {"publish": AllowAny, "list": AllowAny, "*": InGroup("staff")}
    pm = world.app(None, default=default)
    create_tables(pm)
    client = Caller(pm.compile(), user=ALICE)
    assert client.get("/notes", user=None).status == 200
    assert_problem(client.post("/notes", json={"id": "1", "owner": "alice"}), 403)
    assert client.post("/notes", json={"id": "1", "owner": "alice"}, user=STAFF).status == 201


class Actions:
    """Actions of ``/notes``."""

    @action(permissions=InGroup("staff"))
    def lock(self, instance: Any) -> Any:
        return self.store.update(instance, {"text": "locked"})  # type: ignore[attr-defined]

    @action(detail=False, methods=("GET",), permissions=(AllowAny,))
    def count(self) -> Any:
        return {"count": 2}

    @action
    def touch(self, instance: Any) -> Any:
        return instance


def test_an_action_has_permissions_of_its_own(world: World) -> None:
    client = world.served(OwnedBy("owner"), Actions, Retrieve)
    assert_problem(client.post("/notes/of-bob/lock"), 403)
    assert client.post("/notes/of-bob/lock", user=STAFF).status == 200
    assert client.get("/notes/count", user=None).json == {"count": 2}
    assert_problem(client.post("/notes/of-bob/touch"), 404)
    assert client.post("/notes/of-alice/touch").status == 200
    assert {one["text"]["S"] for one in stored(world.note.Meta.table_name)} == {"hello", "locked"}


def test_an_action_that_has_its_own_need_not_stand_in_the_dict(world: World) -> None:
    client = world.served({"retrieve": AllowAny, "touch": OwnedBy("owner")}, Actions, Retrieve)
    assert_problem(client.post("/notes/of-bob/touch"), 403)
    assert client.post("/notes/of-alice/touch").status == 200


def test_what_does_not_compile(world: World) -> None:
    for permissions, verbs, message in (
        (
            {"list": AllowAny},
            (List, Create, Retrieve),
            "Notes.permissions says nothing of create and retrieve: name them, or",
        ),
        (
            {"*": AllowAny, "lst": AllowAny},
            (List,),
            "Notes.permissions names 'lst', which is no verb of it: is 'list' meant?",
        ),
        (
            {"*": AllowAny, "delete": AllowAny},
            (List,),
            "Notes.permissions names 'delete', which is no verb of it",
        ),
        *(
            (
                {"*": AllowAny, said: AllowAny},
                (List, Retrieve, Update, Delete),
                f"Notes.permissions names {said!r}, which is no verb of it: is {meant} meant?",
            )
            for said, meant in {
                "patch": "'update'",
                "PUT": "'update'",
                "GET": "'retrieve' or 'list'",
                "destroy": "'delete'",
                "DELETE": "'delete'",
            }.items()
        ),
        ({"list": ()}, (List,), "Notes.permissions: permissions is empty"),
        ({"list": "staff"}, (List,), "Notes.permissions: permissions holds"),
        ({}, (List,), "Notes.permissions says nothing of list"),
        (
            {"*": AllowAny, "lock": AllowAny},
            (Actions,),
            "Notes.permissions names 'lock', whose @action has permissions too",
        ),
        (({"*": AllowAny},), (List,), "Notes.permissions: permissions holds"),
        (
            {"list": OwnedBy("ownr"), "*": AllowAny},
            (List,),
            "Notes.permissions: OwnedBy('ownr', claim='uuid') names no attribute",
        ),
    ):
        with pytest.raises(ConfigurationError) as raised:
            world.app(permissions, *verbs)
        assert str(raised.value).startswith(message), str(raised.value)


def test_permissions_of_an_action_that_are_none(world: World) -> None:
    wrong = type("Wrong", (), {"go": action(permissions=())(lambda self: None)})
    with pytest.raises(ConfigurationError, match=r"Notes\.go: permissions: permissions is empty"):
        world.app(AllowAny, wrong)


def test_documents_tell_the_rule_of_each_verb(world: World) -> None:
    pm = world.app(PUBLIC_LIST)
    paths = openapi(pm.routes, title="t", version="1")["paths"]
    assert "401" not in paths["/notes"]["get"]["responses"]
    assert "401" in paths["/notes"]["post"]["responses"]
    who = {(row.http, row.path): row.rule for row in rows(pm.routes)}
    assert who["GET", "/notes"] == "anybody, to read"
