"""DynamoDB's error codes, and botocore's and PynamoDB's exceptions, as HTTP errors: the table ``HTTP_ERRORS``.

For another status or detail of one of DynamoDB's error codes, change its row. The cause goes to the log
(``raise … from``); nothing of it goes to the client.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from polymicro_lambda.exceptions import (
    Conflict,
    ContentTooLarge,
    HTTPError,
    InsufficientStorage,
    InternalError,
    NotFound,
    ServiceUnavailable,
)
from polymicro_lambda.types import RawItem

NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)
"""botocore's exceptions before a request has been sent."""
CLIENT_ERRORS = (BotoCoreError, ClientError, PynamoDBException)
"""The exceptions that DynamoDB's client raises."""
CONDITION_FAILED = "ConditionalCheckFailed"
"""The code of a write whose condition did not hold, alone or in a transaction."""
CANCELED = "TransactionCanceled"
"""The code of a transaction that was not carried out; its response has a reason for each item."""
RETRY_SECONDS = 3
"""``Retry-After`` is 1 to this many seconds, at random, so that clients do not come back all at once."""


def retry_after() -> dict[str, str]:
    """The header ``Retry-After``, with jitter."""
    return {"retry-after": str(1 + secrets.randbelow(RETRY_SECONDS))}


def database_busy() -> HTTPError:
    """503: DynamoDB refuses because of too many requests."""
    return ServiceUnavailable("The database is busy: try again later.", headers=retry_after())


def no_answer() -> HTTPError:
    """503: DynamoDB has said nothing, or nothing of use."""
    return ServiceUnavailable("The database does not answer: try again later.", headers=retry_after())


def _conflict() -> HTTPError:
    return Conflict("The item has changed meanwhile, or is there already.")


def _concurrent_write() -> HTTPError:
    return Conflict("Somebody else is changing this item: try again.", headers=retry_after())


HTTP_ERRORS: Mapping[str, Callable[[], HTTPError]] = MappingProxyType(
    {
        CONDITION_FAILED: _conflict,
        "DuplicateItem": _conflict,
        "InternalServerError": no_answer,
        "ItemCollectionSizeLimitExceeded": lambda: InsufficientStorage(
            "No more items fit under this partition key (10 GB, the local secondary indexes included)."
        ),
        "LimitExceeded": database_busy,
        "ProvisionedThroughputExceeded": database_busy,
        "RequestLimitExceeded": database_busy,
        "ServiceUnavailable": no_answer,
        "ReplicatedWriteConflict": _concurrent_write,
        "Throttling": database_busy,
        "ThrottlingError": database_busy,
        "TransactionConflict": _concurrent_write,
        "TransactionInProgress": _concurrent_write,
    }
)
"""Error code without ``Exception`` at its end -> HTTP error.

The codes are those of DynamoDB's API reference, "Common Errors" and each operation's. A code that is not here is
a 503 if DynamoDB's status is 5xx, else a 500.
"""

REASONS = (
    "TransactionConflict",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    CONDITION_FAILED,
    "DuplicateItem",
    "ItemCollectionSizeLimitExceeded",
)
"""Reasons of a canceled transaction (API reference, TransactWriteItems), from the one that another try helps most
against. The last of several is the transaction's; a reason that is not here comes after all of these."""

# "Item size has exceeded …" of a put, "Item size to update has exceeded …" of an update.
TOO_LARGE: Mapping[str, str] = MappingProxyType(
    {
        "Item size ": "The item is larger than the 400 KB that DynamoDB stores.",
        "Transaction payload size ": "The items are together larger than the 4 MB of one transaction: send fewer.",
    }
)
"""Beginning of a ValidationException's message -> detail of the 413."""

START_KEY_REFUSALS = ("starting key", "exclusive start key", "cannot be restarted")
"""Texts, in lower case, of the ValidationException of a Query or Scan whose ExclusiveStartKey is none of its own."""


def error_code(error: BaseException) -> str:
    """DynamoDB's error code without ``Exception`` at its end, empty where there is none."""
    cause = _cause(error)
    if not isinstance(cause, ClientError):
        return ""
    code: str = cause.response.get("Error", {}).get("Code", "")
    return code.removesuffix("Exception")


