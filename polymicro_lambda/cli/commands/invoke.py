"""The command `polymicro invoke`."""

import json
import os
from typing import IO, Any

import click

from polymicro_lambda.cli import console
from polymicro_lambda.project import (
    UsageError,
    compiled_handler,
    create_tables,
    load_app,
    make_logs_readable,
    require_region,
    set_defaults,
    start_embedded,
)
from polymicro_lambda.testing import FakeContext

from .options import app_option, current_project


@click.command()
@click.argument("event", type=click.File("rb"))
@click.option("--embedded", is_flag=True, help="Use an embedded DynamoDB, empty, with the app's tables.")
@app_option
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
    loaded = load_app(current_project(app))
    handler = compiled_handler(loaded)
    make_logs_readable()
    if engine:
        create_tables(loaded.routes, engine.name)
    else:
        require_region(model for route in loaded.routes for model in route.models)
    console.json(json.dumps(handler(payload, FakeContext()), indent=2, ensure_ascii=False))


def _payload(event: IO[bytes]) -> Any:
    try:
        payload = json.load(event)
    except ValueError as error:
        raise UsageError(f"{event.name} is not JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise UsageError(f"{event.name} holds no event: that is a JSON object.")
    return payload
