"""Every error of this package.

    PolymicroError
    ├── ConfigurationError        a declaration that cannot be compiled
    └── HTTPError                 ends a request with a problem document
        ├── BadRequest            400
        ├── Unauthorized          401
        ├── Forbidden             403
        ├── NotFound              404
        ├── MethodNotAllowed      405
        ├── NotAcceptable         406
        ├── Conflict              409
        ├── PreconditionFailed    412
        ├── ContentTooLarge       413
        ├── UnsupportedMediaType  415
        ├── Unprocessable         422
        ├── PreconditionRequired  428
        ├── InternalError         500
        ├── ServiceUnavailable    503
        └── InsufficientStorage   507

Raise an ``HTTPError`` from a verb to answer with it. Its ``detail`` and ``errors`` go to the client:
never put a library's exception text, a table name or an ARN in them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from .types import FieldErrors

__all__ = [
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ContentTooLarge",
    "Forbidden",
    "HTTPError",
    "InsufficientStorage",
    "InternalError",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "PolymicroError",
    "PreconditionFailed",
    "PreconditionRequired",
    "ServiceUnavailable",
    "Unauthorized",
    "Unprocessable",
    "UnsupportedMediaType",
]


class PolymicroError(Exception):
    """The root of every error of this package."""


class ConfigurationError(PolymicroError):
    """A declaration that cannot be compiled; the text names the class and the attribute."""


class HTTPError(PolymicroError):
    """Ends a request with a problem document (RFC 9457).

    ``detail`` says what to do and is sent to the client; ``errors`` are messages for single fields or
    parameters; ``headers`` are added to the response. The cause of a 5xx goes to the log, through
    ``raise … from cause``.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: FieldErrors = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.status.phrase)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class BadRequest(HTTPError):
    """400: the request cannot be read: its body, its query or its cursor."""

    status = HTTPStatus.BAD_REQUEST


class Unauthorized(HTTPError):
    """401: a user is needed and there is none."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(HTTPError):
    """403: this user may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(HTTPError):
    """404: there is nothing here that this user may know of."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(HTTPError):
    """405: the path exists, the HTTP verb does not; ``Allow`` names those that do."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class NotAcceptable(HTTPError):
    """406: nothing that ``Accept`` asks for can be given."""

    status = HTTPStatus.NOT_ACCEPTABLE


class Conflict(HTTPError):
    """409: the item is there already, or somebody changed it meanwhile."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(HTTPError):
    """412: ``If-Match`` does not hold."""

    status = HTTPStatus.PRECONDITION_FAILED


class ContentTooLarge(HTTPError):
    """413: the body is over the limit, or the item over DynamoDB's 400 KB."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(HTTPError):
    """415: the body's ``Content-Type`` is not one that can be read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Unprocessable(HTTPError):
    """422: the body is JSON, but the schema says no."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class PreconditionRequired(HTTPError):
    """428: the resource asks for ``If-Match`` and there is none (RFC 6585)."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class InternalError(HTTPError):
    """500: a bug, a missing table or wrong credentials; the cause is logged, never sent."""


class ServiceUnavailable(HTTPError):
    """503: DynamoDB does not answer now; ``Retry-After`` says when to try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class InsufficientStorage(HTTPError):
    """507: the item collection is full (10 GB under a table with local secondary indexes)."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
