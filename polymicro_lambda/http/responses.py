"""One HTTP response, before an event source writes it as its payload; problem documents (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.types import MAX_ERRORS

from . import strict_json

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"  # RFC 9457, section 3


@dataclass(slots=True)
class Response:
    """A status, headers by lower-case name, and the body's bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


NEXT_COOKIE = "\n"
"""What stands between cookies in one header: no header's value holds it."""


def joined_values(name: str, values: Sequence[str]) -> str:
    """Several values of a header as one: with commas (RFC 9110, section 5.3), which would break cookies."""
    if name == "set-cookie":
        return NEXT_COOKIE.join(" ".join(value.splitlines()) for value in values)
    return ", ".join(values)


def json_response(
    status: int,
    value: Any,
    headers: Mapping[str, str] | None = None,
    default: Callable[[Any], Any] | None = None,
) -> Response:
    """A response with a JSON body; ``default`` is that of ``json.dumps``."""
    return Response(
        status, {"content-type": JSON_TYPE, **(headers or {})}, strict_json.json_bytes(value, default)
    )


def problem_response(error: HTTPError, request_id: str) -> Response:
    """The problem document of an error as a response; ``instance`` is the request id."""
    said = ((name.lower(), value) for name, value in error.headers.items())
    headers = {"content-type": PROBLEM_TYPE, **{name: joined_values(name, [value]) for name, value in said}}
    return Response(error.status, headers, strict_json.json_bytes(problem_document(error, request_id)))


def problem_document(error: HTTPError, request_id: str = "") -> dict[str, Any]:
    """The problem document of an error (RFC 9457).

    ``type`` is ``about:blank``: the status alone is the kind of problem, and ``title`` is its phrase (section 4.2.1).
    """
    members: dict[str, Any] = {
        **error.members,
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
    }
    if error.detail:
        members["detail"] = error.detail
    if request_id:
        members["instance"] = request_id
    if error.errors:
        members["errors"] = list(error.errors)[:MAX_ERRORS]
    return members
