"""``touch``: what each create and update of a resource sets, whoever asks for it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import ALICE, Caller, assert_problem, counted, create_tables, failing, meanwhile, names, stored
from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    Key,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi import openapi
from polymicro_lambda.testing import assert_serializable

Clock = Callable[[], int]


@pytest.fixture
def clock() -> Clock:
    """A clock that is called for: 1, 2, 3 …"""
    return count(1).__next__


@pytest.fixture(params=["flat", "with maps"])
def model(dynamodb: None, table_name: str, request: pytest.FixtureRequest) -> Any:
    class Page(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        owner = UnicodeAttribute(null=True)
        likes = NumberAttribute(default=0)
        updated = NumberAttribute(attr_name="u")
        by = UnicodeAttribute(null=True)

    if request.param == "with maps":

        class Shaped(Page):
            class Meta:
                pass

            place = MapAttribute(null=True)  # type: ignore[no-untyped-call]

        Page = Shaped  # type: ignore[misc]
    Page.Meta.table_name = table_name
    return Page


def app_of(
    model: Any, touch: Any, mixins: Any = (Create, Retrieve, Update, Delete), **members: Any
) -> PolyMicro:
    pm = PolyMicro(**members.pop("settings", {}))
    base = {"model": model, "route": "pages", "permissions": AllowAny, "touch": touch}
    type("Pages", (ModelResource, *mixins), base | members)(pm)
    return pm


def served(model: Any, touch: Any, **members: Any) -> Caller:
    pm = app_of(model, touch, **members)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


def own_create(self: Any, req: Any, user: Any) -> Any:
    return Create.create(self, req, user)


def own_update(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return Update.update(self, instance, {**req, "updated": 99}, user)


@action()
def like(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return self.store.update(
        instance, {"likes": type(instance).likes + 1, "updated": type(instance).likes + 7}
    )


@action()
def edit(self: Any, instance: Any, req: Any, user: Any) -> Any:
    return self.update(instance, {"text": "edited"}, user)


@action()
def copy(self: Any, instance: Any, req: Any, user: Any) -> Any:
    kind = type(instance)
    with self.store.transaction() as write:
        write.update(instance, {"text": "copied"})
        made = write.create(kind, {"id": f"{instance.id}-copy"})
        write.update(Key(kind, "2"), {"likes": kind.likes + 1})
    return {"updated": made.updated}


ACTIONS = {"like": like, "edit": edit, "copy": copy}
OWN = {"create": own_create, "update": own_update}


@pytest.mark.parametrize("own", [{}, OWN], ids=["mixins", "overrides"])
def test_every_create_and_update(model: Any, clock: Clock, own: Any) -> None:
    client = served(model, {"updated": clock, "by": "us"}, put="upsert", **own)
    last = 4 if own else 5
    made = client.post("/pages", json={"id": "1", "text": "t"})
    assert (made.status, made.json["updated"], made.json["by"]) == (201, 1, "us")
    assert client.patch("/pages/1", json={"text": "u"}).json["updated"] == 2
    assert client.put("/pages/1", json={"text": "v"}).json["updated"] == 3
    assert client.put("/pages/2", json={"text": "v"}).json["updated"] == last, (
        "a try to update is a write, too"
    )
    assert [(one["u"], one["by"]) for one in sorted(stored(model.Meta.table_name), key=str)] == [
        ({"N": "3"}, {"S": "us"}),
        ({"N": str(last)}, {"S": "us"}),
    ]


@action(detail=False)
def together(self: Any) -> None:
    with self.store.transaction() as write:
        write.create(self.model, {"id": "5"})


@pytest.mark.parametrize("own", [{}, {"create": own_create}], ids=["mixins", "overrides"])
@pytest.mark.parametrize(
    "clean", [{}, {"clean": lambda self, values, instance, user: values}], ids=["", "clean"]
)
def test_it_comes_after_the_defaults(model: Any, clock: Clock, own: Any, clean: Any) -> None:
    """What is touched on a new item is no earlier than a default that tells when it was created."""

    def at() -> int:
        return clock()

    kind = type("Dated", (model,), {"Meta": model.Meta, "created": NumberAttribute(default=at)})
    client = served(kind, {"updated": clock}, max_bulk=3, put="upsert", edit=together, **own, **clean)
    client.post("/pages", json={"id": "1"})
    client.post("/pages", json=[{"id": "2"}, {"id": "3"}])
    client.put("/pages/4", json={})
    client.post("/pages/edit")
    client.post("/pages", json={"id": "6", "created": 99})
    later = {
        one["id"]["S"]: int(one["created"]["N"]) < int(one["u"]["N"]) for one in stored(model.Meta.table_name)
    }
    assert later == {"1": True, "2": True, "3": True, "4": True, "5": True, "6": False}


def test_it_costs_no_call(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock})
    with counted() as calls:
        client.post("/pages", json={"id": "1"})
        client.patch("/pages/1", json={"text": "u"})
        client.put("/pages/1", json={"text": "u"})
    assert names(calls) == ["PutItem", "UpdateItem", "UpdateItem"]


def test_a_patch_of_nothing_touches_nothing(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock})
    client.post("/pages", json={"id": "1"})
    result = client.patch("/pages/1", json={})
    assert (result.status, result.json["updated"], clock()) == (200, 1, 2)


def test_a_map_is_merged(dynamodb: None, table_name: str, clock: Clock) -> None:
    class Place(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        at = MapAttribute(null=True)  # type: ignore[no-untyped-call]
        updated = NumberAttribute()

    Place.Meta.table_name = table_name  # type: ignore[attr-defined]
    client = served(Place, {"updated": clock})
    client.post("/pages", json={"id": "1", "at": {"x": 1}})
    assert client.patch("/pages/1", json={"at": {"y": 2}}).json == {
        "id": "1",
        "at": {"x": 1, "y": 2},
        "updated": 2,
    }


def test_no_client_writes_it(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock}, dump_only="by")
    assert_problem(client.post("/pages", json={"id": "1", "updated": 7}), 422, "#/updated")
    assert_problem(client.post("/pages", json={"id": "1", "by": "me"}), 422, "#/by")
    client.post("/pages", json={"id": "1"})
    assert_problem(client.patch("/pages/1", json={"updated": 7}), 422, "#/updated")
    pm = app_of(model, {"updated": clock})
    pm.compile()
    schemas = openapi(pm.routes)["components"]["schemas"]
    assert not any(
        "updated" in schemas[one]["properties"] for one in ("PagesCreate", "PagesPatch", "PagesReplace")
    )
    assert "updated" in schemas["Pages"]["properties"]


def test_actions_and_transactions(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock}, **ACTIONS)
    for number in ("1", "2"):
        client.post("/pages", json={"id": number})
    liked = client.post("/pages/1/like")
    assert (liked.json["likes"], liked.json["updated"]) == (1, 3), (
        "no change of a verb's own stands against it"
    )
    assert client.post("/pages/1/edit").json["updated"] == 4
    assert client.post("/pages/1/copy").json == {"updated": 6}
    now = {one["id"]["S"]: one["u"]["N"] for one in stored(model.Meta.table_name)}
    assert now == {"1": "5", "1-copy": "6", "2": "7"}


def test_writes_of_others(model: Any, clock: Clock) -> None:
    """A transaction of another resource, or of no request, and a resource that shows the same items in another way."""

    class Job(Model):
        class Meta:
            table_name = f"{model.Meta.table_name}j"

        id = UnicodeAttribute(hash_key=True)

    @action(detail=False)
    def make(self: Any, req: Any, user: Any) -> Any:
        with self.store.transaction() as write:
            write.create(model, req)

    pm = app_of(model, {"updated": clock})
    jobs = {"model": Job, "route": "jobs", "permissions": AllowAny, "make": make}
    type("Jobs", (ModelResource, Create), jobs)(pm)
    bare = {"model": model, "route": "bare", "permissions": AllowAny, "touch": {"by": "bare", "updated": 0}}
    type("Bare", (ModelResource, Create, Update), bare | ACTIONS)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    assert client.post("/pages", json={"id": "2"}).json["updated"] == 1
    assert client.post("/bare", json={"id": "1"}).json["by"] == "bare"
    assert client.post("/bare/1/copy").json == {"updated": 0}
    assert client.post("/jobs/make", json={"id": "3"}).status < 300
    with pm.transaction() as write:
        write.create(model, {"id": "4"})
    assert all("u" in one for one in stored(model.Meta.table_name))


def test_a_list_of_new_items(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock}, max_bulk=3)
    made = client.post("/pages", json=[{"id": "1"}, {"id": "2"}])
    assert [one["updated"] for one in made.json] == [1, 2]


class Newest(Permission):
    """Lets through what has been written once or twice."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.updated < 3


