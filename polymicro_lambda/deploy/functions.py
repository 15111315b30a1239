"""The Lambda functions of a stack: the app's own and its authorizer, each with its logs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from polymicro_lambda.dynamodb import has_table, table_name
from polymicro_lambda.routing import Route

from .authorizers import ALLOW_ANONYMOUS, JWKS_ENVIRONMENT, SECRET_ENVIRONMENT
from .common_resources import log_group, resource, secret
from .gateway_definition import ALIAS, permission
from .gateway_routes import GatewayRoute
from .generated_parts import Part
from .iam_policy import statements
from .options import Options
from .policies import policies_of
from .tables import logical_id
from .yaml_writer import Commented


def function_globals(options: Options) -> dict[str, Any]:
    """The properties of all functions, for the section ``Globals``."""
    return {
        "CodeUri": ".",
        "Runtime": {"Ref": "Runtime"},
        "Architectures": [options.arch],
        "Tracing": "Active",
        "LoggingConfig": {"LogFormat": "JSON"},
    }


def app_function(routes: Sequence[Route], options: Options) -> Iterator[Part]:
    """The function that answers the requests, and its logs."""
    name = f"{options.name}Function"
    models = {table_name(route.model): None for route in routes if has_table(route.model)}
    tables = {logical_id(table_name(one)): table_name(one) for route in routes for one in route.models}
    granted, apart = policies_of(name, statements(routes), tables)
    properties = {
        "Handler": options.handler,
        "MemorySize": options.memory,
        Commented("Timeout", "Seconds: API Gateway waits no longer than 29."): options.timeout,
        "AutoPublishAlias": ALIAS,
        **({"SnapStart": {"ApplyOn": "PublishedVersions"}} if options.snap_start else {}),
        "LoggingConfig": {"LogGroup": {"Ref": f"{options.name}Logs"}},
        "Environment": {"Variables": _environment(options)},
        **({"Policies": granted} if granted else {}),
    }
    note = f"the routes over {', '.join(models) or 'no table'}"
    yield Part("Resources", name, {name: _function(properties, options)}, note)
    yield Part("Resources", f"{name}Permission", {f"{name}Permission": permission(name)}, "for all requests")
    yield from apart
    yield log_group(f"{options.name}Logs", f"logs of {name}")


def _environment(options: Options) -> dict[str, Any]:
    endpoint = Commented(
        "AWS_ENDPOINT_URL_DYNAMODB",
        "The endpoint that it has anyway: `sam local` lets only what stands here be replaced by DynamoDB Local.",
    )
    prefix = {"POLYMICRO_TABLE_PREFIX": {"Fn::Sub": "${AWS::StackName}-"}}
    return {
        endpoint: {"Fn::Sub": "https://dynamodb.${AWS::Region}.${AWS::URLSuffix}"},
        **(prefix if options.table_prefix is None else {}),
        "POLYMICRO_CURSOR_SECRET": {"Fn::Sub": "{{resolve:secretsmanager:${CursorSecret}}}"},
        **({} if options.title is None else {"POLYMICRO_TITLE": options.title}),
        **{variable: {"Ref": "AWS::StackName"} for variable in options.named},
    }


def authorizer_function(served: Sequence[GatewayRoute], options: Options) -> Iterator[Part]:
    """The Lambda authorizer, its logs and the secret that signs its tokens; nothing where another kind is there."""
    anonymous = ALLOW_ANONYMOUS if any(one.authorization == "optional" for one in served) else {}
    if options.authorizer != "lambda":
        return
    properties = {
        "Handler": options.authorizer_handler,
        "MemorySize": 256,
        "Timeout": 5,
        "LoggingConfig": {"LogGroup": {"Ref": "AuthorizerLogs"}},
        "Environment": {
            "Variables": {**(JWKS_ENVIRONMENT if options.jwks else SECRET_ENVIRONMENT), **anonymous}
        },
    }
    body = _function(properties, options)
    note = "[tool.polymicro] authorizer"
    yield Part("Resources", "AuthorizerFunction", {"AuthorizerFunction": body}, note)
    yield log_group("AuthorizerLogs", "logs of AuthorizerFunction")
    if not options.jwks:
        yield secret("JwtSecret", "Signs and verifies bearer tokens.")


def _function(properties: Mapping[str, Any], options: Options) -> dict[str, Any]:
    built = {"BuildMethod": options.build_method} if options.build_method else {}
    return resource("AWS::Serverless::Function", properties, metadata=built)
