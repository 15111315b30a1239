"""Every event source says the same request, and gets the same answer."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.todo import Todo, handler
from polymicro_lambda.exceptions import BadRequest, HTTPError, NotFound
from polymicro_lambda.http import request_id, request_of, source_of
from polymicro_lambda.http.requests import Request
from polymicro_lambda.http.responses import Response
from polymicro_lambda.http.sources import lookup
from polymicro_lambda.http.sources.api_gateway import RestApi
from polymicro_lambda.http.sources.lookup import UNKNOWN
from polymicro_lambda.http.users import User
from polymicro_lambda.testing import FakeContext, make_event

CONTEXT = FakeContext(aws_request_id="invocation")

# One event of every source, by hand: POST /todo/b%20%C3%A4?a=1&a=2%2C3&b=+z with a body and two cookies.
REST: dict[str, Any] = {
    "resource": "/{proxy+}",
    "path": "/todo/b%20%C3%A4",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "Cookie": "c1=v1; c2=v2", "X-Multi": "two"},
    "multiValueHeaders": {
        "Content-Type": ["application/json"],
        "Cookie": ["c1=v1; c2=v2"],
        "X-Multi": ["one", "two"],
    },
    "queryStringParameters": {"a": "2,3", "b": " z"},
    "multiValueQueryStringParameters": {"a": ["1", "2,3"], "b": [" z"]},
    "requestContext": {
        "requestId": "r-1",
        "path": "/prod/todo/b%20%C3%A4",
        "stage": "prod",
        "identity": {"sourceIp": "127.0.0.1", "cognitoIdentityId": None, "userArn": None},
        "authorizer": {"principalId": "alice"},
    },
    "body": '{"k":"ä"}',
    "isBase64Encoded": False,
}
HTTP_1: dict[str, Any] = {
    **REST,
    "version": "1.0",
    "path": "/prod/todo/b ä",
    "requestContext": {**REST["requestContext"], "path": "/prod/todo/b ä"},
}
HTTP_2: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/prod/todo/b ä",
    "rawQueryString": "a=1&a=2%2C3&b=+z",
    "queryStringParameters": {"a": "1,2,3", "b": " z"},
    "headers": {"content-type": "application/json", "x-multi": "one, two"},
    "cookies": ["c1=v1", "c2=v2"],
    "requestContext": {
        "requestId": "r-1",
        "stage": "prod",
        "domainName": "api.execute-api.eu-west-1.amazonaws.com",
        "http": {"method": "POST", "path": "/prod/todo/b ä"},
        "authorizer": {"lambda": {"principalId": "alice"}},
    },
    "body": '{"k":"ä"}',
    "isBase64Encoded": False,
}
URL: dict[str, Any] = {
    **HTTP_2,
    "rawPath": "/todo/b%20%C3%A4",
    "requestContext": {
        **HTTP_2["requestContext"],
        "stage": "$default",
        "domainName": "abc.lambda-url.eu-west-1.on.aws",
        "http": {"method": "POST", "path": "/todo/b%20%C3%A4"},
    },
}
ALB: dict[str, Any] = {
    "requestContext": {
        "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/api/1"},
        "authorizer": {"principalId": "alice"},
    },
    "httpMethod": "POST",
    "path": "/todo/b%20%C3%A4",
    "queryStringParameters": {"a": "2%2C3", "b": "+z"},
    "headers": {
        "content-type": "application/json",
        "cookie": "c1=v1; c2=v2",
        "x-multi": "one, two",
        "x-amzn-trace-id": "Root=1-2-3",
    },
    "body": '{"k":"ä"}',
    "isBase64Encoded": False,
}
ALB_MULTI: dict[str, Any] = {
    **{name: value for name, value in ALB.items() if name not in ("headers", "queryStringParameters")},
    "multiValueQueryStringParameters": {"a": ["1", "2%2C3"], "b": ["+z"]},
    "multiValueHeaders": {
        "content-type": ["application/json"],
        "cookie": ["c1=v1; c2=v2"],
        "x-multi": ["one", "two"],
        "x-amzn-trace-id": ["Root=1-2-3"],
    },
}
LATTICE_1: dict[str, Any] = {
    "raw_path": "/todo/b%20%C3%A4",
    "method": "POST",
    "headers": {"content-type": "application/json", "cookie": "c1=v1; c2=v2", "x-multi": "one, two"},
    "query_string_parameters": {"a": "2%2C3", "b": "+z"},
    "requestContext": {"authorizer": {"principalId": "alice"}},
    "body": '{"k":"ä"}',
    "is_base64_encoded": False,
}
LATTICE_2: dict[str, Any] = {
    "version": "2.0",
    "path": "/todo/b%20%C3%A4",
    "method": "POST",
    "headers": {
        "Content-Type": ["application/json"],
        "cookie": ["c1=v1", "c2=v2"],
        "X-Multi": ["one", "two"],
    },
    "queryStringParameters": {"a": ["1", "2%2C3"], "b": ["+z"]},
    "requestContext": {
        "serviceNetworkArn": "arn:aws:vpc-lattice:eu-west-1:1:servicenetwork/sn-1",
        "serviceArn": "arn:aws:vpc-lattice:eu-west-1:1:service/svc-1",
        "identity": {"sourceVpcArn": "arn:aws:ec2:eu-west-1:1:vpc/vpc-1"},
        "authorizer": {"principalId": "alice"},
        "region": "eu-west-1",
        "timeEpoch": "1767225600000000",
    },
    "body": '{"k":"ä"}',
    "isBase64Encoded": False,
}

EVENTS = {
    "rest": REST,
    "http 1.0": HTTP_1,
    "http 2.0": HTTP_2,
    "url": URL,
    "alb": ALB,
    "alb multi": ALB_MULTI,
    "lattice 1.0": LATTICE_1,
    "lattice 2.0": LATTICE_2,
}
NAMES = dict(zip(EVENTS, ("rest", "http", "http", "url", "alb", "alb", "lattice", "lattice"), strict=True))
UNNUMBERED = ("lattice 1.0", "lattice 2.0")
"""Their events have no id: the invocation's stands in."""
every_source = pytest.mark.parametrize("form", EVENTS)


