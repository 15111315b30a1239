"""The command `polymicro routes`."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import click

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli import console
from polymicro_lambda.cli.explain import CallRefused, explain
from polymicro_lambda.cli.route_table import Row, columns, rows
from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.project import UsageError, traceback_of

from .options import app_option, compiled_app, current_project

HINTS: Mapping[int, str] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: " Here --as NAME[:PERMISSION,…] says who makes the request.",
        HTTPStatus.NOT_FOUND: " Without --explain the paths are printed.",
    }
)
"""Status of a refusal -> a hint for the command line."""

HEAD = Row("HTTP", "PATH", "VERB", "RULE", "ACCESS", "CALLS")


@click.command()
@click.option(
    "--explain", "request", metavar="REQUEST", help="Say which DynamoDB calls this request would make."
)
@click.option("--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes the request; else nobody.")
@app_option
def routes(request: str | None, user: str | None, app: str | None) -> None:
    """Print the app's routes: who may use them, what they read, which DynamoDB calls they make.

    "its own" are the calls of the app's own code: of a verb or action that the resource defines itself, of a
    permission.

    With --explain, say of one request which index, conditions and calls it takes. No verb is called, and no item is
    read: of a permission that reads on its own it says so. A request that is refused before any call, e.g. as no index
    serves it, ends with what it is answered and exit code 1.

    \b
    Example:
      polymicro routes
      polymicro routes --explain "GET /todo?limit=10" --as alice:administrator
    """
    if user is not None and request is None:
        raise click.UsageError("--as says who makes the request of --explain: give that too.")
    listed = compiled_app(current_project(app))
    if request is not None:
        console.pairs(_explained(listed, request, user))
        return
    table = rows(listed.routes)
    console.table(HEAD, table, columns([HEAD, *table]))


def _explained(app: PolyMicro, request: str, user: str | None) -> list[tuple[str, str]]:
    try:
        return explain(app, request, None if user is None else parse_user(user))
    except HTTPError as error:
        advice = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        raise UsageError(
            f"{error.status} {error.title}: {error}{advice}{HINTS.get(error.status, '')}"
        ) from error
    except UsageError:
        raise
    except CallRefused as call:
        raise UsageError(
            f"The app calls DynamoDB ({call}) before the rule is asked, e.g. in req_user_func. Here nothing is called."
        ) from None
    except Exception as error:
        raise UsageError(f"The request fails:\n\n{traceback_of(error)}") from error
