"""Marshmallow's messages as the ``errors`` of a problem document."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from urllib.parse import quote

from marshmallow.exceptions import SCHEMA

_FRAGMENT = "!$&'()*+,;=:@?-._~"
"""Characters that a URI fragment holds unescaped (RFC 3986, section 3.5), without "/"."""

LONGEST = 1000
"""The most characters of a pointer: a message on a longer place is shown at the container around it."""


def field_errors(messages: object) -> list[dict[str, str]]:
    """Marshmallow's messages as the ``errors`` of a problem, in the order of their pointers."""
    return sorted(_flat(messages, "#"), key=itemgetter("pointer"))


def _flat(messages: object, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _flat(below, pointer if key == SCHEMA else _deeper(pointer, key))
    elif isinstance(messages, list):
        for message in messages:
            yield from _flat(message, pointer)
    else:
        yield {"pointer": pointer, "detail": str(messages)}


def _deeper(pointer: str, key: object) -> str:
    longer = f"{pointer}/{_token(key)}"
    return longer if len(longer) <= LONGEST else pointer


def _token(key: object) -> str:
    # JSON Pointer in a URI fragment (RFC 6901, sections 3 and 6).
    escaped = str(key).replace("~", "~0").replace("/", "~1")
    return quote(escaped, safe=_FRAGMENT, errors="surrogatepass")
