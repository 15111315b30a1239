"""What API Gateway does with a Lambda authorizer, seen through `Wsgi`."""

import json
import logging
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from werkzeug.test import Client, TestResponse

from handlers.authorizer import handler as example_authorizer
from handlers.authorizer import token
from polymicro_lambda import (
    CORS,
    AllowAny,
    Create,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    ReadOnly,
    Resource,
    action,
)
from polymicro_lambda.local.wsgi import Wsgi

STAGE = "arn:aws:execute-api:us-east-1:123456789012:api/prod"
BEARER = {"Authorization": "Bearer t"}
SOURCES = ("rest", "http", "url", "alb", "lattice")


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def telling(event: Any, context: Any) -> dict[str, Any]:
    body = json.dumps(event["requestContext"].get("authorizer"))
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def ask(answer: Any, *, source: str = "rest", path: str = "/todo/1") -> TestResponse:
    """GET behind an authorizer that gives this answer, or raises it."""

    def authorizer(event: Any, context: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer(event) if callable(answer) else answer

    return Client(Wsgi(telling, source=source, authorizer=authorizer)).get(path, headers=BEARER)


def refusal(response: TestResponse, title: str, **more: Any) -> None:
    """A REST API's own answer, as its template has it."""
    said = response.json
    assert said.pop("instance")
    assert said == {"type": "about:blank", "title": title, **more}
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"


def unauthorized(response: TestResponse, source: str) -> None:
    assert response.status_code == 401
    if source in ("rest", "alb", "lattice"):
        refusal(response, "Unauthorized", **UNAUTHORIZED)
        assert response.headers["www-authenticate"] == "Bearer"
    else:
        assert response.json == {"message": "Unauthorized"}


UNAUTHORIZED = {"status": 401, "detail": "This needs a user: send credentials that the authorizer accepts."}


def policy(*statements: tuple[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": on} for effect, on in statements]
    document = {"Version": "2012-10-17", "Statement": listed}
    return {"principalId": "alice", "policyDocument": document, **more}


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        f"{STAGE}/*",
        f"{STAGE}/GET/todo/1",
        f"{STAGE}/*/todo/?",
        [f"{STAGE}/POST/*", f"{STAGE}/GET/*"],
    ],
    ids=["all", "stage", "one", "pattern", "list"],
)
def test_policy_that_covers_the_request_lets_it_through(resource: Any) -> None:
    response = ask(policy(("Allow", resource), context={"role": "x", "n": 1}))
    assert (response.status_code, response.json) == (200, {"role": "x", "n": "1", "principalId": "alice"})


EXPLICIT = "User is not authorized to access this resource with an explicit deny"
IMPLICIT = "User is not authorized to access this resource"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(policy(("Deny", "*")), EXPLICIT, id="deny"),
        pytest.param(policy(("Allow", "*"), ("Deny", f"{STAGE}/GET/*")), EXPLICIT, id="deny beats allow"),
        pytest.param(policy(("Allow", f"{STAGE}/GET/todo/2")), IMPLICIT, id="another path's policy"),
        pytest.param(policy(("Allow", f"{STAGE}/POST/*")), IMPLICIT, id="another method's policy"),
        pytest.param(policy(("Allow", f"{STAGE}/GET/todo/[1]")), IMPLICIT, id="brackets are no pattern"),
        pytest.param(policy(), IMPLICIT, id="no statement"),
    ],
)
def test_policy_that_does_not_cover_the_request_is_403(answer: Any, message: str) -> None:
    response = ask(answer)
    assert response.status_code == 403
    refusal(response, message)


def test_action_must_be_invoke() -> None:
    answer = policy(("Allow", "*"))
    answer["policyDocument"]["Statement"][0]["Action"] = ["s3:*", "execute-api:ManageConnections"]
    assert ask(answer).status_code == 403


@pytest.mark.parametrize("source", ["http", "url"])
def test_simple_response(source: str) -> None:
    allowed = ask({"isAuthorized": True, "context": {"uuid": "bob", "list": [1]}}, source=source)
    refused = ask({"isAuthorized": False, "context": {"uuid": "bob"}}, source=source)
    truthy = ask({"isAuthorized": "true"}, source=source)
    assert allowed.json == {"lambda": {"uuid": "bob", "list": [1]}}
    assert [(refused.status_code, refused.json), truthy.status_code] == [(403, {"message": "Forbidden"}), 403]


