"""Requests that are to be refused: other users' rows, others' cursors, and what nobody should send."""

from collections.abc import Mapping
from typing import Any

from .connection import Connection, unknown
from .contract import Answer

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


def trespass(by: Connection) -> None:
    """Try another user's row in every way: it is not there, and stays as it is."""
    others = [place for user, place in by.shared.known.items() if user != by.user]
    if not others:
        return
    path = by.path(by.dice.choice(others))
    method, below, body = by.dice.choice(
        [
            ("GET", "", None),
            ("PATCH", "", {"text": "stolen"}),
            ("DELETE", "", None),
            ("POST", "/add", None),
        ]
    )
    # Where the path says no owner it names a row of the user's own, which is as gone as a DELETE would have it.
    lost = {204} if method == "DELETE" and path.startswith("/notes") else set()
    refused(by, by.send(method, path + below, body), {404} | lost, f"{method} {path} by {by.user}")


def borrow(by: Connection) -> None:
    """Try another user's cursor."""
    others = [(name, key) for name, key in by.shared.cursors.items() if name.split()[1] != by.user]
    if others:
        name, key = by.dice.choice(others)
        answer = by.send("GET", f"/{name.split()[0]}?pagination_key={key}")
        refused(by, answer, {400}, f"cursor of {name} by {by.user}")


def err(by: Connection) -> None:
    """Send what nobody should."""
    method, path, body, headers, status = by.dice.choice(WRONG)
    refused(by, by.send(method, path, body, headers), {status}, f"{method} {path}")


def refused(by: Connection, answer: Answer | None, statuses: set[int], words: str) -> None:
    """Note an answer that lets pass what it must not."""
    if not unknown(answer) and answer.status not in statuses:
        kind = "cross-user row" if answer.status < 400 else "false answer"
        by.finding(kind, f"{words}: {answer.status} {answer.content[:200]!r}")


def leave(by: Connection) -> None:
    """Ask, and go away without the answer."""
    by.send("GET", "/notes?limit=1")
    if by.http is not None:
        by.http.request("GET", "/notes?limit=100", headers=by.headers)
        by.close()
