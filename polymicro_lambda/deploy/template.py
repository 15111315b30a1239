"""The SAM template of an app: a pure function of its routes and models."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import is_binary
from polymicro_lambda.routing import Route

from .api_gateway import http_api, preflights_to_function, rest_api
from .authorizers import AUTHORIZERS, JWKS_PARAMETERS, Authorizer, without_optional
from .common_resources import (
    AFTER_LOGGING_ROLE,
    LOGGING_ROLE_PARAMETER,
    log_group,
    logging_role,
    resource,
    secret,
)
from .functions import app_function, authorizer_function, function_globals
from .gateway_routes import GatewayRoute, gateway_routes
from .generated_parts import Part, as_dict
from .limits import check_limits, is_within
from .options import RUNTIMES, SNAP_START_RUNTIMES, Options
from .tables import Table, tables_of

SECTIONS = ("Parameters", "Conditions", "Globals", "Resources", "Outputs")
"""In the order of the template."""


def template(routes: Sequence[Route], options: Options) -> dict[str, Any]:
    """The template of the app whose routes these are, with CloudFormation's functions in their long form.

    Raises ``ConfigurationError`` where the options or the tables contradict one another.
    """
    return as_dict(template_parts(routes, options))


def template_parts(routes: Sequence[Route], options: Options) -> list[Part]:
    """The same template, part by part, each with its origin. Raises as ``template``."""
    parts: list[Part] = []
    for served in _forms(routes, options):
        parts = _parts_of(routes, served, options)
        if is_within(as_dict(parts)):
            return parts
    check_limits(as_dict(parts))
    return parts


def _parts_of(routes: Sequence[Route], served: Sequence[GatewayRoute], options: Options) -> list[Part]:
    if options.names_no_authorizer and not options.jwks and all(one.is_open for one in served):
        options = replace(options, authorizer="none")  # there is nothing that it would stand before
    authorizer = _authorizer(options)
    if not any(one.authorization == "optional" for one in served):
        authorizer = without_optional(authorizer)
    if authorizer.optional is None and authorizer.auth:
        _refuse_mixed(served)
    tables = tables_of(dict.fromkeys(model for route in routes for model in route.models))
    parts = [
        Part("Parameters", "Parameters", _parameters(options, authorizer), "what a stage says"),
        Part("Globals", "Globals", {"Function": function_globals(options)}, "for all functions"),
        *_api(served, authorizer, options, binary_types(routes)),
        *app_function(routes, options),
        *authorizer_function(served, options),
        *(_table(table, options) for table in tables),
        secret("CursorSecret", "Signs the cursors of lists."),
        *(logging_role() if options.api == "rest" else []),
        Part("Outputs", "Outputs", _outputs(tables, options), "what a client needs"),
    ]
    return sorted(parts, key=lambda part: SECTIONS.index(part.section))


def _forms(routes: Sequence[Route], options: Options) -> Iterator[list[GatewayRoute]]:
    """The routes of the API, from a route for each verb to one for all; the first that fits is taken."""
    forms = gateway_routes(
        routes,
        validate=options.validate and options.api == "rest",
        preflights=preflights_to_function(options.api, options.cors),
        documentation=options.documentation,
    )
    for served in forms:
        closed = next((one.comment for one in served if not one.is_open), None)
        if options.authorizer == "none" and closed is not None:
            raise ConfigurationError(
                f"without an authorizer nobody can call {closed}: say which there is, by --authorizer"
                f" {_known_authorizers(options, without='none')}"
            )
        yield served


def _refuse_mixed(served: Sequence[GatewayRoute]) -> None:
    mixed = next((one for one in served if one.is_mixed), None)
    if mixed is not None:
        raise ConfigurationError(
            f"{mixed.path}: the API takes no route of its own for each verb of so large an app, and only some verbs"
            " here need a user, which this authorizer cannot tell apart: take a Lambda authorizer, or split the app"
        )


def _authorizer(options: Options) -> Authorizer:
    make = AUTHORIZERS.get((options.api, options.authorizer))
    if make is None:
        raise ConfigurationError(
            f"a {options.api.upper()} API has no {options.authorizer} authorizer; it has {_known_authorizers(options)}"
        )
    if options.names_no_authorizer:
        raise ConfigurationError(
            'the authorizer is a Lambda function, but nothing names it: write authorizer = "module:name" in'
            " [tool.polymicro], or say another, by --authorizer"
            f" {_known_authorizers(options, without='lambda')}"
        )
    if options.jwks and options.authorizer != "lambda":
        raise ConfigurationError(f"public keys are for a Lambda authorizer, not for {options.authorizer}")
    return make()


def _known_authorizers(options: Options, without: str = "") -> str:
    return ", ".join(one for api, one in AUTHORIZERS if api == options.api and one != without)


def _parameters(options: Options, authorizer: Authorizer) -> dict[str, Any]:
    runtimes = SNAP_START_RUNTIMES if options.snap_start else RUNTIMES
    if options.runtime not in runtimes:
        raise ConfigurationError(f"SnapStart takes {' or '.join(runtimes)}, not {options.runtime}")
    return {
        "Stage": {
            "Type": "String",
            "Default": "dev",
            "AllowedPattern": "[A-Za-z0-9_]+",
            "Description": "The API's stage, which is the first segment of its URL.",
        },
        "Runtime": {"Type": "String", "Default": options.runtime, "AllowedValues": list(runtimes)},
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
        **authorizer.parameters,
        **(JWKS_PARAMETERS if options.jwks else {}),
        **(LOGGING_ROLE_PARAMETER if options.api == "rest" else {}),
    }


def _api(
    served: Sequence[GatewayRoute], authorizer: Authorizer, options: Options, binary: Sequence[str]
) -> Iterator[Part]:
    if options.api == "rest":
        body = resource(
            "AWS::Serverless::Api",
            {
                **AFTER_LOGGING_ROLE,
                **rest_api(served, authorizer, options, binary),
            },
        )
    else:
        body = resource("AWS::Serverless::HttpApi", http_api(served, authorizer, options))
    yield Part("Resources", "Api", {"Api": body}, "the app's routes and CORS")
    yield log_group("ApiLogs", "access logs")


def binary_types(routes: Sequence[Route]) -> tuple[str, ...]:
    """The media types that the routes read or answer and whose bodies are no texts: a REST API has to know them."""
    formats = [(one.media, one.renderer) for route in routes for one in route.representations]
    formats += [(one.media, one.parser) for route in routes for one in route.body_types]
    return tuple(dict.fromkeys(media for media, by in formats if is_binary(media, by)))


def _outputs(tables: Sequence[Table], options: Options) -> dict[str, Any]:
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"
    outputs = {
        "Url": {"Description": "Where the API answers.", "Value": {"Fn::Sub": url}},
        **{table.logical_id: {"Value": {"Ref": table.logical_id}} for table in tables},
    }
    if options.authorizer == "lambda" and not options.jwks:
        secret = {"Description": "The ARN of the secret that signs tokens.", "Value": {"Ref": "JwtSecret"}}
        outputs["JwtSecret"] = secret
    return outputs


def _table(table: Table, options: Options) -> Part:
    prefix = options.table_prefix
    name = {"Fn::Sub": f"${{AWS::StackName}}-{table.name}"} if prefix is None else f"{prefix}{table.name}"
    properties = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        **table.properties,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    policies: dict[str, Any] = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    body = resource("AWS::DynamoDB::Table", properties, **policies)
    models = ", ".join(f"{model.__name__} of {model.__module__}" for model in table.models)
    return Part("Resources", table.logical_id, {table.logical_id: body}, models)
