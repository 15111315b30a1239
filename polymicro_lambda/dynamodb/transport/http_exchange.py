"""One exchange of HTTP/1.1 (RFC 9112) on an open socket: all of a request in one piece, then all of its answer."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import Protocol

PIECE = 65_536
"""Bytes asked of a socket at once."""
HEAD = 65_536
"""The most bytes of an answer's head, as many as one line may have in Python's own client."""
FINAL = 200
"""The least status of an answer that no other follows (RFC 9110, section 15.2)."""
BODILESS = frozenset({204, 304})
"""Statuses that end with the head (RFC 9112, section 6.3)."""
END = b"\r\n\r\n"


class Socket(Protocol):
    """A connected socket, with TLS or without."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it. Raises ``OSError``."""

    def recv(self, size: int, /) -> bytes:
        """What has come, empty at the end. Raises ``OSError``, ``TimeoutError`` where nothing comes in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, in the form that botocore reads it from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reusable: bool
    """Whether the connection may take another request."""

    def stream(self, *_: object, **__: object) -> list[bytes]:
        """The body, which is there already."""
        return [self.body]


def request_bytes(
    method: str, target: str, host: str, headers: Mapping[str, str | bytes], body: bytes
) -> bytes | None:
    """A request as Python's own client writes it; None where a line of it would be more than one."""
    lines = [f"{method} {target} HTTP/1.1".encode("ascii"), b"Host: " + host.encode("ascii")]
    if "Accept-Encoding" not in headers:
        lines.append(b"Accept-Encoding: identity")
    for name, value in headers.items():
        said = value if isinstance(value, bytes) else value.encode("latin-1")
        lines.append(name.encode("ascii") + b": " + said)
    head = b"\r\n".join(lines)
    whole = head.count(b"\n") == head.count(b"\r") == len(lines) - 1
    return head + END + body if whole else None


def exchange(socket: Socket, request: bytes) -> Answer:
    """The answer to a request. Raises ``OSError``, and ``HTTPException`` for what is no answer or not all of one."""
    with suppress(BrokenPipeError, ConnectionResetError):
        # Who refuses a request may answer before it has all of it; if not, reading tells.
        socket.sendall(request)
    status, got = 0, b""
    while status < FINAL:  # 1xx only say that another comes
        version, status, headers, got = _head(socket, got)
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if status in BODILESS:
        body, rest = b"", got
    elif coding is not None:
        body, rest = _chunks(socket, got, coding)
    elif length is not None:
        body, rest = _exactly(socket, got, _number(length, 10))
    else:
        return Answer(status, headers, _to_the_end(socket, got), reusable=False)
    kept = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Answer(status, headers, body, reusable=kept and not rest)


def _head(socket: Socket, got: bytes) -> tuple[str, int, dict[str, str], bytes]:
    """Version, status and headers by name in lower case, and what came after them."""
    while END not in got:
        if len(got) > HEAD:
            raise LineTooLong("head")
        got += _more(socket, got)
    head, _, rest = got.partition(END)
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, said = first.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (said[:3].isascii() and said[:3].isdigit()):
        raise BadStatusLine(first[:100])
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise HTTPException("A header's line is none.")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return version, int(said[:3]), headers, rest


def _more(socket: Socket, got: bytes) -> bytes:
    piece = socket.recv(PIECE)
    if piece:
        return piece
    raise IncompleteRead(got) if got else RemoteDisconnected("The connection ended before an answer came.")


def _exactly(socket: Socket, got: bytes, length: int) -> tuple[bytes, bytes]:
    """So many bytes, and what came after them."""
    if len(got) == length:
        return got, b""
    pieces, there = [got], len(got)
    while there < length:
        piece = socket.recv(PIECE)
        if not piece:
            raise IncompleteRead(b"".join(pieces), length - there)
        pieces.append(piece)
        there += len(piece)
    whole = b"".join(pieces)
    return whole[:length], whole[length:]


def _to_the_end(socket: Socket, got: bytes) -> bytes:
    pieces = [got]
    while piece := socket.recv(PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def _chunks(socket: Socket, got: bytes, coding: str) -> tuple[bytes, bytes]:
    """A body in chunks (RFC 9112, section 7.1), and what came after it."""
    if coding.lower() != "chunked":
        raise HTTPException("The answer has a transfer coding that was not asked for.")
    found: list[bytes] = []
    while True:
        line, got = _line(socket, got)
        size = _number(line.partition(b";")[0].decode("latin-1"), 16)
        if size == 0:
            break
        chunk, got = _exactly(socket, got, size + 2)
        if chunk[size:] != b"\r\n":
            raise HTTPException("A chunk is longer than it says.")
        found.append(chunk[:size])
    while line:
        line, got = _line(socket, got)  # trailers, and the empty line that ends them
    return b"".join(found), got


def _line(socket: Socket, got: bytes) -> tuple[bytes, bytes]:
    while b"\r\n" not in got:
        if len(got) > HEAD:
            raise LineTooLong("chunk")
        got += _more(socket, got or b"\n")
    line, _, rest = got.partition(b"\r\n")
    return line, rest


def _number(text: str, base: int) -> int:
    """A length. Raises ``HTTPException`` for what is none, and what Python alone takes for a number."""
    digits = text.strip().lower()
    if not digits or not set(digits) <= set("0123456789abcdef"[:base]):
        raise HTTPException("A length is no number.")
    return int(digits, base)
