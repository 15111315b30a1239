"""The parts of an answer that every source expects: status, body, and headers that a gateway takes."""

import base64
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from polymicro_lambda.http.responses import Response

_NOT_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9a-z-]")  # RFC 9110, section 5.6.2
_CONNECTION = re.compile(
    r"(connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)?"
)
"""Headers of the connection, which are the gateway's and not the answer's (RFC 9110, section 7.6.1)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def response_payload(
    response: Response, headers: Mapping[str, Any], member: str = "headers"
) -> dict[str, Any]:
    """The answer with its headers in a ``member``; a body that is not UTF-8 goes in base64."""
    try:
        body, encoded = response.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(response.body).decode(), True
    return {"statusCode": response.status, member: headers, "body": body, "isBase64Encoded": encoded}


def clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers in visible ASCII, so that API Gateway takes them and no value can begin another header."""
    texts = "".join(headers.values())
    if texts.isascii() and texts.isprintable():
        plain = {_clean_name(name): value for name, value in headers.items()}
        plain.pop("", None)
        return plain
    cleaned = [
        (_clean_name(name), value if value.isascii() and value.isprintable() else _clean_value(value))
        for name, value in headers.items()
    ]
    return {name: value for name, value in cleaned if name}


@lru_cache
def _clean_name(name: str) -> str:
    """The name in lower case, empty for a header that must not be sent."""
    cleaned = _NOT_TOKEN.sub("", name.lower())
    return "" if _CONNECTION.fullmatch(cleaned) else cleaned


def _clean_value(value: str) -> str:
    return _CONTROL.sub("", value).encode("ascii", "replace").decode()
