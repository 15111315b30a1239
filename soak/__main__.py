"""Soak `polymicro serve` over DynamoDB Local, under faults, and judge at the end what is stored.

    python -m soak [--requests 100000] [--minutes 60] [--seed 1] [--users 4] [--connections 4]
                   [--faults 0.02] [--outages 6] [--growth 64] [--log FILE]

Mixed users send requests over several connections each. A proxy between the app and its engine throttles, fails,
delays and loses calls; the engine is stopped and killed and started again. Exits 1 where an acknowledged write is
lost, a write happened that nobody was told of, a row crossed users, an answer was outside the error contract, or
the serving process grew by more than ``--growth`` bytes a request.
"""

import argparse
import json
import platform
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import linear_regression
from typing import Any

from botocore.session import get_session

from handlers import authorizer

from .acts import ACTS
from .connection import Connection, Shared
from .engine import Engine, engine
from .ledger import STOCK, Counted, Findings, Ledger, Place, Sale, State, Stocked, judge, judge_shop
from .proxy import FATES, Proxy
from .serving import Serving, serving

SECRET = "a-secret-of-this-soak-alone-and-of-32-bytes"
AWS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""So that memory is what the program holds, not what glibc keeps for each thread that there ever was."""
WEIGHTS = {"answer too late": 1, "answer slow": 4} | dict.fromkeys(("answer lost", "request lost"), 6)
"""How often each fault comes, of all faults; those not named 4."""
WARM = 0.25
"""The share of the requests after which memory is judged: before that caches fill."""
ENOUGH = 20_000
"""The least requests that say anything of memory."""
GOODS = ("tea", "cups", "pots")
DOWN = 3.0
"""Seconds that the engine is away, besides those of its start."""


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60, help="end after so long, whatever was sent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--connections", type=int, default=4, help="of each user")
    parser.add_argument(
        "--faults", type=float, default=0.02, help="the share of DynamoDB calls that go wrong"
    )
    parser.add_argument("--outages", type=int, default=6, help="how often the engine is away")
    parser.add_argument("--growth", type=float, default=64, help="bytes a request that memory may grow by")
    parser.add_argument("--port", type=int, default=8123, help="of the engine; the app gets the next")
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "soak.log")
    return parser.parse_args()


@dataclass(slots=True)
class Faults:
    """Says what becomes of each call of DynamoDB's, while it is ``armed``."""

    dice: random.Random
    rate: float
    armed: bool = False

    def __call__(self, operation: str, body: bytes) -> str | None:
        """The name of a fault, or None."""
        if not self.armed or self.dice.random() >= self.rate:
            return None
        return self.dice.choices(list(FATES), [WEIGHTS.get(name, 4) for name in FATES])[0]


def main() -> int:
    """Run, tell, and say by the status whether all held."""
    said = options()
    authorizer_token = tokens()
    faults = Faults(random.Random(said.seed), said.faults)
    with engine(said.port) as there:
        proxy = Proxy(there.url, faults)
        with proxy.running() as url:
            environment = {
                **AWS,
                "AWS_ENDPOINT_URL_DYNAMODB": url,
                "JWT_SECRET": SECRET,
                "POLYMICRO_DEBUG": "false",
                **FEW_ARENAS,
            }
            with serving(said.port + 1, said.log, environment) as served:
                shared = prepared(there, served.port, said)
                names = [(user, f"{user}-{n}") for user in shared.counters for n in range(said.connections)]
                connections = [
                    Connection(shared, user, authorizer_token(user), f"{said.seed}-{name}")
                    for user, name in names
                ]
                faults.armed = True
                began = time.monotonic()
                memory = drive(connections, shared, served, there, faults, said)
                seconds = time.monotonic() - began
        compared = [*judged(there, shared, [each.ledger for each in connections])]
    return told(said, shared, proxy, memory, seconds, compared)


def tokens() -> Callable[[str], str]:
    """What makes a token for a user."""
    import os  # noqa: PLC0415 - the authorizer reads its secret from here

    os.environ["JWT_SECRET"] = SECRET
    return lambda user: authorizer.token(user, ("member",), expires_in=86_400)


def client(there: Engine) -> Any:
    """A client of the engine's, past proxy and library."""
    session = get_session()
    session.set_credentials("local", "local")
    return session.create_client("dynamodb", "us-east-1", endpoint_url=there.url)


