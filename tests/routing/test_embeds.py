"""`embed`: what cannot be embedded is a `ConfigurationError` that names resource and member."""

from typing import Any

import pytest
from pynamodb.attributes import BinaryAttribute, ListAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ConfigurationError, List, Many, ModelResource, One, PolyMicro, Retrieve


class ByRank(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    team = UnicodeAttribute(hash_key=True)
    rank = UnicodeAttribute(range_key=True, null=True)


class Person(Model):
    class Meta:
        table_name = "people"

    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(null=True)
    team = UnicodeAttribute(null=True)
    rank = UnicodeAttribute(null=True)
    secret = UnicodeAttribute(null=True)
    by_rank = ByRank()


class Letter(Model):
    class Meta:
        table_name = "letters"

    to = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    sender = UnicodeAttribute(null=True)
    seal = BinaryAttribute(legacy_encoding=False, null=True)
    copies = ListAttribute[Any](null=True)


class People(ModelResource, Retrieve):
    model = Person
    route = "people"
    permissions = AllowAny
    exclude = "secret"


class Others(ModelResource, Retrieve):
    model = Person
    route = "others"
    permissions = AllowAny


class Letters(ModelResource, Retrieve):
    model = Letter
    route = "letters"
    permissions = AllowAny


def compiled(embed: Any, **members: Any) -> PolyMicro:
    pm = PolyMicro()
    People(pm)
    base = {"model": Letter, "route": "letters", "permissions": AllowAny, "scan": True}
    type("Post", (ModelResource, Retrieve, List), base | {"embed": embed} | members)(pm)
    pm.compile()
    return pm


ID = {"id": "sender"}


@pytest.mark.parametrize(
    ("embed", "message"),
    [
        (["sender"], "Post.embed must be a dict"),
        ({"by": People}, "Post.embed['by'] must be One(…) or Many(…)"),
        ({"by": One("People", ID)}, "Post.embed['by']: One takes a resource class, not 'People'"),  # type: ignore[arg-type]
        ({"by": One(Person, ID)}, "Post.embed['by']: One takes a resource class"),  # type: ignore[arg-type]
        ({"by": One(Others, ID)}, "Post.embed['by']: Others is not of this app: write Others(pm)"),
        ({"by": One(People, "sender")}, "Post.embed['by']: the key is a dict"),  # type: ignore[arg-type]
        ({"by": One(People, {})}, "Post.embed['by']: the key is a dict"),
        (
            {"by": One(People, {"name": "sender"})},
            "Post.embed['by']: the key must say id of Person, not name",
        ),
        ({"by": One(People, ID | {"name": "to"})}, "the key must say id of Person, not id, name"),
        ({"by": One(People, {"id": "sendr"})}, "Letter has no attribute 'sendr': is 'sender' meant?"),
        ({"by": One(People, {"id": 1})}, "Letter has no attribute 1"),  # type: ignore[dict-item]
        ({"by": One(People, {"id": "copies"})}, "copies is a ListAttribute, which can be no id of Person"),
        ({"by": One(People, {"id": "seal"})}, "seal is a BinaryAttribute, which can be no id of Person"),
        ({"by": One(People, ID, fields=("nam",))}, "fields names nam; People shows id, name, team, rank"),
        ({"by": One(People, ID, fields="secret")}, "fields names secret"),
        ({"by": One(People, ID, fields=())}, "fields names nothing"),
        ({"by": One(People, ID, always=1)}, "Post.embed['by']: always must be True or False, not 1"),  # type: ignore[arg-type]
        ({"to": One(People, ID)}, "Post.embed['to']: Letter has a field of this name"),
        ({"id": Many(People, {"id": "id"})}, "Post.embed['id']: Letter has a field of this name"),
        ({"by whom": One(People, ID)}, "Post.embed['by whom']: a member's name is a text"),
        (
            {"all": Many(People, {"name": "to"})},
            "must say the partition key of the table or an index of Person",
        ),
        ({"all": Many(People, ID | {"team": "to"})}, "one of id, team, not id, team"),
        ({"all": Many(People, {"team": "to"})}, "the index by_rank lacks items without rank"),
        ({"all": Many(People, ID, limit=0)}, "Post.embed['all']: limit must be an int from 1 to 100, not 0"),
        ({"all": Many(People, ID, limit="9")}, "limit must be an int from 1 to 100, not '9'"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_embedded(embed: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        compiled(embed)
    assert "Post.embed" in str(error.value)
    assert message in str(error.value)


def test_a_filter_that_would_hide_the_parameter() -> None:
    class Note(Model):
        class Meta:
            table_name = "notes"

        id = UnicodeAttribute(hash_key=True)
        embed = UnicodeAttribute(null=True)

    said = {"model": Note, "filters": {"embed": ("eq",)}}
    with pytest.raises(ConfigurationError, match=r"Post\.filters"):
        compiled({"by": One(People, {"id": "id"})}, **said)
