"""A DynamoDB in memory with the app's tables, and a client for one user."""

import os

import pytest
from moto import mock_aws
from polymicro_lambda import User
from polymicro_lambda.testing import Client

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
os.environ["JWT_SECRET"] = "a secret that only tests ever sign with"
os.environ.pop("AWS_ENDPOINT_URL_DYNAMODB", None)  # where your own DynamoDB is, tests have no business

from project_name.app import handler  # noqa: E402 - it finds the settings above
from project_name.models import Todo  # noqa: E402


@pytest.fixture(autouse=True)
def dynamodb():
    """An empty table for each test."""
    with mock_aws():
        Todo.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        yield


@pytest.fixture
def alice():
    """Alice's client: ``alice.get("/todos")``."""
    return Client(handler, user=User("alice"))


@pytest.fixture
def bob():
    """Bob's."""
    return Client(handler, user=User("bob"))
