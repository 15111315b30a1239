"""The parts of an app that every request is served with; one set for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.idempotency import NO_KEYS, IdempotencyKeys
from polymicro_lambda.items import UNKEYED, Tagger
from polymicro_lambda.lists import Cursors


@dataclass(frozen=True, slots=True)
class Services:
    """What seals cursors, names users, makes entity tags and keeps ``Idempotency-Key``s."""

    cursors: Cursors
    user_id: Callable[[Any], str]
    """Gives what a cursor, a key for a request and a quota are bound to."""
    tagger: Tagger = UNKEYED
    idempotency_keys: IdempotencyKeys = NO_KEYS
