"""The text of `polymicro serve` at its start: your user, the routes, and a curl session to paste."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from polymicro_lambda.cli.route_table import columns
from polymicro_lambda.permissions import Claim, HasPermission, InGroup, OwnedBy, Permission, Through
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import AllOf, AnyOf, Rule

from .curl_session import curl_session
from .settings import ServeSettings

EXAMPLE_USER = "alice:administrator,therapist"
"""A user of the README's example, for an app whose own permission may ask for anything."""
CLAIM = "acme"
"""The value of a claim that rules compare with."""


def announce(console: Console, settings: ServeSettings, routes: Sequence[Route]) -> None:
    """Print the whole text at the start, one line after a reload."""
    if settings.reloaded:
        _print(console, f"Serving {len(routes)} routes.\n", style="green")
        return
    address = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
    _print(console, f"\nServing on {address}", style="bold green")
    _print(console, f"Events as from: {settings.source}. Data in: {settings.engine}.\n")
    text, style = identity(settings, example_user(routes))
    _print(console, f"{text}\n", style=style)
    for line in route_lines(routes):
        _print(console, f"  {line}")
    session = curl_session(routes, address, token=token_command(settings, example_user(routes)))
    if session:
        _print(console, "\nPaste this into another terminal:\n", style="bold")
        _print(console, "\n".join(session))
    _print(console, "\nCtrl-C stops; a change of the code loads it again.\n", style="dim")


def example_user(routes: Iterable[Route]) -> str:
    """A user with the permissions that the rules name: ``NAME[:PERMISSION,…]``."""
    rules = [route.rule for route in routes]
    names = list(dict.fromkeys(name for rule in rules for name in _asked_for(rule)))
    if not names and any(
        isinstance(leaf, Permission) and _is_own(leaf) for rule in rules for leaf in rule.leaves()
    ):
        return EXAMPLE_USER
    return f"alice:{','.join(names)}" if names else "alice"


def _is_own(leaf: Permission) -> bool:
    """Whether it is a class of the app's own, which may ask for anything."""
    return not type(leaf).__module__.startswith("polymicro_lambda.")


def _asked_for(rule: Rule) -> list[str]:
    """The fewest permissions, groups and claims that a rule asks a user for."""
    if isinstance(rule, AnyOf):
        return min(map(_asked_for, rule.parts), key=len)
    if isinstance(rule, AllOf):
        return [name for part in rule.parts for name in _asked_for(part)]
    if isinstance(rule, HasPermission):
        return [rule.name]
    if isinstance(rule, InGroup):
        return [f"groups={rule.name}"]
    return [f"{name}={CLAIM}" for name in _claims(rule) if name not in _OF_EVERY_USER]


def _claims(rule: Rule) -> list[str]:
    """The claims that a rule compares attributes with."""
    if isinstance(rule, OwnedBy):
        return [rule.claim]
    parts = rule.key.values() if isinstance(rule, Through) else ()
    return [part.name for part in parts if isinstance(part, Claim)]


_OF_EVERY_USER = frozenset({"uuid", "permissions", "groups"})


def token_command(settings: ServeSettings, user: str) -> str | None:
    """The command that prints a token, in any directory and with any PATH; None where no token is needed."""
    if settings.user is not None or settings.authorizer is None:
        return None
    script = Path(sys.executable).with_name("polymicro")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "polymicro_lambda.cli"]
    return f"cd {shlex.quote(settings.root)} && {shlex.join([*program, 'token', user])}"


def _print(console: Console, text: str, style: str | None = None) -> None:
    """Print the text without markup and without folding a line, so that it can be pasted."""
    console.print(text, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def identity(settings: ServeSettings, user: str) -> tuple[str, str]:
    """The user of the requests, in words, and the style of the text; ``user`` is an example to make a token for."""
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
        "No authorizer is configured: requests have no user, unless the app itself finds one. Give one by --as"
        " NAME[:PERMISSION,…].",
        "yellow",
    )


def route_lines(routes: Iterable[Route]) -> list[str]:
    """A line for each route: HTTP verb, path, the verb's name; in columns."""
    return columns((route.http, route.template, route.verb) for route in routes)
