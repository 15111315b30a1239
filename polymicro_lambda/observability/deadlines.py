"""The seconds that an invocation has left: nothing begins that they do not allow.

They are noted of the request that runs, as a permission of the app's own that reads something has no other way to know
them.
"""

from collections.abc import Callable
from typing import Any

from .observation import current_observation, forever


def seconds_left() -> float:
    """The seconds until Lambda ends the invocation that runs now; forever outside of one."""
    seen = current_observation()
    return forever() if seen is None else seen.seconds_left()


def seconds_left_of(context: Any) -> Callable[[], float]:
    """What says the seconds until Lambda ends the invocation of this context; forever where that does not say."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: remaining() / 1000) if callable(remaining) else forever
