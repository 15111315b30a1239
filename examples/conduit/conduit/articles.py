"""Articles, with their lists, favorites, comments and tags."""

from contextlib import suppress
from heapq import merge
from itertools import islice
from re import findall

from marshmallow.validate import ContainsNoneOf, Length

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Key,
    List,
    ModelResource,
    One,
    OwnedBy,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import BadRequest, Conflict, NotFound
from polymicro_lambda.threads import Executor

from .models import ALL, Article, Comment, Favorite, Follow, Tagging, now
from .users import Profiles

OF_EVERY_LIST = {"limit", "pagination_key", "fields", "embed"}
"""The parameters that the package knows."""
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


class Latest(ArticleView, List):
    """``GET /api/articles``: all, those of an author, with a tag, or that a user likes; the newest first."""

    permissions = AllowAny
    exclude = ("every", "body")
    calls = {Favorite: ("BatchGetItem", "Query"), Tagging: "Query", Article: "BatchGetItem"}

    def __init__(self, app, profiles):
        super().__init__(app)
        self.profiles = profiles

    def list(self, request, pagination_key=None, limit=20):
        """The parameters are no attributes, so that they are read here."""
        page = {"last_evaluated_key": pagination_key, "limit": limit, "scan_index_forward": False}
        match [(name, *values) for name, values in request.query.items() if name not in OF_EVERY_LIST]:
            case []:
                return Article.newest.query(ALL, **page)
            case [("tag", tag)]:
                return articles_of(Tagging.query(tag, **page))
            case [("author", name)]:
                return Article.by_author.query(self.id_of(name), **page)
            case [("favorited", name)]:
                return articles_of(Favorite.query(self.id_of(name), **page))
        raise BadRequest("Ask for one author, tag or favorited. Pages go by limit and pagination_key.")

    def id_of(self, username):
        """The id of a user. Raises ``NotFound``."""
        return self.profiles.store.read({"username": username}).id


def articles_of(marks):
    """The articles of a page of taggings or favorites, the newest first, and where the next page begins."""
    slugs = [mark.slug for mark in marks]
    articles = sorted(Article.batch_get(slugs), key=lambda article: article.slug, reverse=True)
    return articles, {}, marks.last_evaluated_key


class Feed(ArticleView, List):
    """``GET /api/articles/feed``: by those whom the user follows, the newest first."""

    route = "api/articles/feed"
    exclude = Latest.exclude
    calls = {**ArticleView.calls, Follow: "Query"}

    def list(self, user, pagination_key=None, limit=20):
        """A query for each author; the next page is what is older than the last article."""
        older = None if pagination_key is None else Article.slug < pagination_key

        def newest(follow):
            return [*Article.by_author.query(follow.author, older, scan_index_forward=False, limit=limit)]

        with Executor(QUERIES) as pool:
            authors = pool.map(newest, Follow.query(user.uuid))
            page = [*islice(merge(*authors, key=lambda article: article.slug, reverse=True), limit)]
        return page, {}, page[-1].slug if len(page) == limit else None


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


class Tags(ModelResource):
    """``GET /api/tags``."""

    model = Tagging
    route = "api/tags"
    permissions = AllowAny
    calls = {Tagging: "Scan"}

    @action(detail=False, methods=("GET",), path="")
    def tags(self):
        """Each tag once."""
        return {"tags": sorted({tagging.tag for tagging in Tagging.scan(limit=TAGGINGS)})}
