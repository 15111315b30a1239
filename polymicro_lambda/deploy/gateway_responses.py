"""The answers that a REST API makes itself, as the app would say them."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from polymicro_lambda.dispatch import NEEDS_USER, ProblemWording
from polymicro_lambda.exceptions import title_of
from polymicro_lambda.http import CORS, HSTS, JSON_TYPE, NOT_FOUND, PROBLEM_TYPE

REQUEST_ID = "$context.requestId"
MESSAGE = "$context.error.messageString"
"""A text with its quotes, in a REST API's templates."""
_ANY_TITLE = "polymicro-any-title"
"""Stands for that text until the body is written."""
_Refusal: TypeAlias = tuple[int | None, Mapping[str, str], str]

_RESPONSES: Mapping[str, _Refusal] = MappingProxyType(
    {
        "UNAUTHORIZED": (401, {"WWW-Authenticate": "'Bearer'"}, NEEDS_USER),
        "MISSING_AUTHENTICATION_TOKEN": (404, {}, NOT_FOUND),  # how a REST API calls an unknown path
        "INVALID_SIGNATURE": (404, {}, NOT_FOUND),  # and one with a token that is no signature
        "BAD_REQUEST_BODY": (422, {}, ""),
        "DEFAULT_4XX": (None, {}, ""),
        "DEFAULT_5XX": (None, {}, ""),
    }
)
"""API Gateway's own response -> status (None leaves it), headers, detail."""
_OF_SIGNED: Mapping[str, _Refusal] = MappingProxyType(
    {
        **_RESPONSES,
        "UNAUTHORIZED": (401, {"WWW-Authenticate": "'AWS4-HMAC-SHA256'"}, ""),
        "MISSING_AUTHENTICATION_TOKEN": (
            403,
            {},
            "Sign the request with AWS Signature Version 4. If you did, there is nothing at this path.",
        ),
        "INVALID_SIGNATURE": (403, {}, "The signature is not valid."),
    }
)
"""The same where requests are signed: API Gateway does not tell an unsigned one from an unknown path."""
_WORDED: Mapping[str, int] = MappingProxyType(
    {
        "ACCESS_DENIED": 403,
        "AUTHORIZER_FAILURE": 500,
        "EXPIRED_TOKEN": 403,  # nosec B105 - the name of a response
        "INTEGRATION_FAILURE": 504,
        "INTEGRATION_TIMEOUT": 504,
        "REQUEST_TOO_LARGE": 413,
        "THROTTLED": 429,
    }
)
"""More of them, and the statuses that they have: where the app words errors, each needs a body of its own."""
_EVERY_ANSWER = {"Cache-Control": "'no-store'", "X-Content-Type-Options": "'nosniff'"}
"""Headers of every answer of the app too (``response_headers.ALWAYS``)."""


_ECHOED = {"Access-Control-Allow-Origin": "method.request.header.Origin", "Vary": "'Origin'"}


def rest_refusals(
    cors: CORS | None, hsts: HSTS | None, problem: ProblemWording | None, *, signed: bool = False
) -> dict[str, Any]:
    """The ``GatewayResponses`` of ``AWS::Serverless::Api``; ``signed`` for one whose requests are signed (IAM)."""
    allowed = {} if cors is None else _cors_headers(cors)
    secure = {} if hsts is None else {"Strict-Transport-Security": f"'{hsts.value}'"}
    more: dict[str, _Refusal] = {}
    if problem is not None:
        more = {name: (status, {}, "") for name, status in _WORDED.items()}
    media = {} if problem is not None else {"Content-Type": f"'{PROBLEM_TYPE}'"}
    return {
        name: {
            **({} if status is None else {"StatusCode": status}),
            "ResponseParameters": {"Headers": {**media, **headers, **allowed, **_EVERY_ANSWER, **secure}},
            "ResponseTemplates": {JSON_TYPE: _body(status, detail, problem)},
        }
        for name, (status, headers, detail) in {**(_OF_SIGNED if signed else _RESPONSES), **more}.items()
    }


def _cors_headers(cors: CORS) -> dict[str, str]:
    """What lets pages read a refusal. Of several origins API Gateway cannot know one: it names the one that asks.

    So any page may read that it was refused; nothing else is in a refusal, and nobody gets in by it.
    """
    origin = cors.one_for_all
    named = {"Access-Control-Allow-Origin": f"'{origin}'"} if origin else _ECHOED
    return named | ({"Access-Control-Allow-Credentials": "'true'"} if cors.credentials else {})


def _body(status: int | None, detail: str, problem: ProblemWording | None) -> str:
    """The template of a body; of what the app says only that for a known status can be told."""
    title = _ANY_TITLE if status is None else title_of(status)
    known = {} if status is None else {"status": status}
    told = {"detail": detail} if detail else {}
    document = {"type": "about:blank", "title": title, **known, **told, "instance": REQUEST_ID}
    words = (
        None
        if problem is None or status is None
        else problem.example({**document, "detail": detail or title})
    )
    body = json.dumps(document if words is None else words[0], separators=(",", ":"), ensure_ascii=False)
    return body.replace(f'"{_ANY_TITLE}"', MESSAGE)
