"""Where requests are told of: a logger, Powertools' Metrics and Tracer. What is off imports nothing."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from traceback import extract_tb
from types import MappingProxyType
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .access_log import access_log_of
from .observation import LOGGER, MeteredObservation
from .redaction import redacted
from .reports import RequestReport, Sink
from .request_ids import PowertoolsKeys

NAMESPACE = "PolyMicro"
"""The namespace of metrics where neither the app nor the environment says one."""
NONE = "none"
"""A dimension needs a value: here that of ``route``, for a path that no route has."""


# --- metrics --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metrics:
    """One object in CloudWatch's embedded metric format for each request, and one for a cold start.

    Names are those of API Gateway's and DynamoDB's own metrics. Each request has a set of its own, as that of
    Powertools is one for all threads; what a verb has added to the app's goes out with it.
    """

    metrics: Any
    make: Callable[..., Any]
    """Powertools' class of a set that nothing else shares."""

    def begin(self, seen: MeteredObservation) -> None:
        """Nothing is written before the end."""
        seen.at_end.append(self._flush)

    def _flush(self, report: RequestReport) -> None:
        self._write(measured(report), method=report.method or NONE, route=report.route or NONE)
        if report.cold_start:
            name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or NONE
            self._write({"ColdStart": ("Count", 1)}, function_name=name)
        if self.metrics.metric_set:
            self.metrics.flush_metrics()

    def _write(self, values: Mapping[str, tuple[str, float]], **dimensions: str) -> None:
        made = self.make(
            namespace=self.metrics.namespace,
            service=self.metrics.service,
            default_dimensions=dict(self.metrics.default_dimensions),
        )
        for name, text in dimensions.items():
            made.add_dimension(name=name, value=text)
        for name, (unit, value) in values.items():
            made.add_metric(name=name, unit=unit, value=value)
        made.flush_metrics()


def measured(report: RequestReport) -> dict[str, tuple[str, float]]:
    """Metric -> unit and value."""
    return {
        "Count": ("Count", 1),
        "Latency": ("Milliseconds", report.duration_ms),
        "4XXError": ("Count", 400 <= report.status < 500),
        "5XXError": ("Count", report.status >= 500),
        "ThrottledRequests": ("Count", report.throttles),
        "ConsumedReadCapacityUnits": ("Count", report.read_units),
        "ConsumedWriteCapacityUnits": ("Count", report.write_units),
    }


# --- traces ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Traces:
    """A subsegment for each request, in it one for each phase, and in these one for each call of DynamoDB."""

    tracer: Any

    def begin(self, seen: MeteredObservation) -> None:
        """Open the request's subsegment and that of its first phase."""
        spans = _Spans(self.tracer, seen)
        seen.on_phase.append(spans.enter)
        seen.at_end.append(spans.close)
        if not self.tracer.auto_patch:  # else X-Ray's SDK has patched botocore, and traces the calls itself
            seen.on_call = spans.call
        spans.enter(seen.phase)


class _Spans:
    """The open subsegments of one request: its own, and that of the phase it is in."""

    def __init__(self, tracer: Any, seen: MeteredObservation) -> None:
        self.seen = seen
        self.service = tracer.service
        self.span = tracer.provider.in_subsegment
        self.whole, self.part = ExitStack(), ExitStack()
        self.segment = self.whole.enter_context(self.span(name="## request"))

    def enter(self, phase: str) -> None:
        self.part.close()
        self.part.enter_context(self.span(name=f"## {phase}"))

    def call(self, operation: str) -> AbstractContextManager[Any]:
        span: AbstractContextManager[Any] = self.span(name=f"DynamoDB {operation}")
        return span

    def close(self, report: RequestReport) -> None:
        self.part.close()
        with self.whole:
            if self.segment is not None:  # outside of a Lambda there may be no segment to be in
                self._annotate(report)

    def _annotate(self, report: RequestReport) -> None:
        said = {"Service": self.service, "Method": report.method, "Route": report.route, "Verb": report.verb}
        for name, value in (said | {"Status": report.status, "ColdStart": report.cold_start}).items():
            if value is not None and value != "":
                self.segment.put_annotation(name, value)
        cause = self.seen.cause
        if cause is not None:
            self.segment.add_exception(redacted(cause), extract_tb(cause.__traceback__))
        apply = getattr(self.segment, "apply_status_code", None)  # X-Ray's own, other providers have none
        if apply is not None:
            apply(report.status)


