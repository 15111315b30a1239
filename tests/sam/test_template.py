"""The template and what is built from it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from polymicro_lambda.cli.commands.registry import polymicro

from .conftest import OWN, POLYMICRO, ROOT, TABLE, Sam, output


@pytest.fixture
def resources(built: Path) -> dict[str, dict[str, Any]]:
    """The properties of each resource, its short forms written out by SAM."""
    template = yaml.safe_load((built / "template.yaml").read_text())
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


@pytest.fixture(scope="session", params=["todo rest", "todo http", "second rest", "second http"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's template, and what the command makes of both apps for both kinds of API."""
    app, api = request.param.split()
    if request.param == "todo rest":
        return ROOT / "template.yaml"
    file = tmp_path_factory.mktemp("template") / "template.yaml"
    # By its own name: a package of the tests' may have a module "tests", too.
    command = ["env", f"PYTHONPATH={ROOT / 'tests'}", POLYMICRO, "template", "--app", APPS[app]]
    output(*command, "--api", api, *OWN, "--out", file)
    return file


APPS = {"todo": "handlers.todo:pm", "second": "second_app:pm"}


def test_the_template_is_valid(sam: Sam, template: Path) -> None:
    said = sam("validate", "--lint", "--region=us-east-1", f"--template={template}")
    assert "is a valid SAM Template" in said


def checkov(file: Path) -> dict[str, Any]:
    """What checkov finds, by its own words for it; its exit status says no more."""
    asked = ["--file", file, "--framework", "cloudformation", "--skip-download", "--output", "json"]
    done = subprocess.run([os.environ["POLYMICRO_TEST_CHECKOV"], *asked], cwd=ROOT, capture_output=True)
    results: dict[str, Any] = json.loads(done.stdout)["results"]
    return results


def test_checkov_finds_nothing_that_is_not_explained(template: Path) -> None:
    found = checkov(template)
    assert len(found["passed_checks"]) > 5
    assert [(one["check_id"], one["resource"]) for one in found["failed_checks"]] == []
    reasons = [one["check_result"]["suppress_comment"] for one in found["skipped_checks"]]
    assert min(map(len, reasons)) > 20


def test_checkov_finds_what_is_wrong(tmp_path: Path) -> None:
    """So that finding nothing says something."""
    file = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text()
    file.write_text(text.replace("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"))
    assert [one["check_id"] for one in checkov(file)["failed_checks"]] == ["CKV_AWS_28"]


ROUTES = """
import json, sys
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1])
routes = ApiProvider(stacks).api.routes
print(json.dumps(sorted((route.path, route.methods, route.authorizer_name) for route in routes)))
"""
"""What `sam local start-api` makes of a template before it serves it."""


@pytest.mark.parametrize(
    "cors", ["cors='*'", "cors=CORS(origins=('https://a.example', 'https://b.example'))"]
)
def test_sam_local_asks_the_same_authorizer_at_each_start(cors: str, tmp_path: Path) -> None:
    """It takes the routes in the order of their hashes, which differ from one start to the next."""
    text = (ROOT / "tests" / "second_app.py").read_text().replace('cors="*"', cors)
    (tmp_path / "shop.py").write_text(f"from polymicro_lambda import CORS\n{text}")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.polymicro]\napp = "shop:pm"\nauthorizer = "gate:handler"\n'
    )
    subprocess.run([POLYMICRO, "template"], cwd=tmp_path, check=True, capture_output=True)
    python = Path(os.environ["POLYMICRO_TEST_SAM"]).with_name("python")
    starts = {
        output(python, "-c", ROUTES, tmp_path / "template.yaml", PYTHONHASHSEED=str(seed))
        for seed in range(4)
    }
    (start,) = map(json.loads, starts)
    assert {(path, who) for path, _, who in start} == {
        *((path, "Bearer") for path in ("/orders", "/orders/{number}", "/shelves/{shelf}/bookmarks")),
        *(
            (path, "Bearer")
            for path in ("/shelves/{shelf}/bookmarks/{id}", "/shelves/{shelf}/bookmarks/{id}/visit")
        ),
        *((path, "BearerOrNobody") for path in ("/notes", "/notes/{shelf}/{id}")),
    }


def test_each_artifact_holds_what_its_function_imports(built: Path) -> None:
    def has(function: str) -> set[str]:
        names = {path.name for path in (built / function).iterdir()}
        return names & {"handlers", "polymicro_lambda", "pynamodb", "jwt", "tests", "moto"}

    assert has("TodoFunction") == {"handlers", "polymicro_lambda", "pynamodb"}
    assert has("AuthorizerFunction") == {"handlers", "jwt"}


def test_the_function_puts_the_tables_prefix_before_the_models_name(
    resources: dict[str, dict[str, Any]],
) -> None:
    prefix = resources["TodoFunction"]["Environment"]["Variables"]["POLYMICRO_TABLE_PREFIX"]["Fn::Sub"]
    assert resources["TodosTable"]["TableName"] == {"Fn::Sub": prefix + TABLE}


def test_the_function_may_use_its_table_alone(resources: dict[str, dict[str, Any]]) -> None:
    (policy,) = resources["TodoFunction"]["Policies"]
    actions = ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": [f"dynamodb:{action}" for action in actions],
            "Resource": {"Fn::GetAtt": ["TodosTable", "Arn"]},
        }
    ]


def test_a_new_projects_template_is_valid(sam: Sam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of `polymicro new`, by the linter too."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(polymicro, ["new", "my-todos"]).exit_code == 0
    template = tmp_path / "my-todos" / "template.yaml"
    assert "is a valid SAM Template" in sam("validate", "--lint", "--template", str(template))
