"""What every request of an app is served with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.dispatch.problems import ProblemWording
from polymicro_lambda.idempotency import NO_KEYS, IdempotencyKeys
from polymicro_lambda.items import UNKEYED_TAGGER, EntityTagger
from polymicro_lambda.lists import Cursors


@dataclass(frozen=True, slots=True)
class Services:
    """What seals cursors, names users, makes tags and keeps keys."""

    cursors: Cursors
    user_id: Callable[[Any], str]
    """Gives what a cursor, a key for a request and a quota are bound to."""
    tagger: EntityTagger = UNKEYED_TAGGER
    idempotency_keys: IdempotencyKeys = NO_KEYS
    problem: ProblemWording | None = None
    """What words errors, None for problem documents."""
