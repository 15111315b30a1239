"""The API in front of the function: its properties, CORS, its access log."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from polymicro_lambda.http import COMPRESSED_FROM, CORS

from .authorizers import Authorizer
from .gateway_definition import OPENAPI, definition, models_of
from .gateway_responses import rest_refusals
from .gateway_routes import GatewayRoute, Preflights
from .options import Options
from .yaml_writer import Commented

LOG_MEMBERS = (
    "requestId ip:identity.sourceIp time:requestTime method:httpMethod status responseLatency"
    " responseLength error:error.message integrationError:integrationErrorMessage"
)
"""The members of an access log line: variables of ``$context``, after a colon where the log has another name.

The path is not among them, as it holds keys, nor the user: the app's log has the user as a hash, by the request's id.
"""
ROUTES = MappingProxyType({"rest": "resourcePath", "http": "routeKey"})
"""API -> the variable that has the route, with names in place of keys."""

_THROTTLE = {
    "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
    "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
}


def log_format(api: str) -> str:
    """The access log's line: JSON, a space after each member."""
    members = f"{LOG_MEMBERS} route:{ROUTES[api]}".split()
    pairs = [(name, variable or name) for name, _, variable in (item.partition(":") for item in members)]
    return "{" + ", ".join(f'"{name}":"$context.{variable}"' for name, variable in pairs) + "}"


def _access_log(api: str) -> dict[str, Any]:
    return {"DestinationArn": {"Fn::GetAtt": ["ApiLogs", "Arn"]}, "Format": log_format(api)}


def preflights_to_function(api: str, cors: CORS | None) -> Preflights:
    """The preflights that API Gateway leaves to the app.

    A REST API knows no answer for several origins. An HTTP API knows none for patterns and for schemes besides HTTP;
    else it answers by itself where no route takes OPTIONS, as ANY does.
    """
    if cors is None:
        return Preflights.NONE
    if api == "http":
        return Preflights.BESIDE_ANY if cors.is_plain else Preflights.ALL_OPEN
    return Preflights.NONE if cors.one_for_all else Preflights.ALL


def rest_api(
    served: Sequence[GatewayRoute],
    authorizer: Authorizer,
    options: Options,
    binary: Sequence[str] = (),
) -> dict[str, Any]:
    """The properties of ``AWS::Serverless::Api``; ``binary`` are the media types whose bodies are no texts."""
    models = models_of(served)
    cors, signed = options.cors, options.authorizer == "iam"
    preflight = Commented("AddDefaultAuthorizerToCorsPreflight", "A preflight request carries no token.")
    return {
        "StageName": {"Ref": "Stage"},
        Commented("OpenApiVersion", 'Without it SAM adds a stage named "Stage".'): OPENAPI,
        "EndpointConfiguration": {"Type": "REGIONAL"},
        "TracingEnabled": True,
        **({"Auth": {**authorizer.auth, preflight: False}} if authorizer.auth else {}),
        "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "MetricsEnabled": True, **_THROTTLE}],
        "AccessLogSetting": _access_log("rest"),
        Commented(
            "GatewayResponses", "What API Gateway refuses itself, as the app would say it."
        ): rest_refusals(cors, options.hsts, options.problem, signed=signed),
        Commented("MinimumCompressionSize", "Bytes from which on answers are compressed."): COMPRESSED_FROM,
        **({"BinaryMediaTypes": [one.replace("/", "~1") for one in binary]} if binary else {}),
        **(_rest_cors(cors) if cors is not None and cors.one_for_all else {}),
        **({"Models": models} if models else {}),
        Commented("MergeDefinitions", "Functions of yours may have events of this API too."): True,
        "DefinitionBody": definition(served, authorizer, options),
    }


def http_api(served: Sequence[GatewayRoute], authorizer: Authorizer, options: Options) -> dict[str, Any]:
    """The properties of ``AWS::Serverless::HttpApi``."""
    cors = options.cors
    return {
        "StageName": {"Ref": "Stage"},
        **({"Auth": dict(authorizer.auth)} if authorizer.auth else {}),
        "DefaultRouteSettings": {"DetailedMetricsEnabled": True, **_THROTTLE},
        "AccessLogSettings": _access_log("http"),
        **({"CorsConfiguration": _http_cors(cors)} if cors is not None and cors.is_plain else {}),
        "DefinitionBody": definition(served, authorizer, options),
    }


def _rest_cors(cors: CORS) -> dict[str, Any]:
    """The preflights of a REST API; SAM adds each path's own methods."""
    answer = {
        "AllowOrigin": f"'{cors.one_for_all}'",
        "AllowHeaders": f"'{', '.join(cors.allow_headers)}'",
        "MaxAge": f"'{cors.max_age}'",
    }
    credentials = {"AllowCredentials": True} if cors.credentials else {}
    return {Commented("Cors", "API Gateway answers preflights itself."): answer | credentials}


def _http_cors(cors: CORS) -> dict[str, Any]:
    return {
        "AllowOrigins": list(cors.origins),
        "AllowMethods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        "AllowHeaders": list(cors.allow_headers),
        "ExposeHeaders": list(cors.expose_headers),
        "AllowCredentials": cors.credentials,
        "MaxAge": cors.max_age,
    }
