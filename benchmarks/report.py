"""The figures as Markdown, and where they stand in the documentation."""

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .goals import Results, goals
from .lineup import OURS, POWERTOOLS, RAW, Peer
from .rounds import Series
from .runs import SIZES, Calls, Cold, Effort, Growth, Warm

BEGIN, END = "<!-- bench: from here on written by `make bench` -->", "<!-- bench: to here -->"
COMMON = ("botocore", "urllib3", "pynamodb", "marshmallow")
FRAMEWORKS = (
    "aws-lambda-powertools",
    "chalice",
    "flask",
    "apig-wsgi",
    "fastapi",
    "mangum",
    "django",
    "djangorestframework",
    "boto3",
)


def write(page: Path, lines: Iterable[str]) -> None:
    """Put lines between the markers of a page. Raises ``ValueError`` where it has none."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page.name} has no markers: {BEGIN} and {END}")
    page.write_text("\n".join([before + begin, "", *lines, "", end + after]), encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, all columns but the first to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def conditions(versions: Mapping[str, str], effort: Effort, loads: tuple[float, float]) -> Iterator[str]:
    """When, on what, of what."""
    names = [f"{name} {versions[name]}" for name in (*COMMON, *FRAMEWORKS) if name in versions]
    before, after = loads
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {processor()}, {os.cpu_count()} cores, "
        f"load {before:.1f} at the beginning and {after:.1f} at the end. {', '.join(names)}. "
        f"{effort.rounds} rounds of {effort.requests} requests."
    )


def processor() -> str:
    """The kind of processor."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{found[1]} ({platform.machine()})" if found else platform.machine()


def of_goals(results: Results) -> Iterator[str]:
    """Goal by goal."""
    yield from ("| goal | is | must | aim | |", "| --- | ---: | ---: | ---: | --- |")
    for goal in goals(results):
        yield goal.row()


def of_warm(warm: Warm, other: Peer) -> Iterator[str]:
    """Peer by peer: the ratio to another's CPU, and that one's own microseconds."""
    peers = list(next(iter(warm.values())).figures)

    def cell(series: Series[Peer], peer: Peer) -> str:
        own = f"{series.median(peer):.0f} µs"
        return f"1 ({own})" if peer is other else f"{series.ratio(peer, other):.2f}"

    rows = ([peer.title, *(cell(series, peer) for series in warm.values())] for peer in peers)
    return table(["", *warm], rows)


def of_bare(bare: Warm) -> Iterator[str]:
    """Peer by peer: microseconds, and the ratio to Powertools'."""
    peers = list(next(iter(bare.values())).figures)

    def cell(series: Series[Peer], peer: Peer) -> str:
        return f"{series.median(peer):.0f} ({series.ratio(peer, POWERTOOLS):.2f})"

    return table(["", *bare], ([p.title, *(cell(series, p) for series in bare.values())] for p in peers))


def of_cold(cold: Cold, other: str) -> Iterator[str]:
    """Handler by handler: CPU and memory, and the ratio of the CPU to another's."""
    head = ["", "import and make, ms", "first GET, ms", "both, ms", "ratio", "peak memory, MB"]
    rows = (
        [
            title,
            f"{cold.init.median(title):.0f}",
            f"{cold.first.median(title):.1f}",
            f"{cold.both.median(title):.0f}",
            f"{cold.both.ratio(title, other):.2f}",
            f"{cold.peak.median(title):.1f}",
        ]
        for title in cold.both.figures
    )
    return table(head, rows)


def of_growth(growth: Growth) -> Iterator[str]:
    """App by app: the microseconds of a request in an app of so many resources."""
    rows = [[title, *(f"{by_size[size]:.0f}" for size in SIZES)] for title, by_size in growth.whole.items()]
    rows.append([f"{OURS.title}, path to route alone", *(f"{growth.dispatch[size]:.1f}" for size in SIZES)])
    yield from table(["resources", *(f"{size:,}" for size in SIZES)], rows)
    yield ""
    yield (
        f"To register and compile {SIZES[-1]:,} resources takes {growth.compile_own:.0f} ms of CPU where each has a"
        f" model, {growth.compile_shared:.0f} ms where all have one; the making of the models, and of the client that"
        " they share, is left out."
    )


def of_calls(calls: Calls) -> Iterator[str]:
    """App by app: operations and units of each verb."""

    def cell(made: Sequence[tuple[str, float]]) -> str:
        return f"{', '.join(name for name, _ in made)}: {sum(units for _, units in made):g}"

    verbs = next(iter(calls.values()))
    return table(["", *verbs], ([title, *(cell(made[v]) for v in verbs)] for title, made in calls.items()))


Profile = Mapping[str, Mapping[Peer, Mapping[str, float]]]
"""Verb -> peer -> stage -> microseconds."""


def of_profile(profile: Profile) -> Iterator[str]:
    """Stage by stage."""
    columns = [(verb, peer) for verb in profile for peer in (RAW, OURS)]
    stages = list(dict.fromkeys(stage for verb, peer in reversed(columns) for stage in profile[verb][peer]))
    head = ["stage, µs", *(f"{verb}, {'raw' if peer is RAW else 'ours'}" for verb, peer in columns)]

    def cell(stage: str, verb: str, peer: Peer) -> str:
        return f"{profile[verb][peer][stage]:.0f}" if stage in profile[verb][peer] else "-"

    rows = [[stage, *(cell(stage, *column) for column in columns)] for stage in stages]
    sums = ["**sum**", *(f"{sum(profile[verb][peer].values()):.0f}" for verb, peer in columns)]
    return table(head, [*rows, sums])
