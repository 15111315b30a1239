"""`polymicro serve` as people run it: a process of its own, spoken to over HTTP, stopped by signals."""

import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import pytest
from serving import ALICE, WAIT, Serve, command, environment, make_token, serving, until

from polymicro_lambda.cli.serving.supervisor import snapshot, watched

SOURCES = ("rest", "http", "url", "alb", "lattice")


@pytest.fixture(scope="module")
def token() -> str:
    return make_token()


def todo_session(serve: Serve, token: str | None = None) -> None:
    """Create, list, retrieve, change and delete a todo."""
    status, headers, todo = serve.request("POST", "/todo", {"text": "Grüße"}, token)
    assert (status, todo["text"], todo["owner"], todo["done"]) == (201, "Grüße", "alice", False)
    item = f"/todo/alice/{todo['uuid']}"
    assert urljoin("/todo", headers["location"]) == item
    assert serve.request("GET", "/todo", None, token)[::2] == (200, {"items": [todo], "pagination_key": None})
    assert serve.request("GET", item, None, token)[::2] == (200, todo)
    assert serve.request("HEAD", item, None, token)[::2] == (200, "")
    assert serve.request("PATCH", item, {"done": True}, token)[::2] == (200, {**todo, "done": True})
    assert serve.request("DELETE", item, None, token)[::2] == (204, "")
    assert serve.request("GET", item, None, token)[0] == 404
    assert serve.request("GET", "/todo", None, token)[2]["items"] == []


@pytest.mark.thorough(but=("rest",))
@pytest.mark.parametrize("source", SOURCES)
def test_todo_session_as_a_user(source: str) -> None:
    with serving("--as", ALICE, "--source", source) as serve:
        todo_session(serve)
        assert serve.request("OPTIONS", "/todo")[0] == 204
    assert f"*** EVERY REQUEST IS MADE AS {ALICE}." in serve.output
    assert f"Events as from: {source}." in serve.output
    assert "POST /todo HTTP/1.1 201\n" in serve.output
    assert "\x1b" not in serve.output, "what is piped is plain"
    assert serve.process.returncode == 0


@pytest.mark.thorough
@pytest.mark.parametrize("source", SOURCES)
def test_todo_session_with_a_token(source: str, token: str) -> None:
    """The chain is the deployed one: the app's own authorizer stands before it."""
    with serving("--source", source) as serve:
        todo_session(serve, token)
        status, _, said = serve.request("GET", "/todo")
        assert (status, said.get("title", said.get("message"))) == (401, "Unauthorized")
        assert serve.request("OPTIONS", "/todo")[0] == 204
        assert serve.request("GET", "/todo", token="bad")[0] == (
            401 if source in ("rest", "alb", "lattice") else 403
        )
    assert f"polymicro token {ALICE}\n" in serve.output
    assert "***" not in serve.output


@pytest.mark.thorough
def test_printed_session_can_be_pasted(tmp_path: Path) -> None:
    """In any directory, and without the command on the PATH."""
    with serving() as serve:
        serve.said("Ctrl-C stops")
        lines = serve.output.splitlines()
        start = lines.index("Paste this into another terminal:") + 2
        script = "\n".join(lines[start : lines.index("", start)])
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
    listed, retrieved, patched, deleted = done.stdout.splitlines()
    todo = json.loads(retrieved)
    assert (done.returncode, json.loads(done.stderr), deleted) == (0, todo, "")
    assert json.loads(listed)["items"] == [todo]
    assert (todo["text"], json.loads(patched)) == ("Water the plants", {**todo, "done": True})


@pytest.mark.thorough
def test_bodies_of_any_length() -> None:
    """A chunked one arrives; one over the app's own limit is answered by the app, not by a reset."""
    with serving("--as", ALICE) as serve:
        assert serve.request("POST", "/todo", iter([b'{"text"', b': "x"}']))[0] == 201
        assert serve.request("POST", "/todo", b'{"text": "%s"}' % (b"x" * 3_000_000))[0] == 413


# --- reload ---

NOTES = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda import Create, List, ModelResource, PolyMicro
from polymicro_lambda.permissions import AllowAny

pm = PolyMicro()

def resource(name):
    class Note(Model):
        class Meta:
            table_name = name
        name = UnicodeAttribute(hash_key=True)

    class NoteResource(ModelResource, Create, List):
        model = Note
        route = name
        permissions = (AllowAny,)
        scan = True

    NoteResource(pm)

resource("notes")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.polymicro]\napp = "notes:pm"\n')
    (tmp_path / "notes.py").write_text(NOTES)
    return tmp_path


