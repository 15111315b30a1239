"""`polymicro new`: which files there are, that they work together, and that nothing is overwritten."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from polymicro_lambda import __version__
from polymicro_lambda.cli.commands.new import _source
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.new_project import LONGEST, ProjectName

ROOT = Path(__file__).parents[2]
FILES = {
    ".github/workflows/ci.yml",
    ".gitignore",
    "Makefile",
    "README.md",
    "events/create.json",
    "events/delete.json",
    "events/finish.json",
    "events/list.json",
    "events/replace.json",
    "events/retrieve.json",
    "events/update.json",
    "my_todos/__init__.py",
    "my_todos/app.py",
    "my_todos/authorizer.py",
    "my_todos/jwks.py",
    "my_todos/models.py",
    "my_todos/resources.py",
    "pyproject.toml",
    "samconfig.toml",
    "template.yaml",
    "tests/conftest.py",
    "tests/test_authorizer.py",
    "tests/test_events.py",
    "tests/test_todos.py",
}


def new(where: Path, *arguments: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        return CliRunner().invoke(polymicro, ["new", *arguments])


def run(where: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """A command of this environment, in a project."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=where,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A whole project and what the command said."""
    where = tmp_path_factory.mktemp("new")
    result = new(where, "my-todos")
    assert result.exit_code == 0, result.output
    return where / "my-todos", result


@pytest.fixture
def project(made: tuple[Path, Result]) -> Iterator[Path]:
    """The project; a test leaves its files as they were."""
    root, _ = made
    before = {name: (root / name).read_bytes() for name in FILES}
    yield root
    for name, content in before.items():
        (root / name).write_bytes(content)


def test_a_project_has_these_files(project: Path) -> None:
    """And nothing that making them has left behind."""
    assert files(project) == FILES


def test_it_says_what_to_do_next(made: tuple[Path, Result]) -> None:
    """What it prints works wherever it is pasted: `polymicro new shop && cd shop` is how many begin."""
    root, result = made
    hints = [line.strip() for line in result.output.splitlines() if line.startswith("    ")]
    assert hints == [
        f"cd {root}",
        f"python3 -m pip wheel --quiet --no-deps --wheel-dir wheels {ROOT}",
        "make test",
        "make serve",
    ]


def test_no_placeholder_is_left(project: Path) -> None:
    text = "\n".join(
        path.read_text() for path in project.rglob("*") if path.is_file() and path.suffix != ".pyc"
    )
    assert re.findall(r"project.name|stack-name|0\.0\.0|dot_", text) == []
    assert f'"polymicro-lambda~={__version__}"' in text
    assert 'stack_name = "my-todos-prod"' in text


def test_the_authorizer_is_the_one_that_is_tested_here(project: Path) -> None:
    for name in ("authorizer.py", "jwks.py"):
        assert (project / "my_todos" / name).read_text() == (ROOT / "handlers" / name).read_text()


def test_events_are_of_alice(project: Path) -> None:
    found = {path.stem: json.loads(path.read_text()) for path in (project / "events").iterdir()}
    assert {event["requestContext"]["authorizer"]["principalId"] for event in found.values()} == {"alice"}
    assert {name: event["httpMethod"] for name, event in found.items()} == {
        "create": "POST",
        "delete": "DELETE",
        "finish": "POST",
        "list": "GET",
        "replace": "PUT",
        "retrieve": "GET",
        "update": "PATCH",
    }


