"""The Todo API on FastAPI by Mangum, PynamoDB and marshmallow.

Its functions are ``async``, though PynamoDB blocks: a Lambda serves one request at a time, and a thread costs more.
"""

from collections.abc import Callable
from typing import Any

import todos
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from mangum import Mangum

app = FastAPI()


def owner(request: Request) -> str:
    """Who makes the request."""
    return todos.owner_of(request.scope["aws.event"]["requestContext"].get("authorizer"))


@app.exception_handler(todos.Refused)
async def refused(request: Request, error: todos.Refused) -> JSONResponse:
    """The answer to a refused request."""
    return JSONResponse({"status": error.status}, error.status)


@app.post("/todo")
async def create(request: Request) -> JSONResponse:
    """A new todo."""
    return JSONResponse(todos.create(owner(request), await request.body()), 201)


@app.get("/todo")
async def list_(request: Request) -> JSONResponse:
    """The user's todos."""
    return JSONResponse(todos.list_(owner(request), request.query_params))


@app.get("/todo/{uuid}")
async def retrieve(uuid: str, request: Request) -> JSONResponse:
    """A todo."""
    return JSONResponse(todos.retrieve(owner(request), uuid))


@app.patch("/todo/{uuid}")
async def update(uuid: str, request: Request) -> JSONResponse:
    """A changed todo."""
    return JSONResponse(todos.update(owner(request), uuid, await request.body()))


@app.delete("/todo/{uuid}")
async def delete(uuid: str, request: Request) -> Response:
    """No todo any more."""
    todos.delete(owner(request), uuid)
    return Response(status_code=204)


def make() -> Callable[[Any, Any], Any]:
    """The handler."""
    return Mangum(app, lifespan="off")


def grown(count: int) -> Callable[[Any, Any], Any]:
    """A handler of this many resources, each with one verb that answers at once."""
    many = FastAPI()

    async def answer(uuid: str) -> JSONResponse:
        return JSONResponse({"uuid": uuid})

    for number in range(count):
        many.get(f"/r{number}/{{uuid}}")(answer)
    return Mangum(many, lifespan="off")
