"""Schemathesis, with all its checks, finds nothing in either example: on what it thinks of, and on what is there."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from botocore.session import Session
from serving import ALICE, ROOT, make_token, serving

from polymicro_lambda.project.engine import ENDPOINT, start_embedded

from .conftest import CLIENTS, Api, run, settings

EXAMPLES = 100
"""For each operation, in each run."""
MINUTES = 30
"""What a run may take on a busy machine; alone it takes less than four."""
HERE = Path(__file__).parent


@pytest.fixture
def engine() -> Mapping[str, str]:
    """An empty DynamoDB, as the environment of whoever uses it."""
    environment = start_embedded().environment
    urlopen(Request(f"{environment[ENDPOINT]}/moto-api/reset", method="POST")).close()
    return environment


def asked(api: Api, path: str, **body: str) -> dict[str, Any]:
    """What a POST answers with."""
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    with urlopen(Request(f"{api.url}{path}", json.dumps(body).encode(), headers)) as response:
        made: dict[str, Any] = json.load(response)
        return made


def todos(api: Api, _: str) -> dict[str, str]:
    """Two todos, so that there is a second page; the keys of one."""
    todo, _ = (asked(api, "/todo", text=text) for text in ("a", "b"))
    return {"OWNER": todo["owner"], "UUID": todo["uuid"]}


def projects(api: Api, endpoint: str) -> dict[str, str]:
    """The tenant, and two of everything in a project of alice's; the keys of one."""
    access = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    dynamodb = Session().create_client("dynamodb", "us-east-1", endpoint_url=endpoint, **access)
    dynamodb.put_item(TableName="tracker-tenants", Item={"tenant": {"S": "acme"}, "name": {"S": "Acme"}})
    made, _ = (asked(api, "/projects", name=name) for name in ("a", "b"))
    project = f"/projects/{made['project']}"
    for user in ("alice", "max"):
        asked(api, f"{project}/invitations", user=user, role="member")
    asked(api, f"{project}/members", user="max", role="member")
    task, _ = (asked(api, f"{project}/tasks", title=title) for title in ("a", "b"))
    comments = f"{project}/tasks/{task['task']}/comments"
    comment, _ = (asked(api, comments, text=text) for text in ("a", "b"))
    keys = {"PROJECT": made["project"], "TASK": task["task"], "COMMENT": comment["comment"]}
    return {**keys, "MEMBER": "max"}


class Target(NamedTuple):
    """A running example: where it is, who asks it, what is in it, the settings; how many operations it has."""

    directory: Path
    user: str
    fill: Callable[[Api, str], dict[str, str]]
    settings: tuple[str, ...]
    operations: int


TRACKER = ROOT / "examples" / "tracker"
ALL = "schemathesis.toml"


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(Target(TRACKER, "alice:tenant=acme", projects, (ALL, "tracker.toml"), 37), id="tracker"),
        pytest.param(Target(ROOT, ALICE, todos, (ALL,), 6), id="todo"),
        pytest.param(Target(ROOT, ALICE, todos, (ALL, "todo.toml"), 6), id="todo, one item"),
    ],
)
def test_it_finds_nothing(target: Target, engine: Mapping[str, str], tmp_path: Path) -> None:
    said = "".join((HERE / name).read_text() for name in target.settings)
    (tmp_path / "schemathesis.toml").write_text(said)
    with serving(cwd=target.directory, **engine) as serve:
        api = Api(serve, make_token(target.user))
        output = run(
            CLIENTS / "schemathesis",
            *("run", f"{api.url}/openapi.json", "--url", api.url, "--no-color"),
            *("--header", f"Authorization: Bearer {api.token}"),
            *("--checks", "all", "--max-examples", str(EXAMPLES)),
            cwd=tmp_path,
            minutes=MINUTES,
            SCHEMATHESIS_HOOKS=str(HERE / "hooks.py"),
            **settings(api),
            **target.fill(api, engine[ENDPOINT]),
        )
    generated, passed = (int(number) for number in re.findall(r"(\d+) generated, (\d+) passed", output)[0])
    assert f"Tested: {target.operations}\n" in output
    assert generated == passed
    assert generated > EXAMPLES * target.operations
