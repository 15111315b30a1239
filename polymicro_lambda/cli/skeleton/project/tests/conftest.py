"""Clients for two users, each over an empty DynamoDB in memory."""

import os

import pytest
from polymicro_lambda import User

os.environ["JWT_SECRET"] = "a secret that only tests ever sign with"


@pytest.fixture
def client(polymicro_client):
    """A client for nobody; a call of DynamoDB that the policy of template.yaml lacks fails its test."""
    return polymicro_client


@pytest.fixture
def alice(client):
    """Alice's client: ``alice.get("/todos")``."""
    return client.as_(User("alice"))


@pytest.fixture
def bob(client):
    """Bob's."""
    return client.as_(User("bob"))