def test_reload_keeps_data_and_makes_new_tables(project: Path) -> None:
    with serving(cwd=project) as serve:
        assert serve.request("POST", "/notes", {"name": "a"})[0] == 201
        (project / "notes.py").write_text(f'{NOTES}resource("memos")\n')
        serve.said("Serving 4 routes.")
        assert serve.request("GET", "/notes")[2]["items"] == [{"name": "a"}]
        assert serve.request("POST", "/memos", {"name": "b"})[0] == 201
    assert "Changed: notes.py. Loading again." in serve.output
    assert serve.process.returncode == 0


ACCOUNTS = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda import AllowAny, Create, ModelResource, PolyMicro

pm = PolyMicro()

class Account(Model):
    class Meta:
        table_name = "accounts"
    id = UnicodeAttribute(hash_key=True)
    email = UnicodeAttribute()

class Accounts(ModelResource, Create):
    model, route, permissions, unique = Account, "accounts", AllowAny, ("email",)

Accounts(pm)
"""


def test_the_embedded_engine_takes_a_unique_value_once(project: Path) -> None:
    """However many ask at once: writes are atomic, as DynamoDB's are."""
    (project / "notes.py").write_text(ACCOUNTS)
    with serving(cwd=project) as serve, ThreadPoolExecutor(8) as pool:
        _ = serve.port
        for number in range(40):

            def create(place: int, email: str = f"{number}@example.com") -> int:
                return serve.request("POST", "/accounts", {"id": f"{email}-{place}", "email": email})[0]

            statuses = Counter(pool.map(create, range(8)))
            assert (statuses[201], statuses[201] + statuses[409]) == (1, 8)


def test_data_is_kept(project: Path) -> None:
    """Over the end of the command, a reload, and a process that is killed; tables that come later too."""
    data = project / "data"

    def names(serve: Serve, path: str = "/notes") -> list[str]:
        return sorted(item["name"] for item in serve.request("GET", path)[2]["items"])

    with serving("--data", "data", cwd=project) as serve:
        assert serve.request("POST", "/notes", {"name": "a"})[0] == 201
        serve.said(f"Data in: embedded DynamoDB, kept in {data}/dynamodb.jsonl")
        (project / "notes.py").write_text(f'{NOTES}resource("memos")\n')
        serve.said("Serving 4 routes.")
        assert serve.request("POST", "/memos", {"name": "m"})[0] == 201
        assert serve.request("POST", "/notes", {"name": "ü"})[0] == 201
    with serving("--data", "data", cwd=project) as serve:
        assert (names(serve), names(serve, "/memos")) == (["a", "ü"], ["m"])
        assert serve.request("POST", "/notes", {"name": "c"})[0] == 201
        assert serve.request("POST", "/notes", {"name": "c"})[0] == 409
        os.killpg(serve.process.pid, signal.SIGKILL)
    journal = data / "dynamodb.jsonl"
    journal.write_text(journal.read_text() + '{"operation":"PutIt')
    with serving("--data", "data", cwd=project) as serve:
        assert names(serve) == ["a", "c", "ü"]
        second = subprocess.run(
            command("serve", "--port", "0", "--data", "data"),
            cwd=project,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (second.returncode, "Another polymicro serve keeps its data in" in second.stderr) == (1, True)
    operations = [json.loads(line).get("operation") for line in journal.read_text().splitlines()]
    assert operations == [None, "CreateTable", "CreateTable", *["PutItem"] * 4]


def test_what_git_ignores_is_not_watched(project: Path) -> None:
    """Such as an artifact that is built meanwhile."""
    subprocess.run(["git", "init", "--quiet", project], check=True)
    (project / ".gitignore").write_text("build/\ngenerated.py\n")
    (project / "build").mkdir()
    files = [str(project / name) for name in ("build/copy.py", "generated.py", "notes.py")]
    assert watched(files, project) == [files[2]]
    with serving(cwd=project) as serve:
        _ = serve.port
        for name in files[:2]:
            Path(name).write_text("")
        time.sleep(1)
        (project / "notes.py").write_text(f"{NOTES}\n")
        serve.said("Changed: ")
    assert serve.output.count("Changed: ") == serve.output.count("Changed: notes.py.") == 1


def test_without_a_repository_all_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [str(tmp_path / "a.py"), str(tmp_path / "b.py")]
    assert watched(reversed(files), tmp_path) == files
    monkeypatch.setenv("PATH", "")
    assert watched(files, tmp_path) == files


@pytest.mark.thorough
def test_two_changes_in_one_second_are_both_seen(project: Path) -> None:
    """Also where the second leaves the size as it is, which Python's bytecode would not notice."""
    code, new = project / "notes.py", project / "new"
    second = code.stat().st_mtime_ns // 10**9 * 10**9
    with serving(cwd=project) as serve:
        serve.said("Ctrl-C stops")
        for step, name in enumerate(("one", "two"), start=1):
            new.write_text(f'{NOTES}resource("{name}")\n')
            os.utime(new, ns=(second, second + step))
            new.replace(code)
            serve.said("Serving 4 routes.", times=step)
            assert serve.request("GET", f"/{name}")[0] == 200


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param("x = (", "SyntaxError: '(' was never closed", id="syntax"),
        pytest.param("pm = PolyMicro()", "PolyMicro has no resource", id="does not compile"),
        pytest.param("import sys; sys.exit()", "SystemExit", id="exits"),
    ],
)
def test_broken_code_is_told_and_comes_back_when_mended(project: Path, broken: str, said: str) -> None:
    with serving(cwd=project) as serve:
        assert serve.request("POST", "/notes", {"name": "a"})[0] == 201
        (project / "notes.py").write_text(f"{NOTES}{broken}\n")
        serve.said(said)
        status, _, text = serve.request("GET", "/notes")
        assert (status, said in text, "Mend the code" in text) == (500, True, True)
        (project / "notes.py").write_text(NOTES)
        serve.said("Serving 2 routes.")
        assert serve.request("GET", "/notes")[2]["items"] == [{"name": "a"}]


