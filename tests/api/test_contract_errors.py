"""The error table, row by row: the right status on every source, nothing written, nothing told that is secret."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from contract import (
    ALICE,
    BOB,
    FORMS,
    WRITES,
    Caller,
    allow,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    every_form,
    failing,
    resolved,
    stored,
    writes,
)
from pynamodb.attributes import (
    BinaryAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.testing import FakeContext, make_event

JSON = {"Content-Type": "application/json"}


def app(model: type[Model], *, permissions: Any = AllowAny, verbs: Any = None, **options: Any) -> Caller:
    """A client of ``/things`` over a model."""
    pm = PolyMicro(**options)
    parts = verbs or (Create, Retrieve, Update, Delete)
    body = {"model": model, "route": "things", "permissions": permissions}
    type("Things", (ModelResource, *parts), body)(pm)
    return Caller(pm.compile(), user=ALICE)


def keyed(table_name: str, key: Any) -> type[Model]:
    """A model whose hash key is this attribute."""

    class Thing(Model):
        class Meta:
            pass

        id = key
        text = UnicodeAttribute(null=True)
        number = NumberAttribute(null=True)
        data: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]

    Thing.Meta.table_name = table_name  # type: ignore[attr-defined]
    return Thing


@pytest.fixture
def model(table_name: str) -> type[Model]:
    """A model without a table: whoever calls DynamoDB fails."""
    return keyed(table_name, UnicodeAttribute(hash_key=True))


@pytest.fixture
def things(dynamodb: None, model: type[Model]) -> type[Model]:
    """The same with its table."""
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return model


@pytest.fixture
def untouched(model: type[Model]) -> Iterator[Caller]:
    """A client of a model without a table, for what must end before any call."""
    with counted() as calls:
        yield app(model)
    assert calls == []


DEEP = 100_000
NO_JSON: dict[str, str | bytes | None] = {
    "none": None,
    "empty": "",
    "blank": " \n",
    "text": "milk",
    "cut off": '{"text":"x"',
    "two documents": '{"text":"x"}{}',
    "single quotes": "{'text':'x'}",
    "comment": '{"text":"x"/**/}',
    "trailing comma": '{"text":"x",}',
    "not UTF-8": b'{"text":"\xff"}',
    "UTF-16": '{"text":"x"}'.encode("utf-16"),
    "overlong UTF-8": b'{"text":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"text":"\xed\xa0\x80"}',
    "duplicate keys": '{"text":"x","text":"y"}',
    "duplicate keys, escaped": '{"text":"x","\\u0074ext":"y"}',
    "duplicate keys, nested": '{"data":{"a":1,"a":1}}',
    "NaN": '{"number":NaN}',
    "Infinity": '{"number":Infinity}',
    "-Infinity": '{"number":-Infinity}',
    "1e999": '{"number":1e999}',
    "deep lists": "[" * DEEP + "]" * DEEP,
    "deep lists, open": "[" * DEEP,
    "deep objects": '{"data":' * DEEP + "1" + "}" * DEEP,
    "control character": '{"text":"a\nb"}',
    "a list": "[]",
    "a list of items": '[{"text":"x"}]',
    "a string": '"x"',
    "a number": "1",
    "true": "true",
    "null": "null",
}
writing = pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/things"), ("PATCH", "/things/x"), ("PUT", "/things/x")],
    ids=["create", "merge", "replace"],
)


@writing
@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_a_body_that_is_no_json_object_is_400(untouched: Caller, method: str, path: str, body: Any) -> None:
    assert_problem(untouched.everywhere(method, path, body=body, headers=JSON), 400)


BAD_MEMBERS: dict[str, tuple[str, str]] = {
    "lone surrogate": ('"text":"\\ud800"', "#/text"),
    "lone surrogate in a name": ('"\\ud800":1', ""),
    "lone surrogate in a map": ('"data":{"\\ud800":1}', ""),
    "39 digits": ('"number":' + "1" * 39, "#/number"),
    "39 digits, fraction": ('"number":0.' + "1" * 39, "#/number"),
    "5000 digits": ('"number":' + "1" * 5000, "#/number"),
    "1e126": ('"number":1e126', "#/number"),
    "1e-131": ('"number":1e-131', "#/number"),
    "a number as text": ('"number":"1"', "#/number"),
    "a number as a boolean": ('"number":true', "#/number"),
    "a map that is a list": ('"data":[]', "#/data"),
    "33 levels in a map": ('"data":' + '{"a":' * 33 + "1" + "}" * 33, ""),
    "40 digits in a map": ('"data":{"a":' + "1" * 40 + "}", "#/data/a"),
    "unknown": ('"nope":1', "#/nope"),
    "unknown, without a name": ('"":1', "#/"),
    "unknown, like a private name": ('"__class__":1', "#/__class__"),
}


@writing
@pytest.mark.parametrize(("member", "place"), BAD_MEMBERS.values(), ids=BAD_MEMBERS)
def test_a_member_that_cannot_be_kept_is_422(
    untouched: Caller, method: str, path: str, member: str, place: str
) -> None:
    """An empty place stands for one that is not said here: which, the contract leaves open."""
    body = f'{{"id":"y",{member}}}' if method == "POST" else f"{{{member}}}"
    result = untouched.everywhere(method, path, body=body, headers=JSON)
    pointers = [error["pointer"] for error in result.json.get("errors", ())]
    assert len(pointers) == 1
    assert_problem(result, 422, place or pointers[0])


@pytest.mark.parametrize(
    "key",
    ["a\0b", "a\nb", "\x7f", "\ud800", "", "x" * 2049, "ü" * 1025, None, 1, [], {}],
    ids=lambda key: repr(key)[:12],
)
def test_a_body_whose_key_can_be_none_is_422(untouched: Caller, key: Any) -> None:
    assert_problem(
        untouched.everywhere("POST", "/things", body=json.dumps({"id": key}), headers=JSON), 422, "#/id"
    )


def test_a_body_without_its_key_is_422(untouched: Caller) -> None:
    assert_problem(untouched.everywhere("POST", "/things", body="{}", headers=JSON), 422, "#/id")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_update_cannot_name_the_key(untouched: Caller, method: str) -> None:
    assert_problem(untouched.everywhere(method, "/things/x", body='{"id":"x"}', headers=JSON), 422, "#/id")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("garbage", ["!!!", "YQ", "Y Q=", "YQ==YQ==", "ü", "eyJpZCI6IngifQ==x"])
def test_bad_base64_is_400(untouched: Caller, form: dict[str, Any], garbage: str) -> None:
    event = make_event("POST", "/things", headers=JSON, user=ALICE, body="{}", **form)
    event |= {"body": garbage, "isBase64Encoded": True}
    response = untouched.handler(event, FakeContext())
    assert response["statusCode"] == 400


@every_form
def test_base64_is_decoded(things: type[Model], table_name: str, form: dict[str, Any]) -> None:
    event = make_event("POST", "/things", headers=JSON, user=ALICE, body="{}", **form)
    encoded = "is_base64_encoded" if "raw_path" in event else "isBase64Encoded"
    event |= {"body": base64.b64encode('{"id":"ü"}'.encode()).decode(), encoded: True}
    assert app(things).handler(event, FakeContext())["statusCode"] == 201
    assert stored(table_name) == [{"id": {"S": "ü"}}]


NULLS = (
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "rawQueryString",
    "pathParameters",
    "stageVariables",
    "cookies",
    "body",
    "isBase64Encoded",
)


@every_form
def test_null_members_of_an_event_are_absent(
    things: type[Model], table_name: str, form: dict[str, Any]
) -> None:
    handler = app(things).handler
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "x"}})
    for null, method, status in (
        *((name, "GET", 200) for name in NULLS),
        ("body", "POST", 400),
        ("isBase64Encoded", "GET", 200),
    ):
        path = "/things" if method == "POST" else "/things/x"
        event = make_event(method, path, headers=JSON, body="{}" if method == "POST" else None, **form)
        if null in event:
            assert handler(event | {null: None}, FakeContext())["statusCode"] == status, null
    everything = make_event("GET", "/things/x", **form)
    everything |= {name: None for name in NULLS if name in everything}
    assert handler(everything, FakeContext())["statusCode"] == 200


@every_form
@pytest.mark.parametrize("absent", [True, False], ids=["absent", "null"])
def test_no_authorizer_is_nobody(model: type[Model], form: dict[str, Any], absent: bool) -> None:
    class Yes(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return True

    event = make_event("GET", "/things/x", headers={"Authorization": "Bearer x"}, **form)
    context = event.setdefault("requestContext", {})
    context.pop("authorizer", None)
    if not absent:
        context["authorizer"] = None
    with counted() as calls:
        assert app(model, permissions=Yes).handler(event, FakeContext())["statusCode"] == 401
    assert calls == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/xml"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "nonsense"}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 422),
        ({"Content-Type": "Application/JSON"}, 422),
        ({"Content-Type": "application/json", "Accept": "text/html"}, 406),
        ({"Content-Type": "application/json", "Accept": "application/json;q=0"}, 406),
        ({"Content-Type": "application/json", "Accept": "text/html, */*;q=0.1"}, 422),
        ({"Content-Type": "application/json", "Accept": "application/*"}, 422),
        ({"Content-Type": "application/json", "Accept": ""}, 422),
    ],
    ids=repr,
)
def test_media_types(untouched: Caller, headers: dict[str, str], status: int) -> None:
    result = untouched.everywhere("POST", "/things", body='{"nope":1}', headers=headers)
    assert_problem(result, status, *(("#/id", "#/nope") if status == 422 else ()))


def test_max_body_counts_decoded_bytes(model: type[Model]) -> None:
    """1 MiB unless said."""
    client = app(model, max_body=20)
    with counted() as calls:
        for body, status in (
            (" " * 21, 413),
            (" " * 20, 400),
            ("ü" * 11, 413),
            (b"\xff" * 21, 413),
            (b"\xff" * 20, 400),
        ):
            assert_problem(client.everywhere("POST", "/things", body=body, headers=JSON), status)
        for size, status in ((2**20 + 1, 413), (2**20, 400)):
            assert_problem(app(model).post("/things", body=" " * size, headers=JSON), status)
    assert calls == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_item_over_400_kb_is_413(things: type[Model], table_name: str, method: str) -> None:
    client = app(things)
    assert_problem(client.post("/things", json={"id": "x", "text": "t" * 410_000}), 413)
    assert stored(table_name) == []
    assert client.post("/things", json={"id": "x", "text": "t" * 300_000}).status == 201
    before = stored(table_name)
    assert_problem(client.request(method, "/things/x", json={"text": "t" * 410_000}), 413)
    more = {"data": {"a": "t" * 110_000}} | ({"text": "t" * 300_000} if method == "PUT" else {})
    assert_problem(client.request(method, "/things/x", json=more), 413)
    assert stored(table_name) == before


# --- paths


@pytest.mark.parametrize(
    "path",
    ["/", "/nope", "//things", "/things//", "//things/x", "/things//x", "/things/./x", "/things/../things", "/./things",
     "/../things", "/things/x/..", "/things/x/.", "/things/x/y", "/Things", "/things%2Fx/y", "/nope/x"],
)  # fmt: skip
@pytest.mark.parametrize("user", [ALICE, None], ids=["user", "nobody"])
def test_a_path_that_is_not_there_is_404(untouched: Caller, path: str, user: Any) -> None:
    for method in ("GET", "BREW", "OPTIONS"):
        assert_problem(untouched.everywhere(method, path, user=user), 404)


@pytest.mark.parametrize("path", ["/things/%2e", "/things/%2E%2E", "/things/%2e%2e/things"])
def test_an_escaped_dot_segment_is_404(untouched: Caller, path: str) -> None:
    assert_problem(untouched.everywhere("GET", path), 404)


@pytest.mark.parametrize("form", ["rest", "url", "alb-multi", "alb-single"])
@pytest.mark.parametrize(
    "path", ["/things/%zz", "/things/%", "/things/%f", "/things/%ff", "/things/%ed%a0%80"]
)
def test_a_bad_escape_is_400(untouched: Caller, path: str, form: str) -> None:
    if form == "url":  # a function URL sends its path decoded
        return
    assert_problem(untouched.get(path, **FORMS[form]), 400)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE", "HEAD"])
@pytest.mark.parametrize(
    "key",
    ["%00", "a%0Ab", "%1F", "%7F", "x" * 2049, "%C3%BC" * 1025],
    ids=["nul", "line feed", "unit separator", "delete", "too long", "too long in bytes"],
)
def test_what_can_be_no_key_is_404_and_costs_no_call(untouched: Caller, method: str, key: str) -> None:
    body: dict[str, Any] = {"json": {}} if method in {"PATCH", "PUT"} else {}
    result = untouched.everywhere(method, f"/things/{key}", **body)
    assert result.status == 404
    if method != "HEAD":
        assert_problem(result, 404)


OTHER_KEYS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "number": (
        NumberAttribute,
        ("x", "NaN", "Infinity", "1_000", "%201", "1%20", "%D9%A1", "0x1", "true", "--1",
         "1" * 39, "1e126", "1e999999999", "1" * 5000),
    ),
    "datetime": (
        UTCDateTimeAttribute,
        ("x", "2026", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "0001-01-01T00:00:00%2B14:00", "1735689600"),
    ),
    "binary": (
        lambda **options: BinaryAttribute(legacy_encoding=False, **options),
        ("x", "YQ==", "Y%20Q", "Y+Q", "%C3%BC", "Y", "YR"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "keys"), OTHER_KEYS.values(), ids=OTHER_KEYS)
def test_what_can_be_no_key_of_another_type(table_name: str, kind: Any, keys: tuple[str, ...]) -> None:
    client = app(keyed(table_name, kind(hash_key=True)))
    with counted() as calls:
        for key in keys:
            assert_problem(client.everywhere("GET", f"/things/{key}"), 404)
    assert calls == []


KEYS = (
    "a b", " a ", "a+b", "a%b", "a%20b", "%", "%25", "ü", "u\u0308", "日本", "\U0001f600", "a?b", "a#b", "a&b=c", "a;b",
    "a,b",
    "'", '"', "<b>", "\\", "{id}", "$", "...", "~", "a:b", "a@b", "x" * 2048, "\u00a0", "\u202e",
)  # fmt: skip


@every_form
def test_keys_come_back_as_they_went_in(things: type[Model], table_name: str, form: dict[str, Any]) -> None:
    """Each key's item is where ``Location`` says, and nowhere else."""
    client = app(things)
    for key in KEYS:
        made = client.post("/things", json={"id": key, "text": key}, **form)
        assert made.status == 201
        path = resolved(made, "/things")
        for address in (path, f"{path}/"):
            assert client.get(address, **form).json == {"id": key, "text": key, "number": None, "data": None}
    assert [item["id"]["S"] for item in stored(table_name)] == sorted(
        KEYS, key=lambda key: repr({"id": {"S": key}})
    )


