"""API Gateway's part before the app: the call of a Lambda authorizer, and its answer as context or refusal."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from polymicro_lambda.testing import FakeContext, make_event
from polymicro_lambda.types import Handler

logger = logging.getLogger(__name__)

AUTHORIZER_APIS = {"rest": "rest", "http": "http", "url": "http", "alb": "rest", "lattice": "rest"}
"""Source -> the API whose authorizer event it gets; AWS has no authorizers for the last three."""

SCALARS = (str, int, float, bool)
"""Types of values in the context of a REST API's authorizer; API Gateway answers any other with 500."""


class Refused(Exception):
    """The gateway answers without the app, with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def authorize(
    authorizer: Handler, request: Mapping[str, Any], *, source: str, optional: bool = False
) -> dict[str, Any]:
    """Ask ``authorizer`` about ``request`` (arguments of ``make_event``) and return its context.

    An ``optional`` one is asked for requests without a token too.

    Raises ``Refused``: 401 without an Authorization header or when it raises ``Unauthorized``, 403 when it
    does not allow this very request, 500 when it fails or its answer cannot be read.
    """
    kind = AUTHORIZER_APIS[source]
    token = next((value for name, value in request["headers"].items() if name.lower() == "authorization"), "")
    if not token and not optional:
        logger.warning("There is no Authorization header, which API Gateway answers with 401.")
        raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized")
    event = AUTHORIZER_EVENTS[kind](make_event(**{**request, "body": None}, source=kind), token)
    if optional:
        event.pop("identitySource", None)
    try:
        answer = _call_authorizer(authorizer, event, token)
        return _allowed_context(answer, event.get("methodArn") or event["routeArn"], kind)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        logger.exception("The authorizer's answer cannot be read, which API Gateway answers with 500.")
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error") from error


def _rest_event(event: dict[str, Any], _: str) -> dict[str, Any]:
    arn = _arn(event["requestContext"], event["httpMethod"], event["path"])
    return {**event, "type": "REQUEST", "methodArn": arn}


def _http_event(event: dict[str, Any], token: str) -> dict[str, Any]:
    arn = _arn(event["requestContext"], event["requestContext"]["http"]["method"], event["rawPath"])
    return {**event, "type": "REQUEST", "routeArn": arn, "identitySource": [token]}


AUTHORIZER_EVENTS: Mapping[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "rest": _rest_event,
    "http": _http_event,
}
"""API -> the event for its REQUEST authorizer (payload 1.0 and 2.0), made of the request's event and token."""


def _arn(context: Mapping[str, Any], method: str, path: str) -> str:
    """The request's execute-api ARN, ``…:region:account:api/stage/METHOD/path``."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    api = f"arn:aws:execute-api:{region}:{context['accountId']}:{context['apiId']}"
    return f"{api}/{context['stage']}/{method}{path}"


def _call_authorizer(authorizer: Handler, event: dict[str, Any], token: str) -> dict[str, Any]:
    try:
        return authorizer(event, FakeContext())
    except Exception as error:
        if str(error) == "Unauthorized":  # the one message that API Gateway turns into 401
            logger.warning(
                "The authorizer refused the token%s, which API Gateway answers with 401.",
                _refusal_reason(error, token),
            )
            raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized") from error
        logger.exception("The authorizer raised, which API Gateway answers with 500.")
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error") from error


def _refusal_reason(error: Exception, token: str) -> str:
    """The reason of a refusal, in brackets, as far as it shows: the class of the cause, or a header without Bearer."""
    if error.__cause__ is not None:
        return f" ({type(error.__cause__).__name__})"
    return "" if token.lower().startswith("bearer ") else ' (no "Bearer" stands before it)'


def _allowed_context(answer: Mapping[str, Any], arn: str, kind: str) -> dict[str, Any]:
    """The context of an answer, a simple response or an IAM policy; raises ``Refused`` unless it allows ``arn``."""
    context = dict(answer.get("context") or {})
    if kind == "http" and "isAuthorized" in answer:
        if answer["isAuthorized"] is not True:
            raise Refused(HTTPStatus.FORBIDDEN, "Forbidden")
        return context
    effects = {statement["Effect"] for statement in _applicable_statements(answer["policyDocument"], arn)}
    if effects != {"Allow"}:
        denied = " with an explicit deny" if effects else ""
        raise Refused(HTTPStatus.FORBIDDEN, f"User is not authorized to access this resource{denied}")
    if kind == "rest" and not all(isinstance(value, SCALARS) for value in context.values()):
        raise TypeError("A REST API's authorizer context holds strings, numbers and booleans only.")
    return {**context, "principalId": answer["principalId"]}


def _applicable_statements(policy: Mapping[str, Any], arn: str) -> Iterator[Mapping[str, Any]]:
    """The policy's statements about invoking ``arn``."""
    for statement in _as_list(policy["Statement"]):
        actions, resources = _as_list(statement["Action"]), _as_list(statement["Resource"])
        if _any_matches(actions, "execute-api:Invoke") and _any_matches(resources, arn):
            yield statement


def _as_list(value: Any) -> list[Any]:
    """The values as a list; IAM writes a single one without it."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _any_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether ``text`` fits one of IAM's patterns: ``*`` is any text, ``?`` any one character."""
    return any(re.fullmatch(_regex(pattern), text, re.DOTALL) for pattern in patterns)


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


# --- refusals ------------------------------------------------------------------------------------------------

_REFUSALS = {401: "UNAUTHORIZED", 403: "ACCESS_DENIED", 500: "AUTHORIZER_FAILURE"}
"""Status of a refusal -> the name of the gateway response that a REST API takes."""


def refusal_of_rest(refused: Refused, said: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """A REST API's own answer, by the ``GatewayResponses`` that its template says."""
    default = "DEFAULT_5XX" if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_4XX"
    response = said.get(_REFUSALS.get(refused.status, default)) or said[default]
    sent = {f"method.request.header.{name.title()}": value for name, value in request["headers"].items()}
    values = response["ResponseParameters"]["Headers"]
    headers = {name: value[1:-1] if value[0] == "'" else sent.get(value) for name, value in values.items()}
    ((media, body),) = response["ResponseTemplates"].items()
    body = body.replace("$context.error.messageString", json.dumps(refused.message))
    return {
        "statusCode": refused.status,
        "headers": {"Content-Type": media} | {name: one for name, one in headers.items() if one is not None},
        "body": body.replace("$context.requestId", request["request_id"]),
    }
