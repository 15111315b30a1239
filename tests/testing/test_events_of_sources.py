"""What the client sends arrives through every source, and what the handler answers comes back."""

import json
from pathlib import Path
from typing import Any

import pytest

from polymicro_lambda import testing
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import request_id, source_of
from polymicro_lambda.http.responses import Response, json_response, problem_response
from polymicro_lambda.http.users import User
from polymicro_lambda.testing import Client, FakeClock, FakeContext, make_event

FORMS: dict[str, dict[str, Any]] = {
    "rest": {"source": "rest"},
    "rest, staged": {"source": "rest", "stage": "prod"},
    "http 2.0": {"source": "http"},
    "http 2.0, staged": {"source": "http", "stage": "prod"},
    "http 1.0": {"source": "http", "payload": "1.0"},
    "http 1.0, staged": {"source": "http", "payload": "1.0", "stage": "prod"},
    "url": {"source": "url"},
    "alb multi": {"source": "alb"},
    "alb single": {"source": "alb", "multi_value": False},
    "lattice 2.0": {"source": "lattice"},
    "lattice 1.0": {"source": "lattice", "payload": "1.0"},
}
ONE_VALUE = ("alb single", "lattice 1.0")
"""The forms that have one value for each name."""
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
ALICE = User(
    "alice", frozenset({"administrator", "may read, write"}), frozenset({"a", "b"}), {"tenant": "acme"}
)


def echo(event: Any, context: Any) -> dict[str, Any]:
    """A handler as small as can be: it answers with what it was asked."""
    source = source_of(event)
    assert source is not None
    try:
        request = source.to_request(event, context)
    except HTTPError as error:
        return source.to_response(problem_response(error, request_id(event, context)), event)
    said = {
        "method": request.method,
        "segments": request.segments,
        "query": request.query,
        "body": request.body.hex(),
        "type": request.headers.get("content-type"),
        "cookie": request.headers.get("cookie"),
        "user": request.user and request.user.uuid,
        "id": request.id,
    }
    return source.to_response(json_response(200, said, {"x-prefix": request.prefix}), event)


@every_form
def test_the_same_request_gives_the_same_bytes_out_of_each_source(form: dict[str, Any]) -> None:
    result = Client(echo, user=ALICE).post(
        "/todo/b%20%C3%A4%25/",
        json={"text": "ä"},
        query="a=1%2C2&b=+z&c",
        headers={"Cookie": "c1=v1; c2=v2"},
        request_id="r-1",
        **form,
    )
    assert (
        result.body
        == (
            '{"method":"POST","segments":["todo","b ä%"],"query":{"a":["1,2"],"b":[" z"],"c":[""]},'
            '"body":"7b2274657874223a22c3a4227d","type":"application/json","cookie":"c1=v1; c2=v2",'
            '"user":"alice","id":"r-1"}'
        ).encode()
    )
    assert (result.status, result.headers) == (
        200,
        {"content-type": "application/json", "x-prefix": "/prod" if "stage" in form else ""},
    )


@every_form
def test_a_user_arrives_with_permissions_and_groups(form: dict[str, Any]) -> None:
    event = make_event("GET", "/todo", user=ALICE, **form)
    user = source_of(event).to_request(event, None).user
    assert (user.uuid, user.permissions, user.groups) == (ALICE.uuid, ALICE.permissions, ALICE.groups)
    assert user.claims == {
        "tenant": "acme",
        "principalId": "alice",
        "uuid": "alice",
        "permissions": '["administrator", "may read, write"]',
        "groups": '["a", "b"]',
    }


@every_form
def test_nobody_is_nobody(form: dict[str, Any]) -> None:
    event = make_event("GET", "/todo", **form)
    assert source_of(event).to_request(event, None).user is None


@every_form
@pytest.mark.parametrize("body", [None, b"", "", b"\xff\x00", "ä", b'{"a":1}'], ids=repr)
def test_a_body_arrives_as_it_was(form: dict[str, Any], body: str | bytes | None) -> None:
    event = make_event("POST", "/todo", body=body, **form)
    request = source_of(event).to_request(event, None)
    assert request.body == (body.encode() if isinstance(body, str) else body or b"")
    assert request.base64_encoded is (body == b"\xff\x00")


@every_form
@pytest.mark.parametrize("path", ["/todo//", "/todo/../x", "/todo/%2e%2E"])
def test_hidden_paths_are_the_same_problem_everywhere(form: dict[str, Any], path: str) -> None:
    result = Client(echo).get(path, request_id="r-1", **form)
    assert (result.status, result.json) == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is nothing at this path.",
            "instance": "r-1",
        },
    )


