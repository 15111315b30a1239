"""What stands in a table in place of a user, a key or a request: two can be told apart, neither can be guessed."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Digester:
    """Makes digests of values; ``key`` keeps who can read the table from trying what they are of."""

    key: bytes = b""

    @classmethod
    def of(cls, secret: str, purpose: str) -> "Digester":
        """The digester of an app, by its secret; an empty one digests without a key. No two purposes share digests."""
        return cls(
            hashlib.sha256(f"polymicro_lambda.{purpose}:{secret}".encode()).digest() if secret else b""
        )

    def __call__(self, value: Any) -> str:
        """43 letters of base64url, from a value that JSON can say."""
        # Members in any order, and numbers that no float holds as texts.
        text = json.dumps(value, sort_keys=True, default=str).encode()
        # BLAKE2 with a key is a MAC (RFC 7693, section 1).
        digest = hashlib.blake2b(text, digest_size=32, key=self.key).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
