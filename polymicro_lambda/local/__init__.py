"""The app on your machine under a WSGI server, with API Gateway's part before it.

In comes a WSGI request, which becomes the event that AWS would send; out goes the handler's answer over HTTP. Open
``wsgi`` for both directions, ``gateway`` for the Lambda authorizer: which event it gets, and when its answer refuses a
request. Nothing here runs in a Lambda.
"""

from .gateway import AUTHORIZER_APIS
from .wsgi import Wsgi

__all__ = [
    "AUTHORIZER_APIS",
    "Wsgi",
]
