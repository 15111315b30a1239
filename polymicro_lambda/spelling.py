"""Slips of the pen: the name that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str], alike: float) -> str | None:
    """The known name that is most like this one, None where none is so much alike (``difflib``'s ratio)."""
    return next(iter(get_close_matches(name, [*known], 1, alike)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message on a name that does not exist: whether another was meant, empty where none comes near."""
    near = closest(name, known, 0.6)
    return f": is {near!r} meant?" if near is not None else ""
