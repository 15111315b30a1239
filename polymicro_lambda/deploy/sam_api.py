"""The API in front of the function: who is asked for a user, what is logged, and what it refuses itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from polymicro_lambda.http import CORS, HSTS

from .sam_events import Event, Preflights
from .yaml_text import Noted

LOG = (
    "requestId ip:identity.sourceIp time:requestTime method:httpMethod path status responseLatency"
    " responseLength user:authorizer.principalId error:error.message integrationError:integrationErrorMessage"
)
"""What an access log tells of a request: the names of ``$context``, with the name in the log where it is another."""


@dataclass(frozen=True, slots=True)
class Gate:
    """An authorizer in front of the API: what stands in its ``Auth``, and what has to be said at deployment."""

    auth: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)


# --- who is asked for a user --------------------------------------------------------------------------------

_KEPT = 300
"""Seconds that an authorizer's answer is kept for a token, as API Gateway does unless told otherwise."""


def _lambda_rest() -> Gate:
    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": _KEPT}
    function = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "FunctionPayloadType": "REQUEST",
    }
    return Gate(
        {"DefaultAuthorizer": "Bearer", "Authorizers": {"Bearer": {**function, "Identity": identity}}}
    )


def _lambda_http() -> Gate:
    authorizer = {
        "FunctionArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "EnableFunctionDefaultPermissions": True,
        "Identity": {"Headers": ["Authorization"], "ReauthorizeEvery": _KEPT},
    }
    return Gate({"DefaultAuthorizer": "Bearer", "Authorizers": {"Bearer": authorizer}})


def _cognito() -> Gate:
    parameters = {
        "UserPoolArn": {"Type": "String", "Description": "The Cognito user pool that knows the users."}
    }
    authorizers = {"Cognito": {"UserPoolArn": {"Ref": "UserPoolArn"}}}
    return Gate({"DefaultAuthorizer": "Cognito", "Authorizers": authorizers}, parameters)


def _jwt() -> Gate:
    parameters = {
        "JwtIssuer": {"Type": "String", "Description": "The iss of the tokens; an OpenID provider's URL."},
        "JwtAudience": {
            "Type": "CommaDelimitedList",
            "Description": "The aud, or client ids, of the tokens.",
        },
    }
    configuration = {"issuer": {"Ref": "JwtIssuer"}, "audience": {"Ref": "JwtAudience"}}
    source = {"IdentitySource": "$request.header.Authorization", "JwtConfiguration": configuration}
    return Gate({"DefaultAuthorizer": "Jwt", "Authorizers": {"Jwt": source}}, parameters)


def _iam_rest() -> Gate:
    # Else SAM calls the function as the caller, who would need leave for that.
    return Gate({"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"})


def _iam_http() -> Gate:
    return Gate({"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"})


def _open() -> Gate:
    return Gate({})


GATES: Mapping[tuple[str, str], Callable[[], Gate]] = MappingProxyType(
    {
        ("rest", "lambda"): _lambda_rest,
        ("rest", "cognito"): _cognito,
        ("rest", "iam"): _iam_rest,
        ("http", "lambda"): _lambda_http,
        ("http", "jwt"): _jwt,
        ("http", "iam"): _iam_http,
        ("rest", "none"): _open,
        ("http", "none"): _open,
    }
)
"""(api, authorizer) -> its gate; Cognito's tokens are JWTs to an HTTP API, and a REST API checks no others."""


# --- the two kinds of API ---------------------------------------------------------------------------------------

_THROTTLE = {
    "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
    "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
}


def log_format() -> str:
    """The access log's line: JSON, a space after each member."""
    pairs = [(name, source or name) for name, _, source in (one.partition(":") for one in LOG.split())]
    return "{" + ", ".join(f'"{name}":"$context.{source}"' for name, source in pairs) + "}"


def preflights(api: str, cors: CORS | None) -> Preflights:
    """Which preflights API Gateway leaves to the app: it knows no answer for several origins of a REST API.

    An HTTP API answers by itself where no route takes OPTIONS, as ANY does.
    """
    if cors is None:
        return Preflights.NONE
    if api == "http":
        return Preflights.BESIDE_ANY
    return Preflights.NONE if _only_origin(cors) else Preflights.ALL


def _only_origin(cors: CORS) -> str | None:
    """The one origin that every answer may name; None where it depends on who asks."""
    if "*" in cors.origins:
        return "*"
    return cors.origins[0] if len(cors.origins) == 1 else None


