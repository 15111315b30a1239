"""The commands of `polymicro`."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click

from . import __version__
from ._build_command import build
from ._engine import create_tables, set_defaults, start_embedded
from ._explain import explain
from ._gateway import SOURCES
from ._project import (
    Project,
    UsageError,
    compiled,
    configured,
    find_project,
    import_from,
    load,
    load_app,
    parse_user,
    traceback_of,
)
from ._reload import serve as run_server
from ._session import Settings, route_lines
from ._template_command import template
from .app import PolyMicro
from .exceptions import HTTPError
from .testing import FakeContext


class Commands(click.Group):
    """A group whose commands may raise ``UsageError``: its text is shown, and the exit code is 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.ClickException(str(error)) from error


APP = click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="polymicro-lambda")
def polymicro() -> None:
    """Run and inspect a PolyMicro app on this machine.

    \b
    The app is named in pyproject.toml:
      [tool.polymicro]
      app = "handlers.todo:pm"
      authorizer = "handlers.authorizer:handler"
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
            "No authorizer is configured: name it as authorizer in [tool.polymicro] of pyproject.toml."
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
@click.option(
    "--explain", "asked", metavar="REQUEST", help="Say which DynamoDB calls this request would make."
)
@click.option("--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes the request; else nobody.")
@APP
def routes(asked: str | None, user: str | None, app: str | None) -> None:
    """Print the app's routes: HTTP verb, path, verb of the resource.

    With --explain, say of one request which index, conditions and calls it takes. Nothing is called; a request that
    is refused before any call, e.g. as no index serves it, ends with what it is answered and exit code 1.

    \b
    Example:
      polymicro routes --explain "GET /todo?limit=10" --as alice:administrator
    """
    found = load_app(_project(app).app)
    compiled(found)
    lines = route_lines(found.routes) if asked is None else _explained(found, asked, user)
    for line in lines:
        click.echo(line)


def _explained(app: PolyMicro, asked: str, user: str | None) -> list[str]:
    try:
        lines = explain(app, asked, None if user is None else parse_user(user))
    except HTTPError as error:
        raise UsageError(f"{error.status} {error.title}: {error}") from error
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"The request fails:\n\n{traceback_of(error)}") from error
    width = max(len(name) for name, _ in lines)
    return [f"{name.ljust(width)}  {text}" for name, text in lines]


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
    engine = start_embedded() if embedded else None
    if engine:
        set_defaults(os.environ)
        os.environ.update(engine.environment)
    found = load_app(_project(app).app)
    handler = compiled(found)
    if engine:
        create_tables(found.routes, engine.name)
    click.echo(json.dumps(handler(payload, FakeContext()), indent=2, ensure_ascii=False))


polymicro.add_command(build)
polymicro.add_command(template)


def _project(app: str | None) -> Project:
    """The project here, its modules importable, with the app that the command line names."""
    project = find_project(Path.cwd())
    import_from(project)
    return replace(project, app=app) if app else project


def _payload(event: IO[bytes]) -> Any:
    try:
        return json.load(event)
    except ValueError as error:
        raise UsageError(f"{event.name} is not JSON: {error}.") from error
