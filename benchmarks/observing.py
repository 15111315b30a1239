"""What observability costs: CPU microseconds of a GET and a LIST with each part on and off, and its import.

    python benchmarks/observing.py [--rounds 30] [--requests 40]

The variants take turns, round by round, in one process, each as an app of its own over the same model; medians over
the rounds. Botocore does all its work but the network: an answer made here comes in place of DynamoDB's. What is
logged goes to /dev/null, traces by UDP to a port where nobody listens. Imports are timed in processes of their own.
"""

import argparse
import contextlib
import json
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from statistics import median
from time import process_time
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import List, ModelResource, OwnedBy, PolyMicro, Retrieve, User
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.testing import FakeContext, make_event

PARTS = ("Logger", "Metrics", "Tracer")
ITEM = {"owner": {"S": "alice"}, "uuid": {"S": "1"}, "text": {"S": "milk"}, "done": {"BOOL": False}}
UNITS = {"TableName": "todos", "CapacityUnits": 1.0}
ANSWERS = {
    "GetItem": {"Item": ITEM, "ConsumedCapacity": UNITS},
    "Query": {"Items": [ITEM | {"uuid": {"S": str(n)}} for n in range(25)], "ConsumedCapacity": UNITS},
}


class Todo(Model):
    """A todo."""

    class Meta:
        """Where it is."""

        table_name = "todos"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)


class TodoResource(ModelResource, List, Retrieve):
    """Its API."""

    model = Todo
    route = "todo"
    permissions = OwnedBy("owner")


class Body:
    """What botocore reads a body from."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> list[bytes]:
        """The whole."""
        return [self.content]


def answered(request: AWSRequest, **_: Any) -> AWSResponse:
    """The answer of a DynamoDB that has these items."""
    operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
    return AWSResponse(request.url, 200, {}, Body(json.dumps(ANSWERS[operation]).encode()))


def variants() -> Mapping[str, dict[str, Any]]:
    """Name -> the arguments of ``PolyMicro``."""
    from aws_lambda_powertools import Logger, Metrics, Tracer  # noqa: PLC0415 - after the environment is set
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415 - as above
    from aws_xray_sdk.core.context import Context  # noqa: PLC0415 - as above

    standard = logging.getLogger("benchmark")
    standard.addHandler(logging.StreamHandler(open(os.devnull, "w", encoding="utf-8")))  # noqa: PTH123, SIM115
    standard.setLevel(logging.INFO)
    standard.propagate = False
    logger = Logger(service="todo", stream=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    tracer = Tracer(service="todo", disabled=False, auto_patch=False)
    xray_recorder.configure(context=Context(), sampling=False)
    xray_recorder.begin_segment("lambda")
    metrics = Metrics(namespace="Todo", service="todo")
    return {
        "off": {},
        "standard logger": {"logger": standard},
        "logger": {"logger": logger},
        "metrics": {"metrics": metrics},
        "tracer": {"tracer": tracer},
        "all three": {"logger": logger, "metrics": metrics, "tracer": tracer},
    }


def app(**arguments: Any) -> Callable[[Any, Any], Any]:
    """The handler of an app."""
    pm = PolyMicro(cursor_secret="benchmark", **arguments)  # noqa: S106 - it guards nothing
    TodoResource(pm)
    return pm.compile()


def micros(handler: Callable[[Any, Any], Any], event: Any, requests: int) -> float:
    """CPU microseconds of a request."""
    context = FakeContext(timeout=1e9)
    began = process_time()
    for _ in range(requests):
        handler(event, context)
    return (process_time() - began) / requests * 1e6


def imports(part: str) -> float:
    """Milliseconds of CPU that the import of a part of Powertools takes, after this package."""
    code = (
        "import time, polymicro_lambda; began = time.process_time(); "
        f"from aws_lambda_powertools import {part}; "
        + ("import aws_xray_sdk.core; " if part == "Tracer" else "")
        + "print((time.process_time() - began) * 1000)"
    )
    runs = (subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(7))  # noqa: S603
    return median(map(float, runs))


def main() -> None:
    """Print a table for the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    connect(Todo).client.meta.events.register_first("before-send.dynamodb", answered)
    handlers = {name: app(**arguments) for name, arguments in variants().items()}
    user = User("alice")
    events = {"GET": make_event("GET", "/todo/1", user=user), "LIST": make_event("GET", "/todo", user=user)}
    spent: dict[tuple[str, str], list[float]] = {(n, verb): [] for n in handlers for verb in events}
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        for _ in range(options.rounds):
            for (name, verb), times in spent.items():
                times.append(micros(handlers[name], events[verb], options.requests))
    lines = [f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"]
    lines += ["| on | GET, µs | LIST of 25, µs |", "| --- | --- | --- |"]
    for name in handlers:
        lines.append(
            f"| {name} | " + " | ".join(f"{median(spent[name, verb]):.0f}" for verb in events) + " |"
        )
    lines += [f"import {part}: {imports(part):.0f} ms" for part in PARTS]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