# --- what the arguments of PolyMicro mean ---------------------------------------------------------------


def sinks_of(logger: Any, metrics: Any, tracer: Any) -> tuple[Sink, ...]:
    """The sinks that an app's arguments ask for. Raises ``ConfigurationError``."""
    made = (*_log(logger), _metrics(metrics), _trace(tracer))
    return tuple(sink for sink in made if sink is not None)


def error_logger(logger: Any) -> Any:
    """The logger that takes an app's errors."""
    return LOGGER if logger in (None, False) else _own("logger", logger)


def _log(given: Any) -> tuple[Sink, ...]:
    if given in (None, False):
        return ()
    own = _own("logger", given)
    standard = isinstance(own, STANDARD)
    log = access_log_of(own, standard=standard)
    return (log,) if standard else (log, PowertoolsKeys(own))


def _metrics(given: Any) -> Sink | None:
    if given in (None, False):
        return None
    metrics = _own("metrics", given)
    if not metrics.namespace:
        raise ConfigurationError(
            "PolyMicro.metrics has no namespace: say Metrics(namespace=…) or set POWERTOOLS_METRICS_NAMESPACE"
        )
    return Metrics(metrics, _part("metrics").EphemeralMetrics)


def _trace(given: Any) -> Sink | None:
    if given in (None, False):
        return None
    tracer = _own("tracer", given)
    return None if tracer.disabled else Traces(tracer)


@cache
def _default(name: str) -> Any:
    """Powertools' own, as True asks for: one for a process, as its handlers and segments are."""
    part = _part(name)
    if name == "logger":
        return part.Logger()
    if name == "metrics":
        return part.Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE)
    try:
        return part.Tracer(auto_patch=False)
    except ImportError as error:
        raise _missing(name) from error


def _own(name: str, given: Any) -> Any:
    """The object that was given, or Powertools' own for True. Raises ``ConfigurationError``."""
    if given is True:
        return _default(name)
    kinds = _kinds(name)
    if not isinstance(given, kinds):
        names = "True, Powertools' " + " or ".join(sorted(TYPES[name]))
        more = " or a standard logger" if name == "logger" else ""
        raise ConfigurationError(f"PolyMicro.{name} must be {names}{more}, not a {type(given).__name__}")
    return given


TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"logger": ("Logger",), "metrics": ("Metrics", "EphemeralMetrics"), "tracer": ("Tracer",)}
)
"""Argument -> the classes of Powertools that it takes."""
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "logger": "aws_lambda_powertools.logging",
        "metrics": "aws_lambda_powertools.metrics",
        "tracer": "aws_lambda_powertools.tracing",
    }
)
"""Argument -> the part of Powertools that it takes."""
STANDARD = (logging.Logger, logging.LoggerAdapter)


def _kinds(name: str) -> tuple[type, ...]:
    """The classes that an argument takes. Who gives one of Powertools' has imported it."""
    part = sys.modules.get(PARTS[name])
    theirs = tuple(getattr(part, kind) for kind in TYPES[name]) if part is not None else ()
    return (*theirs, *STANDARD) if name == "logger" else theirs


def _part(name: str) -> Any:
    """A part of Powertools, imported where it is switched on."""
    try:
        return import_module(PARTS[name])
    except ImportError as error:
        raise _missing(name) from error


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f'PolyMicro.{name} takes Powertools: pip install "polymicro-lambda[powertools]",'
        " and name that in the project's dependencies"
    )
