"""Who gets in where: the testing client, `polymicro serve` and what SAM makes of the template answer alike.

What they answer stands in docs/who-gets-in.md; ``WRITE_DOCS=1`` writes that page anew.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import conduit.app
import pytest
import shop.app
import tracker.app
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from werkzeug.test import Client as HttpClient

from handlers import todo
from handlers.authorizer import UnauthorizedError, token
from handlers.authorizer import handler as authorizer
from polymicro_lambda import PolyMicro, User
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.project import create_tables, own_tables
from polymicro_lambda.testing import BAD_TOKEN, Client, FakeContext, make_event

PAGE = Path(__file__).parents[2] / "docs" / "who-gets-in.md"
APPS: dict[str, PolyMicro] = {
    "Todo": todo.pm,
    "Tracker": tracker.app.pm,
    "Shop": shop.app.pm,
    "Conduit": conduit.app.pm,
}
OWN = frozenset({conduit.app.pm})
"""Those that know their users themselves, by the request's own header."""
USER = User("alice", frozenset({"therapist"}), claims={"tenant": "acme"})
STAFF = User("sam", frozenset({"administrator"}), frozenset({"staff"}), {"tenant": "acme"})
CALLERS: dict[str, User | str | None] = {"no token": None, "bad token": "x.y.z", "user": USER, "staff": STAFF}
ARN = "arn:aws:execute-api:us-east-1:123456789012:api/prod"


@pytest.fixture
def world(dynamodb: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "a secret that is long enough for tests")
    monkeypatch.setenv("ALLOW_ANONYMOUS", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("PICTURES_BUCKET", "pictures")


def bearer(caller: User | str | None) -> dict[str, str]:
    if caller is None:
        return {}
    if isinstance(caller, str):
        return {"Authorization": f"Bearer {caller}"}
    signed = token(caller.uuid, caller.permissions, caller.groups, claims=caller.claims)
    return {"Authorization": f"Bearer {signed}"}


def requests_of(app: PolyMicro) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Verb, template and path of each route, and what else a request to it has: a body that nobody takes."""
    for route in app.routes:
        path = "/" + "/".join("x" if part.startswith("{") else part for part in route.parts)
        body = (
            {"body": "[]", "headers": {"Content-Type": "application/json"}}
            if route.http not in ("GET", "DELETE")
            else {}
        )
        yield route.http, route.template, path, body


def by_client(app: PolyMicro) -> Callable[..., Any]:
    client = Client(app)

    def ask(method: str, path: str, caller: User | str | None, more: dict[str, Any]) -> Any:
        who: dict[str, Any] = {"authorizer": BAD_TOKEN} if isinstance(caller, str) else {"user": caller}
        if app in OWN:
            who = {}
            more = more | {"headers": {**more.get("headers", {}), **bearer(caller)}}
        result = client.request(method, path, **who, **more)
        return result.status, result.headers.get("www-authenticate"), told(result.content)

    return ask


def by_serve(app: PolyMicro) -> Callable[..., Any]:
    client = HttpClient(app.wsgi(authorizer=None if app in OWN else authorizer))

    def ask(method: str, path: str, caller: User | str | None, more: dict[str, Any]) -> Any:
        headers = {**bearer(caller), **more.get("headers", {})}
        answer = client.open(path, method=method, headers=headers, data=more.get("body"))
        return answer.status_code, answer.headers.get("www-authenticate"), told(answer.data)

    return ask


def by_template(app: PolyMicro) -> Callable[..., Any]:
    """As API Gateway asks by what SAM makes of the template: its security of each method, its authorizers."""
    kind = "app" if app in OWN else "lambda"
    options = Options(handler="app.handler", authorizer_handler="gate.handler", authorizer=kind)
    plain = json.loads(json.dumps(template(app.routes, options)))
    plain["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    made = Translator({}, Parser()).translate({"Transform": "AWS::Serverless-2016-10-31", **plain}, {})
    api = made["Resources"]["Api"]["Properties"]
    schemes = api["Body"]["components"].get("securitySchemes", {})
    unauthorized = api["Body"]["x-amazon-apigateway-gateway-responses"]["UNAUTHORIZED"]
    refused, handler = unauthorized["responseTemplates"]["application/json"], app.compile()

    def ask(method: str, path: str, caller: User | str | None, more: dict[str, Any]) -> Any:
        about = method_of(api["Body"]["paths"], method, path)
        names = [name for one in about.get("security", []) for name in one if name != "NONE"]
        context, headers = None, bearer(caller)
        if names:
            source = schemes[names[0]]["x-amazon-apigateway-authorizer"].get("identitySource")
            context = None if source is not None and not headers else asked(method, path, headers)
            if context is None:
                return 401, "Bearer", told(refused.encode())
        if app in OWN:
            more = more | {"headers": {**more.get("headers", {}), **headers}}
        answer = handler(make_event(method, path, authorizer=context, **more), FakeContext())
        return answer["statusCode"], answer["headers"].get("www-authenticate"), told(answer["body"].encode())

    return ask


def asked(method: str, path: str, headers: dict[str, str]) -> dict[str, Any] | None:
    """The authorizer's context, None where it refuses."""
    try:
        answer = authorizer(
            {"type": "REQUEST", "headers": headers, "methodArn": f"{ARN}/{method}{path}"}, None
        )
    except UnauthorizedError:
        return None
    return {**answer["context"], "principalId": answer["principalId"]}


def method_of(paths: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """What the API says of a request: of the path with the most literal segments that it fits."""
    segments = path.split("/")

    def fits(one: str) -> bool:
        parts = one.split("/")
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    found = sorted(filter(fits, paths), key=lambda one: one.count("{"))
    methods = paths[found[0] if found else "/{proxy+}"]
    said: dict[str, Any] = methods.get(method.lower()) or methods["x-amazon-apigateway-any-method"]
    return said


def told(body: bytes) -> Any:
    """What an answer says, without what is another each time."""
    if not body:
        return None
    document = json.loads(body)
    return {k: v for k, v in document.items() if k != "instance"} if isinstance(document, dict) else document


def rows_of(name: str) -> Iterator[str]:
    app = APPS[name]
    app.compile()
    ways = [make(app) for make in (by_client, by_serve, by_template)]
    for method, shown, path, more in requests_of(app):
        cells = []
        for caller in CALLERS.values():
            answers = [ask(method, path, caller, more) for ask in ways]
            assert answers[0] == answers[1] == answers[2], (method, path, caller, answers)
            cells.append(str(answers[0][0]))
        yield f"| `{method} {shown}` | {' | '.join(cells)} |"


def table_of(page: str, name: str) -> list[str]:
    _, _, rest = page.partition(f"## {name}\n")
    return [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("name", APPS)
def test_all_answer_alike(world: None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    models = dict.fromkeys(model for route in APPS[name].routes for model in route.models)
    own_tables(models, monkeypatch)
    create_tables(APPS[name].routes, "engine of the test")
    rows = list(rows_of(name))
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("WRITE_DOCS"):
        old = "\n".join(table_of(page, name))
        head = f"## {name}\n\n| | {' | '.join(CALLERS)} |\n| --- | --- | --- | --- | --- |\n"
        PAGE.write_text(page.replace(head + old, head + "\n".join(rows)), encoding="utf-8")
    assert table_of(PAGE.read_text(encoding="utf-8"), name) == rows
