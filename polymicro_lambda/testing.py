"""Drive an app as AWS would: events of every source, Lambda's context, and a client for tests.

>>> client = Client(pm, user=User("alice"))
>>> client.post("/todo", json={"text": "milk"}).status
201
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partialmethod
from json import dumps, loads
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from . import _json
from ._sent import ACCOUNT, FORMS, REGION, Context, Sent
from .responses import JSON_TYPE
from .types import Event, Handler
from .users import User

Query: TypeAlias = str | Mapping[str, Any] | Sequence[tuple[str, Any]]

_PATH = "/%:@!$&'()*+,;=~"  # RFC 3986, section 3.3; the percent sign, as the path is encoded already
_HEADERS = {"Host": "api.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
_UNSET: Final[Any] = object()


def make_event(
    method: str,
    path: str,
    *,
    query: Query = (),
    headers: Mapping[str, str] | None = None,
    body: str | bytes | None = None,
    user: User | None = None,
    authorizer: Context = None,
    source: str = "rest",
    multi_value: bool = True,
    stage: str | None = None,
    payload: str = "2.0",
    request_id: str = "00000000-0000-4000-8000-000000000000",
    source_ip: str = "127.0.0.1",
) -> dict[str, Any]:
    """The event that AWS sends for a request of this percent-encoded URL path.

    ``query`` is a raw query string, a mapping (values may be lists) or pairs; it may also follow a ``?`` in
    ``path``. ``user`` and ``authorizer`` are a Lambda authorizer's context; sources without one get it where
    ``users.user_from`` looks. ``source`` is ``rest``, ``http`` (with ``payload`` ``2.0`` or ``1.0``), ``url``
    or ``alb`` (with lists of values if ``multi_value``). A ``stage`` stands before ``path`` in the URL.
    Raises ``KeyError`` for an unknown source.
    """
    path, _, asked = path.partition("?")
    text, encoded = _body(body or None)
    sent = Sent(
        method=method,
        path=quote(path, safe=_PATH),
        query=_raw(query) or asked,
        headers=_completed(headers, _HEADERS),
        body=text,
        base64_encoded=encoded,
        authorizer=_said(user, authorizer),
        stage=stage,
        request_id=request_id,
        source_ip=source_ip,
    )
    form = {"http": payload, "alb": "multi" if multi_value else "single"}.get(source, "")
    return FORMS[source + form](sent)


def _body(body: str | bytes | None) -> tuple[str | None, bool]:
    if not isinstance(body, bytes):
        return body, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _raw(query: Query) -> str:
    return query if isinstance(query, str) else urlencode(query, doseq=True)


def _said(user: User | None, context: Context) -> Context:
    if user is None:
        return context
    scalars = {name: value for name, value in user.claims.items() if isinstance(value, str | int | float)}
    lists = {"permissions": dumps(sorted(user.permissions)), "groups": dumps(sorted(user.groups))}
    return scalars | {"principalId": user.uuid, "uuid": user.uuid} | lists | dict(context or {})


def _completed(headers: Mapping[str, str] | None, defaults: Mapping[str, str]) -> dict[str, str]:
    given = dict(headers or {})
    names = {name.lower() for name in given}
    return {name: value for name, value in defaults.items() if name.lower() not in names} | given


@dataclass(slots=True, kw_only=True)
class FakeContext:
    """Lambda's context object; ``deadline`` is the second of ``clock`` at which the invocation would end."""

    aws_request_id: str = "11111111-1111-4111-8111-111111111111"
    function_name: str = "api"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:api"
    timeout: float = 29.0  # API Gateway's default limit, in seconds
    clock: Callable[[], float] = time.monotonic
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = self.clock() + self.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline, never below 0."""
        return max(0, round((self.deadline - self.clock()) * 1000))


@dataclass(frozen=True, slots=True)
class Result:
    """What came back: headers by lower-case name, the body's bytes, and the raw event and response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    event: Event = field(repr=False)
    response: Mapping[str, Any] = field(repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError`` where it is none."""
        return loads(self.body)


class Compilable(Protocol):
    """An app, such as ``PolyMicro``."""

    def compile(self) -> Handler:
        """The app's handler."""


class Client:
    """Sends requests to a handler, or to an app that is compiled at the first one.

    ``user`` makes every request unless a request says another or None; ``source`` is as for ``make_event``,
    which also takes a request's other options.
    """

    def __init__(self, app: Handler | Compilable, *, user: User | None = None, source: str = "rest") -> None:
        self.app = app
        self.user = user
        self.source = source

    @cached_property
    def handler(self) -> Handler:
        """The handler under test."""
        compiles = getattr(self.app, "compile", None)
        return compiles() if compiles else self.app  # type: ignore[return-value]

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
        """Send one request; ``json`` is a body with its content type."""
        if json is not _UNSET:
            options["body"] = _json.dumps(json)
            headers = _completed(headers, {"Content-Type": JSON_TYPE})
        event = make_event(
            method, path, headers=headers, **{"user": self.user, "source": self.source} | options
        )
        return _result(event, self.handler(event, context or FakeContext()))

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")
    head = partialmethod(request, "HEAD")
    options = partialmethod(request, "OPTIONS")


def _result(event: Event, response: Mapping[str, Any]) -> Result:
    headers = dict(response.get("headers") or {})
    headers |= {name: ", ".join(values) for name, values in response.get("multiValueHeaders", {}).items()}
    if response.get("cookies"):
        headers["set-cookie"] = ", ".join(response["cookies"])
    text = response.get("body") or ""
    body = base64.b64decode(text) if response.get("isBase64Encoded") else text.encode()
    lowered = {name.lower(): value for name, value in headers.items()}
    return Result(response["statusCode"], lowered, body, event, response)
