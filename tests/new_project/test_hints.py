"""What `polymicro new` and the new project's README say, done as it stands there, in the project's own environment.

Where no index has this package the first hint makes a wheel of it, from which all else is installed.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

BIN = Path(sys.executable).parent
OWN = ("ARGS", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON", "VENV", "PYTEST", "COV_", "AWS_", "POLYMICRO_")
"""How variables begin that this run has, and a user has not."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
URL = "http://127.0.0.1:3000"
PATIENCE = 600
"""Seconds for one hint: the first `make` installs."""


pytestmark = pytest.mark.new_project


def shell(lines: Sequence[str], where: Path, path: Path = BIN) -> str:
    """Run lines in one shell that has `polymicro` on its PATH; what they print."""
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=where,
        env={**ENVIRONMENT, "PATH": f"{path}:{ENVIRONMENT['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{lines}:\n{done.stdout[-4000:]}"
    return done.stdout


@contextmanager
def serving(lines: Sequence[str], where: Path, path: Path = BIN) -> Iterator[None]:
    """Run lines of which the last serves, until it answers; Ctrl-C ends it."""
    with subprocess.Popen(
        ["bash", "-euc", "\n".join(lines)],
        cwd=where,
        env={**ENVIRONMENT, "PATH": f"{path}:{ENVIRONMENT['PATH']}"},
        start_new_session=True,
    ) as process:
        try:
            assert status_of(f"{URL}/todos", process) in (200, 401)
            yield
        finally:
            with suppress(ProcessLookupError):  # it has ended by itself, and the test says why
                os.killpg(process.pid, signal.SIGINT)


def status_of(url: str, process: "subprocess.Popen[bytes]") -> int:
    """The status of the first answer."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"nothing answers at {url}; the command's code is {process.poll()}")


def hints(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.startswith("    ")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A project that has run its tests, and the hints of `polymicro new`, all followed but the last."""
    where = tmp_path_factory.mktemp("new")
    found = hints(shell(["polymicro new my-todos"], where))
    assert (found[0], found[-2:]) == (f"cd {where / 'my-todos'}", ["make test", "make serve"])
    assert re.search(r"\d+ passed in ", shell(found[:-1], where))
    return where / "my-todos", found


def test_serve(project: tuple[Path, list[str]]) -> None:
    root, found = project
    with serving([found[0], found[-1]], root.parent):
        token = shell([".venv/bin/polymicro token alice"], root).strip()
        answer = shell([f'curl -sS -H "Authorization: Bearer {token}" {URL}/todos'], root)
        assert answer == '{"items":[],"pagination_key":null}'


def test_the_readme(project: tuple[Path, list[str]]) -> None:
    """Each line of its blocks of shell; what serves has a test of its own."""
    root, _ = project
    blocks = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert "make serve" in lines
    shell([line for line in lines if line != "make serve"], root)


def test_build(project: tuple[Path, list[str]]) -> None:
    """By the Python that the project was made with: what it is made of has no skeleton of the next."""
    root, _ = project
    shell(["make build"], root)
    built = {path.relative_to(root / "dist").as_posix() for path in (root / "dist").rglob("*")}
    assert {"AppFunction/my_todos/app.py", "AuthorizerFunction/my_todos/authorizer.py"} <= built
    assert [path for path in built if "_skeleton" in path] == []


def test_a_wheel_begins_the_same_project(project: tuple[Path, list[str]], tmp_path: Path) -> None:
    """The environment of the project has this package as users have it."""
    root, _ = project
    shell([f"{root}/.venv/bin/polymicro new other-todos"], tmp_path)
    (tmp_path / "checkout").mkdir()
    shell(["polymicro new other-todos"], tmp_path / "checkout")
    assert read(tmp_path / "other-todos") == read(tmp_path / "checkout" / "other-todos")


def read(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_minimal(project: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, _ = project
    own = root / ".venv" / "bin"
    found = hints(shell(["polymicro new --minimal scratch"], tmp_path, own))
    with serving(found, tmp_path, own):
        assert shell([f"curl -sS {URL}/todos"], tmp_path) == '{"items":[],"pagination_key":null}'
