"""The Todo API by hand on PynamoDB models and marshmallow."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import todos

HEADERS = {"content-type": "application/json"}

Answer = tuple[int, Any]


def _uuid(event: Mapping[str, Any]) -> str:
    uuid: str = event["pathParameters"]["uuid"]
    return uuid


VERBS: Mapping[tuple[str, str], Callable[[str, Mapping[str, Any]], Answer]] = {
    ("POST", "/todo"): lambda owner, event: (201, todos.create(owner, event["body"])),
    ("GET", "/todo"): lambda owner, event: (200, todos.list_(owner, event["queryStringParameters"])),
    ("GET", "/todo/{uuid}"): lambda owner, event: (200, todos.retrieve(owner, _uuid(event))),
    ("PATCH", "/todo/{uuid}"): lambda owner, event: (200, todos.update(owner, _uuid(event), event["body"])),
    ("DELETE", "/todo/{uuid}"): lambda owner, event: (204, todos.delete(owner, _uuid(event))),
}


def handler(event: Any, context: Any) -> dict[str, Any]:
    """The Lambda handler."""
    try:
        owner = todos.owner_of(event["requestContext"].get("authorizer"))
        status, body = VERBS[event["httpMethod"], event["resource"]](owner, event)
    except todos.Refused as error:
        status, body = error.status, {"status": error.status}
    return {"statusCode": status, "headers": HEADERS, "body": "" if body is None else json.dumps(body)}


def make() -> Callable[[Any, Any], dict[str, Any]]:
    """The handler."""
    return handler
