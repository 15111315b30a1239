"""What each failure of DynamoDB, botocore and PynamoDB means to the client: one table.

The cause goes to the log (``raise … from``); nothing of it goes to the client.
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
CONDITION_FAILED = "ConditionalCheckFailed"
RETRY_SECONDS = 3
"""``Retry-After`` is 1 to this many seconds, at random, so that clients do not come back all at once."""


def retry_after() -> dict[str, str]:
    """The header ``Retry-After``, with jitter."""
    return {"retry-after": str(1 + secrets.randbelow(RETRY_SECONDS))}


def _busy() -> HTTPError:
    return ServiceUnavailable("The database is busy: try again later.", headers=retry_after())


def _away() -> HTTPError:
    return ServiceUnavailable("The database does not answer: try again later.", headers=retry_after())


def _changed() -> HTTPError:
    return Conflict("The item has changed meanwhile, or is there already.")


def _raced() -> HTTPError:
    return Conflict("Somebody else is changing this item: try again.", headers=retry_after())


# By error code of DynamoDB (API reference, "Common Errors" and each operation's), without its "Exception".
BY_CODE: Mapping[str, Callable[[], HTTPError]] = MappingProxyType(
    {
        CONDITION_FAILED: _changed,
        "DuplicateItem": _changed,
        "InternalServerError": _away,
        "ItemCollectionSizeLimitExceeded": lambda: InsufficientStorage(
            "No more items fit under this partition key (10 GB, the local secondary indexes included)."
        ),
        "LimitExceeded": _busy,
        "ProvisionedThroughputExceeded": _busy,
        "RequestLimitExceeded": _busy,
        "ServiceUnavailable": _away,
        "ReplicatedWriteConflict": _raced,
        "Throttling": _busy,
        "ThrottlingError": _busy,
        "TransactionConflict": _raced,
        "TransactionInProgress": _raced,
    }
)
CANCELED = "TransactionCanceled"
# The reasons of a canceled transaction (TransactWriteItems in the API reference), those first that another try
# may help against; any other is a fault, and weighs most.
REASONS = (
    "TransactionConflict",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    CONDITION_FAILED,
    "DuplicateItem",
    "ItemCollectionSizeLimitExceeded",
)

# "Item size has exceeded …" of a put, "Item size to update has exceeded …" of an update.
TOO_LARGE: Mapping[str, str] = MappingProxyType(
    {
        "Item size ": "The item is larger than the 400 KB that DynamoDB stores.",
        "Transaction payload size ": "The items are together larger than the 4 MB of one transaction: send fewer.",
    }
)
"""How the message of a ValidationException begins -> what is too large."""


def error_code(error: BaseException) -> str:
    """DynamoDB's error code without ``Exception`` at its end, empty where there is none."""
    cause = getattr(error, "cause", None) or error
    if not isinstance(cause, ClientError):
        return ""
    code: str = cause.response.get("Error", {}).get("Code", "")
    return code.removesuffix("Exception")


def http_error_of(error: BaseException) -> HTTPError | None:
    """The answer to a failure of the database's client, None for an exception of any other kind."""
    if isinstance(error, DoesNotExist):
        return NotFound()
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, BotoConnectionError | HTTPClientError):
        return _away()
    if isinstance(cause, ClientError):
        return _said(error_code(error), _response(cause))
    return InternalError() if isinstance(error, BotoCoreError | PynamoDBException) else None


def _said(code: str, response: Mapping[str, Any]) -> HTTPError:
    """The answer to an error response of DynamoDB's, or of a proxy before it."""
    said = [response.get("Error", {}), *response.get("CancellationReasons", ())]
    for start, detail in TOO_LARGE.items():
        if any(
            one.get("Message", "").startswith(start) for one in said if "Validation" in one.get("Code", "")
        ):
            return ContentTooLarge(detail)
    if code == CANCELED:
        code = _weightiest(response.get("CancellationReasons", ()))
    return BY_CODE.get(code, _away if _status(response) >= 500 else InternalError)()


def _status(response: Mapping[str, Any]) -> int:
    status: int = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _is_broken(error: BaseException) -> bool:
    """Whether DynamoDB, or a proxy before it, says that something broke: not whether before or after the write."""
    return isinstance(error, ClientError) and _status(_response(error)) >= 500


def _weightiest(reasons: Iterable[Mapping[str, str]]) -> str:
    """The reason that another try helps least against."""
    codes = [code for reason in reasons if (code := reason.get("Code", "None")) != "None"]
    return max(codes, key=lambda code: REASONS.index(code) if code in REASONS else len(REASONS), default="")


def _response(error: ClientError) -> Mapping[str, Any]:
    """DynamoDB's own response: PynamoDB's error repeats only a part of it."""
    whole = getattr(error.__cause__, "response", None) or error.response
    return cast("Mapping[str, Any]", whole)


CLIENT_ERRORS = (BotoCoreError, ClientError, PynamoDBException)
"""What DynamoDB's client raises."""


def answer_to(error: Exception) -> HTTPError:
    """The answer to what the client has raised."""
    return http_error_of(error) or InternalError()


class _Answering:
    """Keeps nothing of the block that it stands around: one serves all."""

    def __enter__(self) -> None:
        """The block begins."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, CLIENT_ERRORS):
            raise answer_to(error) from error


_ANSWERING = _Answering()


def translating_errors() -> _Answering:
    """Raises our errors in place of those of DynamoDB's client; every other exception passes."""
    return _ANSWERING


def cancellation_reasons(error: BaseException) -> list[str]:
    """Why a transaction was canceled, a code for each of its items in their order; empty for another error."""
    return [code for code, _ in cancellation_items(error)]


def cancellation_items(error: BaseException) -> list[tuple[str, RawItem | None]]:
    """The reasons of a canceled transaction, each with the item that its condition failed on, if there is one."""
    if not isinstance(error, ClientError) or error_code(error) != CANCELED:
        return []
    reasons = _response(error).get("CancellationReasons", ())
    return [(reason.get("Code", "None"), reason.get("Item") or None) for reason in reasons]


def is_answer_lost(error: BaseException) -> bool:
    """Whether the request may have been carried out although no answer came."""
    if isinstance(error, NOT_SENT):
        return False
    return isinstance(error, BotoConnectionError | HTTPClientError) or _is_broken(error)


def retry_count(error: BaseException) -> int:
    """How often botocore tried again before this error."""
    response: Mapping[str, Any] = getattr(error.__cause__ or error, "response", {})
    retries: int = response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    return retries


def item_of_failed_condition(error: ClientError) -> RawItem | None:
    """The item that a condition failed on (``ReturnValuesOnConditionCheckFailure``), None if there is none."""
    item = _response(error).get("Item")
    return item if isinstance(item, dict) and item else None