@pytest.mark.parametrize("source", SOURCES)
def test_unauthorized_is_401(source: str, caplog: pytest.LogCaptureFixture) -> None:
    response = ask(Exception("Unauthorized"), source=source)
    unauthorized(response, source)
    assert caplog.messages == ["The authorizer refused the token, which API Gateway answers with 401."]


@pytest.mark.parametrize(
    ("header", "why"),
    [("Bearer x.y.z", "DecodeError"), ("Token x.y.z", 'no "Bearer" stands before it')],
    ids=["no token", "another scheme"],
)
def test_the_log_says_why_a_token_is_refused(
    header: str, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the kind of error that the authorizer met, not by its text."""
    monkeypatch.setenv("JWT_SECRET", "s" * 32)
    Client(Wsgi(telling, authorizer=example_authorizer)).get("/todo", headers={"Authorization": header})
    assert caplog.messages == [
        f"The authorizer refused the token ({why}), which API Gateway answers with 401."
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(RuntimeError("JWT_SECRET is missing"), id="raises"),
        pytest.param(None, id="none"),
        pytest.param({}, id="empty"),
        pytest.param({"isAuthorized": True}, id="simple response to a REST API"),
        pytest.param({"principalId": "a", "policyDocument": {}}, id="no statements"),
        pytest.param({"policyDocument": policy(("Allow", "*"))["policyDocument"]}, id="no principal"),
        pytest.param(
            policy(("Allow", "*"), context={"permissions": ["a"]}), id="list in a REST API's context"
        ),
        pytest.param(policy(("Allow", "*"), context="alice"), id="context is a text"),
    ],
)
def test_authorizer_that_fails_is_500_and_logged(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = ask(answer)
    assert response.status_code == 500
    refusal(response, "Internal Server Error")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("source", SOURCES)
def test_without_a_header_the_authorizer_is_not_called(source: str, caplog: pytest.LogCaptureFixture) -> None:
    def never(event: Any, context: Any) -> Any:
        pytest.fail("The authorizer was called.")

    response = Client(Wsgi(telling, source=source, authorizer=never)).get("/todo")
    unauthorized(response, source)
    assert caplog.messages == ["There is no Authorization header, which API Gateway answers with 401."]


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


class Notes(ModelResource, Create, List):
    model = Note
    route = "notes"
    permissions: ClassVar[Any] = {
        "list": ReadOnly(anonymous=True),
        "*": OwnedBy("id") | ReadOnly(anonymous=True),
    }
    scan = True

    def list(self, request: Any) -> Any:
        return {"user": request.user and request.user.uuid}

    @action(detail=False, methods=("GET",))
    def today(self, request: Any) -> Any:
        return {"user": request.user and request.user.uuid}


def served(monkeypatch: pytest.MonkeyPatch, source: str, *resources: Any, **settings: Any) -> Client:
    monkeypatch.setenv("JWT_SECRET", "s" * 32)
    monkeypatch.setenv("ALLOW_ANONYMOUS", "true")
    pm = PolyMicro(**settings)
    for resource in resources:
        resource(pm)
    return Client(pm.wsgi(source=source, authorizer=example_authorizer))


def alice() -> dict[str, str]:
    return {"Authorization": f"Bearer {token('alice')}"}


@pytest.mark.parametrize("source", SOURCES)
def test_who_is_known_where_a_route_is_open(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Nobody without a token, the user with one; a bad one is refused, as everywhere."""
    client = served(monkeypatch, source, Notes)
    for path in ("/notes?limit=1", "/notes/", "/notes/tod%61y"):
        assert client.get(path).json == {"user": None}
        assert client.get(path, headers=alice()).json == {"user": "alice"}
        for bad in ("Bearer x.y.z", "Bearer", "Basic YTpi", f"Bearer {token('alice', expires_in=-60)}"):
            refused = client.get(path, headers={"Authorization": bad})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.headers["content-type"] == "application/problem+json"
            assert {**refused.json, "instance": ""} == {
                "type": "about:blank",
                "title": "Unauthorized",
                **UNAUTHORIZED,
                "instance": "",
            }
    assert client.head("/notes").status_code == 200
    assert client.post("/notes", json={"id": "1"}).status_code == 401
    assert client.get("/nothing").status_code == 401


def test_an_authorizer_that_demands_a_token_lets_nobody_be_nobody() -> None:
    """As it would on AWS, where it is asked as well: one of your own has to let such requests through."""

    def demanding(event: Any, context: Any) -> Any:
        raise RuntimeError("Unauthorized")

    pm = PolyMicro()
    Notes(pm)
    assert Client(pm.wsgi(authorizer=demanding)).get("/notes").status_code == 401


class Hello(Resource):
    route = ""
    permissions = AllowAny

    @action(methods="GET")
    def hello(self) -> Any:
        return "world"


def test_where_no_route_asks_who_it_is_there_is_no_authorizer(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {"Authorization": "Bearer x.y.z"}
    assert served(monkeypatch, "rest", Hello).get("/hello", headers=bad).json == "world"
    assert served(monkeypatch, "rest", Hello, Notes).get("/hello", headers=bad).status_code == 401
    assert served(monkeypatch, "rest", Notes, docs=True).get("/openapi.json", headers=bad).status_code == 200


@pytest.mark.parametrize("origin", ["https://a.example", "https://b.example"])
def test_refusals_can_be_read_by_pages(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    cors = CORS(origins=("https://a.example", "https://*.b.example"), credentials=True)
    refused = served(monkeypatch, "rest", Notes, cors=cors, hsts=True).post(
        "/notes", headers={"Origin": origin}
    )
    assert (refused.status_code, refused.headers["vary"]) == (401, "Origin")
    assert refused.headers["access-control-allow-origin"] == origin
    assert refused.headers["access-control-allow-credentials"] == "true"
    assert refused.headers["strict-transport-security"].startswith("max-age=")


def test_preflight_goes_by() -> None:
    response = Client(Wsgi(telling, authorizer=example_authorizer)).options("/todo")
    assert (response.status_code, response.json) == (200, None)


def seen_by(source: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def authorizer(event: Any, context: Any) -> Any:
        seen.update(event)
        return policy()

    app = Wsgi(telling, source=source, authorizer=authorizer)
    Client(app).post("/todo/1?who=me", headers=BEARER, json={"text": "x"})
    return seen


@pytest.mark.parametrize("source", ["rest", "alb", "lattice"])
def test_rest_event_is_a_request_event(source: str) -> None:
    event = seen_by(source)
    wanted = {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/POST/todo/1",
        "path": "/todo/1",
        "httpMethod": "POST",
        "queryStringParameters": {"who": "me"},
        "multiValueQueryStringParameters": {"who": ["me"]},
        "body": None,
    }
    assert {name: event.get(name) for name in wanted} == wanted
    assert event["headers"]["Authorization"] == "Bearer t"
    assert "authorizer" not in event["requestContext"]


@pytest.mark.parametrize("source", ["http", "url"])
def test_http_event_is_payload_2(source: str) -> None:
    event = seen_by(source)
    wanted = {
        "type": "REQUEST",
        "version": "2.0",
        "routeArn": f"{STAGE.removesuffix('prod')}$default/POST/todo/1",
        "identitySource": ["Bearer t"],
        "rawPath": "/todo/1",
        "rawQueryString": "who=me",
    }
    assert {name: event.get(name) for name in wanted} == wanted
    assert event["headers"]["authorization"] == "Bearer t"
    assert not event.get("body")
    assert "authorizer" not in event["requestContext"]


CONTEXT = {"uuid": "alice", "permissions": '["therapist"]', "groups": "[]"}
AUTHORIZERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "rest": lambda context: {**context, "principalId": "alice"},
    "http": lambda context: {"lambda": context},
    "url": lambda context: {"lambda": context},
    "alb": lambda context: {**context, "principalId": "alice"},
    "lattice": lambda context: {**context, "principalId": "alice"},
}


@pytest.mark.parametrize("source", SOURCES)
def test_example_authorizer_in_the_chain(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "s" * 32)
    client = Client(Wsgi(telling, source=source, authorizer=example_authorizer))
    good = client.get("/todo", headers={"Authorization": f"Bearer {token('alice', ['therapist'])}"})
    bad = client.get("/todo", headers=BEARER)
    assert (good.status_code, good.json) == (200, AUTHORIZERS[source](CONTEXT))
    assert bad.status_code == (401 if source in ("rest", "alb", "lattice") else 403)
