"""`polymicro shell`: code over the app, its models and a client."""

import subprocess
from pathlib import Path

import pytest
from serving import ALICE, ROOT, command, environment

CREATE = (
    'print(client.post("/todo", json={"text": "milk"}).status, len(list(Todo.scan())), pm.routes[0].verb)'
)


def run(*arguments: str, text: str | None = None, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command("shell", *arguments),
        cwd=cwd,
        env=environment(),
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
    )


def test_code_of_the_command_line() -> None:
    done = run("--as", ALICE, "-c", CREATE)
    assert (done.returncode, done.stdout) == (0, "201 1 create\n"), done.stderr


def test_code_from_a_pipe() -> None:
    text = (
        'bob = as_("bob:therapist")\n'
        'item = as_(User("alice", frozenset({"therapist"}))).post("/todo", json={"text": "x"}).json\n'
        "paths = [f\"/todo/{item['owner']}/{item['uuid']}\"]\n"
        "print([bob.get(path).status for path in paths], client.get(paths[0]).status)\n"
    )
    done = run(text=text)
    assert (done.returncode, done.stdout) == (0, "[404] 401\n"), done.stderr


@pytest.mark.parametrize("code", ["1 / 0", "def"])
def test_what_code_raises_ends_the_command(code: str) -> None:
    done = run("-c", code)
    assert done.returncode == 1
    assert "Error" in done.stderr


def test_a_project_without_an_app_says_so(tmp_path: Path) -> None:
    done = run("-c", "1", cwd=tmp_path)
    assert (done.returncode, "[tool.polymicro]" in done.stderr) == (1, True)
