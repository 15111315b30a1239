"""Content-Type, the body and the query of a request: read, or refused before any work."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from polymicro_lambda.exceptions import (
    BadRequest,
    ContentTooLarge,
    HTTPError,
    InternalError,
    Unprocessable,
    UnsupportedMediaType,
)

from . import strict_json
from .formats import BodyType, CellRows, media_type
from .requests import Request
from .responses import JSON_TYPE

MERGE_TYPE = "application/merge-patch+json"  # RFC 7396
_SURROGATE = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)
"""An escape for half a character in JSON; most come with their other half."""
MAX_UTF8_BYTES = 4
"""The most bytes of one character in UTF-8 (RFC 3629, section 3)."""


def read_body(
    request: Request, max_body: int, types: Sequence[BodyType] = (), *, optional: bool = False
) -> Any:
    """The body as JSON; ``{}`` where there is none and it is ``optional``, as an action's is.

    ``types`` are what it may be besides JSON. Raises, in this order, for its type (415), its size of more than
    ``max_body`` bytes (413), its syntax (400), and if ``optional`` for text that UTF-8 cannot carry (422), which else
    the item's schema refuses.
    """
    if optional and not request.content:
        return {}
    if not optional and _is_plain(request, max_body):
        return request.json
    return _checked_body(request, max_body, types, optional)


def _is_plain(request: Request, max_body: int) -> bool:
    """Whether the body is text with JSON's type and small enough, as most are: there is only its syntax to check."""
    content = request.content
    return (
        type(content) is str
        and content[:1] == "{"
        and len(content) * MAX_UTF8_BYTES <= max_body
        and not request.base64_encoded
        and request.headers.get("content-type") == JSON_TYPE
        and "content-encoding" not in request.headers
    )


def _checked_body(request: Request, max_body: int, types: Sequence[BodyType], optional: bool) -> Any:
    _check_encoding(request)
    body_type = _body_type(request, types)
    # Three quarters of a base64 text are what it decodes to: too much is refused undecoded.
    encoded = len(request.content or "") * 3 // 4 - 2 if request.base64_encoded else 0
    if encoded > max_body or len(request.body) > max_body:
        raise ContentTooLarge(f"The body may be at most {max_body} bytes.")
    if body_type is not None:
        return parsed_body(request, body_type, optional=optional)
    if not request.body.strip():
        raise BadRequest("The body is empty: send a JSON object.")
    if optional and _SURROGATE.search(request.body):
        _check_encodable(request.json)
    return request.json


def _check_encoding(request: Request) -> None:
    """Raise ``UnsupportedMediaType`` for a body that is compressed."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        # RFC 9110, section 15.5.16, says by which header the client sees that it was the coding.
        raise UnsupportedMediaType(
            "Send the body as it is, without Content-Encoding.", headers={"accept-encoding": "identity"}
        )


def _body_type(request: Request, types: Sequence[BodyType]) -> BodyType | None:
    """What the body is sent as, None for JSON. Raises ``UnsupportedMediaType``."""
    given = request.headers.get("content-type", JSON_TYPE)
    media, parameters = (given, {}) if given == JSON_TYPE else media_type(given)
    patch = request.method == "PATCH" and media == MERGE_TYPE
    body_type = next((one for one in types if one.media == media), None)
    is_utf8 = parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")
    if is_utf8 and (media == JSON_TYPE or patch or body_type is not None):
        return body_type
    others = [one.media for one in types]
    there = ", ".join([JSON_TYPE, MERGE_TYPE, *others])
    headers = {"accept-patch": there} if request.method == "PATCH" else {}
    listed = ", ".join([JSON_TYPE, *others])
    raise UnsupportedMediaType(f"Send the body as {listed} in UTF-8.", headers=headers)


def parsed_body(request: Request, body_type: BodyType, *, optional: bool) -> Any:
    """The body as its parser reads it, within the limits of JSON. Raises as ``read_body``."""
    if not request.body:
        raise BadRequest(f"The body is empty: it is sent as {body_type.media}, and nothing is in it.")
    try:
        found = body_type.parse(request.body)
        value = found if type(found) is CellRows else strict_json.as_read(found)
    except HTTPError:
        raise
    except RecursionError as error:
        raise BadRequest("The body is nested too deep.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not {body_type.media}.") from error
    except Exception as error:  # noqa: BLE001 - whatever an app's own raises
        failed = body_type.failed(error)
        failed.__cause__ = error
        raise InternalError() from failed
    if optional:
        _check_encodable(value)
    vars(request)["json"] = value
    return value


def _check_encodable(body: Any) -> None:
    try:
        strict_json.json_bytes(body, default=str)
    except UnicodeEncodeError as error:
        detail = "Holds a lone surrogate, which UTF-8 cannot carry."
        raise Unprocessable(
            "The body cannot be kept.", errors=[{"pointer": "#", "detail": detail}]
        ) from error


def read_query(
    request: Request, single: Collection[str], several: Collection[str] = (), *, strict: bool
) -> dict[str, tuple[str, ...]]:
    """The parameters of the query: one value for a name in ``single``, any number for a name in ``several``.

    Raises ``BadRequest`` for repeated names of ``single``, and if ``strict`` for unknown names.
    """
    errors = []
    for name, values in request.query.items():
        if name in single and len(values) > 1:
            errors.append(parameter_error(name, "is given more than once"))
        elif strict and name not in single and name not in several:
            errors.append(
                parameter_error(name, f"is not a parameter here{_allowed_names({*single, *several})}")
            )
    if errors:
        raise bad_query(errors)
    return {name: tuple(v) for name, v in request.query.items() if name in single or name in several}


def read_limit(text: str | None, default: int, max_limit: int) -> int:
    """The page size. Raises ``BadRequest`` unless it is a decimal number from 1 to ``max_limit``."""
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= max_limit):
        raise bad_query([parameter_error("limit", f"must be a number from 1 to {max_limit}")])
    return int(text)


def read_truth(name: str, text: str) -> bool:
    """Whether a parameter says ``true``. Raises ``BadRequest`` unless it says that or ``false``."""
    if text not in ("true", "false"):
        raise bad_query([parameter_error(name, "must be true or false")])
    return text == "true"


def _allowed_names(allowed: Collection[str]) -> str:
    return f"; there are {', '.join(sorted(allowed))}" if allowed else ""


def parameter_error(name: str, why: str) -> dict[str, str]:
    """The message for one parameter; ``why`` may be a field's own message, which ends in a full stop."""
    return {"parameter": name[:100], "detail": f"{name[:100]} {why.removesuffix('.')}."}


def bad_query(errors: list[dict[str, str]]) -> HTTPError:
    """The 400 of a query, with a message for each parameter."""
    return BadRequest("The query is not valid: " + errors[0]["detail"], errors=errors)
