"""The command `polymicro seed`."""

import os
from pathlib import Path

import click

from polymicro_lambda.project import (
    UsageError,
    compiled_handler,
    create_tables,
    engine_of,
    load_app,
    make_logs_readable,
    read_seeds,
    set_defaults,
    write_seeds,
)

from .options import app_option, current_project


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded DynamoDB keeps its data, as for serve.",
)
@app_option
def seed(file: Path, data: Path | None, app: str | None) -> None:
    """Write the items of a JSON or YAML file into the app's tables: lists of items, by the name of their model.

    The DynamoDB is the one that AWS_ENDPOINT_URL_DYNAMODB names, or the embedded one that keeps its data in --data;
    missing tables are created. Items are written as the app writes them, with their unique values and composed keys,
    and no rule is asked. An item whose key is there already stays as it is, so that you can run the command again; an
    item without its key gets a new one each time.

    \b
    Example:
      echo '{"Todo": [{"owner": "alice", "text": "Water the plants"}]}' > todos.json
      polymicro seed todos.json --data .data && polymicro serve --data .data
    """
    if data is None and not os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"):
        raise UsageError(
            "There is no DynamoDB to write to: name the directory of the embedded one by --data, or set"
            " AWS_ENDPOINT_URL_DYNAMODB, such as http://localhost:8000 for DynamoDB Local."
        )
    set_defaults(os.environ)
    engine = engine_of(os.environ, data)
    os.environ.update(engine.environment)
    loaded = load_app(current_project(app))
    compiled_handler(loaded)
    make_logs_readable()
    seeds = read_seeds(file, loaded.routes)
    create_tables(loaded.routes, engine.name)
    for model, (new, there) in write_seeds(seeds).items():
        click.echo(f"{model}: {new} written, {there} there already")
