"""A client for tests: it sends a handler the events that AWS would send, and gives its responses as results."""

import base64
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partialmethod
from http import HTTPStatus
from json import loads
from traceback import format_exception
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

from polymicro_lambda.http import JSON_TYPE, Response, Site, User, compressed, json_bytes
from polymicro_lambda.observability import caught
from polymicro_lambda.types import Event, Handler

from .declared_answers import DeclaredAnswers
from .events import make_event, with_default_headers
from .fake_context import FakeContext

SHOWN = 500
"""Bytes of the body in the ``repr`` of a result."""

_GZIP = 16 + zlib.MAX_WBITS
_UNSET: Final[Any] = object()
_NEXT = re.compile(r'<([^>]*)>; rel="next"')


class Headers(dict[str, str]):
    """Headers by lower-case name, to be asked for in any case: ``headers["ETag"]``."""

    def __missing__(self, name: str) -> str:
        if name.islower():
            raise KeyError(name)
        return self[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The header's value, else ``default``."""
        return super().get(name.lower(), default)


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """The answer to a request: headers by name in any case, the body's bytes, and the raw event and response.

    ``request`` is the request's method and path, e.g. ``GET /todo``.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    event: Event
    response: Mapping[str, Any]
    request: str = ""
    cause: BaseException | None = None
    """Why it is a 5xx: what was raised, with its traceback. It is in no answer."""

    def __repr__(self) -> str:
        body = self.content
        text = body[:SHOWN].decode(errors="backslashreplace") + "…" * (len(body) > SHOWN)
        why = "" if self.cause is None else f"\n{''.join(format_exception(self.cause)).rstrip()}\n"
        return f"<{self.request}: {self.status} {_phrase(self.status)} {text}{why}>"

    @property
    def content(self) -> bytes:
        """The body's bytes as the verb made them: not compressed."""
        is_gzip = self.body and self.headers.get("content-encoding") == "gzip"
        return zlib.decompress(self.body, _GZIP) if is_gzip else self.body

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.content.decode()

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError`` where it is none."""
        return loads(self.content)

    def raise_for_status(self) -> Self:
        """The result itself. Raises ``AssertionError`` with request, status and body where it is an error."""
        if self.status >= HTTPStatus.BAD_REQUEST:
            raise AssertionError(repr(self)) from self.cause
        return self


class Compilable(Protocol):
    """An app, such as ``PolyMicro``."""

    def compile(self) -> Handler:
        """The app's handler."""


class Client:
    """Sends requests to a handler, or to an app that is compiled at the first one.

    ``user`` makes every request unless the request names another or None. ``source`` and ``options`` are arguments of
    ``make_event`` for every request; a request may give others, and its ``headers`` go before those of the client.
    """

    def __init__(
        self, app: Handler | Compilable, *, user: User | None = None, source: str = "rest", **options: Any
    ) -> None:
        self.app = app
        self.user = user
        self.source = source
        self.event_options = options

    @cached_property
    def handler(self) -> Handler:
        """The handler under test."""
        compiles = getattr(self.app, "compile", None)
        return compiles() if compiles else self.app  # type: ignore[return-value]

    @cached_property
    def _declared(self) -> DeclaredAnswers:
        return DeclaredAnswers(getattr(self.handler, "routes", ()), getattr(self.handler, "site", Site()))

    def as_(self, user: User | None) -> Self:
        """A client of the same handler, whose requests ``user`` makes, or nobody."""
        return type(self)(self.handler, user=user, source=self.source, **self.event_options)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = _UNSET,
        headers: Mapping[str, str] | None = None,
        context: object = None,
        **options: Any,
    ) -> Result:
        """Send one request; ``json`` is a body with its content type.

        Raises ``AssertionError`` for an answer that is not as its verb's ``response`` and ``responses`` say.
        """
        arguments = {"user": self.user, "source": self.source} | self.event_options | options
        arguments["headers"] = with_default_headers(headers, self.event_options.get("headers") or {})
        if json is not _UNSET:
            arguments["body"] = json_bytes(json)
            arguments["headers"] = with_default_headers(arguments["headers"], {"Content-Type": JSON_TYPE})
        if context is None:  # events of some sources have no id: the invocation's counts
            context = FakeContext(
                **({"aws_request_id": options["request_id"]} if "request_id" in options else {})
            )
        event = make_event(method, path, **arguments)
        with _causes() as causes:
            answer = self.handler(event, context)
        result = _result(f"{method} {path}", event, answer)
        if result.status >= HTTPStatus.INTERNAL_SERVER_ERROR and causes:
            result = replace(result, cause=causes[-1])
        if arguments["source"] == "rest":
            result = _compressed_by_gateway(result, arguments["headers"])
        media = result.headers.get("content-type", "")
        self._declared.check(event, context, result.status, media, result.content)
        return result

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")
    head = partialmethod(request, "HEAD")
    options = partialmethod(request, "OPTIONS")

    def pages(self, path: str, **options: Any) -> Iterator[Result]:
        """Every page of a list, by the ``Link`` of the one before; ``options`` are those of ``request``.

        Raises ``AssertionError`` for a page that is an error, or that leads to itself.
        """
        query = ""
        while True:
            page = self.request("GET", path, **options).raise_for_status()
            yield page
            link = _NEXT.search(page.headers.get("link", ""))
            if link is None:
                return
            before, query = query, urlsplit(link[1]).query
            if query == before:
                raise AssertionError(f"This page leads to itself: {page!r}")
            # The reference begins with the stage, the path does not: its query is all that is new.
            path, options = path.partition("?")[0], options | {"query": query}

    def items(self, path: str, **options: Any) -> Iterator[Any]:
        """The items of every page, as ``pages`` gives them: a bare array, ``items``, or the only array in the envelope.

        Raises ``AssertionError`` for a page without any such.
        """
        for page in self.pages(path, **options):
            yield from _items_of(page)


def _items_of(page: Result) -> list[Any]:
    body = page.json
    if isinstance(body, list):
        return body
    arrays = {name: one for name, one in body.items() if isinstance(one, list)}
    found = [arrays["items"]] if "items" in arrays else [*arrays.values()]
    if len(found) != 1:
        raise AssertionError(f"Which of its members are the items? {page!r}")
    return found[0]


@contextmanager
def _causes() -> Iterator[list[BaseException]]:
    """The causes of the errors that the handler logs meanwhile."""
    causes: list[BaseException] = []
    token = caught.set(causes)
    try:
        yield causes
    finally:
        caught.reset(token)


def _compressed_by_gateway(result: Result, sent: Mapping[str, str]) -> Result:
    """The answer as a REST API of the template sends it: it compresses by itself what the app leaves as it is."""
    answer = Response(result.status, result.headers, result.body)
    made = compressed(
        answer, {name.lower(): one for name, one in sent.items()}.get("accept-encoding"), by_gateway=True
    )
    return result if made is answer else replace(result, headers=Headers(made.headers), body=made.body)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in {*HTTPStatus} else ""


def _result(request: str, event: Event, response: Mapping[str, Any]) -> Result:
    several: dict[str, list[str]] = {}
    for name, value in (response.get("headers") or {}).items():
        several.setdefault(name.lower(), []).append(value)
    several |= {name.lower(): values for name, values in response.get("multiValueHeaders", {}).items()}
    if response.get("cookies"):
        several["set-cookie"] = response["cookies"]
    text = response.get("body") or ""
    body = base64.b64decode(text) if response.get("isBase64Encoded") else text.encode()
    by_name = Headers({name: ", ".join(values) for name, values in several.items()})
    return Result(response["statusCode"], by_name, body, event, response, request)
