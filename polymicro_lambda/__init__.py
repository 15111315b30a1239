"""One resource class over a PynamoDB model becomes a REST API in one AWS Lambda handler."""

from . import marshmallow_import as marshmallow_import  # first of all that imports marshmallow
from .app import PolyMicro
from .dynamodb import ComposedAttribute, DecimalAttribute, PrefixedAttribute
from .exceptions import ConfigurationError
from .http import CORS, HSTS, Request, User
from .idempotency import Idempotency
from .lists import Envelope
from .mixins import Create, Delete, List, Retrieve, Update
from .permissions import (
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
from .resources import ModelResource, Resource
from .routing import Many, One, action
from .rules import SoftDelete, trusted
from .throttling import RateLimit
from .writes import Key

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
