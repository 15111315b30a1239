"""One resource class over a PynamoDB model becomes a REST API in one AWS Lambda handler."""

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.dynamodb import ComposedAttribute, DecimalAttribute, PrefixedAttribute
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import CORS, HSTS, Request, User
from polymicro_lambda.idempotency import Idempotency
from polymicro_lambda.lists import Envelope
from polymicro_lambda.mixins import Create, Delete, List, Retrieve, Update
from polymicro_lambda.permissions import (
    AllowAny,
    Claim,
    HasPermission,
    InGroup,
    IsAuthenticated,
    OwnedBy,
    Permission,
    ReadOnly,
    Through,
)
from polymicro_lambda.resources import ModelResource, Resource
from polymicro_lambda.routing import Many, One, action
from polymicro_lambda.rules import SoftDelete, trusted
from polymicro_lambda.throttling import RateLimit
from polymicro_lambda.writes import Key

from . import marshmallow_import as marshmallow_import  # first of all that imports marshmallow

__version__ = "0.1.0"

__all__ = [
    "CORS",
    "HSTS",
    "AllowAny",
    "Claim",
    "ComposedAttribute",
    "ConfigurationError",
    "Create",
    "DecimalAttribute",
    "Delete",
    "Envelope",
    "HasPermission",
    "Idempotency",
    "InGroup",
    "IsAuthenticated",
    "Key",
    "List",
    "Many",
    "ModelResource",
    "One",
    "OwnedBy",
    "Permission",
    "PolyMicro",
    "PrefixedAttribute",
    "RateLimit",
    "ReadOnly",
    "Request",
    "Resource",
    "Retrieve",
    "SoftDelete",
    "Through",
    "Update",
    "User",
    "action",
    "trusted",
]
