"""Errors as answers: problem documents (RFC 9457), or what ``PolyMicro(problem=…)`` makes of them."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError, HTTPError, InternalError
from polymicro_lambda.http import (
    JSON_TYPE,
    PROBLEM_TYPE,
    Request,
    Response,
    json_bytes,
    problem_document,
    problem_response,
    read_json,
)
from polymicro_lambda.observability import Observation, report_error, safely

from .responses.response_limits import fits, slimmed
from .responses.verb_results import header_texts

WHERE = "PolyMicro.problem"


class ProblemWording:
    """What an app makes of problem documents.

    ``function(document, request)`` gives the body to send, a JSON value, or body and headers; one of one argument gets
    the document alone. ``request`` is None where there is none: the event is malformed, or a gateway refuses. Raises
    ``ConfigurationError``.
    """

    def __init__(self, function: Any) -> None:
        if not callable(function):
            raise ConfigurationError(f"{WHERE} must be a function of document and request, not {function!r}")
        self.function = function
        self._takes_request = _takes(function, 2)
        if not self._takes_request and not _takes(function, 1):
            raise ConfigurationError(f"{WHERE} must take two arguments: def problem(document, request)")

    def response(self, error: HTTPError, request_id: str, request: Request | None) -> Response:
        """The answer to an error; where the function fails a plain 500, and its cause is logged."""
        usual = problem_response(error, request_id)
        try:
            content, own = self._worded(problem_document(error, request_id), request)
            return Response(error.status, {**usual.headers, **own}, content)
        except Exception as failure:  # noqa: BLE001 - it is the app's own
            return self._failed(failure, request_id)

    def body(self, error: HTTPError) -> Any:
        """The body that stands for an error inside of another answer; the usual one where the function fails."""
        document = problem_document(error)
        try:
            return read_json(self._worded(document, None)[0])
        except Exception as failure:  # noqa: BLE001 - it is the app's own
            self._failed(failure, "")
            return document

    def example(self, document: Mapping[str, Any]) -> tuple[Any, str] | None:
        """The body for a document, and its media type; None where the function fails without a request."""
        try:
            content, headers = self._worded(document, None)
        except Exception:  # noqa: BLE001 - it is the app's own
            return None
        return read_json(content), headers["content-type"].partition(";")[0].strip()

    def _worded(self, document: Mapping[str, Any], request: Request | None) -> tuple[bytes, dict[str, str]]:
        """The body and its headers. Raises what the function raises, and for what is neither JSON nor headers."""
        given = {**document}
        found = self.function(given, request) if self._takes_request else self.function(given)
        body, headers = _body_and_headers(found)
        media = PROBLEM_TYPE if _is_problem(body, document["status"]) else JSON_TYPE
        return json_bytes(body), {"content-type": media, **header_texts(headers, WHERE)}

    def _failed(self, failure: Exception, request_id: str) -> Response:
        wrong = isinstance(failure, ConfigurationError)  # its text is of what was returned, and has no values
        message = str(failure) if wrong else f"{WHERE} failed: {type(failure).__name__}"
        report_error("%s", message, cause=failure, status=500)
        return problem_response(InternalError(), request_id)


def wording_of(setting: Any) -> ProblemWording | None:
    """What ``PolyMicro(problem=…)`` words errors by, None for problem documents. Raises ``ConfigurationError``."""
    return None if setting is None else ProblemWording(setting)


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # one of C's
        return count == 1
    return True


def _body_and_headers(found: Any) -> tuple[Any, Mapping[Any, Any]]:
    """What the function gave, apart. Raises ``ConfigurationError``."""
    if found is None:
        raise ConfigurationError(f"{WHERE} returned nothing: return the body")
    if not isinstance(found, tuple):
        return found, {}
    if len(found) != 2 or not isinstance(found[1], Mapping):
        kinds = ", ".join(type(one).__name__ for one in found)
        raise ConfigurationError(f"{WHERE} returned ({kinds}): return (body, headers); the status stays")
    return found


def _is_problem(body: Any, status: int) -> bool:
    """Whether a body is a problem document still: with other texts or more members, but about this status."""
    return (
        isinstance(body, Mapping) and {"type", "title", "status"} <= body.keys() and body["status"] == status
    )


def error_response(error: HTTPError, seen: Observation, wording: ProblemWording | None) -> Response:
    """The answer to an error, slimmer where its source does not carry all of it; notes of developers are logged."""
    for note in getattr(error, "__notes__", ()):  # it may name what the user must not know
        safely(seen.logger.info, note)
    respond = problem_response if wording is None else _worded(wording, seen.request)
    response = respond(error, seen.request_id)
    if seen.request is None or fits(response.body, seen.request.source):
        return response
    response = respond(slimmed(error), seen.request_id)
    return (
        response
        if fits(response.body, seen.request.source)
        else problem_response(slimmed(error), seen.request_id)
    )


def _worded(wording: ProblemWording, request: Request | None) -> Callable[[HTTPError, str], Response]:
    return lambda error, request_id: wording.response(error, request_id, request)
