"""Field rules: which fields a user may read and which write, in every answer and every body."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import Caller, assert_problem, counted, create_table, dynamodb_call, stored
from marshmallow import Schema, fields
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    HasPermission,
    InGroup,
    IsAuthenticated,
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

ALICE = User("alice")
HR = User("hal", groups=frozenset({"hr"}))
AUDITOR = User("ann", frozenset({"audit"}))
Make = Callable[..., Caller]


class ByPay(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_pay"
        projection = AllProjection()

    team = UnicodeAttribute(hash_key=True)
    pay = NumberAttribute(range_key=True)


class Extra:
    store: Any

    @action(methods=("GET",))
    def card(self, instance: Any) -> Any:
        return {"member": instance, "all": [instance]}

    @action(detail=False, methods=("GET",))
    def every(self) -> Any:
        return [self.store.read({"team": "t", "id": "m"})]


@pytest.fixture
def member(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/members/{team}/{id}``."""

    class Member(Model):
        class Meta:
            pass

        team = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        name = UnicodeAttribute()
        pay = NumberAttribute(null=True)
        level = NumberAttribute(default=1)
        code = UnicodeAttribute(null=True)
        by_pay = ByPay()

    create_table(Member, table_name)

    def make(permissions: Any = IsAuthenticated, **members: Any) -> Caller:
        pm = PolyMicro()
        body = {"model": Member, "route": "members", "permissions": permissions} | {
            "filters": {"team": "eq", "pay": ("eq", "lt"), "name": "eq"},
            **members,
        }
        type("Members", (ModelResource, Create, List, Retrieve, Update, Delete, Extra), body)(pm)
        return Caller(pm.compile(), user=ALICE)

    return make


RAW = {
    "team": {"S": "t"},
    "id": {"S": "m"},
    "name": {"S": "Mia"},
    "pay": {"N": "5000"},
    "level": {"N": "3"},
    "code": {"S": "secret"},
}
WHOLE = {"team": "t", "id": "m", "name": "Mia", "pay": 5000, "level": 3, "code": "secret"}
PUBLIC = {name: value for name, value in WHOLE.items() if name != "pay"}
PAY_IS_FOR_HR = {"field_permissions": {"pay": InGroup("hr")}}


def put(table: str) -> None:
    dynamodb_call("put_item", TableName=table, Item=RAW)


# --- reading

HIDING: dict[str, dict[str, Any]] = {
    "the table": PAY_IS_FOR_HR,
    "the table, to read": {"field_permissions": {"pay": {"read": InGroup("hr")}}},
    "the table, composed": {"field_permissions": {"pay": InGroup("hr") | HasPermission("audit")}},
    "the hook": {
        "fields_for": lambda self, user, method: None if user is HR or "hr" in user.groups else set(PUBLIC)
    },
    "the hook, as a pair": {
        "fields_for": lambda self, user, method: None if "hr" in user.groups else (list(PUBLIC), list(WHOLE))
    },
}


@pytest.mark.parametrize("members", HIDING.values(), ids=HIDING)
def test_a_hidden_field_is_absent_from_every_answer(
    member: Make, table_name: str, members: dict[str, Any]
) -> None:
    """No request fails because of it, and those who may see it do."""
    client = member(**members)
    put(table_name)
    for user, shown in ((ALICE, PUBLIC), (HR, WHOLE)):
        answers = {
            "retrieve": client.everywhere("GET", "/members/t/m", user=user).json,
            "list": client.get("/members?team=t", user=user).json["items"][0],
            "merge": client.patch("/members/t/m", json={"name": "Mia"}, user=user).json,
            "nothing": client.patch("/members/t/m", json={}, user=user).json,
            "412": client.patch(
                "/members/t/m", json={"name": "x"}, headers={"If-Match": '"x"'}, user=user
            ).json["current"],
            "inside a value": client.get("/members/t/m/card", user=user).json["member"],
            "inside a list": client.get("/members/t/m/card", user=user).json["all"][0],
            "an action's collection": client.get("/members/every", user=user).json[0],
        }
        assert answers == dict.fromkeys(answers, shown)
    made = client.post("/members", json={"team": "t", "id": "n", "name": "Ned"})
    assert (made.status, set(made.json)) == (201, set(PUBLIC))