@pytest.mark.thorough(but=("lint", "template", "token"))
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["python", "-m", "pytest", "-p", "no:cacheprovider"], id="its tests"),
        pytest.param(["ruff", "check", "--no-cache", "."], id="lint"),
        pytest.param(["ruff", "format", "--no-cache", "--check", "."], id="format"),
        pytest.param(["polymicro", "template", "--check"], id="template"),
        pytest.param(["polymicro", "events", "--check"], id="events"),
        pytest.param(["polymicro", "token", "alice"], id="token"),
        pytest.param(["polymicro", "routes", "--explain", "GET /todos", "--as", "alice"], id="explain"),
        pytest.param(["polymicro", "invoke", "--embedded", "events/create.json"], id="invoke"),
    ],
)
def test_it_passes_its_own_checks(project: Path, command: list[str]) -> None:
    done = run(project, *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_template_that_the_classes_have_left_behind_is_found(project: Path) -> None:
    """By the check that its CI makes."""
    models = project / "my_todos" / "models.py"
    models.write_text(models.read_text().replace('"todos"', '"tasks"'))
    done = run(project, "polymicro", "template", "--check")
    assert (done.returncode, "+  TasksTable:" in done.stdout) == (1, True), done.stderr


def test_its_makefile_builds_each_function_of_the_template(project: Path) -> None:
    functions = set(re.findall(r"^  (\w+Function):", (project / "template.yaml").read_text(), re.M))
    makefile = (project / "Makefile").read_text()
    assert functions == set(re.findall(r"^build-(\w+): ", makefile, re.M))
    handlers = set(re.findall(r"Handler: (\S+)", (project / "template.yaml").read_text()))
    assert handlers == set(re.findall(r"--handler (\S+)", makefile))


@pytest.mark.thorough(but=("x_1",))
@pytest.mark.parametrize("name", ["a", "x_1", f"a{'b' * (LONGEST - 1)}"])
def test_any_name_gives_code_that_is_formatted(tmp_path: Path, name: str) -> None:
    assert new(tmp_path, name).exit_code == 0
    for check in (["format", "--check"], ["check"]):
        done = run(tmp_path / name, "ruff", *check, "--no-cache", ".")
        assert done.returncode == 0, done.stdout + done.stderr


def test_minimal_is_one_file(tmp_path: Path) -> None:
    result = new(tmp_path, "--minimal", "scratch")
    assert (result.exit_code, files(tmp_path)) == (0, {"scratch/app.py"})
    assert result.output == (
        f"scratch: 1 file.\n\n    cd {tmp_path}/scratch\n    polymicro serve --app app:pm --as alice\n"
    )
    done = run(tmp_path / "scratch", "polymicro", "routes", "--app", "app:pm")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 7), done.stderr


@pytest.mark.parametrize(
    "name",
    [
        *("", "1a", "a b", "a/b", "../a", "ä", "-a", "a-", "a--b", "_a", "a.b", "a" * (LONGEST + 1)),
        *("class", "json", "sys", "moto", "polymicro_lambda", "polymicro-lambda", "tests", "events"),
    ],
)
def test_names_that_will_not_do(tmp_path: Path, name: str) -> None:
    result = new(tmp_path, "--", name)
    assert (result.exit_code, "Invalid value for 'NAME': " in result.output) == (2, True), result.output
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("name", "package", "stack"),
    [
        ("my-todos", "my_todos", "my-todos"),
        ("my_todos", "my_todos", "my-todos"),
        ("Todos2", "Todos2", "Todos2"),
    ],
)
def test_names(name: str, package: str, stack: str) -> None:
    named = ProjectName(name)
    assert (named.fault(), named.package, named.stack) == (None, package, stack)


@pytest.mark.parametrize("option", [[], ["--minimal"]], ids=["whole", "minimal"])
@pytest.mark.parametrize("kind", ["directory", "file"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str, option: list[str]) -> None:
    there = tmp_path / "mine" / "app.py" if kind == "directory" else tmp_path / "mine"
    there.parent.mkdir(exist_ok=True)
    there.write_text("precious")
    result = new(tmp_path, *option, "mine")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {tmp_path}/mine is there already: nothing is overwritten. "
        "Choose another name, or move it away.\n"
    )
    assert (len(files(tmp_path)), there.read_text()) == (1, "precious")


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    assert new(tmp_path, "--minimal", "scratch").exit_code == 0


@pytest.mark.parametrize(
    ("said", "source"),
    [
        pytest.param(None, None, id="an index"),
        pytest.param({"url": "file:///a b/c", "dir_info": {"editable": True}}, "/a b/c", id="a checkout"),
        pytest.param({"url": "file:///d/p.whl", "archive_info": {}}, "/d/p.whl", id="a wheel"),
        pytest.param({"url": "https://e.org/p.whl", "archive_info": {}}, "https://e.org/p.whl", id="a URL"),
        pytest.param(
            {"url": "https://e.org/p.git", "vcs_info": {"vcs": "git"}}, "git+https://e.org/p.git", id="git"
        ),
    ],
)
def test_where_this_package_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any] | None, source: str | None
) -> None:
    """As pip notes it (PEP 610)."""
    if said is not None:
        (tmp_path / "direct_url.json").write_text(json.dumps(said))
    monkeypatch.setattr(
        "polymicro_lambda.cli.commands.new.distribution", lambda _: metadata.PathDistribution(tmp_path)
    )
    assert _source() == source
