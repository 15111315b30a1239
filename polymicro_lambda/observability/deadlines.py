"""The seconds that an invocation has left: no call of DynamoDB begins that would take longer.

They are part of the observation, as code that a permission of the app calls has no other way to know them.
"""

from collections.abc import Callable
from typing import Any

from .observation import current_observation, forever


def seconds_left() -> float:
    """The seconds until Lambda ends the invocation that runs now; infinite outside of one."""
    observation = current_observation()
    return forever() if observation is None else observation.seconds_left()


def seconds_left_of(context: Any) -> Callable[[], float]:
    """A function that gives the seconds until Lambda ends the invocation of this context, else ``forever``."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: remaining() / 1000) if callable(remaining) else forever
