"""Composed keys in all that reads the routes: the document, the template, the policy, the commands; and mistakes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from contract import ALICE, Caller, create_tables, dynamodb_call, stored
from marshmallow import fields
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ComposedAttribute,
    ConfigurationError,
    Create,
    Delete,
    List,
    Many,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Through,
    Update,
)
from polymicro_lambda.backfill import Unfit, compose
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.cli.sample_requests import create_body
from polymicro_lambda.deploy.iam_policy import grants
from polymicro_lambda.deploy.tables import tables_of
from polymicro_lambda.openapi import openapi
from polymicro_lambda.testing import assert_serializable

VERBS = (ModelResource, Create, List, Retrieve, Update, Delete)


class ByState(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_state"
        projection = AllProjection()

    state = ComposedAttribute("{team}#{status}", hash_key=True)
    created = UTCDateTimeAttribute(range_key=True)


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    tenant = UnicodeAttribute(hash_key=True)
    status_created = ComposedAttribute("{status}#{created}", range_key=True)


def thing() -> Any:
    members = {
        "Meta": type("Meta", (), {"table_name": "things"}),
        "pk": ComposedAttribute("{tenant}#{public}", hash_key=True),
        "sk": ComposedAttribute("THING#{number}", range_key=True),
        "tenant": UnicodeAttribute(),
        "public": BooleanAttribute(),
        "number": NumberAttribute(),
        "team": UnicodeAttribute(null=True),
        "status": UnicodeAttribute(default="open"),
        "created": UTCDateTimeAttribute(default_for_new=lambda: datetime(2026, 1, 1, tzinfo=UTC)),
        "deleted": UTCDateTimeAttribute(null=True),
        "by_state": ByState(),
        "state": ComposedAttribute("{team}#{status}", attr_name="state"),
        "by_status": ByStatus(),
        "status_created": ComposedAttribute("{status}#{created}"),
    }
    return type("Thing", (Model,), members)


FILTERS = {"tenant": "eq", "public": "eq", "team": "eq", "status": ("eq", "gte"), "created": "gte"}


def app(**members: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret="s")
    said = {"model": thing(), "route": "things", "permissions": AllowAny, "filters": FILTERS, **members}
    type("Things", VERBS, said)(pm)
    return pm


def compiled(**members: Any) -> PolyMicro:
    pm = app(**members)
    pm.compile()
    return pm


def test_the_document_has_the_parts() -> None:
    document = openapi(compiled().routes)
    found = document["paths"]["/things/{tenant}/{public}/{number}"]["get"]["parameters"]
    path = {one["name"]: one["schema"]["type"] for one in found if one["in"] == "path"}
    assert path == {"tenant": "string", "public": "boolean", "number": "number"}
    members = {
        name: set(one.get("properties", {})) for name, one in document["components"]["schemas"].items()
    }
    shown = {"tenant", "public", "number", "team", "status", "created", "deleted"}
    assert members["Things"] == members["ThingsCreate"] == shown
    assert members["ThingsPatch"] == shown - {"tenant", "public", "number"}
    query = {one["name"]: one for one in document["paths"]["/things"]["get"]["parameters"]}
    assert query["sort"]["schema"]["enum"] == ["created", "-created"]
    assert not any(name in str(document) for name in ("status_created", "'pk'", "'sk'", "'state'"))


def test_the_template_has_the_keys_and_the_policy_no_more_than_before() -> None:
    pm = compiled()
    (table,) = tables_of([thing()])
    kinds = {one["AttributeName"]: one["AttributeType"] for one in table.properties["AttributeDefinitions"]}
    assert kinds == dict.fromkeys(("pk", "sk", "state", "created", "tenant", "status_created"), "S")
    assert table.properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    found = {(grant.index, grant.operation) for route in pm.routes for grant in grants(route)}
    items = {("", operation) for operation in ("PutItem", "GetItem", "UpdateItem", "DeleteItem")}
    assert found == items | {(index, "Query") for index in ("", "by_state", "by_status")}


def test_the_commands_tell_paths_and_reads() -> None:
    table = {(row[0], row[1]): row[-1] for row in map(tuple, rows(compiled(soft_delete="deleted").routes))}
    assert table["PATCH", "/things/{tenant}/{public}/{number}"] == "sometimes GetItem, UpdateItem"
    said = dict(explain(compiled(), "PATCH /things/t/true/1", ALICE))
    assert said["key"] == 'tenant = "t", public = true, number = 1'
    assert said["composes"].startswith(
        "status_created: where the body says some of status and created, but not all"
    )
    touching = dict(explain(compiled(touch={"status": "x"}), "PATCH /things/t/true/1", ALICE))
    assert touching["composes"].startswith("status_created: 1 GetItem comes first")
    assert (
        dict(explain(compiled(), "DELETE /things/t/true/1", ALICE))["calls"] == "1 DeleteItem, on a condition"
    )


def test_a_sample_of_a_part_can_stand_in_a_path() -> None:
    (route, *_) = (one for one in compiled().routes if one.verb == "create")
    assert create_body(route.schema, route.model)["tenant"] == "example"


def test_an_item_of_all_kinds_of_parts_is_found_at_its_path(dynamodb: None, table_name: str) -> None:
    pm = app(model=type("Thing", (thing(),), {"Meta": type("Meta", (), {"table_name": table_name})}))
    handler = pm.compile()
    create_tables(pm)
    client = Caller(handler, user=ALICE)
    made = client.post("/things", json={"tenant": "a b", "public": True, "number": 1.50})
    assert (made.status, made.headers["location"]) == (201, "things/a%20b/true/1.5")
    assert (
        client.get("/things/a%20b/true/1.5").json == client.get("/things/a%20b/true/1.50").json == made.json
    )
    assert client.get("/things/a%20b/yes/1.5").status == 404
    found = client.get("/things?tenant=a%20b&public=true").json["items"]
    assert found == [made.json]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            {"filters": {"state": "eq"}},
            r"Things\.filters\['state'\] is made of team and status: filter by these",
        ),
        ({"permissions": OwnedBy("state")}, r"Things\.permissions: .* names what is made of team and status"),
        ({"route": "states/{state}/things"}, r"Things\.route: \{state\} is made of team and status"),
        ({"unique": "state"}, r"Thing\.state is made of team and status"),
        ({"lookup": "state"}, r"Things\.lookup: .*made of team and status"),
        ({"lookup": "tenant"}, r"Things\.lookup: 'tenant' is of the key"),
        ({"touch": {"state": "x"}}, r"Thing\.state is made of team and status"),
        ({"touch": {"tenant": "x"}}, r"Things\.touch\['tenant'\] is of the key"),
        ({"required": ("state",)}, r"Things\.required: 'state' is made of team and status"),
        ({"exclude": ("pk",)}, r"Things\.exclude: 'pk' is made of tenant and public"),
        ({"field_permissions": {"state": AllowAny}}, r"state"),
        ({"validators": {"state": len}}, r"Things\.validators\['state'\]: it is made of team and status"),
        ({"fields": {"state": fields.String()}}, r"Things\.fields\['state'\]: it is made of team and status"),
    ],
)
def test_a_composed_key_is_named_nowhere(members: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        compiled(**members)


def test_related_items_are_named_by_all_parts() -> None:
    with pytest.raises(ConfigurationError, match="the key must say tenant, public, number"):
        Through(thing(), {"tenant": "tenant", "number": "number"})
    pm = app()
    (resource,) = pm._resources
    said = {"model": thing(), "route": "others", "permissions": AllowAny, "scan": True}
    type("Others", VERBS, {**said, "embed": {"some": Many(type(resource), {"team": "team"})}})(pm)
    with pytest.raises(ConfigurationError, match=r"must say the partition key .* one of .*team with status"):
        pm.compile()


# --- races, and items that are older ------------------------------------------------------------------------------


def test_keys_follow_their_parts_in_every_order_of_calls(dynamodb: None, table_name: str) -> None:
    pm = app(model=type("Thing", (thing(),), {"Meta": type("Meta", (), {"table_name": table_name})}))
    handler = pm.compile()
    create_tables(pm)
    client = Caller(handler, user=ALICE)
    client.post("/things", json={"tenant": "t", "public": False, "number": 1, "team": "red"})
    path = "/things/t/false/1"
    assert_serializable(
        client,
        lambda client: client.patch(path, json={"team": "blue"}),
        lambda client: client.patch(path, json={"status": "done"}),
    )


def test_older_items_get_their_keys(dynamodb: None, table_name: str) -> None:
    model = type("Thing", (thing(),), {"Meta": type("Meta", (), {"table_name": table_name})})
    pm = app(model=model)
    pm.compile()
    create_tables(pm)
    for number, team, state in (
        ("1", "red", None),
        ("2", "a#b", "old"),
        ("3", None, "old"),
        ("4", "x", "x#open"),
    ):
        key = {"pk": {"S": "t#true"}, "sk": {"S": f"THING#{number}"}}
        parts = {"tenant": {"S": "t"}, "public": {"BOOL": True}, "number": {"N": number}}
        more = {name: {"S": value} for name, value in (("team", team), ("state", state)) if value is not None}
        dynamodb_call(
            "put_item", TableName=table_name, Item={**key, **parts, **more, "status": {"S": "open"}}
        )
    (unfit,) = compose(pm)
    assert unfit == Unfit(model, "team", {"pk": {"S": "t#true"}, "sk": {"S": "THING#2"}})
    found = {item["number"]["N"]: item.get("state", {}).get("S") for item in stored(table_name)}
    assert found == {"1": "red#open", "2": None, "3": None, "4": "x#open"}
    before = stored(table_name)
    assert compose(pm) == [unfit]
    assert stored(table_name) == before
