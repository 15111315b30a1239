"""The command `polymicro template`: the SAM template of the app, written or compared with what is there."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

import click
import yaml
from click.core import ParameterSource

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli import console
from polymicro_lambda.deploy import Options, Part, has_parts, merged, template_parts, unnamed
from polymicro_lambda.deploy import staged as one_step
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import CORS, hsts_of
from polymicro_lambda.project import (
    Project,
    UsageError,
    compiled,
    configured,
    find_project,
    import_from,
    load,
    load_app,
)

SAID = "# polymicro template"
"""How the line begins that keeps the options for the next run."""
HEAD = """\
{said}
#
# What stands between ">>> polymicro" and "<<< polymicro" is made from the classes of {app}: change these,
# and run `polymicro template` again. All else is yours, and stays: lines behind a part too, which go on with its
# last member where they are indented as it is.
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: The REST API of {app}.
"""
PASSING = ("out", "check", "staged", "app")
"""The options of a run alone: a template remembers the others."""


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Else template.yaml of the project."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 with a diff if template and classes differ."
)
@click.option(
    "--staged", is_flag=True, help="Take one step only where several indexes of a table come or go."
)
@click.option(
    "--api",
    type=click.Choice(["rest", "http"]),
    default="rest",
    show_default=True,
    help="API Gateway's kind of API.",
)
@click.option(
    "--authorizer",
    type=click.Choice(["lambda", "cognito", "jwt", "iam", "none"]),
    default="lambda",
    show_default=True,
    help="Who says which user makes a request.",
)
@click.option("--jwks/--no-jwks", default=False, help="An identity provider signs the tokens.")
@click.option(
    "--arch",
    type=click.Choice(["arm64", "x86_64"]),
    default="arm64",
    show_default=True,
    help="The functions' machine.",
)
@click.option(
    "--memory", type=click.IntRange(128, 10240), default=512, show_default=True, help="MB of the function."
)
@click.option("--timeout", type=click.IntRange(1, 29), default=29, show_default=True, help="In seconds.")
@click.option(
    "--snap-start/--no-snap-start", default=False, help="Start from a snapshot; Python 3.12 or later."
)
@click.option(
    "--validate/--no-validate",
    default=True,
    show_default=True,
    help="Let a REST API refuse bodies that fit no schema.",
)
@click.option("--build-method", metavar="NAME", help="SAM's BuildMethod, e.g. makefile.")
@click.option(
    "--handler", metavar="NAME", default="handler", show_default=True, help="The handler in the app's module."
)
@click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)
@click.pass_context
def template(
    ctx: click.Context, /, out: Path | None, check: bool, staged: bool, app: str | None, **_: Any
) -> None:
    """Write the SAM template of the app: API, function, policy, tables, secrets.

    It is made from routes and models alone; what stands in the file outside of the generated parts is kept. The
    options are kept too, in its first line: a new run needs only those that change.

    \b
    Example:
      polymicro template --authorizer cognito --snap-start
      polymicro template --check
    """
    project = find_project(Path.cwd())
    import_from(project)
    file = out or project.root / "template.yaml"
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    if old and not has_parts(old):
        raise UsageError(f"{file} has no generated part: move it, or name another file by --out.")
    said = _said(ctx, old)
    try:
        new, messages = _made(replace(project, app=app or project.app), old, said, one_by_one=staged)
    except ConfigurationError as error:
        raise UsageError(f"There is no template for this: {error}.") from error
    for line in messages:
        click.echo(line, err=True)
    _answer(file, old, new, check=check)


def _made(
    project: Project, old: str, said: Mapping[str, Any], *, one_by_one: bool
) -> tuple[str, Sequence[str]]:
    """The text of the template, and what to tell of its tables."""
    reference = configured(project.app)
    found = load_app(reference)
    compiled(found)
    plan = _staged(
        template_parts(found.routes, _options(reference, found, project, said)), old, one_by_one=one_by_one
    )
    return _remembering(merged(old or HEAD.format(said=SAID, app=reference), plan.parts), said), plan.messages


def _answer(file: Path, old: str, new: str, *, check: bool) -> None:
    if not check:
        file.write_text(new, encoding="utf-8")
        click.echo(f"{file.name}: {'nothing changed' if new == old else 'written'}")
    elif new == old:
        click.echo(f"{file.name} is what the classes say")
    else:
        lines = unified_diff(old.splitlines(), new.splitlines(), file.name, "the classes", lineterm="")
        console.diff(lines)
        click.echo(f"{file.name} is not what the classes say: `polymicro template` writes it.", err=True)
        sys.exit(1)


# --- options --------------------------------------------------------------------------------------------------


def _kept() -> list[click.Parameter]:
    return [option for option in template.params if option.name not in PASSING]


def _said(ctx: click.Context, old: str) -> dict[str, Any]:
    """The options: as given now, else as the template remembers them, else by default."""
    line = next((line for line in old.splitlines() if line.startswith(SAID)), SAID)
    try:
        known = template.make_context("template", shlex.split(line.removeprefix(SAID))).params
    except (click.UsageError, ValueError) as error:
        raise UsageError(f"The line {line!r} of the template cannot be read: {error}.") from error
    kept = [str(option.name) for option in _kept()]
    given = {name for name in kept if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    return {name: (ctx.params if name in given else known)[name] for name in kept}


def _remembering(text: str, said: Mapping[str, Any]) -> str:
    """The text with the options that are not the default in its line of options."""
    changed = [_spelled(option, said[str(option.name)]) for option in _kept()]
    line = " ".join([SAID, *filter(None, changed)])
    lines = text.splitlines()
    at = next((number for number, one in enumerate(lines) if one.startswith(SAID)), None)
    lines[0 if at is None else at : 0 if at is None else at + 1] = [line]
    return "\n".join(lines) + "\n"


def _spelled(option: click.Parameter, value: Any) -> str:
    if value in (None, option.default):
        return ""
    if isinstance(value, bool):
        return option.opts[0] if value else option.secondary_opts[0]
    return shlex.join([option.opts[0], str(value)])


def _options(reference: str, app: PolyMicro, project: Project, said: Mapping[str, Any]) -> Options:
    module, name = reference.partition(":")[0], said["handler"]
    if not callable(load(f"{module}:{name}")):
        raise UsageError(f"{module}.{name} is no function: name the app's handler by --handler.")
    return Options(
        **{option: value for option, value in said.items() if option != "handler"},
        handler=f"{module}.{name}",
        authorizer_handler=project.authorizer and project.authorizer.replace(":", "."),
        cors=CORS(origins=("*",)) if isinstance(app._cors, str) else app._cors,
        hsts=hsts_of(app._hsts),
        documentation=app.documentation,
        table_prefix=app._table_prefix,
        named=tuple(unnamed(*app._observers)),
    )


# --- one index at a time ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """The parts to write, and what to tell of the steps that are left."""

    parts: Sequence[Part]
    messages: Sequence[str] = ()


def _staged(made: Sequence[Part], old: str, *, one_by_one: bool) -> _Plan:
    """The parts, with at most one index of each table new or gone if they are to come one by one."""
    before = _tables(old)
    tables = [part for part in made if part.name in before and _properties(part)]
    steps = {part.name: one_step(before[part.name], _properties(part)) for part in tables if one_by_one}
    messages = [
        f"{name}: deploy, then run this again to {', '.join(left)}"
        for name, (_, left) in steps.items()
        if left
    ]
    if not one_by_one:
        messages = [said for part in tables for said in _warnings(part, before[part.name])]
    return _Plan(
        [_with(part, steps[part.name][0]) if part.name in steps else part for part in made], messages
    )


def _warnings(part: Part, before: Mapping[str, Any]) -> Iterator[str]:
    """What DynamoDB will not do to the table in one update."""
    try:
        _, remaining = one_step(before, _properties(part))
    except ConfigurationError as error:
        yield f"{part.name}: {error}"
    else:
        if remaining:
            yield f"{part.name}: more than one index changes, of which DynamoDB takes one at a time: use --staged"


def _properties(part: Part) -> dict[str, Any]:
    """Those of a table; none of other parts."""
    properties: dict[str, Any] = part.body.get(part.name, {}).get("Properties", {})
    return properties if "KeySchema" in properties else {}


def _with(part: Part, properties: Mapping[str, Any]) -> Part:
    return replace(part, body={part.name: {**part.body[part.name], "Properties": properties}})


def _tables(text: str) -> dict[str, Any]:
    """The properties of the tables that the text has now, by their names in it."""
    try:
        resources = (yaml.load(text, _Loader) or {}).get("Resources") or {}  # nosec B506 # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise UsageError(f"The template is not YAML: {error}.") from error
    kind = "AWS::DynamoDB::Table"
    return {name: one["Properties"] for name, one in resources.items() if one.get("Type") == kind}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, whose meaning is of no concern here."""


_Loader.add_multi_constructor("!", lambda _, suffix, __: f"!{suffix}")
