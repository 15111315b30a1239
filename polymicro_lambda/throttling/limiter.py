"""Counts the requests of each user in DynamoDB, by one conditional update for each request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import (
    CONDITION_FAILED,
    Digester,
    error_code,
    repeated_in_conflict,
    translating_errors,
)
from polymicro_lambda.exceptions import HTTPError, TooManyRequests
from polymicro_lambda.http import Request
from polymicro_lambda.observability import report_error

from .rate_limits import Rate, RateLimit

SPARE = 60
"""Seconds from a window's end until DynamoDB may remove its counter, as clocks differ."""
COUNT = {
    "UpdateExpression": "SET #expires = :expires ADD #used :one",
    "ConditionExpression": "attribute_not_exists(#used) OR #used < :most",
    "ExpressionAttributeNames": {"#expires": "expires", "#used": "used"},
    "ReturnValues": "UPDATED_NEW",
}


class Window(NamedTuple):
    """A user's window of time."""

    number: int
    """Counts the windows of this length."""
    left: int
    """Seconds until its end."""


@dataclass(frozen=True, slots=True)
class Limiter:
    """Counts requests, and refuses those over the quota."""

    limit: RateLimit
    user_id: Callable[[Any], str]
    digest: Digester

    def spend(self, rate: Rate, request: Request) -> dict[str, str]:
        """Count a request; the headers that tell the rest of the quota. Raises ``TooManyRequests``.

        Where DynamoDB cannot count, the error of that failure is raised, or no headers are given if the app fails open.
        """
        client = self.digest([rate.name, rate.seconds, *self._client(request)])
        window = self.window(client, rate.seconds)
        try:
            used = self._used(rate, self.digest([client, window.number]), window)
        except TooManyRequests:
            raise
        except HTTPError as error:
            if not self.limit.fail_open:
                raise
            report_error("A request was served although it could not be counted", cause=error.__cause__)
            return {}
        return _headers(rate, rate.requests - used, window)

    def _client(self, request: Request) -> list[str]:
        if request.user is not None:
            return ["user", self.user_id(request.user)]
        return ["address", self.limit.anonymous(request)]

    def window(self, client: str, seconds: int) -> Window:
        """The current window for the digest of a client.

        Each client's windows begin at another moment, so that not all come back at once.
        """
        now = self.limit.clock() + int.from_bytes(client[:4].encode()) % seconds
        number = int(now // seconds)
        return Window(number, ceil((number + 1) * seconds - now))

    def _used(self, rate: Rate, key: str, window: Window) -> int:
        """Count a request; the requests of the window until now. Raises ``TooManyRequests``."""
        values = {
            ":expires": {"N": str(int(self.limit.clock()) + window.left + SPARE)},
            ":one": {"N": "1"},
            ":most": {"N": str(rate.requests)},
        }
        asked = {"Key": {"id": {"S": key}}, "ExpressionAttributeValues": values, **COUNT}
        with translating_errors():
            try:
                data = repeated_in_conflict(partial(dynamodb.execute, rate.counters, "UpdateItem", **asked))
            except (ClientError, BotoCoreError) as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                raise _refused(rate, window) from error
        return int(data["Attributes"]["used"]["N"])


def _headers(rate: Rate, remaining: int, window: Window) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4."""
    return {
        "ratelimit-policy": rate.policy,
        "ratelimit": f'"{rate.name}";r={remaining};t={window.left}',
    }


def _refused(rate: Rate, window: Window) -> TooManyRequests:
    return TooManyRequests(
        f"{rate.requests} requests in {rate.seconds} seconds are all that you may make here:"
        f" try again in {window.left} seconds.",
        headers={**_headers(rate, 0, window), "retry-after": str(window.left)},
    )
