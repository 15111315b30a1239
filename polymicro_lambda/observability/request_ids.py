"""Which request a line is of that the app's own code writes, under Powertools and under the standard library."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .observation import MeteredObservation, current_observation

__all__ = ["RequestIds"]

NAMES = ("request_id", "correlation_id")


class RequestIds(logging.Filter):
    """Gives each record ``request_id`` and ``correlation_id``: those of the request that runs, else None.

    It is for a handler or a logger, and lets every record pass. What a record says itself stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Give the record what it does not say itself; True."""
        seen = current_observation()
        for name in NAMES:
            vars(record).setdefault(name, None if seen is None else getattr(seen, name))
        return True


@dataclass(frozen=True, slots=True)
class PowertoolsKeys:
    """The same as keys of Powertools' loggers, on what any of them writes in the thread of the request."""

    logger: Any

    def begin(self, seen: MeteredObservation) -> None:
        """Nothing is put before the request is read: it may say its correlation id."""
        seen.on_read.append(partial(self._put, seen))

    def _put(self, seen: MeteredObservation) -> None:
        formatter = self.logger.registered_formatter
        given, correlation_id = {"request_id": seen.request_id}, seen.correlation_id
        if correlation_id is not None:
            given["correlation_id"] = correlation_id
        there = formatter.thread_safe_get_current_keys()
        former = {name: there[name] for name in given if name in there}
        try:
            formatter.thread_safe_append_keys(**given)
        except NotImplementedError:  # a formatter of the app's own need not know keys of a thread
            return
        seen.at_end.append(partial(_take, formatter, given, former))


def _take(formatter: Any, given: Mapping[str, str], former: Mapping[str, Any], _: object) -> None:
    formatter.thread_safe_remove_keys(given)
    if former:
        formatter.thread_safe_append_keys(**former)
