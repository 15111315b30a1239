"""Observability."""

from .deadlines import seconds_left, seconds_left_of
from .observation import (
    MeteredObservation,
    Observation,
    Usage,
    begin_observation,
    current_observation,
    end_observation,
    enter_phase,
    report_error,
    safely,
)
from .powertools import error_logger, sinks_of
from .redaction import redacted_exc_info
from .reports import Telemetry, UserHasher
from .request_ids import RequestIds

__all__ = [
    "MeteredObservation",
    "Observation",
    "RequestIds",
    "Telemetry",
    "Usage",
    "UserHasher",
    "begin_observation",
    "current_observation",
    "end_observation",
    "enter_phase",
    "error_logger",
    "redacted_exc_info",
    "report_error",
    "safely",
    "seconds_left",
    "seconds_left_of",
    "sinks_of",
]
