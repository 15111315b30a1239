"""`Idempotency`: where an app keeps its records of requests with an ``Idempotency-Key``, and for how long."""

from dataclasses import dataclass
from functools import cached_property

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_table, own_table_model
from polymicro_lambda.exceptions import ConfigurationError

__all__ = ["Idempotency"]


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """Where the app keeps its records, one for each ``Idempotency-Key``, and for how long.

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
        """The table of the records."""
        return own_table_model("IdempotencyRecord", __name__, self.table)
