"""Dispatch."""

from .dispatcher import Dispatcher, asks_for_user, permitted, route_of
from .operations import Operation
from .response_sizes import fits
from .services import Services
from .startup import make_ready, quiet_libraries, without_garbage_collection
from .verb_request import VerbRequest

__all__ = [
    "Dispatcher",
    "Operation",
    "Services",
    "VerbRequest",
    "asks_for_user",
    "fits",
    "make_ready",
    "permitted",
    "quiet_libraries",
    "route_of",
    "without_garbage_collection",
]
