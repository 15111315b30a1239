"""What `polymicro serve` tells at its start: who you are, the routes, and a curl session to paste."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from polymicro_lambda import permissions
from polymicro_lambda.cli.route_table import columns
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import AllOf, AnyOf, Rule

from .curl_session import curl_session

EXAMPLE_USER = "alice:administrator,therapist"
"""Who can use the README's example: told of where a permission is the app's own, which may ask for anything."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server process is to do; goes to it as JSON.

    ``app`` and ``authorizer`` are ``module:name``, ``user`` is ``NAME[:PERMISSION,…]``; ``engine`` names the
    engine in words; ``listener`` and ``lifeline`` are file descriptors; ``reloaded`` is False the first time.
    """

    app: str | None
    authorizer: str | None
    user: str | None
    source: str
    root: str
    host: str
    port: int
    engine: str = ""
    listener: int = -1
    lifeline: int = -1
    reloaded: bool = False


def announce(console: Console, settings: Settings, routes: Sequence[Route]) -> None:
    """Say at the start all there is to know, after a reload only that it is done."""
    if settings.reloaded:
        _say(console, f"Serving {len(routes)} routes.\n", style="green")
        return
    address = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
    _say(console, f"\nServing on {address}", style="bold green")
    _say(console, f"Events as from: {settings.source}. Data in: {settings.engine}.\n")
    text, style = identity(settings, example_user(routes))
    _say(console, f"{text}\n", style=style)
    for line in route_lines(routes):
        _say(console, f"  {line}")
    session = curl_session(routes, address, token=token_command(settings, example_user(routes)))
    if session:
        _say(console, "\nPaste this into another terminal:\n", style="bold")
        _say(console, "\n".join(session))
    _say(console, "\nCtrl-C stops; a change of the code loads it again.\n", style="dim")


def example_user(routes: Iterable[Route]) -> str:
    """A user whom the rules let in, as far as they say what they ask for: ``NAME[:PERMISSION,…]``."""
    rules = [route.rule for route in routes]
    asked = list(dict.fromkeys(name for rule in rules for name in _permissions(rule)))
    if not asked and any(
        type(leaf).__module__ != permissions.__name__ for rule in rules for leaf in rule.leaves()
    ):
        return EXAMPLE_USER
    return f"alice:{','.join(asked)}" if asked else "alice"


def _permissions(rule: Rule) -> list[str]:
    """The fewest permissions that a rule asks a user for."""
    if isinstance(rule, AnyOf):
        return min(map(_permissions, rule.parts), key=len)
    if isinstance(rule, AllOf):
        return [name for part in rule.parts for name in _permissions(part)]
    return [rule.name] if isinstance(rule, permissions.HasPermission) else []


def token_command(settings: Settings, user: str) -> str | None:
    """What prints a token in any terminal, wherever it is and whatever its PATH; None where none is needed."""
    if settings.user is not None or settings.authorizer is None:
        return None
    script = Path(sys.executable).with_name("polymicro")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "polymicro_lambda.cli"]
    return f"cd {shlex.quote(settings.root)} && {shlex.join([*program, 'token', user])}"


def _say(console: Console, text: str, style: str | None = None) -> None:
    """Print as it is: no markup, and no line folded, so that it can be pasted."""
    console.print(text, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def identity(settings: Settings, user: str) -> tuple[str, str]:
    """Who makes the requests, in words, and the style to say it in; ``user`` is one to make a token for."""
    if settings.user is not None:
        return (
            f"*** EVERY REQUEST IS MADE AS {settings.user}. No token is asked for (--as). ***",
            "bold white on red",
        )
    if settings.authorizer is not None:
        return (
            f"Requests need a bearer token that {settings.authorizer} accepts. Make one:\n\n"
            f"    {token_command(settings, user)}",
            "yellow",
        )
    return (
        "No authorizer is configured: requests have no user. Give one by --as NAME[:PERMISSION,…].",
        "yellow",
    )


def route_lines(routes: Iterable[Route]) -> list[str]:
    """A line for each route: HTTP verb, path, the verb's name; in columns."""
    return columns((route.http, route.template, route.verb) for route in routes)
