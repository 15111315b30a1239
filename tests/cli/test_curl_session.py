"""The curl session that `polymicro serve` prints, for resources of several shapes."""

import json
import shlex
from typing import Any

import pytest
from marshmallow.validate import ContainsOnly, Email, Regexp
from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    HasPermission,
    Idempotency,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.cli.sample_requests import create_body, patch_body
from polymicro_lambda.cli.serving.curl_session import curl_session
from polymicro_lambda.routing.routes import Route

CURL = "curl -sS -w '\\n'"
JSON = "-H 'Content-Type: application/json'"


class Place(MapAttribute[Any, Any]):
    street = UnicodeAttribute()
    number = NumberAttribute(null=True)


class Task(Model):
    class Meta:
        table_name = "tasks"

    project = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    title = UnicodeAttribute()
    place = Place()
    tags = UnicodeSetAttribute(null=True)
    steps: ListAttribute[Any] = ListAttribute(default=list)
    done = BooleanAttribute(default=False)
    due = UTCDateTimeAttribute(null=True)


def routes(*verbs: type, **members: Any) -> tuple[Route, ...]:
    """The routes of a resource of tasks with these verbs."""
    app = PolyMicro(idempotency=members.pop("idempotency", None))
    resource = type(
        "TaskResource", (ModelResource, *verbs), {"model": Task, "route": "tasks", "scan": True, **members}
    )
    resource(app)
    app.compile()
    return app.routes


def session(*verbs: type, token: str | None = None, **members: Any) -> list[str]:
    return curl_session(routes(*verbs, **members), "http://127.0.0.1:3000", token=token)


def test_walk_is_from_create_to_delete_with_a_token() -> None:
    auth = f'{CURL} -H "Authorization: Bearer $token"'
    body = '{"number": 3, "place": {"street": "Water the plants"}, "title": "Water the plants"}'
    verbs = (Create, List, Retrieve, Update, Delete)
    assert session(*verbs, token="print it", route="projects/{project}/tasks") == [
        "api=http://127.0.0.1:3000",
        "token=$(print it)",
        "item=$api/projects/example/$(curl -sS -w '%{stderr}\\n' -D - -o /dev/stderr"
        f" -H \"Authorization: Bearer $token\" -X POST $api/projects/example/tasks {JSON} -d '{body}'"
        " | sed -n 's/^[Ll]ocation: //p' | tr -d '\\r')",
        f"{auth} $api/projects/example/tasks",
        f"{auth} $item",
        f"{auth} -X PATCH $item {JSON} -d '{{\"done\": true}}'",
        f"{auth} -X DELETE $item",
    ]


def test_what_the_resource_demands_is_sent() -> None:
    """A key for what may be repeated, a condition on writes; and no field that a rule of its own guards."""
    lines = session(
        Create,
        Retrieve,
        Update,
        Delete,
        idempotency=Idempotency(),
        require_idempotency_key=True,
        require_if_match=True,
        field_permissions={"done": HasPermission("staff")},
    )
    _, create, _, update, delete = lines
    key = "-H \"Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')\""
    assert f"-X POST $api/tasks {key} {JSON}" in create
    assert update == f"{CURL} -X PATCH $item -H 'If-Match: *' {JSON} -d '{{\"title\": \"Water the plants\"}}'"
    assert delete == f"{CURL} -X DELETE $item -H 'If-Match: *'"


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        pytest.param((List,), [f"{CURL} $api/tasks"], id="list"),
        pytest.param((List, Retrieve, Delete), [f"{CURL} $api/tasks"], id="no item without create"),
        pytest.param((Retrieve,), [], id="item only"),
    ],
)
def test_only_what_stands_is_called(verbs: tuple[type, ...], expected: list[str]) -> None:
    assert session(*verbs) == (["api=http://127.0.0.1:3000", *expected] if expected else [])


def test_create_alone_keeps_no_item() -> None:
    (line,) = session(Create)[1:]
    assert line.startswith(f"{CURL} -X POST $api/tasks {JSON} -d ")


def test_no_routes_no_session() -> None:
    assert curl_session((), "http://127.0.0.1:3000", token="x") == []


def test_bodies_are_ones_that_the_schema_takes() -> None:
    route = routes(Create, Update, dump_only=("done", "number"), required=("tags", "due"))[0]
    body = create_body(route.schema, Task)
    assert body == {
        "project": "example",
        "title": "Water the plants",
        "place": {"street": "Water the plants"},
        "tags": ["blue", "green"],
        "due": "2030-01-01T09:00:00+00:00",
    }
    assert set(route.schema.load_create(body)) == set(body)
    assert patch_body(route.schema, Task) == {"title": "Water the plants"}


def test_a_validator_gets_what_it_takes() -> None:
    validators = {"title": Regexp("^[a-z]+$"), "tags": ContainsOnly(("red",)), "place.street": Email()}
    (line,) = session(Create, validators=validators, dump_only=("number",), required=("tags",))[1:]
    body = json.loads(shlex.split(line)[-1])
    assert body == {
        "project": "example",
        "title": "text",
        "place": {"street": "alice@example.com", "number": 3},
        "tags": ["red"],
    }
