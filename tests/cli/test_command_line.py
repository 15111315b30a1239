"""The commands but `serve`: each in a project of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handlers.authorizer import flat, verify
from polymicro_lambda.cli.commands.completion import SHELLS
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.main import EXTRA
from polymicro_lambda.http.users import user_from

ROOT = Path(__file__).parents[2]
PYPROJECT = '[tool.polymicro]\napp = "notes:pm"\nauthorizer = "gate:handler"\n'
NOTES = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda import Create, List, ModelResource, PolyMicro
from polymicro_lambda.permissions import AllowAny

pm = PolyMicro()
empty = PolyMicro()
number = 7

class Note(Model):
    class Meta:
        table_name = "notes"
    name = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute()

class NoteResource(ModelResource, Create, List):
    model = Note
    route = "notes"
    permissions = (AllowAny,)
    scan = True

NoteResource(pm)
"""
GATE = "from handlers.authorizer import handler, token\n"
CREATE: dict[str, Any] = {
    "httpMethod": "POST",
    "path": "/notes",
    "headers": {"Content-Type": "application/json"},
    "body": '{"name": "ä", "text": "x"}',
    "requestContext": {"requestId": "r1"},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project in the current directory; its modules and settings are forgotten afterwards."""
    for name, text in {"pyproject.toml": PYPROJECT, "notes.py": NOTES, "gate.py": GATE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    modules, environment = set(sys.modules), dict(os.environ)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(polymicro, arguments, input=stdin)


def in_a_process(*arguments: str, code: str = "") -> "subprocess.CompletedProcess[str]":
    """The command in a new interpreter that first runs ``code``."""
    script = f"{code}\nfrom polymicro_lambda.cli.main import main\nmain()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_routes(project: Path) -> None:
    result = run("routes")
    assert (result.exit_code, result.output.splitlines()) == (
        0,
        [
            "HTTP  PATH    VERB    RULE     ACCESS  CALLS",
            "POST  /notes  create  anybody  key     PutItem",
            "GET   /notes  list    anybody  table   Scan",
        ],
    )


def test_app_on_the_command_line_goes_before_the_configured_one(project: Path) -> None:
    (project / "more.py").write_text("from notes import pm as other\n")
    assert run("routes", "--app", "more:other").output == run("routes").output
    assert "more has no pm" in run("routes", "--app", "more:pm").output


def test_project_is_found_upwards(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pyproject.toml on the way that says nothing of polymicro is passed over."""
    below = project / "a" / "b"
    below.mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text('[project]\nname = "a"\n')
    monkeypatch.chdir(below)
    assert run("routes").exit_code == 0


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        pytest.param(
            "",
            'or write into pyproject.toml:\n\n    [tool.polymicro]\n    app = "handlers.todo:pm"',
            id="none",
        ),
        pytest.param("[tool.polymicro]\n", "or on the command line: --app handlers.todo:pm", id="no app"),
        pytest.param("[tool", "pyproject.toml is not TOML", id="not TOML"),
        pytest.param("[tool.polymicro]\napp = 7\n", "[tool.polymicro] app in", id="app is a number"),
        pytest.param("", "upwards names one: change into the project's directory", id="elsewhere"),
        pytest.param("tool = 7\n", "No app is configured.", id="tool is a number"),
    ],
)
def test_settings_that_do_not_do(project: Path, pyproject: str, message: str) -> None:
    (project / "pyproject.toml").write_text(pyproject)
    result = run("routes")
    assert (result.exit_code, message in result.output) == (1, True), result.output


@pytest.mark.parametrize(
    ("app", "message"),
    [
        pytest.param("notes", "Write module:name", id="no colon"),
        pytest.param("notes:", "Write module:name", id="no name"),
        pytest.param(".notes:pm", "Write module:name", id="relative"),
        pytest.param("nots:pm", "There is no module nots. Looked from", id="no module"),
        pytest.param("notes.x:pm", "There is no module notes.x. Looked from", id="no submodule"),
        pytest.param("notes:mp", "The module notes has no mp. Say which object it is", id="no attribute"),
        pytest.param("notes:number", "notes:number is a int, not a PolyMicro.", id="not a PolyMicro"),
        pytest.param("notes:PolyMicro", "notes:PolyMicro is a type, not a PolyMicro.", id="the class"),
        pytest.param("notes:empty", "The app does not compile:", id="does not compile"),
    ],
)
def test_app_that_cannot_be_had(project: Path, app: str, message: str) -> None:
    result = run("routes", "--app", app)
    assert (result.exit_code, message in result.output) == (1, True), result.output


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param("", "PolyMicro has no resource: write TodoResource(pm) before compile()", id="nothing"),
        pytest.param(
            "NoteResource.permissions = 'staff'; NoteResource(pm)",
            "NoteResource.permissions: permissions holds 'staff', which is no Permission",
            id="by way of another",
        ),
    ],
)
def test_a_wrong_declaration_is_told_with_the_line_that_met_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, declared: str, expected: str
) -> None:
    """And without a traceback: the text says what to do."""
    file = project / "broken.py"
    file.write_text(f"from notes import *\npm = PolyMicro()\n{declared}\nhandler = pm.compile()\n")
    monkeypatch.delitem(sys.modules, "notes", raising=False)
    output = run("routes", "--app", "broken:pm").output
    assert output == f"Error: The module broken cannot be imported:\n\n{file}:4: {expected}\n"


@pytest.mark.parametrize(
    ("code", "end"),
    [
        pytest.param("def f():\n    1 / 0\nf()", "ZeroDivisionError: division by zero", id="raises"),
        pytest.param("x = (", "SyntaxError: '(' was never closed", id="syntax"),
        pytest.param(
            "import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'", id="import"
        ),
        pytest.param("import sys; sys.exit(3)", "SystemExit: 3", id="exits"),
    ],
)
def test_module_that_fails_shows_its_own_traceback(project: Path, code: str, end: str) -> None:
    """From the user's first line on: nothing of how the command got there."""
    (project / "broken.py").write_text(code)
    output = run("routes", "--app", "broken:pm").output
    assert output.startswith("Error: The module broken cannot be imported:\n\n")
    assert output.rstrip().endswith(end)
    assert f'File "{project / "broken.py"}", line' in output
    assert ("_project.py" in output, "importlib" in output) == (False, False)


def test_token_is_one_that_the_authorizer_accepts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a secret of its own it is signed with that of `polymicro serve`."""
    monkeypatch.delenv("JWT_SECRET", raising=False)
    result = run("token", "alice: therapist,administrator,")
    identity = verify(result.output.strip())
    assert (identity.uuid, identity.permissions) == ("alice", ("administrator", "therapist"))


def test_a_token_carries_claims(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the app, through the authorizer."""
    monkeypatch.delenv("JWT_SECRET", raising=False)
    identity = verify(run("token", "alice:member,tenant=acme,plan=a=b").output.strip())
    assert (identity.permissions, identity.claims) == (("member",), {"tenant": "acme", "plan": "a=b"})
    assert user_from({"authorizer": flat(identity)}).claims["tenant"] == "acme"


@pytest.mark.parametrize(
    ("files", "user", "secret", "message"),
    [
        pytest.param(
            {"pyproject.toml": "[tool.polymicro]\n"}, "a", "s" * 32, "No authorizer is configured", id="none"
        ),
        pytest.param(
            {"gate.py": "handler = print"}, "a", "s" * 32, "The module gate has no token.", id="no token"
        ),
        pytest.param({}, ":admin", "s" * 32, "':admin' names nobody.", id="nobody"),
        pytest.param({}, "a", "short", "JWT_SECRET must hold at least 32 bytes.", id="short secret"),
    ],
)
def test_token_that_cannot_be_made(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    user: str,
    secret: str,
    message: str,
) -> None:
    for name, text in files.items():
        (project / name).write_text(text)
    monkeypatch.setenv("JWT_SECRET", secret)
    result = run("token", user)
    assert (result.exit_code, message in result.output) == (1, True), result.output


