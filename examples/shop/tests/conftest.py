"""A DynamoDB for each test, and a shop in it."""

import os

import pytest
import shop.app
from shops import made

from polymicro_lambda.project.engine import create_tables
from polymicro_lambda.project.isolation import (
    FAKE_AWS,
    forget_connections,
    own_tables,
    shared_engine,
    strict_moto,
)
from polymicro_lambda.testing import Client


@pytest.fixture(scope="module")
def engine(pytestconfig):
    """In memory by moto, or with ``--engine local`` DynamoDB Local."""
    endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
    in_memory = pytestconfig.getoption("--engine", "moto") == "moto"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**FAKE_AWS, "PICTURES_BUCKET": "pictures"}.items():
            patch.setenv(name, value)
        with strict_moto(patch) if in_memory else shared_engine(endpoint, patch):
            yield patch
        forget_connections()


@pytest.fixture(scope="module")
def client(engine):
    """The app over tables of this file's own, as DynamoDB Local is shared by parallel workers."""
    own_tables({model for route in shop.app.pm.routes for model in route.models}, engine)
    create_tables(shop.app.pm.routes, "engine of the test")
    return Client(shop.app.handler)


@pytest.fixture
def world(client):
    """A product, and a cart with one of it: new ones for each test."""
    return made(client)
