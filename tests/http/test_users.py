"""Every authorizer's context becomes the same user, and nothing malformed becomes one."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polymicro_lambda.http.users import User, is_refused, user_from

NULLS = {"cognitoIdentityId": None, "userArn": None, "sourceIp": "127.0.0.1"}
ARN = "arn:aws:iam::123456789012:user/alice"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    [
        "authorizer",
        "identity",
        "lambda",
        "jwt",
        "claims",
        "scopes",
        "iam",
        "cognitoIdentity",
        "identityId",
        "uuid",
        "sub",
        "principalId",
        "permissions",
        "scope",
        "groups",
        "userArn",
        "cognitoIdentityId",
    ]
)
CONTEXT = st.recursive(
    JSON,
    lambda inner: st.dictionaries(MEMBERS, inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=20,
)


SHAPES: dict[str, tuple[dict[str, Any], User]] = {
    "Lambda on REST": (
        {"authorizer": {"principalId": "alice", "permissions": "therapist", "n": 7}, "identity": NULLS},
        User(
            "alice",
            frozenset({"therapist"}),
            claims={"principalId": "alice", "permissions": "therapist", "n": 7},
        ),
    ),
    "Lambda on HTTP API": (
        {"authorizer": {"lambda": {"uuid": "alice", "groups": ["a", "b"]}}},
        User("alice", groups=frozenset({"a", "b"}), claims={"uuid": "alice", "groups": ["a", "b"]}),
    ),
    "Lambda on REST that passes the token on": (
        {"authorizer": {"principalId": "alice", "jwt": "e.y.J"}},
        User("alice", claims={"principalId": "alice", "jwt": "e.y.J"}),
    ),
    "Cognito on REST": (
        {"authorizer": {"claims": {"sub": "alice", "cognito:groups": "a,b", "scope": "read write"}}},
        User(
            "alice",
            frozenset({"read", "write"}),
            frozenset({"a", "b"}),
            {"sub": "alice", "cognito:groups": "a,b", "scope": "read write"},
        ),
    ),
    "JWT on HTTP API 2.0": (
        {"authorizer": {"jwt": {"claims": {"sub": "alice", "cognito:groups": "[a b]"}, "scopes": ["read"]}}},
        User(
            "alice", frozenset({"read"}), frozenset({"a", "b"}), {"sub": "alice", "cognito:groups": "[a b]"}
        ),
    ),
    "JWT on HTTP API 2.0 with null scopes": (
        {"authorizer": {"jwt": {"claims": {"sub": "alice"}, "scopes": None}}},
        User("alice", claims={"sub": "alice"}),
    ),
    "JWT on HTTP API 1.0": (
        {"authorizer": {"claims": {"sub": "alice"}, "scopes": ["read"]}, "identity": NULLS},
        User("alice", frozenset({"read"}), claims={"sub": "alice"}),
    ),
    "IAM on REST": (
        {"identity": {**NULLS, "userArn": ARN}, "authorizer": None},
        User(ARN, claims={**NULLS, "userArn": ARN}),
    ),
    "IAM on REST through a Cognito identity": (
        {"identity": {**NULLS, "userArn": ARN, "cognitoIdentityId": "eu:1"}},
        User("eu:1", claims={**NULLS, "userArn": ARN, "cognitoIdentityId": "eu:1"}),
    ),
    "IAM on HTTP API 1.0, which sends an authorizer of nulls": (
        {"identity": {"userArn": ARN}, "authorizer": {"claims": None, "scopes": None}},
        User(ARN, claims={"userArn": ARN}),
    ),
    "IAM on HTTP API 2.0 and function URL": (
        {"authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": None}}},
        User(ARN, claims={"userArn": ARN, "cognitoIdentity": None}),
    ),
    "IAM on HTTP API 2.0 through a Cognito identity": (
        {"authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": {"identityId": "eu:1"}}}},
        User("eu:1", claims={"userArn": ARN, "cognitoIdentity": {"identityId": "eu:1"}}),
    ),
}


@pytest.mark.parametrize(("context", "user"), SHAPES.values(), ids=SHAPES)
def test_each_authorizer_says_who_the_user_is(context: dict[str, Any], user: User) -> None:
    assert user_from(context) == user


GUEST = {"identityId": "eu:1", "identityPoolId": "eu:0", "amr": ["unauthenticated"]}
MEMBER = {**GUEST, "amr": ["authenticated", "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_1"]}
REST_GUEST = {
    **NULLS,
    "userArn": ARN,
    "cognitoIdentityId": "eu:1",
    "cognitoAuthenticationType": "unauthenticated",
}
REST_MEMBER = {**REST_GUEST, "cognitoAuthenticationType": "authenticated"}

LOGGED_IN: dict[str, dict[str, Any]] = {
    "REST": {"identity": REST_MEMBER},
    "HTTP API 2.0 and function URL": {"authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": MEMBER}}},
    "no amr": {"authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": {**MEMBER, "amr": None}}}},
}


@pytest.mark.parametrize("context", LOGGED_IN.values(), ids=LOGGED_IN)
def test_who_has_logged_in_to_an_identity_pool_is_a_user(context: dict[str, Any]) -> None:
    user = user_from(context)
    assert (user and user.uuid) == "eu:1"


NOBODY: dict[str, object] = {
    "a guest of an identity pool on REST": {"identity": REST_GUEST},
    "a guest on HTTP API 1.0": {"identity": REST_GUEST, "authorizer": {"claims": None, "scopes": None}},
    "a guest on HTTP API 2.0 and function URL": {
        "authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": GUEST}}
    },
    "a guest whose amr is text": {
        "authorizer": {"iam": {"userArn": ARN, "cognitoIdentity": {**GUEST, "amr": "[unauthenticated]"}}}
    },
    "null": None,
    "text": "alice",
    "list": [{"authorizer": {"uuid": "alice"}}],
    "no authorizer": {},
    "an identity of nulls": {"identity": NULLS},
    "an empty authorizer": {"authorizer": {}, "identity": NULLS},
    "an authorizer that is text does not fall back": {"authorizer": "alice", "identity": {"userArn": ARN}},
    "an authorizer that names nobody does not fall back": {
        "authorizer": {"tenant": "acme"},
        "identity": {"userArn": ARN},
    },
    "claims that are text, and no object": {"authorizer": {"claims": '["alice"]'}},
    "claims that are text, and no JSON": {"authorizer": {"claims": "alice"}},
    "claims that are a number": {"authorizer": {"claims": 7, "principalId": "alice"}},
    "a lattice client that has not signed": {"identity": {"type": "NONE", "principal": "alice"}},
    "a lattice client without a type": {"identity": {"principal": "alice"}},
    "a lattice client without a name": {"identity": {"type": "AWS_IAM", "principal": ""}},
    "claims that are empty": {"authorizer": {"claims": {}, "principalId": "alice"}},
    "lambda null": {"authorizer": {"lambda": None}},
    "lambda text": {"authorizer": {"lambda": "alice"}},
    "jwt text": {"authorizer": {"jwt": "alice"}},
    "jwt claims text": {"authorizer": {"jwt": {"claims": "alice", "scopes": ["read"]}}},
    "iam of nulls": {"authorizer": {"iam": {"userArn": None, "cognitoIdentity": None}}},
    "IAM says nothing by uuid": {"authorizer": {"iam": {"uuid": "alice"}}, "identity": {"uuid": "alice"}},
    "cognitoIdentity text": {"authorizer": {"iam": {"cognitoIdentity": "eu:1"}}},
    "headers are no identity": {"headers": {"x-user": "alice"}, "uuid": "alice"},
}


@pytest.mark.parametrize("context", NOBODY.values(), ids=NOBODY)
def test_absent_or_malformed_is_no_user(context: object) -> None:
    assert user_from(context) is None


@pytest.mark.parametrize(
    ("said", "uuid"),
    [
        ({"uuid": "u", "sub": "s", "principalId": "p"}, "u"),
        ({"sub": "s", "principalId": "p"}, "s"),
        ({"uuid": None, "principalId": "p"}, "p"),
        ({"principalId": 7}, "7"),
        ({"uuid": "", "principalId": "p"}, None),
        ({"uuid": "  ", "principalId": "p"}, None),
        ({"uuid": True}, None),
        ({"uuid": 1.5}, None),
        ({"uuid": float("nan")}, None),
        ({"uuid": {"a": 1}}, None),
        ({"uuid": ["a"]}, None),
        ({"uuid": 10**5000}, None),
    ],
    ids=lambda value: repr(value)[:40] if not isinstance(value, dict) else None,
)
def test_the_id_is_the_first_present_and_must_be_a_name(said: dict[str, Any], uuid: str | None) -> None:
    user = user_from({"authorizer": {"lambda": said}})
    assert (user and user.uuid) == uuid


TOKEN_IDS: dict[str, tuple[dict[str, Any], str | None]] = {
    "sub before uuid": ({"uuid": "victim", "sub": "s"}, "s"),
    "uuid where there is no sub": ({"uuid": "u"}, "u"),
    "uuid where sub is null": ({"uuid": "u", "sub": None}, "u"),
    "a sub that is no name": ({"uuid": "victim", "sub": " "}, None),
    "a number": ({"sub": 7}, "7"),
    "no principalId": ({"principalId": "victim"}, None),
}


@pytest.mark.parametrize(("claims", "uuid"), TOKEN_IDS.values(), ids=TOKEN_IDS)
@pytest.mark.parametrize(
    "context",
    [lambda claims: {"claims": claims}, lambda claims: {"jwt": {"claims": claims, "scopes": None}}],
    ids=["Cognito, or HTTP 1.0", "JWT"],
)
def test_the_provider_vouches_for_the_id_of_a_token(
    context: Any, claims: dict[str, Any], uuid: str | None
) -> None:
    """``uuid`` may be a profile attribute that users write themselves; ``sub`` never is."""
    user = user_from({"authorizer": context(claims)})
    assert (user and user.uuid) == uuid


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["a", "b c"], {"a", "b c"}),
        (["a", 1, None, "", ["b"]], {"a"}),
        ('["a", "b c"]', {"a", "b c"}),
        ("[a b]", {"a", "b"}),
        ("[a, b]", {"a", "b"}),
        ("[]", set()),
        ("[" * 20_000 + "]" * 20_000, {"[" * 19_999 + "]" * 19_999}),
        ("a b", {"a", "b"}),
        ("a,b, c", {"a", "b", "c"}),
        (" a ", {"a"}),
        ("", set()),
        (None, set()),
        (7, set()),
        ({"a": True}, set()),
    ],
    ids=lambda value: repr(sorted(value) if isinstance(value, set) else value)[:20],
)
def test_names_come_in_every_form(value: object, names: set[str]) -> None:
    user = user_from({"authorizer": {"uuid": "alice", "permissions": value, "groups": value}})
    assert user is not None
    assert (set(user.permissions), set(user.groups)) == (names, names)


SCOPES: dict[str, tuple[object, set[str]]] = {
    "a comma is part of a scope": ("read,admin", {"read,admin"}),
    "a comma and a blank": ("read, admin", {"read,", "admin"}),
    "blanks": (" read  admin ", {"read", "admin"}),
    "no other white space separates": ("read\tadmin\u00a0root", {"read\tadmin\u00a0root"}),
    "nor ends one": ("\u00a0admin\n", {"\u00a0admin\n"}),
    "a list": (["read,admin"], {"read,admin"}),
    "a JSON list": ('["read,admin", "write"]', {"read,admin", "write"}),
    "a list as an HTTP API renders it": ("[read,admin write]", {"read,admin", "write"}),
    "nothing": ("", set()),
}


@pytest.mark.parametrize(("value", "names"), SCOPES.values(), ids=SCOPES)
@pytest.mark.parametrize(
    "context",
    [
        lambda value: {"claims": {"sub": "s", "scope": value}},
        lambda value: {"claims": {"sub": "s", "scopes": value}},
        lambda value: {"claims": {"sub": "s"}, "scopes": value},
        lambda value: {"jwt": {"claims": {"sub": "s", "scope": value}, "scopes": None}},
        lambda value: {"jwt": {"claims": {"sub": "s"}, "scopes": value}},
        lambda value: {"lambda": {"uuid": "s", "scope": value}},
        lambda value: {"principalId": "s", "scopes": value},
    ],
    ids=["Cognito", "claims", "HTTP 1.0", "JWT", "JWT's scopes", "Lambda on HTTP", "Lambda on REST"],
)
def test_blanks_alone_separate_scopes(context: Any, value: object, names: set[str]) -> None:
    """RFC 6749, section 3.3: ``read,admin`` is one scope, which must not let anybody be an administrator."""
    user = user_from({"authorizer": context(value)})
    assert user is not None
    assert (set(user.permissions), user.groups) == (names, frozenset())


def test_permissions_and_groups_are_unions() -> None:
    said = {
        "uuid": "alice",
        "permissions": ["a"],
        "scope": "b",
        "scopes": "c d",
        "groups": ["e"],
        "cognito:groups": "f",
    }
    user = user_from({"authorizer": said})
    assert user == User("alice", frozenset("abcd"), frozenset("ef"), said)


def test_a_user_is_a_value() -> None:
    assert {User("alice", claims={"n": 1}), User("alice", claims={"n": 1})} == {
        User("alice", claims={"n": 1})
    }


@given(CONTEXT)
@example({"authorizer": {"uuid": "a", "permissions": "[\ud800]"}})
def test_no_context_raises(context: object) -> None:
    user = user_from(context)
    assert user is None or (isinstance(user.uuid, str) and user.uuid)


@given(JSON, JSON)
def test_no_authorizer_and_identity_raise(authorizer: object, identity: object) -> None:
    user = user_from({"authorizer": authorizer, "identity": identity})
    assert user is None or (isinstance(user.uuid, str) and user.uuid)


@pytest.mark.parametrize(
    ("authorizer", "uuid", "groups"),
    [
        pytest.param({"claims": '{"sub": "bob", "cognito:groups": ["a"]}'}, "bob", {"a"}, id="of the claims"),
        pytest.param(
            {"claims": '{"sub": "bob"}', "principalId": "alice"}, "alice", set(), id="its own goes first"
        ),
        pytest.param(
            {"claims": "no JSON", "principalId": "alice"}, "alice", set(), id="a claim of the app's own"
        ),
    ],
)
def test_claims_as_text(authorizer: Any, uuid: str, groups: set[str]) -> None:
    """The context of a REST API's Lambda authorizer holds no objects, so that some have JSON there."""
    user = user_from({"authorizer": authorizer})
    assert user is not None
    assert (user.uuid, user.groups) == (uuid, groups)