def read(event: Any) -> Request:
    return request_of(event, CONTEXT)


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


@every_source
def test_every_source_says_the_same_request(form: str) -> None:
    event = EVENTS[form]
    alb = form.startswith("alb")
    headers = {"content-type": "application/json", "cookie": "c1=v1; c2=v2", "x-multi": "one, two"}
    assert read(event) == Request(
        method="POST",
        path="/todo/b ä",
        segments=("todo", "b ä"),
        query={"a": ("2,3",) if form in ("alb", "lattice 1.0") else ("1", "2,3"), "b": (" z",)},
        headers=headers | ({"x-amzn-trace-id": "Root=1-2-3"} if alb else {}),
        content='{"k":"ä"}',
        user=User("alice", claims={"principalId": "alice"}),
        event=event,
        context=CONTEXT,
        source=NAMES[form],
        id="invocation" if form in UNNUMBERED else "Root=1-2-3" if alb else "r-1",
        prefix="" if alb or form == "url" or form in UNNUMBERED else "/prod",
    )


@every_source
def test_each_event_is_told_from_the_others(form: str) -> None:
    assert (
        type(source_of(EVENTS[form])).__name__
        == {
            "rest": "RestApi",
            "http 1.0": "HttpApi1",
            "http 2.0": "HttpApi2",
            "url": "FunctionUrl",
            "alb": "LoadBalancer",
            "alb multi": "LoadBalancer",
            "lattice 1.0": "VpcLattice1",
            "lattice 2.0": "VpcLattice2",
        }[form]
    )


NULLABLE = (
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "rawQueryString",
    "cookies",
    "body",
    "isBase64Encoded",
    "query_string_parameters",
    "is_base64_encoded",
    "stageVariables",
)


@every_source
@pytest.mark.parametrize("absent", [False, True], ids=["null", "absent"])
def test_nulls_and_absences_are_nothing(form: str, absent: bool) -> None:
    bare = without(EVENTS[form], *NULLABLE) if absent else EVENTS[form] | dict.fromkeys(NULLABLE)
    request = read(bare)
    assert (request.query, request.headers, request.body, request.json) == ({}, {}, b"", None)


@pytest.mark.parametrize("form", ["rest", "http 1.0"])
def test_a_null_request_context_is_no_user(form: str) -> None:
    request = read(EVENTS[form] | {"requestContext": None})
    assert (request.user, request.id, request.prefix) == (None, "invocation", "")


