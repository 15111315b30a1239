"""The command `polymicro routes`."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

import click

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli import console
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import Row, columns, rows
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.project import (
    UsageError,
    compiled,
    find_project,
    import_from,
    load_app,
    parse_user,
    traceback_of,
)

HINTS: Mapping[int, str] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: " Here --as NAME[:PERMISSION,…] says who makes the request.",
        HTTPStatus.NOT_FOUND: " Without --explain the paths are printed.",
    }
)
"""Status of a refusal -> what to do on the command line."""

HEAD = Row("HTTP", "PATH", "VERB", "RULE", "ACCESS", "CALLS")


@click.command()
@click.option(
    "--explain", "asked", metavar="REQUEST", help="Say which DynamoDB calls this request would make."
)
@click.option("--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes the request; else nobody.")
@click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)
def routes(asked: str | None, user: str | None, app: str | None) -> None:
    """Print the app's routes: who may use them, what they read, which DynamoDB calls they make.

    "its own" are the calls of the app's own code: of a verb or action that the resource defines itself, of a
    permission.

    With --explain, say of one request which index, conditions and calls it takes. No verb is called, and no item is
    read, but by a permission that reads on its own. A request that is refused before any call, e.g. as no index
    serves it, ends with what it is answered and exit code 1.

    \b
    Example:
      polymicro routes
      polymicro routes --explain "GET /todo?limit=10" --as alice:administrator
    """
    if user is not None and asked is None:
        raise click.UsageError("--as says who makes the request of --explain: give that too.")
    project = find_project(Path.cwd())
    import_from(project)
    found = load_app(replace(project, app=app or project.app).app)
    compiled(found)
    if asked is not None:
        console.pairs(_explained(found, asked, user))
        return
    table = rows(found.routes)
    console.table(HEAD, table, columns([HEAD, *table]))


def _explained(app: PolyMicro, asked: str, user: str | None) -> list[tuple[str, str]]:
    try:
        return explain(app, asked, None if user is None else parse_user(user))
    except HTTPError as error:
        raise UsageError(f"{error.status} {error.title}: {error}{HINTS.get(error.status, '')}") from error
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"The request fails:\n\n{traceback_of(error)}") from error
