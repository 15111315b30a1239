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


_CACHED = 300
"""Seconds that an authorizer's answer is kept for a token, as API Gateway does unless told otherwise."""


def _lambda_rest() -> Authorizer:
    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": _CACHED}
    function = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "FunctionPayloadType": "REQUEST",
    }
    return Authorizer(
        {"DefaultAuthorizer": "Bearer", "Authorizers": {"Bearer": {**function, "Identity": identity}}}
    )


def _lambda_http() -> Authorizer:
    authorizer = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "EnableFunctionDefaultPermissions": True,
        "Identity": {"Headers": ["Authorization"], "ReauthorizeEvery": _CACHED},
    }
    return Authorizer({"DefaultAuthorizer": "Bearer", "Authorizers": {"Bearer": authorizer}})


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
