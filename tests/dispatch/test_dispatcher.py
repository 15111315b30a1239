"""The way of a request: what is asked in which order, and what is on every answer."""

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from contract import counted
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    HasPermission,
    Idempotency,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.dispatch import asks_for_user
from polymicro_lambda.exceptions import ServiceUnavailable
from polymicro_lambda.rules.algebra import rule_from
from polymicro_lambda.rules.context import Method
from polymicro_lambda.testing import Client, Result, make_event

HIDDEN = "secret"
ALICE = User("alice", frozenset({"write"}))
ALWAYS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
PROBLEM = ALWAYS | {"content-type": "application/problem+json"}
JSON = ALWAYS | {"content-type": "application/json"}


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


class Looking(Permission):
    """Notes what it is asked, and lets in whom the request names."""

    anonymous = True
    asked: list[Any] = []  # noqa: RUF012 - for all

    def has_permission(self, user: Any, method: Method, request: Any) -> bool:
        self.asked.append((user, str(method), method.http, dict(request.path_params), request.user))
        return user is None or "x-out" not in request.headers


def seen() -> list[Any]:
    """What was asked, users by their ids."""
    return [tuple(getattr(value, "uuid", value) for value in each) for each in Looking.asked]


class Closed(Permission):
    """Asks for the request, and lets nobody in."""

    def has_permission(self, user: Any, method: Method, request: Any) -> bool:
        return False


class Broken(Permission):
    def has_permission(self, user: Any, method: Method) -> bool:
        raise LookupError


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Note
    route = "notes"
    permissions = AllowAny

    def list(self, request: Any) -> Any:
        return (
            {"user": str(request.user), "path": request.path},
            200,
            {"cache-control": "max-age=60"} if "x-say" in request.headers else {},
        )

    def create(self, req: Any) -> Any:
        return {"made": req["id"]}, 201

    @action(detail=False)
    def fail(self, req: Any) -> Any:
        raise KeyError(HIDDEN)

    @action(detail=False)
    def busy(self, req: Any) -> Any:
        raise ServiceUnavailable("Come back.") from ValueError(HIDDEN)

    @action(detail=False)
    def away(self, req: Any) -> Any:
        raise ConnectTimeoutError(endpoint_url=HIDDEN)

    @action(detail=False)
    def late(self, req: Any) -> Any:
        raise ServiceUnavailable("Come back.")

    @action(detail=False, methods=("DELETE",))
    def gone(self) -> Any:
        return {"not": "sent"}, 204

    @action(detail=False)
    def reset(self, req: Any) -> Any:
        return {"not": "sent"}, 205


def make(*, rule: Any = AllowAny, **settings: Any) -> Client:
    pm = PolyMicro(**{"cursor_secret": "s"} | settings)
    type("Notes", (Notes,), {"permissions": rule})(pm)
    return Client(pm, request_id="r-1")


def whole(result: Result) -> tuple[int, dict[str, str], Any]:
    return result.status, dict(result.headers), json.loads(result.body) if result.body else b""


def error(status: int, title: str, detail: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "r-1"}
    return status, PROBLEM | headers, body


ITEM = "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
NEEDS = "This needs a user: send credentials that the authorizer accepts."
ACCEPT = "This API answers with application/json: accept that, or send no Accept header."
FAULT = "This is our fault; the log says more under the request id in instance."


REFUSED = error(405, "Method Not Allowed", f"This path serves {ITEM}.", allow=ITEM)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(("GET", "/notes"), (200, JSON, {"user": "None", "path": "/notes"}), id="list"),
        pytest.param(("HEAD", "/notes"), (200, JSON, b""), id="head"),
        pytest.param(("HEAD", "/nowhere"), (404, PROBLEM, b""), id="head of an error"),
        pytest.param(("POST", "/notes", {"json": {"id": "a"}}), (201, JSON, {"made": "a"}), id="create"),
        pytest.param(("DELETE", "/notes/gone"), (204, JSON, b""), id="delete"),
        pytest.param(("POST", "/notes/reset"), (205, JSON, b""), id="a status without a body"),
        pytest.param(
            ("GET", "/notes", {"headers": {"x-say": "1"}}),
            (200, JSON | {"cache-control": "max-age=60"}, {"user": "None", "path": "/notes"}),
            id="a header that is said",
        ),
        pytest.param(("OPTIONS", "/notes/a"), (204, ALWAYS | {"allow": ITEM}, b""), id="options"),
        pytest.param(
            ("POST", "/notes/a"), REFUSED, id="verb"
        ),
        pytest.param(
            ("BREW", "/notes/a"), REFUSED, id="no verb"
        ),
        pytest.param(
            ("POST", "/notes", {"json": {"id": "a"}, "headers": {"accept": "text/html"}}),
            error(406, "Not Acceptable", ACCEPT),
            id="accept",
        ),
        pytest.param(
            ("POST", "/notes", {"body": b"x", "headers": {"content-type": "text/plain"}}),
            error(415, "Unsupported Media Type", "Send the body as application/json in UTF-8."),
            id="type",
        ),
        pytest.param(
            ("POST", "/notes", {"json": {"id": "a" * 99}}),
            error(413, "Content Too Large", "The body may be at most 99 bytes."),
            id="size",
        ),
        pytest.param(
            ("POST", "/notes", {"body": b"", "headers": {"content-type": "application/json"}}),
            error(400, "Bad Request", "The body is empty: send a JSON object."),
            id="a body is needed",
        ),
        pytest.param(("POST", "/notes/fail"), error(500, "Internal Server Error", FAULT), id="an action's is not"),
        pytest.param(("POST", "/notes/late"), error(503, "Service Unavailable", "Come back."), id="one of ours"),
    ],
)  # fmt: skip
def test_answers(request_: Any, answer: Any) -> None:
    method, path, *more = request_
    assert whole(make(max_body=99).request(method, path, **(more[0] if more else {}))) == answer


