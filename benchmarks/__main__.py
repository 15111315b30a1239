"""Measure the package next to its peers, print the tables, and write them into docs/performance.md.

    python -m benchmarks [--rounds 41] [--requests 25] [--only KIND]

First all peers must answer alike. It needs their environments, which `make bench` makes, and DynamoDB Local at
``POLYMICRO_TEST_ENDPOINT``. With ``--only`` nothing is written.
"""

import argparse
import compileall
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from polymicro_lambda.cli.commands.build import read
from polymicro_lambda.deploy.artifact.build import BuildPlan, build

from . import agreement, plot, report, runs
from .asked import VERBS
from .engine import ITEMS
from .goals import ARTIFACT, Results
from .lineup import BOTO3, COLD, LOCAL, OURS, RAW, ROOT, WARM, Place, environment, stub, working
from .runs import Effort

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"
ENDPOINT = "http://127.0.0.1:8000"
REAL = Effort(rounds=21, requests=2, lead=1)
"""What is measured over DynamoDB Local, which takes its time."""


class Bench:
    """One run of everything."""

    def __init__(self, prefix: str, effort: Effort, real: str, stubbed: str) -> None:
        self.effort = effort
        self.table = agreement.table_name()
        self.stub = Place(prefix, environment(stubbed))
        self.real = Place(prefix, environment(real, TODO_TABLE=self.table))

    def agree(self) -> None:
        """Have all answer alike before anything is timed, over both engines."""
        agreement.check(self.real, self.table)
        with working(self.stub, agreement.SAME_API) as workers:
            answers = {
                p.title: agreement.told(lambda e, w=w: w.ask("answer", e), VERBS) for p, w in workers.items()
            }
        if found := [*agreement.differences(answers, VERBS)]:
            raise SystemExit("The peers differ:\n" + "\n".join(found))

    def warm(self) -> runs.Warm:
        """Whole requests."""
        return runs.warm(self.stub, self.effort)

    def bare(self) -> runs.Warm:
        """Requests without botocore."""
        return runs.warm(self.stub, self.effort, cut=True)

    def local(self) -> runs.Warm:
        """Whole requests over DynamoDB Local."""
        return runs.real(self.real, self.table, REAL, LOCAL)

    def calls(self) -> runs.Calls:
        """What each verb calls."""
        return runs.calls(self.real, self.table)

    def growth(self) -> runs.Growth:
        """Apps of many resources."""
        return runs.growth(self.stub, self.effort)

    def cold(self) -> runs.Cold:
        """Fresh processes, of code with bytecode."""
        here = Path(__file__).with_name("peers")
        compileall.compile_dir(here, quiet=1)
        text, whole = VERBS["GET"].text(), VERBS["GET"].text(owner_in_path=True)
        with TemporaryDirectory() as name:
            artifact = Path(name) / "artifact"
            build(
                BuildPlan(ROOT, "handlers.todo", read(ROOT / "pyproject.toml").requirements or ()), artifact
            )
            everybody = {
                peer.title: runs.Start(
                    f"{here}:{self.stub.packages(peer.environment)}", peer.module, peer.make, text
                )
                for peer in COLD
            }
            everybody[ARTIFACT] = runs.Start(str(artifact), "handlers.todo", "handler", whole)
            return runs.cold(self.stub.variables, everybody, self.effort.rounds)

    def profile(self) -> report.Profile:
        """The stages of a GET and a LIST, by hand and ours."""
        with working(self.stub, (RAW, OURS)) as workers:
            return {verb: runs.profile(workers, VERBS[verb], self.effort) for verb in ("GET", "LIST 20")}

    def versions(self) -> dict[str, str]:
        """The packages of all environments. Ends the program where two have one in different versions."""
        found: dict[str, str] = {}
        for peer in (*WARM, BOTO3):
            for package in distributions(path=[str(self.stub.packages(peer.environment))]):
                name, version = package.metadata["Name"].lower().replace("_", "-"), package.version
                if name in report.COMMON and found.setdefault(name, version) != version:
                    raise SystemExit(f"{peer.title} has {name} {version}, others {found[name]}: make clean")
                found[name] = version
        return found


def section(title: str, text: str, lines: Iterator[str]) -> Iterator[str]:
    """A part of the page, told as it comes."""
    for line in (f"### {title}", "", *([text, ""] if text else []), *lines, ""):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        yield line


KINDS: Mapping[str, tuple[str, str, Callable[..., Iterator[str]]]] = {
    "warm": (
        "Warm",
        "CPU of a request in a process that lives on, to that by hand on a raw botocore client: medians of the ratios"
        " of each round. The stub answers over loopback.",
        lambda found: report.of_warm(found, RAW),
    ),
    "local": (
        "Over DynamoDB Local",
        f"The same over Amazon's own engine, {REAL.rounds} rounds of {REAL.requests} requests; a POST makes a new item,"
        " a DELETE has one of its own.",
        lambda found: report.of_warm(found, RAW),
    ),
    "bare": (
        "The framework alone",
        "CPU microseconds of a request, and in brackets the ratio to the Powertools peer; botocore is left out: its"
        " `_make_api_call` gives at once what it gave before.",
        report.of_bare,
    ),
    "cold": (
        "Cold",
        "CPU of a fresh process, from before the handler's import until it is there with its client, and of the first"
        " GET; the ratio is to boto3. All have bytecode.",
        lambda found: report.of_cold(found, BOTO3.title),
    ),
    "growth": (
        "Many resources",
        "CPU microseconds of a request to the last of so many resources, which answers at once.",
        report.of_growth,
    ),
    "calls": (
        "Calls and capacity",
        "The operations of each verb and the capacity units that they consume, as DynamoDB Local counts them:"
        f" consistent reads, {ITEMS} items in the list.",
        report.of_calls,
    ),
    "profile": (
        "Where the time goes",
        "CPU microseconds by stage, over the stub. The clock is read at each border, which makes the sums larger than"
        " above.",
        report.of_profile,
    ),
}
"""Kind of run -> title, what it shows, and how it is written."""


def go_first() -> None:
    """Have other work on this machine wait, where that may be asked for: it takes the caches too."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        # Linux weighs sessions first, then the processes of each (sched(7), "The autogroup feature").
        Path("/proc/self/autogroup").write_text("-10", encoding="ascii")


def main() -> None:
    """Print and write all, or print one kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environments", default=".venv-bench", metavar="PREFIX")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--requests", type=int, default=25)
    parser.add_argument("--only", choices=KINDS)
    options = parser.parse_args()
    effort = Effort(options.rounds, options.requests)
    go_first()
    endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", ENDPOINT)
    # This process's own client makes tables and items, there and nowhere else.
    os.environ |= environment(endpoint)
    before = os.getloadavg()[0]
    with stub() as stubbed:
        bench = Bench(options.environments, effort, endpoint, stubbed)
        versions = bench.versions()
        bench.agree()
        found = {kind: getattr(bench, kind)() for kind in ([options.only] if options.only else KINDS)}
    lines = [*report.conditions(versions, effort, (before, os.getloadavg()[0])), ""]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.only is None:
        results = Results(found["warm"], found["bare"], found["cold"], found["growth"], found["calls"])
        lines += section("Goals", "", report.of_goals(results))
    for kind, result in found.items():
        title, text, told = KINDS[kind]
        lines += section(title, text, told(result))
        if kind == "warm" and options.only is None:
            lines += [f"![The same as bars]({PICTURE.name})", ""]
    if options.only is None:
        plot.draw(PICTURE, found["warm"])
        report.write(PAGE, lines[:-1])


if __name__ == "__main__":
    main()
