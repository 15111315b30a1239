"""Threads that a verb may start: the request goes with its calls, so that the store asks its rule there too."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

__all__ = ["Executor"]

P = ParamSpec("P")
T = TypeVar("T")


class Executor(ThreadPoolExecutor):
    """A ``ThreadPoolExecutor`` that runs each call of ``submit`` and ``map`` as a part of the request that asks for it.

    The call sees the request's context variables as they are when it is submitted; what it sets is its own.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of a call, in a copy of the submitting context."""
        call: Callable[[], T] = partial(copy_context().run, fn, *args, **kwargs)
        return super().submit(call)