def rest_api(
    served: Sequence[Event], gate: Gate, cors: CORS | None, hsts: HSTS | None = None
) -> dict[str, Any]:
    """The properties of ``AWS::Serverless::Api``."""
    models = {event.name: event.body for event in served if event.body is not None}
    preflight = Noted("AddDefaultAuthorizerToCorsPreflight", "A preflight request carries no token.")
    return {
        "StageName": {"Ref": "Stage"},
        Noted("OpenApiVersion", 'Without it SAM adds a stage named "Stage".'): "3.0.1",
        "EndpointConfiguration": {"Type": "REGIONAL"},
        "TracingEnabled": True,
        **({"Auth": {**gate.auth, preflight: False}} if gate.auth else {}),
        "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "MetricsEnabled": True, **_THROTTLE}],
        "AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["ApiLogs", "Arn"]}, "Format": log_format()},
        Noted("GatewayResponses", "What API Gateway refuses itself, as the app would say it."): {
            name: _refusal(cors, hsts, *said) for name, said in _REFUSALS.items()
        },
        **({"Models": models} if models else {}),
        **(_cors(cors) if cors is not None and _only_origin(cors) else {}),
    }


def http_api(gate: Gate, cors: CORS | None) -> dict[str, Any]:
    """The properties of ``AWS::Serverless::HttpApi``."""
    return {
        "StageName": {"Ref": "Stage"},
        **({"Auth": dict(gate.auth)} if gate.auth else {}),
        "DefaultRouteSettings": {"DetailedMetricsEnabled": True, **_THROTTLE},
        "AccessLogSettings": {"DestinationArn": {"Fn::GetAtt": ["ApiLogs", "Arn"]}, "Format": log_format()},
        **({"CorsConfiguration": _configured(cors)} if cors is not None else {}),
    }


def _cors(cors: CORS) -> dict[str, Any]:
    """The preflights of a REST API; SAM adds each path's own methods."""
    said = {
        "AllowOrigin": f"'{_only_origin(cors)}'",
        "AllowHeaders": f"'{', '.join(cors.allow_headers)}'",
        "MaxAge": f"'{cors.max_age}'",
    }
    credentials = {"AllowCredentials": True} if cors.credentials else {}
    return {Noted("Cors", "API Gateway answers preflights itself."): said | credentials}


def _configured(cors: CORS) -> dict[str, Any]:
    return {
        "AllowOrigins": list(cors.origins),
        "AllowMethods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        "AllowHeaders": list(cors.allow_headers),
        "ExposeHeaders": list(cors.expose_headers),
        "AllowCredentials": cors.credentials,
        "MaxAge": cors.max_age,
    }


_REFUSALS: Mapping[str, tuple[int | None, str, Mapping[str, str]]] = MappingProxyType(
    {
        "UNAUTHORIZED": (401, '"Unauthorized"', {"WWW-Authenticate": "'Bearer'"}),
        "MISSING_AUTHENTICATION_TOKEN": (404, '"Not Found"', {}),  # how a REST API calls an unknown path
        "BAD_REQUEST_BODY": (422, '"Unprocessable Content"', {}),
        "DEFAULT_4XX": (None, "$context.error.messageString", {}),
        "DEFAULT_5XX": (None, "$context.error.messageString", {}),
    }
)
"""API Gateway's own response -> status (None leaves it), the title as JSON, headers."""


_ALWAYS = {"Cache-Control": "'no-store'", "X-Content-Type-Options": "'nosniff'"}
"""As the app says it (``headers.ALWAYS``)."""


def _refusal(
    cors: CORS | None, hsts: HSTS | None, status: int | None, title: str, headers: Mapping[str, str]
) -> dict[str, Any]:
    origin = None if cors is None else _only_origin(cors)
    allowed = {"Access-Control-Allow-Origin": f"'{origin}'"} if origin else {}
    said = "" if status is None else f'"status":{status},'
    body = '{"type":"about:blank","title":' + title + "," + said + '"instance":"$context.requestId"}'
    secure = {} if hsts is None else {"Strict-Transport-Security": f"'{hsts.value}'"}
    sent = {**headers, **allowed, **_ALWAYS, **secure}
    return {
        **({} if status is None else {"StatusCode": status}),
        "ResponseParameters": {"Headers": sent},
        "ResponseTemplates": {"application/json": body},
    }


def event_source(event: Event, api: str, *, authorized: bool) -> dict[str, Any]:
    """An event of ``AWS::Serverless::Function``."""
    kind, reference = ("Api", "RestApiId") if api == "rest" else ("HttpApi", "ApiId")
    properties: dict[str, Any] = {reference: {"Ref": "Api"}, "Method": event.method, "Path": event.path}
    if event.is_open and authorized:
        properties["Auth"] = {"Authorizer": "NONE"}
    if event.body is not None and api == "rest":
        properties["RequestModel"] = {"Model": event.name, "Required": True, "ValidateBody": True}
    return {"Type": kind, "Properties": properties}
