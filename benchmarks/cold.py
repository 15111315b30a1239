"""What a cold start of the Todo API costs in CPU and memory, against a list written by hand on boto3.

    python benchmarks/cold.py [--runs 21]

Both are installed by pip and compiled, and run in fresh processes of this Python in turn: the Todo API from the
artifact of `polymicro build`, the other from a folder with boto3. A stub in this process answers as DynamoDB. CPU is
of the process alone, from before the handler's import until it is there with its client, and of the first list.
"""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from init import EVENT, MACHINE, ROOT, dynamodb, environment, spread, write

from polymicro_lambda._build_command import read
from polymicro_lambda._target import THIS, Target
from polymicro_lambda.build import Plan, build

BY_HAND = """
import json
import boto3

client = boto3.client("dynamodb")


def handler(event, context):
    owner = event["requestContext"]["authorizer"]["uuid"]
    found = client.query(
        TableName="todos",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": owner}},
        Limit=25,
    )
    items = [{name: next(iter(value.values())) for name, value in item.items()} for item in found["Items"]]
    return {"statusCode": 200, "body": json.dumps({"items": items, "pagination_key": None})}
"""

SCRIPT = r"""
import json, re, sys, time
sys.path.insert(0, sys.argv[1])
event = json.load(open(sys.argv[3]))
before = time.process_time()
from importlib import import_module
handler = import_module(sys.argv[2]).handler
ready = time.process_time()
status = handler(event, None)["statusCode"]
done = time.process_time()
# Not getrusage's, which begins with that of the process that started this one.
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([status, (ready - before) * 1000, (done - ready) * 1000, peak / 1e6]))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One cold start: CPU in milliseconds, memory in MB."""

    init: float
    first: float
    """The first request, after the init phase."""
    peak: float
    """The resident memory at its largest."""


def measure(root: Path, module: str, variables: Mapping[str, str]) -> Run:
    """Import a handler in a fresh process and ask it once."""
    command = [sys.executable, "-I", "-S", "-B", "-c", SCRIPT, str(root), module, str(EVENT)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)  # noqa: S603
    status, *found = json.loads(done.stdout)
    if status != 200:
        raise SystemExit(f"{module} answered with {status}.")
    return Run(*found)


def report(kinds: Mapping[str, list[Run]]) -> Iterator[str]:
    """The medians as a table of Markdown; the ratio is that of the pairs."""
    yield "| | import and compile, ms of CPU | first request, ms of CPU | peak memory, MB |"
    yield "| --- | ---: | ---: | ---: |"
    columns = ("init", "first", "peak")
    for kind, runs in kinds.items():
        yield f"| {kind} | " + " | ".join(spread([getattr(r, name) for r in runs]) for name in columns) + " |"
    pairs = list(zip(*kinds.values(), strict=True))
    ratios = (median(getattr(b, name) / getattr(a, name) for a, b in pairs) for name in columns)
    yield "| ratio | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |"


def main() -> None:
    """Build both, measure them in turn, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    target = Target.find(THIS, MACHINE)
    with TemporaryDirectory() as name, dynamodb() as endpoint:
        hand, ours = Path(name) / "hand", Path(name) / "artifact"
        hand.mkdir()
        target.install(("boto3",), hand)
        (hand / "by_hand.py").write_text(BY_HAND)
        target.compile(hand)
        build(Plan(ROOT, "handlers.todo", read(ROOT / "pyproject.toml").requirements or ()), ours)
        tasks = {"boto3, by hand": (hand, "by_hand"), "the Todo API": (ours, "handlers.todo")}
        found: dict[str, list[Run]] = {kind: [] for kind in tasks}
        for _ in range(runs):
            for kind, (root, module) in tasks.items():
                found[kind].append(measure(root, module, environment(endpoint)))
    write(
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {MACHINE}, boto3 {version('boto3')}"
    )
    write(f"botocore {version('botocore')}; {runs} runs of each in turn\n")
    for line in report(found):
        write(line)


if __name__ == "__main__":
    main()
