"""What goes out of verbs and actions is judged first: by the rule, and by whether the item has expired."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import pytest
from contract import ALICE, BOB, Caller, counted, dynamodb_call, names, stored
from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    HasPermission,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    PrefixedAttribute,
    Retrieve,
    Update,
    action,
    trusted,
)

Make = Callable[..., Caller]
EITHER = OwnedBy("owner") | HasPermission("admin")
asked: list[str] = []


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        asked.append(instance.id)
        return instance.owner == user.uuid


RULES = {"where": EITHER, "opaque": Opaque}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


class Note(Model):
    class Meta:
        pass

    kind = PrefixedAttribute("NOTE#", hash_key=True)
    id = UnicodeAttribute(range_key=True)
    owner = UnicodeAttribute(null=True)
    until = TTLAttribute(null=True)


GIVEN: dict[str, Callable[..., Any]] = {
    "a list": list,
    "a tuple": tuple,
    "a generator": iter,
    "a dict's values": lambda several: dict(enumerate(several)).values(),
}


class Resource(ModelResource, List, Retrieve, Create, Update):
    """Its actions give what they are asked for, past the store."""

    model = Note
    route = "notes"
    filters: ClassVar[Any] = {"kind": "eq"}

    @action(detail=False, methods=("GET",))
    def alone(self, request: Any) -> Any:
        return Note.get("n", request.headers["x-id"])

    @action(detail=False, methods=("GET",))
    def several(self, request: Any) -> Any:
        return GIVEN[request.headers["x-form"]](list(Note.query("n")))

    @action(detail=False, methods=("GET",))
    def queried(self) -> Any:
        return Note.query("n")

    @action(detail=False, methods=("GET",))
    def inside(self) -> Any:
        found = {one.id: one for one in Note.query("n")}
        return {"by": found, "all": list(found.values()), "lazy": iter([*found.values()]), "n": len(found)}

    @action()
    def other(self, instance: Any) -> Any:
        return {"own": instance, "other": Note.get("n", "bobs")}

    @action()
    def same(self, instance: Any) -> Any:
        return instance

    @action()
    def give(self, instance: Any) -> Any:
        instance.update(actions=[Note.owner.set("bob")])
        return instance

    @action()
    def end(self, instance: Any) -> Any:
        return self.store.update(instance, {"until": datetime.now(UTC) - timedelta(hours=1)})

    @action(detail=False, methods=("GET",))
    def open(self) -> Any:
        return [trusted(one) for one in Note.query("n")]


@pytest.fixture
def notes(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a client of ``/notes``; ``mine`` is alice's, as is ``late``, which has expired, and ``bobs`` is bob's."""

    class Fresh(Note):
        class Meta:
            pass

    Fresh.Meta.table_name = table_name  # type: ignore[attr-defined]
    monkeypatch.setitem(globals(), "Note", Fresh)
    Fresh.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Fresh("n", "mine", owner="alice").save()
    Fresh("n", "bobs", owner="bob", until=timedelta(days=1)).save()
    late = {"kind": {"S": "NOTE#n"}, "id": {"S": "late"}, "owner": {"S": "alice"}}
    late["until"] = {"N": str(int(time.time()) - 9)}
    dynamodb_call("put_item", TableName=table_name, Item=late)
    asked.clear()

    def make(rule: Any = EITHER, *verbs: type, **members: Any) -> Caller:
        body = {"model": Fresh, "permissions": rule, **members}
        type("Notes", (*verbs, Resource), body)(pm := PolyMicro())
        return Caller(pm.compile(), user=ALICE)

    return make


def ids(value: Any) -> list[Any]:
    return [one and one["id"] for one in value]


@every_rule
@pytest.mark.parametrize(("name", "status"), [("mine", 200), ("bobs", 404), ("late", 404), ("none", 404)])
def test_alone(notes: Make, rule: Any, name: str, status: int) -> None:
    assert notes(rule).get("/notes/alone", headers={"x-id": name}).status == status


def test_a_hidden_item_is_as_a_missing_one(notes: Make) -> None:
    client = notes()
    answers = [client.get("/notes/alone", headers={"x-id": name}).body for name in ("bobs", "late", "none")]
    assert answers[0] == answers[1] == answers[2]


@every_rule
@pytest.mark.parametrize("form", GIVEN)
def test_in_a_collection(notes: Make, rule: Any, form: str) -> None:
    assert ids(notes(rule).get("/notes/several", headers={"x-form": form}).json) == ["mine"]


@every_rule
def test_in_a_query(notes: Make, rule: Any, table_name: str) -> None:
    """A row that cannot be read is left out of it too, as of a list."""
    broken = {"kind": {"S": "NOTE#n"}, "id": {"S": "broken"}, "owner": {"S": "alice"}, "until": {"S": "x"}}
    client = notes(rule)
    dynamodb_call("put_item", TableName=table_name, Item=broken)
    assert ids(client.get("/notes/queried").json) == ["mine"]


@every_rule
def test_inside_of_other_json(notes: Make, rule: Any) -> None:
    found = notes(rule).get("/notes/inside").json
    assert {name: one and one["id"] for name, one in found["by"].items()} == {
        "bobs": None,
        "late": None,
        "mine": "mine",
    }
    assert (ids(found["all"]), ids(found["lazy"]), found["n"]) == ([None, None, "mine"],) * 2 + (3,)


class Pair(NamedTuple):
    first: Any
    others: Any


