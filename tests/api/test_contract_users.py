"""Who makes the request, from what each authorizer says."""

from typing import Any

import pytest
from contract import ALICE, BOB, FORMS, Caller, assert_problem, counted, every_form
from pynamodb.attributes import UnicodeAttribute
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
    User,
    action,
)
from polymicro_lambda.testing import BAD_TOKEN, FakeContext, make_event


class Me(Model):
    class Meta:
        table_name = "never-there"

    id = UnicodeAttribute(hash_key=True)


class MeResource(ModelResource, Create):
    """Says who asks, and asks nobody else."""

    model = Me
    route = "me"

    def create(self, user: Any) -> Any:
        if user is None:
            return {"user": None}
        permissions, groups = sorted(user.permissions), sorted(user.groups)
        return {"user": user.uuid, "permissions": permissions, "groups": groups, "a": user.claims.get("a")}


def me(rule: Any = None, **options: Any) -> Caller:
    pm = PolyMicro(**options)
    type("Mine", (MeResource,), {} if rule is None else {"permissions": rule})(pm)
    return Caller(pm.compile(), user=ALICE)


def said(form: str, context: dict[str, Any], client: Caller | None = None) -> Any:
    """What ``/me`` answers where the event's request context holds this."""
    event = make_event(
        "POST", "/me", body='{"id":"x"}', headers={"Content-Type": "application/json"}, **FORMS[form]
    )
    event["requestContext"] |= context
    response = (client or me(AllowAny)).handler(event, FakeContext())
    return response["statusCode"], response["body"]


def whole(user: str, permissions: str = "", groups: str = "", a: str = "null") -> tuple[int, str]:
    lists = (
        f"[{','.join(f'{chr(34)}{name}{chr(34)}' for name in names.split())}]"
        for names in (permissions, groups)
    )
    return 201, '{{"user":"{}","permissions":{},"groups":{},"a":{}}}'.format(user, *lists, a)


def rest(**context: Any) -> dict[str, Any]:
    return {"authorizer": context}


AUTHORIZERS: dict[str, tuple[str, dict[str, Any], tuple[int, str]]] = {
    "Lambda on REST": ("rest", rest(principalId="p", a="1"), whole("p", a='"1"')),
    "uuid before sub before principalId": ("rest", rest(principalId="p", sub="s", uuid="u"), whole("u")),
    "sub before principalId": ("rest", rest(principalId="p", sub="s"), whole("s")),
    "JSON list": ("rest", rest(principalId="p", permissions='["b","a"]', groups='["g"]'), whole("p", "a b", "g")),
    "blanks": ("rest", rest(principalId="p", permissions="a b", groups="g h"), whole("p", "a b", "g h")),
    "commas": ("rest", rest(principalId="p", permissions="a,b", groups="g, h"), whole("p", "a b", "g h")),
    "union": ("rest", rest(principalId="p", permissions="a", scope="b", scopes="c"), whole("p", "a b c")),
    "Cognito": (
        "rest",
        rest(claims={"sub": "s", "cognito:groups": "g,h", "scope": "a b", "a": "1"}),
        whole("s", "a b", "g h", '"1"'),
    ),
    "Lambda on HTTP": ("http-2.0", rest(**{"lambda": {"uuid": "u", "permissions": ["a", "b"]}}), whole("u", "a b")),
    "JWT": (
        "http-2.0",
        rest(jwt={"claims": {"sub": "s", "cognito:groups": "[g h]", "a": "1"}, "scopes": ["x"]}),
        whole("s", "x", "g h", '"1"'),
    ),
    "JWT, scope alone": ("http-2.0", rest(jwt={"claims": {"sub": "s", "scope": "x"}, "scopes": None}), whole("s", "x")),
    "JWT, payload 1.0": ("http-1.0", rest(claims={"sub": "s"}, scopes=["x"]), whole("s", "x")),
    "IAM on REST": ("rest", {"identity": {"userArn": "u", "cognitoIdentityId": None}}, whole("u")),
    "Cognito identity on REST": ("rest", {"identity": {"userArn": "u", "cognitoIdentityId": "c"}}, whole("c")),
    "IAM on HTTP": ("http-2.0", rest(iam={"userArn": "u", "cognitoIdentity": None}), whole("u")),
    "IAM on a function URL": ("url", rest(iam={"userArn": "u"}), whole("u")),
}  # fmt: skip


@pytest.mark.parametrize(("form", "context", "expected"), AUTHORIZERS.values(), ids=AUTHORIZERS)
def test_an_authorizer(form: str, context: dict[str, Any], expected: tuple[int, str]) -> None:
    assert said(form, context) == expected


