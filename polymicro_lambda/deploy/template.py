"""The SAM template of an app: a pure function of its routes and models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.dynamodb import table_name
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import CORS, HSTS
from polymicro_lambda.openapi import Documentation
from polymicro_lambda.routing import Route

from .parts import Part, as_dict
from .policy import statements
from .sam_api import GATES, Gate, event_source, http_api, preflights, rest_api
from .sam_events import Event, camel, events
from .stack import (
    ACCOUNT_PARAMETER,
    AFTER_ACCOUNT,
    BY_KEYS,
    BY_SECRET,
    KEYS_PARAMETERS,
    account,
    logs,
    resource,
    secret,
)
from .tables import Table, tables_of
from .yaml_text import Noted

RUNTIMES = ("python3.11", "python3.12", "python3.13")
SNAP_START = RUNTIMES[1:]
"""Those that SnapStart takes (AWS Lambda Developer Guide, "Improving startup performance with SnapStart")."""
ALIAS = "live"
SECTIONS = ("Parameters", "Conditions", "Globals", "Resources", "Outputs")
"""As they follow one another in the template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What routes and models do not say of a deployment."""

    handler: str
    """The function's, e.g. ``handlers.todo.handler``."""
    authorizer_handler: str | None = None
    """The Lambda authorizer's."""
    api: str = "rest"
    authorizer: str = "lambda"
    jwks: bool = False
    """The Lambda authorizer takes an identity provider's tokens, by its public keys."""
    arch: str = "arm64"
    memory: int = 512
    """MB."""
    timeout: int = 29
    """Seconds; API Gateway waits for 29 (its quotas, "Integration timeout")."""
    snap_start: bool = False
    validate: bool = True
    """API Gateway checks request bodies, where it is a REST API."""
    build_method: str | None = None
    """SAM's, e.g. ``makefile``."""
    cors: CORS | None = None
    hsts: HSTS | None = None
    documentation: Documentation | None = None
    """What the app serves of its documentation."""
    table_prefix: str | None = None
    """The app's own, None where the environment says it."""
    named: tuple[str, ...] = ()
    """Variables of Powertools that name what the app has left unnamed: they get the stack's name."""

    @property
    def name(self) -> str:
        """What the function is called after: its module."""
        return camel(self.handler.split(".")[-2] if "." in self.handler else self.handler)


def template(routes: Sequence[Route], options: Options) -> dict[str, Any]:
    """The template of the app whose routes these are, with CloudFormation's functions in their long form.

    Raises ``ConfigurationError`` where the options or the tables contradict one another.
    """
    return as_dict(template_parts(routes, options))


def template_parts(routes: Sequence[Route], options: Options) -> list[Part]:
    """The same, part by part, each with what it was made from. Raises as ``template``."""
    gate = _gate(options)
    validate = options.validate and options.api == "rest"
    served = events(
        routes,
        validate=validate,
        preflights=preflights(options.api, options.cors),
        documentation=options.documentation,
    )
    if options.authorizer == "none" and not all(event.is_open for event in served):
        closed = next(event.note for event in served if not event.is_open)
        raise ConfigurationError(f"without an authorizer nobody can call {closed}: say which there is")
    found = tables_of(dict.fromkeys(model for route in routes for model in route.models))
    made = [
        Part("Parameters", "Parameters", _parameters(options, gate), "what a stage says"),
        Part("Globals", "Globals", {"Function": _shared(options)}, "for all functions"),
        *_api(served, gate, options),
        *_function(routes, served, options),
        *_authorizer(options),
        *(_table(table, options) for table in found),
        secret("CursorSecret", "Signs the cursors of lists."),
        *(account() if options.api == "rest" else []),
        Part("Outputs", "Outputs", _outputs(found, options), "what a client needs"),
    ]
    return sorted(made, key=lambda part: SECTIONS.index(part.section))


def _gate(options: Options) -> Gate:
    gate = GATES.get((options.api, options.authorizer))
    if gate is None:
        known = ", ".join(authorizer for api, authorizer in GATES if api == options.api)
        raise ConfigurationError(
            f"a {options.api.upper()} API has no {options.authorizer} authorizer; it has {known}"
        )
    if options.authorizer == "lambda" and options.authorizer_handler is None:
        raise ConfigurationError("the authorizer is a Lambda function, but nothing names it")
    if options.jwks and options.authorizer != "lambda":
        raise ConfigurationError(f"public keys are for a Lambda authorizer, not for {options.authorizer}")
    return gate()


def _parameters(options: Options, gate: Gate) -> dict[str, Any]:
    runtimes = SNAP_START if options.snap_start else RUNTIMES
    return {
        "Stage": {
            "Type": "String",
            "Default": "dev",
            "AllowedPattern": "[A-Za-z0-9_]+",
            "Description": "The API's stage, which is the first segment of its URL.",
        },
        "Runtime": {"Type": "String", "Default": RUNTIMES[-1], "AllowedValues": list(runtimes)},
        "RequestsPerSecond": {
            "Type": "Number",
            "Default": 100,
            "Description": "More than this on average are refused.",
        },
        "RequestBurst": {
            "Type": "Number",
            "Default": 200,
            "Description": "More than this at once are refused.",
        },
        **gate.parameters,
        **(KEYS_PARAMETERS if options.jwks else {}),
        **(ACCOUNT_PARAMETER if options.api == "rest" else {}),
    }


