"""What a cold start of the Todo API costs: the artifact of `polymicro build` against what a plain `sam build` ships.

    python benchmarks/init.py [--runs 15] [--python 3.11] [--emulator PATH]

Each run is a container of its own, in turn of one kind and the other, under Amazon's runtime emulator, with the
task folder read-only. It is asked once for a list; a stub in this process answers as DynamoDB. Two times are
taken: the init phase, as the emulator reports it, and all that the first caller waits for.

It needs Docker, the image of scripts/lambda-image, and the emulator, which the SAM CLI brings.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread

from polymicro_lambda.cli.commands.build import read
from polymicro_lambda.deploy.artifact.build import BuildPlan, build
from polymicro_lambda.deploy.artifact.dropped_files import files
from polymicro_lambda.deploy.artifact.target_python import Target

ROOT = Path(__file__).parents[1]
EVENT = ROOT / "events" / "rest-list.json"
MACHINE = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
EMULATOR = "samcli/local/rapid/aws-lambda-rie-" + {"aarch64": "arm64"}.get(MACHINE, MACHINE)
PORT = 9601
PATH = "/2015-03-31/functions/function/invocations"
INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs have in common."""

    image: str
    emulator: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """One cold start, in milliseconds."""

    init: float
    first: float
    """From the first request until its answer, the init phase included."""


class Stub(BaseHTTPRequestHandler):
    """A DynamoDB without items."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a Query."""
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"Items": [], "Count": 0, "ScannedCount": 0}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def dynamodb() -> Iterator[str]:
    """The stub's endpoint, while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def plain(target: Target, requirements: tuple[str, ...], out: Path) -> None:
    """What `sam build` makes of the same handler by itself: sources as pip installs them, no bytecode."""
    target.install(requirements, out)
    for package in ("polymicro_lambda", "handlers"):
        shutil.copytree(ROOT / package, out / package, ignore=shutil.ignore_patterns("__pycache__"))


def command(*arguments: str) -> str:
    """Run a command; what it prints."""
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def compiled_image(python: str) -> str:
    """The image of scripts/lambda-image with its runtime client compiled, as that of AWS is."""
    image, name = command(str(ROOT / "scripts" / "lambda-image"), python), f"polymicro-init:{python}"
    compiler = (
        "--entrypoint",
        f"/var/lang/bin/python{python}",
        image,
        "-m",
        "compileall",
        "-q",
        "/var/runtime",
    )
    container = command("docker", "run", "--detach", *compiler)
    command("docker", "wait", container)
    command("docker", "commit", container, name)
    command("docker", "rm", container)
    return name


def measure(task: Path, setting: Setting) -> Run:
    """Start a container, ask it once, remove it."""
    variables = (part for name, value in setting.environment.items() for part in ("--env", f"{name}={value}"))
    container = command(
        *("docker", "run", "--detach", "--network", "host", *variables),
        *("--volume", f"{task}:/var/task:ro", "--volume", f"{setting.emulator}:/emulator:ro"),
        *("--entrypoint", "/emulator", setting.image, "--log-level", "info"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{PORT}"),
        *("/var/runtime/bootstrap", "handlers.todo.handler"),
    )
    try:
        go_first(int(command("docker", "inspect", "--format", "{{.State.Pid}}", container)))
        status, first = ask()
        log = logged(container)
        if status != 200:
            raise SystemExit(f"The handler answered with {status}:\n{log}")
        return Run(float(INIT.findall(log)[0]), first)
    finally:
        command("docker", "rm", "--force", container)


def logged(container: str) -> str:
    """What the emulator and the function have written."""
    return subprocess.run(  # noqa: S603
        ["docker", "logs", container],  # noqa: S607
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout


def go_first(process: int) -> None:
    """Have other work on this machine wait for the container, where that may be asked for."""
    with suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PGRP, process, -20)


def ask() -> tuple[int, float]:
    """The status of the first request's answer, and the milliseconds until it was there."""
    body = EVENT.read_bytes()
    connection = connected()
    start = time.perf_counter()
    connection.request("POST", PATH, body)
    answer = json.loads(connection.getresponse().read())
    taken = (time.perf_counter() - start) * 1000
    connection.close()
    return answer.get("statusCode", 0), taken


def connected() -> HTTPConnection:
    """A connection to the emulator, once it listens; then it is left in peace for a moment."""
    for _ in range(100):
        connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
        try:
            connection.connect()
        except ConnectionError:
            time.sleep(0.1)
        else:
            time.sleep(0.5)
            return connection
    raise SystemExit("The emulator does not listen.")


def report(kinds: Mapping[str, list[Run]], sizes: Mapping[str, int]) -> Iterator[str]:
    """The medians as a table of Markdown; the ratio is of the last kind to the first."""
    yield "| | unzipped, MB | init, ms (min to max) | first answer, ms (min to max) |"
    yield "| --- | ---: | ---: | ---: |"
    for kind, runs in kinds.items():
        times = (spread([run.init for run in runs]), spread([run.first for run in runs]))
        yield f"| {kind} | {sizes[kind] / 1e6:.1f} | {' | '.join(times)} |"
    before, *_, after = kinds.values()
    ratios = (median(each(r) for r in after) / median(each(r) for r in before) for each in (init, first))
    yield "| ratio | | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |"


def init(run: Run) -> float:
    """The run's init phase."""
    return run.init


def first(run: Run) -> float:
    """What the first caller waited for."""
    return run.first


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def emulator(given: Path | None) -> Path:
    """The emulator's file: that of a SAM CLI in .venv-sam, unless given."""
    found = given or next(iter(ROOT.glob(f".venv-sam/lib/python*/site-packages/{EMULATOR}")), None)
    if found is None or not found.is_file():
        raise SystemExit("There is no emulator: make .venv-sam/.sam, or name one by --emulator.")
    return found.resolve()


def main() -> None:
    """Build both, measure them in turn, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--python", default="3.11")
    parser.add_argument("--emulator", type=Path)
    options = parser.parse_args()
    target = Target.find(options.python, MACHINE)
    requirements = read(ROOT / "pyproject.toml").requirements or ()
    with TemporaryDirectory() as name, dynamodb() as endpoint:
        tasks = {"plain `sam build`": Path(name) / "plain", "`polymicro build`": Path(name) / "artifact"}
        before, after = tasks.values()
        before.mkdir()
        plain(target, requirements, before)
        build(BuildPlan(ROOT, "handlers.todo", requirements, python=options.python, machine=MACHINE), after)
        setting = Setting(compiled_image(options.python), emulator(options.emulator), environment(endpoint))
        runs: dict[str, list[Run]] = {kind: [] for kind in tasks}
        for _ in range(options.runs):
            for kind, task in tasks.items():
                runs[kind].append(measure(task, setting))
        sizes = {kind: sum(file.stat().st_size for file in files(task)) for kind, task in tasks.items()}
    names = ("botocore", "marshmallow", "pynamodb")
    packages = ", ".join(f"{each} {version(each)}" for each in names)
    write(
        f"{datetime.now(UTC):%Y-%m-%d}, Python {options.python}, {MACHINE}, {packages}; {options.runs} runs of each\n"
    )
    for line in report(runs, sizes):
        write(line)


def environment(endpoint: str) -> dict[str, str]:
    """The function's environment, as Lambda and the template make it."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "todo",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "local",
        "POLYMICRO_CURSOR_SECRET": "a secret that is long enough for cursors",
    }


def write(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
