"""``soft_delete`` as a resource declares it: its mistakes, its route, and what document, policy and commands tell."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, counted, create_tables, dynamodb_call, names
from openapi_spec_validator import validate as validate_document
from pynamodb.attributes import (
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model
from pynamodb_attributes import TimestampMsAttribute

from polymicro_lambda import (
    Claim,
    ConfigurationError,
    Create,
    Delete,
    InGroup,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    SoftDelete,
    Through,
    Update,
    User,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy import Grant, grants
from polymicro_lambda.openapi import openapi


class Note(Model):
    class Meta:
        table_name = "notes"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(null=True)
    count = NumberAttribute(null=True)
    deleted = UTCDateTimeAttribute(null=True, attr_name="d")
    gone = TimestampMsAttribute(null=True)
    until = TTLAttribute(null=True)
    made = UTCDateTimeAttribute()
    seen = UTCDateTimeAttribute(null=True, default=lambda: datetime.now(UTC))
    new = UTCDateTimeAttribute(null=True, default_for_new=lambda: datetime.now(UTC))
    version = VersionAttribute()


class Dated(Model):
    class Meta:
        table_name = "dated"

    at = UTCDateTimeAttribute(hash_key=True)


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    model: ClassVar[Any] = Note
    route = "notes"
    permissions: ClassVar[Any] = OwnedBy("owner")
    soft_delete: ClassVar[Any] = SoftDelete("deleted", seen_by=InGroup("staff"))


def compiled(**members: Any) -> PolyMicro:
    pm = PolyMicro()
    type("Notes", (Notes,), members)(pm)
    pm.compile()
    return pm


class Mine(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


@action()
def restore(self: Any, instance: Any, user: Any) -> None:
    """An action in the way."""


@action(path="restore")
def bring_back(self: Any, instance: Any, user: Any) -> None:
    """Another one."""


def named(attribute: str) -> Mapping[str, Any]:
    return {"soft_delete": attribute}


def seen_by(permission: Any) -> Mapping[str, Any]:
    return {"soft_delete": SoftDelete("deleted", seen_by=permission)}


MISTAKES: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no attribute": (named("delete"), r"Notes\.soft_delete: Note has no attribute 'delete'.*deleted"),
    "no name": ({"soft_delete": True}, r"Notes\.soft_delete must be the name of an attribute"),
    "not a time": (named("text"), r"text must be an attribute of time.*not a UnicodeAttribute"),
    "a number": (named("count"), "count must be an attribute of time.*not a NumberAttribute"),
    "an expiry": (named("until"), "until must be an attribute of time.*not a TTLAttribute"),
    "not nullable": (named("made"), "made must be null=True"),
    "a default": (named("seen"), "seen has a default"),
    "a default for new items": (named("new"), "new has a default"),
    "a key": ({"model": Dated, "soft_delete": "at", "permissions": InGroup("a")}, "at is a key"),
    "an action named so": ({"restore": restore}, r"Notes\.soft_delete makes the verb restore"),
    "an action at its path": ({"bring_back": bring_back}, "restore"),
    "a requirement": (
        {"requires": {"restore": Note.text == "a"}},
        r"Notes\.requires\['restore'\]: a restore requires that the item is deleted",
    ),
    "a rule by where": (seen_by(Mine), r"Notes\.soft_delete: seen_by: Mine needs an item"),
    "a rule by owner": (seen_by(InGroup("a") | OwnedBy("owner")), "OwnedBy.* needs an item"),
    "a rule by a related item": (
        seen_by(Through(Note, {"owner": Claim("uuid"), "id": "id"})),
        "Through.* needs an item",
    ),
    "no rule": (seen_by("staff"), r"Notes\.soft_delete: seen_by: permissions holds|is no Permission"),
    "a filter of its name": (
        {"filters": {"deleted": ("eq", "exists")}},
        r"\?deleted= asks for deleted items",
    ),
}


@pytest.mark.parametrize(("members", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_resource_and_attribute(members: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compiled(**members)


def test_nothing_deletes() -> None:
    class Kept(ModelResource, Create, Retrieve):
        model = Note
        route = "kept"
        soft_delete = "deleted"

    pm = PolyMicro()
    Kept(pm)
    with pytest.raises(
        ConfigurationError, match=r"Kept\.soft_delete: nothing deletes Note so: mix in Delete"
    ):
        pm.compile()


def test_without_it_a_restore_is_anything() -> None:
    pm = compiled(soft_delete=None, restore=restore)
    route = next(route for route in pm.routes if route.verb == "restore")
    assert (route.is_action, route.is_restore, route.requirement) == (True, False, None)
    assert "restore" not in [route.verb for route in compiled(soft_delete=None).routes]


def test_the_route() -> None:
    [route] = [route for route in compiled().routes if route.verb == "restore"]
    assert (route.http, route.template, route.is_default, route.is_action) == (
        "POST",
        "/notes/{id}/restore",
        True,
        False,
    )
    assert (route.method, route.method.http) == ("restore", "POST")


def test_the_policy_updates_and_removes_nothing() -> None:
    granted = {
        route.verb: {grant.operation for grant in grants(route)}
        for route in compiled(unique=("text",)).routes
    }
    assert granted["delete"] == granted["restore"] == {"UpdateItem", "GetItem"}
    assert Grant("notes", "", "DeleteItem") in grants(
        next(route for route in compiled(soft_delete=None).routes if route.verb == "delete")
    )


def test_the_document_tells_of_it() -> None:
    document = openapi(compiled().routes)
    validate_document(document)
    paths = document["paths"]
    operation = paths["/notes/{id}/restore"]["post"]
    assert (operation["operationId"], operation["summary"]) == ("restoreNotes", "Bring back: Notes")
    assert "requestBody" not in operation
    assert {*operation["responses"]} >= {"200", "404", "409", "412"}
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Notes"
    }
    assert operation["responses"]["409"]["description"] == "This is not deleted."
    assert "restoreNotes" not in repr(paths["/notes"]["post"]["responses"]["201"]["links"])
    for path in ("/notes", "/notes/{id}"):
        [said] = [one for one in paths[path]["get"]["parameters"] if one["name"] == "deleted"]
        assert said["schema"] == {"type": "boolean", "default": False}
    blind = openapi(compiled(soft_delete="deleted").routes)["paths"]
    assert "deleted" not in [one["name"] for one in blind["/notes"]["get"]["parameters"]]


def test_no_body_has_the_time() -> None:
    schemas = openapi(compiled().routes)["components"]["schemas"]
    assert schemas["Notes"]["properties"]["deleted"]["readOnly"] is True
    assert all(
        "deleted" not in schemas[name]["properties"] for name in ("NotesCreate", "NotesPatch", "NotesReplace")
    )


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return True


@pytest.mark.parametrize("rule", [OwnedBy("owner"), OwnedBy("owner") & Opaque()], ids=["owned", "opaque"])
@pytest.mark.parametrize(
    ("request_", "deleted"),
    [
        ("DELETE /notes/1", False),
        ("POST /notes/1/restore", True),
        ("GET /notes/1", False),
        ("GET /notes/1?deleted=true", True),
        ("GET /notes", False),
        ("GET /notes?deleted=true", True),
    ],
)
def test_what_routes_and_explain_say_is_called_is_called(
    dynamodb: None, table_name: str, rule: Any, request_: str, deleted: bool
) -> None:
    class Here(Note):
        class Meta:
            table_name = "here"

    Here.Meta.table_name = table_name
    pm = compiled(model=Here, permissions=rule)
    create_tables(pm)
    item = {"owner": {"S": "alice"}, "id": {"S": "1"}, "made": {"S": "2026-01-02T03:04:05.000000+0000"}}
    item |= {"version": {"N": "1"}} | ({"d": item["made"]} if deleted else {})
    dynamodb_call("put_item", TableName=table_name, Item=item)
    staff = User("alice", groups=frozenset({"staff"}))
    lines = explain(pm, request_, staff)
    method, path = request_.split()
    with counted() as calls:
        assert Caller(pm.compile(), user=staff).request(method, path).status < 300
    said = dict(lines)["calls"]
    assert [name for name in ("GetItem", "UpdateItem", "DeleteItem", "Query") if name in said] == names(calls)
    assert any(said in repr(lines) for said in (" d (", "(d, ", "'d to "))
    [row] = [
        row
        for row in rows(pm.routes)
        if (row.http, row.verb) == (method, dict(lines)["verb"].partition(".")[2])
    ]
    assert all(name in row.calls for name in names(calls))


def test_explain_refuses_whom_a_request_would_refuse() -> None:
    with pytest.raises(Exception, match="You may not do this"):
        explain(compiled(), "GET /notes?deleted=true", ALICE)


def test_any_time_will_do(dynamodb: None, table_name: str) -> None:
    class Here(Note):
        class Meta:
            table_name = "here"

    Here.Meta.table_name = table_name
    pm = compiled(model=Here, soft_delete="gone")
    create_tables(pm)
    client = Caller(pm.compile(), user=ALICE)
    client.post("/notes", json={"id": "1", "made": "2026-01-01T00:00:00Z"})
    assert client.delete("/notes/1").status == 204
    assert client.get("/notes/1").status == 404
    assert client.post("/notes/1/restore").json["gone"] is None