@every_source
def test_a_null_authorizer_is_no_user(form: str) -> None:
    event = EVENTS[form]
    assert read(event | {"requestContext": event["requestContext"] | {"authorizer": None}}).user is None


@every_source
def test_identity_is_never_read_from_a_header(form: str) -> None:
    names = ("principalId", "uuid", "sub", "authorization", "x-amzn-oidc-identity", "x-amzn-oidc-data")
    event = EVENTS[form] | {
        "headers": dict.fromkeys(names, "alice"),
        "requestContext": without(EVENTS[form]["requestContext"], "authorizer"),
    }
    assert read(event).user is None


def at(form: str, path: str) -> dict[str, Any]:
    names = {"http 2.0": "rawPath", "url": "rawPath", "lattice 1.0": "raw_path"}
    return EVENTS[form] | {names.get(form, "path"): path}


ENCODED = ("rest", "url", "alb", "alb multi", "lattice 1.0", "lattice 2.0")
DECODED = ("http 1.0", "http 2.0")


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize(
    ("path", "segments"),
    [("/todo/a%2Fb", ("todo", "a/b")), ("/todo/%2541", ("todo", "%41")), ("/todo/b x/", ("todo", "b x"))],
)
def test_an_encoded_path_is_decoded_once(form: str, path: str, segments: tuple[str, ...]) -> None:
    request = read(at(form, path))
    assert (request.segments, request.path) == (segments, "/" + "/".join(segments))


@pytest.mark.parametrize("form", DECODED)
@pytest.mark.parametrize("path", ["/todo/%41", "/todo/100%", "/todo/a+b", "/todo/%zz"])
def test_a_decoded_path_is_not_decoded_again(form: str, path: str) -> None:
    assert read(at(form, path)).segments == tuple(path[1:].split("/"))


@every_source
@pytest.mark.parametrize("path", ["//", "/todo//", "//todo", "/todo/..", "/./todo", "/a//b"])
def test_empty_and_dotted_segments_are_not_found(form: str, path: str) -> None:
    with pytest.raises(NotFound):
        read(at(form, path))


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize("path", ["/todo/%zz", "/todo/%ff", "/%C3", "/100%"])
def test_a_broken_escape_in_a_path_is_a_bad_request(form: str, path: str) -> None:
    with pytest.raises(BadRequest):
        read(at(form, path))


@every_source
def test_the_root_has_no_segments(form: str) -> None:
    request = read(at(form, "/"))
    assert (request.path, request.segments) == ("/", ())


@pytest.mark.parametrize("form", DECODED)
def test_the_root_of_a_named_stage_has_no_segments(form: str) -> None:
    request = read(at(form, "/prod"))
    assert (request.path, request.segments, request.prefix) == ("/", (), "/prod")


def queried(form: str, query: str) -> dict[str, Any]:
    pairs = [pair.partition("=")[::2] for pair in query.split("&")]
    if form in ("http 2.0", "url"):
        return EVENTS[form] | {"rawQueryString": query}
    if form == "alb":
        return EVENTS[form] | {"queryStringParameters": dict(pairs)}
    return EVENTS[form] | {"multiValueQueryStringParameters": {name: [value] for name, value in pairs}}


@pytest.mark.parametrize("form", ["http 2.0", "url", "alb", "alb multi"])
@pytest.mark.parametrize("query", ["a=%zz", "a=%ff", "%=1", "a=%C3"])
def test_a_broken_escape_in_a_query_is_a_bad_request(form: str, query: str) -> None:
    with pytest.raises(BadRequest):
        read(queried(form, query))


@pytest.mark.parametrize("form", ["http 2.0", "url", "alb", "alb multi"])
def test_names_and_values_of_a_raw_query_are_decoded_once(form: str) -> None:
    assert read(queried(form, "%C3%A4=%2541&due+at=+")).query == {"ä": ("%41",), "due at": (" ",)}


@pytest.mark.parametrize("form", ["rest", "http 1.0"])
def test_a_query_that_the_gateway_decoded_is_not_decoded_again(form: str) -> None:
    assert read(queried(form, "a=%41+b")).query == {"a": ("%41+b",)}