def test_a_literal_segment_may_be_escaped(things: type[Model], table_name: str) -> None:
    """Decoded once: ``%74`` is a ``t``, ``%2574`` is not."""
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "x"}})
    client = app(things)
    assert client.everywhere("GET", "/%74hings/%78").json["id"] == "x"
    assert_problem(client.everywhere("GET", "/%2574hings/x"), 404)
    assert_problem(client.everywhere("GET", "/things/%2578"), 404)


@pytest.mark.parametrize("form", ["rest", "alb-multi", "alb-single"])
def test_a_slash_in_a_key(things: type[Model], form: str) -> None:
    client = app(things)
    path = resolved(client.post("/things", json={"id": "a/b"}, **FORMS[form]), "/things")
    assert path == "/things/a%2Fb"
    assert client.get(path, **FORMS[form]).json["id"] == "a/b"


TYPED_KEYS: dict[str, tuple[Any, Any, str]] = {
    "number": (NumberAttribute, 7, "7"),
    "a fraction": (NumberAttribute, -1.5, "-1.5"),
    "datetime": (UTCDateTimeAttribute, "2026-01-02T03:04:05.000006+00:00", "2026-01-02T03:04:05.000006Z"),
    "binary": (lambda **options: BinaryAttribute(legacy_encoding=False, **options), "+/+/AA==", "-_-_AA"),
}


