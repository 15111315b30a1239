"""What each failure of DynamoDB, botocore and PynamoDB means to the client: one table.

The cause goes to the log (``raise … from``); nothing of it goes to the client.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from .exceptions import (
    Conflict,
    ContentTooLarge,
    HTTPError,
    InsufficientStorage,
    InternalError,
    NotFound,
    ServiceUnavailable,
)
from .types import RawItem

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


def _raced() -> HTTPError:
    return Conflict("Somebody else is changing this item: try again.", headers=retry_after())


# By error code of DynamoDB (API reference, "Common Errors" and each operation's), without its "Exception".
BY_CODE: Mapping[str, Callable[[], HTTPError]] = MappingProxyType(
    {
        CONDITION_FAILED: lambda: Conflict("The item has changed meanwhile, or is there already."),
        "InternalServerError": _away,
        "ItemCollectionSizeLimitExceeded": lambda: InsufficientStorage(
            "No more items fit under this partition key (10 GB, the local secondary indexes included)."
        ),
        "LimitExceeded": _busy,
        "ProvisionedThroughputExceeded": _busy,
        "RequestLimitExceeded": _busy,
        "ServiceUnavailable": _away,
        "Throttling": _busy,
        "TransactionConflict": _raced,
    }
)


def code_of(error: BaseException) -> str:
    """DynamoDB's error code without ``Exception`` at its end, empty where there is none."""
    cause = getattr(error, "cause", None) or error
    if not isinstance(cause, ClientError):
        return ""
    code: str = cause.response.get("Error", {}).get("Code", "")
    return code.removesuffix("Exception")


def translated(error: BaseException) -> HTTPError | None:
    """The answer to a failure of the database's client, None for an exception of any other kind."""
    if isinstance(error, DoesNotExist):
        return NotFound()
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, BotoConnectionError | HTTPClientError):
        return _away()
    if isinstance(cause, ClientError):
        message = cause.response.get("Error", {}).get("Message", "")
        # "Item size has exceeded …" of a put, "Item size to update has exceeded …" of an update.
        if code_of(error) == "Validation" and message.startswith("Item size "):
            return ContentTooLarge("The item is larger than the 400 KB that DynamoDB stores.")
        return BY_CODE.get(code_of(error), InternalError)()
    return InternalError() if isinstance(error, BotoCoreError | PynamoDBException) else None


@contextmanager
def answering() -> Iterator[None]:
    """Raises our errors in place of those of DynamoDB's client; every other exception passes."""
    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        raise translated(error) or InternalError() from error


def old_item(error: ClientError) -> RawItem | None:
    """The item that a condition failed on (``ReturnValuesOnConditionCheckFailure``), None if there is none."""
    response: Mapping[str, object] = getattr(error.__cause__ or error, "response", {})
    item = response.get("Item")
    return item if isinstance(item, dict) and item else None
