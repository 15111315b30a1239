"""`polymicro serve` as people run it: a process of its own, spoken to over HTTP."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WAIT = 20
"""Seconds: far more than anything here takes."""
ALICE = "alice:administrator,therapist"
UNSET = ("JWT_SECRET", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED")
"""Variables of this machine that the command does not get."""


@dataclass
class Serve:
    """A running `polymicro serve` and what it said so far."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def port(self) -> int:
        match = until(lambda: re.search(r"Serving on http://127\.0\.0\.1:(\d+)\n", self.output), self)
        return int(match[1])

    def said(self, text: str, times: int = 1) -> None:
        until(lambda: self.output.count(text) >= times, self)

    def server_process(self) -> int:
        """The id of the process that runs the app."""
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return int(children.stdout.split()[0])

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers by lower-case name, and the body's JSON, or its text where it is none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.request(
                method, path, body if isinstance(body, bytes | Iterator) else json.dumps(body), headers
            )
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        named = {name.lower(): value for name, value in response.getheaders()}
        return response.status, named, json.loads(text) if text.startswith("{") else text


def until(true: Callable[[], Any], serve: Serve | None = None) -> Any:
    """Wait until it is so and return it; give up when the command has ended."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        ended = serve is not None and serve.process.poll() is not None
        if found := true():
            return found
        if ended:
            break
        time.sleep(0.02)
    pytest.fail(f"It did not happen. The command said:\n{serve.output if serve else ''}")


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**clean, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "polymicro_lambda.cli", *arguments]


@contextmanager
def serving(*arguments: str, cwd: Path = ROOT, **variables: str) -> Iterator[Serve]:
    """The command on a free port, in a session of its own, as a terminal's shell would start it."""
    with subprocess.Popen(
        command("serve", "--port", "0", *arguments),
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        serve = Serve(process)
        reader = threading.Thread(target=serve.lines.extend, args=(process.stdout,))
        reader.start()
        try:
            yield serve
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(WAIT)
            reader.join(WAIT)


def make_token(user: str = ALICE) -> str:
    done = subprocess.run(command("token", user), cwd=ROOT, env=environment(), capture_output=True, text=True)
    return done.stdout.strip()
