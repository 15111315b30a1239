"""The same by hand on boto3's client, which costs more to make."""

from collections.abc import Callable
from typing import Any

import boto3
from by_botocore import handler_of


def make() -> Callable[[Any, Any], dict[str, Any]]:
    """The handler, with its client."""
    return handler_of(boto3.client("dynamodb"))
