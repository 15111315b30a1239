"""The guard of the running request, in a context variable.

A verb's ``super().update(instance, req, user)`` has no other way to hand it on, and a resource is shared. Outside a
request there is none: code that calls a resource's verbs itself is trusted, but for threads of a process that serves
requests.
"""

import threading
from contextvars import ContextVar
from dataclasses import replace

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.observability import current_observation

from .guards import Guard
from .soft_deletion import SoftDeletion

_current: ContextVar[Guard] = ContextVar("polymicro_guard")
_OUTSIDE = Guard()
_serves = False


def note_serving() -> None:
    """From now on this process serves requests: threads without a guard are refused."""
    global _serves
    _serves = True


def current_guard() -> Guard:
    """The guard of the running request; outside a request a guard that lets everything pass.

    Raises ``ConfigurationError`` in a thread that no request has been carried into, once the process serves requests.
    """
    guard = _current.get(None)
    return _outside_guard() if guard is None else guard


def guard_for(model: type[Model], deletion: SoftDeletion | None = None) -> Guard:
    """What the running request's guard says of the items of a model. Raises as `current_guard`.

    ``deletion`` is that of the resource that asks: its deleted items are gone, unless the request is about them.
    """
    guard = _current.get(None)
    guard = (_outside_guard() if guard is None else guard).of_model(model)
    if deletion is None or guard.deletion is deletion:
        return guard  # its verdict says already what becomes of deleted items
    return _without_deleted(guard, deletion)


def _without_deleted(guard: Guard, deletion: SoftDeletion) -> Guard:
    """The guard for which deleted items are gone."""
    sees = guard.visible
    return replace(
        guard,
        verdict=deletion.of_live_items(guard.verdict),
        visible=lambda instance, raw: not deletion.hides(raw) and sees(instance, raw),
        deletion=deletion,
    )


def _outside_guard() -> Guard:
    """The guard where there is none: of the main thread, and of a request before its verb, as in a permission."""
    is_main = threading.get_ident() == threading.main_thread().ident
    if is_main or not _serves or current_observation() is not None:
        return _OUTSIDE
    raise ConfigurationError(
        f"The thread {threading.current_thread().name!r} called a resource's store outside of a request, so that no"
        " rule would have been asked. Where a verb starts threads, take polymicro_lambda.threads.Executor in place of"
        " ThreadPoolExecutor, or run their work by contextvars.copy_context().run, taken in the verb: then they act"
        " under its request's rule."
    )


begin_guard = _current.set
"""Put every call of the store under a guard; the result is a token for `end_guard`."""
end_guard = _current.reset
"""End the guard whose token `begin_guard` gave."""


class guarded:  # noqa: N801 - it is used as a function, and quicker than one of contextlib's
    """A context manager: every call of the store inside is under this guard."""

    __slots__ = ("guard", "token")

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def __enter__(self) -> None:
        self.token = begin_guard(self.guard)

    def __exit__(self, *_: object) -> None:
        end_guard(self.token)
