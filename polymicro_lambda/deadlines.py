"""The seconds that an invocation has left: nothing begins that they do not allow.

They travel in a context variable, as a permission of the app's own that reads something has no other way to know them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def within(context: Any) -> Iterator[None]:
    """What happens inside is of this invocation."""
    token = _left.set(left_of(context))
    try:
        yield
    finally:
        _left.reset(token)
