"""What the peers are asked: events of a REST API, as API Gateway sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from polymicro_lambda import User
from polymicro_lambda.testing import make_event

from .engine import OWNER, UUID

USER = User(OWNER, frozenset({"therapist"}))
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "benchmark",
    "X-Amzn-Trace-Id": "Root=1-67891234-0123456789abcdef01234567",
    "X-Forwarded-For": "127.0.0.1",
}
ITEM = f"/todo/{UUID}"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, ``user`` None for nobody, and the status that answers it."""

    status: int
    method: str
    path: str
    body: Any = None
    user: User | None = USER

    def event(self, *, owner_in_path: bool = False) -> dict[str, Any]:
        """Its event; as the peers want it, an item's path has its key's uuid alone."""
        parts = self.path.strip("/").split("/")
        names = ("owner", "uuid") if owner_in_path else ("uuid",)
        values = [OWNER, *parts[1:]] if owner_in_path and parts[1:] else parts[1:]
        body = self.body if self.body is None or isinstance(self.body, str) else json.dumps(self.body)
        headers = HEADERS | ({} if body is None else {"Content-Type": "application/json"})
        path = "/" + "/".join([parts[0], *values])
        event = make_event(self.method, path, headers=headers, body=body, user=self.user)
        resource = "/".join(["", parts[0], *(f"{{{name}}}" for name, _ in zip(names, values, strict=False))])
        event["resource"] = event["requestContext"]["resourcePath"] = resource
        event["pathParameters"] = dict(zip(names, values, strict=False)) or None
        return event

    def text(self, *, owner_in_path: bool = False) -> str:
        """Its event as JSON."""
        return json.dumps(self.event(owner_in_path=owner_in_path))


VERBS: Mapping[str, Ask] = {
    "GET": Ask(200, "GET", ITEM),
    "LIST 20": Ask(200, "GET", "/todo"),
    "POST": Ask(201, "POST", "/todo", {"text": "Water the plants", "due_date_time": "2030-01-02T03:04:05Z"}),
    "PATCH": Ask(200, "PATCH", ITEM, {"done": True}),
    "DELETE": Ask(204, "DELETE", ITEM),
}
"""What is timed."""

MISSING = "/todo/00000000-0000-4000-8000-000000000000"
CASES: Mapping[str, Ask] = {
    **{name: ask for name, ask in VERBS.items() if name != "DELETE"},
    "PATCH of two fields": Ask(200, "PATCH", ITEM, {"text": "Feed the cat", "due_date_time": None}),
    "GET again": VERBS["GET"],
    "PATCH of a time": Ask(200, "PATCH", ITEM, {"due_date_time": "2031-01-01T02:00:00.25+02:00"}),
    "DELETE": VERBS["DELETE"],
    "DELETE again": replace(VERBS["DELETE"], status=404),
    "GET of what is gone": replace(VERBS["GET"], status=404),
    "GET of what is not there": Ask(404, "GET", MISSING),
    "PATCH of what is not there": Ask(404, "PATCH", MISSING, {"done": True}),
    "POST without a text": Ask(422, "POST", "/todo", {"done": True}),
    "POST of an unknown field": Ask(422, "POST", "/todo", {"text": "milk", "colour": "red"}),
    "POST of an owner": Ask(422, "POST", "/todo", {"text": "milk", "owner": "bob"}),
    "POST of a number": Ask(422, "POST", "/todo", {"text": 5}),
    "POST of a time without a zone": Ask(
        422, "POST", "/todo", {"text": "milk", "due_date_time": "2030-01-02T03:04:05"}
    ),
    "POST of no JSON": Ask(400, "POST", "/todo", "{"),
    "PATCH of a null text": Ask(422, "PATCH", ITEM, {"text": None}),
    "GET without a role": Ask(403, "GET", ITEM, user=User(OWNER, frozenset({"patient"}))),
    "GET without a user": Ask(401, "GET", ITEM, user=None),
    "DELETE without a role": Ask(403, "DELETE", ITEM, user=User(OWNER, frozenset())),
    "LIST of nobody's": Ask(200, "GET", "/todo", user=User("nobody", frozenset({"administrator"}))),
}
"""What all must answer alike, in this order, to a table with the stub's items."""
