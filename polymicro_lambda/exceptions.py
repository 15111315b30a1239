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
        ├── TooManyRequests       429
        ├── InternalError         500
        ├── ServiceUnavailable    503
        └── InsufficientStorage   507

Raise an ``HTTPError`` from a verb to answer with it. Its ``detail`` and ``errors`` go to the client:
never put a library's exception text, a table name or an ARN in them.
"""

from collections.abc import Mapping
from http.client import responses as phrases
from typing import Any, ClassVar

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
    "TooManyRequests",
    "Unauthorized",
    "Unprocessable",
    "UnsupportedMediaType",
]


# Python before 3.13 still has the phrases of RFC 7231 for these two; RFC 9110 renamed them.
RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}


def title_of(status: int) -> str:
    """The phrase of a status."""
    return RENAMED.get(status) or phrases.get(status, "Error")


class PolymicroError(Exception):
    """The root of every error of this package."""


class ConfigurationError(PolymicroError):
    """A declaration that cannot be compiled; the text names the class and the attribute."""


class HTTPError(PolymicroError):
    """Ends a request with a problem document (RFC 9457).

    ``detail`` says what to do and is sent to the client; ``errors`` are messages for single fields or
    parameters; ``headers`` are added to the response, ``members`` to the document. The cause of a 5xx goes to
    the log, through ``raise … from cause``.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"
    hint: ClassVar[str | None] = None
    """What ``detail`` says where nothing better is known."""

    def __init_subclass__(cls) -> None:
        cls.title = title_of(cls.status)

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: FieldErrors = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or self.hint
        super().__init__(self.detail or self.title)
        if isinstance(errors, Mapping):
            raise TypeError('errors is a list of messages, each a {"pointer": "#/text", "detail": "…"}')
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})


class BadRequest(HTTPError):
    """400: the request cannot be read: its body, its query or its cursor."""

    status = 400


class Unauthorized(HTTPError):
    """401: a user is needed and there is none."""

    status = 401


class Forbidden(HTTPError):
    """403: this user may not do this."""

    status = 403


class NotFound(HTTPError):
    """404: there is nothing here that this user may know of."""

    status = 404
    hint = "There is no such item, or you may not see it."


class MethodNotAllowed(HTTPError):
    """405: the path exists, the HTTP verb does not; ``Allow`` names those that do."""

    status = 405


class NotAcceptable(HTTPError):
    """406: nothing that ``Accept`` asks for can be given."""

    status = 406


class Conflict(HTTPError):
    """409: the item is there already, or somebody changed it meanwhile."""

    status = 409


class PreconditionFailed(HTTPError):
    """412: ``If-Match`` does not hold."""

    status = 412


class ContentTooLarge(HTTPError):
    """413: the body is over the limit, or the item over DynamoDB's 400 KB."""

    status = 413


class UnsupportedMediaType(HTTPError):
    """415: the body's ``Content-Type`` is not one that can be read."""

    status = 415


class Unprocessable(HTTPError):
    """422: the body is JSON, but the schema says no. With ``errors`` alone ``detail`` says that much."""

    status = 422

    def __init__(self, detail: str | None = None, *, errors: FieldErrors = (), **more: Any) -> None:
        super().__init__(
            detail or ("The body does not fit the schema." if errors else None), errors=errors, **more
        )


class PreconditionRequired(HTTPError):
    """428: the resource asks for ``If-Match`` and there is none (RFC 6585)."""

    status = 428


class TooManyRequests(HTTPError):
    """429: the user has used up a quota (RFC 6585); ``Retry-After`` says when there is another."""

    status = 429


class InternalError(HTTPError):
    """500: a bug, a missing table or wrong credentials; the cause is logged, never sent."""

    hint = "This is our fault; the log says more under the request id in instance."


class ServiceUnavailable(HTTPError):
    """503: DynamoDB does not answer now; ``Retry-After`` says when to try again."""

    status = 503


class InsufficientStorage(HTTPError):
    """507: the item collection is full (10 GB under a table with local secondary indexes)."""

    status = 507
