"""A DynamoDB for each test, and the app over it."""

import os

import pytest
from community import SECRET, Community
from conduit.app import handler, pm

from polymicro_lambda.project.engine import create_tables
from polymicro_lambda.project.isolation import (
    FAKE_AWS,
    forget_connections,
    own_tables,
    shared_engine,
    strict_moto,
)
from polymicro_lambda.testing import Client


@pytest.fixture
def dynamodb(pytestconfig, monkeypatch):
    """In memory by moto, or with ``--engine local`` DynamoDB Local."""
    for name, value in {**FAKE_AWS, "JWT_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
    in_memory = pytestconfig.getoption("--engine", "moto") == "moto"
    with strict_moto(monkeypatch) if in_memory else shared_engine(endpoint, monkeypatch):
        yield
    forget_connections()


@pytest.fixture
def community(dynamodb, monkeypatch):
    """The app over tables of the test's own, without users."""
    own_tables({model for route in pm.routes for model in route.models}, monkeypatch)
    create_tables(pm.routes, "engine of the test")
    return Community(Client(handler))
