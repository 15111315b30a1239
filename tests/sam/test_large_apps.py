"""Apps of 60 and 150 resources: valid for SAM and cfn-lint, within every limit, and served."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import cfnlint.api  # type: ignore[import-untyped]
import pytest
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from polymicro_lambda.deploy import limits_of

from .conftest import ENDPOINT, NEWEST, POLYMICRO, ROOT, STACK, Sam, command, free_port, output, running

ORIGINS = {"none": "", "one": "https://a.example", "several": "https://a.example https://b.example"}
APPS = [(count, api, cors) for count in (60, 150) for api in ("rest", "http") for cors in ORIGINS]
Made = Callable[[int, str, str], Path]


@pytest.fixture(scope="module")
def made(project: Path) -> Made:
    """The template of an app."""

    @cache
    def written(count: int, api: str, cors: str) -> Path:
        file = project / f"{count}-{api}-{cors}.yaml"
        options = ["--api", api, "--arch", "x86_64", "--out", str(file)]
        polymicro("template", *options, project=project, count=count, cors=cors)
        return file

    return written


def polymicro(*arguments: str, project: Path, count: int, cors: str = "none") -> str:
    settings = {"LARGE_APP_RESOURCES": str(count), "LARGE_APP_ORIGINS": ORIGINS[cors]}
    return output("env", f"--chdir={project}", POLYMICRO, *arguments, **settings)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as a project of its own."""
    directory = tmp_path_factory.mktemp("large")
    shutil.copy(ROOT / "tests" / "large_app.py", directory)
    (directory / "gate.py").write_text("handler = print\n")
    settings = '[tool.polymicro]\napp = "large_app:pm"\nauthorizer = "gate:handler"\n'
    (directory / "pyproject.toml").write_text(settings)
    return directory


@pytest.mark.parametrize(("count", "api", "cors"), APPS)
def test_the_template_is_valid(sam: Sam, made: Made, count: int, api: str, cors: str) -> None:
    said = sam("validate", "--lint", "--region=us-east-1", f"--template={made(count, api, cors)}")
    assert "is a valid SAM Template" in said


@pytest.mark.parametrize(("count", "api", "cors"), APPS)
def test_its_translation_is_valid_and_within_the_limits(
    monkeypatch: pytest.MonkeyPatch, made: Made, count: int, api: str, cors: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    template = plain(made(count, api, cors))
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    figures = {limit.noun: limit for limit in limits_of(template)}
    translated = Translator({}, Parser()).translate(template, {})
    text = json.dumps(translated)
    assert [match.rule.id for match in cfnlint.api.lint(text, regions=["us-east-1"])] == []
    assert all(limit.holds for limit in figures.values())
    assert len(text.encode()) <= figures["bytes"].figure
    assert len(translated["Resources"]) <= figures["resources"].figure


def plain(file: Path) -> dict[str, Any]:
    """The template with CloudFormation's functions in their long form."""
    loaded, _ = cfnlint.decode.decode(str(file))
    result: dict[str, Any] = json.loads(json.dumps(loaded))
    return result


@pytest.fixture(scope="module")
def tables() -> Iterator[None]:
    """The tables of three of the resources of each app."""
    words = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    client = boto3.client("dynamodb", endpoint_url=ENDPOINT, **words)
    names = [f"{STACK}inventory-movements-{number}" for number in (0, 30, 59, 149)]
    for name in names:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "place", "KeyType": "HASH"},
                {"AttributeName": "id", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("place", "id")],
        )
    yield
    for name in names:
        client.delete_table(TableName=name)


@pytest.fixture(scope="module")
def artifact(project: Path) -> Path:
    """The function's code: how many resources there are, the environment says."""
    target = ["--python", NEWEST, "--architecture", "x86_64", "--out", "artifact"]
    wanted = ["--handler", "large_app.handler", "--requirement", str(ROOT)]
    polymicro("build", *wanted, *target, project=project, count=1)
    return project / "artifact"


@pytest.mark.parametrize(("count", "api", "cors"), [one for one in APPS if one[2] != "one"])
def test_sam_local_serves_it(
    tables: None,
    artifact: Path,
    tmp_path: Path,
    made: Made,
    local: Callable[[str], list[str]],
    count: int,
    api: str,
    cors: str,
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(with_settings(made(count, api, cors).read_text(), artifact, count, cors))
    port = free_port()
    start = ["local", "start-api", f"--port={port}", "--warm-containers=EAGER", f"--template={template}"]
    with running(command(*start, *local(NEWEST)), tmp_path / "log", port) as url:
        for number in (one for one in (0, 30, 59, 149) if one < count):
            assert statuses(f"{url}/inventory-movements-{number}") == [201, 200, 200, 200, 200, 204, 404]


def with_settings(text: str, artifact: Path, count: int, cors: str) -> str:
    """The template with the place of the artifact, and the environment that the app reads."""
    variables = "        Variables:\n"
    assert text.index(variables) < text.index("  # <<< polymicro LargeAppFunction\n")
    own = f'          LARGE_APP_RESOURCES: "{count}"\n          LARGE_APP_ORIGINS: "{ORIGINS[cors]}"\n'
    text = text.replace(variables, variables + own, 1)
    for function in ("LargeAppFunction", "AuthorizerFunction"):
        mark = f"  # <<< polymicro {function}\n"
        assert text.count(mark) == 1
        text = text.replace(mark, f"{mark}      CodeUri: {artifact}\n")
    return text


def statuses(url: str) -> list[int]:
    """A life of one item."""
    item = {"place": "north", "id": "1"}
    return [
        status(url, "POST", item | {"text": "in"}),
        status(f"{url}?place=north"),
        status(f"{url}/north/1"),
        status(f"{url}/north/1", "PATCH", {"text": "out"}),
        status(f"{url}/north/1", "PUT", {"text": "in"}),
        status(f"{url}/north/1", "DELETE"),
        status(f"{url}/north/1"),
    ]


def status(url: str, method: str = "GET", body: Any = None) -> int:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urlopen(request, timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
