"""The command `polymicro serve`."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from polymicro_lambda.cli.serving.settings import ServeSettings
from polymicro_lambda.cli.serving.supervisor import serve as run_server
from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.local import AUTHORIZER_APIS
from polymicro_lambda.project import required_app

from .options import app_option, current_project


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0 takes any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes every request; no token is asked for."
)
@app_option
@click.option(
    "--source",
    type=click.Choice(list(AUTHORIZER_APIS)),
    default="rest",
    show_default=True,
    help="Whose events.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded DynamoDB keeps its data.",
)
def serve(port: int, host: str, user: str | None, app: str | None, source: str, data: Path | None) -> None:
    """Serve the app over HTTP, with a DynamoDB of its own.

    The DynamoDB is embedded and lives as long as the command, unless AWS_ENDPOINT_URL_DYNAMODB names another;
    missing tables are created. With --data it keeps what is in its tables in that directory, for the next start.
    Code is loaded again when it changes.

    \b
    Example:
      polymicro serve --port 8080 --as alice:administrator,therapist
    """
    project = current_project(app)
    required_app(project.app)
    if user is not None:
        parse_user(user)
    settings = ServeSettings(project.app, project.authorizer, user, source, str(project.root), host, port)
    kept = None if data is None else str(data.resolve())
    settings = replace(settings, data=kept)
    sys.exit(run_server(settings))
