"""`polymicro serve` as a process, and the memory of the one that answers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from .engine import ROOT

START = 60
"""Seconds that it gets to take the first request."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The command, and where it serves."""

    pid: int
    port: int

    def resident(self) -> int:
        """Bytes that the serving process, the command's youngest child, has in memory."""
        *_, child = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        line = next(
            x for x in Path(f"/proc/{child}/status").read_text().splitlines() if x.startswith("VmRSS:")
        )
        return int(line.split()[1]) * 1024


@contextmanager
def serving(port: int, log: Path, environment: Mapping[str, str]) -> Iterator[Serving]:
    """Serve the app under soak; what it says goes to ``log``."""
    # As a module: so it is the package beside the soak that is served, wherever another one is installed.
    polymicro = [sys.executable, "-m", "polymicro_lambda.cli"]
    command = [*polymicro, "serve", "--app", "soak.app:pm", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=output
        )
        try:
            _wait(port, process)
            yield Serving(process.pid, port)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/none")
            connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise SystemExit("polymicro serve did not start: see its log")
