"""The access log: one structured line for each request, at INFO."""

import logging
from dataclasses import dataclass
from typing import Any

from .observation import MeteredObservation
from .reports import RequestReport, Sink

PLAIN = ("request",)
"""The message of a line."""
NO_JSON = ("%s", "request")
"""The same where Powertools looks for JSON in a message that has no arguments."""
STRAIGHT = ("info", "_log")
"""The methods of a standard logger in whose place ``Straight`` makes the record, unless a class has its own."""


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A line by the logger's own ``info``."""

    logger: Any
    words: tuple[str, ...] = PLAIN

    def begin(self, seen: MeteredObservation) -> None:
        """Nothing is written before the end."""
        seen.at_end.append(self._write)

    def _write(self, report: RequestReport) -> None:
        self.logger.info(*self.words, extra=report.members())


@dataclass(frozen=True, slots=True)
class DirectAccessLog:
    """The same line, whose record is made here.

    ``info`` looks through the stack for who calls it, and at each member for whether a record has one of its name: some
    half of a line's time. What makes the record is the logger's, and its filters and handlers get it as ever.
    """

    logger: logging.Logger
    words: tuple[str, ...] = PLAIN

    def begin(self, seen: MeteredObservation) -> None:
        """Nothing is written before the end."""
        seen.at_end.append(self._write)

    def _write(self, report: RequestReport) -> None:
        logger, (message, *values) = self.logger, self.words
        if logger.isEnabledFor(logging.INFO):
            record = logger.makeRecord(
                logger.name, logging.INFO, __file__, LINE, message, tuple(values), None, "_write"
            )
            vars(record).update(report.members())
            logger.handle(record)


LINE = DirectAccessLog._write.__code__.co_firstlineno
"""What a record says of where it was made."""


def access_log_of(logger: Any, *, standard: bool) -> Sink:
    """The sink of a logger, ``standard`` or Powertools'."""
    words = PLAIN if standard else NO_JSON
    inner = logger if standard else _inner(logger)
    return (
        DirectAccessLog(inner, words) if inner is not None and _is_usual(inner) else AccessLog(logger, words)
    )


def _is_usual(logger: Any) -> bool:
    return isinstance(logger, logging.Logger) and all(
        name not in vars(logger) and getattr(type(logger), name) is getattr(logging.Logger, name)
        for name in STRAIGHT
    )


def _inner(logger: Any) -> Any:
    """The standard logger that one of Powertools' writes to, None where a line may go another way."""
    inner = logging.getLogger(logger.name)
    own = type(logger).__module__.startswith("aws_lambda_powertools.") and "info" not in vars(logger)
    keeps = any(getattr(each, "powertools_buffer_config", None) for each in (inner, inner.parent))
    return inner if own and not keeps else None
