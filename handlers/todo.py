"""The Todo API: each user has todos of their own."""

from datetime import datetime, timezone
from uuid import uuid4

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update
from polymicro_lambda.permissions import Permission


def get_request_user(request):
    """Who makes the request: the user that the authorizer knows."""
    return request.user


pm = PolyMicro(req_user_func=get_request_user, logger=True)


class Todo(Model):
    """One thing to do; its owner and uuid are its key."""

    class Meta:
        table_name = "todos"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    creation_date_time = UTCDateTimeAttribute(default=lambda: datetime.now(timezone.utc))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)
    due_date_time = UTCDateTimeAttribute(null=True)


class TodoPermission(Permission):
    """Administrators and therapists, each for their own todos."""

    def has_permission(self, user, method: str):
        """Whether the user has one of the two roles."""
        return "administrator" in user.permissions or "therapist" in user.permissions

    def has_object_permission(self, user, method: str, instance):
        """Whether the todo is the user's own."""
        return instance.owner == user.uuid


class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/todo`` and ``/todo/{owner}/{uuid}``."""

    model = Todo
    route = "todo"
    permissions = TodoPermission
    dump_only = ("creation_date_time", "owner", "uuid")
    required = ("text",)

    def list(self, user, pagination_key=None, limit=25):
        """The user's todos."""
        return Todo.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)

    def create(self, req: dict, user):
        """A todo of the user's."""
        req["owner"] = user.uuid
        return super().create(req, user)


TodoResource(pm)
handler = pm.compile()
