"""The access log: one structured line for each request, at INFO."""

import logging
from dataclasses import dataclass
from typing import Any

from .observation import MeteredObservation
from .request_report import Observer, RequestReport

MESSAGE = ("request",)
"""The message of a line, with its arguments."""
MESSAGE_WITH_ARGUMENT = ("%s", "request")
"""The same message for Powertools, which looks for JSON in a message without arguments."""
REPLACED_METHODS = ("info", "_log")
"""The methods of a standard logger that ``DirectAccessLog`` does without: a logger with its own keeps ``AccessLog``."""


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A line by the logger's own ``info``."""

    logger: Any
    message: tuple[str, ...] = MESSAGE

    def begin(self, observation: MeteredObservation) -> None:
        """Write when the request ends."""
        observation.at_end.append(self._write)

    def _write(self, report: RequestReport) -> None:
        self.logger.info(*self.message, extra=report.members())


@dataclass(frozen=True, slots=True)
class DirectAccessLog:
    """The same line, whose record is made here.

    ``info`` looks for its caller in the stack, and checks the name of each member against those of a record: that is
    about half of a line's time. The logger's own factory makes the record, and its filters and handlers get it.
    """

    logger: logging.Logger
    message: tuple[str, ...] = MESSAGE

    def begin(self, observation: MeteredObservation) -> None:
        """Write when the request ends."""
        observation.at_end.append(self._write)

    def _write(self, report: RequestReport) -> None:
        logger, (message, *arguments) = self.logger, self.message
        if logger.isEnabledFor(logging.INFO):
            record = logger.makeRecord(
                logger.name, logging.INFO, __file__, LINE, message, tuple(arguments), None, "_write"
            )
            vars(record).update(report.members())
            logger.handle(record)


LINE = DirectAccessLog._write.__code__.co_firstlineno
"""The line of code that a record names as its origin."""


def is_access_line(record: logging.LogRecord) -> bool:
    """Whether a record is a line of the access log."""
    return record.pathname == __file__ and record.funcName == "_write"


def access_log_of(logger: Any, *, standard: bool) -> Observer:
    """The access log by a logger, ``standard`` or Powertools'."""
    message = MESSAGE if standard else MESSAGE_WITH_ARGUMENT
    inner = logger if standard else _standard_logger(logger)
    return (
        DirectAccessLog(inner, message)
        if inner is not None and _has_standard_methods(inner)
        else AccessLog(logger, message)
    )


def _has_standard_methods(logger: Any) -> bool:
    return isinstance(logger, logging.Logger) and all(
        name not in vars(logger) and getattr(type(logger), name) is getattr(logging.Logger, name)
        for name in REPLACED_METHODS
    )


def _standard_logger(logger: Any) -> Any:
    """The standard logger that one of Powertools' writes to, None where it may handle lines in its own way."""
    inner = logging.getLogger(logger.name)
    own = type(logger).__module__.startswith("aws_lambda_powertools.") and "info" not in vars(logger)
    buffers = any(getattr(each, "powertools_buffer_config", None) for each in (inner, inner.parent))
    return inner if own and not buffers else None