@every_form
@pytest.mark.parametrize(("kind", "value", "segment"), TYPED_KEYS.values(), ids=TYPED_KEYS)
def test_keys_of_other_types(
    dynamodb: None, table_name: str, form: dict[str, Any], kind: Any, value: Any, segment: str
) -> None:
    model = keyed(table_name, kind(hash_key=True))
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    client = app(model)
    made = client.post("/things", json={"id": value}, **form)
    assert (made.status, made.json["id"]) == (201, value)
    assert client.get(resolved(made, "/things"), **form).json["id"] == value
    assert client.get(f"/things/{segment}", **form).json["id"] == value


def test_a_taken_key_is_409(things: type[Model], table_name: str) -> None:
    client = app(things)
    assert client.post("/things", json={"id": "x", "text": "first"}).status == 201
    assert_problem(client.everywhere("POST", "/things", json={"id": "x", "text": "second"}), 409)
    assert stored(table_name) == [{"id": {"S": "x"}, "text": {"S": "first"}}]


# --- several faults at once


class Therapists(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return "therapist" in user.permissions

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.text == user.uuid)


TEXT = {"Content-Type": "text/plain"}
NOBODY, OUTSIDER = None, BOB.__class__("eve")
ORDER: dict[str, tuple[str, str, Any, dict[str, str], str | None, int]] = {
    "path before verb": ("BREW", "/nope", NOBODY, TEXT, "{", 404),
    "verb before user": ("BREW", "/things", NOBODY, TEXT, "{", 405),
    "options before user": ("OPTIONS", "/things", NOBODY, TEXT, "{", 204),
    "user before role": ("POST", "/things", NOBODY, TEXT, "{", 401),
    "role before media type": ("POST", "/things", OUTSIDER, TEXT, "{", 403),
    "role before body": ("POST", "/things", OUTSIDER, JSON, "{", 403),
    "media type before size": ("POST", "/things", ALICE, TEXT, "x" * 101, 415),
    "media type before JSON": ("POST", "/things", ALICE, TEXT, "{", 415),
    "size before JSON": ("POST", "/things", ALICE, JSON, "x" * 101, 413),
    "JSON before a taken key": ("POST", "/things", ALICE, JSON, '{"id":"theirs"', 400),
    "schema before a taken key": ("POST", "/things", ALICE, JSON, '{"id":"theirs","no":1}', 422),
    "rule before a taken key": ("POST", "/things", ALICE, JSON, '{"id":"theirs","text":"bob"}', 403),
    "JSON before hidden": ("PATCH", "/things/theirs", ALICE, JSON, "{", 400),
    "schema before hidden": ("PATCH", "/things/theirs", ALICE, JSON, '{"no":1}', 422),
    "schema before missing": ("PUT", "/things/missing", ALICE, JSON, '{"no":1}', 422),
    "hidden before the new state": ("PATCH", "/things/theirs", ALICE, JSON, '{"text":"carol"}', 404),
}


