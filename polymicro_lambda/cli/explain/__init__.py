"""`polymicro routes --explain`: in comes a request, out go lines about its DynamoDB calls, none of which is made.

Open ``requests`` for the steps up to the verb, ``lists`` for the calls of a list, ``items`` for those of other verbs,
``refused_calls`` for what keeps permissions from calling.
"""

from .refused_calls import CallRefused
from .requests import explain

__all__ = ["CallRefused", "explain"]