def test_the_rule_judges_what_is_touched(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock}, permissions=Newest)
    client.post("/pages", json={"id": "1"})
    assert client.patch("/pages/1", json={"text": "2"}).status == 200
    assert client.patch("/pages/1", json={"text": "3"}).status == 403
    assert [one["u"] for one in stored(model.Meta.table_name)] == [{"N": "2"}]
    pm = app_of(model, {"updated": clock}, permissions=Newest)
    pm.compile()
    assert dict(explain(pm, "PATCH /pages/1", ALICE))["calls"].startswith("1 GetItem, consistent, then")


@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_a_lost_answer_is_found_out(model: Any, clock: Clock, versioned: bool) -> None:
    """The second try writes what the first one has: the function is not called again."""
    if versioned:
        model = type("Versioned", (model,), {"Meta": model.Meta, "version": VersionAttribute()})
    client = served(model, {"updated": clock})
    with failing(ReadTimeoutError(endpoint_url="x"), late=True):
        assert client.post("/pages", json={"id": "1"}).status == 201
    with failing(ReadTimeoutError(endpoint_url="x"), late=True):
        assert client.patch("/pages/1", json={"text": "t"}).json["updated"] == 2
    assert clock() == 3


def test_a_lost_race_under_a_rule(model: Any, clock: Clock) -> None:
    class Opaque(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return bool(instance.likes < 5)

    client = served(model, {"updated": clock}, permissions=Opaque)
    client.post("/pages", json={"id": "1"})
    with meanwhile(lambda: client.patch("/pages/1", json={"likes": 3})):
        assert client.patch("/pages/1", json={"text": "t"}).status == 200
    assert client.get("/pages/1").json["likes"] == 3


def test_a_repeated_request(model: Any, table_name: str, clock: Clock) -> None:
    settings = {"idempotency": Idempotency(table=f"{table_name}k")}
    client = served(model, {"updated": clock}, settings=settings)
    key = {"Idempotency-Key": '"k"'}
    first, again = (client.post("/pages", json={"id": "1"}, headers=key) for _ in range(2))
    assert (first.json, again.json["updated"]) == (again.json, 1)


def test_two_at_once(model: Any, clock: Clock) -> None:
    client = served(model, {"updated": clock})
    client.post("/pages", json={"id": "1"})
    for other in (
        lambda: client.patch("/pages/1", json={"likes": 2}),
        lambda: client.put("/pages/1", json={"text": "c"}),
    ):
        assert_serializable(
            client, lambda: client.patch("/pages/1", json={"text": "b"}), other, ignore=("updated", "u")
        )


def _with_argument(self: Any) -> int:
    return 1


@pytest.mark.parametrize(
    ("touch", "message"),
    [
        (("updated",), r"^Pages\.touch must be a dict by attributes"),
        ({"updatd": 1}, r"^Pages\.touch\['updatd'\]: Page has no such attribute: is 'updated' meant\?"),
        ({"id": "1"}, r"^Pages\.touch\['id'\] is of the key"),
        ({"version": 1}, r"^Pages\.touch\['version'\] is set by every write as it is"),
        ({"owner": "x"}, r"^Pages\.touch\['owner'\] names an owner"),
        ({"updated": "soon"}, r"^Pages\.touch\['updated'\]: the attribute cannot store 'soon'"),
        ({"by": None}, r"^Pages\.touch\['by'\]: None sets nothing"),
        (
            {"updated": datetime.now(UTC)},
            r"^Pages\.touch\['updated'\] would be the same datetime in every write: name the function",
        ),
        ({"updated": date(2030, 1, 1)}, r"^Pages\.touch\['updated'\] would be the same date in every"),
        ({"updated": _with_argument}, r"^Pages\.touch\['updated'\] must be a function without arguments"),
    ],
)
def test_mistakes(touch: Any, message: str) -> None:
    class Page(Model):
        class Meta:
            table_name = "pages"

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        updated = NumberAttribute(attr_name="u")
        by = UnicodeAttribute(null=True)
        version = VersionAttribute()

    with pytest.raises(ConfigurationError, match=message):
        app_of(Page, touch, permissions=OwnedBy("owner")).compile()


def test_a_resource_that_writes_nothing(model: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^Pages\.touch sets nothing: mix in Create or Update$"):
        app_of(model, {"updated": 1}, (Retrieve, Delete)).compile()


def test_an_action_may_have_the_name(model: Any) -> None:
    @action()
    def touch(self: Any, instance: Any) -> Any:
        return {"id": instance.id}

    client = served(model, touch, required=())
    client.post("/pages", json={"id": "1", "updated": 1})
    assert client.post("/pages/1/touch").json == {"id": "1"}


@pytest.mark.parametrize("ways", ["create", "many", "transaction"])
def test_a_new_item_is_as_old_as_its_last_change(
    dynamodb: None, table_name: str, clock: Clock, ways: str
) -> None:
    """A default of the same function takes the value of the same call, unless the body says another."""

    def now() -> int:
        return clock()

    class Dated(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        made = NumberAttribute(default=now)
        first = NumberAttribute(default_for_new=now)
        other = NumberAttribute(default=clock)
        updated = NumberAttribute()

    def create(self: Any, req: Any) -> Any:
        with self.store.transaction() as write:
            return write.create(Dated, req)

    Dated.Meta.table_name = table_name  # type: ignore[attr-defined]
    own = {"transaction": {"create": create}, "many": {"max_bulk": 2}}.get(ways, {})
    client = served(Dated, {"updated": now}, **own)
    body = {"id": "1", "other": 0}
    made = client.post("/pages", json=[body] if ways == "many" else body).json
    item = made[0] if ways == "many" else made
    assert item == {**body, **dict.fromkeys(("made", "first", "updated"), item["updated"])}
    later = client.patch("/pages/1", json={"other": 5}).json
    assert later == {**item, "other": 5, "updated": later["updated"]}
    assert later["updated"] > item["updated"]
    said = {"id": "2", "made": 99, "other": 0}
    other = client.post("/pages", json=said).json
    assert other == {**said, "first": other["updated"], "updated": other["updated"]}
