"""Events as API Gateway, function URLs, load balancers and VPC Lattice make them of a client's request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json import dumps
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

Context: TypeAlias = Mapping[str, Any] | None
"""What a Lambda authorizer knows of the user; None where no authorizer ran."""

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """A client's request; path and query are percent-encoded."""

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


def _rest(request: SentRequest) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        **_payload_1_event(request, request.path, _with_stage(request, request.path), "prod"),
    }


def _http_1(request: SentRequest) -> dict[str, Any]:
    path = _with_stage(request, unquote(request.path))
    return {"version": "1.0", "resource": "$default", **_payload_1_event(request, path, path, "$default")}


def _http_2(request: SentRequest) -> dict[str, Any]:
    return _payload_2_event(
        request, _with_stage(request, unquote(request.path)), _lower_case_headers(request)["host"]
    )


def _url(request: SentRequest) -> dict[str, Any]:
    return _payload_2_event(request, request.path, f"api.lambda-url.{REGION}.on.aws")


def _alb_single(request: SentRequest) -> dict[str, Any]:
    return {
        **_load_balancer_event(request),
        "queryStringParameters": dict(_undecoded_pairs(request.query)),
        "headers": _headers_with_trace_id(request),
    }


def _alb_multi(request: SentRequest) -> dict[str, Any]:
    headers = {name: [value] for name, value in _headers_with_trace_id(request).items()}
    query = _lists_by_name(_undecoded_pairs(request.query))
    return {
        **_load_balancer_event(request),
        "multiValueQueryStringParameters": query,
        "multiValueHeaders": headers,
    }


def _lattice_1(request: SentRequest) -> dict[str, Any]:
    authorizer = (
        {} if request.authorizer is None else {"requestContext": {"authorizer": dict(request.authorizer)}}
    )
    return {
        "raw_path": request.path,
        "method": request.method,
        "headers": _lower_case_headers(request),
        "query_string_parameters": dict(_undecoded_pairs(request.query)),
        "body": request.body or "",
        "is_base64_encoded": request.base64_encoded,
        **authorizer,
    }


def _lattice_2(request: SentRequest) -> dict[str, Any]:
    arn = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}"
    authorizer = {} if request.authorizer is None else {"authorizer": dict(request.authorizer)}
    return {
        "version": "2.0",
        "path": request.path,
        "method": request.method,
        "headers": {name: [value] for name, value in _lower_case_headers(request).items()},
        "queryStringParameters": _lists_by_name(_undecoded_pairs(request.query)),
        "body": request.body or "",
        "isBase64Encoded": request.base64_encoded,
        "requestContext": {
            "serviceNetworkArn": f"{arn}:servicenetwork/sn-0123456789abcdef0",
            "serviceArn": f"{arn}:service/svc-0123456789abcdef0",
            "targetGroupArn": f"{arn}:targetgroup/tg-0123456789abcdef0",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0123456789abcdef0"},
            "region": REGION,
            "timeEpoch": "1767225600000000",
            **authorizer,
        },
    }


FORMS: Mapping[str, Callable[[SentRequest], dict[str, Any]]] = MappingProxyType(
    {
        "rest": _rest,
        "http1.0": _http_1,
        "http2.0": _http_2,
        "url": _url,
        "albsingle": _alb_single,
        "albmulti": _alb_multi,
        "lattice1.0": _lattice_1,
        "lattice2.0": _lattice_2,
    }
)
"""Source and form -> the function that makes its event."""


def _payload_1_event(request: SentRequest, path: str, path_with_stage: str, stage: str) -> dict[str, Any]:
    """Payload 1.0: headers and query both as texts and as lists, null where there are none; the query is decoded."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return {
        "path": path,
        "httpMethod": request.method,
        "headers": request.headers or None,
        "multiValueHeaders": {name: [value] for name, value in request.headers.items()} or None,
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": _lists_by_name(pairs) or None,
        "pathParameters": {"proxy": unquote(request.path).strip("/")},
        "stageVariables": None,
        "requestContext": {
            **_request_context(request, request.stage or stage, _scalars_as_text(request.authorizer)),
            "path": path_with_stage,
            "domainName": _lower_case_headers(request)["host"],
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source_ip, "cognitoIdentityId": None, "userArn": None},
        },
        "body": request.body or None,
        "isBase64Encoded": request.base64_encoded,
    }


def _payload_2_event(request: SentRequest, path: str, domain: str) -> dict[str, Any]:
    """Payload 2.0: the query raw, the headers in lower case without cookies; an empty member is left out."""
    headers = _lower_case_headers(request)
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    query = _lists_by_name(parse_qsl(request.query, keep_blank_values=True))
    http = {"method": request.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": request.source_ip}
    context = None if request.authorizer is None else {"lambda": dict(request.authorizer)}
    optional = {
        "cookies": cookies,
        "queryStringParameters": {name: ",".join(values) for name, values in query.items()},
        "body": request.body,
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            **_request_context(request, request.stage or "$default", context),
            "domainName": domain,
            "http": http,
        },
        "isBase64Encoded": request.base64_encoded,
        **{name: value for name, value in optional.items() if value},
    }


def _load_balancer_event(request: SentRequest) -> dict[str, Any]:
    """A load balancer decodes nothing and has no authorizers; a request has a trace id only."""
    group = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/api/0123456789abcdef"
    authorizer = {} if request.authorizer is None else {"authorizer": dict(request.authorizer)}
    return {
        "requestContext": {"elb": {"targetGroupArn": group}, **authorizer},
        "httpMethod": request.method,
        "path": request.path,
        "body": request.body or "",
        "isBase64Encoded": request.base64_encoded,
    }


def _request_context(request: SentRequest, stage: str, authorizer: Context) -> dict[str, Any]:
    context = {"accountId": ACCOUNT, "apiId": "api", "stage": stage, "requestId": request.request_id}
    return context if authorizer is None else {**context, "authorizer": authorizer}


def _scalars_as_text(context: Context) -> Context:
    """Payload 1.0 has the authorizer's numbers and booleans as text."""
    if context is None:
        return None
    return {
        name: dumps(value) if isinstance(value, int | float) else value for name, value in context.items()
    }


def _with_stage(request: SentRequest, path: str) -> str:
    return f"/{request.stage}{path}" if request.stage else path


def _lower_case_headers(request: SentRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _headers_with_trace_id(request: SentRequest) -> dict[str, str]:
    return {**_lower_case_headers(request), "x-amzn-trace-id": request.request_id}


def _undecoded_pairs(query: str) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(name, value) for name, _, value in pairs]


def _lists_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists
