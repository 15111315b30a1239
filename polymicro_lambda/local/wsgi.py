"""The app under any WSGI server: an HTTP request becomes the event that AWS would send, the answer a response."""

import base64
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote, unquote, unquote_to_bytes
from uuid import uuid4

from polymicro_lambda.deploy import rest_refusals
from polymicro_lambda.dispatch import ProblemWording
from polymicro_lambda.http import CORS, HSTS, Response, User, compressed
from polymicro_lambda.routing import Authorization
from polymicro_lambda.testing import FakeContext, make_event
from polymicro_lambda.types import Handler

from .gateway import AUTHORIZER_APIS, Refused, authorize, refusal_of_rest

Environ: TypeAlias = MutableMapping[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]
WsgiResponse: TypeAlias = tuple[str, list[tuple[str, str]], bytes]
"""The status line, the headers, the body."""

logger = logging.getLogger(__name__)

IN_PATH = "!$&'()*+,/:;=@~"
"""Characters of a path that need no encoding, besides letters and digits (RFC 3986, section 3.3)."""

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
"""Statuses that never carry a body (RFC 9110, section 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Wsgi:
    """A WSGI application (PEP 3333) that hands each request to ``handler`` as an event of ``source``.

    ``source`` is ``rest``, ``http``, ``url``, ``alb`` or ``lattice``. ``user`` makes every request, or ``authorizer``,
    a Lambda authorizer's function, is asked first as API Gateway would ask it: ``authorization`` says how it stands
    before an HTTP verb and the segments of a path. With neither there is no user. ``cors``, ``hsts`` and ``problem``
    are those of the app: a REST API's own refusals are as its template has them.
    A ``handler`` that raises is 502, as behind API Gateway, and its traceback goes to the log.
    """

    handler: Handler
    source: str = field(default="rest", kw_only=True)
    authorizer: Handler | None = field(default=None, kw_only=True)
    user: User | None = field(default=None, kw_only=True)
    authorization: Callable[[str, Sequence[str]], Authorization] = field(
        default=lambda *_: "required", kw_only=True
    )
    cors: CORS | None = field(default=None, kw_only=True)
    hsts: HSTS | None = field(default=None, kw_only=True)
    problem: ProblemWording | None = field(default=None, kw_only=True)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, headers, body = self._response(_request(environ))
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" or not body else [body]

    def _response(self, request: Mapping[str, Any]) -> WsgiResponse:
        try:
            context = self._authorizer_context(request)
            event = make_event(**request, source=self.source, user=self.user, authorizer=context)
            invocation = FakeContext(aws_request_id=request["request_id"])
            answer = _wsgi_response(self.handler(event, invocation), request["method"])
            return _compressed(answer, request["headers"]) if self.source == "rest" else answer
        except Refused as refused:
            return self._refused(refused, request)
        except Exception:
            logger.exception("The handler failed, which API Gateway answers with 502.")
            return _gateway_response(HTTPStatus.BAD_GATEWAY, "Internal server error")

    def _refused(self, refused: Refused, request: Mapping[str, Any]) -> WsgiResponse:
        """API Gateway's own answer."""
        if AUTHORIZER_APIS[self.source] != "rest":
            return _gateway_response(refused.status, refused.message)
        said = rest_refusals(self.cors, self.hsts, self.problem)
        return _wsgi_response(refusal_of_rest(refused, said, request), request["method"])

    def _authorizer_context(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The authorizer's context for the request, None where it is not asked: a preflight carries no token."""
        if self.authorizer is None or request["method"] == "OPTIONS":
            return None
        segments = [unquote(part) for part in request["path"].strip("/").split("/")]
        how = self.authorization(request["method"], segments)
        if how == "none":
            return None
        return authorize(self.authorizer, request, source=self.source, optional=how == "optional")


def _request(environ: Environ) -> dict[str, Any]:
    """The request as arguments of ``make_event``."""
    return {
        "method": environ["REQUEST_METHOD"],
        "path": _path(environ),
        "query": _quoted(environ.get("QUERY_STRING", ""), safe=f"{IN_PATH}?%"),
        "headers": dict(_headers(environ)),
        "body": _body(environ) or None,
        "stage": environ.get("SCRIPT_NAME", "").strip("/") or None,
        "request_id": str(uuid4()),
        "source_ip": environ.get("REMOTE_ADDR") or "127.0.0.1",
    }


def _quoted(text: str, *, safe: str) -> str:
    """The text with the characters percent-encoded that a URL cannot hold; WSGI's texts are bytes read as Latin-1."""
    return quote(text.encode("latin-1"), safe=safe)


def _path(environ: Environ) -> str:
    """The path below the mount, percent-encoded as the client sent it, where the server passes that on.

    WSGI's own PATH_INFO is decoded: ``a%2Fb`` and ``a/b`` are one in it. The raw path is taken where it decodes to
    PATH_INFO, which it does not when a middleware has rewritten that.
    """
    mount, below = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    segments = raw.partition("?")[0].split("/")[mount.count("/") + 1 :]
    path = _quoted("/" + "/".join(segments), safe=f"{IN_PATH}%")
    if raw.startswith("/") and unquote_to_bytes(path) == (below or "/").encode("latin-1"):
        return path
    return _quoted(below, safe=IN_PATH) or "/"


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    """The request's headers, with those that API Gateway sets itself."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-").title(), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").title(), value
    yield "X-Forwarded-For", environ.get("REMOTE_ADDR") or "127.0.0.1"
    yield "X-Forwarded-Port", environ["SERVER_PORT"]
    yield "X-Forwarded-Proto", environ["wsgi.url_scheme"]


def _body(environ: Environ) -> bytes:
    """The whole body: of the stated length, or to its end where the server knows the end."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return bytes(environ["wsgi.input"].read(int(length)))
    return bytes(environ["wsgi.input"].read()) if environ.get("wsgi.input_terminated") else b""


def _gateway_response(status: int, message: str) -> WsgiResponse:
    """An answer of API Gateway's own."""
    body = json.dumps({"message": message})
    headers = {"Content-Type": "application/json"}
    return _wsgi_response({"statusCode": status, "headers": headers, "body": body}, "GET")


def _wsgi_response(answer: Mapping[str, Any], method: str) -> WsgiResponse:
    """Status line, headers and body for WSGI, from a handler's answer in the form of any source."""
    status = int(answer["statusCode"])
    text = answer.get("body") or ""
    body = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
    headers = list(_response_headers(answer))
    if status in BODILESS:
        return _status_line(status), headers, b""
    if method != "HEAD" and not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(body))))
    return _status_line(status), headers, body


