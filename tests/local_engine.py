"""DynamoDB Local, Amazon's own engine, for a test; tests of one file share it where the fixture is too narrow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pynamodb.models import Model

from polymicro_lambda.project.isolation import shared_engine
from polymicro_lambda.project.settings import UsageError

SETS_TTL = vars(Model)["update_ttl"]
"""What `local` takes away, for a test of just that: ``monkeypatch.setattr(Model, "update_ttl", SETS_TTL)``."""


@contextmanager
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls go to the engine at ``POLYMICRO_TEST_ENDPOINT`` while the block runs; a test fails where there is none.

    No table that PynamoDB makes gets a TTL, by which the engine would delete what has expired while a test looks at it.
    """
    monkeypatch.setattr(Model, "update_ttl", lambda *_: None)
    try:
        with shared_engine(os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000"), monkeypatch):
            yield
    except UsageError as error:
        pytest.fail(f"{error} Start DynamoDB Local: scripts/dynamodb-local")
