"""The command `polymicro openapi`: the OpenAPI document of the app."""

import json
from pathlib import Path

import click

from polymicro_lambda.openapi import openapi as document_of

from .options import app_option, compiled_app, current_project


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; else it is printed.")
@app_option
def openapi(out: Path | None, app: str | None) -> None:
    """Write the app's OpenAPI 3.1 document, as JSON.

    It is made of the routes, and needs neither network nor credentials.

    \b
    Example:
      polymicro openapi --out openapi.json
    """
    described = compiled_app(current_project(app))
    document = document_of(
        described.routes, title=described.title, version=described.version, problem=described.problem
    )
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")
