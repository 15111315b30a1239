"""The seconds that an invocation has left: nothing begins that they do not allow.

They travel in a context variable, as a permission of the app's own that reads something has no other way to know them.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


def forever() -> float:
    """Seconds without end."""
    return float("inf")


_left: ContextVar[Callable[[], float]] = ContextVar("polymicro_seconds_left", default=forever)


def seconds_left() -> float:
    """The seconds until Lambda ends the invocation that runs now; forever outside of one."""
    return _left.get()()


def left_of(context: Any) -> Callable[[], float]:
    """What says the seconds until Lambda ends the invocation of this context; forever where that does not say."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: remaining() / 1000) if callable(remaining) else forever


class within:  # noqa: N801 - it is used as a function
    """What happens inside is of the invocation of this context."""

    __slots__ = ("left", "token")

    def __init__(self, context: Any) -> None:
        self.left = left_of(context)

    def __enter__(self) -> None:
        self.token = _left.set(self.left)

    def __exit__(self, *_: object) -> None:
        _left.reset(self.token)
