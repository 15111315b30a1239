"""A DynamoDB for each test, both apps over it, and a world of two tenants in each."""

import os
from types import ModuleType

import pytest
import tracker.app
import tracker.single
from moto import mock_aws
from worlds import made

from polymicro_lambda.project.engine import create_tables
from polymicro_lambda.project.isolation import own_tables
from polymicro_lambda.testing import Client

FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}

APPS = {"many tables": tracker.app, "one table": tracker.single}


@pytest.fixture
def dynamodb(pytestconfig, monkeypatch):
    """In memory by moto, or with ``--engine local`` DynamoDB Local."""
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    if pytestconfig.getoption("--engine", "moto") == "moto":
        with mock_aws():
            yield
    else:
        endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        yield


@pytest.fixture(params=APPS.values(), ids=APPS)
def app(request, dynamodb, monkeypatch):
    """Each app with tables of its own, as DynamoDB Local is shared by parallel workers; gone after the test."""
    module: ModuleType = request.param
    models = {route.model for route in module.pm.routes}
    own_tables(models, monkeypatch)
    create_tables(module.pm.routes, "engine of the test")
    yield module
    for model in {model.Meta.table_name: model for model in models}.values():
        model.delete_table()


@pytest.fixture
def worlds(app):
    """Makes a world of acme, with the same users in a new project each time."""
    return lambda: made(Client(app.handler), "admin", "member")


@pytest.fixture
def world(app, worlds):
    """The world of acme; that of evil is its ``other``."""
    world = worlds()
    world.other = made(world.client, "stranger", "stranger")
    return world
