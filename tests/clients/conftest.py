"""The Todo API under `polymicro serve`, with a token of alice's, and the document that it serves."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from serving import Serve, make_token, serving

CLIENTS = Path(os.environ.get("POLYMICRO_TEST_CLIENTS", "bin"))
"""Where the commands of others are."""
CACHE = Path(os.environ.get("POLYMICRO_TEST_CACHE", "."))
"""Where npm's packages are, and where a screenshot goes."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test in this directory is one of ``make test-clients``."""
    item.add_marker("clients")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, while the other workers do the rest."""
    items.sort(key=lambda item: "schemathesis" not in item.nodeid)


@dataclass(frozen=True)
class Api:
    serve: Serve
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.serve.port}"

    @property
    def document(self) -> bytes:
        with urlopen(f"{self.url}/openapi.json") as response:
            content: bytes = response.read()
            return content


@pytest.fixture
def api() -> Iterator[Api]:
    """The Todo API with no item in it."""
    with serving() as serve:
        yield Api(serve, make_token())


def run(*command: str | Path, cwd: Path, minutes: int = 5, **environment: str) -> str:
    """What a command prints; its failure is the test's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=minutes * 60,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def settings(api: Api) -> dict[str, Any]:
    """What a client is told in its environment."""
    return {"API": api.url, "TOKEN": api.token}
