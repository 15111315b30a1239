"""Clients for two users, each over an empty DynamoDB in memory: ``client`` comes with polymicro_lambda."""

import os

import pytest
from polymicro_lambda import User

os.environ["JWT_SECRET"] = "a secret that only tests ever sign with"


@pytest.fixture
def alice(client):
    """Alice's client: ``alice.get("/todos")``."""
    return client.as_(User("alice"))


@pytest.fixture
def bob(client):
    """Bob's."""
    return client.as_(User("bob"))
