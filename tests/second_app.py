"""A second app for tests: three models in two tables, with a local and a global index, a TTL and a stream."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from pynamodb.attributes import (
    DiscriminatorAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
    LocalSecondaryIndex,
)
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Request, Retrieve, Update, action
from polymicro_lambda.permissions import AllowAny, IsAuthenticated, OwnedBy

pm = PolyMicro(cors="*")


class ByPlaced(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """A customer's orders by time: keys alone, so that a list has to read them again."""

    class Meta:
        index_name = "by_placed"
        projection = KeysOnlyProjection()

    customer = UnicodeAttribute(hash_key=True)
    placed = UTCDateTimeAttribute(range_key=True)


class ByStatus(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """All orders of a status by time."""

    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    placed = UTCDateTimeAttribute(range_key=True)


class Order(Model):
    """A customer's order."""

    class Meta:
        table_name = "orders"
        stream_view_type = "NEW_AND_OLD_IMAGES"

    customer = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    placed = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))
    status = UnicodeAttribute(default="open")
    total = NumberAttribute(null=True)
    version = VersionAttribute()
    by_placed = ByPlaced()
    by_status = ByStatus()


class Scrap(Model):
    """What lies on a shelf until it expires."""

    class Meta:
        table_name = "scraps"

    kind = DiscriminatorAttribute()
    shelf = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    expires = TTLAttribute(null=True)


class Note(Scrap, discriminator="note"):
    """A text."""

    text = UnicodeAttribute()


class ByTopic(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Bookmarks by their topic."""

    class Meta:
        index_name = "by_topic"
        projection = IncludeProjection(["url", "kind"])

    topic = UnicodeAttribute(hash_key=True)


class Bookmark(Scrap, discriminator="bookmark"):
    """An address on a topic."""

    url = UnicodeAttribute()
    topic = UnicodeAttribute(default="none")
    by_topic = ByTopic()


class OrderResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/orders``: each customer's own, by number, by time, or by status and time."""

    model = Order
    route = "orders"
    permissions = (OwnedBy("customer"),)
    filters: ClassVar = {"status": ("eq",), "placed": ("gte",)}


class NoteResource(ModelResource, Create, List, Retrieve):
    """``/notes``: everybody's, all of them."""

    model = Note
    route = "notes"
    permissions = (AllowAny,)
    filters: ClassVar = {"shelf": ("eq",)}
    scan = True


class BookmarkResource(ModelResource, List, Update, Delete):
    """``/shelves/{shelf}/bookmarks``: of a shelf, or of a topic on any."""

    model = Bookmark
    route = "shelves/{shelf}/bookmarks"
    permissions = (IsAuthenticated,)

    def list(self, request: Request, pagination_key: Any = None, limit: int = 25) -> Any:
        """The bookmarks of the topic in the query, else of the shelf."""
        options = {"last_evaluated_key": pagination_key, "limit": limit}
        if topics := request.query.get("topic"):
            return Bookmark.by_topic.query(topics[0], **options)
        return Bookmark.query(request.path_params["shelf"], **options)

    @action(methods=("GET",))
    def visit(self, instance: Bookmark) -> dict[str, str]:
        """Where the bookmark leads."""
        return {"url": instance.url}


OrderResource(pm)
NoteResource(pm)
BookmarkResource(pm)
handler = pm.compile()
