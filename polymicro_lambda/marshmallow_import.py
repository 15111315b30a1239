"""Marshmallow, imported without its regular expressions: one of them takes longer than all the rest of it.

``marshmallow.validate`` compiles patterns for e-mail addresses and URLs when it is imported, and few APIs have either.
Where marshmallow was imported before, nothing is left to do here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

_compile = re.compile


class Deferred:
    """A pattern that is compiled when it is first used; two threads that do so at once get the same.

    It passes for an ``re.Pattern`` wherever Python asks, in ``re.sub(pattern, …)`` as in ``copy.deepcopy``.
    """

    __isabstractmethod__ = False
    """What a class that has abstract methods asks of each of its members when it is made."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self._given = given
        self._named = named

    @property  # type: ignore[misc] # as below
    def __class__(self) -> type[re.Pattern[Any]]:  # type: ignore[override] # for isinstance
        return re.Pattern

    @cached_property
    def _pattern(self) -> re.Pattern[Any]:
        return _compile(*self._given, **self._named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _compile, (self._pattern.pattern, self._pattern.flags)


@contextmanager
def deferred() -> Iterator[None]:
    """Patterns that are compiled while the block runs wait for their first use."""
    re.compile = Deferred  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile


with deferred():
    import marshmallow  # noqa: F401
