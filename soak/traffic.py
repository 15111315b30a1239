"""The requests of one connection, and what each answer tells of the rows that it wrote."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from .contract import Answer, broken
from .ledger import Counted, Findings, Ledger, Made, Place, Row, State

PATIENCE = 29.0
"""Seconds in which every answer must be there (API Gateway's default limit)."""
LIMIT = 35.0
"""Seconds after which a connection gives up."""
ROWS = 25
"""The rows that one connection keeps."""
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Shared:
    """What all connections have in common."""

    port: int
    findings: Findings
    counters: Mapping[str, list[Counted]]
    """By user."""
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
    """One user's connection: it writes rows that no other writes, and some that others of the user count up too."""

    def __init__(self, shared: Shared, user: str, token: str, seed: str) -> None:
        self.shared = shared
        self.user = user
        self.headers = {"Authorization": f"Bearer {token}"}
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.pending: dict[str, tuple[str, dict[str, Any]]] = {}
        """Keys of creates that are still without an answer -> resource and body."""
        self.http: HTTPConnection | None = None
        self.numbers = itertools.count()
        self.name = seed

    def run(self) -> None:
        """Make requests until it is over."""
        acts, weights = zip(*ACTS, strict=True)
        while not self.shared.over:
            act = self.dice.choices(acts, weights)[0]
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

    def row(self) -> Row | None:
        """One of its rows, most often one that may be there."""
        rows = [row for row in self.ledger.rows.values() if row.may != {None} or self.dice.random() < 0.05]
        return self.dice.choice(rows) if rows else None

    # --- rows of its own -------------------------------------------------------------------------------------

    def create(self) -> None:
        """A new row under an id of the client's: a 409 must be true."""
        if sum(row.may != {None} for row in self.ledger.rows.values()) >= ROWS:
            self.remove()
            return
        resource = self.dice.choice(("notes", "tasks"))
        gone = [row for row in self.ledger.rows.values() if row.may == {None} and row.place[0] == resource]
        row = self.dice.choice(gone) if gone and self.dice.random() < 0.3 else None
        row = row or Row((resource, self.user, str(uuid4())), {None})
        self.ledger.rows[row.place] = row
        state = (self.text(), self.dice.randrange(100))
        body = {"id": row.place[2], "text": state[0], "count": state[1], **self._owner(resource)}
        answer = self.send("POST", f"/{resource}", body)
        row.tag = None
        if unknown(answer):
            row.may.add(state)
        elif answer.status == 201 and _state(answer) == state:
            row.may, row.tag = {state}, answer.headers.get("etag")
            self.shared.known[self.user] = row.place
        else:
            self.finding("false answer", f"create {row.place}: {answer.status} {answer.content[:200]!r}")

    def _owner(self, resource: str) -> dict[str, str]:
        return {"owner": self.user} if resource == "tasks" else {}

    def create_once(self) -> None:
        """A new row under an id of the server's, with a key by which it may be asked for again."""
        if len(self.pending) >= 5:
            self.again()
            return
        resource, text = self.dice.choice(("notes", "tasks")), self.text()
        body = {"text": text, "count": 0, **self._owner(resource)}
        if self.dice.random() < 0.5:  # without a key: it may be there once, and must be if acknowledged
            answer = self.send("POST", f"/{resource}", body)
            self._made(resource, text, answer)
            return
        key = str(uuid4())
        self.pending[key] = (resource, body)
        self._ask(key)

    def again(self) -> None:
        """Ask again for what is still without an answer."""
        for key in list(self.pending):
            self._ask(key)

    def _ask(self, key: str) -> None:
        resource, body = self.pending[key]
        answer = self.send("POST", f"/{resource}", body, {"Idempotency-Key": f'"{key}"'})
        if answer is not None and answer.status == 409 and "retry-after" in answer.headers:  # in flight
            answer = None
        self._made(resource, body["text"], answer)
        if unknown(answer):
            return
        del self.pending[key]
        if self.dice.random() < 0.2:
            replay = self.send("POST", f"/{resource}", body, {"Idempotency-Key": f'"{key}"'})
            if not unknown(replay) and (replay.status, replay.json) != (answer.status, answer.json):
                held = replay.status == 409 and "retry-after" in replay.headers
                if not held:
                    self.finding("false answer", f"replay of {key}: {replay.status} {replay.content[:200]!r}")

    def _made(self, resource: str, text: str, answer: Answer | None) -> None:
        """Note a create whose id comes with the answer."""
        if unknown(answer):
            self.ledger.made[text] = Made(self.user, 0)
            return
        self.ledger.made.pop(text, None)
        if answer.status != 201 or answer.json["text"] != text:
            self.finding("false answer", f"create {text}: {answer.status} {answer.content[:200]!r}")
            return
        place = (resource, self.user, answer.json["id"])
        self.ledger.rows[place] = Row(place, {_state(answer)}, answer.headers.get("etag"))

    def read(self) -> None:
        """Read a row: it is one of what it may be, and then known."""
        row = self.row()
        if row is None:
            return
        answer = self.send("GET", self.path(row.place))
        if unknown(answer):
            return
        state = _state(answer)
        if answer.status not in (200, 404) or state not in row.may:
            self.finding(
                "lost acknowledged write" if row.is_there and state is None else "false answer",
                f"read {row.place}: {answer.status} {state}, may be {row.may}",
            )
        row.may, row.tag = {state}, answer.headers.get("etag")

    def patch(self) -> None:
        """Set its text, with its tag where that is known, half of the time."""
        text = self.text()
        self.write("PATCH", "", lambda state: (text, state[1]), {"text": text})

    def put(self) -> None:
        """Replace it."""
        state = (self.text(), self.dice.randrange(100))
        self.write("PUT", "", lambda _: state, {"text": state[0], "count": state[1]})

    def add(self) -> None:
        """Count it up by an action."""
        self.write("POST", "/add", lambda state: (state[0], state[1] + 1))

    def remove(self) -> None:
        """Delete it."""
        self.write("DELETE", "", lambda _: None)

    def write(
        self,
        method: str,
        below: str,
        effect: Callable[[tuple[str, int]], State],
        body: Any = None,
    ) -> None:
        """Change a row, and note what it may be then."""
        row = self.row()
        if row is None:
            return
        if method == "PUT":
            body = body | (self._owner(row.place[0]) and {})
        tag = row.tag if below == "" and self.dice.random() < 0.5 else None
        before, row.tag = row.may, None
        after = {effect(state) for state in before if state is not None}
        answer = self.send(method, self.path(row.place) + below, body, {"If-Match": tag} if tag else {})
        if unknown(answer):
            row.may = before | after
        elif answer.status in (200, 204) and _state(answer) in after:
            row.may, row.tag = {_state(answer)}, answer.headers.get("etag")
        elif answer.status == 404 and None in before:
            row.may = {None}
        elif method == "DELETE" and answer.status == 204 and before == {None}:
            pass  # its answer from DynamoDB got lost, and a row that is gone is as a DELETE would have it
        else:
            lost = answer.status == 404
            self.finding(
                "lost acknowledged write" if lost else "false answer",
                f"{method} {row.place} {tag}: {answer.status} {answer.content[:200]!r}, was {before}",
            )
            row.may = before | after

    def walk(self) -> None:
        """All rows of a list: the user's alone, and each that is surely there as it may be."""
        resource = self.dice.choice(("notes", "tasks"))
        given: dict[Place, State] = {}
        query = f"?limit={self.dice.choice((20, 50, 100))}"
        while query:
            answer = self.send("GET", f"/{resource}{query}")
            if unknown(answer):
                return
            if answer.status != 200:
                self.finding("false answer", f"list: {answer.status} {answer.content[:200]!r}")
                return
            for item in answer.json["items"]:
                if item["owner"] != self.user:
                    self.finding("cross-user row", f"{item['owner']} in the list of {self.user}")
                given[resource, item["owner"], item["id"]] = (item["text"], item["count"])
            if answer.json["pagination_key"]:
                self.shared.cursors[f"{resource} {self.user}"] = answer.json["pagination_key"]
            query = answer.headers.get("link", "").partition(">")[0].lstrip("<")
        for row in self.ledger.rows.values():
            if row.place[0] == resource and given.get(row.place) not in row.may:
                kind = (
                    "lost acknowledged write" if row.is_there and row.place not in given else "false answer"
                )
                self.finding(kind, f"list: {row.place} {given.get(row.place)}, may be {row.may}")

    # --- rows of many ----------------------------------------------------------------------------------------

    def count(self) -> None:
        """Read a counter and write the next number where it is still so: no count is lost."""
        counter = self.dice.choice(self.shared.counters[self.user])
        path = self.path(counter.place)
        answer = self.send("GET", path)
        if unknown(answer):
            return
        if answer.status != 200:
            self.finding("lost acknowledged write", f"{counter.place}: {answer.status}")
            return
        number = answer.json["count"] + 1
        # Under a text of its own: two writers of the very same could not be told apart where an answer got lost.
        body = {"count": number, "text": self.text()}
        answer = self.send("PATCH", path, body, {"If-Match": answer.headers["etag"]})
        if unknown(answer) or answer.status == 200:
            counter.counts(done=not unknown(answer))
        elif answer.status not in (409, 412):
            self.finding("false answer", f"count {counter.place}: {answer.status} {answer.content[:200]!r}")

    # --- what is to be refused -------------------------------------------------------------------------------

    def trespass(self) -> None:
        """Try another user's row in every way: it is not there, and stays as it is."""
        others = [place for user, place in self.shared.known.items() if user != self.user]
        if not others:
            return
        path = self.path(self.dice.choice(others))
        method, below, body = self.dice.choice(
            [
                ("GET", "", None),
                ("PATCH", "", {"text": "stolen"}),
                ("DELETE", "", None),
                ("POST", "/add", None),
            ]
        )
        # Where the path says no owner it names a row of the user's own, which is as gone as a DELETE would have it.
        lost = {204} if method == "DELETE" and path.startswith("/notes") else set()
        self.refused(self.send(method, path + below, body), {404} | lost, f"{method} {path} by {self.user}")

    def borrow(self) -> None:
        """Try another user's cursor."""
        others = [(name, key) for name, key in self.shared.cursors.items() if name.split()[1] != self.user]
        if others:
            name, key = self.dice.choice(others)
            answer = self.send("GET", f"/{name.split()[0]}?pagination_key={key}")
            self.refused(answer, {400}, f"cursor of {name} by {self.user}")

    def err(self) -> None:
        """Send what nobody should."""
        method, path, body, headers, status = self.dice.choice(WRONG)
        self.refused(self.send(method, path, body, headers), {status}, f"{method} {path}")

    def refused(self, answer: Answer | None, statuses: set[int], words: str) -> None:
        """Note an answer that lets pass what it must not."""
        if not unknown(answer) and answer.status not in statuses:
            kind = "cross-user row" if answer.status < 400 else "false answer"
            self.finding(kind, f"{words}: {answer.status} {answer.content[:200]!r}")

    def leave(self) -> None:
        """Ask, and go away without the answer."""
        self.send("GET", "/notes?limit=1")
        if self.http is not None:
            self.http.request("GET", "/notes?limit=100", headers=self.headers)
            self.close()


WRONG: list[tuple[str, str, Any, Mapping[str, str], int]] = [
    ("POST", "/notes", b"{", {}, 400),
    ("POST", "/notes", {"text": 1}, {}, 422),
    ("POST", "/notes", {"text": "a", "owner": "mallory"}, {}, 422),
    ("POST", "/notes", {"text": "a" * 1_100_000}, {}, 413),
    ("POST", "/notes", b"a=b", {"Content-Type": "text/csv"}, 415),
    ("POST", "/tasks", {"text": "a", "owner": "mallory"}, {}, 403),
    ("GET", "/notes?limit=0", None, {}, 400),
    ("GET", "/notes?pagination_key=x", None, {}, 400),
    ("GET", "/notes", None, {"Accept": "text/csv"}, 406),
    ("GET", "/notes", None, {"Authorization": "Bearer x"}, 401),
    ("GET", "/other", None, {}, 404),
    ("DELETE", "/notes", None, {}, 405),
]
"""Requests that are refused before DynamoDB, and how."""

ACTS: list[tuple[Callable[[Connection], None], int]] = [
    (Connection.create, 10),
    (Connection.create_once, 6),
    (Connection.again, 1),
    (Connection.read, 30),
    (Connection.patch, 14),
    (Connection.put, 6),
    (Connection.add, 6),
    (Connection.remove, 7),
    (Connection.walk, 4),
    (Connection.count, 10),
    (Connection.trespass, 6),
    (Connection.borrow, 1),
    (Connection.err, 8),
    (Connection.leave, 1),
]
"""What a connection does, and how often."""


def unknown(answer: Answer | None) -> bool:
    """Whether it says nothing of what became of the request."""
    return answer is None or answer.status == 503


def _state(answer: Answer) -> State:
    said = answer.json if answer.status in (200, 201) else None
    return None if said is None else (said["text"], said["count"])
