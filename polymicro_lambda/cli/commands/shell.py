"""The command `polymicro shell`."""

import code
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.http import User
from polymicro_lambda.project import (
    compiled_handler,
    create_tables,
    engine_of,
    load_app,
    make_logs_readable,
    set_defaults,
)
from polymicro_lambda.testing import Client

from .options import app_option, current_project


@click.command()
@click.option("-c", "code_text", metavar="CODE", help="Run this code, and end.")
@click.option(
    "--as", "user", metavar="NAME[:PERMISSION,…]", help="Who makes the requests of client; else nobody."
)
@app_option
def shell(code_text: str | None, user: str | None, app: str | None) -> None:
    """Open a Python prompt with the app, its models and a client at hand.

    The DynamoDB is the one that AWS_ENDPOINT_URL_DYNAMODB names, else an embedded one, empty, with the app's tables.
    At hand are pm, each model by its name, client, and as_("alice:admin"), a client for that user. Code that
    comes in by a pipe is run, and nothing is asked.

    \b
    Example:
      polymicro shell --as alice:administrator -c 'print(client.get("/todo").json)'
    """
    who = parse_user(user) if user else None
    set_defaults(os.environ)
    loaded, engine = _started(app)
    names = names_of(loaded, Client(loaded, user=who))
    if code_text is not None:
        _run(code_text, names)
    elif not sys.stdin.isatty():
        _run(sys.stdin.read(), names)
    else:
        _complete(names)
        code.interact(banner=_banner(names, engine), local=names, exitmsg="")


def _started(app: str | None) -> tuple[PolyMicro, str]:
    """The app with its tables, and the name of its DynamoDB."""
    engine = engine_of(os.environ)
    os.environ.update(engine.environment)
    loaded = load_app(current_project(app))
    compiled_handler(loaded)
    make_logs_readable()
    create_tables(loaded.routes, engine.name)
    return loaded, engine.name


def names_of(app: PolyMicro, client: Client) -> dict[str, Any]:
    """The names that are at hand. A model that is called as another one stays with the first route that has it."""
    models = {model.__name__: model for route in reversed(app.routes) for model in reversed(route.models)}

    def as_(user: User | str | None) -> Client:
        """A client for this user: a ``User``, or ``"alice:administrator,tenant=acme"``; None is nobody."""
        return client.as_(parse_user(user) if isinstance(user, str) else user)

    return {**models, "pm": app, "client": client, "as_": as_, "User": User}


def _run(text: str, names: dict[str, Any]) -> None:
    """Run code as a module would; what it raises ends the command with its traceback."""
    exec(compile(text, "<polymicro shell>", "exec"), names)  # noqa: S102 # nosec B102 - the code of who calls the command


def _complete(names: dict[str, Any]) -> None:
    """Complete names by the tabulator, where this Python has readline."""
    with suppress(ImportError):
        import readline  # noqa: PLC0415 - deferred: it is for a terminal alone
        import rlcompleter  # noqa: PLC0415 - as readline

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")


def _banner(names: Iterable[str], engine: str) -> str:
    at_hand = ", ".join(name for name in names if name not in ("as_", "User"))
    return f'{engine}\nAt hand: {at_hand}, and as_("alice"): a client for that user.\nCtrl-D ends.'
