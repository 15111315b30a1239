"""Botocore's pools of connections, with a quicker way to use one: what is private in urllib3 stands here.

Opening a connection, TLS, keeping it, finding that it is dead, and how errors are told stay those of urllib3; proxies
have pools of botocore's own.
"""

from collections.abc import Mapping
from http.client import HTTPException
from ssl import SSLError as BaseSSLError
from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from urllib3.connectionpool import CertificateError  # type: ignore[attr-defined] # where each urllib3 has it
from urllib3.exceptions import ProtocolError, ReadTimeoutError, SSLError
from urllib3.util import Timeout

from .http_exchange import Answer, exchange, request_bytes


class _Quick:
    """Sends a request of known length in one piece, and reads its answer without Python's parser of mail."""

    timeout: Timeout

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, **named: Any) -> Any:
        """The answer to a request of botocore's; one of another kind goes the usual way."""
        request = None if _is_special(headers, named) else _message(self, method, url, body, headers)
        if request is None:
            return super().urlopen(method, url, body, headers, **named)  # type: ignore[misc] # a pool's
        return _exchanged(self, url, request, named.get("timeout", self.timeout))


class DirectPool(_Quick, AWSHTTPConnectionPool):  # type: ignore[misc] # botocore has no types
    """Connections without TLS."""


class DirectTLSPool(_Quick, AWSHTTPSConnectionPool):  # type: ignore[misc] # as above
    """Connections with TLS."""


BOTOCORE_POOLS = {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}
DIRECT_POOLS = {"http": DirectPool, "https": DirectTLSPool}
"""Scheme -> the pools that botocore has, and ours in their place."""


def _is_special(headers: Mapping[str, Any] | None, named: Mapping[str, Any]) -> bool:
    """Whether more is asked for than one exchange: DynamoDB's requests are not."""
    retries = named.get("retries")
    return (
        headers is None
        or "Content-Length" not in headers
        or "Expect" in headers
        or bool(named.get("chunked"))
        or named.get("preload_content", True)
        or getattr(retries, "total", retries) is not False
        or ("timeout" in named and not isinstance(named["timeout"], Timeout))
    )


def _message(pool: Any, method: str, url: str, body: Any, headers: Mapping[str, Any]) -> bytes | None:
    content = body.encode() if isinstance(body, str) else b"" if body is None else body
    if not isinstance(content, bytes):
        return None
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    standard = pool.port in (None, 443 if pool.scheme == "https" else 80)
    return request_bytes(method, url, host if standard else f"{host}:{pool.port}", headers, content)


def _exchanged(pool: Any, url: str, request: bytes, timeout: Timeout) -> Answer:
    """One exchange on a connection of the pool. Raises what urllib3 does."""
    timeout = timeout.clone()  # as urllib3 does: how long it is may depend on when
    pool.num_requests += 1
    connection = pool._get_conn()
    answer = None
    try:
        if connection.sock is None:
            connection.timeout = timeout.connect_timeout
            pool._validate_conn(connection)
            if connection.sock is None:  # only TLS opens it to see whose it is
                connection.connect()
        connection.sock.settimeout(timeout.read_timeout)
        answer = exchange(connection.sock, request)
    except TimeoutError as error:
        raise ReadTimeoutError(pool, url, f"Read timed out. (read timeout={timeout.read_timeout})") from error
    except (BaseSSLError, CertificateError) as error:
        raise SSLError(error) from error
    except (OSError, HTTPException) as error:
        raise ProtocolError("Connection aborted.", error) from error
    finally:
        if answer is None or not answer.reusable:
            connection.close()
        pool._put_conn(None if answer is None else connection)
    return answer
