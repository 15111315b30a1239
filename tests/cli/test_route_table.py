"""What `polymicro routes` says of routes without a request."""

from typing import Any

import pytest
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    HasPermission,
    InGroup,
    IsAuthenticated,
    List,
    Many,
    ModelResource,
    One,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.cli.route_table import Row, columns, rows
from polymicro_lambda.cli.wording import of_rule
from polymicro_lambda.rules.algebra import rule_from


class ByKind(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)


class BySize(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_size"
        projection = KeysOnlyProjection()

    size = NumberAttribute(hash_key=True)


class Thing(Model):
    class Meta:
        table_name = "things"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    size = NumberAttribute()
    open = BooleanAttribute(default=False)
    by_kind = ByKind()
    by_size = BySize()


class Versioned(Model):
    class Meta:
        table_name = "versioned"

    uuid = UnicodeAttribute(hash_key=True)
    version = VersionAttribute()


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return True


class Open(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.open == True  # noqa: E712 - a condition


class Verbs(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Thing
    route = "things"


def compiled(**members: Any) -> list[Row]:
    app = PolyMicro()
    type("ThingResource", (Verbs,), members)(app)
    app.compile()
    return rows(app.routes)


def calls(found: list[Row]) -> list[str]:
    return [row.calls for row in found]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        pytest.param(AllowAny, "anybody", id="AllowAny"),
        pytest.param(IsAuthenticated, "any user", id="IsAuthenticated"),
        pytest.param(ReadOnly, "any user, to read", id="ReadOnly"),
        pytest.param(ReadOnly(anonymous=True), "anybody, to read", id="ReadOnly, anonymous"),
        pytest.param(HasPermission("admin"), "permission admin", id="HasPermission"),
        pytest.param(InGroup("staff"), "group staff", id="InGroup"),
        pytest.param(OwnedBy("owner", claim="sub"), "owner is the user's sub", id="OwnedBy"),
        pytest.param(Opaque, "Opaque", id="of the app's own"),
        pytest.param(
            OwnedBy("owner") & (HasPermission("a") | ~Opaque()),
            "owner is the user's uuid and (permission a or not Opaque)",
            id="composed",
        ),
        pytest.param(~(InGroup("a") | InGroup("b")), "not (group a or group b)", id="negated"),
        pytest.param((InGroup("a"), Opaque), "group a and Opaque", id="several"),
        pytest.param((InGroup("a") & Opaque(), Open), "group a and Opaque and Open", id="joined alike"),
    ],
)
def test_rules_in_words(declared: Any, words: str) -> None:
    assert of_rule(rule_from(declared)) == words


def test_a_row_for_each_route() -> None:
    rule = "owner is the user's uuid"
    assert compiled(permissions=OwnedBy("owner")) == [
        Row("POST", "/things", "create", rule, "key", "PutItem"),
        Row("GET", "/things", "list", rule, "table", "Query"),
        Row("GET", "/things/{uuid}", "retrieve", rule, "key", "GetItem"),
        Row("PATCH", "/things/{uuid}", "update", rule, "key", "UpdateItem"),
        Row("PUT", "/things/{uuid}", "update", rule, "key", "UpdateItem"),
        Row("DELETE", "/things/{uuid}", "delete", rule, "key", "DeleteItem"),
    ]


@pytest.mark.parametrize(
    ("members", "access", "said"),
    [
        pytest.param({"filters": {"kind": ("eq",)}}, "index by_kind", "Query", id="index"),
        pytest.param(
            {"filters": {"size": ("eq",)}}, "index by_size", "Query, BatchGetItem", id="lacks attributes"
        ),
        pytest.param(
            {"filters": {"kind": ("eq", "in")}},
            "index by_kind",
            "Query (one for each of kind__in)",
            id="several partitions",
        ),
        pytest.param({"scan": True}, "table", "Scan", id="scan"),
        pytest.param(
            {"scan": True, "filters": {"owner": ("eq",), "kind": ("eq",)}},
            "table, index by_kind",
            "Query or Scan",
            id="several",
        ),
        pytest.param(
            {"list": lambda self: []}, "table, index by_kind, index by_size", "its own", id="its own"
        ),
    ],
)
def test_a_list_reads_what_its_planner_may_choose(members: dict[str, Any], access: str, said: str) -> None:
    row = next(row for row in compiled(**members) if row.verb == "list")
    assert (row.access, row.calls) == (access, said)


@pytest.mark.parametrize(
    ("members", "update", "delete"),
    [
        pytest.param({"permissions": AllowAny}, "UpdateItem", "DeleteItem", id="by its key"),
        pytest.param(
            {"permissions": Opaque}, "GetItem, UpdateItem", "GetItem, DeleteItem", id="judged in Python"
        ),
        pytest.param(
            {"permissions": InGroup("a") | Opaque()},
            "sometimes GetItem, UpdateItem",
            "sometimes GetItem, DeleteItem",
            id="judged for some users",
        ),
        pytest.param(
            {"permissions": Open}, "sometimes GetItem, UpdateItem", "DeleteItem", id="judged before and after"
        ),
        pytest.param(
            {"require_if_match": True},
            "GetItem, UpdateItem",
            "GetItem, DeleteItem",
            id="If-Match without a version",
        ),
        pytest.param(
            {"update": lambda self, instance: instance, "delete": lambda self, instance: None},
            "GetItem, UpdateItem, its own",
            "GetItem, DeleteItem, its own",
            id="its own",
        ),
    ],
)
def test_a_write_reads_where_python_must_see_the_item(
    members: dict[str, Any], update: str, delete: str
) -> None:
    found = {row.http: row.calls for row in compiled(scan=True, **members)}
    assert (found["PATCH"], found["DELETE"]) == (update, delete)


def test_what_own_code_calls_is_none_of_the_planners() -> None:
    """It is in the policy; which route makes which of these calls is not known."""
    found = {row.verb: row for row in compiled(scan=True, calls={Versioned: "PutItem", Thing: "Query"})}
    assert (found["list"].access, found["list"].calls) == ("table", "Scan, its own")
    assert found["delete"].calls == "DeleteItem, its own"


def test_a_version_is_compared_inside_the_write() -> None:
    found = compiled(model=Versioned, scan=True, require_if_match=True)
    assert {row.calls for row in found if row.http == "PATCH"} == {"UpdateItem"}


def test_actions() -> None:
    found = compiled(
        scan=True,
        finish=action(lambda self, instance: instance),
        count=action(detail=False)(lambda self: 1),
    )
    rows = {row.verb: (row.path, row.access, row.calls) for row in found}
    assert rows["finish"] == ("/things/{owner}/{uuid}/finish", "key", "GetItem, its own")
    assert rows["count"] == ("/things/count", "-", "its own")


def test_columns() -> None:
    assert columns([("a", "bb", ""), ("aaa", "b", "c")]) == ["a    bb", "aaa  b   c"]


def test_what_answers_embed() -> None:
    class Owners(ModelResource, Retrieve):
        model = Thing
        route = "owners"
        permissions = AllowAny

    pm = PolyMicro()
    Owners(pm)
    key = {"owner": "owner", "uuid": "uuid"}
    embed = {
        "mine": One(Owners, key, always=True),
        "yours": One(Owners, key),
        "all": Many(Owners, {"owner": "owner"}),
    }
    base = {"model": Thing, "route": "things", "permissions": AllowAny, "embed": embed}
    type("Things", (ModelResource, Retrieve, Delete), base)(pm)
    pm.compile()
    said = "BatchGetItem (always mine), BatchGetItem (?embed=yours), Query (?embed=all)"
    assert calls(rows(pm.routes))[1:] == [f"GetItem, {said}", "DeleteItem"]
