"""The tables of a local run are those of the template: one for all the models that share it, with all their indexes."""

import time
from typing import Any

import pytest
import second_app
from contract import dynamodb_call
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, List, ModelResource, PolyMicro
from polymicro_lambda.project.engine import EMBEDDED, create_tables
from polymicro_lambda.project.settings import UsageError
from polymicro_lambda.testing import Client


class ByColour(GlobalSecondaryIndex):  # type: ignore[type-arg]
    class Meta:
        index_name = "by_colour"
        projection = AllProjection()

    colour = UnicodeAttribute(hash_key=True)


def test_models_that_share_a_table_get_one_with_the_indexes_of_both(dynamodb: None, table_name: str) -> None:
    class Plain(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)

    class Coloured(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        colour = UnicodeAttribute(null=True)
        by_colour = ByColour()

    pm = PolyMicro()
    for model in (Plain, Coloured):
        model.Meta.table_name = table_name  # type: ignore[attr-defined]
        said = {"model": model, "route": model.__name__.lower(), "permissions": AllowAny, "scan": True}
        type(f"{model.__name__}s", (ModelResource, List), said)(pm)
    pm.compile()
    assert create_tables(pm.routes, "test") == [table_name]
    table = dynamodb_call("describe_table", TableName=table_name)["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_colour"]
    assert create_tables(pm.routes, "test") == []


def test_streams_and_indexes_are_made_too(dynamodb: None) -> None:
    names = [second_app.Order.Meta.table_name, second_app.Scrap.Meta.table_name]
    assert create_tables(second_app.pm.routes, "test") == names
    table = dynamodb_call("describe_table", TableName=names[0])["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert [index["IndexName"] for index in table["LocalSecondaryIndexes"]] == ["by_placed"]


class ByShade(LocalSecondaryIndex):  # type: ignore[type-arg]
    class Meta:
        index_name = "by_shade"
        projection = AllProjection()

    id = UnicodeAttribute(hash_key=True)
    colour = UnicodeAttribute(range_key=True)


def app_of(name: str, **members: Any) -> PolyMicro:
    """An app with one model, as it is between two changes of the code."""
    meta = type("Meta", (), {"table_name": name})
    keys = {"id": UnicodeAttribute(hash_key=True), "sort": UnicodeAttribute(range_key=True)}
    model = type("Paint", (Model,), {"Meta": meta, **keys, "colour": UnicodeAttribute(null=True), **members})
    said = {
        "model": model,
        "route": "paints",
        "permissions": AllowAny,
        "scan": True,
        "filters": {"colour": "eq"},
    }
    pm = PolyMicro()
    type("Paints", (ModelResource, List), said)(pm)
    pm.compile()
    return pm


def test_an_embedded_table_gets_the_index_that_has_come(dynamodb: None, table_name: str) -> None:
    """As after a change of the models under `polymicro serve`; what is in the table stays."""
    create_tables(app_of(table_name).routes, EMBEDDED)
    dynamodb_call("put_item", TableName=table_name, Item={n: {"S": "a"} for n in ("id", "sort", "colour")})
    changed = app_of(table_name, by_colour=ByColour())
    assert create_tables(changed.routes, EMBEDDED) == []
    wait_for_indexes(table_name)
    found = Client(changed).get("/paints?colour=a")
    assert (found.status, found.json["items"]) == (200, [{"id": "a", "sort": "a", "colour": "a"}])
    assert create_tables(changed.routes, EMBEDDED) == []


def wait_for_indexes(table_name: str) -> None:
    """Until DynamoDB has filled them; moto has at once."""
    deadline = time.monotonic() + 30
    while any(one["IndexStatus"] != "ACTIVE" for one in indexes(table_name)):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def indexes(table_name: str) -> list[Any]:
    table = dynamodb_call("describe_table", TableName=table_name)["Table"]
    return list(table.get("GlobalSecondaryIndexes", ()))


def test_another_engines_table_is_left_as_it_is(dynamodb: None, table_name: str) -> None:
    create_tables(app_of(table_name).routes, "test")
    assert create_tables(app_of(table_name, by_colour=ByColour()).routes, "test") == []
    assert indexes(table_name) == []


def test_what_a_table_cannot_follow_is_said(dynamodb: None, table_name: str) -> None:
    """A local index comes with its table or never."""
    create_tables(app_of(table_name).routes, EMBEDDED)
    with pytest.raises(UsageError, match=f"^The keys or local indexes of {table_name} have changed"):
        create_tables(app_of(table_name, by_shade=ByShade()).routes, EMBEDDED)
