"""The kinds of runs: what is measured of whom."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from statistics import median
from typing import Any

from . import agreement
from .asked import VERBS, Ask
from .engine import item
from .lineup import (
    COLD,
    GROWING,
    OURS,
    README,
    SAME_API,
    WARM,
    Peer,
    Place,
    Worker,
    working,
)
from .rounds import Series, rotated

SIZES = (1, 10, 100, 1000)
"""Resources of an app."""
KEEPING_ITEMS = ("GET", "LIST 20", "PATCH", "POST", "DELETE")
"""The verbs in an order in which each finds the items that it is to find."""
TURNS = 42
"""How often apps of each size find the same path, the first time for the caches alone."""
WARM_UP = 30
"""Requests before the clock runs."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    requests: int
    """In each round, of each verb."""
    lead: int = 3
    """More of them at the beginning of each turn, which do not count: other processes have had the caches."""


# --- warm, and the framework alone -------------------------------------------------------------------------

Warm = Mapping[str, Series[Peer]]
"""Verb -> CPU microseconds of a request."""


def warm(place: Place, effort: Effort, *, cut: bool = False, peers: Sequence[Peer] = WARM) -> Warm:
    """Requests to long-lived processes; ``cut`` leaves all of botocore out."""
    with working(place, peers) as workers:
        for peer, worker in workers.items():
            if cut:
                worker.ask("cut", [ask.text(owner_in_path=peer.owner_in_path) for ask in VERBS.values()])
            for ask in VERBS.values():
                worker.ask("cpu", [ask.text(owner_in_path=peer.owner_in_path)], WARM_UP, 0)
        return {verb: _timed(workers, ask, effort) for verb, ask in VERBS.items()}


def _timed(workers: Mapping[Peer, Worker], ask: Ask, effort: Effort) -> Series[Peer]:
    def measure(peer: Peer) -> float:
        figure: float = workers[peer].ask(
            "cpu", [ask.text(owner_in_path=peer.owner_in_path)], effort.requests, effort.lead
        )
        return figure

    return Series.measured(list(workers), effort.rounds, measure)


def real(place: Place, table: str, effort: Effort, peers: Sequence[Peer]) -> Warm:
    """The same over DynamoDB Local, each DELETE of an item of its own."""
    client = agreement.client_of(place.variables["AWS_ENDPOINT_URL_DYNAMODB"])
    agreement.create(client, table)
    try:
        with working(place, peers) as workers:

            def measure(verb: str, peer: Peer) -> float:
                texts = prepared(client, table, verb, effort)
                figure: float = workers[peer].ask("cpu", texts, effort.requests, effort.lead)
                return figure

            for verb, peer in product(VERBS, peers):
                measure(verb, peer)  # for the first time
            agreement.fill(client, table)
            found = {v: Series.measured(peers, effort.rounds, partial(measure, v)) for v in KEEPING_ITEMS}
            return {verb: found[verb] for verb in VERBS}
    finally:
        client.delete_table(TableName=table)


def prepared(client: Any, table: str, verb: str, effort: Effort) -> list[str]:
    """The events to send; what is to be deleted is there."""
    if verb != "DELETE":
        return [VERBS[verb].text()]
    kept = [item(1000 + number) for number in range(effort.requests + effort.lead)]
    for one in kept:
        client.put_item(TableName=table, Item=one)
    return [replace(VERBS[verb], path=f"/todo/{one['uuid']['S']}").text() for one in kept]


# --- calls and capacity ------------------------------------------------------------------------------------

Calls = Mapping[str, Mapping[str, Sequence[tuple[str, float]]]]
"""Title -> verb -> operations, and the units that each consumes."""


def calls(place: Place, table: str) -> Calls:
    """What each verb calls, on an engine that counts."""
    client = agreement.client_of(place.variables["AWS_ENDPOINT_URL_DYNAMODB"])
    agreement.create(client, table)
    peers = (*SAME_API, README)
    try:
        with working(place, peers) as workers:
            found = {}
            for peer, worker in workers.items():
                agreement.fill(client, table)
                found[peer.title] = {
                    verb: worker.ask("calls", ask.event(owner_in_path=peer.owner_in_path))
                    for verb, ask in VERBS.items()
                }
            return found
    finally:
        client.delete_table(TableName=table)


# --- stage by stage ----------------------------------------------------------------------------------------


