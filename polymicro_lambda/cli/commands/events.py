"""The command `polymicro events`."""

import json
import sys
from pathlib import Path

import click

from polymicro_lambda.cli.sample_events import sample_events
from polymicro_lambda.cli.serving.start_message import example_user
from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.local import AUTHORIZER_APIS

from .options import app_option, compiled_app, current_project


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Else the directory events of the project.",
)
@click.option(
    "--source",
    "sources",
    type=click.Choice(list(AUTHORIZER_APIS)),
    multiple=True,
    default=("rest",),
    show_default=True,
    help="Whose events; again for more.",
)
@click.option("--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes the requests.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if files and classes differ.")
@app_option
def events(
    out: Path | None, sources: tuple[str, ...], user: str | None, check: bool, app: str | None
) -> None:
    """Write a sample event of each route of the app, for `polymicro invoke`, `sam local invoke -e` and tests.

    A file is named after its verb, such as create.json; after its resource too where there are several, and its source.
    Files of these names are replaced, and no other is touched.

    \b
    Example:
      polymicro events --as alice:administrator
      polymicro events --source http --source alb --check
    """
    project = current_project(app)
    routes = compiled_app(project).routes
    who = parse_user(user or example_user(routes))
    directory = out or project.root / "events"
    texts = {
        directory / f"{name}.json": json.dumps(event, indent=2) + "\n"
        for name, event in sample_events(routes, tuple(dict.fromkeys(sources)), who).items()
    }
    old = {file: file.read_text(encoding="utf-8") if file.is_file() else None for file in texts}
    changed = [file for file, text in texts.items() if old[file] != text]
    if check:
        for file in changed:
            click.echo(f"{file.name} is not what the classes say: `polymicro events` writes it.", err=True)
        sys.exit(1 if changed else 0)
    directory.mkdir(parents=True, exist_ok=True)
    for file in changed:
        file.write_text(texts[file], encoding="utf-8")
    click.echo(f"{directory.name}: {len(changed)} of {len(texts)} events written")
