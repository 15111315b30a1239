"""A Lambda authorizer for bearer tokens (JWT): a REST API or an HTTP API asks it before it asks the app.

Tokens are signed by HS256 with ``JWT_SECRET``; or, if ``JWT_JWKS_URL`` or ``JWT_JWKS`` is set, by an identity
provider (see ``jwks.py``). ``JWT_ISSUER`` and ``JWT_AUDIENCE``, where set, must be in the token.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jwt

MIN_SECRET = 32  # bytes: a key for HS256 has at least the size of its hash (RFC 7518, section 3.2)
MAX_TOKEN = 10_240  # characters: the headers of one request to API Gateway have no more (its quota)
LEEWAY = 10
"""Seconds by which clocks may differ: ``iat`` and ``nbf`` may be so much ahead, ``exp`` so much behind."""
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, section 2.1


STANDARD = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scopes", "cognito:groups"})
"""Claims that are not the app's own (RFC 7519, section 4.1; RFC 8693, section 4.2), or have become one of its names."""
OURS = frozenset({"uuid", "permissions", "groups", "principalId", "claims", "anonymous", "refused"})
"""Members of the context that the library reads by itself."""


class UnauthorizedError(Exception):
    """There is no valid token. API Gateway answers 401 to this very message, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class Identity(NamedTuple):
    """What a token says: the user's id, names of permissions and groups, and claims of the app's own."""

    uuid: str
    permissions: tuple[str, ...]
    groups: tuple[str, ...]
    claims: Mapping[str, str | int] = MappingProxyType({})


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Say who makes the request: an IAM policy, or for payload 2.0 a simple response, where a refusal is 403.

    With ``ALLOW_ANONYMOUS=true`` a request without a token passes as nobody, which the app reads from the context: API
    Gateway asks for such requests only before routes that are open to all. Before these an HTTP API cannot refuse a bad
    token by 401: the request passes as refused, and the app says 401.

    Raises ``UnauthorizedError`` for a missing or bad token; ``RuntimeError`` if settings or keys are missing.
    """
    is_simple = event.get("version") == "2.0"
    if is_anonymous(event):
        return passed(event, "anonymous", {"anonymous": "true"})
    try:
        who = verify(bearer(event))
    except UnauthorizedError:
        if not is_simple:
            raise
        optional = allows_anonymous() and not event.get("identitySource")
        return {"isAuthorized": optional, **({"context": {"refused": "true"}} if optional else {})}
    return passed(event, who.uuid, flat(who))


def passed(event: Mapping[str, Any], principal: str, context: Mapping[str, str | int]) -> dict[str, Any]:
    """The answer that lets a request through, with what the app gets to know."""
    if event.get("version") == "2.0":
        return {"isAuthorized": True, "context": dict(context)}
    return {"principalId": principal, "policyDocument": policy(event["methodArn"]), "context": dict(context)}


def is_anonymous(event: Mapping[str, Any]) -> bool:
    """Whether a request may pass without a token, and has none."""
    names = {name.lower() for name in event.get("headers") or {}}
    return allows_anonymous() and "authorization" not in names and event.get("type") != "TOKEN"


def allows_anonymous() -> bool:
    """Whether some routes of the API are open to all."""
    return os.environ.get("ALLOW_ANONYMOUS") == "true"


def flat(who: Identity) -> dict[str, str | int]:
    """The context for the app. API Gateway passes on no lists, so that they are JSON."""
    names = {"permissions": json.dumps(who.permissions), "groups": json.dumps(who.groups)}
    return {**who.claims, "uuid": who.uuid, **names}


def policy(method_arn: str) -> dict[str, Any]:
    """Allow the whole stage: API Gateway keeps the answer for each token, not for each path."""
    api, stage = method_arn.split("/", 2)[:2]
    allow = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def bearer(event: Mapping[str, Any]) -> str:
    """The token in the one Authorization header. Raises ``UnauthorizedError``."""
    headers = (event.get("headers") or {}).items()
    values = [value for name, value in headers if name.lower() == "authorization"]
    if event.get("type") == "TOKEN":
        values = [event.get("authorizationToken")]
    if len(values) != 1 or not isinstance(values[0], str) or len(values[0]) > MAX_TOKEN:
        raise UnauthorizedError
    if not (match := BEARER.fullmatch(values[0].strip())):
        raise UnauthorizedError
    return match[1]


