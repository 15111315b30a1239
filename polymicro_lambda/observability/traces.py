"""Traces by Powertools' Tracer: subsegments of X-Ray."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from traceback import extract_tb
from typing import Any

from .observation import MeteredObservation
from .redaction import redacted
from .request_report import RequestReport


@dataclass(frozen=True, slots=True)
class RequestTraces:
    """A subsegment for each request, in it one for each phase, and in these one for each call of DynamoDB."""

    tracer: Any

    def begin(self, observation: MeteredObservation) -> None:
        """Open the subsegment of the request, and that of its first phase."""
        segments = _Subsegments(self.tracer, observation)
        observation.on_phase.append(segments.enter)
        observation.at_end.append(segments.close)
        if not self.tracer.auto_patch:  # else X-Ray's SDK has patched botocore, and traces the calls itself
            observation.on_call = segments.call
        segments.enter(observation.phase)


class _Subsegments:
    """The open subsegments of one request: its own, and that of its phase."""

    def __init__(self, tracer: Any, observation: MeteredObservation) -> None:
        self.observation = observation
        self.service = tracer.service
        self.open = tracer.provider.in_subsegment
        self.request_stack, self.phase_stack = ExitStack(), ExitStack()
        self.segment = self.request_stack.enter_context(self.open(name="## request"))

    def enter(self, phase: str) -> None:
        self.phase_stack.close()
        self.phase_stack.enter_context(self.open(name=f"## {phase}"))

    def call(self, operation: str) -> AbstractContextManager[Any]:
        segment: AbstractContextManager[Any] = self.open(name=f"DynamoDB {operation}")
        return segment

    def close(self, report: RequestReport) -> None:
        self.phase_stack.close()
        with self.request_stack:
            if self.segment is not None:  # outside of a Lambda there may be no segment to be in
                self._annotate(report)

    def _annotate(self, report: RequestReport) -> None:
        annotations = {
            "Service": self.service,
            "Method": report.method,
            "Route": report.route,
            "Verb": report.verb,
            "Status": report.status,
            "ColdStart": report.cold_start,
        }
        for name, value in annotations.items():
            if value is not None and value != "":
                self.segment.put_annotation(name, value)
        cause = self.observation.cause
        if cause is not None:
            self.segment.add_exception(redacted(cause), extract_tb(cause.__traceback__))
        apply = getattr(self.segment, "apply_status_code", None)  # X-Ray's own, other providers have none
        if apply is not None:
            apply(report.status)
