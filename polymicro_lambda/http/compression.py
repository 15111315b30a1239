"""Bodies by gzip (RFC 9110, section 8.4), where a client takes them so and it makes them smaller."""

import re
import zlib

from .cors import with_vary
from .responses import Response

COMPRESSED_FROM = 1024
"""Bytes of a body from which on it is compressed: less fits into one packet either way."""
COMPRESSING = frozenset({"alb", "http", "lattice", "url"})
"""Event sources that take any answer in base64. A REST API sends its text as it is, unless the API says which media
types are binary; it compresses by itself (``MinimumCompressionSize``)."""
_GZIP = 16 + zlib.MAX_WBITS
_LONGEST = 200
"""Characters of ``Accept-Encoding`` that are read; browsers send some 25."""
_CODING = r"(?:^|[ \t,])(?:x-)?{}[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{{0,3}})?))?[ \t]*(?:,|$)"
_SMALL_ALREADY = r"image/(?!svg)|audio/|video/|font/woff|application/(?:zip|gzip|zstd|pdf|x-7z|octet-stream)"
"""Media types whose bodies are compressed, or may be anything."""
TAG_SUFFIX = "+gzip"
"""What a strong tag ends with where the body goes out by gzip: other bytes have another tag (RFC 9110, 8.8.3.3).
It is in no tag of ours: neither versions nor base64 for URLs have a plus sign."""


def accepts_gzip(header: str | None) -> bool:
    """Whether a client that sends this ``Accept-Encoding`` takes gzip, and no less gladly than no coding at all."""
    if not header or len(header) > _LONGEST:
        return False
    text = header.lower()
    gzip = _weight(text, "gzip")
    if gzip is None:
        gzip = _weight(text, r"\*")
    plain = _weight(text, "identity")
    return bool(gzip) and (plain is None or (gzip or 0) >= plain)


def _weight(text: str, coding: str) -> float | None:
    match = re.search(_CODING.format(coding), text)
    return None if match is None else float(match[1] or 1)


def compressed(response: Response, accept: str | None, *, by_gateway: bool = False) -> Response:
    """The response by gzip where the client accepts that; ``Vary`` says that it depends on it.

    A gateway that compresses leaves the tag as it is.
    """
    headers = dict(response.headers)
    if "content-encoding" in headers or not _may_shrink(response):
        return response
    headers["vary"] = with_vary(headers.get("vary", ""), "Accept-Encoding")
    if not accepts_gzip(accept):
        return Response(response.status, headers, response.body)
    body = zlib.compress(response.body, wbits=_GZIP)
    if len(body) >= len(response.body):
        return Response(response.status, headers, response.body)
    headers["content-encoding"] = "gzip"
    if "etag" in headers and not by_gateway:
        headers["etag"] = tag_of_gzip(headers["etag"])
    return Response(response.status, headers, body)


def tag_of_gzip(tag: str) -> str:
    """The tag of the same content by gzip; a weak tag names both."""
    return f'{tag[:-1]}{TAG_SUFFIX}"' if tag.startswith('"') and tag.endswith('"') else tag


def _may_shrink(response: Response) -> bool:
    headers = response.headers
    if len(response.body) < COMPRESSED_FROM or "content-range" in headers:
        return False
    if "no-transform" in headers.get("cache-control", ""):
        return False
    return re.match(_SMALL_ALREADY, headers.get("content-type", "").lower()) is None
