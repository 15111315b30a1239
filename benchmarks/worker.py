"""A peer in a process of its own, with its own packages: it does what it is told on standard input, line by line.

    python benchmarks/worker.py MODULE

A line is ``[function, arguments]`` in JSON, a function of this file; the answer is a line of JSON. Only the standard
library is imported here.
"""

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time_ns
from typing import Any

PEERS = Path(__file__).parent / "peers"
SAMPLES = 5
"""Apps of one size, of whose times the median counts."""


class Context:
    """Lambda's context of an invocation."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "todo"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:todo"
    log_group_name = log_stream_name = "todo"
    memory_limit_in_mb = "128"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation."""
        return 29_000


class Peer:
    """A peer's handler, and what can be asked of it."""

    def __init__(self, module: str) -> None:
        self.module = import_module(module)
        self.handler: Callable[[Any, Any], Any]
        self.context = Context()

    def make(self, name: str) -> None:
        """Make the handler by a function of the peer's module."""
        self.handler = getattr(self.module, name)()

    def answer(self, event: Any) -> Any:
        """What the handler says."""
        return self.handler(event, self.context)

    def cpu(self, texts: list[str], requests: int, lead: int = 0) -> float:
        """Microseconds of this process's CPU for each request after the first few; each has an event of its own."""
        events = [json.loads(texts[number % len(texts)]) for number in range(lead + requests)]
        handler, context = self.handler, self.context
        gc.collect()
        for event in events[:lead]:
            handler(event, context)
        began = process_time_ns()
        for event in events[lead:]:
            handler(event, context)
        return (process_time_ns() - began) / requests / 1000

    def grown(self, count: int, text: str, requests: int) -> float:
        """The same of an app of many resources."""
        self.handler = self.module.grown(count)
        self.cpu([text], requests)
        if self.answer(json.loads(text))["statusCode"] != 200:
            raise ValueError(f"{self.module.__name__}: the route does not answer")
        return sorted(self.cpu([text], requests) for _ in range(SAMPLES))[SAMPLES // 2]

    def call(self, name: str, *arguments: Any) -> Any:
        """A function of the peer's module."""
        return getattr(self.module, name)(*arguments)

    def stages(self, text: str, requests: int) -> Any:
        """Where the time of a request goes."""
        event = json.loads(text)
        return import_module("stages").stages(lambda: self.answer(event), requests)

    # --- botocore ----------------------------------------------------------------------------------------

    def cut(self, texts: list[str]) -> None:
        """From now on botocore is not called: each operation answers what it does now, to these events."""
        from botocore.client import BaseClient  # noqa: PLC0415 - every peer has one, this file needs none

        known: dict[str, Any] = {}
        call = BaseClient._make_api_call

        def noting(client: Any, operation: str, parameters: Any) -> Any:
            known[operation] = call(client, operation, parameters)
            return known[operation]

        BaseClient._make_api_call = noting
        for text in texts:
            self.answer(json.loads(text))
        BaseClient._make_api_call = lambda _, operation, __: known[operation]

    def calls(self, event: Any) -> list[tuple[str, float]]:
        """The calls of DynamoDB that a request makes, and what each consumes."""
        from botocore.client import BaseClient  # noqa: PLC0415 - as above

        seen: list[tuple[str, float]] = []
        call = BaseClient._make_api_call

        def noting(client: Any, operation: str, parameters: Any) -> Any:
            found = call(client, operation, {**parameters, "ReturnConsumedCapacity": "TOTAL"})
            seen.append((operation, found["ConsumedCapacity"]["CapacityUnits"]))
            return found

        BaseClient._make_api_call = noting
        try:
            self.answer(event)
        finally:
            BaseClient._make_api_call = call
        return seen


def main() -> None:
    """Do what comes, until nothing does."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a peer prints goes elsewhere
    sys.path.insert(0, str(PEERS))
    peer = Peer(sys.argv[1])
    for line in sys.stdin:
        name, arguments = json.loads(line)
        answers.write(json.dumps(getattr(peer, name)(*arguments)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
