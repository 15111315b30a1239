"""Events of the shapes that AWS's own repositories publish as samples: of which source, for what path, at what address.

The values are made up here. ``PUBLIC_EVENTS=DIR`` tries every JSON file below a directory too, such as copies of
``tests/events`` of Powertools for AWS Lambda and of ``events/testdata`` of aws-lambda-go.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from polymicro_lambda import AllowAny, ConfigurationError, PolyMicro, Resource, action
from polymicro_lambda.http.sources.lookup import source_of
from polymicro_lambda.testing import FakeContext

REST = "r1.execute-api.eu-west-1.amazonaws.com"
HTTP = "h1.execute-api.eu-west-1.amazonaws.com"
URL = "u1.lambda-url.eu-west-1.on.aws"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/t/1"
LATTICE = "arn:aws:vpc-lattice:eu-west-1:123456789012:service/svc-1"


def rest(**members: Any) -> dict[str, Any]:
    context = {
        "stage": "prod",
        "resourcePath": "/{proxy+}",
        "path": "/prod/a/b",
        "domainName": REST,
        "apiId": "r1",
    }
    event = {
        "resource": "/{proxy+}",
        "path": "/a/b",
        "httpMethod": "GET",
        "headers": {"Host": REST},
        "multiValueHeaders": {"Host": [REST]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": "a/b"},
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
    }
    return event | members


def http2(domain: str = HTTP, stage: str = "$default", path: str = "/a/b", **context: Any) -> dict[str, Any]:
    asked = {
        "method": "POST",
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.1",
        "userAgent": "agent",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "n=1&n=2",
        "cookies": ["one", "two"],
        "headers": {"host": domain, "content-type": "application/json"},
        "queryStringParameters": {"n": "1,2"},
        "requestContext": {"stage": stage, "domainName": domain, "http": asked, **context},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }


def http1(**members: Any) -> dict[str, Any]:
    context = {
        "stage": "$default",
        "domainName": HTTP,
        "resourcePath": "/a/b",
        "path": "/a/b",
        "resourceId": None,
    }
    return (
        rest()
        | {"version": "1.0", "resource": "/a/b", "pathParameters": None, "requestContext": context}
        | members
    )


def balanced(**members: Any) -> dict[str, Any]:
    event = {
        "requestContext": {"elb": {"targetGroupArn": GROUP}},
        "httpMethod": "GET",
        "path": "/a/b",
        "queryStringParameters": {"n": "1"},
        "headers": {"host": "lb.example", "x-forwarded-proto": "https", "x-forwarded-port": "443"},
        "body": "",
        "isBase64Encoded": False,
    }
    return {name: one for name, one in (event | members).items() if one is not None}


LATTICE_2 = {
    "version": "2.0",
    "path": "/a/b",
    "method": "GET",
    "headers": {"host": ["svc-1.vpc-lattice-svcs.eu-west-1.on.aws"]},
    "queryStringParameters": {"n": ["1", "2"]},
    "isBase64Encoded": False,
    "requestContext": {"serviceArn": LATTICE, "region": "eu-west-1", "identity": {"type": "AWS_IAM"}},
}
LATTICE_1 = {
    "raw_path": "/a/b",
    "method": "GET",
    "headers": {"host": "svc-1.vpc-lattice-svcs.eu-west-1.on.aws"},
    "query_string_parameters": {"n": "1"},
    "body": "eyJhIjogMX0=",
    "is_base64_encoded": True,
}
SHAPES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "REST API": (rest(), "RestApi", "GET /a/b", f"https://{REST}/prod"),
    "REST API, slash at the end": (rest(path="/a/b/"), "RestApi", "GET /a/b", f"https://{REST}/prod"),
    "REST API, no Host": (rest(headers=None, multiValueHeaders=None), "RestApi", "GET /a/b", f"https://{REST}/prod"),
    "HTTP API": (http2(), "HttpApi2", "POST /a/b", f"https://{HTTP}"),
    "HTTP API, JWT": (http2(authorizer={"jwt": {"claims": {"sub": "u"}, "scopes": None}}), "HttpApi2", "POST /a/b", f"https://{HTTP}"),
    "HTTP API, IAM": (http2(authorizer={"iam": {"userId": "u", "accountId": "1"}}), "HttpApi2", "POST /a/b", f"https://{HTTP}"),
    "HTTP API, Lambda authorizer": (http2(authorizer={"lambda": {"k": "v"}}), "HttpApi2", "POST /a/b", f"https://{HTTP}"),
    "HTTP API, named stage": (http2(stage="prod", path="/prod/a/b"), "HttpApi2", "POST /a/b", f"https://{HTTP}/prod"),
    "HTTP API, payload 1.0": (http1(), "HttpApi1", "GET /a/b", f"https://{HTTP}"),
    "function URL": (http2(domain=URL), "FunctionUrl", "POST /a/b", f"https://{URL}"),
    "function URL, IAM": (http2(domain=URL, authorizer={"iam": {"userId": "u"}}), "FunctionUrl", "POST /a/b", f"https://{URL}"),
    "load balancer": (balanced(), "LoadBalancer", "GET /a/b", ""),
    "load balancer, several values": (
        balanced(
            headers=None,
            queryStringParameters=None,
            multiValueHeaders={"host": ["lb.example"]},
            multiValueQueryStringParameters={"n": ["1", "2"]},
        ),
        "LoadBalancer",
        "GET /a/b",
        "",
    ),
    "VPC Lattice 2.0": (LATTICE_2, "VpcLattice2", "GET /a/b", ""),
    "VPC Lattice 1.0": (LATTICE_1, "VpcLattice1", "GET /a/b", ""),
}  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "WebSocket": rest(requestContext={"routeKey": "$default", "eventType": "MESSAGE", "connectionId": "c="}),
    "WebSocket, no method": {"requestContext": {"eventType": "CONNECT", "connectionId": "c="}, "multiValueHeaders": {}},
    "Bedrock agent": {"messageVersion": "1.0", "agent": {}, "actionGroup": "g", "apiPath": "/a", "httpMethod": "GET"},
    "authorizer of a REST API": rest(type="REQUEST", methodArn="arn:aws:execute-api:eu-west-1:1:r1/prod/GET/a"),
    "authorizer of an HTTP API": http2() | {"routeArn": "arn:aws:execute-api:eu-west-1:1:h1/$default/GET/a"},
}  # fmt: skip


class Anything(Resource):
    route = "a"
    permissions = AllowAny

    @action(methods=("GET", "POST"), path="b")
    def told(self, request: Any) -> Any:
        return {"method": request.method, "path": request.path, "base": request.base_url}


def app(**settings: Any) -> Any:
    pm = PolyMicro(**settings)
    Anything(pm)
    return pm.compile()


@pytest.mark.parametrize(("event", "source", "line", "base"), SHAPES.values(), ids=SHAPES)
def test_its_source_and_its_address(event: dict[str, Any], source: str, line: str, base: str) -> None:
    assert type(source_of(event)).__name__ == source
    answer = app()(event, FakeContext())
    told = json.loads(answer["body"])
    assert (answer["statusCode"], f"{told['method']} {told['path']}", told["base"]) == (200, line, base)


@pytest.mark.parametrize("event", OTHERS.values(), ids=OTHERS)
def test_what_resembles_a_request_goes_to_on_event(event: dict[str, Any]) -> None:
    """Without it, it is a bad request: an answer would let a WebSocket connect."""
    assert app(on_event=lambda event, context: ("taken", event))(event, FakeContext()) == ("taken", event)
    assert app()(event, FakeContext())["statusCode"] == 400


PUBLIC = [
    file
    for file in sorted(Path(os.environ.get("PUBLIC_EVENTS", "/nowhere")).rglob("*.json"))
    if "malformed" not in file.stem  # a file that is no JSON, to test readers with
]


if PUBLIC:  # else there is nothing to try

    @pytest.mark.parametrize("file", PUBLIC, ids=[file.stem for file in PUBLIC])
    def test_a_published_event_is_no_error_of_ours(file: Path) -> None:
        """But for a batch that nobody takes, which is one so that it is not lost."""
        event = json.loads(file.read_text())
        try:
            answer = app()(event, FakeContext())
        except ConfigurationError as error:
            assert "a batch of" in str(error)  # noqa: PT017 - either is right
            assert source_of(event) is None
        else:
            assert answer["statusCode"] in (200, 400, 404)
