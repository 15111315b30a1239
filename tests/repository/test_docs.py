"""What README and guides say is so: their code runs, their tables are complete, their links lead somewhere."""

import ast
import inspect
import re
import shlex
import sys
from configparser import ConfigParser
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from document_blocks import PAGES, ROOT, blocks, first_cells

from handlers.todo import pm
from polymicro_lambda import PolyMicro
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.serving.curl_session import curl_session
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.lists.filtering.filters import FILTER_OPERATORS
from polymicro_lambda.schemas.attribute_fields import FIELDS

WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_CODE)
def test_code_runs(page: str, dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's blocks, one after the other in one namespace; then the test functions that they define.

    Those that take fixtures run in tests/testing/test_pytest_plugin.py, by pytest.
    """
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name)
    namespace: dict[str, Any] = {"__name__": f"page_{page.partition('.')[0]}"}
    for line, code in blocks(page, "python"):
        exec(compile("\n" * (line - 1) + code, str(PAGES[page]), "exec"), namespace)
    for name in [name for name in namespace if name.startswith("test_")]:
        if not inspect.signature(namespace[name]).parameters:
            namespace[name]()


def test_the_readmes_example_is_the_repositorys() -> None:
    """But for the docstrings."""
    (_, example), *_ = blocks("README.md", "python")
    assert bare(example) == bare((ROOT / "handlers" / "todo.py").read_text(encoding="utf-8"))


def bare(source: str) -> str:
    """Python code without docstrings, comments and spacing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return ast.unparse(tree)


def shell(page: str) -> list[str]:
    return [line for _, text in blocks(page, "sh") for line in text.splitlines()]


def test_the_readmes_session_is_the_one_that_serve_prints() -> None:
    pm.compile()
    token = ".venv/bin/polymicro token alice:administrator,therapist"
    session = curl_session(pm.routes, "http://127.0.0.1:3000", token=token)
    assert "\n".join(session) in "\n".join(shell("README.md"))


def test_the_readmes_plan_is_the_one_that_explain_prints(
    dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name)
    readme = ModuleType("readme")
    for _, code in blocks("README.md", "python"):
        exec(code, vars(readme))
    monkeypatch.setitem(sys.modules, "readme", readme)
    (command,) = [line for line in shell("README.md") if "--explain" in line]
    _, *arguments = shlex.split(command)
    result = CliRunner().invoke(polymicro, [*arguments, "--app", "readme:pm"])
    assert (result.exit_code, result.output) == (0, blocks("README.md", "text")[0][1])


def test_commands_are_there_unless_said_otherwise() -> None:
    """When one of "Not there yet" has come, move it from there to where it is told of."""
    text = PAGES["README.md"].read_text(encoding="utf-8")
    told, _, rest = text.partition("## Not there yet")
    later, _, _ = rest.partition("\n## ")
    commands = re.compile(r"(?:`|^|/)polymicro ([a-z]+)", re.MULTILINE)
    assert set(commands.findall(told)) <= set(polymicro.commands)
    assert set(commands.findall(later)) & set(polymicro.commands) == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """To files of the repository, and to headings of the page."""
    text = PAGES[page].read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    headings = {
        re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
    }
    files = [target for target in targets if not target.startswith("#")]
    assert [file for file in files if not (PAGES[page].parent / file).exists()] == []
    assert {target[1:] for target in targets if target.startswith("#")} <= headings


@pytest.mark.parametrize("page", ["limits.md", "security.md"])
def test_the_tests_that_a_page_names_are_there(page: str) -> None:
    """Each as ``test_file.py`` or ``test_file.py::test_function``."""
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", PAGES[page].read_text(encoding="utf-8"))
    tests = [(path.name, path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("test_*.py")]
    lacking = [
        (file, test)
        for file, test in named
        if not any(name == file and f"def {test}" in text for name, text in tests)
    ]
    assert len(named) > 10
    assert lacking == []


@pytest.mark.parametrize(
    ("page", "header", "names"),
    [
        pytest.param(
            "command-line.md", "command", {f"polymicro {name}" for name in polymicro.commands}, id="commands"
        ),
        pytest.param(
            "errors.md", "status", {str(error.status) for error in HTTPError.__subclasses__()}, id="errors"
        ),
        pytest.param("lists.md", "operator", set(FILTER_OPERATORS), id="operators"),
        pytest.param(
            "users.md",
            "argument of `PolyMicro`",
            set(inspect.signature(PolyMicro).parameters),
            id="settings of the API",
        ),
        pytest.param(
            "models.md",
            "attribute",
            {attribute.__name__ for attribute in FIELDS} | {"ListAttribute(of=…)"},
            id="attributes",
        ),
        pytest.param(
            "permissions.md",
            "permission",
            {"AllowAny", "IsAuthenticated", "ReadOnly()", 'HasPermission("name")', 'InGroup("name")'}
            | {'OwnedBy("owner", claim="uuid", prefix="")'},
            id="permissions",
        ),
    ],
)
def test_tables_are_complete(page: str, header: str, names: set[str]) -> None:
    assert sorted(first_cells(page, header)) == sorted(names)


def test_the_house_is_drawn_as_it_stands() -> None:
    """Every wing is in the picture, in the order of the layers that ``make check`` keeps."""
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    names = [layer.rpartition(".")[2] for layer in layers]
    picture = blocks("architecture.md", "text")[0][1]
    drawn = [name for line in picture.splitlines() for name in line[:36].split()]
    assert [name.rstrip("/") for name in drawn] == names


def test_decisions_are_short() -> None:
    _, *entries = re.split(r"^## ", PAGES["decisions.md"].read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [entry for entry in entries if not re.match(r"\d{4}-\d\d-\d\d: ", entry)] == []
    assert [entry for entry in entries if len(entry.strip().splitlines()) > 12] == []
