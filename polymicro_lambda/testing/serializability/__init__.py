"""Requests in every order that their DynamoDB calls can have, compared with the requests one after the other.

In come a client and requests; out comes nothing, or an ``AssertionError`` that tells an order in words. Open
``serializable`` for the assertion; ``runs`` for requests as threads that make one call at a time; ``orders`` for which
orders there are, and ``calls`` for what a call reads and writes; ``tables`` for how tables are put back; ``comparison``
for what counts as equal, with ``declarations`` for what models say of it, and ``report`` for the words.
"""

from .serializable import assert_serializable

__all__ = ["assert_serializable"]
