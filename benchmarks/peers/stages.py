"""Where the CPU of a request goes: the clock is read where it passes from one stage to the next."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from time import process_time_ns
from typing import Any

from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.parsers import ResponseParser
from botocore.regions import EndpointRulesetResolver
from botocore.signers import RequestSigner

BOTOCORE = (
    (BaseClient, "_make_api_call", "botocore: parameters, serialising, events, retries"),
    (EndpointRulesetResolver, "construct_endpoint", "botocore: endpoint rules"),
    (RequestSigner, "sign", "botocore: signature"),
    (Endpoint, "_do_get_response", "botocore, urllib3, socket: send and receive"),
    (ResponseParser, "parse", "botocore: parse the answer"),
)
"""A class and its method -> the stage that is spent in it, less what other stages in it take."""
PHASES = {
    "read": "event to request",
    "route": "path to route",
    "permit": "user and rule",
    "load": "body, query, guard",
    "fetch": "key, call, instance, rule on it",
    "verb": "verb: call, instances, rules on them",
    "dump": "dump, tag, response",
}
"""A phase of ours -> the stage."""


class Clock:
    """Adds up what each stage takes."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.open = ["handler"]
        self.last = process_time_ns()

    def mark(self) -> None:
        """What has passed is of the stage that is open."""
        now = process_time_ns()
        stage = self.open[-1]
        self.spent[stage] = self.spent.get(stage, 0) + now - self.last
        self.last = process_time_ns()

    def phase(self, name: str) -> None:
        """What follows is of another stage of ours."""
        self.mark()
        self.open[0] = PHASES[name]

    @contextmanager
    def watching(self, owner: type, name: str, stage: str) -> Iterator[None]:
        """What happens in a method is of this stage."""
        real = getattr(owner, name)

        @wraps(real)
        def watched(*arguments: Any, **named: Any) -> Any:
            self.mark()
            self.open.append(stage)
            try:
                return real(*arguments, **named)
            finally:
                self.mark()
                self.open.pop()

        setattr(owner, name, watched)
        try:
            yield
        finally:
            setattr(owner, name, real)

    @contextmanager
    def following(self) -> Iterator[None]:
        """The phases of ours, where this package is."""
        observing = sys.modules.get("polymicro_lambda.observability.observation")
        if observing is None:
            yield
            return
        kind = observing.Observation

        def setting(seen: Any, name: str, value: Any) -> None:
            if name == "phase":
                self.phase(value)
            object.__setattr__(seen, name, value)

        kind.__setattr__ = setting
        try:
            yield
        finally:
            del kind.__setattr__


def stages(ask: Callable[[], Any], requests: int) -> dict[str, float]:
    """CPU microseconds of a request by stage, in the order in which they end."""
    clock = Clock()
    with ExitStack() as stack:
        stack.enter_context(clock.following())
        for owner, name, stage in BOTOCORE:
            stack.enter_context(clock.watching(owner, name, stage))
        for _ in range(requests):
            clock.open = [PHASES["read"] if "polymicro_lambda" in sys.modules else "handler"]
            clock.last = process_time_ns()
            ask()
            clock.mark()
    return {stage: spent / requests / 1000 for stage, spent in clock.spent.items()}
