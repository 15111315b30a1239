"""Schemathesis, with all its checks, finds nothing in any example: on what it thinks of, and on what is there."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from botocore.session import Session
from serving import ALICE, ROOT, Serve, make_token, serving

from polymicro_lambda.project.engine import ENDPOINT, start_embedded

from .conftest import CLIENTS, Api, run, settings

MINUTES = 30
"""What a run may take on a busy machine; alone it takes less than four."""
HERE = Path(__file__).parent
ARTICLE = {"description": "A guide", "body": "Fall.", "tagList": ["tea", "milk"]}


@pytest.fixture
def engine() -> Mapping[str, str]:
    """An empty DynamoDB, as the environment of whoever uses it."""
    environment = start_embedded().environment
    urlopen(Request(f"{environment[ENDPOINT]}/moto-api/reset", method="POST")).close()
    return environment


def asked(api: Api, path: str, method: str = "POST", **body: Any) -> dict[str, Any]:
    """What a POST answers with, or another method."""
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    request = Request(f"{api.url}{path}", json.dumps(body).encode(), headers, method=method)
    with urlopen(request) as response:
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
    return {**keys, "MEMBER": "max", "OTHER": make_token("eva:tenant=acme")}


def articles(api: Api, _: str) -> dict[str, str]:
    """Two of everything in a blog of ann's and max's; the keys of one."""
    max_ = replace(api, token=registered(api.serve, "max"))
    bodies = {title: {"article": {**ARTICLE, "title": title}} for title in ("Tea", "Milk", "Rain", "Sun")}
    article, _ = (asked(api, "/api/articles", **bodies[title])["article"] for title in ("Tea", "Milk"))
    for title in ("Rain", "Sun"):
        asked(max_, "/api/articles", **bodies[title])
    asked(api, "/api/profiles/max/follow")
    asked(api, f"/api/articles/{article['slug']}/favorite")
    comments = f"/api/articles/{article['slug']}/comments"
    comment, _ = (asked(api, comments, comment={"body": body})["comment"] for body in ("a", "b"))
    return {"ARTICLE": article["slug"], "COMMENT": str(comment["id"]), "PROFILE": "max"}


def products(api: Api, _: str) -> dict[str, str]:
    """Two of everything in a shop whose customer is of its staff; the keys of one, of an order that is a cart."""
    category, _ = (asked(api, "/categories", slug=slug, name=slug) for slug in ("tea", "milk"))
    tea = {"category": "tea", "price": "19.90", "stock": 1000}
    product, _ = (asked(api, "/products", **tea, name=name) for name in ("Darjeeling", "Assam"))
    asked(api, "/customers/sue", "PUT", email="sue@example.com", name="Sue")
    address = {"name": "Sue", "street": "Elm Street 1", "postcode": "12345", "city": "Springwood"}
    order, paid = (asked(api, "/orders", address=address)["id"] for _ in range(2))
    asked(api, f"/orders/sue/{paid}/lines", "PUT", product=product["id"], quantity=1)
    asked(api, f"/orders/sue/{paid}/pay")
    return {"CATEGORY": category["slug"], "PRODUCT": product["id"], "ORDER": order, "PAID": paid}


def registered(serve: Serve, name: str) -> str:
    """The token of a new user of Conduit."""
    body = {"username": name, "email": f"{name}@example.com", "password": "secret"}
    status, _, made = serve.request("POST", "/api/users", {"user": body})
    assert status == HTTPStatus.CREATED, made
    token: str = made["user"]["token"]
    return token


def signed(user: str) -> Callable[[Serve], str]:
    """What makes a token of the authorizer's."""
    return lambda _: make_token(user)


class Target(NamedTuple):
    """A running example: where it is, whose token asks it, what is in it, the settings; how many operations it has.

    ``examples`` are those for each operation, in each run.
    """

    directory: Path
    token: Callable[[Serve], str]
    fill: Callable[[Api, str], dict[str, str]]
    settings: tuple[str, ...]
    operations: int
    examples: int = 100


EXAMPLES = ROOT / "examples"
ALL = "schemathesis.toml"
TRACKER = Target(EXAMPLES / "tracker", signed("alice:tenant=acme"), projects, (ALL, "tracker.toml"), 37)
CONDUIT = Target(
    EXAMPLES / "conduit", lambda serve: registered(serve, "ann"), articles, (ALL, "conduit.toml"), 22, 30
)
SHOP = Target(EXAMPLES / "shop", signed("sue:cognito:groups=staff"), products, (ALL, "shop.toml"), 29, 30)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(TRACKER, id="tracker"),
        pytest.param(CONDUIT, id="conduit"),
        pytest.param(SHOP, id="shop"),
        pytest.param(Target(ROOT, signed(ALICE), todos, (ALL,), 6), id="todo"),
        pytest.param(Target(ROOT, signed(ALICE), todos, (ALL, "todo.toml"), 6), id="todo, one item"),
    ],
)
def test_it_finds_nothing(target: Target, engine: Mapping[str, str], tmp_path: Path) -> None:
    said = "".join((HERE / name).read_text() for name in target.settings)
    (tmp_path / "schemathesis.toml").write_text(said)
    with serving(cwd=target.directory, PICTURES_BUCKET="pictures", **engine) as serve:
        api = Api(serve, target.token(serve))
        output = run(
            CLIENTS / "schemathesis",
            *("run", f"{api.url}/openapi.json", "--url", api.url, "--no-color"),
            *("--header", f"Authorization: Bearer {api.token}"),
            *("--checks", "all", "--max-examples", str(target.examples)),
            cwd=tmp_path,
            minutes=MINUTES,
            SCHEMATHESIS_HOOKS=str(HERE / "hooks.py"),
            **settings(api),
            **target.fill(api, engine[ENDPOINT]),
        )
    generated, passed = (int(number) for number in re.findall(r"(\d+) generated, (\d+) passed", output)[0])
    assert f"Tested: {target.operations}\n" in output
    assert generated == passed
    assert generated > target.examples * target.operations
