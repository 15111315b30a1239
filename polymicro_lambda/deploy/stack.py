"""What every stack has whatever its routes are: logs, secrets, the account's role, and why some checks are skipped."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .parts import Part
from .yaml_text import Noted

LOG_DAYS = 365
"""Days that logs are kept: what checkov asks for (CKV_AWS_338)."""

_KEY = "encrypted by AWS's own key; a key of one's own costs money and is the deployer's choice"
SKIPPED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "AWS::Serverless::Api": {
            "CKV_AWS_120": "answers are for their user alone: a shared cache would mix them"
        },
        "AWS::Serverless::Function": {
            "CKV_AWS_115": "the stage is throttled; reserved concurrency is the account's to share out",
            "CKV_AWS_116": "it is called and answered at once: nothing is left that a queue could hold",
            "CKV_AWS_117": "DynamoDB is reached by IAM; a VPC adds nothing but a NAT or an endpoint",
            "CKV_AWS_173": _KEY,
        },
        "AWS::DynamoDB::Table": {"CKV_AWS_119": _KEY},
        "AWS::SecretsManager::Secret": {"CKV_AWS_149": _KEY},
        "AWS::Logs::LogGroup": {"CKV_AWS_158": _KEY},
    }
)
"""Type of resource -> what checkov finds in it and is left as it is, with the reason."""


def resource(
    kind: str,
    properties: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> dict[str, Any]:
    """A resource of this type; ``attributes`` are CloudFormation's own, such as ``DeletionPolicy``."""
    skips = [{"id": check, "comment": reason} for check, reason in SKIPPED.get(kind, {}).items()]
    said = {**(metadata or {}), **({"checkov": {"skip": skips}} if skips else {})}
    return {
        "Type": kind,
        **attributes,
        **({"Metadata": said} if said else {}),
        "Properties": dict(properties),
    }


def logs(name: str, note: str) -> Part:
    """A log group of this name."""
    group = resource("AWS::Logs::LogGroup", {"RetentionInDays": LOG_DAYS})
    return Part("Resources", name, {name: group}, note)


def secret(name: str, description: str) -> Part:
    """A secret that AWS makes up at the first deployment: 64 letters and digits, 380 bits."""
    generated = {"PasswordLength": 64, "ExcludePunctuation": True}
    properties = {"Description": description, "GenerateSecretString": generated}
    body = resource("AWS::SecretsManager::Secret", properties)
    return Part("Resources", name, {name: body}, "generated at the first deployment")


_SIGNED = Noted("JWT_SECRET", "More of the environment can follow behind this part.")
_KEYS = Noted("JWT_JWKS_URL", "More of the environment can follow behind this part.")
BY_SECRET: Mapping[str, Any] = MappingProxyType(
    {_SIGNED: {"Fn::Sub": "{{resolve:secretsmanager:${JwtSecret}}}"}}
)
"""The environment of an authorizer whose tokens the stack's own secret signs."""
BY_KEYS: Mapping[str, Any] = MappingProxyType(
    {_KEYS: {"Ref": "JwksUrl"}, "JWT_ISSUER": {"Ref": "JwtIssuer"}, "JWT_AUDIENCE": {"Ref": "JwtAudience"}}
)
"""The same where an identity provider signs them: its public keys, and for whom a token has to be."""
KEYS_PARAMETERS: Mapping[str, Any] = MappingProxyType(
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

ACCOUNT_PARAMETER: Mapping[str, Any] = MappingProxyType(
    {
        "ApiGatewayAccount": {
            "Type": "String",
            "Default": "set",
            "AllowedValues": ["set", "keep"],
            "Description": "Whether to set the role by which API Gateway logs; an account has one for each region.",
        }
    }
)

AFTER_ACCOUNT: Mapping[str, Any] = MappingProxyType(
    {
        Noted("Description", "Names the setting, so as to wait for it: no stage can log before."): {
            "Fn::If": [
                "SetsApiGatewayAccount",
                {"Fn::Sub": "Logs by ${ApiGatewayAccountSetting}."},
                "Logs by the account's role.",
            ]
        }
    }
)
"""A property of a REST API: ``DependsOn`` would name a resource that may not be there."""


def account() -> list[Part]:
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
