"""An attribute that an item lacks counts as its plain default: in rules, filters and conditions as in what is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, Caller, create_tables, dynamodb_call
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Delete,
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
from polymicro_lambda.exceptions import Conflict


class Place(MapAttribute[str, Any]):
    city = UnicodeAttribute(default="Graz")


class Todo(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    public = BooleanAttribute(default=True)
    color = UnicodeAttribute(default="red", attr_name="c")
    wish = UnicodeAttribute(default="red")
    rank = NumberAttribute(default=3)
    blob = BinaryAttribute(default=b"ab", legacy_encoding=False)
    note = UnicodeAttribute(null=True)
    place = Place(null=True)


Asked = Callable[[Any], Any]
SHOWN: dict[str, tuple[Condition, Asked]] = {
    "=": (Todo.public == True, lambda one: one.public is True),  # noqa: E712
    "another value": (Todo.public == False, lambda one: one.public is False),  # noqa: E712
    "<>": (Todo.color != "red", lambda one: one.color != "red"),
    "<> of another": (Todo.color != "blue", lambda one: one.color != "blue"),
    "<": (Todo.rank < 4, lambda one: one.rank < 4),
    ">=": (Todo.rank >= 4, lambda one: one.rank >= 4),
    "between": (Todo.rank.between(2, 3), lambda one: 2 <= one.rank <= 3),
    "in": (Todo.color.is_in("red", "green"), lambda one: one.color in ("red", "green")),
    "in many": (
        Todo.rank.is_in(*range(-200, 4)),
        lambda one: one.rank in range(-200, 4),
    ),
    "begins_with": (Todo.color.startswith("re"), lambda one: one.color.startswith("re")),
    "contains": (Todo.color.contains("lu"), lambda one: "lu" in one.color),
    "size": (size(Todo.color) < 4, lambda one: len(one.color) < 4),  # type: ignore[no-untyped-call]
    "two paths": (Todo.color == Todo.wish, lambda one: one.color == one.wish),
    "not": (~(Todo.color == "red"), lambda one: one.color != "red"),
    "or": (
        (Todo.rank > 3) | (Todo.public == False),  # noqa: E712
        lambda one: one.rank > 3 or one.public is False,
    ),
    "in a map": (
        Todo.place.city == "Graz",
        lambda one: one.place is not None and one.place.city == "Graz",
    ),
}
ITEMS: list[dict[str, Any]] = [
    {"id": {"S": "old"}},
    {"id": {"S": "null"}, "public": {"NULL": True}, "rank": {"NULL": True}},
    {"id": {"S": "same"}, "public": {"BOOL": True}, "c": {"S": "red"}, "rank": {"N": "3"}},
    {"id": {"S": "other"}, "public": {"BOOL": False}, "c": {"S": "blue"}, "rank": {"N": "5"}},
    {"id": {"S": "wish"}, "wish": {"S": "blue"}},
    {"id": {"S": "graz"}, "place": {"M": {}}},
    {"id": {"S": "wien"}, "place": {"M": {"city": {"S": "Wien"}}}},
]


class Todos(ModelResource, List, Retrieve, Update, Delete):
    model = Todo
    route = "todos"
    permissions = AllowAny
    scan = True


def under(condition: Condition) -> type[Permission]:
    class AsWhere(Permission):
        def where(self, user: Any, method: Any, model: Any) -> Any:
            return condition

    return AsWhere


def in_python(asked: Asked) -> type[Permission]:
    class AsPython(Permission):
        def has_object_permission(self, user: Any, method: Any, instance: Any) -> Any:
            return asked(instance)

    return AsPython


def served(table: str, *resources: type[Any]) -> Caller:
    Todo.Meta.table_name = table
    pm = PolyMicro(cursor_secret="s")
    for one in resources:
        one(pm)
    caller = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    for item in ITEMS:
        dynamodb_call("put_item", TableName=table, Item=item)
    return caller


def ids(answer: Any) -> set[str]:
    assert answer.status == 200, answer.text
    return {one["id"] for one in answer.json["items"]}


@pytest.mark.parametrize(("condition", "asked"), SHOWN.values(), ids=SHOWN)
def test_a_rule_in_dynamodb_agrees_with_the_rule_in_python(
    dynamodb: None, table_name: str, condition: Condition, asked: Asked
) -> None:
    """In a list, where DynamoDB checks it, on a read, where it is checked here, and in the condition of a write."""
    where = type("Where", (Todos,), {"route": "w", "permissions": under(condition)})
    python = type("Python", (Todos,), {"route": "p", "permissions": in_python(asked)})
    client = served(table_name, where, python)
    seen = ids(client.get("/p"))
    assert 0 < len(seen) < len(ITEMS)
    assert ids(client.get("/w")) == seen
    every = [one["id"]["S"] for one in ITEMS]
    assert {one for one in every if client.get(f"/w/{one}").status == 200} == seen
    assert {one for one in every if client.patch(f"/w/{one}", json={"note": "x"}).status == 200} == seen
    assert {one for one in every if client.delete(f"/w/{one}").status == 204} == seen


@pytest.mark.parametrize(
    ("query", "expected"),
    {
        "public=true": {"old", "null", "same", "wish", "graz", "wien"},
        "color=red": {"old", "null", "same", "wish", "graz", "wien"},
        "color__ne=red": {"other"},
        "color__begins_with=r": {"old", "null", "same", "wish", "graz", "wien"},
        "color__contains=lu": {"other"},
        "color__in=red,green": {"old", "null", "same", "wish", "graz", "wien"},
        "rank__lt=4": {"old", "null", "same", "wish", "graz", "wien"},
        "rank__gt=3": {"other"},
        "rank__between=4,9": {"other"},
        "rank__exists=true": {one["id"]["S"] for one in ITEMS},
        "rank__exists=false": set(),
        "blob__begins_with=YQ": {one["id"]["S"] for one in ITEMS},
        "blob__begins_with=Yg": set(),
    }.items(),
)
def test_a_filter_finds_what_is_shown(
    dynamodb: None, table_name: str, query: str, expected: set[str]
) -> None:
    filters = {
        "public": "eq",
        "color": ("eq", "ne", "begins_with", "contains", "in"),
        "rank": ("lt", "gt", "between", "exists"),
        "blob": "begins_with",
    }
    client = served(table_name, type("Filtered", (Todos,), {"filters": filters}))
    assert ids(client.get(f"/todos?{query}")) == expected


def test_a_stored_null_is_no_value_of_exists(dynamodb: None, table_name: str) -> None:
    client = served(table_name, type("Filtered", (Todos,), {"filters": {"note": "exists"}}))
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "old"}, "note": {"NULL": True}})
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "same"}, "note": {"S": "x"}})
    assert ids(client.get("/todos?note__exists=true")) == {"same"}
    assert ids(client.get("/todos?note__exists=false")) == {one["id"]["S"] for one in ITEMS} - {"same"}


def test_a_condition_of_a_write_holds_on_the_default(dynamodb: None, table_name: str) -> None:
    """Declared, given to the store, and in a transaction."""

    class Own(Todos):
        requires = {"delete": Todo.color == "red"}  # noqa: RUF012

        @action(requires=Todo.rank < 4)
        def declared(self, instance: Todo) -> Todo:
            return self.store.update(instance, {"note": "declared"})

        @action()
        def given(self, instance: Todo) -> Todo:
            return self.store.update(instance, {"note": "given"}, condition=Todo.public == True)  # noqa: E712

        @action()
        def together(self, instance: Todo) -> dict[str, Any]:
            with self.store.transaction() as write:
                write.update(
                    instance, {"note": "b"}, condition=Todo.color.is_in("red"), otherwise=Conflict("no")
                )
            return {}

        @action()
        def stored(self, instance: Todo) -> Todo:
            return self.store.update(instance, {"note": "s"}, condition=Todo.rank.does_not_exist())

    client = served(table_name, Own)
    for name in ("declared", "given", "together"):
        assert client.post(f"/todos/old/{name}").status == 200
        assert client.post(f"/todos/other/{name}").status == 409
    assert [client.post(f"/todos/{one}/stored").status for one in ("old", "same")] == [200, 409]
    assert [client.delete(f"/todos/{one}").status for one in ("null", "other")] == [204, 409]


def test_an_owner_may_be_a_default(dynamodb: None, table_name: str) -> None:
    owned = type("Owned", (Todos,), {"route": "o", "permissions": OwnedBy("color")})
    where = type("Where", (Todos,), {"route": "w", "permissions": under(Todo.color == "red")})
    client = served(table_name, owned, where).as_(User("red"))
    seen = ids(client.get("/w"))
    assert {"old", "null", "same"} <= seen
    assert ids(client.get("/o")) == seen
    every = [one["id"]["S"] for one in ITEMS]
    assert {one for one in every if client.get(f"/o/{one}").status == 200} == seen
    assert {one for one in every if client.patch(f"/o/{one}", json={"note": "x"}).status == 200} == seen
    assert {one for one in every if client.delete(f"/o/{one}").status == 204} == seen


def test_a_related_item_counts_by_its_defaults(dynamodb: None, table_name: str) -> None:
    class Member(Model):
        class Meta:
            table_name = f"{Todo.Meta.table_name}m"

        todo = UnicodeAttribute(hash_key=True)
        user = UnicodeAttribute(range_key=True)
        role = UnicodeAttribute(default="member")

    Member.Meta.table_name = f"{table_name}m"
    member = Through(Member, {"todo": "color", "user": Claim("uuid")}, where=Member.role == "member")
    client = served(table_name, type("Related", (Todos,), {"permissions": member}))
    for color in ("red", "blue"):
        key = {"todo": {"S": color}, "user": {"S": "alice"}}
        role = {} if color == "red" else {"role": {"S": "guest"}}
        dynamodb_call("put_item", TableName=f"{table_name}m", Item={**key, **role})
    for one, status in {"old": 200, "same": 200, "other": 404}.items():
        assert client.get(f"/todos/{one}").status == status
        assert client.patch(f"/todos/{one}", json={"note": "x"}).status == status
