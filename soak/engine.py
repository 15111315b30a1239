"""DynamoDB Local with its data in files, so that it can be killed and started again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "dynamodb-local"


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine on a port of its own; ``data`` is the directory that holds its tables."""

    port: int
    data: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Started, and stopped at the end."""
        self.start()
        try:
            yield
        finally:
            self._script("stop")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._script("start")

    def stop(self, *, kill: bool) -> None:
        """Let it end, or kill it in the middle of what it does."""
        if kill:
            pid = int((ROOT / ".cache" / "dynamodb-local" / f"{self.port}.pid").read_text())
            os.kill(pid, signal.SIGKILL)
        self._script("stop")

    def _script(self, action: str) -> None:
        own = {"DYNAMODB_LOCAL_PORT": str(self.port), "DYNAMODB_LOCAL_DATA": str(self.data)}
        done = subprocess.run([SCRIPT, action], env={**os.environ, **own}, stdout=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(done.returncode)


@contextmanager
def engine(port: int) -> Iterator[Engine]:
    """An engine that runs, and whose data are gone afterwards."""
    with TemporaryDirectory(prefix="soak-") as data:
        found = Engine(port, Path(data))
        with found.running():
            yield found
