"""A ``Request`` becomes a ``Response``.

In come a function that reads the event and the id of the request; out goes the response, whatever happens on the
way: this is the one place that catches errors. Read ``dispatcher`` from top to bottom: it finds the route, decides
the rule as far as user and verb go, counts the request, reads its body, and hands over to ``operations``.

``verb_request`` types path, query and body; ``request_guard`` makes the guard under which the verb runs, and reads the
item; ``operations`` calls the verb, or ``fast_path`` or ``bulk_create`` in its place. ``verb_results`` tells apart what
the verb returned, ``response_builder`` makes the response of it, ``page_responses`` of a list's pages.
``response_limits`` knows what gateways carry. ``formats`` is for bodies and answers besides JSON, ``problems`` for
errors as answers. ``startup`` makes a Lambda ready.
"""

from .dispatcher import Dispatcher, asks_for_user, permitted, route_of
from .operations import Operation
from .own_queries import read_own_query
from .problems import ProblemWording, wording_of
from .response_limits import fits
from .services import Services
from .startup import make_ready, quiet_libraries, without_garbage_collection
from .verb_request import VerbRequest

__all__ = [
    "Dispatcher",
    "Operation",
    "ProblemWording",
    "Services",
    "VerbRequest",
    "asks_for_user",
    "fits",
    "make_ready",
    "permitted",
    "quiet_libraries",
    "read_own_query",
    "route_of",
    "without_garbage_collection",
    "wording_of",
]
