"""Articles, with their lists, favorites, comments and tags."""

from contextlib import suppress
from heapq import merge
from itertools import islice
from re import findall

from marshmallow import Schema, fields
from marshmallow.validate import ContainsNoneOf, Length, Range

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Envelope,
    Key,
    List,
    ModelResource,
    One,
    OwnedBy,
    Resource,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import BadRequest, Conflict, NotFound
from polymicro_lambda.threads import Executor

from .models import ALL, Article, Comment, Favorite, Follow, Tagging, now
from .users import Profiles

DEEPEST = 1000
"""The most articles that a page may be behind."""
WRITES = ("PutItem", "DeleteItem", "GetItem")
"""Those of a transaction: what became of one whose answer got lost is read."""
QUERIES = 16
"""The most queries of a feed that are under way together."""
TAGGINGS = 10_000
"""The most that are read for the list of tags."""


class ArticleView(ModelResource):
    """An article as it is shown: with its author, and whether the user likes it."""

    model = Article
    route = "api/articles"
    envelope = Envelope(items="articles", item="article", key=None)
    dump_only = ("slug", "createdAt", "favoritesCount")
    exclude = ("every",)
    embed = {"author": One(Profiles, {"id": "author"}, always=True)}
    calls = {Favorite: ("BatchGetItem",)}

    def prepare(self, instances, request):
        """Find which of them the user likes."""
        if request.user:
            keys = [(request.user.uuid, article.slug) for article in instances]
            found = Favorite.batch_get(keys, consistent_read=True)
            request.state["favorites"] = {favorite.slug for favorite in found}

    def represent(self, data, instance, request):
        """The slug begins with the words of the title, and ends with what stays."""
        words = findall(r"[^\W_]+", instance.title.lower())
        liked = instance.slug in request.state.get("favorites", ())
        slug, tags = "-".join([*words, instance.slug]), sorted(instance.tagList or ())
        return {**data, "slug": slug, "tagList": tags, "favorited": liked}


class Articles(ArticleView, Create, Retrieve, Update, Delete):
    """``/api/articles/{slug}``: changed by its author."""

    permissions = {"retrieve": AllowAny, "*": OwnedBy("author")}
    required = ("title", "description", "body")
    put = "merge"
    touch = {"updatedAt": now}
    validators = {"title": Length(1, 200), "tagList": [Length(max=20), ContainsNoneOf([""])]}
    calls = {**ArticleView.calls, Tagging: WRITES, Comment: ("Query", "BatchWriteItem")}

    def create(self, req, user):
        """The article and its tags, all or none."""
        with self.store.transaction() as write:
            article = write.create(Article, req)
            retag(write, article.slug, None, article.tagList)
        return article

    def update(self, instance, req, user):
        """The article and its tags, all or none."""
        with self.store.transaction() as write:
            write.update(instance, req)
            retag(write, instance.slug, instance.tagList, req.get("tagList", instance.tagList))
        return instance

    def delete(self, instance, user):
        """The article and its tags, all or none; then its comments."""
        with self.store.transaction() as write:
            write.delete(instance)
            retag(write, instance.slug, instance.tagList, None)
        with Comment.batch_write() as batch:
            for comment in Comment.query(instance.slug):
                batch.delete(comment)


def retag(write, slug, old, new):
    """Let an article have the tags ``new`` in the place of ``old``."""
    old, new = old or set(), new or set()
    for tag in new - old:
        write.create(Tagging, {"tag": tag, "slug": slug})
    for tag in old - new:
        write.delete(Key(Tagging, tag, slug))


class Pages(Schema):
    """What is asked of the feed."""

    offset = fields.Integer(load_default=0, validate=Range(0, DEEPEST))


class Wanted(Pages):
    """What is asked of all articles: those of an author, with a tag, or that a user likes."""

    author = fields.String(validate=Length(1))
    tag = fields.String(validate=Length(1))
    favorited = fields.String(validate=Length(1))


class Page(Schema):
    """Some articles, and how many there are."""

    articles = fields.List(fields.Dict(), required=True)
    articlesCount = fields.Integer(required=True)


