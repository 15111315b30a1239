"""The command `polymicro template`: the SAM template of the app, written, or compared with the file."""

import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

import click

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli import console
from polymicro_lambda.cli.index_steps import index_steps
from polymicro_lambda.cli.template_options import FIRST_LINE, options_of_run, with_options
from polymicro_lambda.deploy import (
    RUNTIMES,
    Options,
    Part,
    as_dict,
    has_parts,
    limit_table,
    limits_of,
    merge_parts,
    naming_variables,
    template_parts,
)
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import cors_of, hsts_of
from polymicro_lambda.project import Project, UsageError, load_object, required_app

from .options import app_option, compiled_app, current_project

HEAD = """\
{first_line}
#
# What stands between ">>> polymicro" and "<<< polymicro" is made from the classes of {app}: change these,
# and run `polymicro template` again. All else is yours, and stays: lines behind a part too, which go on with its
# last member where they are indented as it is.
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: The REST API of {app}.
"""


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Else template.yaml of the project."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 with a diff if template and classes differ."
)
@click.option("--limits", is_flag=True, help="Write nothing; print the figures that AWS limits.")
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
    type=click.Choice(["lambda", "cognito", "jwt", "iam", "app", "none"]),
    default="lambda",
    show_default=True,
    help="Who says which user makes a request; app is its req_user_func.",
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
    "--runtime",
    type=click.Choice(RUNTIMES),
    default=RUNTIMES[-1],
    show_default=True,
    help="The functions' Python, unless the stage says another.",
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
@app_option
@click.pass_context
def template(
    ctx: click.Context,
    /,
    out: Path | None,
    check: bool,
    limits: bool,
    staged: bool,
    app: str | None,
    **_: Any,
) -> None:
    """Write the SAM template of the app: API, function, policy, tables, secrets.

    It is made from routes and models alone; what stands in the file outside of the generated parts is kept. The
    options are kept too, in its first line: a new run needs only those that change.

    \b
    Example:
      polymicro template --authorizer cognito --snap-start
      polymicro template --check
    """
    project = current_project(app)
    file = out or project.root / "template.yaml"
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    if old and not has_parts(old):
        raise UsageError(f"{file} has no generated part: move it, or name another file by --out.")
    options = options_of_run(ctx, old)
    try:
        parts = _parts(project, options)
        new, messages = _new_text(project, old, parts, options, one_by_one=staged)
    except ConfigurationError as error:
        raise UsageError(f"There is no template for this: {error}.") from error
    if limits:
        click.echo("\n".join(limit_table(limits_of(as_dict(parts)))))
        return
    for line in messages:
        click.echo(line, err=True)
    _write_or_compare(file, old, new, check=check)


def _parts(project: Project, options: Mapping[str, Any]) -> list[Part]:
    reference = required_app(project.app)
    app = compiled_app(project)
    return template_parts(app.routes, _template_options(app, project, reference, options))


def _new_text(
    project: Project, old: str, parts: Sequence[Part], options: Mapping[str, Any], *, one_by_one: bool
) -> tuple[str, Sequence[str]]:
    """The text of the template, and messages about its tables."""
    steps = index_steps(parts, old, one_by_one=one_by_one)
    text = merge_parts(old or HEAD.format(first_line=FIRST_LINE, app=project.app), steps.parts)
    return with_options(text, template, options), steps.messages


def _write_or_compare(file: Path, old: str, new: str, *, check: bool) -> None:
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


def _template_options(
    app: PolyMicro, project: Project, reference: str, options: Mapping[str, Any]
) -> Options:
    module, name = reference.partition(":")[0], options["handler"]
    if not callable(load_object(f"{module}:{name}")):
        raise UsageError(f"{module}.{name} is no function: name the app's handler by --handler.")
    return Options(
        **{option: value for option, value in options.items() if option != "handler"},
        handler=f"{module}.{name}",
        authorizer_handler=project.authorizer and project.authorizer.replace(":", "."),
        cors=cors_of(app._cors),
        hsts=hsts_of(app._hsts),
        documentation=app.documentation,
        title=project.name if app.documentation is not None and app.title == project.name else None,
        problem=app.problem,
        table_prefix=app._table_prefix,
        named=tuple(naming_variables(*app._observers)),
    )
