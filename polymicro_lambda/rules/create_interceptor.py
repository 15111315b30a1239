"""Who takes part in the creates of a request."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pynamodb.models import Model

from polymicro_lambda.types import RawItem


class CreateInterceptor(Protocol):
    """Takes part in the creates of a request: an idempotent request creates once, a bulk create gathers its items."""

    def create(self, creation: Any) -> RawItem:
        """The new item of a ``Creation``, or the item that an earlier try of the same request created."""

    def changes(self, model: type[Model]) -> None:
        """Called before an item of this model is changed or deleted. Raises where this request cannot do that."""

    def shows(self, instance: Model) -> None:
        """Called with each item that the answer shows."""

    @property
    def resumes(self) -> bool:
        """Whether an earlier try of the request has written: then what the verb requires did hold."""

    def begin_transaction(self) -> None:
        """Called where a transaction begins. Raises where the request can have none."""

    def done_before(self, digest: str, creations: Any) -> Sequence[RawItem] | None:
        """What an earlier try of the request has created by this very transaction, None where it has not done it."""

    def transact(self, digest: str, creations: Any, write: Callable[[Any], None]) -> None:
        """Let ``write`` do a transaction with these creations, and with a part of the interceptor's own."""
