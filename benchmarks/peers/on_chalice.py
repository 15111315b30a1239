"""The Todo API on Chalice, PynamoDB and marshmallow."""

from collections.abc import Callable
from typing import Any

import todos
from chalice import Chalice, Response

app = Chalice("todo")


def answered(verb: Callable[[str, Any], Any], status: int = 200) -> Response:
    """The answer of a verb, given the user and the request."""
    request = app.current_request
    try:
        body = verb(todos.owner_of(request.context.get("authorizer")), request)
    except todos.Refused as error:
        return Response({"status": error.status}, status_code=error.status)
    return Response(body, status_code=status)


@app.route("/todo", methods=["POST"])
def create() -> Response:
    """A new todo."""
    return answered(lambda owner, request: todos.create(owner, request.raw_body), 201)


@app.route("/todo", methods=["GET"])
def list_() -> Response:
    """The user's todos."""
    return answered(lambda owner, request: todos.list_(owner, request.query_params))


@app.route("/todo/{uuid}", methods=["GET"])
def retrieve(uuid: str) -> Response:
    """A todo."""
    return answered(lambda owner, request: todos.retrieve(owner, uuid))


@app.route("/todo/{uuid}", methods=["PATCH"])
def update(uuid: str) -> Response:
    """A changed todo."""
    return answered(lambda owner, request: todos.update(owner, uuid, request.raw_body))


@app.route("/todo/{uuid}", methods=["DELETE"])
def delete(uuid: str) -> Response:
    """No todo any more."""
    return answered(lambda owner, request: todos.delete(owner, uuid) or "", 204)


def make() -> Callable[[Any, Any], Any]:
    """The handler."""
    return app


def grown(count: int) -> Callable[[Any, Any], Any]:
    """A handler of this many resources, each with one verb that answers at once."""
    many = Chalice("grown")

    def answer(uuid: str) -> Any:
        return {"uuid": uuid}

    for number in range(count):
        many.route(f"/r{number}/{{uuid}}", name=f"r{number}")(answer)
    return many
