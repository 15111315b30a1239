"""Misspelt names: the known name that is closest, for error messages."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest_name(name: str, known: Iterable[str], alike: float) -> str | None:
    """The known name closest to ``name``; None if no ratio of ``difflib`` is ``alike`` (0 to 1) or more."""
    return next(iter(get_close_matches(name, [*known], 1, alike)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: a question that names the closest one, empty if none is close."""
    near = closest_name(name, known, 0.6)
    return f": is {near!r} meant?" if near is not None else ""
