"""Who gets in under `sam local`: as the tables of docs/who-gets-in.md say, but where it is another than AWS."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from handlers import todo
from handlers.authorizer import token
from polymicro_lambda import PolyMicro, User
from polymicro_lambda.project import create_tables

from .conftest import (
    ENDPOINT,
    JWT_SECRET,
    NEWEST,
    POLYMICRO,
    ROOT,
    STACK,
    Served,
    command,
    free_port,
    output,
    running,
)

PAGE = (ROOT / "docs" / "who-gets-in.md").read_text(encoding="utf-8")
CALLERS: dict[str, User | str | None] = {
    "no token": None,
    "bad token": "x.y.z",
    "user": User("alice", frozenset({"therapist"}), claims={"tenant": "acme"}),
    "staff": User("sam", frozenset({"administrator"}), frozenset({"staff"}), {"tenant": "acme"}),
}
BAD_TOKEN = {"rest": 502, "http": 403}
"""The answer of `sam local` 1.170 to a token that the authorizer refuses; a REST API on AWS answers 401."""


def table_of(name: str) -> dict[str, list[int]]:
    """Route -> the status for each caller, as the page has it."""
    _, _, rest = PAGE.partition(f"## {name}\n")
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", rest.partition("\n## ")[0], re.MULTILINE)
    assert rows
    return {route: [int(cell) for cell in cells.split(" | ")] for route, cells in rows}


def ask(url: str, app: PolyMicro) -> dict[str, list[int]]:
    """The same as a server answers it."""
    found = {}
    for route in app.routes:
        path = "/" + "/".join("x" if part.startswith("{") else part for part in route.parts)
        body = b"[]" if route.http not in ("GET", "DELETE") else None
        found[f"{route.http} {route.template}"] = [
            status(f"{url}{path}", route.http, body, caller) for caller in CALLERS.values()
        ]
    return found


def status(url: str, method: str, body: bytes | None, caller: User | str | None) -> int:
    headers = {"Content-Type": "application/json"} if body else {}
    if isinstance(caller, User):
        caller = token(caller.uuid, caller.permissions, caller.groups, claims=caller.claims)
    if caller is not None:
        headers["Authorization"] = f"Bearer {caller}"
    try:
        with urlopen(Request(url, body, headers, method=method), timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)


def test_todo(served: Served) -> None:
    todo.pm.compile()
    wanted = {
        route: [none, BAD_TOKEN[served.api], *users] for route, (none, _, *users) in table_of("Todo").items()
    }
    assert ask(served.url, todo.pm) == wanted


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[PolyMicro]:
    """The app, and its tables, as the functions of its stack find them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", ENDPOINT)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", STACK)
    monkeypatch.setenv("PICTURES_BUCKET", "pictures")
    app: PolyMicro = importlib.import_module("shop.app").pm
    app.compile()
    create_tables(app.routes, "DynamoDB Local")
    yield app
    for model in {model for route in app.routes for model in route.models}:
        model.delete_table()


def test_routes_that_are_open_to_all(
    shop: PolyMicro, tmp_path: Path, local: Callable[[str], list[str]]
) -> None:
    """Whoever sends no token is anonymous; a bad token is refused by the authorizer there too."""
    built = {
        "AppFunction": ("shop.app.handler", str(ROOT)),
        "AuthorizerFunction": ("shop.authorizer.handler", "pyjwt>=2.14"),
    }
    folder = ROOT / "examples" / "shop"
    template = tmp_path / "template.yaml"
    output("env", f"--chdir={folder}", POLYMICRO, "template", "--arch", "x86_64", "--out", template)
    text = template.read_text()
    for name, (handler, requirement) in built.items():
        options = ["--python", NEWEST, "--handler", handler, "--requirement", requirement]
        out = ["--architecture", "arm64", "--out", tmp_path / name]
        output("env", f"--chdir={folder}", POLYMICRO, "build", *options, *out)
        mark = f"  # <<< polymicro {name}\n"
        assert mark in text
        text = text.replace(mark, f"{mark}      CodeUri: {tmp_path / name}\n")
    variables = "        Variables:\n"
    template.write_text(text.replace(variables, f"{variables}          PICTURES_BUCKET: pictures\n"))
    start = ["local", "start-api", f"--port={(port := free_port())}", f"--template={template}"]
    with running(command(*start, "--warm-containers=EAGER", *local(NEWEST)), tmp_path / "log", port) as url:
        found = ask(url, shop)
    table = table_of("Shop")
    for route, (none, bad, *users) in table.items():
        path = route.partition(" ")[2]
        kinds = {one[0] == 401 for other, one in table.items() if other.partition(" ")[2] == path}
        # Of a path whose verbs have two authorizers `sam local` asks one for all, by chance.
        nobody = {none, 401} if len(kinds) > 1 else {none}
        got, *rest = found[route]
        assert (got in nobody, rest) == (True, [BAD_TOKEN["rest"] if bad == 401 else bad, *users]), route
