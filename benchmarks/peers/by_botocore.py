"""The Todo API by hand on a botocore client: what all else is measured against."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from botocore.session import get_session

TABLE = os.environ.get("TODO_TABLE", "todos")
ROLES = {"administrator", "therapist"}
HEADERS = {"content-type": "application/json"}
FIELDS: Mapping[str, tuple[type, bool]] = {
    "text": (str, False),
    "done": (bool, False),
    "due_date_time": (str, True),
}
"""Member of a body -> its type, and whether it may be null."""


class Refused(Exception):
    """The request gets no other answer than this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def owner_of(event: Mapping[str, Any]) -> str:
    """The user, if he has one of the roles."""
    context = event["requestContext"].get("authorizer")
    if not context:
        raise Refused(401)
    if ROLES.isdisjoint(json.loads(context["permissions"])):
        raise Refused(403)
    owner: str = context["uuid"]
    return owner


# --- items -----------------------------------------------------------------------------------------------


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as JSON."""
    due = item.get("due_date_time")
    return {
        "owner": item["owner"]["S"],
        "uuid": item["uuid"]["S"],
        "creation_date_time": iso(item["creation_date_time"]["S"]),
        "text": item["text"]["S"],
        "done": item["done"]["BOOL"],
        "due_date_time": iso(due["S"]) if due else None,
    }


def iso(stored: str) -> str:
    """PynamoDB's form of a time, always UTC, as ISO 8601."""
    return f"{stored[:-5].removesuffix('.000000')}+00:00"


def kept(time: datetime) -> str:
    """A time in PynamoDB's form."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


def key(owner: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The key that the path names."""
    return {"owner": {"S": owner}, "uuid": {"S": event["pathParameters"]["uuid"]}}


def loaded(event: Mapping[str, Any]) -> dict[str, Any]:
    """The body's members as DynamoDB keeps them, None for null."""
    try:
        body = json.loads(event["body"] or "")
    except ValueError as error:
        raise Refused(400) from error
    if not isinstance(body, dict):
        raise Refused(422)
    return {name: attribute(name, value) for name, value in body.items()}


def attribute(name: str, value: Any) -> dict[str, Any] | None:
    """A member as DynamoDB keeps it, None for null."""
    kind, nullable = FIELDS.get(name, (None, False))
    if value is None and nullable:
        return None
    if kind is None or not isinstance(value, kind):
        raise Refused(422)
    if kind is bool:
        return {"BOOL": value}
    return {"S": due(value) if name == "due_date_time" else value}


def due(value: str) -> str:
    """A time of a body in PynamoDB's form."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise Refused(422) from error
    if time.tzinfo is None:
        raise Refused(422)
    return kept(time)


# --- verbs -----------------------------------------------------------------------------------------------

Answer = tuple[int, Any]


def create(client: Any, owner: str, event: Mapping[str, Any]) -> Answer:
    """``POST /todo``."""
    given = {name: value for name, value in loaded(event).items() if value is not None}
    if "text" not in given:
        raise Refused(422)
    item = {
        "owner": {"S": owner},
        "uuid": {"S": str(uuid4())},
        "creation_date_time": {"S": kept(datetime.now(UTC))},
        "done": {"BOOL": False},
        **given,
    }
    client.put_item(
        TableName=TABLE,
        Item=item,
        ConditionExpression="attribute_not_exists(#o)",
        ExpressionAttributeNames={"#o": "owner"},
    )
    return 201, shown(item)


def list_(client: Any, owner: str, event: Mapping[str, Any]) -> Answer:
    """``GET /todo``."""
    query = event["queryStringParameters"] or {}
    start = query.get("pagination_key")
    found = client.query(
        TableName=TABLE,
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": owner}},
        Limit=int(query.get("limit", 25)),
        **({"ExclusiveStartKey": json.loads(start)} if start else {}),
    )
    last = found.get("LastEvaluatedKey")
    items = [shown(item) for item in found["Items"]]
    return 200, {"items": items, "pagination_key": json.dumps(last) if last else None}


def retrieve(client: Any, owner: str, event: Mapping[str, Any]) -> Answer:
    """``GET /todo/{uuid}``."""
    item = client.get_item(TableName=TABLE, Key=key(owner, event), ConsistentRead=True).get("Item")
    if item is None:
        raise Refused(404)
    return 200, shown(item)


def update(client: Any, owner: str, event: Mapping[str, Any]) -> Answer:
    """``PATCH /todo/{uuid}``."""
    changes = loaded(event)
    sets = [f"#{name} = :{name}" for name, value in changes.items() if value is not None]
    removes = [f"#{name}" for name, value in changes.items() if value is None]
    values = {f":{name}": value for name, value in changes.items() if value is not None}
    actions = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
    item = client.update_item(
        TableName=TABLE,
        Key=key(owner, event),
        UpdateExpression=" ".join(actions),
        ConditionExpression="attribute_exists(#owner)",
        ExpressionAttributeNames={"#owner": "owner"} | {f"#{name}": name for name in changes},
        ReturnValues="ALL_NEW",
        **({"ExpressionAttributeValues": values} if values else {}),
    )["Attributes"]
    return 200, shown(item)


def delete(client: Any, owner: str, event: Mapping[str, Any]) -> Answer:
    """``DELETE /todo/{uuid}``."""
    client.delete_item(
        TableName=TABLE,
        Key=key(owner, event),
        ConditionExpression="attribute_exists(#o)",
        ExpressionAttributeNames={"#o": "owner"},
    )
    return 204, None


VERBS: Mapping[tuple[str, str], Callable[[Any, str, Mapping[str, Any]], Answer]] = {
    ("POST", "/todo"): create,
    ("GET", "/todo"): list_,
    ("GET", "/todo/{uuid}"): retrieve,
    ("PATCH", "/todo/{uuid}"): update,
    ("DELETE", "/todo/{uuid}"): delete,
}
CONFLICTS = {"POST": 409}


def handler_of(client: Any) -> Callable[[Any, Any], dict[str, Any]]:
    """The Lambda handler over a client."""

    def handler(event: Any, context: Any) -> dict[str, Any]:
        try:
            owner = owner_of(event)
            status, body = VERBS[event["httpMethod"], event["resource"]](client, owner, event)
        except Refused as error:
            status, body = error.status, {"status": error.status}
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            status = CONFLICTS.get(event["httpMethod"], 404)
            body = {"status": status}
        text = "" if body is None else json.dumps(body)
        return {"statusCode": status, "headers": HEADERS, "body": text}

    return handler


def make() -> Callable[[Any, Any], dict[str, Any]]:
    """The handler, with its client."""
    return handler_of(get_session().create_client("dynamodb"))


def grown(count: int) -> Callable[[Any, Any], dict[str, Any]]:
    """A handler of this many resources, each with one verb that answers at once."""

    def answer(event: Any) -> Answer:
        return 200, {"uuid": event["pathParameters"]["uuid"]}

    verbs = {("GET", f"/r{number}/{{uuid}}"): answer for number in range(count)}

    def handler(event: Any, context: Any) -> dict[str, Any]:
        status, body = verbs[event["httpMethod"], event["resource"]](event)
        return {"statusCode": status, "headers": HEADERS, "body": json.dumps(body)}

    return handler
