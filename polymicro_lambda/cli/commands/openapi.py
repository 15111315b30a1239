"""The command `polymicro openapi`: the OpenAPI document of the app."""

import json
from pathlib import Path

import click

from polymicro_lambda.openapi import openapi as document_of
from polymicro_lambda.project import compiled, find_project, import_from, load_app


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; else it is printed.")
@click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)
def openapi(out: Path | None, app: str | None) -> None:
    """Write the app's OpenAPI 3.1 document, as JSON.

    It is made of the routes, and needs neither network nor credentials.

    \b
    Example:
      polymicro openapi --out openapi.json
    """
    project = find_project(Path.cwd())
    import_from(project)
    found = load_app(app or project.app)
    compiled(found)
    document = document_of(found.routes, title=found.title, version=found.version)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")
