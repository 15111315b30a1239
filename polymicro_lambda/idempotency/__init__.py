"""Idempotency."""

from .journals import IdempotentRequest, record_entry
from .markers import NO_KEYS, IdempotencyKeys, check_replay, key_of_path
from .settings import KEY, Idempotency

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