@pytest.mark.parametrize(("method", "path", "user", "headers", "body", "status"), ORDER.values(), ids=ORDER)
def test_the_order_of_answers(
    things: type[Model],
    table_name: str,
    method: str,
    path: str,
    user: Any,
    headers: dict[str, str],
    body: str | None,
    status: int,
) -> None:
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "theirs"}, "text": {"S": "bob"}})
    before = stored(table_name)
    client = app(things, permissions=Therapists, max_body=100)
    result = client.everywhere(method, path, user=user, headers=headers, body=body)
    assert result.status == status, result.text
    assert stored(table_name) == before


# --- DynamoDB fails


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "canary arn:aws:dynamodb:us-east-1:123456789012:table/canary"},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "canary"},
        },
        "GetItem",
    )


def too_slow() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="https://canary")


FAILURES: dict[str, tuple[Exception, int]] = {
    "throughput": (client_error("ProvisionedThroughputExceededException"), 503),
    "throttling": (client_error("ThrottlingException"), 503),
    "request limit": (client_error("RequestLimitExceeded"), 503),
    "internal": (client_error("InternalServerError", 500), 503),
    "unavailable": (client_error("ServiceUnavailable", 503), 503),
    "connect timeout": (ConnectTimeoutError(endpoint_url="https://canary"), 503),
    "endpoint": (EndpointConnectionError(endpoint_url="https://canary"), 503),
    "read timeout": (too_slow(), 503),
    "connection closed": (ConnectionClosedError(endpoint_url="https://canary"), 503),
    "no table": (client_error("ResourceNotFoundException"), 500),
    "access denied": (client_error("AccessDeniedException"), 500),
    "expired token": (client_error("ExpiredTokenException"), 500),
    "unknown token": (client_error("UnrecognizedClientException"), 500),
    "no credentials": (NoCredentialsError(), 500),
    "validation": (client_error("ValidationException"), 500),
    "something new": (client_error("CanaryException"), 500),
}


