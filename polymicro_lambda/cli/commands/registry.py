"""The commands of `polymicro`."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click

from polymicro_lambda import __version__
from polymicro_lambda.cli import console
from polymicro_lambda.cli.serving.start_message import Settings
from polymicro_lambda.cli.serving.supervisor import serve as run_server
from polymicro_lambda.local import SOURCES
from polymicro_lambda.project import (
    Project,
    UsageError,
    compiled,
    configured,
    create_tables,
    find_project,
    import_from,
    load,
    load_app,
    looked,
    parse_user,
    require_region,
    set_defaults,
    start_embedded,
    traceback_of,
)
from polymicro_lambda.testing import FakeContext

from .build import build
from .completion import completion
from .new import new
from .openapi import openapi
from .routes import routes
from .template import template


class Failure(click.ClickException):
    """What a command cannot do: exit code 1. A command line that is none is click's own ``UsageError``, exit code 2."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say why."""
        console.error(self.message)


class Commands(click.Group):
    """A group whose commands may raise ``UsageError`` or meet a file that cannot be had: a ``Failure``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise Failure(f"{error.filename}: {error.strerror}.") from error


APP = click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="polymicro-lambda")
def polymicro() -> None:
    """Begin, run, inspect and deploy a PolyMicro app.

    \b
    The app is named in pyproject.toml:
      [tool.polymicro]
      app = "handlers.todo:pm"
      authorizer = "handlers.authorizer:handler"

    Exit codes: 0 done, 1 it cannot be done, 2 the command line is not one.

    \b
    Example:
      polymicro serve --as alice:administrator
    """


@polymicro.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0 takes any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes every request; no token is asked for."
)
@APP
@click.option(
    "--source", type=click.Choice(list(SOURCES)), default="rest", show_default=True, help="Whose events."
)
def serve(port: int, host: str, user: str | None, app: str | None, source: str) -> None:
    """Serve the app over HTTP, with a DynamoDB of its own.

    The DynamoDB is embedded and lives as long as the command, unless AWS_ENDPOINT_URL_DYNAMODB names another;
    missing tables are created. Code is loaded again when it changes.

    \b
    Example:
      polymicro serve --port 8080 --as alice:administrator,therapist
    """
    project = _project(app)
    configured(project.app)
    if user is not None:
        parse_user(user)
    settings = Settings(project.app, project.authorizer, user, source, str(project.root), host, port)
    sys.exit(run_server(settings))


@polymicro.command()
@click.argument("user", metavar="NAME[:PERMISSION,…]")
def token(user: str) -> None:
    """Print a bearer token that the project's authorizer accepts for an hour.

    Its module makes it, by its function token(uuid, permissions). What has an equals sign is a claim, of which it
    gets those that there are as claims: alice:member,tenant=acme.

    \b
    Example:
      curl -H "Authorization: Bearer $(polymicro token alice:administrator)" http://127.0.0.1:3000/todo
    """
    project = _project(None)
    if project.authorizer is None:
        raise UsageError(
            f"No authorizer is configured. {looked()}, or name it as authorizer in [tool.polymicro] there."
        )
    set_defaults(os.environ)
    make = load(f"{project.authorizer.partition(':')[0]}:token")
    who = parse_user(user)
    try:
        claims = {"claims": who.claims} if who.claims else {}
        click.echo(make(who.uuid, tuple(sorted(who.permissions)), **claims))
    except Exception as error:
        raise UsageError(f"The token cannot be made:\n\n{traceback_of(error)}") from error


@polymicro.command()
@click.argument("event", type=click.File("rb"))
@click.option("--embedded", is_flag=True, help="Use an embedded DynamoDB, empty, with the app's tables.")
@APP
def invoke(event: IO[bytes], embedded: bool, app: str | None) -> None:
    """Call the app's handler with the event in a JSON file (- is standard input) and print its response.

    It uses the DynamoDB that the environment names.

    \b
    Example:
      polymicro invoke --embedded events/create.json
    """
    payload = _payload(event)
    os.environ.setdefault("POLYMICRO_DEBUG", "true")
    engine = start_embedded() if embedded else None
    if engine:
        set_defaults(os.environ)
        os.environ.update(engine.environment)
    found = load_app(_project(app).app)
    handler = compiled(found)
    if engine:
        create_tables(found.routes, engine.name)
    else:
        require_region(model for route in found.routes for model in route.models)
    console.json(json.dumps(handler(payload, FakeContext()), indent=2, ensure_ascii=False))


polymicro.add_command(build)
polymicro.add_command(completion)
polymicro.add_command(openapi)
polymicro.add_command(new)
polymicro.add_command(routes)
polymicro.add_command(template)


def _project(app: str | None) -> Project:
    """The project here, its modules importable, with the app that the command line names."""
    project = find_project(Path.cwd())
    import_from(project)
    return replace(project, app=app) if app else project


def _payload(event: IO[bytes]) -> Any:
    try:
        payload = json.load(event)
    except ValueError as error:
        raise UsageError(f"{event.name} is not JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise UsageError(f"{event.name} holds no event: that is a JSON object.")
    return payload