def verify(text: str) -> Identity:
    """Read a token whose signature, times, issuer and audience are right. Raises as ``handler`` does."""
    try:
        key, algorithms = signer(text)
        claims = jwt.decode(
            text,
            key,
            algorithms,
            {"require": ["exp"], "enforce_minimum_key_length": True},
            leeway=LEEWAY,
            issuer=os.environ.get("JWT_ISSUER") or None,
            audience=os.environ.get("JWT_AUDIENCE") or None,
        )
        uuid = text_of(claims.get("sub", claims.get("uuid")))  # the issuer vouches for sub alone
        permissions = names(claims, "permissions", "scope", "scopes")
        return Identity(uuid, permissions, names(claims, "groups", "cognito:groups"), own(claims))
    except (jwt.PyJWTError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        raise UnauthorizedError from error  # besides its own errors PyJWT lets through those of json and int


def signer(text: str) -> tuple[str | jwt.PyJWK, list[str]]:
    """The key that the token must be signed by, and how; a key or an address in its own header is not asked."""
    if not has_public_keys():
        return secret(), ["HS256"]
    from .jwks import algorithms, find  # noqa: PLC0415 - HS256 does without the file and its cryptography

    allowed = algorithms()
    return find(text_of(jwt.get_unverified_header(text).get("kid"))), allowed


def has_public_keys() -> bool:
    """Whether tokens are an identity provider's: then the secret counts for nothing."""
    return bool(os.environ.get("JWT_JWKS_URL") or os.environ.get("JWT_JWKS"))


def names(claims: Mapping[str, Any], *members: str) -> tuple[str, ...]:
    """The names in these claims: each a list, or a text with blanks between them. Raises ``TypeError``.

    No other white space separates, as none does between scopes (RFC 6749, section 3.3).
    """
    values = [claims.get(member) or [] for member in members]
    lists = [[*filter(None, value.split(" "))] if isinstance(value, str) else value for value in values]
    if not all(isinstance(value, list) for value in lists):
        raise TypeError
    return tuple(dict.fromkeys(text_of(name) for value in lists for name in value))


def own(claims: Mapping[str, Any]) -> dict[str, str | int]:
    """The app's own claims, such as a tenant, that a context can carry: texts, integers, booleans."""
    return {
        name: value
        for name, value in claims.items()
        if name not in STANDARD | OURS and isinstance(value, str | int)
    }


def text_of(value: Any) -> str:
    """The value if it is a text that is not empty. Raises ``TypeError``."""
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def secret() -> str:
    """The key that signs and verifies by HS256. Raises ``RuntimeError``: without a good one nobody gets in."""
    if has_public_keys() or os.environ.get("JWT_ALGORITHMS", "HS256") not in ("", "HS256"):
        raise RuntimeError("HS256 is not what JWT_ALGORITHMS, JWT_JWKS_URL or JWT_JWKS ask for.")
    value = os.environ.get("JWT_SECRET", "")
    if len(value.encode()) < MIN_SECRET:
        raise RuntimeError(f"JWT_SECRET must hold at least {MIN_SECRET} bytes.")
    return value


def token(
    uuid: str,
    permissions: Iterable[str] = (),
    groups: Iterable[str] = (),
    *,
    claims: Mapping[str, str | int] = MappingProxyType({}),
    expires_in: int = 3600,
) -> str:
    """A token that is accepted for ``expires_in`` seconds. Raises ``RuntimeError`` without a good ``JWT_SECRET``."""
    now = int(time.time())
    said = {
        **claims,
        "sub": uuid,
        "permissions": list(permissions),
        "groups": list(groups),
        "iat": now,
        "exp": now + expires_in,
        "iss": os.environ.get("JWT_ISSUER"),
        "aud": os.environ.get("JWT_AUDIENCE"),
    }
    return jwt.encode({name: value for name, value in said.items() if value}, secret(), algorithm="HS256")
