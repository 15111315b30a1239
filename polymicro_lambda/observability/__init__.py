"""Observability: what happens to a request is noted, and reported to the app's log, metrics and traces.

In comes an ``Observation`` for each request, which stands in a context variable while the request runs; when it is
answered, ``Telemetry`` makes a ``RequestReport`` of it and gives that to the app's observers. Open:

- ``observation``: the state of a request that runs, and ``report_error`` for errors in its course;
- ``request_report``: the report, the protocol of an observer, the telemetry of an app;
- ``settings``: the observers for ``PolyMicro(logger=…, metrics=…, tracer=…)``;
- ``access_log``, ``metrics``, ``traces``, ``request_ids``: the observers;
- ``redaction``: exceptions without their texts; ``deadlines``: the seconds that an invocation has left.
"""

from .access_log import is_access_line
from .deadlines import seconds_left, seconds_left_of
from .observation import (
    MeteredObservation,
    Observation,
    Usage,
    begin_observation,
    caught,
    current_observation,
    end_observation,
    enter_phase,
    report_error,
    safely,
)
from .redaction import redacted_exc_info
from .request_ids import RequestIds
from .request_report import Telemetry, UserHasher
from .settings import POWERTOOLS_MODULES, error_logger, request_observers

__all__ = [
    "POWERTOOLS_MODULES",
    "MeteredObservation",
    "Observation",
    "RequestIds",
    "Telemetry",
    "Usage",
    "UserHasher",
    "begin_observation",
    "caught",
    "current_observation",
    "end_observation",
    "enter_phase",
    "error_logger",
    "is_access_line",
    "redacted_exc_info",
    "report_error",
    "request_observers",
    "safely",
    "seconds_left",
    "seconds_left_of",
]
