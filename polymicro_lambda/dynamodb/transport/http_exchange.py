"""One exchange of HTTP/1.1 (RFC 9112) on an open socket: a request is sent in one piece, its answer read whole."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import Protocol

PIECE = 65_536
"""Bytes asked of a socket at once."""
HEAD = 65_536
"""The most bytes of an answer's head: Python's own client allows as many for one line."""
FINAL = 200
"""The least status of a final answer: another answer follows a 1xx (RFC 9110, section 15.2)."""
BODILESS = frozenset({204, 304})
"""Statuses of answers without a body (RFC 9112, section 6.3)."""
END = b"\r\n\r\n"


class Socket(Protocol):
    """A connected socket, with TLS or without."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of ``data``. Raises ``OSError``."""

    def recv(self, size: int, /) -> bytes:
        """Bytes that have come, empty at the end. Raises ``OSError``, ``TimeoutError`` if none come in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the form that botocore reads."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reusable: bool
    """Whether the connection may take another request."""

    def stream(self, *_: object, **__: object) -> list[bytes]:
        """The body in one piece."""
        return [self.body]


def request_bytes(
    method: str, target: str, host: str, headers: Mapping[str, str | bytes], body: bytes
) -> bytes | None:
    """A request as Python's own client writes it; None if a header holds a line break."""
    lines = [f"{method} {target} HTTP/1.1".encode("ascii"), b"Host: " + host.encode("ascii")]
    if "Accept-Encoding" not in headers:
        lines.append(b"Accept-Encoding: identity")
    for name, value in headers.items():
        content = value if isinstance(value, bytes) else value.encode("latin-1")
        lines.append(name.encode("ascii") + b": " + content)
    head = b"\r\n".join(lines)
    whole = head.count(b"\n") == head.count(b"\r") == len(lines) - 1
    return head + END + body if whole else None


def exchange(socket: Socket, request: bytes) -> Answer:
    """The answer to a request. Raises ``OSError``, and ``HTTPException`` for an answer that is malformed or cut off."""
    with suppress(BrokenPipeError, ConnectionResetError):
        # A server may refuse a request before it has read all of it; if it did not answer, reading raises.
        socket.sendall(request)
    status, received = 0, b""
    while status < FINAL:  # 1xx only say that another comes
        version, status, headers, received = _head(socket, received)
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if status in BODILESS:
        body, rest = b"", received
    elif coding is not None:
        body, rest = _chunks(socket, received, coding)
    elif length is not None:
        body, rest = _exactly(socket, received, _number(length, 10))
    else:
        return Answer(status, headers, _until_closed(socket, received), reusable=False)
    kept = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Answer(status, headers, body, reusable=kept and not rest)


def _head(socket: Socket, received: bytes) -> tuple[str, int, dict[str, str], bytes]:
    """Version, status, headers by name in lower case, and the bytes received after them."""
    while END not in received:
        if len(received) > HEAD:
            raise LineTooLong("head")
        received += _receive_more(socket, received)
    head, _, rest = received.partition(END)
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (status[:3].isascii() and status[:3].isdigit()):
        raise BadStatusLine(first[:100])
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise HTTPException("A header's line is none.")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return version, int(status[:3]), headers, rest


def _receive_more(socket: Socket, received: bytes) -> bytes:
    piece = socket.recv(PIECE)
    if piece:
        return piece
    if received:
        raise IncompleteRead(received)
    raise RemoteDisconnected("The connection ended before an answer came.")


def _exactly(socket: Socket, received: bytes, length: int) -> tuple[bytes, bytes]:
    """``length`` bytes, and the bytes received after them."""
    if len(received) == length:
        return received, b""
    pieces, there = [received], len(received)
    while there < length:
        piece = socket.recv(PIECE)
        if not piece:
            raise IncompleteRead(b"".join(pieces), length - there)
        pieces.append(piece)
        there += len(piece)
    whole = b"".join(pieces)
    return whole[:length], whole[length:]


def _until_closed(socket: Socket, received: bytes) -> bytes:
    pieces = [received]
    while piece := socket.recv(PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def _chunks(socket: Socket, received: bytes, coding: str) -> tuple[bytes, bytes]:
    """A body in chunks (RFC 9112, section 7.1), and the bytes received after it."""
    if coding.lower() != "chunked":
        raise HTTPException("The answer has a transfer coding that was not asked for.")
    chunks: list[bytes] = []
    while True:
        line, received = _line(socket, received)
        size = _number(line.partition(b";")[0].decode("latin-1"), 16)
        if size == 0:
            break
        chunk, received = _exactly(socket, received, size + 2)
        if chunk[size:] != b"\r\n":
            raise HTTPException("A chunk is longer than it says.")
        chunks.append(chunk[:size])
    while line:
        line, received = _line(socket, received)  # trailers, and the empty line that ends them
    return b"".join(chunks), received


def _line(socket: Socket, received: bytes) -> tuple[bytes, bytes]:
    while b"\r\n" not in received:
        if len(received) > HEAD:
            raise LineTooLong("chunk")
        received += _receive_more(socket, received or b"\n")
    line, _, rest = received.partition(b"\r\n")
    return line, rest


def _number(text: str, base: int) -> int:
    """A length. Raises ``HTTPException`` for other text, also for text that ``int`` would take."""
    digits = text.strip().lower()
    if not digits or not set(digits) <= set("0123456789abcdef"[:base]):
        raise HTTPException("A length is no number.")
    return int(digits, base)
