"""A model's table and indexes, as something to query."""

from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
    LocalSecondaryIndex,
)
from pynamodb.models import Model

from polymicro_lambda.dynamodb import stored_names
from polymicro_lambda.lists.planning.access_paths import AccessPath, access_paths_of


class Whole(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "whole"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(range_key=True, attr_name="r")


class Some(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "some"
        projection = IncludeProjection(["t"])

    color = UnicodeAttribute(hash_key=True, attr_name="c")


class Keys(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "keys"
        projection = KeysOnlyProjection()

    color = UnicodeAttribute(hash_key=True, attr_name="c")
    due = UnicodeAttribute(range_key=True, attr_name="d")


class Thing(Model):
    class Meta:
        table_name = "things"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    rank = NumberAttribute(attr_name="r")
    color = UnicodeAttribute(null=True, attr_name="c")
    due = UnicodeAttribute(null=True, attr_name="d")
    text = UnicodeAttribute(attr_name="t")

    a_whole = Whole()
    b_some = Some()
    c_keys = Keys()


class Heir(Thing):
    class Meta:
        table_name = "heirs"


class Bare(Model):
    class Meta:
        table_name = "bare"

    key = UnicodeAttribute(hash_key=True)


TABLE = AccessPath(None, "o", "i", frozenset("oi"))
PATHS = (
    TABLE,
    AccessPath("whole", "o", "r", frozenset("oir")),
    AccessPath(
        "some", "c", None, frozenset("oic"), frozenset("oict"), is_global=True, optional_partition=True
    ),
    AccessPath(
        "keys",
        "c",
        "d",
        frozenset("oicd"),
        frozenset("oicd"),
        is_global=True,
        sparse=True,
        optional_partition=True,
    ),
)


@pytest.mark.parametrize(
    ("model", "paths"),
    [
        pytest.param(Thing, PATHS, id="table and indexes"),
        pytest.param(Heir, PATHS, id="inherited"),
        pytest.param(Bare, (AccessPath(None, "key", None, frozenset({"key"})),), id="partition key alone"),
    ],
)
def test_the_paths_of_a_model(model: type[Model], paths: tuple[AccessPath, ...]) -> None:
    """By DynamoDB's names, the table first; where a partition key is null the index is still whole for it."""
    assert access_paths_of(model) == paths


def test_its_own_keys() -> None:
    assert [path.own for path in PATHS] == [{"o", "i"}, {"o", "r"}, {"c"}, {"c", "d"}]


def test_what_its_items_have() -> None:
    assert [[path.has(names) for path in PATHS] for names in ("", "oic", "oict", "f")] == [
        [True, True, True, True],
        [True, True, True, True],
        [True, True, True, False],
        [True, True, False, False],
    ]


def test_what_an_item_may_have() -> None:
    assert [stored_names(model) for model in (Thing, Bare)] == [frozenset("oircdt"), {"key"}]
