"""One resource class over a PynamoDB model becomes a REST API in one AWS Lambda handler."""

from . import _marshmallow as _marshmallow  # first of all that imports marshmallow
from .actions import action
from .app import PolyMicro
from .cors import CORS
from .exceptions import ConfigurationError
from .hsts import HSTS
from .idempotency import Idempotency
from .mixins import Create, Delete, List, Retrieve, Update
from .permissions import (
    AllowAny,
    HasPermission,
    InGroup,
    IsAuthenticated,
    OwnedBy,
    Permission,
    ReadOnly,
)
from .prefixed import PrefixedAttribute
from .rates import RateLimit
from .requests import Request
from .resources import ModelResource
from .users import User

__version__ = "0.1.0"

__all__ = [
    "CORS",
    "HSTS",
    "AllowAny",
    "ConfigurationError",
    "Create",
    "Delete",
    "HasPermission",
    "Idempotency",
    "InGroup",
    "IsAuthenticated",
    "List",
    "ModelResource",
    "OwnedBy",
    "Permission",
    "PolyMicro",
    "PrefixedAttribute",
    "RateLimit",
    "ReadOnly",
    "Request",
    "Retrieve",
    "Update",
    "User",
    "action",
]
