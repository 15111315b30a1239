"""What the package is held to, and whether it is so."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from .lineup import BOTO3, FASTAPI, FLASK, LOGGED, OURS, PLAINLY, POWERTOOLS, RAW
from .runs import SIZES, Calls, Cold, Growth, Warm

ARTIFACT = "polymicro_lambda, `polymicro build`"
"""The title of the artifact among the cold starts."""


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    warm: Warm
    bare: Warm
    """Without botocore."""
    cold: Cold
    growth: Growth
    calls: Calls


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that is to be at most ``must``, better ``aim``."""

    title: str
    value: float
    must: float
    aim: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is, as it is printed."""
        return round(self.value, 2) <= self.must

    def row(self) -> str:
        """A line of the table."""
        cells = (f"{figure:.3g}{self.unit}" for figure in (self.value, self.must, self.aim))
        return f"| {self.title} | {' | '.join(cells)} | {'met' if self.met else '**not met**'} |"


def goals(results: Results) -> Iterator[Goal]:
    """All of them."""
    yield from _warm(results.warm)
    yield from _bare(results.bare)
    yield from _growth(results.growth)
    yield from _cold(results.cold)
    yield Goal("DynamoDB calls and units beyond those by hand, all verbs", _more(results.calls), 0, 0)


def _warm(warm: Warm) -> Iterator[Goal]:
    for verb in ("GET", "LIST 20", "DELETE", "POST", "PATCH"):
        must, aim = (1.12, 0.95) if verb in ("POST", "PATCH") else (1.06, 0.9)
        yield Goal(f"warm, {verb} to raw", warm[verb].ratio(OURS, RAW), must, aim)
    for peer, name in ((LOGGED, "Powertools' logger"), (PLAINLY, "a standard logger")):
        get = warm["GET"]
        share = (a - b for a, b in zip(get.ratios(peer, RAW), get.ratios(OURS, RAW), strict=True))
        yield Goal(f"the access log's share of GET, {name}, to raw", median(share), 0.06, 0.03)
    yield Goal("warm, LIST 20 to Powertools", warm["LIST 20"].ratio(OURS, POWERTOOLS), 0.6, 0.5)


def _bare(bare: Warm) -> Iterator[Goal]:
    for verb, series in bare.items():
        must, aim = (0.12, 0.08) if verb == "LIST 20" else (0.6, 0.35)
        yield Goal(f"framework only, {verb} to Powertools", series.ratio(OURS, POWERTOOLS), must, aim)


def _growth(growth: Growth) -> Iterator[Goal]:
    least, most = growth.dispatch[SIZES[0]], growth.dispatch[SIZES[-1]]
    yield Goal("dispatch, 1 to 1,000 resources", most / least, 1.1, 1.1, "x")
    yield Goal("dispatch among 1,000 resources", most, 10, 5, " µs")
    yield Goal("compile 1,000 resources, their models being there", growth.compile_own, 100, 40, " ms")


def _cold(cold: Cold) -> Iterator[Goal]:
    for title in (ARTIFACT, OURS.title):
        name = "the artifact" if title == ARTIFACT else "installed by pip"
        yield Goal(f"cold, {name}, to boto3 by hand", cold.both.ratio(title, BOTO3.title), 1.0, 0.75)
        for peer, must, aim in ((POWERTOOLS, 0.75, 0.55), (FLASK, 0.65, 0.5), (FASTAPI, 0.5, 0.36)):
            ratio = cold.both.ratio(title, peer.title)
            yield Goal(f"cold, {name}, to {peer.title.split()[0]}", ratio, must, aim)
        yield Goal(f"first request after init, {name}", cold.first.median(title), 6, 5, " ms")
        yield Goal(f"peak memory, {name}", cold.peak.median(title), 44, 36, " MB")


def _more(calls: Calls) -> float:
    own, raw = calls[OURS.title], calls[RAW.title]
    return sum(
        len(own[verb])
        - len(raw[verb])
        + sum(unit for _, unit in own[verb])
        - sum(unit for _, unit in raw[verb])
        for verb in raw
    )
