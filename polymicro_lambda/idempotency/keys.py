"""The ``Idempotency-Key`` of a request: read and checked, then bound to user, route and path.

The header is that of draft-ietf-httpapi-idempotency-key-header-07.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from polymicro_lambda.dynamodb import Digester
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import Request
from polymicro_lambda.routing import Route

from .records import IdempotencyRecord
from .requests import IdempotentRequest

HEADER = "idempotency-key"
NOT_IDEMPOTENT = frozenset({"POST", "PATCH"})
"""The HTTP verbs that a repetition would do twice (RFC 9110, section 9.2.2)."""
# The draft's string in quotes, or bare as most clients send it; no commas, which join several headers.
KEY_PATTERN = r'^("[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x2b\x2d-\x7e]{1,255})$'
_KEY = re.compile(KEY_PATTERN)


@dataclass(frozen=True, slots=True)
class IdempotencyKeys:
    """Reads the keys of an app's requests."""

    digest: Digester = field(default_factory=Digester)
    expires_after: int | None = None
    """In seconds; None where the app keeps no records."""
    logger: Any = None

    @classmethod
    def of(cls, secret: str, expires_after: int, logger: Any) -> "IdempotencyKeys":
        """The reader of an app whose records have ids made with this secret."""
        return cls(Digester.of(secret, "idempotency"), expires_after, logger)

    def request(
        self, route: Route, request: Request, user_id: Callable[[Any], str], body: Any
    ) -> IdempotentRequest | None:
        """The idempotent request, its record bound to user, route, path and key; None without a key.

        Raises ``BadRequest`` for a key that is missing, malformed, or sent where none is taken.
        """
        if self.expires_after is None:
            return None
        required = route.resource.require_idempotency_key
        key = read_key(request, taken=route.idempotency_table is not None, required=required)
        if key is None or route.idempotency_table is None:
            return None
        bound = [user_id(request.user), route.http, route.template, list(request.path_params.values()), key]
        content = [body, sorted((name, list(values)) for name, values in request.query.items())]
        record = IdempotencyRecord(
            route.idempotency_table, self.digest(bound), self.digest(content), self.expires_after, self.logger
        )
        return IdempotentRequest(record)


NO_KEYS = IdempotencyKeys()
"""For an app that keeps no records."""


def read_key(request: Request, *, taken: bool, required: bool) -> str | None:
    """The key of a request, None where there is none. Raises ``BadRequest``.

    Where the operation takes none, a POST or PATCH that brings one is refused: its client relies on it.
    """
    text = request.headers.get(HEADER)
    if not taken:
        if text is not None and request.method in NOT_IDEMPOTENT:
            raise BadRequest("This operation takes no Idempotency-Key: send it without.")
        return None
    if text is None:
        if required:
            raise BadRequest(
                "Send an Idempotency-Key, such as a new UUID, and the same one with each repetition of this request."
            )
        return None
    match = _KEY.fullmatch(text)
    if match is None:
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 visible ASCII characters, in double quotes or bare, without a comma."
        )
    return text.strip('"')