def test_who_has_signed_a_request_of_vpc_lattice() -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/reader/session"
    user = user_from({"identity": {"type": "AWS_IAM", "principal": arn, "sessionName": "session"}})
    assert user is not None
    assert (user.uuid, user.claims["sessionName"]) == (arn, "session")


@pytest.mark.parametrize("mark", ["anonymous", "refused"])
@pytest.mark.parametrize("value", ["true", True])
@pytest.mark.parametrize("inside", [False, True])
def test_an_authorizer_may_say_that_it_is_nobody(mark: str, value: Any, inside: bool) -> None:
    """Whatever else stands in its context: a REST API demands a principal of each answer."""
    context = {mark: value, "principalId": "anonymous", "uuid": "alice", "claims": '{"sub": "alice"}'}
    request_context = {"authorizer": {"lambda": context} if inside else context, "identity": {"userArn": "a"}}
    assert user_from(request_context) is None
    assert is_refused(request_context) is (mark == "refused")


@pytest.mark.parametrize("value", ["false", False, None, "", "yes", 1, ["true"]])
def test_any_other_value_says_nothing(value: Any) -> None:
    context = {"authorizer": {"refused": value, "anonymous": value, "principalId": "alice"}}
    assert user_from(context) is not None
    assert is_refused(context) is False