def test_a_hidden_field_cannot_be_asked_for(member: Make, table_name: str) -> None:
    """Nor filtered or sorted by: the order of rows and what is among them tell its value."""
    client = member(**PAY_IS_FOR_HR)
    put(table_name)
    with counted() as calls:
        assert_problem(client.get("/members/t/m?fields=name,pay"), 400, "fields")
        assert_problem(client.get("/members?team=t&fields=pay"), 400, "fields")
        assert_problem(client.get("/members?team=t&pay=5000"), 400, "pay")
        assert_problem(client.get("/members?team=t&pay__lt=9999"), 400, "pay__lt")
        assert_problem(client.get("/members?team=t&sort=pay"), 400, "sort")
        assert_problem(client.get("/members?team=t&sort=-pay"), 400, "sort")
    assert calls == []
    for query in ("fields=pay", "pay=5000", "pay__lt=9999", "sort=pay", "sort=-pay"):
        assert client.get(f"/members?team=t&{query}", user=HR).json["items"][0]["pay"] == 5000


def test_a_list_that_asks_for_the_request_filters_no_more(member: Make, table_name: str) -> None:
    """A verb that reads parameters of its own still cannot be made to filter by a hidden field."""

    def listing(
        self: Any, user: Any, request: Any, filters: Any, pagination_key: Any = None, limit: int = 9
    ) -> Any:
        return [{"filters": filters}]

    client = member(**PAY_IS_FOR_HR, list=listing)
    assert client.get("/members?team=t&pay=1").json["items"] == [{"filters": {"team": {"eq": "t"}}}]
    assert client.get("/members?team=t&pay=1", user=HR).json["items"] == [
        {"filters": {"team": {"eq": "t"}, "pay": {"eq": 1}}}
    ]


def test_a_field_may_be_chosen_among_those_that_are_shown(member: Make, table_name: str) -> None:
    put(table_name)
    assert member(**PAY_IS_FOR_HR).get("/members/t/m?fields=name").json == {"name": "Mia"}


# --- writing

REFUSING: dict[str, dict[str, Any]] = {
    "the table": PAY_IS_FOR_HR,
    "the table, to write": {"field_permissions": {"pay": {"write": InGroup("hr")}}},
    "the hook": {"fields_for": lambda self, user, method: None if "hr" in user.groups else set(PUBLIC)},
    "the hook, as a pair": {
        "fields_for": lambda self, user, method: None if "hr" in user.groups else (list(WHOLE), list(PUBLIC))
    },
    "the hook, by method": {
        "fields_for": lambda self, user, method: (
            set(PUBLIC) if method in {"create", "update"} and "hr" not in user.groups else None
        )
    },
}


@pytest.mark.parametrize("members", REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "/members", {"team": "t", "id": "n"}),
        ("PATCH", "/members/t/m", {}),
        ("PUT", "/members/t/m", {}),
    ],
    ids=["create", "merge", "replace"],
)
@pytest.mark.parametrize("value", [1, None, "no number"])
def test_a_closed_field_is_refused(
    member: Make, table_name: str, members: dict[str, Any], method: str, path: str, more: Any, value: Any
) -> None:
    """Whatever its value, null included; who may write it does."""
    client = member(**members)
    put(table_name)
    body = {"name": "New", "pay": value, **more}
    assert_problem(client.request(method, path, json=body), 422, "#/pay")
    assert stored(table_name) == [RAW]
    if value == 1:
        result = client.request(method, path, json=body, user=HR)
        assert (result.status, result.json["pay"]) == (201 if method == "POST" else 200, 1)


