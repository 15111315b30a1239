"""The request's ids on lines that the app's own code logs, by Powertools and by the standard library."""

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

    It is for a handler or a logger, and lets every record pass. An id that a record has itself stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Give the record the ids that it does not have itself; True."""
        observation = current_observation()
        for name in NAMES:
            vars(record).setdefault(name, None if observation is None else getattr(observation, name))
        return True


@dataclass(frozen=True, slots=True)
class PowertoolsKeys:
    """The ids as keys of Powertools' loggers, on all lines that they log in the thread of the request."""

    logger: Any

    def begin(self, observation: MeteredObservation) -> None:
        """Put the keys when the event is read, as it may have a correlation id."""
        observation.on_read.append(partial(self._put_keys, observation))

    def _put_keys(self, observation: MeteredObservation) -> None:
        formatter = self.logger.registered_formatter
        set_by_app = self.logger.get_correlation_id()  # e.g. by a decorator around the handler
        if set_by_app is not None:
            observation.keep_correlation_id(set_by_app)
        given, correlation_id = {"request_id": observation.request_id}, observation.correlation_id
        if correlation_id is not None:
            given["correlation_id"] = correlation_id
        current = formatter.thread_safe_get_current_keys()
        former = {name: current[name] for name in given if name in current}
        try:
            formatter.thread_safe_append_keys(**given)
        except NotImplementedError:  # a formatter of the app's own need not have keys of a thread
            return
        observation.at_end.append(partial(_restore_keys, formatter, given, former))


def _restore_keys(formatter: Any, given: Mapping[str, str], former: Mapping[str, Any], _: object) -> None:
    formatter.thread_safe_remove_keys(given)
    if former:
        formatter.thread_safe_append_keys(**former)