class Latest(ArticleView, List):
    """``GET /api/articles``: all, those of an author, with a tag, or that a user likes; the newest first."""

    permissions = AllowAny
    exclude = ("every", "body")
    query = {"list": Wanted}
    responses = {"list": Page}
    calls = {Favorite: ("BatchGetItem", "Query"), Tagging: "Query", Article: ("Query", "BatchGetItem")}

    def __init__(self, app, profiles):
        super().__init__(app)
        self.profiles = profiles

    def list(self, query, limit=20):
        """Articles by the index, or the marks, that are asked for."""
        offset = query.pop("offset")
        match [*query.items()]:
            case []:
                marks, key = Article.newest, ALL
            case [("tag", key)]:
                marks = Tagging
            case [("author", name)]:
                marks, key = Article.by_author, self.id_of(name)
            case [("favorited", name)]:
                marks, key = Favorite, self.id_of(name)
            case _:
                raise BadRequest("Ask for one of author, tag and favorited.")
        found = [*marks.query(key, scan_index_forward=False, limit=offset + limit)][offset:]
        articles = articles_of(found) if marks in (Tagging, Favorite) else found
        return {"articles": articles, "articlesCount": marks.count(key)}

    def id_of(self, username):
        """The id of a user; nobody's where there is none."""
        try:
            return self.profiles.store.read({"username": username}).id
        except NotFound:
            return "nobody"


def articles_of(marks):
    """The articles of taggings or favorites, the newest first."""
    slugs = [mark.slug for mark in marks]
    return sorted(Article.batch_get(slugs), key=lambda article: article.slug, reverse=True)


class Feed(ArticleView, List):
    """``GET /api/articles/feed``: by those whom the user follows, the newest first."""

    route = "api/articles/feed"
    exclude = Latest.exclude
    query = {"list": Pages}
    responses = {"list": Page}
    calls = {**ArticleView.calls, Follow: "Query", Article: "Query"}

    def list(self, user, query, limit=20):
        """Two queries for each author: the newest, and how many there are."""
        end = query["offset"] + limit

        def of(follow):
            newest = Article.by_author.query(follow.author, scan_index_forward=False, limit=end)
            return [*newest], Article.by_author.count(follow.author)

        with Executor(QUERIES) as pool:
            authors = [*pool.map(of, Follow.query(user.uuid))]
        newest = merge(*(found for found, _ in authors), key=lambda article: article.slug, reverse=True)
        articles = [*islice(newest, query["offset"], end)]
        return {"articles": articles, "articlesCount": sum(count for _, count in authors)}


class Done(Conflict):
    """There is nothing left to do."""


class Favorites(ArticleView):
    """``/api/articles/{slug}/favorite``: beside ``Articles``, as it does not touch ``updatedAt``."""

    calls = {Favorite: ("BatchGetItem", *WRITES), Article: "UpdateItem"}

    @action
    def favorite(self, instance, user):
        """``POST …/favorite``."""
        with suppress(Done), self.store.transaction() as write:
            write.create(Favorite, {"user": user.uuid, "slug": instance.slug}, otherwise=Done())
            write.update(instance, {"favoritesCount": Article.favoritesCount + 1})
        return instance

    @action(path="favorite", methods=("DELETE",))
    def unfavorite(self, instance, user):
        """``DELETE …/favorite``."""
        with suppress(Done), self.store.transaction() as write:
            write.delete(Key(Favorite, user.uuid, instance.slug), otherwise=Done())
            write.update(instance, {"favoritesCount": Article.favoritesCount - 1})
        return instance


class Comments(ModelResource, Create, List, Retrieve, Delete):
    """``/api/articles/{slug}/comments``."""

    model = Comment
    route = "api/articles/{slug}/comments"
    envelope = Envelope(items="comments", item="comment", key=None)
    permissions = {"list": AllowAny, "retrieve": AllowAny, "*": OwnedBy("author")}
    dump_only = ("id", "createdAt")
    required = ("body",)
    exclude = ("slug",)
    touch = {"updatedAt": now}
    embed = {"author": One(Profiles, {"id": "author"}, always=True)}
    calls = {Article: "ConditionCheckItem"}

    def create(self, req, user):
        """A comment on an article that is there."""
        with self.store.transaction() as write:
            write.check(Key(Article, req["slug"]), Article.slug.exists(), otherwise=NotFound())
            return write.create(Comment, req)


class TagList(Schema):
    """All tags."""

    tags = fields.List(fields.String(), required=True)


class Tags(Resource):
    """``GET /api/tags``."""

    route = "api/tags"
    permissions = AllowAny
    calls = {Tagging: "Scan"}

    @action(detail=False, methods=("GET",), path="", response=TagList)
    def tags(self):
        """Each tag once."""
        return {"tags": sorted({tagging.tag for tagging in Tagging.scan(limit=TAGGINGS)})}
