"""Botocore's pools of connections, with a quicker exchange: what is private in urllib3's pools stands here.

urllib3 still opens connections, does TLS, keeps connections and finds dead ones, and its exceptions are raised. Proxies
have botocore's own pools.
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


class _DirectExchange:
    """Sends a request of known length in one piece, and reads its answer without Python's parser for e-mail."""

    timeout: Timeout

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, **named: Any) -> Any:
        """The answer to a request; urllib3 sends one that is not as botocore makes them for DynamoDB."""
        request = None if _is_special(headers, named) else _message(self, method, url, body, headers)
        if request is None:
            return super().urlopen(method, url, body, headers, **named)  # type: ignore[misc] # a pool's
        return _exchange(self, url, request, named.get("timeout", self.timeout))


class DirectPool(_DirectExchange, AWSHTTPConnectionPool):  # type: ignore[misc] # botocore has no types
    """Connections without TLS."""


class DirectTLSPool(_DirectExchange, AWSHTTPSConnectionPool):  # type: ignore[misc] # as above
    """Connections with TLS."""


BOTOCORE_POOLS = {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}
DIRECT_POOLS = {"http": DirectPool, "https": DirectTLSPool}
"""Scheme -> botocore's class of pools, and the class in its place."""


def _is_special(headers: Mapping[str, Any] | None, named: Mapping[str, Any]) -> bool:
    """Whether a request needs more than one exchange; DynamoDB's requests do not."""
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


def _exchange(pool: Any, url: str, request: bytes, timeout: Timeout) -> Answer:
    """One exchange on a connection of the pool. Raises urllib3's exceptions."""
    timeout = timeout.clone()  # as urllib3 does: a clone may be shorter, depending on the time
    pool.num_requests += 1
    connection = pool._get_conn()
    answer = None
    try:
        if connection.sock is None:
            connection.timeout = timeout.connect_timeout
            pool._validate_conn(connection)
            if connection.sock is None:  # `_validate_conn` opens TLS connections alone
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
