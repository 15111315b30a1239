"""The routes of the API as the OpenAPI document that API Gateway imports, and its permission to call the function.

An event of the function for each would need a permission for each, and a function's policy takes some 45 of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .authorizers import Authorizer
from .common_resources import resource
from .gateway_routes import GatewayRoute
from .options import Options
from .yaml_writer import Commented

OPENAPI = "3.0.1"
"""The version that API Gateway exports and imports (its developer guide, "OpenAPI")."""
ALIAS = "live"
"""Names the version of the function that is called."""
ANY = "x-amazon-apigateway-any-method"
_VALIDATOR = "body-only"
_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


def definition(served: Sequence[GatewayRoute], authorizer: Authorizer, options: Options) -> dict[str, Any]:
    """The ``DefinitionBody`` of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for one in served:
        verb = ANY if one.method == "ANY" else one.method.lower()
        paths.setdefault(one.path, {})[Commented(verb, one.comment)] = _operation(one, authorizer, options)
    checks = {"validateRequestBody": True, "validateRequestParameters": False}
    return {
        "openapi": OPENAPI,
        "info": {"title": {"Ref": "AWS::StackName"}, "version": "1.0"},
        **({"x-amazon-apigateway-request-validators": {_VALIDATOR: checks}} if models_of(served) else {}),
        "paths": paths,
    }


def models_of(served: Sequence[GatewayRoute]) -> dict[str, Any]:
    """The ``Models`` of the API: the schemas of bodies."""
    return {one.name: one.body for one in served if one.body is not None}


def _operation(one: GatewayRoute, authorizer: Authorizer, options: Options) -> Mapping[str, Any]:
    # "${Function.Alias}" would say it too, but cfn-lint takes it for a fault here.
    function = f"functions/${{{options.name}Function.Arn}}:{ALIAS}/invocations"
    uri = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/{function}"
    version = {"payloadFormatVersion": "2.0"} if options.api == "http" else {}
    integration = {"type": "aws_proxy", "httpMethod": "POST", **version, "uri": {"Fn::Sub": uri}}
    made: dict[str, Any] = {"x-amazon-apigateway-integration": integration, "responses": {}}
    if options.api == "http" and (names := _PARAMETER.findall(one.path)):
        made["parameters"] = [{"name": name, "in": "path", "required": True} for name in names]
    if one.is_open and authorizer.auth:
        asked = authorizer.optional if one.authorization == "optional" else None
        made["security"] = [{asked or "NONE": []}]
    if one.body is not None:
        schema = {"$ref": f"#/components/schemas/{one.name.lower()}"}  # as SAM spells the models
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        made["x-amazon-apigateway-request-validator"] = _VALIDATOR
    return made


def permission(name: str) -> dict[str, Any]:
    """The permission by which API Gateway calls this function for any request of the API."""
    place = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
    properties = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": f"{name}.Alias"},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": place},
    }
    return resource("AWS::Lambda::Permission", properties)
