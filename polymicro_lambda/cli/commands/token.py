"""The command `polymicro token`."""

import os

import click

from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.project import UsageError, load_object, search_hint, set_defaults, traceback_of

from .options import current_project


@click.command()
@click.argument("user", metavar="NAME[:PERMISSION,…]")
def token(user: str) -> None:
    """Print a bearer token that the project's authorizer accepts for an hour.

    Its module makes it, by its function token(uuid, permissions). What has an equals sign is a claim, of which it
    gets those that there are as claims: alice:member,tenant=acme.

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
        claims = {"claims": owner.claims} if owner.claims else {}
        click.echo(make_token(owner.uuid, tuple(sorted(owner.permissions)), **claims))
    except Exception as error:
        raise UsageError(f"The token cannot be made:\n\n{traceback_of(error)}") from error
