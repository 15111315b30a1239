"""Events of every source, as a Lambda function gets them, made of a request's method, path, headers and body."""

import base64
from collections.abc import Mapping, Sequence
from json import dumps
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from polymicro_lambda.http import REFUSED, User

from .event_forms import FORMS, REGION, Context, SentRequest

Query: TypeAlias = str | Mapping[str, Any] | Sequence[tuple[str, Any]]

BAD_TOKEN: Mapping[str, Any] = MappingProxyType({REFUSED: "true"})
"""What an authorizer says of a token that is not good: ``make_event(…, authorizer=BAD_TOKEN)`` is a 401."""
_PATH = "/%:@!$&'()*+,;=~"  # RFC 3986, section 3.3; the percent sign, as the path is encoded already
_HEADERS = {"Host": "api.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
_OF_STAGE = {"http": {"Host": f"api.execute-api.{REGION}.amazonaws.com"}}
"""An HTTP API's events hold the stage for each domain, and the URL that of its own domain alone."""


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
    path, _, query_of_path = path.partition("?")
    text, encoded = _body(body or None)
    request = SentRequest(
        method=method,
        path=quote(path, safe=_PATH),
        query=_query_string(query) or query_of_path,
        headers=with_default_headers(headers, _HEADERS | (_OF_STAGE.get(source, {}) if stage else {})),
        body=text,
        base64_encoded=encoded,
        authorizer=_authorizer_context(user, authorizer),
        stage=stage,
        request_id=request_id,
        source_ip=source_ip,
    )
    form = {"http": payload, "lattice": payload, "alb": "multi" if multi_value else "single"}.get(source, "")
    return FORMS[source + form](request)


def _body(body: str | bytes | None) -> tuple[str | None, bool]:
    if not isinstance(body, bytes):
        return body, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _query_string(query: Query) -> str:
    return query if isinstance(query, str) else urlencode(query, doseq=True)


def _authorizer_context(user: User | None, context: Context) -> Context:
    if user is None:
        return context
    scalars = {name: value for name, value in user.claims.items() if isinstance(value, str | int | float)}
    lists = {"permissions": dumps(sorted(user.permissions)), "groups": dumps(sorted(user.groups))}
    return scalars | {"principalId": user.uuid, "uuid": user.uuid} | lists | dict(context or {})


def with_default_headers(headers: Mapping[str, str] | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """The headers with those of the defaults that they lack, whatever the case of a name."""
    given = dict(headers or {})
    names = {name.lower() for name in given}
    return {name: value for name, value in defaults.items() if name.lower() not in names} | given
