"""Who is measured, each in a process with packages of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[1]
OWN = "polymicro"
"""The environment that has this package."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One that answers the same requests."""

    title: str
    environment: str
    module: str
    make: str = "make"
    owner_in_path: bool = False
    """An item is ``/todo/{owner}/{uuid}``."""


RAW = Peer("raw botocore, by hand", "raw", "by_botocore")
OURS = Peer("polymicro_lambda", OWN, "on_polymicro")
LOGGED = Peer("the same with an access log (Powertools)", OWN, "on_polymicro", "logged")
PLAINLY = Peer("the same with an access log (standard library)", OWN, "on_polymicro", "plainly_logged")
README = Peer("polymicro_lambda as in the README (rule in Python)", OWN, "on_polymicro", "readme", True)
BY_HAND = Peer("PynamoDB + marshmallow, by hand", "pynamodb", "by_pynamodb")
POWERTOOLS = Peer("Powertools resolver + the same", "powertools", "on_powertools")
CHALICE = Peer("Chalice + the same", "chalice", "on_chalice")
FLASK = Peer("Flask + apig-wsgi + the same", "flask", "on_flask")
FASTAPI = Peer("FastAPI + Mangum + the same", "fastapi", "on_fastapi")
DJANGO = Peer("Django REST Framework + PynamoDB", "django", "on_django")
BOTO3 = Peer("boto3, by hand", "boto3", "by_boto3")

FRAMEWORKS = (POWERTOOLS, CHALICE, FLASK, FASTAPI, DJANGO)
SAME_API = (RAW, OURS, BY_HAND, *FRAMEWORKS)
"""Those whose answers must be alike."""
WARM = (RAW, OURS, LOGGED, PLAINLY, README, BY_HAND, *FRAMEWORKS)
LOCAL = (RAW, OURS, BY_HAND, POWERTOOLS)
COLD = (BOTO3, RAW, OURS, BY_HAND, *FRAMEWORKS)
GROWING = (RAW, OURS, *FRAMEWORKS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the environments are, and what the peers' processes find in theirs."""

    prefix: str
    """``.venv-bench``: a peer's is this, a hyphen and the peer's environment."""
    variables: Mapping[str, str]

    def python(self, environment: str) -> Path:
        """An environment's interpreter."""
        return ROOT / f"{self.prefix}-{environment}" / "bin" / "python"

    def packages(self, environment: str) -> Path:
        """An environment's packages."""
        (found,) = (ROOT / f"{self.prefix}-{environment}").glob("lib/python*/site-packages")
        return found


def environment(endpoint: str, **more: str) -> dict[str, str]:
    """The function's environment, as Lambda makes it; nothing of this machine's."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "todo",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "POLYMICRO_CURSOR_SECRET": "a secret that is long enough for cursors",
        "PYTHONHASHSEED": "0",
        **more,
    }


class Worker:
    """A peer's process, which does one thing at a time."""

    def __init__(self, place: Place, peer: Peer) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own file
            [place.python(peer.environment), Path(__file__).with_name("worker.py"), peer.module],
            env=place.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, function: str, *arguments: Any) -> Any:
        """What a function of worker.py gives."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("there is no pipe")
        self.process.stdin.write(json.dumps([function, arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args!r} ended while asked for {function}.")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.communicate()


@contextmanager
def working(place: Place, peers: Sequence[Peer]) -> Iterator[Mapping[Peer, Worker]]:
    """The peers' processes, each with its handler made."""
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(Worker(place, peer)) for peer in peers}
        for peer, worker in workers.items():
            worker.ask("make", peer.make)
        yield workers


@contextmanager
def stub() -> Iterator[str]:
    """The endpoint of an engine that has every answer ready, in a process of its own."""
    command = [sys.executable, Path(__file__).with_name("engine.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        if process.stdout is None:
            raise RuntimeError("there is no pipe")
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.communicate()
