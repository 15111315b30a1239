"""The command `polymicro token`."""

import os

import click

from polymicro_lambda.cli.user_option import GROUPS, parse_user
from polymicro_lambda.project import UsageError, load_object, search_hint, set_defaults, traceback_of

from .options import current_project


@click.command()
@click.argument("user", metavar="NAME[:PERMISSION,…]")
def token(user: str) -> None:
    """Print a bearer token that the project's authorizer accepts for an hour.

    Its module makes it, by its function token(uuid, permissions). A part with an equals sign is a claim, or a group:
    alice:member,groups=staff,tenant=acme. The function gets claims and groups by these names where there are any.

    \b
    Example:
      curl -H "Authorization: Bearer $(polymicro token alice:administrator)" http://127.0.0.1:3000/todo
    """
    project = current_project()
    if project.authorizer is None:
        raise UsageError(
            f"No authorizer is configured. {search_hint()}, or name it as authorizer in [tool.polymicro] there."
        )
    set_defaults(os.environ)
    make_token = load_object(f"{project.authorizer.partition(':')[0]}:token")
    owner = parse_user(user)
    try:
        claims = {name: value for name, value in owner.claims.items() if name not in GROUPS}
        more = {"claims": claims, "groups": tuple(sorted(owner.groups))}
        given = {name: value for name, value in more.items() if value}
        click.echo(make_token(owner.uuid, tuple(sorted(owner.permissions)), **given))
    except Exception as error:
        raise UsageError(f"The token cannot be made:\n\n{traceback_of(error)}") from error
