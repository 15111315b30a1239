"""The Todo API on this package: alone, with an access log, and as the README writes it."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from typing import Any
from uuid import uuid4

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update, action
from polymicro_lambda.permissions import AllowAny, HasPermission, OwnedBy, Permission

Handler = Callable[[Any, Any], Any]


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


class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/todo`` and ``/todo/{uuid}``; one conditional call for PATCH and DELETE."""

    model = Todo
    route = "todo"
    permissions = OwnedBy("owner") & (HasPermission("administrator") | HasPermission("therapist"))
    dump_only = ("creation_date_time", "uuid")


def make(**arguments: Any) -> Handler:
    """The handler, without an access log, as by default."""
    pm = PolyMicro(**arguments)
    TodoResource(pm)
    return pm.compile()


def logged() -> Handler:
    """The handler with Powertools' logger, which writes a line of JSON for each request to nowhere."""
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - deferred: most runs have none

    return make(logger=Logger(service="todo", stream=_nowhere()))


def plainly_logged() -> Handler:
    """The handler with a logger of the standard library, whose line has no members."""
    logger = logging.getLogger("todo")
    logger.addHandler(logging.StreamHandler(_nowhere()))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return make(logger=logger)


def _nowhere() -> Any:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123


# --- as the README writes it -------------------------------------------------------------------------------


class TodoPermission(Permission):
    """The rule as Python: a write reads the item first."""

    def has_permission(self, user: Any, method: str) -> bool:
        """Whether the user has one of the two roles."""
        return "administrator" in user.permissions or "therapist" in user.permissions

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        """Whether the todo is the user's own."""
        return bool(instance.owner == user.uuid)


class ReadmeResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/todo`` and ``/todo/{owner}/{uuid}``."""

    model = Todo
    route = "todo"
    permissions = TodoPermission
    dump_only = ("creation_date_time", "owner", "uuid")
    required = ("text",)

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        """The user's todos."""
        return Todo.query(user.uuid, last_evaluated_key=pagination_key, limit=limit)

    def create(self, req: dict[str, Any], user: Any) -> Any:
        """A todo of the user's."""
        req["owner"] = user.uuid
        return super().create(req, user)


def readme() -> Handler:
    """The handler of handlers/todo.py."""
    pm = PolyMicro()
    ReadmeResource(pm)
    return pm.compile()


# --- many resources ----------------------------------------------------------------------------------------


class Answering(ModelResource, Retrieve):
    """A resource with one action that answers at once."""

    model = Todo
    permissions = (AllowAny,)

    @action(detail=False, methods=("GET",), path="")
    def answer(self) -> Any:
        """What needs no item."""
        return {"uuid": "1"}


def _many(count: int, models: Any) -> tuple[PolyMicro, Any]:
    kinds = [
        type(f"R{number}", (Answering,), {"route": f"r{number}", "model": models(number)})
        for number in range(count)
    ]
    return PolyMicro(), kinds


def _compiled(pm: PolyMicro, kinds: Any) -> Handler:
    for kind in kinds:
        kind(pm)
    return pm.compile()


def grown(count: int) -> Handler:
    """A handler of this many resources."""
    return _compiled(*_many(count, lambda _: Todo))


def compile_ms(count: int, shared: bool) -> float:
    """Milliseconds of CPU to register and compile this many resources, over one model or one each.

    The client, which all of them share, is there: its making is in the figures of a cold start.
    """

    def model(number: int) -> type[Model]:
        return Todo if shared else type(f"Todo{number}", (Todo,), {})

    grown(1)
    pm, kinds = _many(count, model)
    began = process_time()
    _compiled(pm, kinds)
    return (process_time() - began) * 1000


def dispatch_us(counts: list[int], rounds: int, turns: int) -> list[list[float]]:
    """Microseconds of CPU from a path's segments to the route and its parameters, in apps of so many resources.

    The apps take turns in one process: the same code in two processes has differed by half.
    """
    from polymicro_lambda.dispatch.dispatcher import route_of  # noqa: PLC0415 - of this measurement alone
    from polymicro_lambda.routing.router import Router  # noqa: PLC0415 - as above

    def router(count: int) -> Router:
        pm, kinds = _many(count, lambda _: Todo)
        _compiled(pm, kinds)
        return Router(pm.routes)

    def once(asked: Router, segments: tuple[str, ...]) -> float:
        began = process_time()
        for _ in range(rounds):
            match = asked.find(segments)
            match.params(route_of(match, "GET"))
        return (process_time() - began) / rounds * 1e6

    apps = [(router(count), (f"r{count - 1}", "alice", "1")) for count in counts]
    return [[once(*app) for app in apps] for _ in range(turns)][1:]  # the first turn is for the caches
