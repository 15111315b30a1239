"""Resources of every stack, whatever its routes: log groups, secrets, API Gateway's role; checks of checkov to skip."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .generated_parts import Part
from .yaml_writer import Commented

LOG_DAYS = 365
"""Days that logs are kept: what checkov asks for (CKV_AWS_338)."""

_AWS_KEY = "encrypted by AWS's own key; a key of one's own costs money and is the deployer's choice"
SKIPPED_CHECKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "AWS::Serverless::Api": {
            "CKV_AWS_120": "answers are for their user alone: a shared cache would mix them"
        },
        "AWS::Serverless::Function": {
            "CKV_AWS_115": "the stage is throttled; reserved concurrency is the account's to share out",
            "CKV_AWS_116": "it is called and answered at once: nothing is left that a queue could hold",
            "CKV_AWS_117": "DynamoDB is reached by IAM; a VPC adds nothing but a NAT or an endpoint",
            "CKV_AWS_173": _AWS_KEY,
        },
        "AWS::DynamoDB::Table": {"CKV_AWS_119": _AWS_KEY},
        "AWS::SecretsManager::Secret": {"CKV_AWS_149": _AWS_KEY},
        "AWS::Logs::LogGroup": {"CKV_AWS_158": _AWS_KEY},
    }
)
"""Type of resource -> the checks of checkov that it does not pass, each with the reason to leave it so."""


def resource(
    kind: str,
    properties: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> dict[str, Any]:
    """A resource of this type; ``attributes`` are CloudFormation's own, such as ``DeletionPolicy``."""
    skips = [{"id": check, "comment": reason} for check, reason in SKIPPED_CHECKS.get(kind, {}).items()]
    notes = {**(metadata or {}), **({"checkov": {"skip": skips}} if skips else {})}
    return {
        "Type": kind,
        **attributes,
        **({"Metadata": notes} if notes else {}),
        "Properties": dict(properties),
    }


def log_group(name: str, note: str) -> Part:
    """A log group of this name."""
    group = resource("AWS::Logs::LogGroup", {"RetentionInDays": LOG_DAYS})
    return Part("Resources", name, {name: group}, note)


def secret(name: str, description: str) -> Part:
    """A secret that AWS makes up at the first deployment: 64 letters and digits, 380 bits."""
    generated = {"PasswordLength": 64, "ExcludePunctuation": True}
    properties = {"Description": description, "GenerateSecretString": generated}
    body = resource("AWS::SecretsManager::Secret", properties)
    return Part("Resources", name, {name: body}, "generated at the first deployment")


LOGGING_ROLE_PARAMETER: Mapping[str, Any] = MappingProxyType(
    {
        "ApiGatewayAccount": {
            "Type": "String",
            "Default": "set",
            "AllowedValues": ["set", "keep"],
            "Description": "Whether to set the role by which API Gateway logs; an account has one for each region.",
        }
    }
)

AFTER_LOGGING_ROLE: Mapping[str, Any] = MappingProxyType(
    {
        Commented("Description", "Names the setting, so as to wait for it: no stage can log before."): {
            "Fn::If": [
                "SetsApiGatewayAccount",
                {"Fn::Sub": "Logs by ${ApiGatewayAccountSetting}."},
                "Logs by the account's role.",
            ]
        }
    }
)
"""A property of a REST API: ``DependsOn`` would name a resource that may not be there."""


def logging_role() -> list[Part]:
    """The role by which API Gateway writes the logs of REST APIs: without it no stage that logs comes up."""
    condition = {"SetsApiGatewayAccount": {"Fn::Equals": [{"Ref": "ApiGatewayAccount"}, "set"]}}
    kept: dict[str, Any] = {
        "Condition": "SetsApiGatewayAccount",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    role = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "ManagedPolicyArns": [{"Fn::Sub": managed}],
    }
    setting = {"CloudWatchRoleArn": {"Fn::GetAtt": ["ApiGatewayRole", "Arn"]}}
    resources = {
        "ApiGatewayRole": resource("AWS::IAM::Role", role, **kept),
        "ApiGatewayAccountSetting": resource("AWS::ApiGateway::Account", setting, **kept),
    }
    note = "REST APIs log by a role of the whole account"
    return [
        Part("Conditions", "Conditions", condition, note),
        Part("Resources", "ApiGatewayAccount", resources, note),
    ]
