"""An invocation of a Lambda, made up: the event of every source, and Lambda's context with its clock."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from polymicro_lambda.http import User

from .event_forms import ACCOUNT, FORMS, REGION, Context, Sent

Query: TypeAlias = str | Mapping[str, Any] | Sequence[tuple[str, Any]]

_PATH = "/%:@!$&'()*+,;=~"  # RFC 3986, section 3.3; the percent sign, as the path is encoded already
_HEADERS = {"Host": "api.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}


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
        headers=completed(headers, _HEADERS),
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


def completed(headers: Mapping[str, str] | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """The headers with those of the defaults that they lack, whatever the case of a name."""
    given = dict(headers or {})
    names = {name.lower() for name in given}
    return {name: value for name, value in defaults.items() if name.lower() not in names} | given


class FakeClock:
    """A clock that stands still until a test moves it: ``clock()`` is its time in seconds, 0 at first."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises ``ValueError`` for less than 0: time does not go back."""
        if seconds < 0:
            raise ValueError(f"A clock does not go back, as advance({seconds}) would.")
        self.now += seconds


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