@pytest.mark.parametrize(("error", "status"), FAILURES.values(), ids=FAILURES)
def test_a_failure_of_dynamodb(things: type[Model], table_name: str, error: Exception, status: int) -> None:
    class Listing(List):
        def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
            return things.query("x", last_evaluated_key=pagination_key, limit=limit)

    client = app(things, verbs=(Create, Listing, Retrieve, Update, Delete))
    requests: dict[tuple[str, str], Any] = {
        ("POST", "/things"): {"json": {"id": "new"}},
        ("GET", "/things"): {},
        ("GET", "/things/x"): {},
        ("PATCH", "/things/x"): {"json": {"text": "a"}},
        ("PUT", "/things/x"): {"json": {"text": "a"}},
        ("DELETE", "/things/x"): {},
    }
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "x"}})
    for (method, path), options in requests.items():
        with failing(error):
            result = client.request(method, path, **options)
        assert_problem(result, status)
        assert ("retry-after" in result.headers) == (status == 503)
    assert stored(table_name) == [{"id": {"S": "x"}}]


def test_a_missing_table_is_500(dynamodb: None, model: type[Model]) -> None:
    client = app(model)
    assert_problem(client.everywhere("GET", "/things/x"), 500)
    assert_problem(client.post("/things", json={"id": "x"}), 500)


