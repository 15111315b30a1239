"""Digests that a table holds in place of users, keys and requests: equal for equal values, and not to be guessed."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Digester:
    """Makes digests of values; with a ``key``, a reader of the table cannot find a value by trying many."""

    key: bytes = b""

    @classmethod
    def of(cls, secret: str, purpose: str) -> "Digester":
        """The digester of an app by its secret, empty for none, and for a purpose: no two purposes share digests."""
        return cls(
            hashlib.sha256(f"polymicro_lambda.{purpose}:{secret}".encode()).digest() if secret else b""
        )

    def __call__(self, value: Any) -> str:
        """43 letters of base64url, from a value that JSON can hold.

        Members count in any order; ``Decimal`` counts as text.
        """
        text = json.dumps(value, sort_keys=True, default=str).encode()
        # BLAKE2 with a key is a MAC (RFC 7693, section 1).
        digest = hashlib.blake2b(text, digest_size=32, key=self.key).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
