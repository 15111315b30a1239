"""What a client sent, as API Gateway, function URLs and load balancers put it into events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json import dumps
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

Context: TypeAlias = Mapping[str, Any] | None
"""What a Lambda authorizer said of the user."""

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request, before a source puts it into an event; path and query are percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str | None
    base64_encoded: bool
    authorizer: Context
    stage: str | None
    request_id: str
    source_ip: str


def _rest(sent: Sent) -> dict[str, Any]:
    return {"resource": "/{proxy+}", **_payload_1(sent, sent.path, _staged(sent, sent.path), "prod")}


def _http_1(sent: Sent) -> dict[str, Any]:
    path = _staged(sent, unquote(sent.path))
    return {"version": "1.0", "resource": "$default", **_payload_1(sent, path, path, "$default")}


def _http_2(sent: Sent) -> dict[str, Any]:
    return _payload_2(sent, _staged(sent, unquote(sent.path)), _lowered(sent)["host"])


def _url(sent: Sent) -> dict[str, Any]:
    return _payload_2(sent, sent.path, f"api.lambda-url.{REGION}.on.aws")


def _alb_single(sent: Sent) -> dict[str, Any]:
    return {**_alb(sent), "queryStringParameters": dict(_undecoded(sent.query)), "headers": _traced(sent)}


def _alb_multi(sent: Sent) -> dict[str, Any]:
    headers = {name: [value] for name, value in _traced(sent).items()}
    query = _lists(_undecoded(sent.query))
    return {**_alb(sent), "multiValueQueryStringParameters": query, "multiValueHeaders": headers}


FORMS: Mapping[str, Callable[[Sent], dict[str, Any]]] = MappingProxyType(
    {
        "rest": _rest,
        "http1.0": _http_1,
        "http2.0": _http_2,
        "url": _url,
        "albsingle": _alb_single,
        "albmulti": _alb_multi,
    }
)
"""Source and form -> what makes its event."""


def _payload_1(sent: Sent, path: str, whole: str, stage: str) -> dict[str, Any]:
    """Both forms of headers and query, null where there are none; the query is decoded."""
    pairs = parse_qsl(sent.query, keep_blank_values=True)
    return {
        "path": path,
        "httpMethod": sent.method,
        "headers": sent.headers or None,
        "multiValueHeaders": {name: [value] for name, value in sent.headers.items()} or None,
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": _lists(pairs) or None,
        "pathParameters": {"proxy": unquote(sent.path).strip("/")},
        "stageVariables": None,
        "requestContext": {
            **_context(sent, sent.stage or stage, _flat(sent.authorizer)),
            "path": whole,
            "httpMethod": sent.method,
            "identity": {"sourceIp": sent.source_ip, "cognitoIdentityId": None, "userArn": None},
        },
        "body": sent.body or None,
        "isBase64Encoded": sent.base64_encoded,
    }


def _payload_2(sent: Sent, path: str, domain: str) -> dict[str, Any]:
    """The query raw; the headers lower-case without cookies; nothing that there is none of."""
    headers = _lowered(sent)
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    query = _lists(parse_qsl(sent.query, keep_blank_values=True))
    http = {"method": sent.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": sent.source_ip}
    context = None if sent.authorizer is None else {"lambda": dict(sent.authorizer)}
    optional = {
        "cookies": cookies,
        "queryStringParameters": {name: ",".join(values) for name, values in query.items()},
        "body": sent.body,
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": sent.query,
        "headers": headers,
        "requestContext": {
            **_context(sent, sent.stage or "$default", context),
            "domainName": domain,
            "http": http,
        },
        "isBase64Encoded": sent.base64_encoded,
        **{name: value for name, value in optional.items() if value},
    }


def _alb(sent: Sent) -> dict[str, Any]:
    """A load balancer decodes nothing and has no authorizers; a request has a trace id only."""
    group = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/api/0123456789abcdef"
    authorizer = {} if sent.authorizer is None else {"authorizer": dict(sent.authorizer)}
    return {
        "requestContext": {"elb": {"targetGroupArn": group}, **authorizer},
        "httpMethod": sent.method,
        "path": sent.path,
        "body": sent.body or "",
        "isBase64Encoded": sent.base64_encoded,
    }


def _context(sent: Sent, stage: str, authorizer: Context) -> dict[str, Any]:
    said = {} if authorizer is None else {"authorizer": authorizer}
    return {"accountId": ACCOUNT, "apiId": "api", "stage": stage, "requestId": sent.request_id, **said}


def _flat(context: Context) -> Context:
    """Payload 1.0 has the authorizer's numbers and booleans as text."""
    if context is None:
        return None
    return {
        name: dumps(value) if isinstance(value, int | float) else value for name, value in context.items()
    }


def _staged(sent: Sent, path: str) -> str:
    return f"/{sent.stage}{path}" if sent.stage else path


def _lowered(sent: Sent) -> dict[str, str]:
    return {name.lower(): value for name, value in sent.headers.items()}


def _traced(sent: Sent) -> dict[str, str]:
    return {**_lowered(sent), "x-amzn-trace-id": sent.request_id}


def _undecoded(query: str) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(name, value) for name, _, value in pairs]


def _lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists
