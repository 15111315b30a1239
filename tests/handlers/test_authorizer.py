"""The example's authorizer: who gets in, and that nobody else does."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.authorizer import Identity, UnauthorizedError, handler, token, verify

SECRET = "a secret that is long enough for every hash: 64 bytes at the least"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/dev/GET/todo/alice/1"
ALLOW = {"Action": "execute-api:Invoke", "Effect": "Allow"}
STAGE = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/dev/*"
ALICE = {"uuid": "alice", "permissions": '["administrator", "therapist"]', "groups": '["staff"]'}


@pytest.fixture(autouse=True)
def _configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", SECRET)
    for name in ("JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALGORITHMS", "JWT_JWKS", "JWT_JWKS_URL"):
        monkeypatch.delenv(name, raising=False)


def request(authorization: object, name: str = "Authorization") -> dict[str, Any]:
    return {"type": "REQUEST", "methodArn": ARN, "headers": {"Accept": "*/*", name: authorization}}


def signed(claims: dict[str, Any], key: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode({"sub": "alice", "exp": time.time() + 60} | claims, key, algorithm=algorithm)


def unsigned(header: str, claims: dict[str, Any]) -> str:
    parts = (header.encode(), json.dumps(claims).encode(), b"")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def alice() -> str:
    return token("alice", ["administrator", "therapist"], ["staff"])


def test_a_rest_api_gets_a_policy_for_the_whole_stage() -> None:
    """A policy for one path would be kept for the token, and deny the API's other paths."""
    assert handler(request(f"Bearer {alice()}"), None) == {
        "principalId": "alice",
        "policyDocument": {"Version": "2012-10-17", "Statement": [ALLOW | {"Resource": STAGE}]},
        "context": ALICE,
    }


def test_a_token_event_gets_the_same() -> None:
    event = {"type": "TOKEN", "methodArn": ARN, "authorizationToken": f"Bearer {alice()}"}
    assert handler(event, None) == handler(request(f"Bearer {alice()}"), None)


def test_an_http_api_gets_a_simple_response() -> None:
    event = {"version": "2.0", "type": "REQUEST", "headers": {"authorization": f"Bearer {alice()}"}}
    assert handler(event, None) == {"isAuthorized": True, "context": ALICE}
    assert handler(event | {"headers": {}}, None) == {"isAuthorized": False}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_neither_the_header_nor_the_scheme_has_a_case(name: str, scheme: str) -> None:
    assert handler(request(f"{scheme} {alice()}", name), None)["principalId"] == "alice"


@pytest.mark.parametrize(
    ("arn", "resource"),
    [
        (
            "arn:aws:execute-api:eu-west-1:1:a/$default/GET/",
            "arn:aws:execute-api:eu-west-1:1:a/$default/*",
        ),
        (
            "arn:aws-cn:execute-api:cn-north-1:1:a/p/GET/a/b/c",
            "arn:aws-cn:execute-api:cn-north-1:1:a/p/*",
        ),
    ],
    ids=["the default stage's root", "another partition"],
)
def test_the_stage_is_read_from_the_arn(arn: str, resource: str) -> None:
    answer = handler(request(f"Bearer {alice()}") | {"methodArn": arn}, None)
    assert answer["policyDocument"]["Statement"] == [ALLOW | {"Resource": resource}]


def test_a_token_without_names_has_none() -> None:
    answer = handler(request(f"Bearer {signed({})}"), None)
    assert answer["context"] == {"uuid": "alice", "permissions": "[]", "groups": "[]"}


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        ({"uuid": "bob"}, Identity("alice", (), ())),
        ({"permissions": "read write"}, Identity("alice", ("read", "write"), ())),
        ({"permissions": ["read all"]}, Identity("alice", ("read all",), ())),
        ({"scope": "read  write "}, Identity("alice", ("read", "write"), ())),
        ({"scope": "read,admin\u00a0root"}, Identity("alice", ("read,admin\u00a0root",), ())),
        (
            {"permissions": ["read"], "scope": "write", "scopes": ["read", "list"]},
            Identity("alice", ("read", "write", "list"), ()),
        ),
        ({"groups": ["staff"], "cognito:groups": ["board"]}, Identity("alice", (), ("staff", "board"))),
        ({"permissions": None, "scope": "", "groups": []}, Identity("alice", (), ())),
        ({"role": "administrator"}, Identity("alice", (), (), {"role": "administrator"})),
        (
            {
                "tenant": "acme",
                "level": 3,
                "trial": True,
                "address": {"city": "Bern"},
                "tags": ["a"],
                "rate": 0.5,
            },
            Identity("alice", (), (), {"tenant": "acme", "level": 3, "trial": True}),
        ),
        ({"claims": "x", "principalId": "bob", "jti": "1"}, Identity("alice", (), ())),
    ],
    ids=[
        "sub before uuid",
        "text",
        "a name with a blank",
        "scope",
        "one scope",
        "all three",
        "both groups",
        "none",
        "another claim",
        "several",
        "reserved",
    ],
)
def test_claims_become_an_identity(claims: dict[str, Any], identity: Identity) -> None:
    assert verify(signed(claims)) == identity


def test_a_token_without_sub_may_have_a_uuid() -> None:
    assert verify(jwt.encode(NAMELESS | {"uuid": "a-1"}, SECRET)) == Identity("a-1", (), ())


DEEP = '{"alg": "HS256", "x": ' + "[" * 6000
NAMELESS = {"exp": 9_999_999_999}
FOREVER = {"sub": "alice", **NAMELESS}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda: signed({}, key="another secret of more than 32 bytes"), id="wrong secret"),
        pytest.param(lambda: signed({}, algorithm="HS512"), id="another hash"),
        pytest.param(lambda: jwt.encode(FOREVER, "", algorithm="none"), id="alg none"),
        pytest.param(lambda: unsigned('{"alg": "NONE"}', FOREVER), id="alg NONE"),
        pytest.param(lambda: unsigned('{"alg": "RS256"}', FOREVER), id="alg RS256"),
        pytest.param(lambda: unsigned('{"alg": ["HS256"]}', FOREVER), id="alg no text"),
        pytest.param(lambda: unsigned("{}", FOREVER), id="no alg"),
        pytest.param(lambda: unsigned(DEEP, FOREVER), id="a header nested deep"),
        pytest.param(lambda: alice().rsplit(".", 1)[0] + ".", id="signature cut off"),
        pytest.param(lambda: signed({"exp": time.time() - 11}), id="expired"),
        pytest.param(lambda: token("alice", expires_in=-11), id="expired when made"),
        pytest.param(lambda: signed({"nbf": time.time() + 60}), id="not yet valid"),
        pytest.param(lambda: signed({"iat": time.time() + 60}), id="from the future"),
        pytest.param(lambda: jwt.encode({"sub": "alice"}, SECRET), id="no exp"),
        pytest.param(lambda: signed({"exp": "soon"}), id="exp no number"),
        pytest.param(lambda: signed({"exp": float("inf")}), id="exp infinite"),
        pytest.param(lambda: jwt.encode(NAMELESS, SECRET), id="no sub"),
        pytest.param(lambda: signed({"sub": ""}), id="sub empty"),
        pytest.param(lambda: signed({"aud": "another"}), id="for somebody else"),
        pytest.param(lambda: jwt.encode(NAMELESS | {"uuid": None}, SECRET), id="uuid null"),
        pytest.param(lambda: jwt.encode(NAMELESS | {"uuid": 7}, SECRET), id="uuid a number"),
        pytest.param(lambda: signed({"permissions": {"administrator": False}}), id="permissions no list"),
        pytest.param(lambda: signed({"scope": 7}), id="scope a number"),
        pytest.param(lambda: signed({"groups": [1]}), id="a group no text"),
        pytest.param(lambda: signed({"x": "y" * 20_000}), id="huge"),
        pytest.param(lambda: "garbage", id="garbage"),
        pytest.param(lambda: "a.b.c", id="garbage in three parts"),
        pytest.param(lambda: "", id="empty"),
    ],
)
def test_a_bad_token_is_refused(text: Any) -> None:
    """API Gateway turns this very message into 401."""
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        handler(request(f"Bearer {text()}"), None)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Authorization": None},
        {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
        {"X-Authorization": "Bearer GOOD"},
        {"Authorization": "GOOD"},
        {"Authorization": "Bearer GOOD GOOD"},
        {"Authorization": "Bearer GOOD,Bearer GOOD"},
        {"Authorization": "Bearer GOOD", "authorization": "Bearer GOOD"},
    ],
    ids=[
        "null",
        "no header",
        "null header",
        "basic",
        "another name",
        "no scheme",
        "two tokens",
        "two joined",
        "two headers",
    ],
)
def test_one_bearer_header_is_needed(headers: dict[str, str | None] | None) -> None:
    good = alice()
    sent = headers and {name: value and value.replace("GOOD", good) for name, value in headers.items()}
    with pytest.raises(UnauthorizedError):
        handler({"type": "REQUEST", "methodArn": ARN, "headers": sent}, None)


@given(st.text(max_size=200))
def test_no_text_is_anything_but_refused(text: str) -> None:
    for value in (text, f"Bearer {text}", f"Bearer {signed({})}{text}x"):
        with pytest.raises(UnauthorizedError):
            handler(request(value), None)


@pytest.mark.parametrize("secret", [None, "", "short"])
def test_without_a_good_secret_nobody_gets_in(secret: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even who signed with that very secret: it is a 500, not a 401, for the operator to see."""
    good = alice()
    monkeypatch.delenv("JWT_SECRET")
    if secret is not None:
        monkeypatch.setenv("JWT_SECRET", secret)
    for use in (lambda: handler(request(f"Bearer {good}"), None), lambda: token("alice")):
        with pytest.raises(RuntimeError, match=r"^JWT_SECRET must hold at least 32 bytes"):
            use()


def test_issuer_and_audience_are_checked_where_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    before = alice()
    monkeypatch.setenv("JWT_ISSUER", "https://issuer.example")
    monkeypatch.setenv("JWT_AUDIENCE", "todo")
    right = {"iss": "https://issuer.example", "aud": "todo"}
    for bad in (before, signed(right | {"iss": "https://evil.example"}), signed(right | {"aud": "other"})):
        with pytest.raises(UnauthorizedError):
            handler(request(f"Bearer {bad}"), None)
    for good in (alice(), signed(right), signed(right | {"aud": ["todo", "other"]})):
        assert handler(request(f"Bearer {good}"), None)["principalId"] == "alice"


# --- requests without a token -----------------------------------------------------------------------------


@pytest.fixture
def allowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_ANONYMOUS", "true")


def rest_event(**headers: str) -> dict[str, Any]:
    arn = "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/todo"
    return {"type": "REQUEST", "methodArn": arn, "headers": headers}


def http_event(*sources: str, **headers: str) -> dict[str, Any]:
    return {"version": "2.0", "type": "REQUEST", "headers": headers, "identitySource": [*sources] or None}


def test_without_a_token_it_is_nobody(allowing: None) -> None:
    answer = handler(rest_event(), None)
    assert (answer["principalId"], answer["context"]) == ("anonymous", {"anonymous": "true"})
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert handler(http_event(), None) == {"isAuthorized": True, "context": {"anonymous": "true"}}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_a_bad_token_is_never_nobody(allowing: None, header: str) -> None:
    """Before an open route an HTTP API has no 401: the app says it."""
    with pytest.raises(UnauthorizedError):
        handler(rest_event(Authorization=header), None)
    passed = handler(http_event(authorization=header), None)
    assert passed == {"isAuthorized": True, "context": {"refused": "true"}}
    assert handler(http_event(header, authorization=header), None) == {"isAuthorized": False}


def test_without_leave_nobody_passes() -> None:
    with pytest.raises(UnauthorizedError):
        handler(rest_event(), None)
    assert handler(http_event(), None) == {"isAuthorized": False}


def test_no_claim_makes_a_user_nobody(allowing: None) -> None:
    said = token("alice", claims={"anonymous": "true", "refused": "true", "tenant": "acme"})
    context = handler(rest_event(Authorization=f"Bearer {said}"), None)["context"]
    assert {"anonymous", "refused"}.isdisjoint(context)
    assert context["tenant"] == "acme"


@pytest.mark.parametrize("seconds", [5, -5])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    now = int(time.time())
    claims = {"iat": now + max(seconds, 0), "nbf": now + max(seconds, 0), "exp": now + min(seconds, 0) + 1}
    assert handler(rest_event(Authorization=f"Bearer {signed(claims)}"), None)["principalId"] == "alice"
