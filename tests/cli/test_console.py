"""What commands print on a terminal, which is a real one here, and elsewhere."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "polymicro_lambda.cli")
BOLD, RED = "\x1b[1m", "\x1b[1;31m"


def on_a_terminal(*arguments: str, cwd: Path = ROOT, **environment: str) -> str:
    """The output of the command, which has a terminal for all three streams."""
    master, slave = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    with subprocess.Popen(
        [*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=variables
    ):
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # Linux: nobody has the other end any more
            pass
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def piped(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_table_on_a_terminal_and_plain_columns_elsewhere() -> None:
    shown, plain = on_a_terminal("routes"), piped("routes").stdout
    assert (BOLD in shown, "───" in shown) == (True, True)
    assert plain.startswith(
        "HTTP    PATH                  VERB      RULE            ACCESS  CALLS\nPOST    /todo"
    )
    assert "\x1b" not in plain
    words = [line.replace(",", "").split() for line in plain.splitlines()]
    assert [row for row in words if any(word not in shown for word in row)] == []


@pytest.mark.thorough
def test_no_color_is_honoured() -> None:
    """No colour; bold stays, which is none."""
    assert RED in on_a_terminal("routes", "--app", "nothing:pm")
    assert "\x1b[31" not in (plain := on_a_terminal("routes", "--app", "nothing:pm", NO_COLOR="1"))
    assert RED not in plain


@pytest.mark.thorough(but=("explain",))
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["routes", "--explain", "GET /todo", "--as", "a:therapist"], ["\x1b[1mverb"], id="explain"
        ),
        pytest.param(["invoke", "events/rest-list.json"], ['\x1b[1;34m"statusCode"'], id="invoke"),
        pytest.param(["template", "--check", "--out", "{tmp}/template.yaml"], ["\x1b[32m+"], id="diff"),
    ],
)
def test_colours_on_a_terminal_alone(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    arguments = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    endpoint = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"}
    shown, plain = on_a_terminal(*arguments, **endpoint), piped(*arguments, **endpoint)
    assert [word for word in words if word not in shown] == []
    assert "\x1b" not in plain.stdout + plain.stderr


def test_long_lines_are_not_folded() -> None:
    """What is printed can be pasted."""
    done = piped("routes", "--app", f"{'a' * 300}:pm", COLUMNS="80")
    assert done.stderr.startswith(f"Error: There is no module {'a' * 300}. Looked from ")


@pytest.mark.thorough
def test_progress_on_a_terminal_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = []\n[tool.polymicro]\napp = "app:pm"\n'
    )
    (tmp_path / "app.py").write_text("pm = 1\n")
    assert "Building app for Python" in on_a_terminal("build", "--out", "out", cwd=tmp_path)
    done = subprocess.run(
        [*COMMAND, "build", "--out", "out"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr, done.stdout[:2]) == (0, "", "KB")
