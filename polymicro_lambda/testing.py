"""Drive an app as AWS would: events of every source, Lambda's context, and a client for tests.

>>> client = Client(pm, user=User("alice"))
>>> client.post("/todo", json={"text": "milk"}).status
201
"""

from ._client import Client, Result
from ._invocation import FakeClock, FakeContext, make_event
from ._strict import strict

__all__ = ["Client", "FakeClock", "FakeContext", "Result", "make_event", "strict"]
