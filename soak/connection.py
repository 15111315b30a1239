"""One user's connection to the app: its requests, each judged by the contract, and those that it repeats by a key."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote
from uuid import uuid4

from .contract import Answer, broken
from .ledger import Counted, Findings, Ledger, Place

PATIENCE = 29.0
"""Seconds in which every answer must be there (API Gateway's default limit)."""
LIMIT = 35.0
"""Seconds after which a connection gives up."""
PENDING = 5
"""The requests that a connection has without an answer, before it asks for these again."""
JSON = {"Content-Type": "application/json"}
Note: TypeAlias = Callable[[Answer | None], None]
"""What takes note of an answer, None where none came."""


class Keyed(NamedTuple):
    """A POST under an ``Idempotency-Key``."""

    path: str
    body: Any
    note: Note


@dataclass(slots=True)
class Shared:
    """What all connections have in common."""

    port: int
    findings: Findings
    counters: Mapping[str, list[Counted]]
    """By user."""
    goods: list[Counted] = field(default_factory=list)
    """Everybody's; what is counted are their refills."""
    statuses: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    most: int = 0
    """When so many requests are made, it is over."""
    slowest: float = 0.0
    known: dict[str, Place] = field(default_factory=dict)
    """A row of each user's, for others to try."""
    cursors: dict[str, str] = field(default_factory=dict)
    """A pagination key of each user's."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, seconds: float) -> None:
        """Note one request, by verb and status."""
        with self.lock:
            self.requests += 1
            self.statuses[name] += 1
            self.slowest = max(self.slowest, seconds)

    @property
    def over(self) -> bool:
        """Whether no more requests are to be made."""
        return self.requests >= self.most


class Connection:
    """What all that one connection does has in common."""

    def __init__(self, shared: Shared, user: str, token: str, seed: str) -> None:
        self.shared = shared
        self.user = user
        self.headers = {"Authorization": f"Bearer {token}"}
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.pending: dict[str, Keyed] = {}
        """Keys -> requests that are still without an answer."""
        self.http: HTTPConnection | None = None
        self.numbers = itertools.count()
        self.name = seed

    def run(self, acts: Mapping["Act", int]) -> None:
        """Make requests until it is over; ``acts`` says how often each comes."""
        while not self.shared.over:
            act = self.dice.choices(list(acts), list(acts.values()))[0]
            try:
                act(self)
            except Exception as error:  # noqa: BLE001 - a mistake of the soak's own must not pass for a pass
                self.finding("soak broken", f"{act.__name__}: {error!r}")
        for _ in range(5):
            if self.pending:
                time.sleep(8)
                self.again()
        self.close()

    # --- one request -----------------------------------------------------------------------------------------

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
    ) -> Answer | None:
        """The answer, None where none came."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        said = self.headers | (JSON if content is not None else {}) | dict(headers)
        began = time.monotonic()
        try:
            if self.http is None or self.dice.random() < 0.01:
                self.close()
                self.http = HTTPConnection("127.0.0.1", self.shared.port, timeout=LIMIT)
            self.http.request(method, path, content, said)
            with self.http.getresponse() as response:
                found = {name.lower(): value for name, value in response.getheaders()}
                answer = Answer(response.status, found, response.read())
        except (OSError, HTTPException) as error:
            self.close()
            self.shared.count(f"{method} no answer", time.monotonic() - began)
            self.finding("outside the contract", f"{method} {path}: no answer, {error!r}")
            return None
        seconds = time.monotonic() - began
        self.shared.count(f"{method} {answer.status}", seconds)
        wrong = [*broken(answer), *([f"took {seconds:.1f} s"] if seconds > PATIENCE else [])]
        if wrong:
            self.finding(
                "outside the contract", f"{method} {path}: {answer.status} {wrong} {answer.content[:300]!r}"
            )
        return answer

    def close(self) -> None:
        """Let the connection go."""
        if self.http is not None:
            self.http.close()
            self.http = None

    def finding(self, kind: str, words: str) -> None:
        """Note what must not be."""
        self.shared.findings.add(kind, f"[{self.name}] {words}")

    def text(self) -> str:
        """A text that no other write has."""
        return f"{self.name}-{next(self.numbers)}"

    def path(self, place: Place) -> str:
        """Where a row is."""
        resource, owner, id_ = place
        return f"/{resource}/{quote(id_)}" if resource == "notes" else f"/{resource}/{owner}/{quote(id_)}"

    # --- one that is repeated until there is an answer -------------------------------------------------------

    def once(self, path: str, body: Any, note: Note) -> None:
        """POST under a new key. ``note`` is told each answer, until there is one; too many such requests wait."""
        if len(self.pending) >= PENDING:
            self.again()
            return
        key = str(uuid4())
        self.pending[key] = Keyed(path, body, note)
        self._ask(key)

    def again(self) -> None:
        """Ask again for what is still without an answer."""
        for key in list(self.pending):
            self._ask(key)

    def _ask(self, key: str) -> None:
        answer = self._said(key)
        self.pending[key].note(answer)
        if unknown(answer):
            return
        if (
            answer.status < 400 and self.dice.random() < 0.2
        ):  # a refusal is not kept: it would be a new request
            replay = self._said(key)
            if not unknown(replay) and (replay.status, replay.json) != (answer.status, answer.json):
                self.finding("false answer", f"replay of {key}: {replay.status} {replay.content[:200]!r}")
        del self.pending[key]

    def _said(self, key: str) -> Answer | None:
        """The answer to a request under a key, None where there is none yet."""
        path, body, _ = self.pending[key]
        answer = self.send("POST", path, body, {"Idempotency-Key": f'"{key}"'})
        in_flight = answer is not None and answer.status == 409 and "retry-after" in answer.headers
        return None if in_flight else answer


Act: TypeAlias = Callable[[Connection], None]
"""Something that a connection does."""


def unknown(answer: Answer | None) -> bool:
    """Whether it says nothing of what became of the request."""
    return answer is None or answer.status == 503
