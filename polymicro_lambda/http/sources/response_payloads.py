"""The parts of an answer that every source expects: status, body, and headers that a gateway takes."""

import base64
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any

from polymicro_lambda.http.responses import NEXT_COOKIE, Response

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


def split_cookies(headers: Mapping[str, str]) -> tuple[Mapping[str, str], list[str]]:
    """The other headers, and each cookie that is set."""
    if "set-cookie" not in headers:
        return headers, []
    others = {name: value for name, value in headers.items() if name != "set-cookie"}
    cookies = [clean_headers({"set-cookie": one}) for one in headers["set-cookie"].split(NEXT_COOKIE)]
    return others, [one["set-cookie"] for one in cookies]


def spellings(name: str) -> Iterator[str]:
    """A header's name in small letters, then in other mixtures of small and capital letters."""
    return ("".join(letters) for letters in product(*[dict.fromkeys((one, one.upper())) for one in name]))


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
