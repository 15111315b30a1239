"""The quick way to use a connection, beside botocore's own: the same requests, answers, errors, tries and settings."""

import json
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from benchmarks import agreement
from polymicro_lambda.dynamodb.client import connect, prepare_models
from polymicro_lambda.dynamodb.transport.connection_pools import BOTOCORE_POOLS, DIRECT_POOLS
from polymicro_lambda.dynamodb.transport.sessions import TRANSPORT, private_session, use_direct_pools
from polymicro_lambda.project.engine import ENDPOINT
from polymicro_lambda.project.isolation import FAKE_AWS

WAIT = b"wait"
"""An answer that never comes."""
Script = Callable[[int, int, bytes], bytes]
"""What a server says to a request, by the numbers of its connection and of the request on it; empty is the end."""


def said(item: dict[str, Any], status: str = "200 OK") -> bytes:
    body = json.dumps(item).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def found(connection: int, request: int, text: bytes) -> bytes:
    """An item that names the table, the connection and the request."""
    table = json.loads(text.partition(b"\r\n\r\n")[2])["TableName"]
    return said({"Item": {"table": {"S": table}, "at": {"S": f"{connection}.{request}"}}})


class Server:
    """An engine that follows a script."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script, self.context = script, context
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}"

    def accept(self) -> None:
        with suppress(OSError):
            for number in count():
                connection = self.listener.accept()[0]
                Thread(target=self.serve, args=(number, connection), daemon=True).start()

    def serve(self, number: int, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.context is None:
                self.follow(number, connection)
                return
            with self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            ) as safe:
                safe.do_handshake()
                self.follow(number, safe)

    def follow(self, number: int, connection: socket.socket) -> None:
        for request in count():
            text = self.read(connection)
            self.requests.append(text)
            answer = self.script(number, request, text)
            if answer is WAIT:
                connection.recv(1)
            connection.sendall(answer)
            if not answer:
                return

    def read(self, connection: socket.socket) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.some(connection)
        head, _, _ = got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        while length and len(got) < len(head) + 4 + int(length[1]):
            got += self.some(connection)
        return got

    def some(self, connection: socket.socket) -> bytes:
        if piece := connection.recv(65536):
            return piece
        raise ConnectionResetError


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(script: Script = found, context: ssl.SSLContext | None = None) -> Server:
        made.append(Server(script, context))
        return made[-1]

    yield make
    for one in made:
        one.listener.close()


def client(url: str, *, quick: bool = True, verify: Any = None, tries: int = 2, **config: Any) -> Any:
    settings = {"connect_timeout": 1, "read_timeout": 0.3} | config
    made = private_session("key", "secret").create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=url,
        verify=verify,
        config=Config(retries={"total_max_attempts": tries, "mode": "standard"}, **settings),
    )
    if quick:
        use_direct_pools(made)
    return made


def get(client: Any, table: str = "todos") -> Any:
    return client.get_item(TableName=table, Key={"uuid": {"S": "1"}})


def at(answer: Any) -> str:
    return str(answer["Item"]["at"]["S"])


both = pytest.mark.parametrize("quick", [True, False], ids=["ours", "botocore's"])


# --- as botocore does ----------------------------------------------------------------------------------------


def test_the_request_is_the_same(server: Callable[..., Server]) -> None:
    """But for the time and the ids in it."""
    engine = server()
    for quick in (True, False):
        get(client(engine.url, quick=quick))
    ours, theirs = (
        re.sub(rb"(?i)\r\n(x-amz-date|authorization|amz-sdk-invocation-id): [^\r]*", rb"\r\n\1: ", request)
        for request in engine.requests
    )
    assert ours == theirs


@both
def test_a_connection_is_kept(server: Callable[..., Server], quick: bool) -> None:
    made = client(server().url, quick=quick)
    assert [at(get(made)) for _ in range(3)] == ["0.0", "0.1", "0.2"]


@both
def test_a_connection_that_ended_meanwhile_costs_no_try(server: Callable[..., Server], quick: bool) -> None:
    engine = server(lambda c, r, text: found(c, r, text).replace(b"Content", b"Connection: close\r\nContent"))
    made = client(engine.url, quick=quick)
    answers = [get(made) for _ in range(2)]
    assert [(at(a), a["ResponseMetadata"]["RetryAttempts"]) for a in answers] == [("0.0", 0), ("1.0", 0)]


@both
def test_a_dead_connection_is_tried_again_once(server: Callable[..., Server], quick: bool) -> None:
    """Its end is seen only when the request is under way, as after a Lambda was frozen."""
    engine = server(lambda c, r, text: found(c, r, text) if r == 0 else b"")
    made = client(engine.url, quick=quick)
    answers = [get(made) for _ in range(2)]
    assert [(at(a), a["ResponseMetadata"]["RetryAttempts"]) for a in answers] == [("0.0", 0), ("1.0", 1)]


def refusing(connection: int, request: int, text: bytes) -> bytes:
    return said({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}, "400 Bad Request")


@both
@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(lambda *_: WAIT, ReadTimeoutError, id="no answer in time"),
        pytest.param(lambda *_: b"", ConnectionClosedError, id="no answer"),
        pytest.param(lambda *_: b"SSH-2.0\r\n\r\n", ConnectionClosedError, id="another protocol"),
        pytest.param(refusing, ClientError, id="an error of DynamoDB's"),
    ],
)
def test_errors(server: Callable[..., Server], quick: bool, script: Script, error: type[Exception]) -> None:
    engine = server(script)
    with pytest.raises(error) as raised:
        get(client(engine.url, quick=quick))
    assert type(raised.value) is error or raised.typename == "ResourceNotFoundException"
    assert len(engine.requests) == (1 if error is ClientError else 2)


@both
def test_nobody_listens(quick: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EndpointConnectionError):
        get(client(f"http://127.0.0.1:{port}", quick=quick))


@both
def test_half_an_answer_is_tried_again(server: Callable[..., Server], quick: bool) -> None:
    def script(connection: int, request: int, text: bytes) -> bytes:
        whole = found(connection, request, text)
        return whole if connection else whole[:-5]

    answer = get(client(server(script).url, quick=quick))
    assert (at(answer), answer["ResponseMetadata"]["RetryAttempts"]) == ("1.0", 1)


def test_threads_have_connections_of_their_own(server: Callable[..., Server]) -> None:
    made = client(server().url, read_timeout=20)
    tables = [f"table-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda table: get(made, table)["Item"]["table"]["S"], tables))
    assert answers == tables


def test_a_handler_before_the_sending_answers_in_its_place(server: Callable[..., Server]) -> None:
    engine = server()
    made = client(engine.url)

    class Raw:
        def stream(self) -> list[bytes]:
            return [b"{}"]

    made.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw()))
    assert "Item" not in get(made)
    assert engine.requests == []


@both
def test_a_header_of_two_lines_is_not_sent(server: Callable[..., Server], quick: bool) -> None:
    engine = server()
    made = client(engine.url, quick=quick)
    made.meta.events.register("before-send", lambda request, **_: request.headers.update({"a": "b\r\nc: d"}))
    with pytest.raises(HTTPClientError, match="Invalid header value"):
        get(made)
    assert engine.requests == []


@both
def test_a_call_may_have_a_time_of_its_own(server: Callable[..., Server], quick: bool) -> None:
    made = client(server(lambda *_: WAIT).url, quick=quick, read_timeout=60, tries=1)

    def hurry(request: Any, **_: Any) -> None:
        request.context["read_timeout"] = 0.1

    made.meta.events.register("before-send", hurry)
    with pytest.raises(ReadTimeoutError):
        get(made)


@pytest.mark.real_engine
def test_amazons_engine_answers_both_alike(dynamodb: None, table_name: str) -> None:
    """Also at length, and where it refuses."""
    ours, theirs = (client(os.environ[ENDPOINT], quick=quick, read_timeout=20) for quick in (True, False))
    agreement.create(ours, table_name)
    for number in range(30):
        text = {"S": chr(0x4E00 + number) * 6000}
        item = {"owner": {"S": "alice"}, "uuid": {"S": str(number)}, "text": text}
        ours.put_item(TableName=table_name, Item=item)
    query = {"KeyConditionExpression": "#o = :o", "ExpressionAttributeNames": {"#o": "owner"}}
    found = [
        c.query(TableName=table_name, **query, ExpressionAttributeValues={":o": {"S": "alice"}})
        for c in (ours, theirs)
    ]
    assert found[0]["Items"] == found[1]["Items"]
    assert found[0]["Count"] == 30

    def refused(client: Any) -> Any:
        with pytest.raises(ClientError) as raised:
            client.delete_item(
                TableName=table_name,
                Key={"owner": {"S": "alice"}, "uuid": {"S": "1"}},
                ConditionExpression="attribute_not_exists(#o)",
                ExpressionAttributeNames={"#o": "owner"},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        answer = raised.value.response
        return answer["Error"], answer["Item"], set(answer["ResponseMetadata"]["HTTPHeaders"])

    assert refused(ours) == refused(theirs)


# --- settings ------------------------------------------------------------------------------------------------


def test_a_proxy_is_left_to_botocore(server: Callable[..., Server]) -> None:
    proxy = server()
    made = client("http://engine.example", proxies={"http": proxy.url})
    assert at(get(made)) == "0.0"
    assert proxy.requests[0].startswith(b"POST http://engine.example/ HTTP/1.1\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that nobody else has signed, and the context of a server that has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


@both
def test_tls(server: Callable[..., Server], certificate: tuple[Path, ssl.SSLContext], quick: bool) -> None:
    path, context = certificate
    made = client(
        server(context=context).url, quick=quick, verify=str(path), read_timeout=5, connect_timeout=5
    )
    assert [at(get(made)) for _ in range(2)] == ["0.0", "0.1"]


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["of nobody known", "of another host"])
def test_tls_of_a_stranger(
    server: Callable[..., Server], certificate: tuple[Path, ssl.SSLContext], quick: bool, host: str
) -> None:
    path, context = certificate
    engine = server(context=context)
    verify = None if host == "127.0.0.1" else str(path)
    made = client(engine.url.replace("127.0.0.1", host), quick=quick, verify=verify, connect_timeout=5)
    with pytest.raises(SSLError):
        get(made)
    assert engine.requests == []


# --- where it is used ----------------------------------------------------------------------------------------


class Todo(Model):
    class Meta:
        table_name = "todos"

    uuid = UnicodeAttribute(hash_key=True)


def classes(client: Any) -> Any:
    return client._endpoint.http_session._manager.pool_classes_by_scheme


@pytest.mark.parametrize(
    ("said", "pools"),
    [("", DIRECT_POOLS), ("botocore", BOTOCORE_POOLS), ("BotoCore", BOTOCORE_POOLS)],
    ids=["unset", "off", "in any case"],
)
def test_the_switch(monkeypatch: pytest.MonkeyPatch, said: str, pools: Any) -> None:
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(TRANSPORT, said)
    monkeypatch.setattr(Todo, "_connection", None)
    prepare_models([Todo], "")
    made = connect(Todo).client
    assert classes(made) == pools
    timeout = made._endpoint.http_session._manager.connection_from_url("http://127.0.0.1").timeout
    assert (timeout.connect_timeout, timeout.read_timeout) == (1, 3)


def test_another_sender_stays() -> None:
    class Own(URLLib3Session):
        pass

    own, patched = client("http://127.0.0.1", quick=False), client("http://127.0.0.1", quick=False)
    own._endpoint.http_session = Own()
    others = patched._endpoint.http_session._manager.pool_classes_by_scheme = {"http": object}
    use_direct_pools(own)
    use_direct_pools(patched)
    assert classes(own) == BOTOCORE_POOLS
    assert classes(patched) is others
