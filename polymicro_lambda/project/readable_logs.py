"""The lines of Powertools' loggers for a person: on standard error, as text in place of JSON."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

from polymicro_lambda.observability import is_access_line

POWERTOOLS = "aws_lambda_powertools."
LINE = logging.Formatter("%(levelname)s %(message)s")
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Members that every record has; what else is there, the code has named as ``extra``."""


def make_logs_readable() -> None:
    """Let the loggers of Powertools that there are write a line of text for each record, and none of the access log.

    A command that serves requests, or shows their answers, tells of them itself.
    """
    for handler in _handlers():
        handler.addFilter(lambda record: not is_access_line(record))
        handler.format = readable  # type: ignore[method-assign]
        handler.setStream(sys.stderr)


def readable(record: logging.LogRecord) -> str:
    """The record's level and message, its extra members, and the traceback where it has one."""
    extra = " ".join(f"{name}={value!r}" for name, value in vars(record).items() if name not in _USUAL)
    head, *traceback = LINE.format(record).split("\n", 1)
    return "\n".join([f"{head} {extra}".rstrip(), *traceback])


def _handlers() -> Iterator["logging.StreamHandler[Any]"]:
    """The handlers of Powertools' loggers, which write to a stream of their own."""
    for logger in list(logging.root.manager.loggerDict.values()):
        for handler in logger.handlers if isinstance(logger, logging.Logger) else ():
            ours = type(handler.formatter).__module__.startswith(POWERTOOLS)
            if ours and isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
                yield handler
