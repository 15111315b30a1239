"""What keeps an explanation from calling DynamoDB, where a permission would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError
from pynamodb.connection.base import Connection

from polymicro_lambda.permissions import Permission
from polymicro_lambda.rules import RuleContext, Verdict


class CallRefused(BaseException):
    """A call of DynamoDB that was not made; the text is its operation.

    No ``Exception``, so that a permission which takes a failed read for a no does not hide it.
    """


@contextmanager
def calls_refused() -> Iterator[list[Permission]]:
    """Let no DynamoDB call be made; the list has the permissions that would make one, each taken for a yes.

    Raises ``CallRefused`` where anything else would make one.
    """
    readers: list[Permission] = []
    decide = Permission.decide

    def decided(self: Permission, context: RuleContext, negated: bool = False) -> Verdict:
        try:
            return decide(self, context, negated)
        except (CallRefused, BotoCoreError):
            if self not in readers:
                readers.append(self)
            return True

    with (
        patch.object(Permission, "decide", decided),
        patch.object(Connection, "_make_api_call", _refuse),
        patch.object(BaseClient, "_make_api_call", _refuse),
    ):
        yield readers


def _refuse(_client: Any, operation: str, *_: Any, **__: Any) -> NoReturn:
    raise CallRefused(operation)
