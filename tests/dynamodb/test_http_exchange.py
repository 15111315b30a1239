"""Requests and answers of HTTP/1.1 on a socket: as bytes that come in any pieces, or do not come."""

import socket
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from threading import Thread

import pytest

from polymicro_lambda.dynamodb.transport.http_exchange import HEAD, Answer, exchange, request_bytes

JSON = {"content-type": "application/json"}


class Pieces:
    """A peer's answer, piece by piece, and then the end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def answer(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


PLAIN = answer("HTTP/1.1 200 OK\ncontent-type: application/json\nContent-Length: 2", b"{}")
CHUNKED = answer("HTTP/1.1 200 OK\ntransfer-encoding: chunked")
LENGTH = {"content-length": "2"}


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        pytest.param(PLAIN, Answer(200, JSON | LENGTH, b"{}", True), id="with a length"),
        pytest.param(
            answer("HTTP/1.1 400 Bad Request\nContent-Length: 0"),
            Answer(400, {"content-length": "0"}, b"", True),
            id="empty",
        ),
        pytest.param(
            answer("HTTP/1.1 200\nA: 1\na:2 \nContent-Length: 0"),
            Answer(200, {"a": "1, 2", "content-length": "0"}, b"", True),
            id="a header twice, and no phrase",
        ),
        pytest.param(
            answer("HTTP/1.1 204 No Content\nContent-Length: 5"),
            Answer(204, {"content-length": "5"}, b"", True),
            id="204",
        ),
        pytest.param(
            answer("HTTP/1.1 100 Continue") + answer("HTTP/1.1 103 Early Hints\nlink: a") + PLAIN,
            Answer(200, JSON | LENGTH, b"{}", True),
            id="what says that another comes",
        ),
        pytest.param(
            answer("HTTP/1.1 200 OK\nConnection: Close\nContent-Length: 2", b"{}"),
            Answer(200, {"connection": "Close", **LENGTH}, b"{}", False),
            id="the connection's last",
        ),
        pytest.param(
            answer("HTTP/1.0 200 OK\nContent-Length: 2", b"{}"),
            Answer(200, LENGTH, b"{}", False),
            id="HTTP/1.0",
        ),
        pytest.param(answer("HTTP/1.1 200 OK", b"{}"), Answer(200, {}, b"{}", False), id="to the end"),
        pytest.param(
            answer("HTTP/1.1 200 OK\nContent-Length: 2", b"{}HTTP"),
            Answer(200, LENGTH, b"{}", False),
            id="more than it says",
        ),
        pytest.param(
            CHUNKED + b'4\r\n{"a"\r\n3;x=y\r\n:1}\r\n0\r\nx: y\r\n\r\n',
            Answer(200, {"transfer-encoding": "chunked"}, b'{"a":1}', True),
            id="in chunks",
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 7, HEAD], ids=["byte by byte", "in pieces", "at once"])
def test_answers(came: bytes, expected: Answer, size: int) -> None:
    peer = Pieces(*(came[start : start + size] for start in range(0, len(came), size)))
    found = exchange(peer, b"request")
    # Byte by byte, what comes too much has not come yet when the answer is whole.
    assert (found, peer.sent) == (expected, b"request") or (size < HEAD and b"}HTTP" in came)
    assert (found.status, found.body, found.stream()) == (expected.status, expected.body, [expected.body])


@pytest.mark.parametrize(
    ("came", "error"),
    [
        pytest.param(b"", RemoteDisconnected, id="nothing"),
        pytest.param(PLAIN[:20], IncompleteRead, id="half a head"),
        pytest.param(PLAIN[:-1], IncompleteRead, id="half a body"),
        pytest.param(CHUNKED + b'4\r\n{"a"', IncompleteRead, id="half a chunk"),
        pytest.param(CHUNKED + b'4\r\n{"a"\r\n', IncompleteRead, id="no last chunk"),
        pytest.param(CHUNKED + b"2\r\n{}ab0\r\n\r\n", HTTPException, id="a chunk longer than it says"),
        pytest.param(CHUNKED + b"-2\r\n", HTTPException, id="a chunk's length that is none"),
        pytest.param(
            answer("HTTP/1.1 200 OK\ncontent-length: +2", b"{}"), HTTPException, id="a length with a sign"
        ),
        pytest.param(answer("HTTP/1.1 200 OK\ncontent-length: 2, 2", b"{}"), HTTPException, id="two lengths"),
        pytest.param(answer("HTTP/1.1 200 OK\ntransfer-encoding: gzip"), HTTPException, id="another coding"),
        pytest.param(answer("HTTP/2 200 OK\ncontent-length: 0"), HTTPException, id="another version"),
        pytest.param(answer("HTTP/1.1 2x0 OK\ncontent-length: 0"), HTTPException, id="a status that is none"),
        pytest.param(answer("HTTP/1.1 200 OK\nno header"), HTTPException, id="a line that is no header"),
        pytest.param(answer("HTTP/1.1 200 OK\na: b\n c"), HTTPException, id="a folded header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * HEAD, HTTPException, id="a head without end"),
        pytest.param(CHUNKED + b"1" * HEAD * 2, HTTPException, id="a line without end"),
    ],
)
def test_what_is_no_answer(came: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        exchange(Pieces(came), b"request")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(0.2)
        yield one, other


def test_nothing_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        exchange(pair[0], b"request")


def test_a_long_answer(pair: tuple[socket.socket, socket.socket]) -> None:
    body = bytes(range(256)) * 4096
    came = answer(f"HTTP/1.1 200 OK\ncontent-length: {len(body)}", body)
    thread = Thread(target=pair[1].sendall, args=(came,))
    thread.start()
    found = exchange(pair[0], b"request")
    thread.join()
    assert found == Answer(200, {"content-length": str(len(body))}, body, True)


def test_an_answer_before_the_request_is_taken() -> None:
    class Refusing(Pieces):
        def sendall(self, data: bytes) -> None:
            raise BrokenPipeError

    assert exchange(Refusing(PLAIN), b"request").status == 200
    with pytest.raises(RemoteDisconnected):
        exchange(Refusing(), b"request")


def test_a_request() -> None:
    headers = {"X-Amz-Target": b"DynamoDB_20120810.GetItem", "Content-Length": "2"}
    assert request_bytes("POST", "/", "localhost:8000", headers, b"{}") == (
        b"POST / HTTP/1.1\r\nHost: localhost:8000\r\nAccept-Encoding: identity\r\n"
        b"X-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    "value", ["a\r\nb: c", b"a\nb: c", "a\r"], ids=["two lines", "a line feed", "a return"]
)
def test_a_header_of_more_than_a_line_is_not_sent(value: str | bytes) -> None:
    assert request_bytes("POST", "/", "localhost", {"a": value}, b"") is None
