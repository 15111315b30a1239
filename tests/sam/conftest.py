"""The real ``sam`` command, run on a built application whose functions reach DynamoDB Local."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import pytest

from handlers.todo import Todo

ROOT = Path(__file__).parents[2]
STACK = f"sam{uuid4().hex[:12]}-"
"""The table prefix of this run."""
TABLE = str(Todo.Meta.table_name)
"""The model's own name for its table, before any test puts a prefix there."""
JWT_SECRET = "a secret that is long enough for tests"
ENDPOINT = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
FUNCTION_ENVIRONMENT = {
    "AWS_ENDPOINT_URL_DYNAMODB": ENDPOINT.replace("127.0.0.1", "host.docker.internal"),
    "JWT_SECRET": JWT_SECRET,
    "POLYMICRO_CURSOR_SECRET": "a secret that is long enough for cursors",
    "POLYMICRO_TABLE_PREFIX": STACK,
}
SAM_ENVIRONMENT = os.environ | {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
"""As it is before any test: with credentials in it, SAM would ask AWS whose they are, and wait."""

Sam = Callable[..., str]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test in this directory is one of ``make test-sam``."""
    item.add_marker("sam")


@pytest.fixture(scope="session")
def sam() -> Sam:
    """Run ``sam`` in the project: what it prints; its failure is the test's."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            command(*arguments), cwd=ROOT, env=SAM_ENVIRONMENT, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return done.stdout.decode()

    return run


@pytest.fixture(scope="session")
def built(sam: Sam) -> Path:
    """The directory with each function's artifact."""
    sam("build")
    return ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def local_options(built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What ``sam local`` is told so that it takes our image, and its containers reach this machine's engine."""
    variables = tmp_path_factory.mktemp("sam") / "variables.json"
    variables.write_text(json.dumps({"Parameters": FUNCTION_ENVIRONMENT}))
    return [
        "--skip-pull-image",
        f"--invoke-image={os.environ['POLYMICRO_TEST_IMAGE']}",
        "--add-host=host.docker.internal:host-gateway",
        f"--env-vars={variables}",
        "--region=us-east-1",
    ]


@pytest.fixture(scope="session")
def todos() -> Iterator[type[Todo]]:
    """The table of the application under SAM, seen from outside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", ENDPOINT)
        patch.setenv("AWS_ACCESS_KEY_ID", "local")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr(Todo.Meta, "table_name", f"{STACK}todos")
        patch.setattr(Todo, "_connection", None)
        Todo.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        yield Todo
        Todo.delete_table()


@pytest.fixture(scope="session")
def url(local_options: list[str], todos: type[Todo]) -> Iterator[str]:
    """Where ``sam local start-api`` serves the application, authorizer included."""
    port = free_port()
    start = ["local", "start-api", f"--port={port}", "--warm-containers=EAGER", *local_options]
    log = ROOT / ".aws-sam" / "start-api.log"
    with log.open("wb") as output:
        api = subprocess.Popen(command(*start), cwd=ROOT, env=SAM_ENVIRONMENT, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}/", api, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        api.terminate()
        api.wait(60)


def command(*arguments: str) -> list[str]:
    return [os.environ["POLYMICRO_TEST_SAM"], *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers with any status. Fails when the process ends or after two minutes."""
    for _ in range(240):
        try:
            urlopen(url, timeout=5).close()
        except (URLError, ConnectionError) as error:
            if hasattr(error, "code"):
                return
        else:
            return
        assert process.poll() is None, log.read_text()[-3000:]
        time.sleep(0.5)
    pytest.fail(f"{url} does not answer:\n{log.read_text()[-3000:]}")