def http_error_of(error: BaseException) -> HTTPError | None:
    """The HTTP error for an exception of DynamoDB's client, None for any other exception."""
    if isinstance(error, DoesNotExist):
        return NotFound()
    cause = _cause(error)
    if isinstance(cause, BotoConnectionError | HTTPClientError):
        return no_answer()
    if isinstance(cause, ClientError):
        return _response_error(error_code(error), _response(cause))
    return InternalError() if isinstance(error, BotoCoreError | PynamoDBException) else None


def is_start_key_refused(error: BaseException) -> bool:
    """Whether DynamoDB, or the HTTP error made of its answer, refuses the key that a page starts after."""
    cause = _cause(error.__cause__ if isinstance(error, HTTPError) and error.__cause__ else error)
    if not isinstance(cause, ClientError) or error_code(cause) != "Validation":
        return False
    message = _response(cause).get("Error", {}).get("Message", "").lower()
    return any(text in message for text in START_KEY_REFUSALS)


def _cause(error: BaseException) -> BaseException:
    """Botocore's exception inside of PynamoDB's, else the exception itself."""
    return getattr(error, "cause", None) or error


def _response_error(code: str, response: Mapping[str, Any]) -> HTTPError:
    """The HTTP error for an error response of DynamoDB, or of a proxy before it."""
    errors = [response.get("Error", {}), *response.get("CancellationReasons", ())]
    for start, detail in TOO_LARGE.items():
        if any(
            one.get("Message", "").startswith(start) for one in errors if "Validation" in one.get("Code", "")
        ):
            return ContentTooLarge(detail)
    if code == CANCELED:
        code = _hardest_reason(response.get("CancellationReasons", ()))
    return HTTP_ERRORS.get(code, no_answer if _status(response) >= 500 else InternalError)()


def _status(response: Mapping[str, Any]) -> int:
    status: int = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _is_server_error(error: BaseException) -> bool:
    """Whether the response is a 5xx, of DynamoDB or a proxy before it: the write may have been carried out."""
    return isinstance(error, ClientError) and _status(_response(error)) >= 500


def _hardest_reason(reasons: Iterable[Mapping[str, str]]) -> str:
    """The reason that another try helps least against."""
    codes = [code for reason in reasons if (code := reason.get("Code", "None")) != "None"]
    return max(codes, key=lambda code: REASONS.index(code) if code in REASONS else len(REASONS), default="")


def _response(error: ClientError) -> Mapping[str, Any]:
    """DynamoDB's own response: PynamoDB's error repeats only a part of it."""
    whole = getattr(error.__cause__, "response", None) or error.response
    return cast("Mapping[str, Any]", whole)


def http_error_from_client(error: Exception) -> HTTPError:
    """The HTTP error for one of ``CLIENT_ERRORS``."""
    return http_error_of(error) or InternalError()


class _ErrorTranslation:
    """A context manager without state: one object serves all blocks."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, CLIENT_ERRORS):
            raise http_error_from_client(error) from error


_TRANSLATION = _ErrorTranslation()


def translating_errors() -> _ErrorTranslation:
    """A context manager that raises an ``HTTPError`` for one of ``CLIENT_ERRORS``; other exceptions pass."""
    return _TRANSLATION


def cancellation_reasons(error: BaseException) -> list[str]:
    """The reasons of a canceled transaction, a code for each item in order; empty for another error."""
    return [code for code, _ in cancellation_items(error)]


def cancellation_items(error: BaseException) -> list[tuple[str, RawItem | None]]:
    """The reasons of a canceled transaction, each with the item that failed its condition, if there is one."""
    if not isinstance(error, ClientError) or error_code(error) != CANCELED:
        return []
    reasons = _response(error).get("CancellationReasons", ())
    return [(reason.get("Code", "None"), reason.get("Item") or None) for reason in reasons]


def is_answer_lost(error: BaseException) -> bool:
    """Whether the request may have been carried out although no answer came."""
    if isinstance(error, NOT_SENT):
        return False
    return isinstance(error, BotoConnectionError | HTTPClientError) or _is_server_error(error)


def item_of_failed_condition(error: ClientError) -> RawItem | None:
    """The item that failed a condition (``ReturnValuesOnConditionCheckFailure``), None if there is none."""
    item = _response(error).get("Item")
    return item if isinstance(item, dict) and item else None
