"""The two engines that every test can run on, and an environment in which nothing of the machine leaks in.

``--engine moto`` (default) is in memory; ``--engine local`` is DynamoDB Local, Amazon's own engine, at
``POLYMICRO_TEST_ENDPOINT`` (default http://127.0.0.1:8000). It is shared by parallel workers: a test names
its tables by the fixture ``table_name``.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.client import BaseClient
from botocore.loaders import JSONFileLoader
from botocore.session import get_session
from moto import mock_aws
from pynamodb.models import Model

LANES = {Path(__file__).parent / name: name for name in ("clients", "new_project", "sam")}
"""Directories of tests that need what only their own lane sets up -> the marker by which it asks for them."""
FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("moto", "local"), default="moto", help="what answers as DynamoDB")


def pytest_configure() -> None:
    """Before any module is collected, forget what this machine says of AWS and of this library."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "POLYMICRO_")) and not name.startswith("POLYMICRO_TEST_"):
            del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test-sam` asks for the tests under SAM by ``-m sam``, and so do the other lanes for theirs."""
    lane = LANES.get(collection_path)
    return True if lane and lane not in config.getoption("-m") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what only Amazon's engine does to the lane that has it."""
    if config.getoption("--engine") == "local":
        return
    elsewhere = [item for item in items if item.get_closest_marker("real_engine")]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Each client parses 2 MB of botocore's JSON, and nearly each test makes a client: once will do."""
    load = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: load(path))
        yield


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """What answers as DynamoDB: ``moto`` or ``local``."""
    return str(pytestconfig.getoption("--engine"))


@pytest.fixture
def table_name() -> str:
    """A table name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def dynamodb(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB for one test: no table and no client outlives it."""
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    with ENGINES[engine](monkeypatch):
        forget_connections()
        yield
    forget_connections()


def forget_connections() -> None:
    """Each PynamoDB model keeps a client of its own, bound to the engine that was there at its first call."""
    models: list[Any] = [Model]
    for model in models:
        model._connection = None
        models += model.__subclasses__()


@contextmanager
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws():
        yield


@contextmanager
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point botocore at DynamoDB Local, note which tables are created, and delete just these."""
    endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
    require_answer(endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    created: list[str] = []
    call = BaseClient._make_api_call

    def noting(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "CreateTable":
            created.append(parameters["TableName"])
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noting)
    try:
        yield
    finally:
        delete_tables(endpoint, created)


ENGINES = {"moto": moto, "local": local}


def require_answer(endpoint: str) -> None:
    url = urlsplit(endpoint)
    try:
        socket.create_connection((url.hostname or "", url.port or 80), timeout=5).close()
    except OSError as error:
        pytest.fail(
            f"DynamoDB Local does not answer at {endpoint} ({error}). Start it: scripts/dynamodb-local"
        )


def delete_tables(endpoint: str, names: list[str]) -> None:
    if not names:
        return
    client = get_session().create_client("dynamodb", endpoint_url=endpoint)
    try:
        for name in set(names) & set(
            client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
        ):
            client.delete_table(TableName=name)
    finally:
        client.close()
