"""The command line `polymicro`: the group in which each command is registered, and its exit codes."""

from typing import IO, Any

import click

from polymicro_lambda import __version__
from polymicro_lambda.cli import console
from polymicro_lambda.project import UsageError

from .build import build
from .completion import completion
from .events import events
from .invoke import invoke
from .new import new
from .openapi import openapi
from .routes import routes
from .seed import seed
from .serve import serve
from .shell import shell
from .template import template
from .token import token


class Failure(click.ClickException):
    """A command cannot be done: exit code 1. A wrong command line is click's own ``UsageError``, exit code 2."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reason."""
        console.error(self.message)


class Commands(click.Group):
    """A group of commands, in which ``UsageError`` and the error of a file become a ``Failure``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise Failure(f"{error.filename}: {error.strerror}.") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="polymicro-lambda")
def polymicro() -> None:
    """Begin, run, inspect and deploy a PolyMicro app.

    \b
    The app is named in pyproject.toml:
      [tool.polymicro]
      app = "handlers.todo:pm"
      authorizer = "handlers.authorizer:handler"

    Exit codes: 0 done, 1 it cannot be done, 2 the command line is not one.

    \b
    Example:
      polymicro serve --as alice:administrator
    """


for command in (build, completion, events, invoke, new, openapi, routes, seed, serve, shell, template, token):
    polymicro.add_command(command)
