"""DynamoDB Local, Amazon's own engine, for a test; tests of one file share it where the fixture is too narrow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from polymicro_lambda._isolation import shared
from polymicro_lambda._project import UsageError


@contextmanager
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls go to the engine at ``POLYMICRO_TEST_ENDPOINT`` while the block runs; a test fails where there is none."""
    try:
        with shared(os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000"), monkeypatch):
            yield
    except UsageError as error:
        pytest.fail(f"{error} Start DynamoDB Local: scripts/dynamodb-local")
