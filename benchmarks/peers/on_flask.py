"""The Todo API on Flask by apig-wsgi, PynamoDB and marshmallow."""

from collections.abc import Callable
from typing import Any

import todos
from apig_wsgi import make_lambda_handler
from flask import Flask, request

app = Flask("todo")


def owner() -> str:
    """Who makes the request."""
    return todos.owner_of(request.environ["apig_wsgi.request_context"].get("authorizer"))


@app.errorhandler(todos.Refused)
def refused(error: todos.Refused) -> tuple[Any, int]:
    """The answer to a refused request."""
    return {"status": error.status}, error.status


@app.post("/todo")
def create() -> tuple[Any, int]:
    """A new todo."""
    return todos.create(owner(), request.get_data()), 201


@app.get("/todo")
def list_() -> Any:
    """The user's todos."""
    return todos.list_(owner(), request.args)


@app.get("/todo/<uuid>")
def retrieve(uuid: str) -> Any:
    """A todo."""
    return todos.retrieve(owner(), uuid)


@app.patch("/todo/<uuid>")
def update(uuid: str) -> Any:
    """A changed todo."""
    return todos.update(owner(), uuid, request.get_data())


@app.delete("/todo/<uuid>")
def delete(uuid: str) -> tuple[str, int]:
    """No todo any more."""
    todos.delete(owner(), uuid)
    return "", 204


def make() -> Callable[[Any, Any], Any]:
    """The handler."""
    return make_lambda_handler(app)


def grown(count: int) -> Callable[[Any, Any], Any]:
    """A handler of this many resources, each with one verb that answers at once."""
    many = Flask("grown")

    def answer(uuid: str) -> Any:
        return {"uuid": uuid}

    for number in range(count):
        many.get(f"/r{number}/<uuid>", endpoint=f"r{number}")(answer)
    return make_lambda_handler(many)
