"""Idempotency."""

from .keys import KEY, NO_KEYS, IdempotencyKeys
from .records import record_entry
from .replay import check_replay, key_of_path
from .requests import IdempotentRequest
from .settings import Idempotency

__all__ = [
    "KEY",
    "NO_KEYS",
    "Idempotency",
    "IdempotencyKeys",
    "IdempotentRequest",
    "check_replay",
    "key_of_path",
    "record_entry",
]
