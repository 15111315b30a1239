"""Set-up that several tests of DynamoDB's client share."""

import pytest


@pytest.fixture
def new_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of the test's own: botocore keeps a budget of retries for each client."""
    monkeypatch.setattr("polymicro_lambda.dynamodb.client._clients", {})