@pytest.mark.parametrize("form", ["rest", "http 1.0", "http 2.0", "url"])
def test_single_values_stand_in_where_there_is_nothing_better(form: str) -> None:
    event = EVENTS[form] | {
        "rawQueryString": "",
        "multiValueQueryStringParameters": None,
        "queryStringParameters": {"a": "x,y"},
        "multiValueHeaders": None,
        "headers": {"X-A": "1", "X-Null": None},
        "cookies": None,
    }
    assert (read(event).query, read(event).headers) == ({"a": ("x,y",)}, {"x-a": "1"})


def test_names_of_headers_that_differ_in_case_are_one() -> None:
    event = REST | {"multiValueHeaders": {"X-A": ["1"], "x-a": ["2"], "Cookie": ["a=1", "b=2"]}}
    assert read(event).headers == {"x-a": "1, 2", "cookie": "a=1; b=2"}


@every_source
def test_a_method_is_upper_case(form: str) -> None:
    event = EVENTS[form] | {"httpMethod" if "httpMethod" in EVENTS[form] else "method": "patch"}
    event["requestContext"] = event["requestContext"] | {"http": {"method": "patch"}}
    assert read(event).method == "PATCH"


@every_source
def test_a_binary_body_comes_in_base64(form: str) -> None:
    encoded = {"isBase64Encoded": True, "is_base64_encoded": True}
    event = EVENTS[form] | {"body": base64.b64encode(b"\xff\x00").decode(), **encoded}
    assert read(event).body == b"\xff\x00"
    with pytest.raises(BadRequest):
        _ = read(event | {"body": "no base64!"}).body


@pytest.mark.parametrize(
    ("event", "context", "expected"),
    [
        (REST, CONTEXT, "r-1"),
        (ALB, CONTEXT, "Root=1-2-3"),
        (ALB_MULTI, CONTEXT, "Root=1-2-3"),
        (ALB | {"headers": None}, CONTEXT, "invocation"),
        (ALB | {"headers": 7}, CONTEXT, "invocation"),
        (REST | {"requestContext": {"requestId": ""}}, CONTEXT, "invocation"),
        (REST | {"requestContext": {"requestId": "\ud800"}}, CONTEXT, "invocation"),
        (REST | {"requestContext": {"requestId": "r-1\nERROR"}}, CONTEXT, "invocation"),
        (REST | {"requestContext": {"requestId": 'a "password"'}}, CONTEXT, "invocation"),
        (REST | {"requestContext": {"requestId": "r" * 257}}, CONTEXT, "invocation"),
        (ALB | {"headers": {"x-amzn-trace-id": "Root=1-2-3;Note=a b"}}, CONTEXT, "invocation"),
        (REST | {"requestContext": {}, "headers": {"x-amzn-trace-id": "mine"}}, None, ""),
        (None, CONTEXT, "invocation"),
        ([], None, ""),
    ],
)
def test_a_request_has_an_id(event: object, context: object, expected: str) -> None:
    assert request_id(event, context) == expected


OTHER_EVENTS = {
    "null": None,
    "text": "GET /",
    "a list": [REST],
    "nothing": {},
    "a scheduled event": {
        "version": "0",
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "detail": {},
    },
    "a queue's event": {"Records": [{"eventSource": "aws:sqs"}]},
    "a warm-up": {"source": "serverless-plugin-warmup"},
    "a test by hand": {"key1": "value1", "key2": "value2"},
    "a check of a configuration": {"version": "1.0", "invokingEvent": "{}", "eventLeftScope": False},
    "a trigger of a user pool": {"version": "2", "triggerSource": "PreSignUp_SignUp", "request": {}},
    "a socket's event": {"requestContext": {"eventType": "CONNECT", "connectionId": "c"}, "headers": {}},
    "a token authorizer's event": {"type": "TOKEN", "authorizationToken": "t", "methodArn": "arn:aws:x"},
}


@pytest.mark.parametrize("event", OTHER_EVENTS.values(), ids=OTHER_EVENTS)
def test_an_event_that_is_no_request_has_no_source(event: Any) -> None:
    assert source_of(event) is None


UNKNOWN_EVENTS = {
    "a payload of the future": {"version": "3.0", "httpMethod": "GET", "path": "/"},
    "a method and a path": {"method": "GET", "path": "/"},
    "a query": {"queryStringParameters": None},
}


