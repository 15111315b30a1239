"""Free and dynamic maps hold members named as arguments of PynamoDB's constructors, as they hold any other."""

from typing import Any

import pytest
from contract import ALICE, Caller, create_table, dynamodb_call
from pynamodb.attributes import (
    DynamicMapAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

NAMES = {"self": "me", "_user_instantiated": False, "default": 1, "cls": [1], "instance": {"self": 2}}
STORED = {
    "M": {
        "self": {"S": "me"},
        "_user_instantiated": {"BOOL": False},
        "default": {"N": "1"},
        "cls": {"L": [{"N": "1"}]},
        "instance": {"M": {"self": {"N": "2"}}},
    }
}


class Open(DynamicMapAttribute):
    size = NumberAttribute(null=True)


class Box(MapAttribute[str, Any]):
    inside = MapAttribute[str, Any](null=True)


class Readable(Permission):
    """Asks of an instance, so that one is made."""

    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return instance.free is None or instance.free["self"] == "me"


@pytest.fixture(params=[AllowAny, Readable], ids=["without instances", "with instances"])
def client(request: Any, dynamodb: None, table_name: str) -> Caller:
    class Doc(Model):
        class Meta:
            table_name = ""

        id = UnicodeAttribute(hash_key=True)
        free = MapAttribute[str, Any](null=True)
        open = Open(null=True)
        box = Box(null=True)
        frees = ListAttribute(of=MapAttribute, null=True)
        opens = ListAttribute(of=Open, null=True)

    class Docs(ModelResource, Create, Retrieve, Update, List):
        model = Doc
        route = "docs"
        permissions = request.param
        scan = True

        @action()
        def copy(self, instance: Any) -> Any:
            return self.store.update(instance, {"free": NAMES, "open": NAMES, "box": {"inside": NAMES}})

        @action()
        def read(self, instance: Any) -> Any:
            return [instance.free["self"], instance.open["self"], instance.box.inside["self"]]

        @action(detail=False)
        def make(self) -> Any:
            return self.store.create({"id": "made", "free": NAMES, "open": NAMES, "box": {"inside": NAMES}})

        @action()
        def save(self, instance: Any) -> Any:
            instance.open, instance.free = dict(NAMES), dict(NAMES)
            instance.save()
            return instance

    create_table(Doc, table_name)
    pm = PolyMicro(cursor_secret="s")
    Docs(pm)
    return Caller(pm.compile(), user=ALICE)


BODY = {
    "free": NAMES,
    "open": NAMES,
    "box": {"inside": NAMES},
    "frees": [NAMES],
    "opens": [NAMES],
}
SHOWN = BODY | {"id": "1", "open": {"size": None, **NAMES}, "opens": [{"size": None, **NAMES}]}


def item_of(table: str, key: str = "1") -> Any:
    return dynamodb_call("get_item", TableName=table, Key={"id": {"S": key}})["Item"]


def test_any_name_is_stored_and_shown(client: Caller, table_name: str) -> None:
    made = client.post("/docs", json={"id": "1", **BODY})
    assert (made.status, made.json) == (201, SHOWN)
    assert item_of(table_name) == {
        "id": {"S": "1"},
        "free": STORED,
        "open": STORED,
        "box": {"M": {"inside": STORED}},
        "frees": {"L": [STORED]},
        "opens": {"L": [STORED]},
    }
    assert client.get("/docs/1").json == SHOWN
    assert client.get("/docs").json["items"] == [SHOWN]
    assert client.post("/docs/1/read").json == ["me", "me", "me"]


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_a_write_of_any_name(client: Caller, table_name: str, verb: str) -> None:
    client.post("/docs", json={"id": "1"})
    assert getattr(client, verb)("/docs/1", json=BODY).json == SHOWN
    assert item_of(table_name)["opens"] == {"L": [STORED]}


@pytest.mark.parametrize("name", ["copy", "save"])
def test_a_verb_writes_any_name(client: Caller, table_name: str, name: str) -> None:
    client.post("/docs", json={"id": "1", "box": {"inside": {}}})
    assert client.post(f"/docs/1/{name}").status == 200
    item = item_of(table_name)
    item["open"]["M"].pop("attribute_values", None)  # PynamoDB's own, where it stores a dict (its issue 999)
    assert (item["free"], item["open"]) == (STORED, STORED)


def test_a_verb_creates_with_any_name(client: Caller, table_name: str) -> None:
    assert client.post("/docs/make").json["open"] == {"size": None, **NAMES}
    assert item_of(table_name, "made") == {
        "id": {"S": "made"},
        "free": STORED,
        "open": STORED,
        "box": {"M": {"inside": STORED}},
    }