def test_invoke_from_standard_input(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    result = run("invoke", "-", stdin=json.dumps({**CREATE, "path": "/nothing"}))
    response = json.loads(result.output)
    assert (response["statusCode"], json.loads(response["body"])["instance"]) == (404, "r1")


def test_invoke_without_a_region(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so before the app is called, which would answer 500."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    result = run("invoke", "-", stdin=json.dumps(CREATE))
    assert (result.exit_code, result.output) == (
        1,
        "Error: No AWS region is set: set AWS_DEFAULT_REGION, and credentials; or use --embedded, a DynamoDB of"
        " its own.\n",
    )


def test_invoke_embedded_makes_the_tables(project: Path) -> None:
    (project / "create.json").write_text(json.dumps(CREATE))
    done = in_a_process("invoke", "--embedded", "create.json")
    response = json.loads(done.stdout)
    assert (done.stderr, response["statusCode"]) == ("", 201)
    assert json.loads(response["body"]) == {"name": "ä", "text": "x"}


@pytest.mark.parametrize("text", ["", "{", "\ud800"], ids=["empty", "half", "not UTF-8"])
def test_invoke_of_what_is_no_json(project: Path, text: str) -> None:
    (project / "event.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    result = run("invoke", "event.json")
    assert (result.exit_code, "event.json is not JSON: " in result.output) == (1, True), result.output


def test_invoke_of_what_is_no_event(project: Path) -> None:
    (project / "event.json").write_text("[]")
    result = run("invoke", "event.json")
    assert (result.exit_code, result.output) == (
        1,
        "Error: event.json holds no event: that is a JSON object.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nothing"], id="no command"),
        pytest.param(["token"], id="no argument"),
        pytest.param(["routes", "--nothing"], id="no option"),
        pytest.param(["serve", "--port", "x"], id="no number"),
        pytest.param(["serve", "--source", "sqs"], id="no source"),
        pytest.param(["invoke", "missing.json"], id="no file"),
        pytest.param(["build"], id="no --out"),
        pytest.param(["template", "--memory", "1"], id="out of range"),
        pytest.param(["routes", "--as", "alice"], id="--as without --explain"),
        pytest.param(["completion", "powershell"], id="no shell of ours"),
    ],
)
def test_a_command_line_that_is_none_is_exit_code_2(project: Path, arguments: list[str]) -> None:
    """And says what there is, or where it is told."""
    result = run(*arguments)
    assert (result.exit_code, "Error: " in result.output, "Try '" in result.output) == (2, True, True)


def test_a_file_that_cannot_be_written_is_named(project: Path) -> None:
    """Such as a directory that is not there."""
    result = run("template", "--authorizer", "none", "--handler", "PolyMicro", "--out", "no/template.yaml")
    assert (result.exit_code, result.output) == (1, "Error: no/template.yaml: No such file or directory.\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_for_the_shell(shell: str) -> None:
    result = run("completion", shell)
    assert (result.exit_code, f"_POLYMICRO_COMPLETE={shell}_complete" in result.output) == (0, True)


def test_bash_completes_commands(project: Path) -> None:
    """By the script's own function, as the shell calls it."""
    script = run("completion", "bash").output
    ask = "COMP_WORDS=(polymicro rou) COMP_CWORD=1; _polymicro_completion polymicro; echo ${COMPREPLY[@]}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{ask}"], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("routes\n", "")


@pytest.mark.thorough(but=("click", "flask"))
@pytest.mark.parametrize("missing", EXTRA)
def test_without_the_extra_it_says_what_to_install(project: Path, missing: str) -> None:
    done = in_a_process("routes", code=f"import sys; sys.modules[{missing!r}] = None")
    message = f'polymicro needs {missing}. Run: pip install "polymicro-lambda[dev]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


def test_the_title_is_the_projects_name(project: Path) -> None:
    """Here by pyproject.toml, where it is deployed by a variable; an explicit one goes first."""

    def title() -> str:
        said: str = json.loads(run("openapi").output)["info"]["title"]
        for name in ("notes", "gate"):
            sys.modules.pop(name, None)
        return said

    def variables() -> set[str]:
        assert run("template", "--out", "template.yaml").exit_code == 0
        sys.modules.pop("notes", None)
        return {line.strip() for line in Path("template.yaml").read_text().splitlines() if "TITLE" in line}

    handled = f"{NOTES}\nhandler = pm.compile()\n"
    (project / "notes.py").write_text(handled, encoding="utf-8")
    assert title() == "API"
    (project / "pyproject.toml").write_text(f'{PYPROJECT}[project]\nname = "note-books"\n', encoding="utf-8")
    assert title() == "note-books"
    assert variables() == set()
    served = handled.replace("PolyMicro()", "PolyMicro(docs=True)", 1)
    (project / "notes.py").write_text(served, encoding="utf-8")
    assert variables() == {"POLYMICRO_TITLE: note-books"}
    explicit = served.replace("docs=True", 'docs=True, title="Notes"')
    (project / "notes.py").write_text(explicit, encoding="utf-8")
    assert (title(), variables()) == ("Notes", set())
    os.environ["POLYMICRO_TITLE"] = "Deployed"
    assert title() == "Notes"
    (project / "notes.py").write_text(served, encoding="utf-8")
    assert title() == "Deployed"
