"""The user who is named on the command line, as by ``--as``."""

from polymicro_lambda.http import User
from polymicro_lambda.project import UsageError


def parse_user(text: str) -> User:
    """The user of ``NAME[:PERMISSION,CLAIM=VALUE,…]``, such as ``alice:administrator,tenant=acme``.

    Raises ``UsageError`` for an empty name.
    """
    name, _, rest = text.partition(":")
    if not name.strip():
        raise UsageError(f"{text!r} names nobody. Write NAME or NAME:PERMISSION,PERMISSION,CLAIM=VALUE.")
    parts = [part.strip() for part in rest.split(",")]
    claims = dict(part.split("=", 1) for part in parts if "=" in part)
    return User(name.strip(), frozenset(part for part in parts if part and "=" not in part), claims=claims)
