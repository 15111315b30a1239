"""The Todo API by hand on PynamoDB models and marshmallow, without a framework: what all frameworks here run."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from marshmallow import Schema, ValidationError, fields
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.models import Model

ROLES = {"administrator", "therapist"}


class Todo(Model):
    """One thing to do."""

    class Meta:
        """Where it is."""

        table_name = os.environ.get("TODO_TABLE", "todos")

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    creation_date_time = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)
    due_date_time = UTCDateTimeAttribute(null=True)


class TodoSchema(Schema):
    """Its JSON."""

    owner = fields.String(dump_only=True)
    uuid = fields.String(dump_only=True)
    creation_date_time = fields.AwareDateTime(dump_only=True)
    text = fields.String(required=True)
    done = fields.Boolean()
    due_date_time = fields.AwareDateTime(default_timezone=None, allow_none=True)


WHOLE, PARTIAL = TodoSchema(), TodoSchema(partial=True)


class Refused(Exception):
    """The request gets no other answer than this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def owner_of(context: Mapping[str, Any] | None) -> str:
    """The user of an authorizer's context, if he has one of the roles."""
    if not context:
        raise Refused(401)
    if ROLES.isdisjoint(json.loads(context["permissions"])):
        raise Refused(403)
    owner: str = context["uuid"]
    return owner


def loaded(schema: Schema, text: str | bytes | None) -> dict[str, Any]:
    """A body, checked."""
    try:
        body = json.loads(text or "")
    except ValueError as error:
        raise Refused(400) from error
    try:
        found: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        raise Refused(422) from error
    return found


# --- what each verb does; WHOLE.dump says what goes out -----------------------------------------------------


def create_todo(owner: str, values: Mapping[str, Any]) -> Todo:
    """A new todo."""
    todo = Todo(owner, **values)
    try:
        todo.save(condition=Todo.owner.does_not_exist())
    except PutError as error:
        raise refused(error, 409) from error
    return todo


def retrieve_todo(owner: str, uuid: str) -> Todo:
    """The todo of this key."""
    try:
        return Todo.get(owner, uuid, consistent_read=True)
    except Todo.DoesNotExist as error:
        raise Refused(404) from error


def list_todos(owner: str, query: Mapping[str, str]) -> tuple[list[Todo], str | None]:
    """The todos of an owner, and the key to go on from."""
    start = query.get("pagination_key")
    found = Todo.query(
        owner, limit=int(query.get("limit", 25)), last_evaluated_key=json.loads(start) if start else None
    )
    todos = list(found)
    last = found.last_evaluated_key
    return todos, json.dumps(last) if last else None


def update_todo(owner: str, uuid: str, changes: Mapping[str, Any]) -> Todo:
    """The todo with these changes."""
    todo = Todo(owner, uuid)
    attributes = Todo.get_attributes()
    actions = [
        attributes[name].remove() if value is None else attributes[name].set(value)
        for name, value in changes.items()
    ]
    try:
        todo.update(actions=actions, condition=Todo.owner.exists())
    except UpdateError as error:
        raise refused(error, 404) from error
    return todo


def delete_todo(owner: str, uuid: str) -> None:
    """Remove a todo."""
    try:
        Todo(owner, uuid).delete(condition=Todo.owner.exists())
    except DeleteError as error:
        raise refused(error, 404) from error


def refused(error: Any, status: int) -> Exception:
    """What a failed call means: this status where its condition did not hold."""
    failed = error.cause_response_code == "ConditionalCheckFailedException"
    return Refused(status) if failed else RuntimeError("DynamoDB refused")


# --- the same with marshmallow, from text to what JSON can say ----------------------------------------------


def create(owner: str, body: str | bytes | None) -> Any:
    """``POST /todo``: 201."""
    return WHOLE.dump(create_todo(owner, loaded(WHOLE, body)))


def retrieve(owner: str, uuid: str) -> Any:
    """``GET /todo/{uuid}``: 200."""
    return WHOLE.dump(retrieve_todo(owner, uuid))


def list_(owner: str, query: Mapping[str, str] | None) -> Any:
    """``GET /todo``: 200."""
    todos, last = list_todos(owner, query or {})
    return {"items": WHOLE.dump(todos, many=True), "pagination_key": last}


def update(owner: str, uuid: str, body: str | bytes | None) -> Any:
    """``PATCH /todo/{uuid}``: 200."""
    return WHOLE.dump(update_todo(owner, uuid, loaded(PARTIAL, body)))


delete = delete_todo
"""``DELETE /todo/{uuid}``: 204."""
