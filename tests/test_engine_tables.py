"""The tables of a local run are those of the template: one for all the models that share it, with all their indexes."""

import second_app
from contract import dynamodb_call
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, List, ModelResource, PolyMicro
from polymicro_lambda._engine import create_tables


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