NESTED: dict[str, Callable[..., Any]] = {
    "a tuple": lambda mine, *others: {"of": (mine, *others)},
    "a named tuple": lambda mine, *others: {"of": Pair(mine, others)},
    "a set": lambda mine, *others: {"of": {mine, *others}},
    "a dict by key": lambda *several: {"of": dict(enumerate(several))},
    "a mapping": lambda *several: {"of": MappingProxyType(dict(enumerate(several)))},
    "a deque in a list": lambda *several: [{"of": [iter(deque(several))]}],
    "a generator of generators": lambda *several: {"of": ((one for one in [each]) for each in several)},
    "dicts of a list": lambda *several: [{"of": one} for one in several],
}


@every_rule
@pytest.mark.parametrize("form", NESTED.values(), ids=NESTED)
def test_in_any_json(notes: Make, rule: Any, form: Any) -> None:
    """What is hidden or has expired is null there."""

    def given(self: Any) -> Any:
        return form(*sorted(Note.query("n"), key=lambda one: one.id != "mine"))

    client = notes(rule, given=action(detail=False, methods=("GET",))(given))
    text = client.get("/notes/given").text.replace('"until":null', "")
    assert ([name in text for name in ("mine", "bobs", "late")], text.count("null")) == (
        [True, False, False],
        2,
    )


@every_rule
def test_beside_the_item_of_the_path(notes: Make, rule: Any) -> None:
    result = notes(rule).post("/notes/n/mine/other").json
    assert (result["own"]["id"], result["other"]) == ("mine", None)


@every_rule
def test_expiry_counts_whatever_the_rule(notes: Make, rule: Any) -> None:
    client = notes(IsAuthenticated)
    assert ids(client.get("/notes/several", headers={"x-form": "a list"}).json) == ["bobs", "mine"]
    assert client.get("/notes/alone", headers={"x-id": "late"}).status == 404


@every_rule
def test_what_the_request_has_judged_or_written_is_shown(notes: Make, rule: Any) -> None:
    """Also where the write let it expire, or a call of the model's own gave it away."""
    client = notes(rule)
    assert client.post("/notes/n/mine/same").json["id"] == "mine"
    assert client.post("/notes/n/mine/give").status == 200
    assert client.post("/notes/n/mine/give").status == 404
    assert client.post("/notes/n/bobs/end", user=BOB).json["id"] == "bobs"
    assert client.post("/notes/n/bobs/end", user=BOB).status == 404


def test_an_item_is_judged_once(notes: Make) -> None:
    client = notes(Opaque)
    with counted() as calls:
        assert client.post("/notes/n/mine/same").status == 200
    assert (asked, names(calls)) == (["mine"], ["GetItem"])


@every_rule
def test_trusted_items_are_shown(notes: Make, rule: Any) -> None:
    assert ids(notes(rule).get("/notes/open").json) == ["bobs", "late", "mine"]


def test_trust_ends_with_the_request(notes: Make) -> None:
    kept: list[Any] = []

    class Keeping(Retrieve):
        def retrieve(self, instance: Any, user: Any) -> Any:
            if not kept:
                kept.append(trusted(Note.get("n", "bobs")))
            return kept[0]

    client = notes(EITHER, Keeping)
    assert client.get("/notes/n/mine").json["id"] == "bobs"
    assert client.get("/notes/n/mine").status == 404


# --- the verbs of the mixins, overridden


class Blind(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        return Note.get("n", "bobs")


class Forward(Retrieve):
    def retrieve(self, instance: Any, user: Any) -> Any:
        return Note.get("n", "bobs")


class Lister(List):
    store: Any

    def list(self, user: Any) -> Iterator[Any]:
        found = list(Note.query("n"))
        written = self.store.create({"kind": "n", "id": "x", "owner": "alice"})
        return iter([*found, trusted(Note.get("n", "bobs")), written])


class Makes(Create):
    def create(self, req: dict[str, Any], user: Any) -> Any:
        super().create(req, user)
        return Note.get("n", "bobs")


@every_rule
def test_overridden_verbs(notes: Make, rule: Any, table_name: str) -> None:
    assert notes(rule, Forward).get("/notes/n/mine").status == 404
    assert notes(rule, Blind).patch("/notes/n/mine", json={}).status == 404
    assert ids(notes(rule, Lister).get("/notes?kind=n").json["items"]) == ["mine", "bobs", "x"]
    made = notes(rule, Makes).post("/notes", json={"kind": "n", "id": "y", "owner": "alice"})
    assert (made.status, len(stored(table_name))) == (404, 5)


@every_rule
def test_items_created_together(notes: Make, rule: Any) -> None:
    body = [{"kind": "n", "id": "y", "owner": "alice"}]
    made = notes(rule, Makes, max_bulk=5).post("/notes", json=body, headers={"Prefer": "handling=lenient"})
    assert made.json["items"] == [{"status": 201, "item": None}]


class Dull(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        return [super().update(instance, req, user), trusted(Note.get("n", "bobs"))]


class NoLooking(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return method != "retrieve"


def test_trust_goes_beyond_the_rule_for_retrieve(notes: Make) -> None:
    result = notes(NoLooking, Dull).patch("/notes/n/mine", json={"owner": "alice"})
    assert (result.status, ids(result.json)) == (200, ["bobs"])


def test_what_represent_adds_is_judged(notes: Make) -> None:
    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {"id": instance.id, "next": Note.get("n", "bobs")}

    assert notes(EITHER, represent=represent).get("/notes/n/mine").json == {"id": "mine", "next": None}
