"""What finds out the user in front of the API: each kind of authorizer, and the environment of a Lambda authorizer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .yaml_writer import Commented


@dataclass(frozen=True, slots=True)
class Authorizer:
    """An authorizer in front of the API: the ``Auth`` of the API, and parameters of the stack."""

    auth: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    optional: str | None = None
    """The name of the one before routes that are open to all, None where API Gateway has none."""


_CACHED = 300
"""Seconds that an authorizer's answer is kept for a token, as API Gateway does unless told otherwise."""


OPTIONAL = "BearerOrNobody"
"""The authorizer before routes that are open to all: it is asked for requests without a token too."""
_OPTIONAL_IDENTITY = Commented(
    "Identity", "No header is demanded, and no answer kept: who sends no token is nobody."
)


def _lambda_rest() -> Authorizer:
    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": _CACHED}
    function = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "FunctionPayloadType": "REQUEST",
    }
    optional = {**function, _OPTIONAL_IDENTITY: {"ReauthorizeEvery": 0}}
    authorizers = {"Bearer": {**function, "Identity": identity}, OPTIONAL: optional}
    return Authorizer({"DefaultAuthorizer": "Bearer", "Authorizers": authorizers}, optional=OPTIONAL)


def _lambda_http() -> Authorizer:
    function = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "EnableFunctionDefaultPermissions": True,
    }
    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": _CACHED}
    optional = {**function, _OPTIONAL_IDENTITY: {"ReauthorizeEvery": 0}}
    authorizers = {"Bearer": {**function, "Identity": identity}, OPTIONAL: optional}
    return Authorizer({"DefaultAuthorizer": "Bearer", "Authorizers": authorizers}, optional=OPTIONAL)


def _cognito() -> Authorizer:
    parameters = {
        "UserPoolArn": {"Type": "String", "Description": "The Cognito user pool that knows the users."}
    }
    authorizers = {"Cognito": {"UserPoolArn": {"Ref": "UserPoolArn"}}}
    return Authorizer({"DefaultAuthorizer": "Cognito", "Authorizers": authorizers}, parameters)


def _jwt() -> Authorizer:
    parameters = {
        "JwtIssuer": {"Type": "String", "Description": "The iss of the tokens; an OpenID provider's URL."},
        "JwtAudience": {
            "Type": "CommaDelimitedList",
            "Description": "The aud, or client ids, of the tokens.",
        },
    }
    configuration = {"issuer": {"Ref": "JwtIssuer"}, "audience": {"Ref": "JwtAudience"}}
    source = {"IdentitySource": "$request.header.Authorization", "JwtConfiguration": configuration}
    return Authorizer({"DefaultAuthorizer": "Jwt", "Authorizers": {"Jwt": source}}, parameters)


def _iam_rest() -> Authorizer:
    # Else SAM calls the function as the caller, who would need leave for that.
    return Authorizer({"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"})


def _iam_http() -> Authorizer:
    return Authorizer({"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"})


def _open() -> Authorizer:
    return Authorizer({})


AUTHORIZERS: Mapping[tuple[str, str], Callable[[], Authorizer]] = MappingProxyType(
    {
        ("rest", "lambda"): _lambda_rest,
        ("rest", "cognito"): _cognito,
        ("rest", "iam"): _iam_rest,
        ("http", "lambda"): _lambda_http,
        ("http", "jwt"): _jwt,
        ("http", "iam"): _iam_http,
        ("rest", "app"): _open,
        ("http", "app"): _open,
        ("rest", "none"): _open,
        ("http", "none"): _open,
    }
)
"""(api, authorizer) -> its gate; Cognito's tokens are JWTs to an HTTP API, and a REST API checks no others."""


def without_optional(authorizer: Authorizer) -> Authorizer:
    """The same without what stands before routes that are open to all."""
    kept = {name: one for name, one in authorizer.auth.get("Authorizers", {}).items() if name != OPTIONAL}
    auth = {**authorizer.auth, "Authorizers": kept} if kept else authorizer.auth
    return Authorizer(auth, authorizer.parameters)


ALLOW_ANONYMOUS: Mapping[str, str] = MappingProxyType({"ALLOW_ANONYMOUS": "true"})
"""What tells the authorizer that requests without a token pass before some routes."""
OPEN = frozenset({"app", "none"})
"""Those under which API Gateway lets every request through: to an app that finds out its users itself, or has none."""


# --- the environment of a Lambda authorizer -----------------------------------------------------------------

_JWT_SECRET = Commented("JWT_SECRET", "More of the environment can follow behind this part.")
_JWT_JWKS_URL = Commented("JWT_JWKS_URL", "More of the environment can follow behind this part.")
SECRET_ENVIRONMENT: Mapping[str, Any] = MappingProxyType(
    {_JWT_SECRET: {"Fn::Sub": "{{resolve:secretsmanager:${JwtSecret}}}"}}
)
"""The environment of an authorizer whose tokens the stack's own secret signs."""
JWKS_ENVIRONMENT: Mapping[str, Any] = MappingProxyType(
    {
        _JWT_JWKS_URL: {"Ref": "JwksUrl"},
        "JWT_ISSUER": {"Ref": "JwtIssuer"},
        "JWT_AUDIENCE": {"Ref": "JwtAudience"},
    }
)
"""The same where an identity provider signs them: its public keys, and for whom a token has to be."""
JWKS_PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "JwksUrl": {
            "Type": "String",
            "AllowedPattern": "https://.+",
            "Description": "Where the identity provider has its public keys.",
        },
        "JwtIssuer": {"Type": "String", "MinLength": 1, "Description": "The iss of its tokens."},
        "JwtAudience": {"Type": "String", "MinLength": 1, "Description": "What must be in their aud."},
    }
)