def prepared(there: Engine, port: int, said: argparse.Namespace) -> Shared:
    """The counters of each user and everybody's goods, put where they are to be."""
    users = [f"user{number}" for number in range(said.users)]
    counters = {u: [Counted((kind, u, "counter")) for kind in ("notes", "tasks")] for u in users}
    for kind, owner, id_ in [each.place for both in counters.values() for each in both]:
        item = {"owner": {"S": owner}, "id": {"S": id_}, "text": {"S": "counter"}, "count": {"N": "0"}}
        client(there).put_item(TableName=f"soak-{kind}", Item=item | {"version": {"N": "1"}})
    for name in GOODS:
        item = {"id": {"S": name}, "stock": {"N": str(STOCK)}, "sold": {"N": "0"}}
        client(there).put_item(TableName="soak-goods", Item=item)
    goods = [Counted(("goods", "", name)) for name in GOODS]
    return Shared(port, Findings(), counters, goods, most=said.requests)


def drive(
    connections: list[Connection],
    shared: Shared,
    served: Serving,
    there: Engine,
    faults: Faults,
    said: argparse.Namespace,
) -> list[tuple[int, int]]:
    """Let all connections run, break the engine meanwhile; requests made and bytes in memory, each second."""
    threads = [threading.Thread(target=each.run, args=(ACTS,), daemon=True) for each in connections]
    outages = [said.requests * (n + 1) // (said.outages + 1) for n in range(said.outages)]
    end = time.monotonic() + said.minutes * 60
    memory, told_at = [], 0.0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        memory.append((shared.requests, served.resident()))
        if time.monotonic() > end:
            shared.most = shared.requests
        if shared.over:
            faults.armed = False
        elif outages and shared.requests >= outages[0]:
            there.stop(kill=len(outages) % 2 == 0)
            time.sleep(DOWN)
            there.start()
            outages.pop(0)
        if time.monotonic() - told_at > 30:
            told_at = time.monotonic()
            print(
                f"{shared.requests} requests, {memory[-1][1] >> 20} MB, {dict(shared.findings.counts)}",
                flush=True,
            )
    return memory


def judged(there: Engine, shared: Shared, ledgers: list[Ledger]) -> Iterator[str]:
    """Compare what is stored with what was answered; words of what was compared."""
    rows: dict[Place, State] = {
        (kind, item["owner"]["S"], item["id"]["S"]): (item["text"]["S"], int(item["count"]["N"]))
        for kind in ("notes", "tasks")
        for item in stored(there, kind)
    }
    counters = [one for several in shared.counters.values() for one in several]
    yield from judge(rows, ledgers, counters, shared.findings)
    goods = {
        item["id"]["S"]: Stocked(int(item["stock"]["N"]), int(item["sold"]["N"]))
        for item in stored(there, "goods")
    }
    sales = [Sale(*(item[name]["S"] for name in Sale._fields)) for item in stored(there, "sales")]
    yield from judge_shop(goods, sales, ledgers, shared.goods, shared.findings)


def stored(there: Engine, kind: str) -> Iterator[dict[str, Any]]:
    """All items of a table."""
    pages = client(there).get_paginator("scan").paginate(TableName=f"soak-{kind}", ConsistentRead=True)
    return (item for page in pages for item in page["Items"])


def told(
    said: argparse.Namespace,
    shared: Shared,
    proxy: Proxy,
    memory: list[tuple[int, int]],
    seconds: float,
    compared: list[str],
) -> int:
    """Print the report; 1 where something did not hold."""
    warm = [(n, size) for n, size in memory if n >= shared.requests * WARM]
    slope = linear_regression(*zip(*warm, strict=True)).slope if len({n for n, _ in warm}) > 1 else 0.0
    findings = shared.findings
    if slope > said.growth and shared.requests >= ENOUGH:
        findings.add("memory grew", f"{slope:.1f} bytes a request")
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python -m soak {' '.join(sys.argv[1:])}",
        "versions": {name: version(name) for name in ("botocore", "pynamodb", "werkzeug")}
        | {"python": platform.python_version()},
        "requests": shared.requests,
        "seconds": round(seconds),
        "slowest": round(shared.slowest, 1),
        "answers": dict(sorted(shared.statuses.items())),
        "calls": dict(sorted(proxy.fates.items())),
        "memory": {
            "first MB": warm[0][1] >> 20,
            "last MB": warm[-1][1] >> 20,
            "bytes a request": round(slope, 1),
        },
        "compared": compared,
        "findings": dict(findings.counts),
    }
    print(json.dumps(report, indent=1))
    print(*findings.words, sep="\n")
    return 1 if findings.counts else 0


if __name__ == "__main__":
    sys.exit(main())
