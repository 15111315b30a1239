"""A proxy before DynamoDB that loses, delays and falsifies: what becomes of each call is said by a function."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

READ_TIMEOUT = 3.0
"""Seconds that the library waits for an answer."""
END = b"\r\n\r\n"


def error(code: str, status: int) -> bytes:
    """An error response of DynamoDB's."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}"
    return head.encode() + END + body


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one call."""

    arrives: bool = True
    """The engine gets it."""
    answer: bytes | None = None
    """What is answered in place of what the engine says."""
    seconds: float = 0.0
    """How long the answer takes on its way."""
    lost: bool = False
    """The connection closes in place of an answer."""


PASSED = Fate()
FATES: Mapping[str, Fate] = {
    "throttled": Fate(arrives=False, answer=error("ProvisionedThroughputExceededException", 400)),
    "500, not done": Fate(arrives=False, answer=error("InternalServerError", 500)),
    "500, done": Fate(answer=error("InternalServerError", 500)),
    "request lost": Fate(arrives=False, lost=True),
    "answer lost": Fate(lost=True),
    "answer too late": Fate(seconds=READ_TIMEOUT + 0.3),
    "answer slow": Fate(seconds=0.3),
}
"""What may go wrong, by name."""

Decide = Callable[[str, bytes], str | None]
"""From operation and body of a call to the name of its fate, None for a call that passes."""


@dataclass(slots=True)
class Proxy:
    """Listens on a free port of this machine and hands calls on to ``upstream``, as ``decide`` says of each."""

    upstream: str
    decide: Decide
    fates: Counter[str] = field(default_factory=Counter)
    """How often each name was decided, and ``passed`` and ``engine away``."""
    port: int = 0
    connections: set["asyncio.Task[None] | None"] = field(default_factory=set)
    """What serves each: asyncio itself may forget them."""

    @contextmanager
    def running(self) -> Iterator[str]:
        """The address to call, while it runs in a thread of its own."""
        loop, begun = asyncio.new_event_loop(), threading.Event()
        end = asyncio.Event()

        async def main() -> None:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            begun.set()
            await end.wait()
            server.close()

        thread = threading.Thread(target=self._run, args=(loop, main()), daemon=True)
        thread.start()
        begun.wait()
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            loop.call_soon_threadsafe(end.set)
            thread.join()

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, main: object) -> None:
        loop.run_until_complete(main)  # type: ignore[arg-type]
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the library's, by one to the engine."""
        engine, task = _Engine(self.upstream), asyncio.current_task()
        self.connections.add(task)
        try:
            while await self._answered(await _message(reader), engine, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            engine.close()
            writer.close()
            self.connections.discard(task)

    async def _answered(
        self, request: tuple[bytes, bytes], engine: "_Engine", writer: asyncio.StreamWriter
    ) -> bool:
        """Carry one call out; False where its connection is to close."""
        head, body = request
        name = self.decide(_operation(head), body)
        fate = FATES[name] if name else PASSED
        self.fates[name or "passed"] += 1
        answer = fate.answer or b""
        if fate.arrives:
            try:
                said = await engine.ask(head + body)
            except (OSError, asyncio.IncompleteReadError):
                self.fates["engine away"] += 1
                return False
            answer = answer or said
        if fate.seconds:
            await asyncio.sleep(fate.seconds)
        if fate.lost:
            return False
        writer.write(answer)
        await writer.drain()
        return True


class _Engine:
    """One connection to the engine, made when it is needed."""

    def __init__(self, address: str) -> None:
        self.address = urlsplit(address)
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, message: bytes) -> bytes:
        """The whole answer. Raises ``OSError`` or ``IncompleteReadError`` where the engine is away."""
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection(self.address.hostname, self.address.port)
            reader, writer = self.streams
            writer.write(message)
            await writer.drain()
            return b"".join(await _message(reader))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it go."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of a request or response."""
    head = await reader.readuntil(END)
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if not lengths:  # an engine that is shutting down says no more than this
        raise ConnectionAbortedError
    return head, await reader.readexactly(int(lengths[0].partition(b":")[2]))


def _operation(head: bytes) -> str:
    line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"x-amz-target:"))
    return line.rpartition(b".")[2].decode()
