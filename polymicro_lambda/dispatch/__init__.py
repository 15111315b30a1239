"""A ``Request`` becomes a ``Response``.

In come a function that reads the event and the id of the request; out goes the response, whatever happens on the
way: this is the one place that catches errors. Read ``dispatcher`` from top to bottom: it finds the route, decides
the rule as far as user and verb go, counts the request, reads its body, and hands over to ``operations``.

``requests`` types path, query and body (``verb_request``) and makes the guard under which the verb runs
(``request_guard``). ``operations`` calls the verb, or ``fast_path``, ``bulk_create`` or ``upsert`` in its place.
``responses`` tells apart what the verb returned and makes the response of it, or of a list's page; ``formats`` there is
for bodies and answers besides JSON. ``problems`` words errors. ``settings_checks`` refuses arguments of the app,
``startup`` makes a Lambda ready.
"""

from .dispatcher import Dispatcher, route_of
from .operations import Operation
from .problems import ProblemWording, wording_of
from .requests.own_queries import read_own_query
from .requests.request_verdicts import asks_for_user, permitted
from .requests.services import Services
from .requests.verb_request import VerbRequest
from .responses.response_limits import fits
from .settings_checks import check_settings
from .startup import make_ready, quiet_libraries, without_garbage_collection

__all__ = [
    "Dispatcher",
    "Operation",
    "ProblemWording",
    "Services",
    "VerbRequest",
    "asks_for_user",
    "check_settings",
    "fits",
    "make_ready",
    "permitted",
    "quiet_libraries",
    "read_own_query",
    "route_of",
    "without_garbage_collection",
    "wording_of",
]
