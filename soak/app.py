"""The API under soak: notes with a version, bound to their owner; tasks without one, under a rule in Python; a shop."""

from typing import Any
from uuid import uuid4

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

from .ledger import PIECES, SOLD_OUT

FILTERS = {"count": ("eq", "gte")}


class Note(Model):
    """What has a version."""

    class Meta:
        """Its table."""

        table_name = "soak-notes"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    text = UnicodeAttribute()
    count = NumberAttribute(default=0)
    version = VersionAttribute()


class Task(Model):
    """What has none."""

    class Meta:
        """Its table."""

        table_name = "soak-tasks"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    text = UnicodeAttribute()
    count = NumberAttribute(default=0)


class Good(Model):
    """What everybody buys."""

    class Meta:
        """Its table."""

        table_name = "soak-goods"

    id = UnicodeAttribute(hash_key=True)
    stock = NumberAttribute()
    sold = NumberAttribute(default=0)


class Sale(Model):
    """What was bought, one row each."""

    class Meta:
        """Its table."""

        table_name = "soak-sales"

    id = UnicodeAttribute(hash_key=True, default=lambda: str(uuid4()))
    buyer = UnicodeAttribute()
    good = UnicodeAttribute()
    text = UnicodeAttribute()


class Mine(Permission):
    """A rule that DynamoDB cannot check."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        """Whether it is the user's own."""
        return bool(instance.owner == user.uuid)


class Verbs(Create, List, Retrieve, Update, Delete):
    """What both have."""

    model: Any
    store: Any

    @action()
    def add(self, instance: Any) -> Any:
        """One more."""
        return self.store.update(instance, {"count": instance.count + 1})

    @action(attempts=3)
    def tally(self, instance: Any, req: Any) -> Any:
        """One more than was read, and who says so: else two who write the same could not be told apart."""
        return self.store.update(instance, {"count": instance.count + 1, "text": req["text"]})

    @action()
    def bump(self, instance: Any) -> Any:
        """One more, computed by DynamoDB."""
        return self.store.update(instance, {"count": self.model.count + 1})


class Notes(ModelResource, Verbs):
    """``/notes/{id}``: the user's own."""

    model = Note
    route = "notes"
    permissions = OwnedBy("owner")
    filters = FILTERS
    idempotent = ("create", "add")


class Tasks(ModelResource, Verbs):
    """``/tasks/{owner}/{id}``."""

    model = Task
    route = "tasks"
    permissions = Mine
    filters = {**FILTERS, "owner": ("eq",)}  # noqa: RUF012 - as a user would write it
    idempotent = ("create", "add")

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        """The user's tasks."""
        return Task.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)


class Goods(ModelResource, List, Retrieve):
    """``/goods/{id}``: everybody's."""

    model = Good
    route = "goods"
    permissions = IsAuthenticated
    scan = True
    idempotent = "buy"
    calls = {Sale: "PutItem"}  # noqa: RUF012 - as a user would write it

    @action(status=201)
    def buy(self, instance: Any, req: Any, user: Any) -> Any:
        """One less, one more sold, and the sale; or none of it."""
        bought = {"buyer": user.uuid, "good": instance.id, "text": req["text"]}
        with self.store.transaction() as write:
            write.update(
                instance,
                {"stock": Good.stock - 1, "sold": Good.sold + 1},
                condition=Good.stock >= 1,
                otherwise=SOLD_OUT,
            )
            sale = write.create(Sale, bought)
        return {"sale": {name: getattr(sale, name) for name in bought}, "good": instance}

    @action()
    def refill(self, instance: Any) -> Any:
        """More of it, computed by DynamoDB."""
        return self.store.update(instance, {"stock": Good.stock + PIECES})


pm = PolyMicro(idempotency=Idempotency())
Notes(pm)
Tasks(pm)
Goods(pm)