def profile(workers: Mapping[Peer, Worker], ask: Ask, effort: Effort) -> Mapping[Peer, Mapping[str, float]]:
    """The stages of a request, in CPU microseconds: the medians of the rounds."""
    found: dict[Peer, list[Mapping[str, float]]] = {peer: [] for peer in workers}
    for worker in workers.values():
        worker.ask("cpu", [ask.text()], WARM_UP)
    for number in range(effort.rounds):
        for peer in rotated(list(workers), number):
            found[peer].append(workers[peer].ask("stages", ask.text(), effort.requests))
    return {
        peer: {stage: median(one[stage] for one in batches) for stage in batches[0]}
        for peer, batches in found.items()
    }


# --- cold --------------------------------------------------------------------------------------------------

SCRIPT = r"""
import json, re, sys, time
sys.path[:0] = sys.argv[1].split(":")
event = json.loads(sys.argv[4])
before = time.process_time()
from importlib import import_module
module = import_module(sys.argv[2])
handler = getattr(module, sys.argv[3])
handler = handler() if sys.argv[3] != "handler" else handler
ready = time.process_time()
status = handler(event, None)["statusCode"]
done = time.process_time()
# Not getrusage's, which begins with that of the process that started this one.
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([status, (ready - before) * 1000, (done - ready) * 1000, peak / 1e6]))
"""


@dataclass(frozen=True, slots=True)
class Cold:
    """A handler in fresh processes: CPU in milliseconds, memory in MB."""

    init: Series[str]
    first: Series[str]
    """The first request, after the init phase."""
    both: Series[str]
    peak: Series[str]
    """The resident memory at its largest."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a fresh process imports, from where, and what it is asked."""

    paths: str
    module: str
    make: str
    event: str


def starts() -> dict[str, Peer]:
    """Title -> peer."""
    return {peer.title: peer for peer in COLD}


def cold(variables: Mapping[str, str], everybody: Mapping[str, Start], rounds: int) -> Cold:
    """Fresh processes in turn, each asked for one item."""
    found: dict[str, list[tuple[float, float, float]]] = {title: [] for title in everybody}

    def measure(title: str) -> float:
        run = _started(variables, everybody[title])
        found[title].append(run)
        return run[0] + run[1]

    for title in everybody:
        _started(variables, everybody[title])  # from the disk, once
    both = Series.measured(list(everybody), rounds, measure)
    init, first, peak = (
        Series({title: [run[place] for run in runs] for title, runs in found.items()}) for place in range(3)
    )
    return Cold(init, first, both, peak)


def _started(variables: Mapping[str, str], start: Start) -> tuple[float, float, float]:
    command = [sys.executable, "-I", "-S", "-B", "-c", SCRIPT]
    done = subprocess.run(  # noqa: S603 - our own script
        [*command, start.paths, start.module, start.make, start.event],
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{start.module} does not start:\n{done.stderr}")
    status, init, first, peak = json.loads(done.stdout.splitlines()[-1])
    if status != 200:
        raise SystemExit(f"{start.module} answers with {status}.")
    return init, first, peak


# --- many resources ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Growth:
    """What more resources cost."""

    whole: Mapping[str, Mapping[int, float]]
    """Title -> resources -> CPU microseconds of a request that is answered at once."""
    dispatch: Mapping[int, float]
    """Resources -> CPU microseconds of ours from a path to its route."""
    compile_shared: float
    """CPU milliseconds to compile 1,000 resources over one model."""
    compile_own: float
    """The same, each over a model of its own that is there."""


def growth(place: Place, effort: Effort) -> Growth:
    """Apps of more and more resources, of which the last is asked."""
    whole = {peer.title: {size: _grown(place, peer, size, effort) for size in SIZES} for peer in GROWING}
    samples = max(3, min(effort.rounds, 5))
    return Growth(
        whole,
        _dispatch(place),
        _own(place, samples, "compile_ms", SIZES[-1], True),
        _own(place, samples, "compile_ms", SIZES[-1], False),
    )


def _grown(place: Place, peer: Peer, size: int, effort: Effort) -> float:
    path = f"/r{size - 1}" if peer is OURS else f"/r{size - 1}/1"
    ask = Ask(200, "GET", path)
    event = ask.event()
    with Worker(place, peer) as worker:
        figure: float = worker.ask("grown", size, json.dumps(event), effort.requests)
        return figure


def _dispatch(place: Place) -> dict[int, float]:
    with Worker(place, OURS) as worker:
        turns = worker.ask("call", "dispatch_us", SIZES, 2000, TURNS)
    return {size: median(turn[at] for turn in turns) for at, size in enumerate(SIZES)}


def _own(place: Place, samples: int, function: str, *arguments: Any) -> float:
    found = []
    for _ in range(samples):
        with Worker(place, OURS) as worker:
            found.append(worker.ask("call", function, *arguments))
    return median(found)
