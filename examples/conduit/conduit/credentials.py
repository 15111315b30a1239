"""Passwords, kept as salted hashes, and tokens (JWT) that say who has logged in."""

import hashlib
import hmac
import os
import re
import time
from secrets import token_bytes

import jwt

from polymicro_lambda import User

DAY = 86_400
"""Seconds."""
SCHEME = re.compile(r"(?:token|bearer) +(\S+)", re.IGNORECASE)
"""What stands in the header ``Authorization``: RealWorld's scheme is ``Token``."""


def password_hash(password, salt=None):
    """Salt and hash of a password, as hexadecimal text."""
    salt = token_bytes(16) if salt is None else salt
    return f"{salt.hex()}-{hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()}"


NO_HASH = "00"
"""Nobody's: what an unknown user's password is compared with, so that it takes as long."""


def is_password(password, stored):
    """Whether a hash is of this password."""
    salt = bytes.fromhex(stored.partition("-")[0])
    return hmac.compare_digest(password_hash(password, salt), stored)


def token_of(user_id):
    """A token by which a user is known for 30 days."""
    return jwt.encode({"sub": user_id, "exp": int(time.time()) + 30 * DAY}, os.environ["JWT_SECRET"], "HS256")


def request_user(request):
    """Who makes a request: the user of the token in its header, None without a good one.

    Without a header it is whom ``polymicro serve --as`` names; behind API Gateway nobody.
    """
    found = SCHEME.fullmatch(request.headers.get("authorization", ""))
    if not found:
        return request.user
    wanted = {"require": ["sub", "exp"], "enforce_minimum_key_length": True}
    try:
        return User(jwt.decode(found[1], os.environ["JWT_SECRET"], ["HS256"], wanted)["sub"])
    except jwt.InvalidTokenError:
        return None