def _compressed(answer: WsgiResponse, sent: Mapping[str, str]) -> WsgiResponse:
    """The answer as a REST API of the template sends it: it compresses by itself what the app leaves as it is."""
    status, headers, body = answer
    by_name = {name.lower(): value for name, value in headers}
    accept = next((value for name, value in sent.items() if name.lower() == "accept-encoding"), None)
    made = compressed(Response(0, by_name, body), accept, by_gateway=True)
    if made.headers == by_name:
        return answer
    changed = {"vary", "content-encoding", "content-length"}
    kept = [(name, value) for name, value in headers if name.lower() not in changed]
    length = {"content-length": str(len(made.body))} if "content-length" in by_name else {}
    new = {**made.headers, **length}
    return status, [*kept, *((name, new[name]) for name in sorted(changed & new.keys()))], made.body


def _response_headers(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Single, multi-value and payload 2.0's cookie headers; a multi-value header replaces its single one."""
    several = answer.get("multiValueHeaders") or {}
    multiple = {name.lower() for name in several}
    yield from ((name, str(value)) for name, values in several.items() for value in values)
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in multiple:
            yield name, str(value)
    yield from (("Set-Cookie", cookie) for cookie in answer.get("cookies") or ())


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:  # a status of the app's own, e.g. 299
        return f"{status} Unknown"
