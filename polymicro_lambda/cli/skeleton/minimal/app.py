"""A REST API in one file. Serve it by `polymicro serve --app app:pm --as alice`."""

from datetime import UTC, datetime
from uuid import uuid4

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, OwnedBy, PolyMicro, Retrieve, Update

pm = PolyMicro(logger=True)


class Todo(Model):
    """One thing to do; its owner and uuid are its key."""

    class Meta:
        table_name = "todos"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    created = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)


class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/todos`` and ``/todos/{uuid}``: each user's own, nobody else's."""

    model = Todo
    route = "todos"
    permissions = OwnedBy("owner")
    dump_only = ("created", "uuid")
    filters = {"done": ("eq",)}


TodoResource(pm)
handler = pm.compile()
