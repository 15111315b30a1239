"""The Todo API on Powertools' resolver, PynamoDB and marshmallow."""

import json
from collections.abc import Callable
from typing import Any

import todos
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

JSON = "application/json"
app = APIGatewayRestResolver()


def owner() -> str:
    """Who makes the request."""
    return todos.owner_of(app.current_event.request_context.get("authorizer"))


@app.exception_handler(todos.Refused)
def refused(error: todos.Refused) -> Response[str]:
    """The answer to a refused request."""
    return Response(error.status, JSON, json.dumps({"status": error.status}))


@app.post("/todo")
def create() -> tuple[Any, int]:
    """A new todo."""
    return todos.create(owner(), app.current_event.body), 201


@app.get("/todo")
def list_() -> Any:
    """The user's todos."""
    return todos.list_(owner(), app.current_event.query_string_parameters)


@app.get("/todo/<uuid>")
def retrieve(uuid: str) -> Any:
    """A todo."""
    return todos.retrieve(owner(), uuid)


@app.patch("/todo/<uuid>")
def update(uuid: str) -> Any:
    """A changed todo."""
    return todos.update(owner(), uuid, app.current_event.body)


@app.delete("/todo/<uuid>")
def delete(uuid: str) -> Response[str]:
    """No todo any more."""
    todos.delete(owner(), uuid)
    return Response(204)


def make() -> Callable[[Any, Any], Any]:
    """The handler."""
    return app.resolve


def grown(count: int) -> Callable[[Any, Any], Any]:
    """A handler of this many resources, each with one verb that answers at once."""
    resolver = APIGatewayRestResolver()

    def answer(uuid: str) -> Any:
        return {"uuid": uuid}

    for number in range(count):
        resolver.get(f"/r{number}/<uuid>")(answer)
    return resolver.resolve
