"""The command `polymicro build`."""

import platform
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from polymicro_lambda.cli import console
from polymicro_lambda.cli.template_texts import architecture_of, runtime_of
from polymicro_lambda.deploy import RUNNING_PYTHON, BuildError, BuildPlan, size_table
from polymicro_lambda.deploy import build as build_artifact
from polymicro_lambda.project import PYPROJECT, UsageError, find_project, required_app

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's names of architectures -> those of wheels."""
TEMPLATE = "template.yaml"
HERE = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of pyproject.toml for the artifact."""

    requirements: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    services: tuple[str, ...] | None = None


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The directory.")
@click.option("--handler", metavar="MODULE.NAME", help="The Lambda's handler, as the template names it.")
@click.option("--app", metavar="MODULE:NAME", help="The PolyMicro, where its module has the handler too.")
@click.option(
    "--python",
    metavar="3.N",
    help="The Lambda's Python; else what template.yaml says, else this one. It must be here too.",
)
@click.option(
    "--architecture",
    type=click.Choice(list(ARCHITECTURES)),
    help="The Lambda's; else what template.yaml says, else this machine's.",
)
@click.option(
    "--requirement",
    "requirements",
    multiple=True,
    help="What to install, in place of the project's dependencies.",
)
def build(
    out: Path,
    handler: str | None,
    app: str | None,
    python: str | None,
    architecture: str | None,
    requirements: tuple[str, ...],
) -> None:
    """Build the artifact of a Lambda: what its handler imports, compiled, and nothing else.

    It holds the modules of the project that the handler leads to, the project's dependencies as pip installs
    them for Lambda, and bytecode. Wheels are for the processor, and bytecode for the Python, that template.yaml
    says. A directory of an earlier build is built anew.

    \b
    In pyproject.toml, where the defaults do not do:
      [tool.polymicro]
      include = ["handlers.plugins"]    # modules that are imported by a name made at run time
      services = ["dynamodb", "s3"]     # whose data botocore keeps

    \b
    Example:
      build-TodoFunction:
        polymicro build --python 3.13 --handler handlers.todo.handler --out "$(ARTIFACTS_DIR)"
    """
    project = find_project(Path.cwd())
    settings = read(project.root / PYPROJECT)
    to_install = requirements or settings.requirements
    if to_install is None:
        raise UsageError(
            f"{PYPROJECT} lists no [project] dependencies. List them, or name what to install by --requirement."
        )
    plan = BuildPlan(
        root=project.root,
        module=_module(handler, app or project.app),
        requirements=to_install,
        include=settings.include,
        services=settings.services,
        python=python or _runtime(project.root / TEMPLATE, handler) or RUNNING_PYTHON,
        machine=ARCHITECTURES[_architecture(project.root / TEMPLATE, handler, architecture)],
    )
    try:
        with console.working(f"Building {plan.module} for Python {plan.python} …"):
            built = build_artifact(plan, out.resolve())
    except BuildError as error:
        raise UsageError(str(error)) from error
    for line in (*size_table(built.parts), *built.notes):
        click.echo(line)


def _runtime(template: Path, handler: str | None) -> str | None:
    """The version of the Lambda's Python, as the template says it."""
    said = runtime_of(template, handler) or ""
    return said.removeprefix("python") if said.startswith("python3.") else None


def _architecture(template: Path, handler: str | None, given: str | None) -> str:
    """The Lambda's processor. Raises ``UsageError`` where the template says another than the option, or none of these.

    Wheels that are compiled are of one processor: on the other the function would fail at its first import.
    """
    said = architecture_of(template, handler)
    if said is not None and said not in ARCHITECTURES:
        raise UsageError(
            f"{TEMPLATE} says the architecture {said!r}. Lambda has {' and '.join(ARCHITECTURES)}."
        )
    if said is not None and given is not None and said != given:
        raise UsageError(
            f"--architecture is {given}, and {TEMPLATE} says {said}: leave the option out, or say"
            f" Architectures: [{given}] there, by `polymicro template --arch {given}`."
        )
    return given or said or HERE


def _module(handler: str | None, app: str | None) -> str:
    """The module of the handler, which is that of the app where none is named."""
    module = handler.rpartition(".")[0] if handler else required_app(app).partition(":")[0]
    if not all(part.isidentifier() for part in module.split(".")):
        raise UsageError(f"{handler or app!r} names no module. Write --handler handlers.todo.handler.")
    return module


def read(file: Path) -> Settings:
    """The settings of a pyproject.toml for the artifact. Raises ``UsageError`` for one that is no list of texts."""
    document: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    tool = document.get("tool", {}).get("polymicro", {})
    return Settings(
        _texts(file, "dependencies", document.get("project", {}).get("dependencies")),
        _texts(file, "include", tool.get("include")) or (),
        _texts(file, "services", tool.get("services")),
    )


def _texts(file: Path, name: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{name} in {file} must be a list of texts.")
    return tuple(value)