GUEST_ARN = "arn:aws:sts::123456789012:assumed-role/Guests/CognitoIdentityCredentials"
GUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "REST": (
        "rest",
        {
            "identity": {
                "userArn": GUEST_ARN,
                "cognitoIdentityId": "eu:1",
                "cognitoAuthenticationType": "unauthenticated",
            }
        },
    ),
    **{
        form: (
            form,
            rest(
                iam={
                    "userArn": GUEST_ARN,
                    "cognitoIdentity": {"identityId": "eu:1", "amr": ["unauthenticated"]},
                }
            ),
        )
        for form in ("http-2.0", "url")
    },
}


@pytest.mark.parametrize(("form", "context"), GUESTS.values(), ids=GUESTS)
def test_an_identity_pools_guest_is_nobody(form: str, context: dict[str, Any]) -> None:
    assert said(form, context) == (201, '{"user":null}')
    assert said(form, context, me())[0] == 401


NOBODY: dict[str, tuple[str, Any]] = {
    "null": ("rest", None),
    "empty": ("rest", {}),
    "text": ("rest", "alice"),
    "a list": ("rest", ["alice"]),
    "claims as text that is no JSON": ("rest", {"claims": "{sub=alice}"}),
    "claims null": ("http-1.0", {"claims": None, "scopes": None}),
    "empty id": ("rest", {"principalId": ""}),
    "blank id": ("rest", {"principalId": " "}),
    "id as a list": ("rest", {"principalId": ["alice"]}),
    "id as an object": ("rest", {"principalId": {"a": 1}}),
    "id as a boolean": ("rest", {"principalId": True}),
    "no id": ("rest", {"permissions": "administrator"}),
    "lambda null": ("http-2.0", {"lambda": None}),
    "lambda text": ("http-2.0", {"lambda": "alice"}),
    "jwt null": ("http-2.0", {"jwt": None}),
    "jwt without claims": ("http-2.0", {"jwt": {"scopes": ["a"]}}),
    "jwt claims as text": ("http-2.0", {"jwt": {"claims": "alice"}}),
    "iam null": ("url", {"iam": None}),
    "iam empty": ("url", {"iam": {}}),
}


@pytest.mark.parametrize(("form", "authorizer"), NOBODY.values(), ids=NOBODY)
def test_absent_or_malformed_is_nobody(form: str, authorizer: Any) -> None:
    assert said(form, {"authorizer": authorizer}) == (201, '{"user":null}')
    assert said(form, {"authorizer": authorizer}, me())[0] == 401


@every_form
def test_identity_is_never_read_from_a_header(form: dict[str, Any]) -> None:
    """Not even those that a load balancer or a gateway would add."""
    names = (
        "Authorization",
        "X-User",
        "X-Amzn-Oidc-Identity",
        "X-Amzn-Oidc-Data",
        "Cookie",
        "X-Forwarded-User",
        "uuid",
    )
    result = me().post("/me", json={"id": "x"}, user=None, headers=dict.fromkeys(names, "alice"), **form)
    assert_problem(result, 401)
    assert result.headers["www-authenticate"]


def test_a_resource_without_permissions_requires_a_user() -> None:
    with counted() as calls:
        assert me().post("/me", json={"id": "x"}).json["user"] == "alice"
        assert_problem(me().everywhere("POST", "/me", json={"id": "x"}, user=None), 401)
    assert calls == []