def _shared(options: Options) -> dict[str, Any]:
    return {
        "CodeUri": ".",
        "Runtime": {"Ref": "Runtime"},
        "Architectures": [options.arch],
        "Tracing": "Active",
        "LoggingConfig": {"LogFormat": "JSON"},
    }


def _api(served: Sequence[Event], gate: Gate, options: Options) -> Iterator[Part]:
    if options.api == "rest":
        body = resource(
            "AWS::Serverless::Api", {**AFTER_ACCOUNT, **rest_api(served, gate, options.cors, options.hsts)}
        )
    else:
        body = resource("AWS::Serverless::HttpApi", http_api(gate, options.cors))
    yield Part("Resources", "Api", {"Api": body}, "the app's routes and CORS")
    yield logs("ApiLogs", "access logs")


def _function(routes: Sequence[Route], served: Sequence[Event], options: Options) -> Iterator[Part]:
    name, authorized = f"{options.name}Function", options.authorizer != "none"
    models = {table_name(route.model): None for route in routes}
    properties = {
        "Handler": options.handler,
        "MemorySize": options.memory,
        Noted("Timeout", "Seconds: API Gateway waits no longer than 29."): options.timeout,
        "AutoPublishAlias": ALIAS,
        **({"SnapStart": {"ApplyOn": "PublishedVersions"}} if options.snap_start else {}),
        "LoggingConfig": {"LogGroup": {"Ref": f"{options.name}Logs"}},
        "Environment": {"Variables": _environment(options)},
        "Events": {
            Noted(event.name, event.note): event_source(event, options.api, authorized=authorized)
            for event in served
        },
        "Policies": [{"Version": "2012-10-17", "Statement": statements(routes)}],
    }
    note = f"the routes over {', '.join(models)}"
    yield Part("Resources", name, {name: _lambda(properties, options)}, note)
    yield logs(f"{options.name}Logs", f"logs of {name}")


def _environment(options: Options) -> dict[str, Any]:
    endpoint = Noted(
        "AWS_ENDPOINT_URL_DYNAMODB",
        "The endpoint that it has anyway: `sam local` lets only what stands here be replaced by DynamoDB Local.",
    )
    prefix = {"POLYMICRO_TABLE_PREFIX": {"Fn::Sub": "${AWS::StackName}-"}}
    return {
        endpoint: {"Fn::Sub": "https://dynamodb.${AWS::Region}.${AWS::URLSuffix}"},
        **(prefix if options.table_prefix is None else {}),
        "POLYMICRO_CURSOR_SECRET": {"Fn::Sub": "{{resolve:secretsmanager:${CursorSecret}}}"},
        **{variable: {"Ref": "AWS::StackName"} for variable in options.named},
    }


def _authorizer(options: Options) -> Iterator[Part]:
    if options.authorizer != "lambda":
        return
    properties = {
        "Handler": options.authorizer_handler,
        "MemorySize": 256,
        "Timeout": 5,
        "LoggingConfig": {"LogGroup": {"Ref": "AuthorizerLogs"}},
        "Environment": {"Variables": dict(BY_KEYS if options.jwks else BY_SECRET)},
    }
    body = _lambda(properties, options)
    note = "[tool.polymicro] authorizer"
    yield Part("Resources", "AuthorizerFunction", {"AuthorizerFunction": body}, note)
    yield logs("AuthorizerLogs", "logs of AuthorizerFunction")
    if not options.jwks:
        yield secret("JwtSecret", "Signs and verifies bearer tokens.")


def _lambda(properties: Mapping[str, Any], options: Options) -> dict[str, Any]:
    built = {"BuildMethod": options.build_method} if options.build_method else {}
    return resource("AWS::Serverless::Function", properties, metadata=built)


def _table(table: Table, options: Options) -> Part:
    prefix = options.table_prefix
    named = {"Fn::Sub": f"${{AWS::StackName}}-{table.name}"} if prefix is None else f"{prefix}{table.name}"
    properties = {
        "TableName": named,
        "BillingMode": "PAY_PER_REQUEST",
        **table.properties,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    kept: dict[str, Any] = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    body = resource("AWS::DynamoDB::Table", properties, **kept)
    models = ", ".join(f"{model.__name__} of {model.__module__}" for model in table.models)
    return Part("Resources", table.logical_id, {table.logical_id: body}, models)


def _outputs(found: Sequence[Table], options: Options) -> dict[str, Any]:
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"
    said = {
        "Url": {"Description": "Where the API answers.", "Value": {"Fn::Sub": url}},
        **{table.logical_id: {"Value": {"Ref": table.logical_id}} for table in found},
    }
    if options.authorizer == "lambda" and not options.jwks:
        secret = {"Description": "The ARN of the secret that signs tokens.", "Value": {"Ref": "JwtSecret"}}
        said["JwtSecret"] = secret
    return said
