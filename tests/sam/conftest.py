"""The real ``sam`` command, run on a built application whose functions reach DynamoDB Local."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
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

PYTHONS = os.environ.get("POLYMICRO_TEST_PYTHONS", "3.13").split()
"""The runtimes whose images this machine has."""
NEWEST = PYTHONS[-1]
POLYMICRO = Path(sys.executable).with_name("polymicro")
OWN = ["--arch", "x86_64", "--build-method", "makefile"]
"""The options of this repository's template."""

Sam = Callable[..., str]
Build = Callable[[str], Path]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test in this directory is one of ``make test-sam``."""
    item.add_marker("sam")


def output(*command: str | Path, **environment: str) -> str:
    """What a command prints, run in the project; its failure is the test's."""
    env = SAM_ENVIRONMENT | environment
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-3000:]
    return done.stdout.decode()


@pytest.fixture(scope="session")
def sam() -> Sam:
    """Run ``sam`` in the project: what it prints; its failure is the test's."""

    def run(*arguments: str, **environment: str) -> str:
        return output(*command(*arguments), **environment)

    return run


@pytest.fixture(scope="session")
def build(sam: Sam) -> Build:
    """Build for a Python, once: the directory with each function's artifact and the templates, REST and HTTP."""

    @cache
    def built(python: str) -> Path:
        directory = ROOT / ".aws-sam" / python
        sam("build", f"--build-dir={directory}", runtime(python), LAMBDA_PYTHON=python)
        http = directory / "http.yaml"
        http.unlink(missing_ok=True)
        output(POLYMICRO, "template", "--api", "http", *OWN, "--out", http)
        http.write_text(with_artifacts(http.read_text()))
        return directory

    return built


def with_artifacts(text: str) -> str:
    """The template with each function's artifact beside it, in lines of one's own behind its part."""
    for function in ("TodoFunction", "AuthorizerFunction"):
        mark = f"  # <<< polymicro {function}\n"
        assert mark in text
        # The authorizer's part ends inside its environment: there goes on what is as deep as a property.
        text = text.replace(mark, f"{mark}      CodeUri: {function}\n")
    return text


def runtime(python: str) -> str:
    return f"--parameter-overrides=Runtime=python{python}"


@pytest.fixture(scope="session")
def built(build: Build) -> Path:
    """The directory with each function's artifact, for the newest Python."""
    return build(NEWEST)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """What ``sam local`` is told for a Python: our image, and this machine's engine for its containers."""
    variables = tmp_path_factory.mktemp("sam") / "variables.json"
    variables.write_text(json.dumps({"Parameters": FUNCTION_ENVIRONMENT}))

    def options(python: str) -> list[str]:
        return [
            "--skip-pull-image",
            f"--invoke-image=polymicro-python{python}:local",
            "--add-host=host.docker.internal:host-gateway",
            f"--env-vars={variables}",
            "--region=us-east-1",
            runtime(python),
        ]

    return options


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


TEMPLATES = {"rest": "template.yaml", "http": "http.yaml"}
"""Kind of API -> its template among what is built."""


@dataclass(frozen=True, slots=True)
class Served:
    """The application as ``sam local start-api`` serves it."""

    url: str
    api: str


@pytest.fixture(scope="session", params=[(p, a) for p in PYTHONS for a in TEMPLATES], ids="-".join)
def served(
    request: pytest.FixtureRequest, build: Build, local: Callable[[str], list[str]], todos: type[Todo]
) -> Iterator[Served]:
    """Each Python, as a REST API and as an HTTP API, authorizer included."""
    python, api = request.param
    template = build(python) / TEMPLATES[api]
    port = free_port()
    start = ["local", "start-api", f"--port={port}", "--warm-containers=EAGER", f"--template={template}"]
    with running(command(*start, *local(python)), ROOT / ".aws-sam" / f"{python}-{api}.log", port) as url:
        yield Served(url, api)


@contextmanager
def running(command: list[str], log: Path, port: int) -> Iterator[str]:
    """A server, from when it answers: its URL."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=SAM_ENVIRONMENT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(60)


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
