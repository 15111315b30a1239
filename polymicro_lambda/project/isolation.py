"""Isolation of a test: no settings of this machine, a DynamoDB of its own, no client of an earlier test."""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.client import BaseClient
from botocore.session import get_session
from pynamodb.models import Model

from polymicro_lambda.dynamodb import PREFIX_MEMBER, table_meta
from polymicro_lambda.testing import strict

from .atomic_moto import serialize_calls
from .engine import ENDPOINT
from .settings import UsageError

if TYPE_CHECKING:
    import pytest

NO_AWS_SETTINGS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Variables with which botocore finds no settings and no credentials."""
FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",  # nosec B105 # an engine here asks for any
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""Variables that a client needs to call an engine which checks no credentials."""
PATIENCE = 5
"""Seconds that an engine gets to take a connection."""


def machine_variables(environ: Mapping[str, str]) -> list[str]:
    """The machine's variables for AWS and for this package, but for those of this package's own tests."""
    names = (name for name in environ if name.startswith(("AWS_", "POLYMICRO_")))
    return [name for name in names if not name.startswith("POLYMICRO_TEST_")]


def forget_connections() -> None:
    """Drop the client of each PynamoDB model: it is bound to the engine of the model's first call."""
    models: list[Any] = [Model]
    for model in models:
        model._connection = None
        models += model.__subclasses__()


def own_tables(models: Iterable[type[Model]], patch: "pytest.MonkeyPatch") -> None:
    """Give the models' tables names that no other test has; models that share a table still share it."""
    unique = f"t{uuid4().hex}-"
    for meta in dict.fromkeys(map(table_meta, models)):
        prefix = vars(meta).get(PREFIX_MEMBER, "")
        patch.setattr(meta, "table_name", f"{prefix}{unique}{meta.table_name.removeprefix(prefix)}")
    forget_connections()


# --- engines ---------------------------------------------------------------------------------------------


@contextmanager
def moto() -> Iterator[None]:
    """A DynamoDB in memory, empty at first."""
    from moto import mock_aws  # noqa: PLC0415 - deferred: half a second, and another engine needs none

    serialize_calls()
    with mock_aws():
        yield


@contextmanager
def strict_moto(patch: "pytest.MonkeyPatch") -> Iterator[None]:
    """A DynamoDB in memory, empty at first, in strict mode; strict mode ends when ``patch`` is undone."""
    with strict(patch), moto():
        yield


@contextmanager
def shared_engine(address: str, patch: "pytest.MonkeyPatch") -> Iterator[None]:
    """Point botocore at an engine, and delete at the end the tables that were created meanwhile.

    Raises ``UsageError`` if none answers there.
    """
    _require_answer(address)
    patch.setenv(ENDPOINT, address)
    created: list[str] = []
    call = BaseClient._make_api_call

    def noting(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "CreateTable":
            created.append(parameters["TableName"])
        return call(client, operation, parameters)

    patch.setattr(BaseClient, "_make_api_call", noting)
    try:
        yield
    finally:
        _delete_tables(address, created)


def _require_answer(address: str) -> None:
    url = urlsplit(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), timeout=PATIENCE).close()
    except OSError as error:
        raise UsageError(f"No DynamoDB answers at {address} ({error}).") from error


def _delete_tables(address: str, names: list[str]) -> None:
    if not names:
        return
    client = get_session().create_client("dynamodb", endpoint_url=address)
    try:
        existing = client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
        for name in set(names) & set(existing):
            client.delete_table(TableName=name)
    finally:
        client.close()
