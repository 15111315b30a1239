"""Lambda's context object for tests, and a clock that a test moves."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .event_forms import ACCOUNT, REGION


class FakeClock:
    """A clock that stands still until a test moves it: ``clock()`` is its time in seconds, 0 at first."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises ``ValueError`` for less than 0: time does not go back."""
        if seconds < 0:
            raise ValueError(f"A clock does not go back, as advance({seconds}) would.")
        self.now += seconds


@dataclass(slots=True, kw_only=True)
class FakeContext:
    """Lambda's context object; ``deadline`` is the second of ``clock`` at which the invocation would end."""

    aws_request_id: str = "11111111-1111-4111-8111-111111111111"
    function_name: str = "api"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:api"
    timeout: float = 29.0  # API Gateway's default limit, in seconds
    clock: Callable[[], float] = time.monotonic
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = self.clock() + self.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline, never below 0."""
        return max(0, round((self.deadline - self.clock()) * 1000))
