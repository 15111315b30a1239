"""Drive an app as AWS would: events of every source, Lambda's context, and a client for tests.

>>> client = Client(pm, user=User("alice"))
>>> client.post("/todo", json={"text": "milk"}).status
201
"""

from .client import Client, Result
from .events import FakeClock, FakeContext, make_event
from .permission_matrix import assert_permission_matrix
from .strict_moto import checking as checking  # for the fixtures of this package, not for users
from .strict_moto import strict

__all__ = [
    "Client",
    "FakeClock",
    "FakeContext",
    "Result",
    "assert_permission_matrix",
    "make_event",
    "strict",
]
