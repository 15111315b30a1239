"""API Gateway's part before the app is called: asking a Lambda authorizer and obeying its answer."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from polymicro_lambda.testing import FakeContext, make_event
from polymicro_lambda.types import Handler

logger = logging.getLogger(__name__)

SOURCES = {"rest": "rest", "http": "http", "url": "http", "alb": "rest"}
"""Whose authorizer event a source gets; AWS has none for function URLs and load balancers."""

SCALARS = (str, int, float, bool)
"""What a REST API's authorizer may put into its context; anything else is a 500 there."""


class Refused(Exception):
    """The gateway answers by itself, with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def authorize(authorizer: Handler, request: Mapping[str, Any], *, source: str) -> dict[str, Any]:
    """Ask ``authorizer`` about ``request`` (arguments of ``make_event``) and return its context.

    Raises ``Refused``: 401 without an Authorization header or when it raises ``Unauthorized``, 403 when it
    does not allow this very request, 500 when it fails or its answer cannot be read.
    """
    kind = SOURCES[source]
    token = next((value for name, value in request["headers"].items() if name.lower() == "authorization"), "")
    if not token:
        logger.warning("There is no Authorization header, which API Gateway answers with 401.")
        raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized")
    event = EVENTS[kind](make_event(**{**request, "body": None}, source=kind), token)
    try:
        answer = _ask(authorizer, event, token)
        return _obey(answer, event.get("methodArn") or event["routeArn"], kind)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        logger.exception("The authorizer's answer cannot be read, which API Gateway answers with 500.")
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error") from error


def _rest_event(event: dict[str, Any], _: str) -> dict[str, Any]:
    arn = _arn(event["requestContext"], event["httpMethod"], event["path"])
    return {**event, "type": "REQUEST", "methodArn": arn}


def _http_event(event: dict[str, Any], token: str) -> dict[str, Any]:
    arn = _arn(event["requestContext"], event["requestContext"]["http"]["method"], event["rawPath"])
    return {**event, "type": "REQUEST", "routeArn": arn, "identitySource": [token]}


EVENTS: Mapping[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "rest": _rest_event,
    "http": _http_event,
}
"""Source -> what its API makes of a request's event for a REQUEST authorizer (payload 1.0 and 2.0)."""


def _arn(context: Mapping[str, Any], method: str, path: str) -> str:
    """The request's execute-api ARN, ``…:region:account:api/stage/METHOD/path``."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    api = f"arn:aws:execute-api:{region}:{context['accountId']}:{context['apiId']}"
    return f"{api}/{context['stage']}/{method}{path}"


def _ask(authorizer: Handler, event: dict[str, Any], token: str) -> dict[str, Any]:
    try:
        return authorizer(event, FakeContext())
    except Exception as error:
        if str(error) == "Unauthorized":  # the one message that API Gateway turns into 401
            logger.warning(
                "The authorizer refused the token%s, which API Gateway answers with 401.", _why(error, token)
            )
            raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized") from error
        logger.exception("The authorizer raised, which API Gateway answers with 500.")
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error") from error


def _why(error: Exception, token: str) -> str:
    """Why a token is refused, in brackets, as far as it shows: the kind of what the authorizer met, or the header."""
    if error.__cause__ is not None:
        return f" ({type(error.__cause__).__name__})"
    return "" if token.lower().startswith("bearer ") else ' (no "Bearer" stands before it)'


def _obey(answer: Mapping[str, Any], arn: str, kind: str) -> dict[str, Any]:
    """The context of an answer that allows ``arn``: a simple response or an IAM policy."""
    context = dict(answer.get("context") or {})
    if kind == "http" and "isAuthorized" in answer:
        if answer["isAuthorized"] is not True:
            raise Refused(HTTPStatus.FORBIDDEN, "Forbidden")
        return context
    effects = {statement["Effect"] for statement in _applying(answer["policyDocument"], arn)}
    if effects != {"Allow"}:
        denied = " with an explicit deny" if effects else ""
        raise Refused(HTTPStatus.FORBIDDEN, f"User is not authorized to access this resource{denied}")
    if kind == "rest" and not all(isinstance(value, SCALARS) for value in context.values()):
        raise TypeError("A REST API's authorizer context holds strings, numbers and booleans only.")
    return {**context, "principalId": answer["principalId"]}


def _applying(policy: Mapping[str, Any], arn: str) -> Iterator[Mapping[str, Any]]:
    """The policy's statements that speak of invoking ``arn``."""
    for statement in _several(policy["Statement"]):
        actions, resources = _several(statement["Action"]), _several(statement["Resource"])
        if _any_matches(actions, "execute-api:Invoke") and _any_matches(resources, arn):
            yield statement


def _several(value: Any) -> list[Any]:
    """IAM writes one of a thing without the list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _any_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of IAM's patterns, where ``*`` is anything and ``?`` any one character, covers ``text``."""
    return any(re.fullmatch(_expression(pattern), text, re.DOTALL) for pattern in patterns)


def _expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
