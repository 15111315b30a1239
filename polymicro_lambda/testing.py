"""Drive an app as AWS would: events of every source, Lambda's context, and a client for tests.

>>> client = Client(pm, user=User("alice"))
>>> client.post("/todo", json={"text": "milk"}).status
201
"""

from ._client import Client, Result
from ._invocation import FakeClock, FakeContext, make_event
from ._matrix import assert_permission_matrix
from ._strict import strict

__all__ = [
    "Client",
    "FakeClock",
    "FakeContext",
    "Result",
    "assert_permission_matrix",
    "make_event",
    "strict",
]
