"""Metrics by Powertools, in CloudWatch's embedded metric format."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .observation import MeteredObservation
from .request_report import RequestReport

COLD_START = "aws_lambda_powertools.metrics.provider.cold_start"
"""The module in which Powertools notes whether a cold start is still to be counted."""
NONE = "none"
"""The value of a dimension that has none, as ``route`` for a path that no route has: a dimension needs a value."""


@dataclass(frozen=True, slots=True)
class RequestMetrics:
    """One object in CloudWatch's embedded metric format for each request, and one for a cold start.

    Names are those of API Gateway's and DynamoDB's own metrics. Each request has a set of its own, as Powertools' set
    is one for all threads; metrics that a verb has added to the app's set go out with it.
    """

    metrics: Any
    make: Callable[..., Any]
    """Powertools' class of a set that nothing else shares."""

    def begin(self, observation: MeteredObservation) -> None:
        """Write when the request ends."""
        observation.at_end.append(self._flush)

    def _flush(self, report: RequestReport) -> None:
        self._write(metric_values(report), method=report.method or NONE, route=report.route or NONE)
        if report.cold_start:
            name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or NONE
            self._write({"ColdStart": ("Count", 1)}, function_name=name)
            _note_cold_start()
        if self.metrics.metric_set:
            self.metrics.flush_metrics()

    def _write(self, values: Mapping[str, tuple[str, float]], **dimensions: str) -> None:
        metrics = self.make(
            namespace=self.metrics.namespace,
            service=self.metrics.service,
            default_dimensions=dict(self.metrics.default_dimensions),
        )
        for name, text in dimensions.items():
            metrics.add_dimension(name=name, value=text)
        for name, (unit, value) in values.items():
            metrics.add_metric(name=name, unit=unit, value=value)
        metrics.flush_metrics()


def _note_cold_start() -> None:
    """Tell Powertools that the cold start is counted: its decorator around the handler would count it once more."""
    module = sys.modules.get(COLD_START)
    if module is not None:
        module.is_cold_start = False  # type: ignore[attr-defined]


def metric_values(report: RequestReport) -> dict[str, tuple[str, float]]:
    """The metrics of a request: name -> unit and value."""
    return {
        "Count": ("Count", 1),
        "Latency": ("Milliseconds", report.duration_ms),
        "4XXError": ("Count", 400 <= report.status < 500),
        "5XXError": ("Count", report.status >= 500),
        "ThrottledRequests": ("Count", report.throttles),
        "ConsumedReadCapacityUnits": ("Count", report.read_units),
        "ConsumedWriteCapacityUnits": ("Count", report.write_units),
    }