@pytest.mark.thorough
def test_server_process_that_dies_comes_back_when_the_code_changes(project: Path) -> None:
    """A request made meanwhile waits for it."""
    with serving(cwd=project) as serve:
        assert serve.request("POST", "/notes", {"name": "a"})[0] == 201
        (project / "notes.py").write_text(f"{NOTES}import os; os._exit(9)\n")
        serve.said("The server process ended (9). It starts again when the code changes.")
        (project / "notes.py").write_text(NOTES)
        assert serve.request("GET", "/notes")[2]["items"] == [{"name": "a"}]


def test_snapshot_is_of_the_project_code_alone(tmp_path: Path) -> None:
    names = ("a.py", "b/c.py", "b/d.txt", ".git/e.py", "v/pyvenv.cfg", "v/f.py", "b/__pycache__/g.py")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(snapshot(tmp_path)) == [str(tmp_path / "a.py"), str(tmp_path / "b" / "c.py")]


# --- stop ---


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie, which nobody has waited for, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.thorough(but=("alone-SIGINT",))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["alone", "group"])
def test_signal_stops_everything(
    project: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """A terminal sends Ctrl-C to the whole group; `kill` and a service manager send to the one process."""
    with serving(cwd=project) as serve:
        port = serve.port
        serve.said("Ctrl-C stops")
        child = serve.server_process()
        send(serve.process.pid, number)
        assert serve.process.wait(WAIT) == 0
        until(lambda: not alive(child))
        socket.create_server(("127.0.0.1", port)).close()
    assert "Traceback" not in serve.output


def test_no_orphan_is_left_by_a_kill(project: Path) -> None:
    with serving(cwd=project) as serve:
        serve.said("Ctrl-C stops")
        child = serve.server_process()
        serve.process.kill()
        until(lambda: not alive(child))


# --- what keeps it from starting ---


def refused(*arguments: str, cwd: Path, **variables: str) -> tuple[int, str]:
    """Exit code and output of a command that ends by itself."""
    done = subprocess.run(
        command("serve", *arguments),
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=WAIT,
        check=False,
    )
    return done.returncode, done.stdout


def test_taken_port_is_said_in_a_line(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"Error: Port {port} on 127.0.0.1 is taken. Stop what uses it, or choose another: --port {port + 1}\n"
        assert refused("--port", str(port), cwd=project) == (1, said)


def test_unknown_host_is_said(project: Path) -> None:
    said = (
        "Error: There is no address no.such.invalid on this machine. Without --host it serves on 127.0.0.1.\n"
    )
    assert refused("--host", "no.such.invalid", cwd=project) == (1, said)


def test_app_that_does_not_load_at_the_start_ends_the_command(project: Path) -> None:
    (project / "notes.py").write_text("1 / 0\n")
    code, output = refused("--port", "0", cwd=project)
    assert (code, output.count("Traceback")) == (1, 1)
    assert output.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.thorough
def test_engine_of_the_environment_is_used(project: Path) -> None:
    endpoint = "http://127.0.0.1:9"
    code, output = refused(
        "--port",
        "0",
        cwd=project,
        AWS_ENDPOINT_URL_DYNAMODB=endpoint,
        AWS_ACCESS_KEY_ID="a",
        AWS_SECRET_ACCESS_KEY="b",
    )
    assert (code, f"The tables cannot be made in the DynamoDB at {endpoint}:" in output) == (1, True)
