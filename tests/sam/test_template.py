"""The template and what is built from it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import TABLE, Sam


@pytest.fixture
def resources(built: Path) -> dict[str, dict[str, Any]]:
    """The properties of each resource, its short forms written out by SAM."""
    template = yaml.safe_load((built / "template.yaml").read_text())
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


def test_the_template_is_valid(sam: Sam) -> None:
    assert "is a valid SAM Template" in sam("validate", "--lint", "--region=us-east-1")


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
