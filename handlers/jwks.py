"""Public keys for the authorizer: a JSON Web Key Set (RFC 7517) at ``JWT_JWKS_URL``, or itself in ``JWT_JWKS``.

For tokens that an identity provider signs. It takes ``pyjwt[crypto]>=2.14``, whose client follows no redirects.
"""

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import jwt

USUAL = "RS256 ES256"
POSSIBLE = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
KEPT = 600
"""Seconds that keys count: so long does one that the provider withdraws still open."""
PAUSE = 30
"""Seconds from one request for the keys to the next, and so until a new key counts."""
TIMEOUT = 3
"""Seconds to wait for the provider; the authorizer's own time is 5 (``template.yaml``)."""


@dataclass(slots=True)
class Keys:
    """Keys by their id. They are read again when they are old, and for an id that is not among them.

    Neither tokens with made-up ids nor a provider that is down make for more than one reading in ``PAUSE``: of the
    two PyJWT's own cache sees to the first alone. Times are of the wall clock, which goes on in a frozen Lambda.
    """

    source: Callable[[], Any]
    known: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    read_at: float = -math.inf
    tried_at: float = -math.inf

    def find(self, kid: str) -> jwt.PyJWK:
        """The key of this id. Raises as the function ``find`` does."""
        now = time.time()
        if now - self.tried_at >= PAUSE and (kid not in self.known or now - self.read_at >= KEPT):
            self.tried_at = now
            self.known, self.read_at = self.read(), now
        if now - self.read_at >= KEPT:
            raise RuntimeError(f"The public keys could not be read; {PAUSE} s after that try is the next.")
        if kid not in self.known:
            raise jwt.PyJWKClientError("The token names no key that is known.")
        return self.known[kid]

    def read(self) -> dict[str, jwt.PyJWK]:
        """The keys for signatures, by their id; what PyJWT cannot use is left out. Raises ``RuntimeError``."""
        try:
            keys = [key for key in self.source()["keys"] if verifies(key)]
            return {key.key_id: key for key in jwt.PyJWKSet(keys).keys if key.key_id}
        except Exception as error:  # whatever it is, the token is not to blame: no 401
            raise RuntimeError("JWT_JWKS_URL or JWT_JWKS gives no usable keys.") from error


def verifies(key: Mapping[str, Any]) -> bool:
    """Whether the key is for signatures, as one is that does not say what for (RFC 7517, sections 4.2 and 4.3)."""
    return key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ["verify"])


@cache
def keys(url: str, document: str) -> Keys:
    """The keys of this process; the document goes first. Raises ``RuntimeError`` for a URL that is not https."""
    if document:
        return Keys(partial(json.loads, document))
    if not url.startswith("https://"):
        raise RuntimeError("JWT_JWKS_URL must begin with https://.")
    return Keys(jwt.PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT).fetch_data)


def find(kid: str) -> jwt.PyJWK:
    """The key of this id. Raises ``jwt.PyJWKClientError`` if it is unknown, ``RuntimeError`` if all keys are."""
    return keys(os.environ.get("JWT_JWKS_URL", ""), os.environ.get("JWT_JWKS", "")).find(kid)


def algorithms() -> list[str]:
    """``JWT_ALGORITHMS``, with blanks or commas between them.

    Raises ``RuntimeError`` for one that is not ``POSSIBLE``, as HS256, whose secret would be a key that everybody
    knows; and without ``JWT_ISSUER`` and ``JWT_AUDIENCE``, as a provider signs for many apps.
    """
    chosen = (os.environ.get("JWT_ALGORITHMS") or USUAL).replace(",", " ").split()
    if not POSSIBLE.issuperset(chosen):
        raise RuntimeError(f"JWT_ALGORITHMS may name {', '.join(sorted(POSSIBLE))}.")
    missing = [name for name in ("JWT_ISSUER", "JWT_AUDIENCE") if not os.environ.get(name)]
    if missing:
        raise RuntimeError(f"With public keys {' and '.join(missing)} must be set.")
    return chosen
