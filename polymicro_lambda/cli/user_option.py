"""The user who is named on the command line, as by ``--as``."""

from polymicro_lambda.http import User
from polymicro_lambda.project import UsageError

GROUPS = ("groups", "cognito:groups")
"""The claims that hold groups: one in each, and each as often as there are groups."""


def parse_user(text: str) -> User:
    """The user of ``NAME[:PERMISSION,CLAIM=VALUE,…]``, such as ``alice:administrator,groups=staff,tenant=acme``.

    Raises ``UsageError`` for an empty name.
    """
    name, _, rest = text.partition(":")
    if not name.strip():
        raise UsageError(f"{text!r} names nobody. Write NAME or NAME:PERMISSION,PERMISSION,CLAIM=VALUE.")
    parts = [part.strip() for part in rest.split(",")]
    said = [part.split("=", 1) for part in parts if "=" in part]
    groups = frozenset(value for claim, value in said if claim in GROUPS)
    permissions = frozenset(part for part in parts if part and "=" not in part)
    return User(name.strip(), permissions, groups, claims=dict(said))
