"""The supervisor of `polymicro serve`: owns port and engine, and starts the server process anew when code changes.

It never imports the app, so that no code of the user can end it; and as it holds the listening socket, a request
made during a reload waits instead of failing.
"""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

import click

from polymicro_lambda.project import UsageError, engine_of, set_defaults

from .settings import ServeSettings

SERVER = "polymicro_lambda.cli.serving.server"
"""The module that a server process runs; importing it here would load werkzeug and more for nothing."""

POLL = 0.3
"""Seconds between two looks at the code and the server process."""

PATIENCE = 3.0
"""Seconds that a server process gets to end; then it is killed."""

BACKLOG = 128
"""Connections that may wait during a reload."""

NOT_CODE = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Directories that hold no code of the project; neither do hidden ones and virtual environments."""

NO_ADDRESS = "There is no address {host} on this machine. Without --host it serves on 127.0.0.1."
NO_PORT: Mapping[int | None, str] = {
    errno.EADDRINUSE: "Port {port} on {host} is taken. Stop what uses it, or choose another: --port {next}",
    errno.EACCES: "Port {port} is not yours to take. Choose one from 1024 on: polymicro serve --port 3000",
    errno.EADDRNOTAVAIL: NO_ADDRESS,
    socket.EAI_NONAME: NO_ADDRESS,
}
"""Number of the error -> the text."""

Snapshot: TypeAlias = dict[str, int]
"""Path of each file of code -> its time of change, in nanoseconds."""


def serve(settings: ServeSettings) -> int:
    """Serve until SIGINT or SIGTERM; the exit code of the command.

    Raises ``UsageError`` where the port cannot be had.
    """
    with listening(settings.host, settings.port) as listener:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        set_defaults(os.environ)
        engine = engine_of(os.environ, None if settings.data is None else Path(settings.data))
        port: int = listener.getsockname()[1]
        settings = replace(settings, engine=engine.name, listener=listener.fileno(), port=port)
        return supervise(settings, {**os.environ, **engine.environment})


def _stop(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C does not cut the cleaning up
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening TCP socket; port 0 takes any free one. Raises ``UsageError`` where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(_listening_error(error, host, port)) from error
    with listener:
        yield listener


def _listening_error(error: Exception, host: str, port: int) -> str:
    reason = NO_PORT.get(getattr(error, "errno", None), f"Cannot serve on {{host}}, port {{port}}: {error}.")
    return reason.format(host=host, port=port, next=port + 1)


def supervise(settings: ServeSettings, environment: Mapping[str, str]) -> int:
    """Run a server process, and another at each change of code; returns only if the first one fails."""
    while True:
        before = snapshot(Path(settings.root))
        with server_process(settings, environment) as process:
            changed = _next_change(settings, before, process)
        if not changed:
            return process.returncode
        click.echo(f"\nChanged: {', '.join(changed)}. Loading again.")
        settings = replace(settings, reloaded=True)


def _next_change(settings: ServeSettings, before: Snapshot, process: "subprocess.Popen[bytes]") -> list[str]:
    """Wait for a change and name the files, relative to the root; none if the first process ended instead."""
    reported = False
    while True:
        time.sleep(POLL)
        now = snapshot(Path(settings.root))
        if now != before:
            changed = watched({path for path, _ in now.items() ^ before.items()}, Path(settings.root))
            if changed:
                return [os.path.relpath(path, settings.root) for path in changed]
            before = now
        if process.poll() is None or reported:
            continue
        if not settings.reloaded:
            return []
        reported = True
        click.echo(
            f"The server process ended ({process.returncode}). It starts again when the code changes.",
            err=True,
        )


@contextmanager
def server_process(
    settings: ServeSettings, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server process that ends with the block, or with this process, however that ends."""
    reading, writing = os.pipe()
    ready = replace(settings, lifeline=reading)
    # -B: whole seconds and size tell bytecode from newer code (PEP 552), too coarse for two quick changes.
    command = [sys.executable, "-B", "-m", SERVER, json.dumps(asdict(ready))]
    # An ignored signal stays so in the new process: Ctrl-C, which a terminal sends to both, is dealt with here.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    inherited = (reading, settings.listener)
    process = subprocess.Popen(command, env=dict(environment), pass_fds=inherited)  # nosec B603 # noqa: S603
    signal.signal(signal.SIGINT, handler)
    os.close(reading)
    try:
        yield process
    finally:
        os.close(writing)
        _wait(process)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def snapshot(root: Path) -> Snapshot:
    """The Python files under ``root`` with their times of change; a file that vanishes meanwhile is left out."""
    times: Snapshot = {}
    for path in _python_files(root):
        with suppress(OSError):
            times[str(path)] = path.stat().st_mtime_ns
    return times


def watched(paths: Iterable[str], root: Path) -> list[str]:
    """The paths without those that git ignores; all of them where there is no git, or no repository."""
    paths = sorted(paths)
    command = ["git", "-C", str(root), "check-ignore", "-z", "--stdin"]
    names = "\0".join(paths).encode(errors="surrogateescape")
    try:
        done = subprocess.run(command, input=names, capture_output=True, check=False, timeout=PATIENCE)  # nosec B603 # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return paths
    ignored = set(done.stdout.decode(errors="surrogateescape").split("\0"))
    return [path for path in paths if path not in ignored]


def _python_files(root: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if _holds_python_files(directory, name)]
        yield from (Path(directory, name) for name in files if name.endswith(".py"))


def _holds_python_files(directory: str, name: str) -> bool:
    return not (name.startswith(".") or name in NOT_CODE or Path(directory, name, "pyvenv.cfg").exists())
