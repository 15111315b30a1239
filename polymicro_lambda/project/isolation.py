"""What keeps a test to itself: an environment without this machine's, a DynamoDB, no client of an earlier test."""

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
from polymicro_lambda.testing import checking

from .engine import ENDPOINT
from .settings import UsageError

if TYPE_CHECKING:
    import pytest

NOTHING = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""An environment in which botocore finds no settings and no credentials."""
FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",  # nosec B105 # an engine here asks for any
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""What a client needs to call an engine that takes everybody."""
PATIENCE = 5
"""Seconds that an engine gets to take a connection."""


def leaking(environ: Mapping[str, str]) -> list[str]:
    """The variables by which a machine says something of AWS or of this package, but for this package's tests."""
    ours = (name for name in environ if name.startswith(("AWS_", "POLYMICRO_")))
    return [name for name in ours if not name.startswith("POLYMICRO_TEST_")]


def forget_connections() -> None:
    """Each PynamoDB model keeps a client of its own, bound to the engine that was there at its first call."""
    models: list[Any] = [Model]
    for model in models:
        model._connection = None
        models += model.__subclasses__()


def own_tables(models: Iterable[type[Model]], patch: "pytest.MonkeyPatch") -> None:
    """Give the models' tables names that no other test has; those that share a table still do."""
    mark = f"t{uuid4().hex}-"
    for meta in dict.fromkeys(map(table_meta, models)):
        prefix = vars(meta).get(PREFIX_MEMBER, "")
        patch.setattr(meta, "table_name", f"{prefix}{mark}{meta.table_name.removeprefix(prefix)}")
    forget_connections()


# --- engines ---------------------------------------------------------------------------------------------


@contextmanager
def moto() -> Iterator[None]:
    """A DynamoDB in memory, empty at first."""
    from moto import mock_aws  # noqa: PLC0415 - deferred: half a second, and another engine needs none

    with mock_aws():
        yield


@contextmanager
def strict_moto(patch: "pytest.MonkeyPatch") -> Iterator[None]:
    """The same in strict mode, which ends with ``patch``: what a test patches over it is undone before."""
    patch.setattr(BaseClient, "_make_api_call", checking(BaseClient._make_api_call))
    with moto():
        yield


@contextmanager
def shared(address: str, patch: "pytest.MonkeyPatch") -> Iterator[None]:
    """Point botocore at an engine, note which tables are created, and delete just these.

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
        there = client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
        for name in set(names) & set(there):
            client.delete_table(TableName=name)
    finally:
        client.close()