@pytest.mark.parametrize("form", [FORMS[name] for name in FORMS if name not in ONE_VALUE])
def test_repeated_parameters_keep_their_order(form: dict[str, Any]) -> None:
    """Sources that send single values drop all but the last."""
    pairs = [("a", "2"), ("b", "x"), ("a", "1")]
    assert Client(echo).get("/todo", query=pairs, **form).json["query"] == {"a": ["2", "1"], "b": ["x"]}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/todo", "a=1&a=2&b=x%20y"),
        ("/todo", {"a": [1, 2], "b": "x y"}),
        ("/todo", [("a", "1"), ("a", "2"), ("b", "x y")]),
        ("/todo?a=1&a=2&b=x+y", ()),
    ],
    ids=["raw", "mapping", "pairs", "in the path"],
)
def test_a_query_can_be_said_in_many_ways(path: str, query: Any) -> None:
    assert Client(echo).get(path, query=query).json["query"] == {"a": ["1", "2"], "b": ["x y"]}


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("rest", "/todo/b%20%C3%A4"),
        ("http 2.0", "/todo/b ä"),
        ("http 1.0", "/todo/b ä"),
        ("url", "/todo/b%20%C3%A4"),
        ("alb multi", "/todo/b%20%C3%A4"),
    ],
)
@pytest.mark.parametrize("url", ["/todo/b%20%C3%A4", "/todo/b ä"], ids=["encoded", "typed"])
def test_each_source_has_the_path_in_its_own_form(form: str, path: str, url: str) -> None:
    event = make_event("GET", url, **FORMS[form])
    assert event.get("rawPath", event.get("path")) == path


def test_a_rest_api_has_nulls_for_what_there_is_none_of() -> None:
    event = make_event("GET", "/todo")
    names = ("queryStringParameters", "multiValueQueryStringParameters", "body")
    assert [event[name] for name in names] == [None, None, None]
    assert "authorizer" not in event["requestContext"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("rest", {"authorizer": {"uuid": "a", "n": "7", "flag": "true"}}),
        ("http 1.0", {"authorizer": {"uuid": "a", "n": "7", "flag": "true"}}),
        ("http 2.0", {"authorizer": {"lambda": {"uuid": "a", "n": 7, "flag": True}}}),
        ("url", {"authorizer": {"lambda": {"uuid": "a", "n": 7, "flag": True}}}),
        ("alb multi", {"authorizer": {"uuid": "a", "n": 7, "flag": True}}),
    ],
)
def test_an_authorizers_context_stands_where_the_source_has_it(form: str, said: dict[str, Any]) -> None:
    event = make_event("GET", "/todo", authorizer={"uuid": "a", "n": 7, "flag": True}, **FORMS[form])
    assert {"authorizer": event["requestContext"]["authorizer"]} == said


@every_form
def test_an_event_is_json(form: dict[str, Any]) -> None:
    event = make_event("POST", "/todo", user=ALICE, body=b"\xff", query="a=1", **form)
    assert json.loads(json.dumps(event)) == event


def test_an_unknown_source_is_an_error() -> None:
    with pytest.raises(KeyError, match="smtp"):
        make_event("GET", "/", source="smtp")


def test_the_clients_verbs_are_methods() -> None:
    client = Client(echo)
    verbs = ("get", "post", "put", "patch", "delete", "head", "options")
    sent = [getattr(client, verb)("/todo").event["httpMethod"] for verb in verbs]
    assert sent == ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def test_a_request_can_say_another_user_or_source_than_the_client() -> None:
    client = Client(echo, user=ALICE, source="url")
    assert client.get("/todo").json["user"] == "alice"
    assert client.get("/todo", user=User("bob")).json["user"] == "bob"
    assert client.get("/todo", user=None).json["user"] is None
    assert "elb" in client.get("/todo", source="alb").event["requestContext"]


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        ({"json": None}, b"null", "application/json"),
        (
            {"json": {"a": 1}, "headers": {"content-type": "application/merge-patch+json"}},
            b'{"a":1}',
            "application/merge-patch+json",
        ),
        ({"body": "a=1"}, b"a=1", None),
        ({}, b"", None),
    ],
    ids=["null", "own type", "text", "none"],
)
def test_json_is_a_body_with_its_type(options: dict[str, Any], body: bytes, kind: str | None) -> None:
    said = Client(echo).post("/todo", **options).json
    assert (bytes.fromhex(said["body"]), said["type"]) == (body, kind)


class App:
    """Something to compile."""

    def __init__(self) -> None:
        self.compiled = 0

    def compile(self) -> Any:
        self.compiled += 1
        return echo


def test_an_app_is_compiled_once_and_late() -> None:
    app = App()
    client = Client(app)
    assert app.compiled == 0
    assert [client.get("/todo").status, client.get("/todo").status, app.compiled] == [200, 200, 1]


