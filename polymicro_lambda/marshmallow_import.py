"""A quicker import of marshmallow: its regular expressions are compiled at their first use.

``marshmallow.validate`` compiles patterns for e-mail addresses and URLs at import, which takes longer than the rest of
the import, and few APIs have either. If marshmallow is imported already, this module changes nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

_compile = re.compile


class DeferredPattern:
    """A pattern that is compiled at its first use; two threads that use it first at once get the same pattern.

    It is an ``re.Pattern`` to ``isinstance``, to ``re.sub(pattern, …)`` and to ``copy.deepcopy``.
    """

    __isabstractmethod__ = False
    """``ABCMeta`` reads it of each member of a class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arguments = arguments
        self._options = options

    @property  # type: ignore[misc] # as below
    def __class__(self) -> type[re.Pattern[Any]]:  # type: ignore[override] # for isinstance
        return re.Pattern

    @cached_property
    def _pattern(self) -> re.Pattern[Any]:
        return _compile(*self._arguments, **self._options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _compile, (self._pattern.pattern, self._pattern.flags)


@contextmanager
def deferred_patterns() -> Iterator[None]:
    """Let ``re.compile`` make deferred patterns while the block runs."""
    re.compile = DeferredPattern  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile


with deferred_patterns():
    import marshmallow  # noqa: F401
