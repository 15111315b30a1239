"""A DynamoDB that has every answer ready: it costs the callers nothing but their own part.

    python benchmarks/engine.py

Prints its port, and serves until its standard input ends. It has no tables and checks nothing.
"""

import json
import socket
import sys
from threading import Thread
from zlib import crc32

OWNER = "alice"
UUID = "5c1b2f0e-7f6e-4d0c-9a53-2f1de0c90000"
ITEMS = 20
"""How many a list gives."""


def item(number: int) -> dict[str, dict[str, object]]:
    """A todo as PynamoDB keeps it; every other one is due some day."""
    kept: dict[str, dict[str, object]] = {
        "owner": {"S": OWNER},
        "uuid": {"S": f"{UUID[:-4]}{number:04x}"},
        "creation_date_time": {"S": f"2026-01-02T03:04:05.{678901 + number}+0000"},
        "text": {"S": f"Water the plants in room {number}"},
        "done": {"BOOL": number % 3 == 0},
    }
    return kept | ({"due_date_time": {"S": "2030-01-02T03:04:05.000000+0000"}} if number % 2 else {})


ONE = item(0)
UNITS = {"TableName": "todos", "CapacityUnits": 1.0}
ANSWERS: dict[str, dict[str, object]] = {
    "GetItem": {"Item": ONE},
    "Query": {"Items": [item(number) for number in range(ITEMS)], "Count": ITEMS, "ScannedCount": ITEMS},
    "PutItem": {},
    "UpdateItem": {"Attributes": ONE | {"done": {"BOOL": True}}},
    "DeleteItem": {},
}


def wire(answer: dict[str, object]) -> bytes:
    """An answer with the headers that DynamoDB sends."""
    body = json.dumps(answer, separators=(",", ":")).encode()
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Wed, 25 Nov 2026 00:00:00 GMT\r\n"
        "Content-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        "x-amzn-RequestId: 0000000000000000000000000000000000000000000000000000\r\n"
        f"x-amz-crc32: {crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


READY = {
    (operation.encode(), metered): wire(answer | ({"ConsumedCapacity": UNITS} if metered else {}))
    for operation, answer in ANSWERS.items()
    for metered in (False, True)
}


def serve(connection: socket.socket) -> None:
    """Answer the calls of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            more = connection.recv(65536)
            if not more:
                return
            waiting += more
        head, _, waiting = waiting.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"content-length"])
        while len(waiting) < length:
            waiting += connection.recv(65536)
        body, waiting = waiting[:length], waiting[length:]
        operation = head.partition(b"DynamoDB_20120810.")[2].partition(b"\r\n")[0]
        connection.sendall(READY[operation, b'"ReturnConsumedCapacity"' in body])


def main() -> None:
    """Serve until nobody asks any more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