@pytest.mark.parametrize(
    ("rule", "user", "answer"),
    [
        pytest.param(
            IsAuthenticated,
            None,
            error(401, "Unauthorized", NEEDS, **{"www-authenticate": "Bearer"}),
            id="401",
        ),
        pytest.param(HasPermission("read"), ALICE, error(403, "Forbidden", "You may not do this."), id="403"),
        pytest.param(Broken, ALICE, error(500, "Internal Server Error", FAULT), id="a rule that breaks"),
    ],
)
def test_who_may_not(rule: Any, user: Any, answer: Any) -> None:
    """Before anything else is looked at: the body, what is accepted, the key."""
    client = make(rule=rule)
    bad = {"headers": {"accept": "text/html", "content-type": "text/html"}, "body": b"{"}
    with counted() as calls:
        for method, path in ("POST", "/notes"), ("PATCH", "/notes/%00"), ("POST", "/notes/fail"):
            assert whole(client.request(method, path, user=user, **bad)) == answer
        assert whole(client.get("/notes/a", user=user)) == answer
    assert calls == []


def test_what_is_no_event_has_its_request_id() -> None:
    event = make_event("GET", "/notes", request_id="r-1") | {"httpMethod": None}
    answer = make(cors="*").handler(event, None)
    document = json.loads(answer["body"])
    assert (answer["statusCode"], document["instance"], document["title"]) == (400, "r-1", "Bad Request")
    assert {n: one for n, one in answer["headers"].items() if not n.startswith("access-control-")} == PROBLEM
    assert answer["headers"]["access-control-allow-origin"] == "*"


def test_what_a_rule_sees_of_the_request() -> None:
    """Whose it is, the values of its path; and where they can be no key, it is not asked."""
    Looking.asked.clear()
    client = make(rule=Looking)
    assert client.get("/notes?x", user=ALICE).status == 200
    assert client.head("/notes", user=None).status == 200
    assert client.delete("/notes/a", user=ALICE, headers={"x-out": "1"}).status == 403
    assert seen() == [
        ("alice", "list", "GET", {}, "alice"),
        (None, "list", "GET", {}, None),
        ("alice", "delete", "DELETE", {"id": "a"}, "alice"),
    ]
    assert [client.delete("/notes/%00", user=user).status for user in (ALICE, None)] == [404, 404]
    assert len(Looking.asked) == 3


def test_whoever_is_asked_says_who_one_is() -> None:
    """Not for what is not found, nor for a preflight."""
    asked = []

    def known(request: Any) -> Any:
        asked.append(request.path)
        return "carol"

    client = make(req_user_func=known, cors="*")
    assert client.get("/notes", user=ALICE).json["user"] == "carol"
    for method, path in ("GET", "/nowhere"), ("POST", "/notes/a"), ("OPTIONS", "/notes"):
        client.request(method, path)
    assert asked == ["/notes"]


def test_a_rule_that_asks_for_the_request_is_not_asked_about_what_can_be_no_key() -> None:
    """By a user whom it might let in; without one nothing is said of the key."""
    client = make(rule=Closed)
    paths = "/notes/a", "/notes/%00"
    assert [client.get(path, user=ALICE).status for path in paths] == [403, 404]
    assert [client.get(path, user=None).status for path in paths] == [401, 401]


def test_a_preflight() -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    answer = make(cors="*").options("/notes/a", headers=headers).headers
    assert (answer["allow"], answer["access-control-allow-methods"]) == (ITEM, ITEM)


class Own(Model):
    class Meta:
        pass

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(null=True)


class Owns(ModelResource, Create, List, Retrieve, Update):
    model = Own
    route = "own"
    permissions = OwnedBy("owner")


