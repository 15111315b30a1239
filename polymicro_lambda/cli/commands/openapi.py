"""The command `polymicro openapi`: the OpenAPI document of the app."""

import json
from pathlib import Path

import click

from polymicro_lambda.openapi import as_version_3_0
from polymicro_lambda.openapi import openapi as document_of

from .options import app_option, compiled_app, current_project


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; else it is printed.")
@click.option(
    "--openapi",
    "version",
    type=click.Choice(["3.1", "3.0"]),
    default="3.1",
    help="The version of OpenAPI: 3.0 for AWS's own import, and for older tools.",
    show_default=True,
)
@app_option
def openapi(out: Path | None, version: str, app: str | None) -> None:
    """Write the app's OpenAPI document, as JSON.

    It is made of the routes, and needs neither network nor credentials.

    \b
    Example:
      polymicro openapi --out openapi.json
    """
    described = compiled_app(current_project(app))
    document = document_of(
        described.routes, title=described.title, version=described.version, problem=described.problem
    )
    if version == "3.0":
        document, lost = as_version_3_0(document)
        if lost:
            click.echo(
                f"OpenAPI 3.0 has no word for: {', '.join(lost)}. The document goes without.", err=True
            )
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")
