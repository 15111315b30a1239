"""The attribute of ``lookup`` is written with values alone that are segments of a path, and lead to the item."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_tables, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    Key,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

VERBS = (ModelResource, Create, Retrieve, Update, Delete)
NOWHERE = ["count", "", ".", "..", "a\x01b", "a\x85", "ä" * 1025]


@action(detail=False, methods=("GET",))
def count(self: Any) -> Any:
    return {"count": 1}


@action()
def rename(self: Any, instance: Any, req: Any) -> Any:
    return self.store.update(instance, req)


@action()
def borrow(self: Any, instance: Any, req: Any) -> Any:
    """The slug of another attribute of the item, as DynamoDB computes it."""
    return self.store.update(instance, {"slug": type(instance).title})


@action()
def swap(self: Any, instance: Any, req: Any) -> Any:
    with self.store.transaction() as write:
        write.update(Key(type(instance), space=instance.space, id="2"), {"title": "swapped"})
        write.update(instance, req)
    return {}


@action(detail=False)
def make(self: Any, req: Any) -> Any:
    return self.store.create(req)


@action(detail=False)
def together(self: Any, req: Any) -> Any:
    with self.store.transaction() as write:
        write.create(self.model, req)
    return {}


OWN = {"count": count, "rename": rename, "borrow": borrow, "swap": swap, "make": make, "together": together}


def stripped(self: Any, values: dict[str, Any], instance: Any, user: Any) -> None:
    if "slug" in values:
        values["slug"] = values["slug"].strip()


def own_create(self: Any, req: Any, user: Any) -> Any:
    return Create.create(self, {**req, "slug": req["slug"].strip("_")}, user)


def own_update(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return Update.update(self, instance, {**req, "slug": req["slug"].strip("_")}, user)


class World:
    def __init__(self, table: str) -> None:
        class Page(Model):
            class Meta:
                table_name = table

            space = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)
            slug = UnicodeAttribute(attr_name="s")
            title = UnicodeAttribute(default="t")

        self.table, self.page = table, Page

    def served(self, *others: type[Any], app: Any = None, **members: Any) -> Caller:
        """A client of ``/{space}/pages/{slug}``: pages ``one`` and ``two`` of space ``a``."""
        said = {"model": self.page, "route": "{space}/pages", "permissions": AllowAny, "max_bulk": 5}
        said |= {"unique": (("space", "slug"),), "lookup": "slug"}
        pm = PolyMicro(**(app or {}))
        type("Pages", VERBS, said | OWN | members)(pm)
        for other in others:
            other(pm)
        client = Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        for number, slug in enumerate(("one", "two"), 1):
            values = {"space": "a", "id": str(number), "slug": slug}
            assert client.post("/a/pages/make", json=values).status == 200
        return client

    def slugs(self) -> list[str]:
        return sorted(one["s"]["S"] for one in stored(self.table))


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


def refused(result: Any, pointer: str = "#/slug") -> None:
    assert_problem(result, 422, pointer)


@pytest.mark.parametrize("slug", NOWHERE)
def test_an_update_to_what_leads_nowhere(world: World, slug: str) -> None:
    client = world.served(app={"idempotency": Idempotency(table=f"{world.table}k")}, idempotent=("update",))
    body = {"slug": slug}
    refused(client.patch("/a/pages/one", json=body))
    refused(client.put("/a/pages/one", json=body))
    refused(client.patch("/a/pages/one", json=body, headers={"idempotency-key": '"1"'}))
    refused(client.post("/a/pages/one/rename", json=body))
    refused(client.post("/a/pages/one/swap", json=body))
    assert (world.slugs(), client.get("/a/pages/one").json["title"]) == (["one", "two"], "t")


@pytest.mark.parametrize("slug", NOWHERE)
@pytest.mark.parametrize("path", ["make", "together"])
def test_a_new_item_of_a_verb_of_ones_own(world: World, path: str, slug: str) -> None:
    client = world.served()
    refused(client.post(f"/a/pages/{path}", json={"space": "a", "id": "3", "slug": slug}))
    assert world.slugs() == ["one", "two"]


def test_a_control_character_in_a_key(world: World) -> None:
    client = world.served()
    refused(client.post("/a/pages/make", json={"space": "a\x01", "id": "3", "slug": "s"}), "#/space")
    assert client.post("/a/pages/make", json={"space": "a", "id": "\x01", "slug": "s"}).status == 200, (
        "no path has the id in it"
    )


@pytest.mark.parametrize(("given", "kept"), [("  ", " ok "), (" .. ", " .a"), (" count", "count.")])
def test_what_clean_makes(world: World, given: str, kept: str) -> None:
    client = world.served(clean=stripped)
    refused(client.post("/a/pages", json={"id": "3", "slug": given}))
    refused(client.post("/a/pages", json=[{"id": "3", "slug": given}]), "#/0/slug")
    refused(client.patch("/a/pages/one", json={"slug": given}))
    refused(client.put("/a/pages/one", json={"slug": given}))
    refused(client.post("/a/pages/one/swap", json={"slug": given}))
    assert world.slugs() == ["one", "two"]
    moved = client.patch("/a/pages/one", json={"slug": kept})
    assert (moved.status, moved.json["slug"]) == (200, kept.strip())
    assert client.get(f"/a/pages/{kept.strip()}").json == moved.json


@pytest.mark.parametrize("slug", ["_", "_.._", "count_"])
def test_what_overrides_make(world: World, slug: str) -> None:
    client = world.served(create=own_create, update=own_update)
    refused(client.post("/a/pages", json={"id": "3", "slug": slug}))
    refused(client.patch("/a/pages/one", json={"slug": slug}))
    assert world.slugs() == ["one", "two"]


def test_what_touch_sets(world: World) -> None:
    names = iter(["one", "two", "", "count", "three"])
    client = world.served(touch={"slug": lambda: next(names)})
    for _ in range(2):
        refused(client.patch("/a/pages/one", json={"title": "u"}))
    assert client.patch("/a/pages/one", json={"title": "u"}).json["slug"] == "three"


def test_what_dynamodb_computes(world: World) -> None:
    client = world.served()
    client.patch("/a/pages/one", json={"title": "count"})
    client.patch("/a/pages/two", json={"title": "other"})
    refused(client.post("/a/pages/one/borrow"))
    assert client.post("/a/pages/two/borrow").json["slug"] == "other"


def test_another_resource_of_the_model(world: World) -> None:
    """An item that had no path before is mended by its key, and may be written as it is until then."""

    class Admin(ModelResource, Retrieve, Update):
        model = world.page
        route = "admin"
        permissions = AllowAny
        unique = (("space", "slug"),)

    client = world.served(Admin)
    refused(client.patch("/admin/a/1", json={"slug": "count"}))
    world.page("a", "9", slug="count").save()
    assert client.put("/admin/a/9", json={"slug": "count", "title": "u"}).json["title"] == "u"
    refused(client.patch("/admin/a/9", json={"slug": "."}))
    assert client.patch("/admin/a/9", json={"slug": "nine"}).status == 200
    assert client.get("/a/pages/nine").json["title"] == "u"
