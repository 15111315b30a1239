"""Rounds: in each, everybody has a turn, beginning with another one; what is compared stands in the same round."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

Who = TypeVar("Who")


@dataclass(frozen=True, slots=True)
class Series(Generic[Who]):
    """Somebody's figures, one for each round."""

    figures: Mapping[Who, Sequence[float]]

    @classmethod
    def measured(
        cls, everybody: Sequence[Who], rounds: int, measure: Callable[[Who], float]
    ) -> "Series[Who]":
        """Measure everybody once in each round."""
        figures: dict[Who, list[float]] = {who: [] for who in everybody}
        for number in range(rounds):
            for who in rotated(everybody, number):
                figures[who].append(measure(who))
        return cls(figures)

    def median(self, who: Who) -> float:
        """The median of somebody's figures."""
        return median(self.figures[who])

    def ratio(self, who: Who, other: Who) -> float:
        """The median of the ratios to another's figure of the same round."""
        return median(self.ratios(who, other))

    def ratios(self, who: Who, other: Who) -> Iterator[float]:
        """The ratio to another's figure of the same round, for each round."""
        for one, two in zip(self.figures[who], self.figures[other], strict=True):
            yield one / two


def rotated(everybody: Sequence[Who], number: int) -> Iterator[Who]:
    """Everybody, another one first in each round."""
    for place in range(len(everybody)):
        yield everybody[(place + number) % len(everybody)]
