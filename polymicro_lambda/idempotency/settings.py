"""`Idempotency`: that an app keeps what requests with an ``Idempotency-Key`` did, and which verbs take one.

The header is that of draft-ietf-httpapi-idempotency-key-header-07.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_table, own_table_model
from polymicro_lambda.exceptions import BadRequest, ConfigurationError
from polymicro_lambda.http import Request

__all__ = ["Idempotency"]

HEADER = "idempotency-key"
NOT_IDEMPOTENT = frozenset({"POST", "PATCH"})
"""The HTTP verbs that a repetition would do twice (RFC 9110, section 9.2.2)."""
# The draft's string in quotes, or bare as most clients send it; no commas, which join several headers.
KEY = r'^("[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x2b\x2d-\x7e]{1,255})$'
_KEY = re.compile(KEY)


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """Where the app keeps its markers, one for each ``Idempotency-Key``, and for how long.

    ``table`` is the table's name, without the prefix; ``expires_after`` is for how many seconds a key stands for the
    request that it was first sent with. Raises ``ConfigurationError``.
    """

    table: str = "idempotency"
    expires_after: int = 86400

    def __post_init__(self) -> None:
        if type(self.expires_after) is not int or self.expires_after < 1:
            raise ConfigurationError(
                f"Idempotency.expires_after must be an int of at least 1, not {self.expires_after!r}"
            )
        check_table("Idempotency.table", self.table)

    @cached_property
    def model(self) -> type[Model]:
        """The table of the markers."""
        return own_table_model("Marker", __name__, self.table)


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