def test_default_permissions_are_for_who_says_none() -> None:
    class Nope(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return False

    assert me(default_permissions=(AllowAny,)).post("/me", json={"id": "x"}, user=None).json == {"user": None}
    assert_problem(me(default_permissions=(Nope,)).post("/me", json={"id": "x"}), 403)
    assert me(AllowAny, default_permissions=Nope).post("/me", json={"id": "x"}).status == 201


class Account:
    """A user class of the developer's own."""

    def __init__(self, uuid: str) -> None:
        self.uuid = f"account {uuid}"
        self.permissions: tuple[str, ...] = ("a",)
        self.groups: tuple[str, ...] = ()
        self.claims: dict[str, Any] = {}


def test_req_user_func_decides_who_it_is() -> None:
    client = me(req_user_func=lambda request: Account(request.headers["x-key"]))
    result = client.everywhere("POST", "/me", json={"id": "x"}, headers={"X-Key": "k"}, user=None)
    assert result.json == {"user": "account k", "permissions": ["a"], "groups": [], "a": None}


def test_req_user_func_may_say_nobody() -> None:
    client = me(req_user_func=lambda request: None)
    assert_problem(client.post("/me", json={"id": "x"}), 401)


def test_req_user_func_sees_the_authorizers_user() -> None:
    seen = []

    def bob(request: Any) -> User:
        seen.append(request.user)
        return BOB

    client = me(req_user_func=bob)
    assert client.post("/me", json={"id": "x"}).json["user"] == "bob"
    assert [user.uuid for user in seen] == ["alice"]


def test_req_user_func_that_raises_is_500() -> None:
    def broken(request: Any) -> User:
        raise ValueError("canary")

    assert_problem(me(req_user_func=broken).everywhere("POST", "/me", json={"id": "x"}), 500)


class Visitor:
    """A user without a uuid."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_user_id_says_whose_a_cursor_is() -> None:
    pm = PolyMicro(
        req_user_func=lambda request: Visitor(request.headers["x-name"]), user_id=lambda user: user.name
    )
    body = {"model": Me, "route": "me", "list": lambda self: ([], 200, {}, "k")}
    type("Mine", (ModelResource, List), body)(pm)
    client = Caller(pm.compile())
    key = client.get("/me", headers={"X-Name": "a"}).json["pagination_key"]
    assert client.get("/me", headers={"X-Name": "a"}, query={"pagination_key": key}).status == 200
    stolen = client.get("/me", headers={"X-Name": "b"}, query={"pagination_key": key})
    assert_problem(stolen, 400, "pagination_key")


@pytest.mark.parametrize(
    "user_id", [None, lambda user: None, lambda user: ""], ids=["unsaid", "None", "empty"]
)
def test_users_without_an_id_share_no_cursor(user_id: Any) -> None:
    """What needs no id is served; what is bound to one is refused, or one such user would have another's."""
    verbs = {"create": lambda self, req: {}, "list": lambda self: ([], 200, {}, "k")}
    body = {"model": Me, "route": "me", **verbs}
    pm = PolyMicro(req_user_func=lambda request: Visitor(""), user_id=user_id)
    type("Mine", (ModelResource, List), body)(pm)
    client = Caller(pm.compile())
    assert client.post("/me", json={"id": "x"}).status == 201
    assert_problem(client.get("/me"), 500)


def test_nobody_needs_no_id() -> None:
    pm = PolyMicro(req_user_func=lambda request: None, user_id=lambda user: user.name)
    body = {"model": Me, "route": "me", "permissions": AllowAny, "list": lambda self: ([], 200, {}, "k")}
    type("Mine", (ModelResource, List), body)(pm)
    assert Caller(pm.compile()).get("/me").status == 200


def test_a_user_may_be_text() -> None:
    """Then it is its own id."""
    pm = PolyMicro(req_user_func=lambda request: request.headers["x-name"])
    body = {"model": Me, "route": "me", "list": lambda self, user: ([], 200, {"X-User": user}, "k")}
    type("Mine", (ModelResource, List), body)(pm)
    client = Caller(pm.compile())
    first = client.get("/me", headers={"X-Name": "a"})
    assert first.headers["x-user"] == "a"
    stolen = client.get(
        "/me", headers={"X-Name": "b"}, query={"pagination_key": first.json["pagination_key"]}
    )
    assert_problem(stolen, 400, "pagination_key")


class OpenNotes(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Me
    route = "open"
    permissions = AllowAny
    scan = True

    @action(methods="GET", detail=False)
    def me(self, user: Any) -> Any:
        return user and user.uuid


@every_form
@pytest.mark.parametrize("req_user_func", [None, lambda request: request.user or ALICE])
def test_a_bad_token_is_401_on_open_routes_too(form: dict[str, Any], req_user_func: Any) -> None:
    """Never nobody, whoever the app would take nobody for; unknown paths and verbs come first."""
    pm = PolyMicro(req_user_func, docs=True)
    OpenNotes(pm)
    client = Caller(pm, authorizer=BAD_TOKEN, **form)
    with counted() as calls:
        for method, path in (
            ("GET", "/open"),
            ("HEAD", "/open"),
            ("POST", "/open"),
            ("GET", "/open/a"),
            ("PATCH", "/open/a"),
            ("PUT", "/open/a"),
            ("DELETE", "/open/a"),
            ("GET", "/open/me"),
        ):
            refused = client.request(method, path)
            assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/open/me", user=ALICE).status == 401
        assert client.get("/nowhere").status == 404
        assert client.put("/open").status == 405
        assert client.options("/open").status == 204
        assert client.get("/openapi.json").status == 200
    assert calls == []