@pytest.mark.parametrize("members", REFUSING.values(), ids=REFUSING)
def test_put_leaves_alone_what_the_user_may_not_write(
    member: Make, table_name: str, members: dict[str, Any]
) -> None:
    """It replaces the fields that are the user's to write, with defaults or nothing where the body is silent."""
    client = member(**members)
    put(table_name)
    assert client.put("/members/t/m", json={"name": "New"}).status == 200
    kept = {name: value for name, value in RAW.items() if name != "code"}
    assert stored(table_name) == [kept | {"name": {"S": "New"}, "level": {"N": "1"}}]
    assert client.put("/members/t/m", json={"name": "New"}, user=HR).status == 200
    assert [item.get("pay") for item in stored(table_name)] == [None]


UNREAD: dict[str, dict[str, Any]] = {
    "a rule": {"field_permissions": {"pay": {"read": InGroup("hr")}, "name": {"read": InGroup("hr")}}},
    "a hook": {
        "fields_for": lambda self, user, method: (("level", "code") if user.uuid == "alice" else RAW, [*RAW]),
    },
}


@pytest.mark.parametrize("members", UNREAD.values(), ids=UNREAD)
def test_put_leaves_alone_what_the_user_cannot_read(
    member: Make, table_name: str, members: dict[str, Any]
) -> None:
    """It need not be sent either; where it is, it is set. Who reads it replaces it with the rest."""
    client = member(**members)
    put(table_name)
    assert client.put("/members/t/m", json={"level": 2}).status == 200
    kept = {name: value for name, value in RAW.items() if name != "code"}
    assert stored(table_name) == [kept | {"level": {"N": "2"}}]
    assert client.put("/members/t/m", json={"pay": None, "name": "New"}).status == 200
    left = {name: kept[name] for name in ("team", "id")}
    assert stored(table_name) == [left | {"level": {"N": "1"}, "name": {"S": "New"}}]
    put(table_name)
    assert_problem(client.put("/members/t/m", json={"level": 2}, user=HR), 422, "#/name")
    assert client.put("/members/t/m", json={"name": "New"}, user=HR).status == 200
    assert stored(table_name) == [left | {"level": {"N": "1"}, "name": {"S": "New"}}]


class Coded(Schema):
    name = fields.String(required=True)
    pay = fields.Integer(load_only=True, load_default=1)
    secret = fields.String(attribute="code", data_key="password", required=True, load_only=True)


@pytest.mark.parametrize(
    ("members", "name"),
    [({"load_only": ("pay", "code"), "required": ("code",)}, "code"), ({"schema": Coded}, "password")],
    ids=["load_only", "schema"],
)
def test_put_leaves_alone_what_nobody_can_read(
    member: Make, table_name: str, members: dict[str, Any], name: str
) -> None:
    client = member(**members)
    put(table_name)
    assert client.put("/members/t/m", json={"name": "New"}).status == 200
    assert [(one["pay"], one["code"]) for one in stored(table_name)] == [(RAW["pay"], RAW["code"])]
    assert client.put("/members/t/m", json={"name": "New", name: "x"}).status == 200
    assert [(one["pay"], one["code"]) for one in stored(table_name)] == [(RAW["pay"], {"S": "x"})]


def test_put_does_not_ask_for_what_the_user_may_not_write(member: Make, table_name: str) -> None:
    client = member(field_permissions={"name": {"write": InGroup("hr")}})
    put(table_name)
    result = client.put("/members/t/m", json={"pay": 1})
    assert (result.status, result.json["name"], result.json["pay"]) == (200, "Mia", 1)
    assert_problem(client.put("/members/t/m", json={"pay": 1}, user=HR), 422, "#/name")


def test_a_create_that_lacks_what_the_user_may_not_write(member: Make, table_name: str) -> None:
    """It can go through where the verb fills the gap, and only there."""

    def create(self: Any, req: Any) -> Any:
        return self.store.create({"name": "unnamed", **req})

    rule = {"field_permissions": {"name": {"write": InGroup("hr")}}}
    body = {"team": "t", "id": "n"}
    assert_problem(member(**rule).post("/members", json=body), 422, "#/name")
    assert stored(table_name) == []
    assert member(**rule, create=create).post("/members", json=body).json["name"] == "unnamed"


