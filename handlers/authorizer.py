"""A Lambda authorizer for bearer tokens: JWTs signed by HS256 with the secret in ``JWT_SECRET``.

API Gateway asks it before it asks the API: a REST API by a REQUEST or TOKEN event, an HTTP API by payload 1.0
or by payload 2.0 with simple responses. ``JWT_ISSUER`` and ``JWT_AUDIENCE``, where set, must be in the token.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

ALGORITHM = "HS256"
MIN_SECRET = 32
"""Bytes: a key for HS256 has at least the size of its hash (RFC 7518, section 3.2)."""
MAX_TOKEN = 10_240
"""Characters: the headers of one request to API Gateway have no more (a quota of its own)."""
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
"""RFC 6750, section 2.1; a scheme has no case (RFC 9110, section 11.1)."""


class UnauthorizedError(Exception):
    """There is no valid token. API Gateway answers 401 to this very message, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token says: the user's id, and names of permissions and groups."""

    uuid: str
    permissions: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def context(self) -> dict[str, str]:
        """What the API gets; API Gateway passes on flat values only, so that the lists are JSON."""
        return {
            "uuid": self.uuid,
            "permissions": json.dumps(self.permissions),
            "groups": json.dumps(self.groups),
        }


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Say who makes the request: an IAM policy, or for payload 2.0 a simple response.

    Raises ``UnauthorizedError`` for a missing or bad token, where payload 2.0 has ``isAuthorized: false``;
    ``RuntimeError`` without a good ``JWT_SECRET``.
    """
    if event.get("version") == "2.0":
        return simple_response(event)
    identity = verify(bearer(event))
    return {
        "principalId": identity.uuid,
        "policyDocument": policy(event["methodArn"]),
        "context": identity.context,
    }


def simple_response(event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for an HTTP API, which turns a refusal into 403."""
    try:
        return {"isAuthorized": True, "context": verify(bearer(event)).context}
    except UnauthorizedError:
        return {"isAuthorized": False}


def policy(method_arn: str) -> dict[str, Any]:
    """Allow the whole stage: API Gateway keeps the answer for each token, not for each path.

    What the user may do there is the API's to say.
    """
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
    match = BEARER.fullmatch(values[0].strip())
    if not match:
        raise UnauthorizedError
    return match[1]


def verify(text: str) -> Identity:
    """Read a token whose signature, times, issuer and audience are right. Raises ``UnauthorizedError``."""
    key = secret()
    try:
        claims = jwt.decode(
            text,
            key,
            algorithms=[ALGORITHM],
            issuer=os.environ.get("JWT_ISSUER") or None,
            audience=os.environ.get("JWT_AUDIENCE") or None,
            options={"require": ["exp", "sub"]},
        )
        return Identity(text_of(claims["sub"]), names(claims, "permissions"), names(claims, "groups"))
    except (jwt.InvalidTokenError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        # Besides its own errors PyJWT lets through those of json and int, e.g. for a header nested too deep.
        raise UnauthorizedError from error


def text_of(value: Any) -> str:
    """The value if it is a text that is not empty. Raises ``TypeError``."""
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def names(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """A claim that is a list of names; absent is none. Raises ``TypeError``."""
    value = claims.get(claim, [])
    if not isinstance(value, list):
        raise TypeError
    return tuple(text_of(name) for name in value)


def secret() -> str:
    """The key that signs and verifies. Raises ``RuntimeError``: without a good one nobody gets in."""
    value = os.environ.get("JWT_SECRET", "")
    if len(value.encode()) < MIN_SECRET:
        raise RuntimeError(f"JWT_SECRET must hold at least {MIN_SECRET} bytes.")
    return value


def token(
    uuid: str,
    permissions: Iterable[str] = (),
    groups: Iterable[str] = (),
    *,
    expires_in: int = 3600,
) -> str:
    """A token that this authorizer accepts for ``expires_in`` seconds.

    Raises ``RuntimeError`` without a good ``JWT_SECRET``.
    """
    now = datetime.now(UTC)
    claims = {
        "sub": uuid,
        "permissions": list(permissions),
        "groups": list(groups),
        "iat": now,
        "exp": now + timedelta(seconds=expires_in),
        "iss": os.environ.get("JWT_ISSUER"),
        "aud": os.environ.get("JWT_AUDIENCE"),
    }
    return jwt.encode({name: value for name, value in claims.items() if value}, secret(), algorithm=ALGORITHM)