@pytest.mark.parametrize(
    ("code", "status"),
    [("ItemCollectionSizeLimitExceededException", 507), ("TransactionConflictException", 409)],
)
def test_a_write_that_dynamodb_refuses(things: type[Model], code: str, status: int) -> None:
    with failing(client_error(code), on=WRITES):
        assert_problem(app(things).post("/things", json={"id": "x"}), status)


@pytest.mark.usefixtures("versions_from_1")
@pytest.mark.parametrize(
    "error", [too_slow(), ConnectionClosedError(endpoint_url="https://canary")], ids=["slow", "cut"]
)
def test_a_lost_answer_is_looked_up(dynamodb: None, table_name: str, error: Exception) -> None:
    """A create is ours if the item is what we wrote, a versioned update likewise, a delete if the item is gone."""

    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        version = VersionAttribute()

    create_table(Doc, table_name)
    client = app(Doc)
    with failing(error, late=True, on=WRITES):
        made = client.post("/things", json={"id": "x", "text": "a"})
    assert (made.status, made.json) == (201, {"id": "x", "text": "a", "version": 1})
    with failing(error, late=True, on=WRITES):
        patched = client.patch("/things/x", json={"text": "b"})
    assert (patched.status, patched.json) == (200, {"id": "x", "text": "b", "version": 2})
    with failing(error, late=True, on=WRITES):
        assert client.delete("/things/x").status == 204
    assert stored(table_name) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/things"), ("PATCH", "/things/x"), ("PUT", "/things/x"), ("DELETE", "/things/x")],
)
def test_no_write_starts_with_too_little_time_left(
    things: type[Model], table_name: str, method: str, path: str
) -> None:
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "x"}})
    before = stored(table_name)
    options = (
        {} if method == "DELETE" else {"json": {"text": "a"} | ({"id": "y"} if method == "POST" else {})}
    )
    context = FakeContext(timeout=1.4, aws_request_id="r-1")
    with counted() as calls:
        result = app(things).request(method, path, context=context, **options)
    assert_problem(result, 503)
    assert "retry-after" in result.headers
    assert (writes(calls), stored(table_name)) == ([], before)


