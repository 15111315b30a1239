"""`polymicro build` builds for the processor that the template says."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from polymicro_lambda.cli.commands import build as build_module
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.template_texts import architecture_of
from polymicro_lambda.deploy import RUNNING_PYTHON

GLOBAL = "Globals: {Function: {Architectures: [arm64]}}\n"
OWN = """
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Architectures: [x86_64]
      Environment: {Variables: {A: !Sub "${B}", C: !GetAtt D.Arn}}
  Gate:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gate.handler
      Policies: !If [X, [!Ref Y], !Ref AWS::NoValue]
      Role: !GetAtt {Fn::Sub: z}
"""
BY_PARAMETER = """
Parameters: {Arch: {Type: String, Default: x86_64}, None: {Type: String}}
Globals: {Function: {Architectures: [!Ref Arch]}}
"""


@pytest.mark.parametrize(
    ("text", "handler", "said"),
    [
        (GLOBAL, "app.handler", "arm64"),
        (GLOBAL + OWN, "app.handler", "x86_64"),
        (GLOBAL + OWN, "gate.handler", "arm64"),
        (GLOBAL + OWN, "other.handler", "arm64"),
        (GLOBAL + OWN, None, "arm64"),
        (OWN, "gate.handler", None),
        (BY_PARAMETER, "app.handler", "x86_64"),
        ("Globals: {Function: {Architectures: [!Ref None]}}\n" + BY_PARAMETER.splitlines()[1], "a.b", None),
        ("Globals: {Function: {Architectures: [!Ref Gone]}}", "a.b", None),
        ("Globals: {Function: {Architectures: !If [A, [arm64], [x86_64]]}}", "a.b", None),
        ("", None, None),
        ("[]", None, None),
        ("a: [", None, None),
    ],
)
def test_what_a_template_says(tmp_path: Path, text: str, handler: str | None, said: str | None) -> None:
    (tmp_path / "template.yaml").write_text(text)
    assert architecture_of(tmp_path / "template.yaml", handler) == said


def test_no_template_says_nothing(tmp_path: Path) -> None:
    assert architecture_of(tmp_path / "template.yaml", "app.handler") is None


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The machines that artifacts are built for: nothing is built."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\ndependencies = []\n')
    (tmp_path / "template.yaml").write_text(GLOBAL + OWN)
    monkeypatch.chdir(tmp_path)
    found: list[str] = []

    class Built:
        parts: Any = ()
        notes: Any = ()

    def building(plan: Any, out: Path) -> Built:
        found.append(plan.machine)
        return Built()

    monkeypatch.setattr(build_module, "build_artifact", building)
    monkeypatch.setattr(build_module, "size_table", lambda parts: ())
    return found


def run(*arguments: str) -> Any:
    return CliRunner().invoke(polymicro, ["build", "--out", "out", *arguments])


def test_it_is_built_for_that(machines: list[str]) -> None:
    for arguments in (
        ["--handler", "app.handler"],
        ["--handler", "gate.handler"],
        ["--handler", "gate.handler", "--architecture", "arm64"],
    ):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
    assert machines == ["x86_64", "aarch64", "aarch64"]


def test_another_processor_is_refused(machines: list[str]) -> None:
    result = run("--handler", "app.handler", "--architecture", "arm64")
    assert (result.exit_code, machines) == (1, [])
    assert "--architecture is arm64, and template.yaml says x86_64" in result.output


def test_a_processor_that_lambda_has_not_is_refused(machines: list[str], tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Globals: {Function: {Architectures: [mips]}}\n")
    result = run("--handler", "app.handler")
    assert (result.exit_code, machines) == (1, [])
    assert "Lambda has x86_64 and arm64" in result.output


@pytest.mark.parametrize(
    ("template", "arguments", "version"),
    [
        pytest.param("Globals: {Function: {Runtime: python3.12}}", [], "3.12", id="all functions"),
        pytest.param(
            "Parameters: {Runtime: {Default: python3.11}}\nGlobals: {Function: {Runtime: !Ref Runtime}}",
            [],
            "3.11",
            id="parameter",
        ),
        pytest.param(
            "Globals: {Function: {Runtime: python3.11}}\n"
            "Resources: {App: {Properties: {Handler: app.handler, Runtime: python3.13}}}",
            [],
            "3.13",
            id="its own",
        ),
        pytest.param(
            "Globals: {Function: {Runtime: python3.12}}", ["--python", "3.11"], "3.11", id="the option"
        ),
        pytest.param("Globals: {}", [], RUNNING_PYTHON, id="none"),
        pytest.param("Globals: {Function: {Runtime: nodejs22.x}}", [], RUNNING_PYTHON, id="another language"),
    ],
)
def test_it_is_built_for_the_python_of_the_template(
    machines: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    arguments: list[str],
    version: str,
) -> None:
    """A stage that has another says so by the option: bytecode is of one version."""
    (tmp_path / "template.yaml").write_text(template + "\n")
    pythons: list[str] = []
    original = build_module.build_artifact
    monkeypatch.setattr(
        build_module, "build_artifact", lambda plan, out: pythons.append(plan.python) or original(plan, out)
    )
    result = run("--handler", "app.handler", *arguments)
    assert (result.exit_code, pythons) == (0, [version]), result.output
