"""The policy grants what an answer reads of other resources."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Delete, List, Many, ModelResource, One, PolyMicro, Retrieve, Through
from polymicro_lambda.deploy.iam_policy import grants


class ByArticle(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_article"
        projection = AllProjection()

    article = UnicodeAttribute(hash_key=True)


def test_what_an_answer_embeds_is_granted() -> None:
    class Comment(Model):
        class Meta:
            table_name = "comments"

        id = UnicodeAttribute(hash_key=True)
        article = UnicodeAttribute()
        by_article = ByArticle()

    class Account(Model):
        class Meta:
            table_name = "accounts"

        id = UnicodeAttribute(hash_key=True)

    class Article(Model):
        class Meta:
            table_name = "articles"

        id = UnicodeAttribute(hash_key=True)
        author = UnicodeAttribute()

    both = {"permissions": AllowAny, "scan": True}
    comments = type("Comments", (ModelResource, List), both | {"model": Comment, "route": "comments"})
    friend = Through(Comment, {"id": "id"})
    accounts = type(
        "Accounts", (ModelResource, Retrieve), {"model": Account, "route": "accounts", "permissions": friend}
    )
    embed = {"author": One(accounts, {"id": "author"}), "comments": Many(comments, {"article": "id"})}
    articles = type(
        "Articles",
        (ModelResource, Retrieve, Delete),
        both | {"model": Article, "route": "articles", "embed": embed},
    )
    pm = PolyMicro()
    for resource in (comments, accounts, articles):
        resource(pm)
    pm.compile()
    own = {one.verb: one for one in pm.routes if type(one.resource) is articles}
    found = {(one.table, one.index, one.operation) for one in grants(own["retrieve"])}
    through = {("comments", "", name) for name in ("GetItem", "BatchGetItem", "ConditionCheckItem")}
    assert found == {
        ("articles", "", "GetItem"),
        ("accounts", "", "BatchGetItem"),
        ("comments", "by_article", "Query"),
        *through,
    }
    assert not {one.table for one in grants(own["delete"])} - {"articles"}
