"""Which request a line is of that the app's own code writes, under Powertools and under the standard library."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from .observing import Metered, current

__all__ = ["RequestIds"]

NAMES = ("request_id", "correlation_id")


class RequestIds(logging.Filter):
    """Gives each record ``request_id`` and ``correlation_id``: those of the request that runs, else None.

    It is for a handler or a logger, and lets every record pass. What a record says itself stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Give the record what it does not say itself; True."""
        seen = current()
        for name in NAMES:
            vars(record).setdefault(name, None if seen is None else getattr(seen, name))
        return True


@dataclass(frozen=True, slots=True)
class Keys:
    """The same as keys of Powertools' loggers, on what any of them writes in the thread of the request."""

    logger: Any

    def begin(self, seen: Metered) -> None:
        """Nothing is put before the request is read: it may say its correlation id."""
        seen.on_read.append(partial(self._put, seen))

    def _put(self, seen: Metered) -> None:
        former = dict(self.logger.thread_safe_get_current_keys())
        given = {name: value for name in NAMES if (value := getattr(seen, name)) is not None}
        with suppress(NotImplementedError):  # a formatter of the app's own need not know keys of a thread
            self.logger.thread_safe_append_keys(**given)
            seen.at_end.append(partial(self._take, given, former))

    def _take(self, given: Mapping[str, str], former: Mapping[str, Any], _: object) -> None:
        self.logger.thread_safe_remove_keys(list(given))
        self.logger.thread_safe_append_keys(**{name: former[name] for name in given if name in former})
