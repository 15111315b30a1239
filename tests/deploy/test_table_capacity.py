"""What the ``Meta`` of a model says of billing, capacity and tags is in the template and in the local tables."""

from typing import Any

import pytest
from contract import counted, dynamodb_call
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ConfigurationError, List, ModelResource, PolyMicro
from polymicro_lambda.deploy import GLOBAL_INDEXES, LOCAL_INDEXES, Options, next_index_step, template_parts
from polymicro_lambda.project import create_tables


def app_of(table: str, index: dict[str, Any] | None = None, **meta: Any) -> PolyMicro:
    def index_meta(name: str, **more: Any) -> type:
        return type("Meta", (), {"index_name": name, "projection": AllProjection(), **more})

    class ByKind(GlobalSecondaryIndex[Any]):
        Meta = index_meta("by_kind", **(index or {}))
        kind = UnicodeAttribute(hash_key=True)

    class ByRank(LocalSecondaryIndex[Any]):
        Meta = index_meta("by_rank")
        id = UnicodeAttribute(hash_key=True)
        kind = UnicodeAttribute(range_key=True)

    members = {
        "Meta": type("Meta", (), {"table_name": table, **meta}),
        "id": UnicodeAttribute(hash_key=True),
        "part": UnicodeAttribute(range_key=True),
        "kind": UnicodeAttribute(),
        "by_kind": ByKind(),
        "by_rank": ByRank(),
    }
    pm = PolyMicro()
    said = {
        "model": type("Thing", (Model,), members),
        "route": "things",
        "permissions": AllowAny,
        "scan": True,
    }
    type("Things", (ModelResource, List), said)(pm)
    pm.compile()
    return pm


def table_of(pm: PolyMicro) -> dict[str, Any]:
    parts = template_parts(pm.routes, Options(handler="app.handler", authorizer="none", table_prefix=""))
    (found,) = [
        body["Properties"]
        for part in parts
        for body in part.body.values()
        if isinstance(body, dict) and body.get("Type") == "AWS::DynamoDB::Table"
    ]
    return found  # type: ignore[no-any-return]


FEW, MANY = {"read_capacity_units": 1, "write_capacity_units": 2}, {"read_capacity_units": 7}


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


@pytest.mark.parametrize(
    ("meta", "index", "mode", "of_table", "of_index"),
    [
        ({}, {}, "PAY_PER_REQUEST", None, None),
        ({"billing_mode": "PAY_PER_REQUEST", **FEW}, FEW, "PAY_PER_REQUEST", None, None),
        ({"billing_mode": "PROVISIONED", **FEW}, MANY, "PROVISIONED", units(1, 2), units(7, 2)),
        (FEW, {}, "PROVISIONED", units(1, 2), units(1, 2)),
    ],
)
def test_capacity(
    dynamodb: None, table_name: str, meta: Any, index: Any, mode: str, of_table: Any, of_index: Any
) -> None:
    pm = app_of(table_name, index, **meta)
    table = table_of(pm)
    assert (table["BillingMode"], table.get("ProvisionedThroughput")) == (mode, of_table)
    assert table[GLOBAL_INDEXES][0].get("ProvisionedThroughput") == of_index
    assert "ProvisionedThroughput" not in table[LOCAL_INDEXES][0]
    create_tables(pm.routes, "test")
    described = dynamodb_call("describe_table", TableName=table_name)["Table"]
    for said, found in ((of_table, described), (of_index, described[GLOBAL_INDEXES][0])):
        if said is not None:
            assert {name: found["ProvisionedThroughput"][name] for name in said} == said


def test_tags(dynamodb: None, table_name: str) -> None:
    pm = app_of(table_name, tags={"team": "a", "cost": "7"})
    tags = [{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": "7"}]
    assert table_of(pm)["Tags"] == tags
    with counted() as calls:
        create_tables(pm.routes, "test")
    assert [made["Tags"] for operation, made in calls if operation == "CreateTable"] == [tags]


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (
            {"billing_mode": "FREE"},
            "Thing.Meta.billing_mode must be 'PAY_PER_REQUEST' or 'PROVISIONED', not 'FREE'",
        ),
        (
            {"billing_mode": "PROVISIONED"},
            "Thing.Meta.read_capacity_units must be a positive number for PROVISIONED capacity, not None",
        ),
        (
            {"read_capacity_units": 1, "write_capacity_units": 0},
            "Thing.Meta.write_capacity_units must be a positive number for PROVISIONED capacity, not 0",
        ),
        ({"tags": ["a"]}, 'Thing.Meta.tags must be names and values, such as {"team": "a"}'),
    ],
)
def test_what_no_table_can_have(meta: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        table_of(app_of("things", **meta))
    assert str(raised.value) == said


def test_another_capacity_is_no_other_index() -> None:
    """Deleting an index to give it more units would leave the lists without it."""
    old, new = (table_of(app_of("things", index, **FEW)) for index in ({}, MANY))
    properties, left = next_index_step(old, new)
    assert (properties[GLOBAL_INDEXES], left) == (new[GLOBAL_INDEXES], [])
