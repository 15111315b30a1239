"""For tests of an app: drive it as AWS would, without AWS.

>>> client = Client(pm, user=User("alice"))
>>> client.post("/todo", json={"text": "milk"}).status
201

In comes a request, of which a ``Client`` makes an event; out comes the handler's answer, as a ``Result``.
Open ``client`` for requests and results, ``events`` for an event's arguments and ``event_forms`` for its form by each
source, ``fake_context`` for Lambda's context and its clock, ``permission_matrix`` for the table of who may do what.
``serializability`` runs requests at once in every order of their calls.
``strict_moto`` makes moto refuse what DynamoDB refuses; its checks are in ``strict_parameters``,
``strict_expressions`` and ``strict_values``.
"""

from .client import Client, Result
from .events import BAD_TOKEN, make_event
from .fake_context import FakeClock, FakeContext
from .permission_matrix import assert_permission_matrix
from .serializability import assert_serializable
from .strict_moto import strict

__all__ = [
    "BAD_TOKEN",
    "Client",
    "FakeClock",
    "FakeContext",
    "Result",
    "assert_permission_matrix",
    "assert_serializable",
    "make_event",
    "strict",
]
