"""A ``Request`` becomes a ``Response``.

``handler`` is the function that Lambda calls; ``other_events`` answers an event that is no request. For any other
``dispatcher`` gives the response, whatever happens on the way: it is the one place that catches errors. Read it from
top to bottom: it finds the route, decides the rule as far as user and verb go, counts the request, reads its body, and
hands over to ``operations``.

``requests`` types path, query and body (``verb_request``) and makes the guard under which the verb runs
(``request_guard``). ``operations`` calls the verb, or ``fast_path``, ``bulk_create`` or ``upsert`` in its place.
``responses`` tells apart what the verb returned and makes the response of it, or of a list's page; ``formats`` there is
for bodies and answers besides JSON. ``problems`` words errors. ``settings_checks`` refuses arguments of the app,
``startup`` makes a Lambda ready.
"""

from .dispatcher import Dispatcher, route_of
from .handler import lambda_handler
from .operations import Operation
from .other_events import checked_on_event
from .problems import ProblemWording, wording_of
from .requests.own_queries import read_own_query
from .requests.request_guard import NEEDS_USER
from .requests.request_verdicts import asks_for_user, permitted
from .requests.services import Services
from .requests.verb_request import VerbRequest
from .responses.response_limits import fits
from .settings_checks import check_settings
from .startup import make_ready, quiet_libraries, without_garbage_collection

__all__ = [
    "NEEDS_USER",
    "Dispatcher",
    "Operation",
    "ProblemWording",
    "Services",
    "VerbRequest",
    "asks_for_user",
    "check_settings",
    "checked_on_event",
    "fits",
    "lambda_handler",
    "make_ready",
    "permitted",
    "quiet_libraries",
    "read_own_query",
    "route_of",
    "without_garbage_collection",
    "wording_of",
]