@pytest.mark.parametrize("raw", [{"N": "1"}, {"BOOL": True}, {"L": []}], ids=["number", "boolean", "list"])
def test_a_poison_row_is_500_and_left_out_of_a_list(dynamodb: None, table_name: str, raw: Any) -> None:
    class Row(Model):
        class Meta:
            pass

        group = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        due = UTCDateTimeAttribute(null=True)

    create_table(Row, table_name)

    class Listing(List):
        def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
            return Row.query("g", last_evaluated_key=pagination_key, limit=limit)

    for name, due in (("a", None), ("b", raw), ("c", None)):
        item = {"group": {"S": "g"}, "id": {"S": name}} | ({"due": due} if due else {})
        dynamodb_call("put_item", TableName=table_name, Item=item)
    client = app(Row, verbs=(Listing, Retrieve))
    assert_problem(client.everywhere("GET", "/things/g/b"), 500)
    listed = client.get("/things")
    assert (listed.status, [item["id"] for item in listed.json["items"]]) == (200, ["a", "c"])


class Broken(Retrieve):
    def retrieve(self, instance: Any, user: Any) -> Any:
        raise RuntimeError("canary")


class Unserialisable(Retrieve):
    def retrieve(self, instance: Any, user: Any) -> Any:
        return object()


@pytest.mark.parametrize("verb", [Broken, Unserialisable])
def test_a_bug_in_a_verb_is_500(things: type[Model], table_name: str, verb: Any) -> None:
    dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": "x"}})
    assert_problem(app(things, verbs=(verb,)).everywhere("GET", "/things/x"), 500)


def test_a_405_of_what_is_not_mixed_in(things: type[Model]) -> None:
    client = app(things, verbs=(Retrieve,))
    for method in ("PATCH", "PUT", "DELETE", "POST"):
        result = client.everywhere(method, "/things/x")
        assert_problem(result, 405)
        assert allow(result) == {"GET", "HEAD", "OPTIONS"}
    assert_problem(client.everywhere("GET", "/things"), 404)


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": None, "path": None},
        {"version": "2.0", "rawPath": None},
        {"version": "2.0", "requestContext": None},
        {"version": "2.0", "method": "GET"},
        {"requestContext": {"elb": None}},
        {"queryStringParameters": {}},
        {"raw_path": None},
        {"method": "GET", "path": "/"},
    ],
    ids=repr,
)
def test_a_request_of_no_source_is_no_surprise(untouched: Caller, event: Any) -> None:
    """What looks like a request, and is none that can be read."""
    response = untouched.handler(event, FakeContext())
    assert (response["statusCode"], json.loads(response["body"])["title"]) == (400, "Bad Request")
