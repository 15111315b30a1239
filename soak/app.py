"""The API under soak: notes with a version, bound to their owner; tasks without one, under a rule in Python."""

from typing import Any
from uuid import uuid4

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

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


class Mine(Permission):
    """A rule that DynamoDB cannot check."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        """Whether it is the user's own."""
        return bool(instance.owner == user.uuid)


class Verbs(Create, List, Retrieve, Update, Delete):
    """What both have."""

    store: Any

    @action()
    def add(self, instance: Any) -> Any:
        """One more."""
        return self.store.update(instance, {"count": instance.count + 1})


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


pm = PolyMicro(idempotency=Idempotency())
Notes(pm)
Tasks(pm)