def test_all_closed_fields_are_named(member: Make) -> None:
    client = member(field_permissions={"pay": InGroup("hr"), "code": HasPermission("audit")})
    body = {"team": "t", "id": "n", "name": "N", "pay": 1, "code": "c"}
    assert_problem(client.post("/members", json=body), 422, "#/pay", "#/code")
    assert_problem(client.post("/members", json=body, user=HR), 422, "#/code")
    assert_problem(client.post("/members", json=body, user=AUDITOR), 422, "#/pay")


def test_a_field_that_is_only_written_has_rules_too(member: Make, table_name: str) -> None:
    """``load_only`` fields are in no answer, but in bodies; and they cannot be filtered by."""
    client = member(
        load_only=("code",), field_permissions={"code": InGroup("hr")}, filters={"team": "eq", "code": "eq"}
    )
    put(table_name)
    assert_problem(client.patch("/members/t/m", json={"code": "x"}), 422, "#/code")
    assert "code" not in client.patch("/members/t/m", json={"code": "x"}, user=HR).json
    assert [item["code"] for item in stored(table_name)] == [{"S": "x"}]
    hook = member(load_only=("code",), fields_for=lambda self, user, method: ("name",))
    assert_problem(hook.patch("/members/t/m", json={"code": "y"}), 422, "#/code")
    assert hook.get("/members/t/m").json == {"name": "Mia"}


def test_fields_of_a_schema_go_by_their_names_in_bodies(member: Make, table_name: str) -> None:
    class Named(Schema):
        team = fields.String()
        id = fields.String()
        name = fields.String(required=True)
        pay = fields.Integer(data_key="wage", allow_none=True)

    client = member(schema=Named, field_permissions={"wage": InGroup("hr")})
    put(table_name)
    assert client.get("/members/t/m").json == {"team": "t", "id": "m", "name": "Mia"}
    assert client.get("/members/t/m", user=HR).json["wage"] == 5000
    assert_problem(client.patch("/members/t/m", json={"wage": 1}), 422, "#/wage")
    assert client.put("/members/t/m", json={"name": "New"}).status == 200
    assert [(item["name"], item["pay"]) for item in stored(table_name)] == [({"S": "New"}, {"N": "5000"})]


def test_field_rules_do_not_widen_the_rule_of_the_resource(member: Make, table_name: str) -> None:
    client = member(OwnedBy("name"), field_permissions={"pay": InGroup("hr")})
    put(table_name)
    assert_problem(client.get("/members/t/m", user=HR), 404)
    assert_problem(client.patch("/members/t/m", json={"pay": 1}, user=HR), 404)
    assert stored(table_name) == [RAW]


# --- declarations

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such field": ({"salary": InGroup("hr")}, r"field_permissions\['salary'\]: there is no such field"),
    "no rule": ({"pay": "hr"}, r"field_permissions\['pay'\]"),
    "a misspelt place": ({"pay": {"reed": InGroup("hr")}}, r"field_permissions\['pay'\]"),
    "no place": ({"pay": {}}, r"field_permissions\['pay'\]"),
    "an owner of nothing": (
        {"pay": InGroup("hr") | OwnedBy("nme")},
        r"field_permissions: OwnedBy\('nme'.*names no attribute of Member: is 'name' meant",
    ),
    "a permission that asks nothing": ({"pay": Permission}, "field_permissions: Permission has none of"),
}


@pytest.mark.parametrize(("table", "text"), WRONG.values(), ids=WRONG)
def test_mistakes(member: Make, table: dict[str, Any], text: str) -> None:
    """A rule that could never be true for a field without its item is refused, not silently false."""
    with pytest.raises(ConfigurationError, match=text):
        member(field_permissions=table)
