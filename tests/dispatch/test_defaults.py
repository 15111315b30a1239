"""Defaults that are called are for new items alone; what has a default is never cleared, to spring back."""

from itertools import count
from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_table, dynamodb_call, stored
from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
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

NUMBERS = count(1)


def new_token() -> str:
    return f"t{next(NUMBERS)}"


class Line(MapAttribute[str, Any]):
    number = NumberAttribute(default=lambda: next(NUMBERS))
    unit = UnicodeAttribute(default="piece", null=True)


class Base(Model):
    """Its own ``__init__`` has PynamoDB make the instances."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)


def model_of(base: type[Model]) -> Any:
    class Doc(base):  # type: ignore[misc, valid-type]
        class Meta:
            table_name = ""

        id = UnicodeAttribute(hash_key=True)
        token = UnicodeAttribute(default=new_token)
        color = UnicodeAttribute(null=True, default="red")
        nick = UnicodeAttribute(null=True, default=new_token)
        rank = NumberAttribute(null=True, default_for_new=7)
        tags = UnicodeSetAttribute(default=lambda: {"new"})
        line = Line(null=True)
        lines = ListAttribute(of=Line, default=list)

    return Doc


class WithToken(Permission):
    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return instance.token is not None


class Docs(ModelResource, Create, Retrieve, Update, List):
    route = "docs"
    permissions = AllowAny
    scan = True

    @action(methods=("GET",))
    def read(self, instance: Any) -> dict[str, Any]:
        return {"token": instance.token, "number": instance.line.number, "first": instance.lines[0].number}

    @action(methods=("GET",))
    def read_by_pynamodb(self, instance: Any) -> Any:
        return type(instance).get(instance.id)

    @action()
    def clear(self, instance: Any, req: dict[str, Any]) -> Any:
        return self.store.update(instance, {req["name"]: None})


OLD = {"id": {"S": "old"}, "line": {"M": {}}, "lines": {"L": [{"M": {}}]}}
SHOWN = {
    "id": "old",
    "token": None,
    "color": "red",
    "nick": None,
    "rank": None,
    "tags": None,
    "line": {"number": None, "unit": "piece"},
    "lines": [{"number": None, "unit": "piece"}],
}


@pytest.fixture(params=[Model, Base], ids=["plain", "an __init__ of its own"])
def model(request: Any, dynamodb: None, table_name: str) -> Any:
    made = model_of(request.param)
    create_table(made, table_name)
    dynamodb_call("put_item", TableName=table_name, Item=OLD)
    return made


def served(model: Any, **members: Any) -> Caller:
    pm = PolyMicro(cursor_secret="s")
    type("Served", (Docs,), {"model": model, **members})(pm)
    return Caller(pm.compile(), user=ALICE)


def test_an_item_that_lacks_a_called_default_shows_null(model: Any) -> None:
    """Alone, in a list, and to verbs; so its tag is that of one content."""
    client = served(model)
    first, second = client.get("/docs/old"), client.get("/docs/old")
    assert first.json == second.json == SHOWN
    assert first.headers["etag"] == second.headers["etag"]
    assert client.get("/docs").json["items"] == [SHOWN]
    assert client.get("/docs/old/read").json == {"token": None, "number": None, "first": None}
    assert client.get("/docs/old/read_by_pynamodb").json == SHOWN


def test_a_rule_is_asked_of_what_is_shown(model: Any) -> None:
    client = served(model, permissions=WithToken)
    assert_problem(client.get("/docs/old"), 404)
    assert client.get("/docs").json["items"] == []


def test_a_new_item_has_new_values(model: Any) -> None:
    client = served(model)
    made = client.post("/docs", json={"id": "1", "line": {}, "lines": [{}]})
    assert made.status == 201
    assert client.get("/docs/1").json == made.json
    assert made.json["token"].startswith("t")
    assert made.json["tags"] == ["new"]
    assert made.json["line"]["number"] != made.json["lines"][0]["number"]
    again = client.post("/docs", json={"id": "2"}).json
    assert again["token"] != made.json["token"]
    replaced = client.put("/docs/old", json={})
    assert (replaced.status, replaced.json["token"][:1], replaced.json["tags"]) == (200, "t", ["new"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"color": None}, "#/color"),
        ({"nick": None}, "#/nick"),
        ({"token": None}, "#/token"),
        ({"tags": []}, "#/tags"),
        ({"line": {"unit": None}}, "#/line/unit"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_has_a_default_is_not_cleared(
    model: Any, table_name: str, body: dict[str, Any], pointer: str, method: str
) -> None:
    client = served(model)
    assert_problem(client.request(method, "/docs/old", json=body), 422, pointer)
    assert stored(table_name) == [OLD]


@pytest.mark.parametrize("name", ["color", "nick", "token", "tags"])
def test_nor_does_a_verb_clear_it(model: Any, table_name: str, name: str) -> None:
    assert_problem(served(model).post("/docs/old/clear", json={"name": name}), 422, f"#/{name}")
    assert stored(table_name) == [OLD]


def test_what_has_a_value_for_new_items_alone_can_be_cleared(model: Any) -> None:
    client = served(model)
    assert client.post("/docs", json={"id": "1"}).json["rank"] == 7
    assert client.patch("/docs/1", json={"rank": None}).json["rank"] is None
    assert client.get("/docs/1").json["rank"] is None