def test_what_a_verb_is_served_with(dynamodb: None, table_name: str) -> None:
    """Rule, cursors of a user's, tags, and markers of what was done."""
    Own.Meta.table_name = table_name  # type: ignore[attr-defined]
    idempotency = Idempotency(table=f"{table_name}m")
    pm = PolyMicro(cursor_secret="s", idempotency=idempotency, user_id=lambda user: f"u-{user.uuid}")
    Owns(pm)
    client = Client(pm, user=ALICE)
    _ = client.handler
    for model in (Own, idempotency.model):
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    made = [
        client.post("/own", json={"id": name}, headers={"Idempotency-Key": f'"{name}"'}) for name in "aab"
    ]
    assert [each.headers.get("idempotency-replayed") for each in made] == [None, "true", None]
    assert [item["id"] for item in client.items("/own?limit=1")] == ["a", "b"]
    key = client.get("/own?limit=1").json["pagination_key"]
    assert client.get("/own", query={"pagination_key": key}, user=User("bob")).status == 400
    assert client.get("/own/a", user=User("bob")).status == 404
    tag = client.get("/own/a").headers["etag"]
    assert client.patch("/own/a", json={"text": "x"}, headers={"If-Match": tag}).status == 200
    assert client.patch("/own/a", json={"text": "y"}, headers={"If-Match": tag}).status == 412
    other = PolyMicro(cursor_secret="t")
    Owns(other)
    assert Client(other, user=ALICE).get("/own/b").headers["etag"] != client.get("/own/b").headers["etag"]


CAUSES = {
    "fail": ("KeyError", 500),
    "busy": ("ValueError", 503),
    "late": ("ServiceUnavailable", 503),
    "away": ("ConnectTimeoutError", 503),
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_fault_is_logged_with_its_cause(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "polymicro_lambda"):
        make().post(f"/notes/{name}")
    (record,) = caplog.records
    cause, status = CAUSES[name]
    assert record.exc_info is not None
    assert (record.levelname, record.getMessage(), record.exc_info[0].__name__, vars(record)["status"]) == (  # type: ignore[union-attr]
        "ERROR",
        f"Request failed: {cause}",
        cause,
        status,
    )
    assert HIDDEN not in caplog.text


def test_a_refusal_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "polymicro_lambda"):
        assert make().get("/nowhere").status == 404
    assert caplog.records == []


# --- pages ----------------------------------------------------------------------------------------------

PAGE = "GET, HEAD, OPTIONS"


def test_a_page() -> None:
    client = make(docs=True, cors="*")
    shown = client.get("/openapi.json")
    assert (shown.status, shown.json["openapi"][:3]) == (200, "3.1")
    head = client.head("/openapi.json")
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", shown.headers["content-type"])
    options = client.options(
        "/openapi.json", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    )
    assert (options.status, options.headers["allow"], options.headers["access-control-allow-methods"]) == (
        204,
        PAGE,
        PAGE,
    )
    refused = make(docs=True).post("/openapi.json")
    assert whole(refused) == error(405, "Method Not Allowed", f"This path serves {PAGE}.", allow=PAGE)
    assert client.get("/notes").status == 200


@pytest.mark.parametrize(("user", "status"), [(None, 401), (User("bob"), 403), (ALICE, 200)], ids=str)
def test_a_page_for_some(user: Any, status: int) -> None:
    client = make(docs=HasPermission("write"))
    assert client.get("/openapi.json", user=user).status == status


def test_a_pages_rule_sees_the_request() -> None:
    Looking.asked.clear()
    client = make(docs=Looking)
    assert client.get("/openapi.json", user=ALICE).status == 200
    assert client.get("/openapi.json", user=ALICE, headers={"x-out": "1"}).status == 403
    assert seen() == [("alice", "docs", "GET", {}, "alice")] * 2
    assert make(docs=Looking, req_user_func=lambda request: "carol").get("/openapi.json").status == 200
    assert seen()[-1] == ("carol", "docs", "GET", {}, "carol")


def test_a_page_is_told_of_by_its_path(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("test_dispatch")
    client = make(docs=True, logger=logger)
    with caplog.at_level(logging.INFO, "test_dispatch"):
        client.get("/openapi.json")
        client.get("/docs/swagger-ui.css")
        client.get("/notes")
        client.options("/notes/a")
        client.post("/notes/a")
        client.get("/nowhere")
    told = [
        (vars(record)["route"], vars(record)["verb"], list(vars(record)["phases"]))
        for record in caplog.records
    ]
    assert told == [
        ("/openapi.json", None, ["read", "route"]),
        ("/docs/swagger-ui.css", None, ["read", "route"]),
        ("/notes", "list", ["read", "route", "permit", "load", "verb", "dump"]),
        ("/notes/{id}", None, ["read", "route"]),
        ("/notes/{id}", None, ["read", "route"]),
        (None, None, ["read", "route"]),
    ]


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (AllowAny, False),
        (ReadOnly(anonymous=True), False),
        (IsAuthenticated, True),
        (HasPermission("a"), True),
    ],
)
def test_whether_a_page_asks_for_a_user(rule: Any, asks: bool) -> None:
    assert asks_for_user(rule_from(rule)) is asks