@every_form
def test_a_result_gives_bytes_text_and_headers(form: dict[str, Any]) -> None:
    def answer(event: Any, context: Any) -> dict[str, Any]:
        body = b"\xff\x00" if event.get("body") else "ä".encode()
        return source_of(event).to_response(Response(201, {"X-A": "b", "Set-Cookie": "a=1"}, body), event)

    text, binary = Client(answer).get("/", **form), Client(answer).post("/", body="x", **form)
    assert (text.status, text.headers, text.text) == (201, {"x-a": "b", "set-cookie": "a=1"}, "ä")
    assert (text.headers["X-A"], text.headers.get("Set-Cookie"), "X-A" in text.headers) == ("b", "a=1", True)
    assert (text.headers.get("X-B"), "X-B" in text.headers) == (None, False)
    with pytest.raises(KeyError, match="x-b"):
        text.headers["X-B"]
    assert (binary.body, binary.response["isBase64Encoded"]) == (b"\xff\x00", True)


def test_the_context_counts_down_to_its_deadline() -> None:
    now = [100.0]
    context = FakeContext(timeout=2, clock=lambda: now[0])
    seen = [context.get_remaining_time_in_millis()]
    now[0] = 101.75
    seen.append(context.get_remaining_time_in_millis())
    context.deadline = 103
    seen.append(context.get_remaining_time_in_millis())
    now[0] = 200
    seen.append(context.get_remaining_time_in_millis())
    assert seen == [2000, 250, 1250, 0]


def test_the_handler_gets_a_context() -> None:
    contexts = []

    def keep(event: Any, context: Any) -> dict[str, Any]:
        contexts.append(context)
        return {"statusCode": 200}

    own = FakeContext(aws_request_id="mine")
    Client(keep).get("/")
    Client(keep).get("/", context=own)
    assert [type(context) for context in contexts] == [FakeContext, FakeContext]
    assert contexts[1] is own


PAGES = {"": ("a", "b"), "2": ("c",), "3": ()}
AFTER = {"": "2", "2": "3"}


def paged(event: Any, context: Any) -> dict[str, Any]:
    """Three pages, the last one empty."""
    source = source_of(event)
    request = source.to_request(event, context)
    key = request.query.get("pagination_key", [""])[0]
    link = {"link": f'<?limit=2&pagination_key={AFTER[key]}>; rel="next"'} if key in AFTER else {}
    body = {"items": list(PAGES[key]), "user": request.user and request.user.uuid}
    return source.to_response(json_response(200, body, link), event)


def loop(event: Any, context: Any) -> dict[str, Any]:
    """A page that leads to itself."""
    headers = {"link": '<?pagination_key=1>; rel="next"'}
    return source_of(event).to_response(json_response(200, {"items": []}, headers), event)


def refusing(event: Any, context: Any) -> dict[str, Any]:
    """A handler that refuses at length."""
    return source_of(event).to_response(json_response(403, "no" * 400), event)


@every_form
def test_a_client_follows_the_pages_of_a_list(form: dict[str, Any]) -> None:
    client = Client(paged, user=ALICE, **form)
    assert list(client.items("/todo?limit=2")) == ["a", "b", "c"]
    assert [page.json["items"] for page in client.pages("/todo", query={"limit": 2})] == [
        ["a", "b"],
        ["c"],
        [],
    ]
    assert {page.json["user"] for page in client.pages("/todo", user=User("bob"))} == {"bob"}


def test_a_page_that_leads_to_itself_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="leads to itself: <GET /todo: 200 OK"):
        list(Client(loop).pages("/todo"))


def test_a_result_says_what_was_asked_and_what_came() -> None:
    result = Client(refusing).get("/todo")
    said = f'<GET /todo: 403 Forbidden "{"no" * 249}n…>'
    assert repr(result) == said
    with pytest.raises(AssertionError) as caught:
        result.raise_for_status()
    assert str(caught.value) == said
    with pytest.raises(AssertionError):
        list(Client(refusing).items("/todo"))


def test_a_result_that_is_no_error_is_given_back() -> None:
    result = Client(paged).get("/todo")
    assert result.raise_for_status() is result


def test_a_client_becomes_another_users() -> None:
    client = Client(echo, source="alb", headers={"Cookie": "c=1"}, user=ALICE)
    said = client.as_(User("bob")).get("/todo", headers={"X-Other": "1"})
    assert (said.json["user"], said.json["cookie"], "multiValueHeaders" in said.event) == ("bob", "c=1", True)
    assert client.as_(None).get("/todo").json["user"] is None
    assert client.as_(None).handler is client.handler


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock()
    context = FakeContext(clock=clock)
    assert context.get_remaining_time_in_millis() == 29_000
    clock.advance(28.5)
    assert (clock(), context.get_remaining_time_in_millis()) == (28.5, 500)
    clock.advance(1)
    assert context.get_remaining_time_in_millis() == 0
    with pytest.raises(ValueError, match=r"advance\(-1\)"):
        clock.advance(-1)


def test_public_names_are_sorted_and_told_of() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    documented = {name for name in testing.__all__ if name.isupper() or getattr(testing, name).__doc__}
    told = [name for name in testing.__all__ if f"`{name}" in guide and name in documented]
    assert testing.__all__ == sorted(testing.__all__) == told
