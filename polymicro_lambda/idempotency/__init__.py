"""Requests with an ``Idempotency-Key``: done once, and answered again with the same response.

In comes a request and the verb's call; out goes the verb's response, or the stored one of an earlier try. Open

- ``settings`` for ``Idempotency``, which an app declares;
- ``keys`` for the header, and what a key is bound to;
- ``records`` for what is stored for a key: lock, new items, response;
- ``requests`` for one try of a request: it locks, creates its items once, completes;
- ``replay`` for the stored response, and whether its user may still have that.
"""

from .keys import KEY_PATTERN, NO_KEYS, IdempotencyKeys
from .records import record_entry
from .replay import REPLAYED, check_replay, key_of_path, may_have
from .requests import IdempotentRequest
from .settings import Idempotency

__all__ = [
    "KEY_PATTERN",
    "NO_KEYS",
    "REPLAYED",
    "Idempotency",
    "IdempotencyKeys",
    "IdempotentRequest",
    "check_replay",
    "key_of_path",
    "may_have",
    "record_entry",
]
