"""The options that a template remembers, in its first line: a new run needs only those that change."""

import shlex
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from polymicro_lambda.project import UsageError

FIRST_LINE = "# polymicro template"
"""The beginning of the line that keeps the options."""
NOT_KEPT = ("out", "check", "limits", "staged", "app")
"""The options of one run alone."""


def options_of_run(ctx: click.Context, text: str) -> dict[str, Any]:
    """The options: as given now, else as the template's ``text`` remembers them, else by default.

    Raises ``UsageError`` where the line in the text cannot be read.
    """
    line = next((line for line in text.splitlines() if line.startswith(FIRST_LINE)), FIRST_LINE)
    try:
        known = ctx.command.make_context("template", shlex.split(line.removeprefix(FIRST_LINE))).params
    except (click.UsageError, ValueError) as error:
        raise UsageError(f"The line {line!r} of the template cannot be read: {error}.") from error
    kept = [str(option.name) for option in _kept(ctx.command)]
    given = {name for name in kept if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    return {name: (ctx.params if name in given else known)[name] for name in kept}


def with_options(text: str, command: click.Command, options: Mapping[str, Any]) -> str:
    """The text whose line of options has those that are not the default."""
    changed = [_as_arguments(option, options[str(option.name)]) for option in _kept(command)]
    line = " ".join([FIRST_LINE, *filter(None, changed)])
    lines = text.splitlines()
    at = next((number for number, one in enumerate(lines) if one.startswith(FIRST_LINE)), None)
    lines[0 if at is None else at : 0 if at is None else at + 1] = [line]
    return "\n".join(lines) + "\n"


def _kept(command: click.Command) -> list[click.Parameter]:
    return [option for option in command.params if option.name not in NOT_KEPT]


def _as_arguments(option: click.Parameter, value: Any) -> str:
    if value in (None, option.default):
        return ""
    if isinstance(value, bool):
        return option.opts[0] if value else option.secondary_opts[0]
    return shlex.join([option.opts[0], str(value)])
