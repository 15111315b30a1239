"""What is stored: users, articles and comments, and an item for each follower, favorite and tag."""

import time
from datetime import UTC, datetime
from secrets import token_hex
from uuid import uuid4

from marshmallow import fields
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

ALL = "articles"
"""The partition of the index that has all articles."""


def now():
    """The time, in UTC."""
    return datetime.now(UTC)


def microseconds():
    """A number that sorts by time."""
    return time.time_ns() // 1000


def next_id():
    """An id that sorts by time, without a hyphen."""
    return f"{microseconds():x}{token_hex(2)}"


class SlugField(fields.String):
    """A slug in a path: of ``how-to-train-your-dragon-642b3c`` the end alone is stored, which stays."""

    def _deserialize(self, value, attr, data, **kwargs):
        return super()._deserialize(value, attr, data, **kwargs).rpartition("-")[2]


class SlugAttribute(UnicodeAttribute):
    """The id of an article, which stands at the end of its slug."""

    marshmallow_field = SlugField


class Account(Model):
    """A user, with a hash of the password."""

    class Meta:
        table_name = "conduit-users"

    id = UnicodeAttribute(hash_key=True, default=lambda: str(uuid4()))
    username = UnicodeAttribute()
    email = UnicodeAttribute()
    password = UnicodeAttribute()
    bio = UnicodeAttribute(null=True)
    image = UnicodeAttribute(null=True)


class Follow(Model):
    """That a user follows another one."""

    class Meta:
        table_name = "conduit-follows"

    user = UnicodeAttribute(hash_key=True)
    author = UnicodeAttribute(range_key=True)


class Newest(GlobalSecondaryIndex):
    """All articles by time."""

    class Meta:
        index_name = "newest"
        projection = AllProjection()

    every = UnicodeAttribute(hash_key=True)
    slug = SlugAttribute(range_key=True)


class ByAuthor(GlobalSecondaryIndex):
    """An author's articles by time."""

    class Meta:
        index_name = "by_author"
        projection = AllProjection()

    author = UnicodeAttribute(hash_key=True)
    slug = SlugAttribute(range_key=True)


class Article(Model):
    """An article; the time when it was made is in its key."""

    class Meta:
        table_name = "conduit-articles"

    slug = SlugAttribute(hash_key=True, default=next_id)
    title = UnicodeAttribute()
    description = UnicodeAttribute()
    body = UnicodeAttribute()
    tagList = UnicodeSetAttribute(null=True)
    createdAt = UTCDateTimeAttribute(default=now)
    updatedAt = UTCDateTimeAttribute()
    favoritesCount = NumberAttribute(default=0)
    author = UnicodeAttribute()
    every = UnicodeAttribute(default=ALL)
    newest = Newest()
    by_author = ByAuthor()


class Favorite(Model):
    """That a user likes an article."""

    class Meta:
        table_name = "conduit-favorites"

    user = UnicodeAttribute(hash_key=True)
    slug = SlugAttribute(range_key=True)


class Tagging(Model):
    """That an article has a tag."""

    class Meta:
        table_name = "conduit-tags"

    tag = UnicodeAttribute(hash_key=True)
    slug = SlugAttribute(range_key=True)


class Comment(Model):
    """A comment on an article."""

    class Meta:
        table_name = "conduit-comments"

    slug = SlugAttribute(hash_key=True)
    id = NumberAttribute(range_key=True, default=microseconds)
    createdAt = UTCDateTimeAttribute(default=now)
    updatedAt = UTCDateTimeAttribute()
    body = UnicodeAttribute()
    author = UnicodeAttribute()