@pytest.mark.parametrize("event", UNKNOWN_EVENTS.values(), ids=UNKNOWN_EVENTS)
def test_an_unknown_event_is_a_bad_request_answered_as_a_rest_api(event: Any) -> None:
    source = source_of(event)
    assert source is UNKNOWN
    assert source is not None
    with pytest.raises(BadRequest):
        source.to_request(event, CONTEXT)
    assert source.to_response(Response(400, {"content-type": "text/plain"}, b"no"), event) == {
        "statusCode": 400,
        "headers": {"content-type": "text/plain"},
        "body": "no",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"rawUrl": "/todo", "verb": "GET"}, id="neither version nor httpMethod"),
        pytest.param({**HTTP_2, "requestContext": {"gatewayArn": "arn:aws:x"}}, id="payload 2.0"),
    ],
)
def test_a_further_source_is_asked_in_its_turn(event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one would be whose events have no `httpMethod`."""

    class Further(RestApi):
        def matches(self, event: Any) -> bool:
            return "rawUrl" in event or "gatewayArn" in event["requestContext"]

    further = Further()
    monkeypatch.setattr(lookup, "SOURCES", (further, *lookup.SOURCES))
    assert source_of(event) is further
    assert [source_of(EVENTS[form]) is further for form in ("rest", "alb")] == [False, False]


MALFORMED = {
    "headers are a list": REST | {"multiValueHeaders": [1]},
    "a header is a number": HTTP_2 | {"headers": {"a": 1}},
    "a header's values are text": REST | {"multiValueHeaders": {"a": "b"}},
    "a header's value is a list": REST | {"multiValueHeaders": {"a": [["b"]]}},
    "a header holds a surrogate": HTTP_2 | {"headers": {"a": "\ud800"}},
    "a cookie is a number": HTTP_2 | {"cookies": [1]},
    "cookies are text": HTTP_2 | {"cookies": "a=1"},
    "the raw query is a number": HTTP_2 | {"rawQueryString": 7},
    "the raw query holds a surrogate": HTTP_2 | {"rawQueryString": "a=\ud800"},
    "a parameter is an object": ALB | {"queryStringParameters": {"a": {}}},
    "the path is null": REST | {"path": None},
    "the path is a number": HTTP_1 | {"path": 7},
    "the path holds a surrogate": HTTP_2 | {"rawPath": "/\ud800"},
    "the method is null": REST | {"httpMethod": None},
    "the method is absent": HTTP_2 | {"requestContext": {"http": {}}},
    "http is text": HTTP_2 | {"requestContext": {"http": "GET"}},
    "the context is null": HTTP_2 | {"requestContext": None},
    "the context is text": URL | {"requestContext": "x"},
    "the body is an object": REST | {"body": {"text": "milk"}},
}


@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_a_bad_request(event: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        read(event)
    json.dumps(caught.value.detail, ensure_ascii=False).encode()  # the detail itself can be sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, *place: Any) -> Iterator[tuple[Any, ...]]:
    yield place
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield from places(inner, *place, name)


def put(event: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    return event | {place[0]: put(event[place[0]], place[1:], value)}


PLACES = [(form, place) for form, event in EVENTS.items() for place in places(event)]


@given(st.sampled_from(PLACES), JSON)
@example(("rest", ("multiValueHeaders",)), {"\ud800": 7})
@example(("url", ("requestContext", "domainName")), None)
def test_any_json_anywhere_in_an_event_is_a_request_or_a_clean_refusal(
    place: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    event = put(EVENTS[place[0]], place[1], value)
    source = source_of(event)
    if source is None:
        return
    with suppress(HTTPError):
        request = source.to_request(event, CONTEXT)
        assert isinstance(hash((request.method, request.segments, request.id, request.prefix)), int)
    answer = source.to_response(Response(200, {}, b"ok"), event)
    assert (answer["statusCode"], answer["body"]) == (200, "ok")
    assert request_id(event, CONTEXT).encode()


ANSWER = Response(200, {"content-type": "application/json", "set-cookie": "a=1"}, '{"k":"ä"}'.encode())
COMMON = {"statusCode": 200, "body": '{"k":"ä"}', "isBase64Encoded": False}
HEADERS = {"content-type": "application/json", "set-cookie": "a=1"}
ONE_EACH = {"headers": HEADERS}
APART = {"headers": {"content-type": "application/json"}, "cookies": ["a=1"]}
DESCRIBED = {"statusDescription": "200 OK"}
FORMS = {
    "rest": COMMON | ONE_EACH,
    "http 1.0": COMMON | ONE_EACH,
    "http 2.0": COMMON | APART,
    "url": COMMON | APART,
    "alb": COMMON | ONE_EACH | DESCRIBED,
    "lattice 1.0": COMMON | ONE_EACH | DESCRIBED,
    "lattice 2.0": COMMON | ONE_EACH | DESCRIBED,
    "alb multi": COMMON
    | DESCRIBED
    | {"multiValueHeaders": {name: [value] for name, value in HEADERS.items()}},
}


def answer(form: str, response: Response) -> dict[str, Any]:
    source = source_of(EVENTS[form])
    assert source is not None
    return source.to_response(response, EVENTS[form])


@every_source
def test_each_source_gets_its_form_of_the_same_answer(form: str) -> None:
    assert answer(form, ANSWER) == FORMS[form]
    json.dumps(answer(form, ANSWER))


@every_source
@pytest.mark.parametrize("body", [b"\xff\x00", b"\x89PNG\r\n"], ids=repr)
def test_a_body_that_is_not_text_goes_out_in_base64(form: str, body: bytes) -> None:
    written = answer(form, Response(200, {}, body))
    assert (base64.b64decode(written["body"], validate=True), written["isBase64Encoded"]) == (body, True)


@every_source
def test_an_empty_body_stays_empty(form: str) -> None:
    written = answer(form, Response(204))
    assert (written["body"], written["isBase64Encoded"]) == ("", False)


@every_source
@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("location", "/todo/1\r\nset-cookie: a=1", {"location": "/todo/1set-cookie: a=1"}),
        ("x-a", "a\x00b\tc\x7f", {"x-a": "abc"}),
        ("x-a", "ä\u2028€", {"x-a": "???"}),
        ("x-a", "\ud800", {"x-a": "?"}),
        ("X-A: b\r\nx-b", "c", {"x-abx-b": "c"}),
    ],
)
def test_no_header_smuggles_another(form: str, name: str, value: str, written: dict[str, str]) -> None:
    response = answer(form, Response(200, {name: value}))
    lists = response.get("multiValueHeaders", {})
    assert (response.get("headers") or {name: value for name, (value,) in lists.items()}) == written


@pytest.mark.parametrize(
    ("status", "description"), [(201, "201 Created"), (404, "404 Not Found"), (299, "299 Unknown")]
)
def test_a_load_balancer_gets_a_status_description(status: int, description: str) -> None:
    assert answer("alb", Response(status))["statusDescription"] == description


def test_a_blank_that_a_local_rest_api_decoded_is_fine() -> None:
    """``sam local start-api`` sends a REST path decoded, and its resource as the context's path."""
    event = make_event("GET", "/todo/b%20x") | {"path": "/todo/b x"}
    event["requestContext"] |= {"path": "/todo/{uuid}", "stage": "v1"}
    request = read(event)
    assert (request.path, request.segments, request.prefix) == ("/todo/b x", ("todo", "b x"), "")


# --- the samples for `sam local invoke` ---------------------------------------------------------------------

SAMPLES = Path(__file__).parents[2] / "events"
STATUS = {"create": 201, "list": 200, "retrieve": 200, "update": 200, "replace": 200, "delete": 204}
SOURCES = ("rest", "http", "url", "alb", "lattice")


@pytest.mark.parametrize("verb", STATUS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_sample_of_each_source_and_verb_is_answered(dynamodb: None, source: str, verb: str) -> None:
    event = json.loads((SAMPLES / f"{source}-{verb}.json").read_text())
    Todo.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Todo("alice", "3f0e4a52-7a5c-4c1e-9d55-0d9f4c1b2a10", text="Buy milk").save()
    status = handler(event, FakeContext())["statusCode"]
    Todo.delete_table()
    found = source_of(event)
    assert found is not None
    assert (found.name, status) == (source, STATUS[verb])


def test_there_are_no_other_samples() -> None:
    names = {f"{source}-{verb}.json" for source in SOURCES for verb in STATUS}
    assert {file.name for file in SAMPLES.iterdir()} == names
